//! The order in which rustfmt sorts names: numbers in them by value, so that `v2` comes before `v10`.

use std::cmp::Ordering;

/// A name that is sorted naturally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Natural(pub String);

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (chunks(&self.0), chunks(&other.0));
        a.iter()
            .zip(&b)
            .map(|(a, b)| match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(x), Ok(y)) => x.cmp(&y),
                _ => a.cmp(b),
            })
            .find(|order| order.is_ne())
            .unwrap_or_else(|| a.len().cmp(&b.len()))
            .then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Runs of digits and runs of anything else.
fn chunks(name: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    let mut start = 0;
    let bytes = name.as_bytes();
    for end in 1..=bytes.len() {
        if end == bytes.len() || bytes[end].is_ascii_digit() != bytes[end - 1].is_ascii_digit() {
            chunks.push(&name[start..end]);
            start = end;
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::Natural;

    #[test]
    fn numbers_count_by_value() {
        let mut names =
            ["v10", "v1alpha1", "v2", "v1", "v1beta1", "v1alpha10", "v1alpha2"].map(|n| Natural(n.into()));
        names.sort();
        assert_eq!(names.map(|n| n.0), ["v1", "v1alpha1", "v1alpha2", "v1alpha10", "v1beta1", "v2", "v10"]);
    }
}
