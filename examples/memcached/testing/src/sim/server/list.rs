//! Gets objects, one or many, also by pages and of older versions.

use std::sync::Arc;

use serde_json::{Value, json};

use super::body;
use super::selector::{Fields, Labels};
use super::status::{Invalid, Named, Refusal, Result};
use super::{Call, Server};

/// Which objects a list or a watch is about.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    labels: Labels,
    fields: Fields,
    /// Neither is given.
    pub(super) all: bool,
}

impl Selection {
    pub(super) fn of(call: &Call<'_>) -> Result<Self> {
        let (labels, fields) = (call.query.get("labelSelector"), call.query.get("fieldSelector"));
        Ok(Self {
            labels: Labels::parse(labels).map_err(Refusal::bad_request)?,
            fields: Fields::parse(fields, &call.kind.selectable).map_err(Refusal::bad_request)?,
            all: labels.is_empty() && fields.is_empty(),
        })
    }

    pub(super) fn takes(&self, object: &Value) -> bool {
        self.all || self.labels.matches(object) && self.fields.matches(object)
    }
}

impl Server {
    pub(super) fn get(&self, call: &Call<'_>) -> Result<Value> {
        let version = call.query.get("resourceVersion");
        self.known(version)?;
        let object = self.store.get(&call.key()).ok_or_else(|| Refusal::not_found(&call.named()))?;
        Self::shown(call, object)
    }

    /// An object as a part of it is asked for.
    fn shown(call: &Call<'_>, object: &Value) -> Result<Value> {
        let object = body::as_of(&call.kind, object);
        match call.part {
            super::Part::Scale => super::scale::of(&call.kind, &object),
            _ => Ok(object),
        }
    }

    /// A version that is not there yet is not waited for.
    pub(super) fn known(&self, version: &str) -> Result<u64> {
        let current = self.store.version();
        let wanted: u64 = match version {
            "" => 0,
            _ => version.parse().map_err(|_| {
                let error = Invalid::value("resourceVersion", &version.into(), "invalid resource version");
                Refusal::invalid(&Named { group: "meta.k8s.io", resource: "ListOptions", name: "" }, &[error])
            })?,
        };
        if wanted > current {
            let message = format!("Too large resource version: {wanted}, current: {current}");
            let mut refusal = Refusal::new(504, "Timeout", format!("Timeout: {message}"));
            let cause =
                json!({ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" });
            refusal.details = json!({ "causes": [cause], "retryAfterSeconds": 1 });
            return Err(refusal);
        }
        Ok(wanted)
    }

    pub(super) fn list(&mut self, call: &Call<'_>) -> Result<Value> {
        let query = call.query;
        let selection = Selection::of(call)?;
        let limit: usize = query.get("limit").parse().unwrap_or_default();
        let (version, rule) = (query.get("resourceVersion"), query.get("resourceVersionMatch"));
        check(version, rule, query.get("continue"))?;
        let prefix = call.kind.prefix(&call.target.namespace);
        let mut after = String::new();
        let at = if query.get("continue").is_empty() {
            let wanted = self.known(version)?;
            let exact = rule == "Exact" || rule.is_empty() && limit > 0 && wanted > 0;
            if exact { wanted } else { self.store.version() }
        } else {
            let (version, key) = token(query.get("continue")).ok_or_else(|| {
                Refusal::bad_request("continue key is not valid: the token cannot be decoded")
            })?;
            after = key;
            version
        };
        if at < self.store.compacted() {
            let message = if query.get("continue").is_empty() {
                format!(
                    "The resourceVersion for the provided list is too old: {at} ({})",
                    self.store.compacted()
                )
            } else {
                "The provided continue parameter is too old to display a consistent list result.".to_owned()
            };
            return Err(Refusal::gone(message));
        }
        let limit = if version == "0" && rule.is_empty() { 0 } else { limit };
        let objects: Vec<(Arc<str>, Arc<Value>)> = if at == self.store.version() {
            self.store.under(&prefix).map(|(key, object)| (key.clone(), object.clone())).collect()
        } else {
            self.store.under_at(&prefix, at).into_iter().collect()
        };
        let mut items = Vec::new();
        let mut next = String::new();
        let mut remaining = 0;
        for (key, object) in objects {
            if !after.is_empty() && *key <= *after {
                continue;
            }
            if limit > 0 && items.len() == limit {
                remaining += 1;
                continue;
            }
            let shown = body::as_of(&call.kind, &object);
            if selection.takes(&shown) {
                items.push(shown);
                next = key.to_string();
            }
        }
        let mut metadata = json!({ "resourceVersion": at.to_string() });
        if call.kind.custom {
            metadata["continue"] = "".into();
        }
        if remaining > 0 {
            let token = body::base64(format!("{at} {next}").as_bytes());
            metadata["continue"] = token.replace('+', "-").replace('/', "_").replace('=', "").into();
            if selection.all {
                metadata["remainingItemCount"] = remaining.into();
            }
        }
        if !call.kind.custom {
            for item in &mut items {
                if let Value::Object(item) = item {
                    item.remove("apiVersion");
                    item.remove("kind");
                }
            }
        }
        Ok(json!({
            "kind": call.kind.list_kind,
            "apiVersion": call.kind.api_version(),
            "metadata": metadata,
            "items": items,
        }))
    }
}

fn check(version: &str, rule: &str, token: &str) -> Result<()> {
    let named = Named { group: "meta.k8s.io", resource: "ListOptions", name: "" };
    let forbidden = |field: &str, why: &str| {
        Err(Refusal::invalid(
            &named,
            &[Invalid::new("FieldValueForbidden", field, format!("Forbidden: {why}"))],
        ))
    };
    if !rule.is_empty() {
        if version.is_empty() {
            return forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            );
        }
        if !token.is_empty() {
            return forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden when continue is provided",
            );
        }
        if rule == "Exact" && version == "0" {
            return forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"",
            );
        }
        if rule != "Exact" && rule != "NotOlderThan" {
            let message =
                format!("Unsupported value: \"{rule}\": supported values: \"Exact\", \"NotOlderThan\"");
            let error = Invalid::new("FieldValueNotSupported", "resourceVersionMatch", message);
            return Err(Refusal::invalid(&named, &[error]));
        }
    }
    if !token.is_empty() && !version.is_empty() && version != "0" {
        return Err(Refusal::bad_request("specifying resource version is not allowed when using continue"));
    }
    Ok(())
}

/// Version and key of the last object of a page.
fn token(text: &str) -> Option<(u64, String)> {
    let bytes = body::from_base64(text)?;
    let text = String::from_utf8(bytes).ok()?;
    let (version, key) = text.split_once(' ')?;
    Some((version.parse().ok()?, key.to_owned()))
}
