//! Shorter descriptions, for definitions that would be too large.

use serde_json::{Map, Value};

use super::depth::too_deep;
use super::normalise::children;

/// Cuts the descriptions in the schemas of `crd` to `limit` characters, at the end of a sentence where there is one;
/// 0 removes them. What is nested deeper than anything may be stays as it is.
pub fn limit_descriptions(crd: &mut Value, limit: usize) {
    if too_deep(crd) {
        return;
    }
    for version in crd["spec"]["versions"].as_array_mut().into_iter().flatten() {
        if let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema").and_then(Value::as_object_mut) {
            cut(schema, limit);
        }
    }
}

fn cut(schema: &mut Map<String, Value>, limit: usize) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = shortened(text, limit).to_owned();
        if text.is_empty() {
            schema.remove("description");
        }
    }
    for inner in children(schema) {
        cut(inner, limit);
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
        let default = json!({ "description": "A value." });
        let schema = json!({ "description": "A. B.", "properties": {
            "description": { "type": "string", "description": "C.", "default": default },
        } });
        let mut crd = json!({ "spec": { "versions": [{ "schema": { "openAPIV3Schema": schema } }] } });
        limit_descriptions(&mut crd, 0);
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let field = json!({ "type": "string", "default": default });
        assert_eq!(*schema, json!({ "properties": { "description": field } }));
    }
}
