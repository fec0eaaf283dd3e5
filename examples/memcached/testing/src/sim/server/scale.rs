//! The subresource `scale`: the number of replicas of an object of any kind.

use serde_json::{Value, json};

use super::body::Unknown;
use super::kinds::Kind;
use super::managed::Managers;
use super::status::{Invalid, Named, Refusal, Result};
use super::strategy::Part;
use super::{Call, Server, body, kinds, patch, strategy};

fn at<'a>(object: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(object, |value, name| &value[name])
}

/// The scale of an object. A custom one may have none.
pub(super) fn of(kind: &Kind, object: &Value) -> Result<Value> {
    if let Some(paths) = kind.scale.as_ref().filter(|paths| kind.custom && at(object, &paths.spec).is_null())
    {
        return Err(Refusal::internal(format!("the spec replicas field \".{}\" does not exist", paths.spec)));
    }
    of_any(kind, object)
}

fn of_any(kind: &Kind, object: &Value) -> Result<Value> {
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
        let live = self.scaled(call)?;
        let old = with_managers(call, &live)?;
        let scaling = scaling(call);
        let unknown = Unknown::of(call.query.get("fieldValidation"));
        let mut new = body::object(&scaling.kind, call.request.body(), unknown)?;
        self.own(&scaling, &old, &mut new, false);
        self.rescale(call, &live, &new)
    }

    pub(super) fn patch_scale(&mut self, call: &Call<'_>) -> Result<Value> {
        let live = self.scaled(call)?;
        let old = with_managers(call, &live)?;
        let scaling = scaling(call);
        let given = body::json_of(call.request.body())?;
        let content = call.request.headers().get(http::header::CONTENT_TYPE);
        let content = content.and_then(|content| content.to_str().ok()).unwrap_or_default();
        let mut new = old.clone();
        if content.starts_with("application/apply-patch") {
            if call.kind.custom && old["metadata"]["managedFields"].is_null() {
                return Err(Refusal::failed("failed to create manager for existing fields"));
            }
            new = self.applied(&scaling, &old, &given, call.query.is_true("force"))?;
            // None and nought look alike afterwards.
            let replicas = &given["spec"]["replicas"];
            let changes = !replicas.is_null() && *replicas != old["spec"]["replicas"];
            if call.kind.custom && (changes || new["spec"] != old["spec"]) {
                return Err(Refusal::failed(
                    "failed to convert new object: the group of a scale is not that of its object",
                ));
            }
        } else {
            if content.starts_with("application/json-patch") {
                patch::json(&mut new, &given).map_err(|message| Refusal::new(422, "Invalid", message))?;
            } else {
                patch::merge(&mut new, &given);
            }
            new = body::complete(&scaling.kind, new, Unknown::Drop).map_err(Refusal::bad_request)?;
            self.own(&scaling, &old, &mut new, false);
        }
        self.rescale(call, &live, &new)
    }

    fn scaled(&self, call: &Call<'_>) -> Result<Value> {
        let object = self.store.get(&call.key()).ok_or_else(|| Refusal::not_found(&call.named()))?;
        Ok(body::as_of(&call.kind, object))
    }

    /// Gives an object the replicas of a scale, and the owners of these.
    fn rescale(&mut self, call: &Call<'_>, live: &Value, scale: &Value) -> Result<Value> {
        let Some(paths) = &call.kind.scale else { return Err(Refusal::path_not_found()) };
        let replicas = scale["spec"]["replicas"].as_i64().unwrap_or_default();
        if replicas < 0 {
            let named = Named { group: "autoscaling", resource: "Scale", name: &call.target.name };
            let why = "must be greater than or equal to 0";
            return Err(Refusal::invalid(&named, &[Invalid::value("spec.replicas", &replicas.into(), why)]));
        }
        let mut new = live.clone();
        *paths.spec.split('.').fold(&mut new, |value, name| &mut value[name]) = replicas.into();
        let version = &scale["metadata"]["resourceVersion"];
        if version.as_str().is_some_and(|version| !version.is_empty()) {
            new["metadata"]["resourceVersion"] = version.clone();
        }
        let managers = Managers::read(live).unwrap_or_default();
        let entries = managers.rescaled(scale, &paths.spec, &call.kind.api_version());
        strategy::set(&mut new["metadata"], "managedFields", (!entries.is_empty()).then(|| entries.into()));
        let stored = self.store_update(call, live, new)?;
        of(&call.kind, &stored)
    }
}

/// The same request as one to an object of the kind Scale.
fn scaling<'a>(call: &'a Call<'_>) -> Call<'a> {
    Call {
        kind: kinds::scale(),
        target: call.target,
        query: call.query,
        request: call.request,
        part: Part::Scale,
    }
}

/// The scale of an object, and who owns its replicas.
fn with_managers(call: &Call<'_>, live: &Value) -> Result<Value> {
    let Some(paths) = &call.kind.scale else { return Err(Refusal::path_not_found()) };
    let mut scale = of_any(&call.kind, live)?;
    let entries = Managers::read(live).unwrap_or_default().of_scale(&paths.spec);
    strategy::set(&mut scale["metadata"], "managedFields", (!entries.is_empty()).then(|| entries.into()));
    Ok(scale)
}
