//! What the user may have meant.

/// Longest word that is compared, in bytes: comparing takes time in the square of it.
const LONGEST: usize = 256;

/// The candidate likest to `word`, regardless of case, if one is so like that it may have been meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let length = word.chars().count();
    // Words are at least as far apart as their lengths.
    let may_be_near = |candidate: &&str| {
        (1..=LONGEST).contains(&candidate.len())
            && candidate.chars().count().abs_diff(length) <= farthest(candidate)
    };
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
    let (distance, candidate) =
        candidates.into_iter().filter(may_be_near).map(|candidate| (distance(candidate), candidate)).min()?;
    (distance <= farthest(candidate)).then_some(candidate)
}

/// How far a word may be from what was meant.
fn farthest(candidate: &str) -> usize {
    1 + candidate.len() / 4
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_is_much_longer_was_not_meant() {
        assert_eq!(nearest("Deploymnt", ["deployment", "pod"]), Some("deployment"));
        assert_eq!(nearest("x", ["deployment", "pod"]), None);
        let begin = std::time::Instant::now();
        let long = "a".repeat(20 << 20);
        assert_eq!(nearest(&long, ["deployment", &long]), None);
        assert_eq!(nearest("deployments", [&long[..], "deployment"]), Some("deployment"));
        assert!(begin.elapsed().as_secs() < 5);
    }
}
