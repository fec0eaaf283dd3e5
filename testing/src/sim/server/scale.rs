//! The subresource `scale`: the number of replicas of an object of any kind.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::status::{Invalid, Named, Refusal, Result};
use super::{Call, Server, body, patch};

fn at<'a>(object: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(object, |value, name| &value[name])
}

/// The scale of an object.
pub(super) fn of(kind: &Kind, object: &Value) -> Result<Value> {
    let Some(paths) = &kind.scale else { return Err(Refusal::path_not_found()) };
    let metadata = &object["metadata"];
    let mut scale = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {},
        "spec": {},
        "status": { "replicas": at(object, &paths.status).as_i64().unwrap_or_default() },
    });
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if !metadata[field].is_null() {
            scale["metadata"][field] = metadata[field].clone();
        }
    }
    if let Some(replicas) = at(object, &paths.spec).as_i64().filter(|replicas| *replicas != 0) {
        scale["spec"]["replicas"] = replicas.into();
    }
    if kind.custom && at(object, &paths.spec).is_null() {
        return Err(Refusal::internal(format!("the spec replicas field \".{}\" does not exist", paths.spec)));
    }
    let selector = paths.selector.as_ref().map_or(&Value::Null, |path| at(object, path));
    let text = match selector {
        Value::String(text) => text.clone(),
        Value::Object(_) => selector_text(selector),
        _ => String::new(),
    };
    if !text.is_empty() {
        scale["status"]["selector"] = text.into();
    }
    Ok(scale)
}

/// A selector as a parameter has it.
fn selector_text(selector: &Value) -> String {
    let mut parts = Vec::new();
    for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
        parts.push(format!("{key}={}", value.as_str().unwrap_or_default()));
    }
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = expression["key"].as_str().unwrap_or_default();
        let values: Vec<_> =
            expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        parts.push(match expression["operator"].as_str().unwrap_or_default() {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    parts.join(",")
}

impl Server {
    pub(super) fn replace_scale(&mut self, call: &Call<'_>) -> Result<Value> {
        let wanted = body::json_of(call.request.body())?;
        let live = self.scaled(call)?;
        self.set_scale(call, &live, &wanted)
    }

    pub(super) fn patch_scale(&mut self, call: &Call<'_>) -> Result<Value> {
        let live = self.scaled(call)?;
        let given = body::json_of(call.request.body())?;
        let content = call.request.headers().get(http::header::CONTENT_TYPE);
        let content = content.and_then(|content| content.to_str().ok()).unwrap_or_default();
        if content.starts_with("application/apply-patch") {
            return self.apply_scale(call, &live, &given);
        }
        let mut wanted = of(&call.kind, &live).unwrap_or_else(|_| json!({ "spec": {} }));
        if content.starts_with("application/json-patch") {
            patch::json(&mut wanted, &given).map_err(|message| Refusal::new(422, "Invalid", message))?;
        } else {
            patch::merge(&mut wanted, &given);
        }
        self.set_scale(call, &live, &wanted)
    }

    fn scaled(&self, call: &Call<'_>) -> Result<Value> {
        let object = self.store.get(&call.key()).ok_or_else(|| Refusal::not_found(&call.named()))?;
        Ok(body::as_of(&call.kind, object))
    }

    fn set_scale(&mut self, call: &Call<'_>, live: &Value, wanted: &Value) -> Result<Value> {
        let replicas = wanted["spec"]["replicas"].as_i64().unwrap_or_default();
        let version = wanted["metadata"]["resourceVersion"].clone();
        let mut new = live.clone();
        let object = self.with_replicas(call, &mut new, replicas)?;
        if version.as_str().is_some_and(|version| !version.is_empty()) {
            object["metadata"]["resourceVersion"] = version;
        }
        let mut new = new;
        self.own(call, live, &mut new, false);
        let stored = self.store_update(call, live, new)?;
        of(&call.kind, &stored)
    }

    fn with_replicas<'a>(
        &self,
        call: &Call<'_>,
        object: &'a mut Value,
        replicas: i64,
    ) -> Result<&'a mut Value> {
        if replicas < 0 {
            let named = Named { group: "autoscaling", resource: "Scale", name: &call.target.name };
            let why = "must be greater than or equal to 0";
            return Err(Refusal::invalid(&named, &[Invalid::value("spec.replicas", &replicas.into(), why)]));
        }
        let Some(paths) = &call.kind.scale else { return Err(Refusal::path_not_found()) };
        let place = paths.spec.split('.').fold(&mut *object, |value, name| &mut value[name]);
        *place = replicas.into();
        Ok(object)
    }

    fn apply_scale(&mut self, call: &Call<'_>, live: &Value, given: &Value) -> Result<Value> {
        let Some(paths) = &call.kind.scale else { return Err(Refusal::path_not_found()) };
        let mut config = json!({
            "apiVersion": call.kind.api_version(),
            "kind": call.kind.kind,
            "metadata": { "name": call.target.name },
        });
        if !given["spec"]["replicas"].is_null() {
            let place = paths.spec.split('.').fold(&mut config, |value, name| &mut value[name]);
            *place = given["spec"]["replicas"].clone();
        }
        let new = self.applied(call, live, &config, call.query.is_true("force"))?;
        let stored = self.store_update(call, live, new)?;
        of(&call.kind, &stored)
    }
}
