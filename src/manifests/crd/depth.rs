//! How deep a document is nested, found without going down into it.

use serde_json::Value;

use crate::limits::DEPTH;

/// Whether a value is nested deeper than anything may be.
pub(super) fn too_deep(value: &Value) -> bool {
    let mut open = vec![(value, 0)];
    while let Some((value, depth)) = open.pop() {
        if depth > DEPTH {
            return true;
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => open.extend(fields.values().map(|field| (field, depth + 1))),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::with_stack;
    use serde_json::json;

    #[test]
    fn depth_is_that_of_lists_and_objects() {
        with_stack(|| {
            let nested = |levels: usize| {
                (0..levels).fold(json!(1), |inner, level| {
                    if level % 2 == 0 {
                        Value::Array(vec![inner])
                    } else {
                        [("a".to_owned(), inner)].into_iter().collect()
                    }
                })
            };
            assert!(!too_deep(&nested(DEPTH)));
            assert!(too_deep(&nested(DEPTH + 1)));
            assert!(too_deep(&nested(20_000)));
        });
    }
}
