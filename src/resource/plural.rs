//! Plurals by kubebuilder's rules, which are those of the Go package flect.
//!
//! They are English with an accent (`Iris` stays `iris`, `Quiz` becomes `quizzes`), and kubebuilder, controller-gen and
//! operator-sdk all use them, so an API keeps its name when it moves between tools. The tables are data of flect 1.0.3,
//! its oddities included.

/// The plural of a kind, in lower case.
#[must_use]
pub fn plural(kind: &str) -> String {
    let word = kind.to_ascii_lowercase();
    let known = |pairs: &[(&str, &str)]| {
        pairs.iter().find(|(one, _)| *one == word).map(|(_, many)| (*many).to_owned())
    };
    if let Some(many) = known(WHOLE).or_else(|| known(WORDS)) {
        return many;
    }
    if WHOLE.iter().any(|(_, many)| *many == word) || ALREADY.contains(&word.as_str()) {
        return word;
    }
    // Later words win over earlier ones, and all of them over the endings.
    for (one, many) in WORDS.iter().rev().chain(ENDINGS) {
        if word.ends_with(many) {
            return word;
        }
        if let Some(stem) = word.strip_suffix(one) {
            return format!("{stem}{many}");
        }
    }
    if word.ends_with('s') { word } else { word + "s" }
}

/// Words with a plural of their own, not when they end a longer word.
#[rustfmt::skip]
const WHOLE: &[(&str, &str)] = &[
    ("ox", "oxen"), ("louse", "lice"), ("die", "dice"), ("axis", "axes"), ("alias", "aliases"),
    ("use", "uses"), ("toe", "toes"), ("ssh", "sshs"), ("eia", "eias"), ("tia", "tias"),
];

/// Plurals that end in no `s` and are not among the other tables.
#[rustfmt::skip]
const ALREADY: &[&str] = &[
    "adieus",
    "bureaux", "curricula", "formulae", "octopi", "stadia",
];

/// Words with a plural of their own, also at the end of a longer word.
#[rustfmt::skip]
const WORDS: &[(&str, &str)] = &[
    ("aircraft", "aircraft"), ("beef", "beef"), ("bison", "bison"), ("blues", "blues"),
    ("chassis", "chassis"), ("deer", "deer"), ("fish", "fish"), ("moose", "moose"), ("police", "police"),
    ("salmon", "salmon"), ("series", "series"), ("sheep", "sheep"), ("shrimp", "shrimp"),
    ("species", "species"), ("swine", "swine"), ("trout", "trout"), ("tuna", "tuna"), ("you", "you"),
    ("child", "children"), ("foot", "feet"), ("goose", "geese"), ("man", "men"), ("human", "humans"),
    ("mouse", "mice"), ("tooth", "teeth"), ("woman", "women"), ("person", "people"), ("adieu", "adieux"),
    ("fabliau", "fabliaux"), ("bureau", "bureaus"), ("criterion", "criteria"), ("ganglion", "ganglia"),
    ("lexicon", "lexica"), ("mitochondrion", "mitochondria"), ("noumenon", "noumena"),
    ("phenomenon", "phenomena"), ("taxon", "taxa"), ("media", "media"), ("medium", "media"),
    ("stadium", "stadiums"), ("aquarium", "aquaria"), ("auditorium", "auditoria"),
    ("symposium", "symposia"), ("curriculum", "curriculums"), ("quota", "quotas"), ("alumnus", "alumni"),
    ("bacillus", "bacilli"), ("cactus", "cacti"), ("coccus", "cocci"), ("focus", "foci"), ("locus", "loci"),
    ("nucleus", "nuclei"), ("octopus", "octupuses"), ("radius", "radii"), ("syllabus", "syllabi"),
    ("corpus", "corpora"), ("genus", "genera"), ("alumna", "alumnae"), ("vertebra", "vertebrae"),
    ("differentia", "differentiae"), ("minutia", "minutiae"), ("vita", "vitae"), ("larva", "larvae"),
    ("postcava", "postcavae"), ("praecava", "praecavae"), ("uva", "uvae"), ("apex", "apices"),
    ("codex", "codices"), ("index", "indices"), ("latex", "latices"), ("vertex", "vertices"),
    ("vortex", "vortices"), ("appendix", "appendices"), ("radix", "radices"), ("helix", "helices"),
    ("crisis", "crises"), ("ellipsis", "ellipses"), ("genesis", "geneses"), ("oasis", "oases"),
    ("thesis", "theses"), ("testis", "testes"), ("base", "bases"), ("basis", "bases"),
    ("vedalia", "vedalias"), ("abuse", "abuses"), ("cause", "causes"), ("clause", "clauses"),
    ("cruse", "cruses"), ("excuse", "excuses"), ("fuse", "fuses"), ("house", "houses"),
    ("misuse", "misuses"), ("muse", "muses"), ("pause", "pauses"), ("ache", "aches"), ("topaz", "topazes"),
    ("buffalo", "buffaloes"), ("potato", "potatoes"), ("tomato", "tomatoes"), ("equipment", "equipment"),
    ("information", "information"), ("jeans", "jeans"), ("money", "money"), ("news", "news"),
    ("rice", "rice"), ("dwarf", "dwarfs"), ("hoof", "hoofs"), ("thief", "thieves"), ("chive", "chives"),
    ("hive", "hives"), ("move", "moves"), ("movie", "movies"), ("cookie", "cookies"),
    ("pretorium", "pretoriums"), ("agenda", "agendas"), ("formula", "formulas"), ("shoe", "shoes"),
    ("graffiti", "graffiti"),
];

/// Endings and what they become; the first one that fits decides.
#[rustfmt::skip]
const ENDINGS: &[(&str, &str)] = &[
    ("tive", "tives"), ("eaf", "eaves"), ("oaf", "oaves"), ("afe", "aves"), ("arf", "arves"),
    ("rfe", "rves"), ("rf", "rves"), ("lf", "lves"), ("fe", "ves"), ("ay", "ays"), ("ey", "eys"),
    ("oy", "oys"), ("quy", "quies"), ("uy", "uys"), ("y", "ies"), ("eau", "eaux"), ("bula", "bulae"),
    ("dula", "bulae"), ("lula", "bulae"), ("nula", "bulae"), ("vula", "bulae"), ("hedron", "hedra"),
    ("ium", "ia"), ("seum", "seums"), ("eum", "ea"), ("oum", "oa"), ("stracum", "straca"), ("dum", "da"),
    ("elum", "ela"), ("ilum", "ila"), ("olum", "ola"), ("ulum", "ula"), ("llum", "lla"), ("ylum", "yla"),
    ("imum", "ima"), ("ernum", "erna"), ("gnum", "gna"), ("brum", "bra"), ("crum", "cra"),
    ("terum", "tera"), ("serum", "sera"), ("trum", "tra"), ("antum", "anta"), ("atum", "ata"),
    ("entum", "enta"), ("etum", "eta"), ("itum", "ita"), ("otum", "ota"), ("utum", "uta"), ("ctum", "cta"),
    ("ovum", "ova"), ("trix", "trices"), ("iasis", "iases"), ("mesis", "meses"), ("kinesis", "kineses"),
    ("resis", "reses"), ("gnosis", "gnoses"), ("opsis", "opses"), ("ysis", "yses"), ("ouse", "ouses"),
    ("lause", "lauses"), ("us", "uses"), ("ch", "ches"), ("io", "ios"), ("sh", "shes"), ("ss", "sses"),
    ("ez", "ezzes"), ("iz", "izzes"), ("tz", "tzes"), ("zz", "zzes"), ("ano", "anos"), ("lo", "los"),
    ("to", "tos"), ("oo", "oos"), ("o", "oes"), ("x", "xes"),
];

#[cfg(test)]
mod tests {
    use super::plural;

    #[test]
    fn agrees_with_flect_on_every_word_that_it_was_asked_about() {
        let differences: Vec<_> = include_str!("../../tests/data/plurals.txt")
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(one, many)| plural(one) != *many)
            .map(|(one, many)| format!("{one}: {} instead of {many}", plural(one)))
            .collect();
        assert!(differences.is_empty(), "{differences:#?}");
        assert_eq!(plural("Iris"), "iris");
    }
}
