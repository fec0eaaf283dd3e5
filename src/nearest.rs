//! What the user may have meant.

/// The candidate likest to `word`, regardless of case, if one is so like that it may have been meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
    let (distance, candidate) =
        candidates.into_iter().map(|candidate| (distance(candidate), candidate)).min()?;
    (distance <= 1 + candidate.len() / 4).then_some(candidate)
}
