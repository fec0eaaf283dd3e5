//! Maps that remember so much and no more.

use std::collections::BTreeMap;

use tokio::time::Instant;

/// Takes the oldest entry out of a map that has more than `most`. The age of an entry is what `since` says.
pub(crate) fn forget_oldest<K: Clone + Ord, V>(
    map: &mut BTreeMap<K, V>,
    most: usize,
    since: impl Fn(&V) -> Instant,
) {
    if map.len() > most {
        let oldest = map.iter().min_by_key(|(_, value)| since(value)).map(|(key, _)| key.clone());
        oldest.map(|key| map.remove(&key));
    }
}
