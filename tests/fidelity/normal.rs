//! Answers without what two servers cannot have in common: times, and the values of uids, versions and drawn names. Which
//! of these are the same as others is kept.

use std::collections::BTreeMap;

use serde_json::{Value, json};

#[derive(Default)]
pub struct Normal {
    uids: BTreeMap<String, usize>,
    versions: BTreeMap<String, usize>,
    /// Of the page that was answered last.
    pub token: Option<String>,
}

impl Normal {
    pub fn answer(&mut self, code: u16, body: &Value) -> Value {
        if code >= 300 {
            let mut causes: Vec<String> = body["details"]["causes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|cause| {
                    format!(
                        "{} {}",
                        cause["reason"].as_str().unwrap_or_default(),
                        cause["field"].as_str().unwrap_or_default()
                    )
                })
                .collect();
            causes.sort();
            causes.dedup();
            return json!({ "reason": body["reason"], "causes": causes });
        }
        let mut body = body.clone();
        self.object(&mut body);
        body
    }

    pub fn list(&mut self, code: u16, body: &Value) -> Value {
        let mut body = if code >= 300 { return self.answer(code, body) } else { body.clone() };
        for item in body["items"].as_array_mut().into_iter().flatten() {
            self.object(item);
        }
        // Objects with drawn names come in any order.
        if let Some(items) = body["items"]
            .as_array_mut()
            .filter(|items| items.iter().any(|item| item["metadata"]["name"] == "a name"))
        {
            items.sort_by_key(Value::to_string);
        }
        body["metadata"]["resourceVersion"] = Value::Null;
        if body["metadata"]["continue"].as_str().is_some_and(|token| !token.is_empty()) {
            body["metadata"]["continue"] = "a token".into();
        }
        body
    }

    fn object(&mut self, object: &mut Value) {
        let metadata = &mut object["metadata"];
        let number = |known: &mut BTreeMap<String, usize>, value: &mut Value| {
            if let Some(text) = value.as_str() {
                let count = known.len();
                let index = *known.entry(text.to_owned()).or_insert(count);
                *value = format!("number {index}").into();
            }
        };
        if let Value::Object(fields) = metadata {
            for (name, value) in fields.iter_mut() {
                match name.as_str() {
                    "uid" => number(&mut self.uids, value),
                    "resourceVersion" => number(&mut self.versions, value),
                    "creationTimestamp" | "deletionTimestamp" if value.is_string() => {
                        *value = "a time".into();
                    }
                    "name" if value.as_str().is_some_and(|name| name.starts_with("drawn-")) => {
                        *value = "a name".into();
                    }
                    _ => {}
                }
            }
        }
        if object["details"]["uid"].is_string() {
            number(&mut self.uids, &mut object["details"]["uid"]);
        }
        if let Some(entries) = object["metadata"].get_mut("managedFields").and_then(Value::as_array_mut) {
            for entry in entries.iter_mut() {
                if entry["time"].is_string() {
                    entry["time"] = "a time".into();
                }
            }
            // Their order is by time.
            entries.sort_by_key(|entry| {
                let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
                (text("operation"), text("manager"), text("subresource"), text("apiVersion"))
            });
        }
    }
}
