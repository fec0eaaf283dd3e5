//! Maps whose keys have a pattern, such as those of a type of its own around a `String`. JSON Schema has
//! `patternProperties` for them and definitions have nothing: to the API server a key is any text.

use serde_json::{Map, Value, json};

use super::depth::too_deep;

/// What schemars says of keys that are numbers. To take any text for one of them would be too much.
const NUMBERS: [&str; 2] = [r"^\d+$", r"^-?\d+$"];

/// The patterns of a map's keys, and the schema of its values, if that is all that is said of them.
fn patterns(schema: &Map<String, Value>) -> Option<(Vec<&str>, &Value)> {
    let patterns = schema.get("patternProperties")?.as_object()?;
    let values = patterns.values().next()?;
    let others = schema.get("additionalProperties");
    let plain = !schema.contains_key("properties")
        && others.is_none_or(|others| *others == json!(false) || others == values)
        && patterns.iter().all(|(pattern, of)| of == values && !NUMBERS.contains(&pattern.as_str()));
    plain.then(|| (patterns.keys().map(String::as_str).collect(), values))
}

/// Makes a map of any keys of one whose keys have a pattern.
pub(super) fn open(schema: &mut Map<String, Value>) {
    let Some(values) = patterns(schema).map(|(_, values)| values.clone()) else { return };
    schema.remove("patternProperties");
    schema.insert("additionalProperties".into(), values);
}

/// What is to be said of such maps in the definitions that `crdgen` printed.
#[must_use]
pub fn open_keys(printed: &str) -> Vec<String> {
    let mut notes = Vec::new();
    for crd in serde_json::Deserializer::from_str(printed).into_iter::<Value>().map_while(Result::ok) {
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap_or_default();
        for version in crd["spec"]["versions"].as_array().into_iter().flatten().filter(|_| !too_deep(&crd)) {
            let name = version["name"].as_str().unwrap_or_default();
            search(&version["schema"]["openAPIV3Schema"], &format!("{kind} {name} "), &mut notes);
        }
    }
    notes
}

fn search(schema: &Value, at: &str, notes: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else { return };
    if let Some((patterns, _)) = patterns(schema) {
        notes.push(format!(
            "`{at}`: the keys can be any text, though their type has the pattern `{}`: no definition says it of keys",
            patterns.join("`, `")
        ));
    }
    for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        search(inner, &format!("{at}.{name}"), notes);
    }
    for (key, step) in [("items", "[]"), ("additionalProperties", "[*]")] {
        if let Some(inner) = schema.get(key) {
            search(inner, &format!("{at}{step}"), notes);
        }
    }
    let values = schema.get("patternProperties").and_then(Value::as_object);
    if let Some(values) = values.and_then(|patterns| patterns.values().next()) {
        search(values, &format!("{at}[*]"), notes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::crd::normalise;

    fn crd(field: &Value) -> Value {
        json!({ "spec": { "names": { "kind": "Thing" }, "versions": [{ "name": "v1", "schema": { "openAPIV3Schema": {
            "type": "object", "properties": { "spec": { "type": "object", "properties": { "a": field } } },
        } } }] } })
    }

    #[test]
    fn keys_with_a_pattern_are_any_keys() {
        let map = |values: &Value| json!({ "type": "object", "additionalProperties": false, "patternProperties": { "^[a-z]+$": values } });
        let (inner, text) = (map(&json!({ "type": "string" })), json!({ "type": "string" }));
        let definition = crd(&map(&inner));
        let field = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/a";
        assert_eq!(
            normalise(definition.clone()).pointer(field),
            Some(
                &json!({ "type": "object", "additionalProperties": { "type": "object", "additionalProperties": text } })
            )
        );
        let notes = open_keys(&format!("{definition}\n{definition}"));
        assert_eq!(notes.len(), 4, "{notes:?}");
        assert!(notes[0].starts_with("`Thing v1 .spec.a`: the keys can be any text"), "{notes:?}");
        assert!(notes[1].starts_with("`Thing v1 .spec.a[*]`: "), "{notes:?}");
    }

    #[test]
    fn keys_that_are_numbers_stay_so() {
        for patterns in [
            json!({ r"^\d+$": {} }),
            json!({ r"^-?\d+$": {} }),
            json!({ "^a$": { "type": "string" }, "^b$": {} }),
        ] {
            let field =
                json!({ "type": "object", "additionalProperties": false, "patternProperties": patterns });
            let definition = normalise(crd(&field));
            assert!(definition.to_string().contains("patternProperties"), "{definition}");
            assert_eq!(open_keys(&definition.to_string()), Vec::<String>::new());
        }
    }
}
