//! Shorter descriptions, for definitions that would be too large.

use serde_json::Value;

/// Cuts the descriptions in the schemas of `crd` to `limit` characters, at the end of a sentence where there is one;
/// 0 removes them.
pub fn limit_descriptions(crd: &mut Value, limit: usize) {
    for version in crd["spec"]["versions"].as_array_mut().into_iter().flatten() {
        if let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema") {
            cut(schema, limit);
        }
    }
}

fn cut(schema: &mut Value, limit: usize) {
    match schema {
        Value::Object(map) => {
            // A property may be called so too; it is an object then.
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = shortened(text, limit).to_owned();
                if text.is_empty() {
                    map.remove("description");
                }
            }
            map.values_mut().for_each(|value| cut(value, limit));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cut(item, limit)),
        _ => {}
    }
}

fn shortened(text: &str, limit: usize) -> &str {
    let Some((end, _)) = text.char_indices().nth(limit) else { return text };
    let start = &text[..end];
    match start.rfind(['.', '!', '?']) {
        Some(stop) => &start[..=stop],
        None => start.trim_end(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn descriptions_end_with_a_sentence() {
        assert_eq!(shortened("One. Two. Three.", 11), "One. Two.");
        assert_eq!(shortened("Straße ohne Punkt", 7), "Straße");
        assert_eq!(shortened("Short", 5), "Short");
        let schema = json!({ "description": "A. B.", "properties": { "description": { "type": "string" } } });
        let mut crd = json!({ "spec": { "versions": [{ "schema": { "openAPIV3Schema": schema } }] } });
        limit_descriptions(&mut crd, 0);
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        assert_eq!(*schema, json!({ "properties": { "description": { "type": "string" } } }));
    }
}
