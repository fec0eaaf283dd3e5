//! Creates, replaces, patches and applies objects.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::body::{self, Unknown};
use super::kinds;
use super::managed::{Conflicts, Managers, Operation};
use super::status::{Invalid, Named, Refusal, Result};
use super::strategy::{self, Part};
use super::{Call, Server, patch, typed, validate};

const CHANGED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

impl Server {
    pub(super) fn create(&mut self, call: &Call<'_>) -> Result<(u16, Value)> {
        let kind = &call.kind;
        let mut object =
            body::object(kind, call.request.body(), Unknown::of(call.query.get("fieldValidation")))?;
        if let Some(metadata) = metadata(&mut object) {
            for field in
                ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "uid"]
            {
                metadata.remove(field);
            }
        }
        namespaced(call, &mut object)?;
        self.own(call, &kind.empty, &mut object, true);
        self.admit(call)?;
        let key = self.initialize(call, &mut object);
        if !object["metadata"]["resourceVersion"].is_null() {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(Refusal::failed(message));
        }
        self.insert(call, &key, object).map(|object| (201, object))
    }

    /// Gives a new object its identity.
    fn initialize(&mut self, call: &Call<'_>, object: &mut Value) -> String {
        let uid = self.uid();
        let metadata = &mut object["metadata"];
        metadata["uid"] = uid.into();
        metadata["creationTimestamp"] = self.time().into();
        let prefix = metadata["generateName"].as_str().unwrap_or_default().to_owned();
        if !prefix.is_empty() && metadata["name"].as_str().unwrap_or_default().is_empty() {
            let prefix: String = prefix.chars().take(58).collect();
            metadata["name"] = format!("{prefix}{}", self.suffix()).into();
        }
        call.kind.key(&call.target.namespace, metadata["name"].as_str().unwrap_or_default())
    }

    /// Stores a new object that has its identity.
    fn insert(&mut self, call: &Call<'_>, key: &str, mut object: Value) -> Result<Value> {
        let kind = &call.kind;
        strategy::prepare_create(kind, &mut object);
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let errors = validate::creation(kind, &object);
        if !errors.is_empty() {
            let about = Named { group: &kind.group, resource: &kind.kind, name: &name };
            return Err(Refusal::invalid(&about, &errors));
        }
        if kind.is("", "Service") {
            self.allocate(&mut object);
        }
        let named = Named { group: &kind.group, resource: &kind.plural, name: &name };
        if let Some(there) = self.store.get(key) {
            let mut refusal = Refusal::exists(&named);
            if !there["metadata"]["deletionTimestamp"].is_null() {
                refusal.message = format!("object is being deleted: {}", refusal.message);
            }
            return Err(refusal);
        }
        if call.dry_run() {
            return Ok(object);
        }
        if let Some(metadata) = metadata(&mut object) {
            metadata.remove("resourceVersion");
        }
        let stored = self.store.put(key, object);
        if kind.is("apiextensions.k8s.io", "CustomResourceDefinition") {
            self.establish(key, &stored)?;
        }
        Ok(Value::clone(&stored))
    }

    /// Serves the kinds of a definition.
    fn establish(&mut self, key: &str, definition: &Arc<Value>) -> Result<()> {
        for kind in kinds::custom(definition).map_err(Refusal::bad_request)? {
            self.serve(kind);
        }
        let mut definition = Value::clone(definition);
        let condition = |kind: &str, reason: &str, message: &str| json!({ "type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": self.time() });
        definition["status"]["acceptedNames"] = definition["spec"]["names"].clone();
        definition["status"]["conditions"] = json!([
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ]);
        self.store.put(key, definition);
        Ok(())
    }

    /// Gives a service its address.
    fn allocate(&mut self, object: &mut Value) {
        let spec = &mut object["spec"];
        if spec["type"] == "ExternalName" {
            return;
        }
        if spec["clusterIP"].is_null() {
            let draw = self.draw() % 65_000 + 256;
            spec["clusterIP"] = format!("10.96.{}.{}", draw >> 8, draw & 0xff).into();
        }
        if spec["clusterIPs"].is_null() {
            spec["clusterIPs"] = json!([spec["clusterIP"]]);
        }
        // Who serves a name without addresses and selects nobody may be anywhere.
        let anywhere = spec["clusterIP"] == "None" && spec["selector"].is_null();
        if spec["ipFamilies"].is_null() {
            spec["ipFamilies"] = if anywhere { json!(["IPv4", "IPv6"]) } else { json!(["IPv4"]) };
        }
        if spec["ipFamilyPolicy"].is_null() {
            spec["ipFamilyPolicy"] = if anywhere { "RequireDualStack" } else { "SingleStack" }.into();
        }
        if spec["type"] == "NodePort" || spec["type"] == "LoadBalancer" {
            let draw = self.draw();
            for (index, port) in spec["ports"].as_array_mut().into_iter().flatten().enumerate() {
                if port["nodePort"].is_null() {
                    port["nodePort"] = (30_000 + (draw + index as u64) % 2768).into();
                }
            }
        }
    }

    /// Nothing is made in a namespace that is not there or goes.
    fn admit(&self, call: &Call<'_>) -> Result<()> {
        let namespace = &call.target.namespace;
        if !call.kind.namespaced {
            return Ok(());
        }
        match self.store.get(&format!("namespaces./{namespace}")) {
            None => Err(Refusal::not_found(&Named { group: "", resource: "namespaces", name: namespace })),
            Some(there) if !there["metadata"]["deletionTimestamp"].is_null() => {
                let name = call.target.name.as_str();
                let named = Named { name, ..call.named() };
                let message = format!(
                    "{} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
                    call.kind.plural
                );
                let mut refusal = Refusal::about(403, "Forbidden", &named, &message);
                let message = format!("namespace {namespace} is being terminated");
                refusal.details["causes"] = json!([{ "reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace" }]);
                Err(refusal)
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) fn replace(&mut self, call: &Call<'_>) -> Result<(u16, Value)> {
        if call.part == Part::Scale {
            return self.replace_scale(call).map(|object| (200, object));
        }
        let unknown = Unknown::of(call.query.get("fieldValidation"));
        let mut new = body::object(&call.kind, call.request.body(), unknown)?;
        namespaced(call, &mut new)?;
        check_name(call, &new, true)?;
        let old = self.store.get(&call.key()).cloned();
        let creates = call.kind.create_on_update && call.part == Part::Main;
        let addressless = old.is_none() && call.part == Part::Status && call.kind.is("", "Service");
        if old.is_none() && !creates && !addressless {
            return Err(Refusal::not_found(&call.named()));
        }
        if let Some(uid) = new["metadata"]["uid"].as_str().filter(|uid| !uid.is_empty()) {
            let seen = old.as_ref().map_or("", |old| old["metadata"]["uid"].as_str().unwrap_or_default());
            if uid != seen {
                let why =
                    format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {seen}");
                return Err(Refusal::conflict(&call.named(), &why));
            }
        }
        if addressless {
            // It would be made, but by a way that gives it no address.
            let about = Named { resource: "Service", ..call.named() };
            return Err(Refusal::invalid(&about, &[Invalid::required("spec.clusterIPs", "")]));
        }
        match old {
            Some(old) => {
                let live = body::as_of(&call.kind, &old);
                self.own(call, &live, &mut new, false);
                self.store_update(call, &live, new).map(|object| (200, object))
            }
            None => self.create_by_update(call, new).map(|object| (201, object)),
        }
    }

    fn create_by_update(&mut self, call: &Call<'_>, mut new: Value) -> Result<Value> {
        self.own(call, &call.kind.empty.clone(), &mut new, true);
        self.admit(call)?;
        let key = self.initialize(call, &mut new);
        self.insert(call, &key, new)
    }

    pub(super) fn patch(&mut self, call: &Call<'_>) -> Result<(u16, Value)> {
        if call.part == Part::Scale {
            return self.patch_scale(call).map(|object| (200, object));
        }
        let content = call.request.headers().get(http::header::CONTENT_TYPE);
        let content = content.and_then(|content| content.to_str().ok()).unwrap_or_default();
        let content = content.split(';').next().unwrap_or_default().trim();
        if content.starts_with("application/apply-patch") {
            return self.apply(call);
        }
        let patch = body::json_of(call.request.body())?;
        let Some(old) = self.store.get(&call.key()).cloned() else {
            return Err(Refusal::not_found(&call.named()));
        };
        let live = body::as_of(&call.kind, &old);
        let mut new = live.clone();
        match content {
            "application/merge-patch+json" => patch::merge(&mut new, &patch),
            "application/json-patch+json" => {
                patch::json(&mut new, &patch).map_err(|message| Refusal::new(422, "Invalid", message))?;
            }
            "application/strategic-merge-patch+json" if !call.kind.custom => {
                patch::strategic(&call.kind.schema, &mut new, &patch).map_err(Refusal::failed)?;
            }
            _ => {
                let message = format!("the body of the request was in an unknown format: {content}");
                return Err(Refusal::new(415, "UnsupportedMediaType", message));
            }
        }
        let unknown = Unknown::of(call.query.get("fieldValidation"));
        let wrong = |message: String| {
            let named = Named { group: "", resource: "", name: "" };
            Refusal::invalid(&named, &[Invalid::value("patch", &patch, &message)])
        };
        let same = new["apiVersion"] == live["apiVersion"] && new["kind"] == live["kind"];
        if !same {
            return Err(Refusal::bad_request("the kind or version of an object cannot be patched"));
        }
        let mut new = body::complete(&call.kind, new, unknown).map_err(wrong)?;
        self.own(call, &live, &mut new, false);
        namespaced(call, &mut new)?;
        check_name(call, &new, false)?;
        self.store_update(call, &live, new).map(|object| (200, object))
    }

    fn apply(&mut self, call: &Call<'_>) -> Result<(u16, Value)> {
        let kind = &call.kind;
        let force = call.query.is_true("force");
        if call.query.get("fieldManager").is_empty() {
            let named = Named { group: "meta.k8s.io", resource: "PatchOptions", name: "" };
            return Err(Refusal::invalid(
                &named,
                &[Invalid::required("fieldManager", "is required for apply patch")],
            ));
        }
        let config = body::json_of(call.request.body())?;
        if config["apiVersion"] != kind.api_version().as_str() || config["kind"] != kind.kind.as_str() {
            let message = format!("invalid object type: {}, Kind={}", config["apiVersion"], config["kind"]);
            return Err(Refusal::bad_request(message));
        }
        if !config["metadata"]["managedFields"].is_null() {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        let old = self.store.get(&call.key()).cloned();
        if old.is_none() && call.part == Part::Status && kind.is("", "Service") {
            let about = Named { resource: "Service", ..call.named() };
            return Err(Refusal::invalid(&about, &[Invalid::required("spec.ports", "")]));
        }
        if old.is_none() && call.part != Part::Main {
            return Err(Refusal::not_found(&call.named()));
        }
        let live = old.as_ref().map_or_else(|| kind.empty.clone(), |old| body::as_of(kind, old));
        let mut new = self.applied(call, &live, &config, force)?;
        if old.is_none() && new["metadata"]["uid"].as_str().is_some_and(|uid| !uid.is_empty()) {
            let why = format!(
                "uid mismatch: the provided object specified uid {}, and no existing object was found",
                new["metadata"]["uid"].as_str().unwrap_or_default()
            );
            return Err(Refusal::conflict(&call.named(), &why));
        }
        namespaced(call, &mut new)?;
        check_name(call, &new, false)?;
        if old.is_some() {
            return self.store_update(call, &live, new).map(|object| (200, object));
        }
        self.admit(call)?;
        let key = self.initialize(call, &mut new);
        self.insert(call, &key, new).map(|object| (201, object))
    }

    /// `live` with `config` applied, complete and with its managers.
    pub(super) fn applied(
        &self,
        call: &Call<'_>,
        live: &Value,
        config: &Value,
        force: bool,
    ) -> Result<Value> {
        let kind = &call.kind;
        let schema = &kind.schema;
        let undeclared = |message: String| {
            let object = format!("{}/{}; {}", call.target.namespace, call.target.name, kind.api_version());
            Refusal::failed(format!(
                "failed to create typed patch object ({object}, Kind={}): {message}",
                kind.kind
            ))
        };
        typed::check(schema, config).map_err(undeclared)?;
        let mut managers = Managers::read(live).unwrap_or_default();
        let mut bare = live.clone();
        without_managers(&mut bare);
        let (ignored, api_version, now) =
            (strategy::ignored(kind, call.part), kind.api_version(), self.time());
        let manager = call.manager();
        let operation = |manager| Operation {
            schema,
            api_version: &api_version,
            manager,
            subresource: call.part.name(),
            ignored: &ignored,
            now: &now,
        };
        if managers.is_empty() {
            managers.update(&operation("before-first-apply"), &kind.empty, &bare);
        }
        let merged =
            managers.apply(&operation(&manager), &bare, config, force).map_err(|found| conflict(&found))?;
        let mut new = match merged {
            Some(merged) => body::filled(kind, merged, Unknown::Drop)
                .map_err(|message| Refusal::failed(format!("failed to convert new object: {message}")))?,
            None => bare,
        };
        let entries = managers.write();
        strategy::set(&mut new["metadata"], "managedFields", (!entries.is_empty()).then(|| entries.into()));
        Ok(new)
    }

    /// Writes to `new` who owns what after an update of `live` to it.
    pub(super) fn own(&self, call: &Call<'_>, live: &Value, new: &mut Value, creates: bool) {
        let kind = &call.kind;
        let mut managers = Managers::of_update(live, new, call.part != Part::Main);
        without_managers(new);
        if managers.is_empty() && !creates {
            return;
        }
        let mut bare = live.clone();
        without_managers(&mut bare);
        let operation = Operation {
            schema: &kind.schema,
            api_version: &kind.api_version(),
            manager: &call.manager(),
            subresource: call.part.name(),
            ignored: &strategy::ignored(kind, call.part),
            now: &self.time(),
        };
        // What has a value of another type cannot be compared; it is refused later, unless that part is not written at all.
        if typed::fits(&kind.schema, new) {
            managers.update(&operation, &bare, new);
        }
        let entries = managers.write();
        strategy::set(&mut new["metadata"], "managedFields", (!entries.is_empty()).then(|| entries.into()));
    }

    /// Stores a changed object, or removes it if nothing keeps it any more.
    pub(super) fn store_update(&mut self, call: &Call<'_>, live: &Value, mut new: Value) -> Result<Value> {
        let kind = &call.kind;
        let about = Named { group: &kind.group, resource: &kind.kind, name: &call.target.name };
        let version = new["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        let current = live["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if version.is_empty() || version == "0" {
            if !kind.unconditional {
                let error =
                    Invalid::value("metadata.resourceVersion", &0.into(), "must be specified for an update");
                let about = Named { resource: &kind.plural, ..about };
                return Err(Refusal::invalid(&about, &[error]));
            }
            new["metadata"]["resourceVersion"] = current.into();
        } else if version != current {
            if version.parse::<u64>().is_err() {
                let error = Invalid::value(
                    "metadata.resourceVersion",
                    &version.as_str().into(),
                    "invalid resource version",
                );
                return Err(Refusal::invalid(&about, &[error]));
            }
            return Err(Refusal::conflict(&call.named(), CHANGED));
        }
        strategy::prepare_update(kind, call.part, &mut new, live);
        Self::keep_identity(&mut new, live);
        let errors = validate::change(kind, call.part, &new, live);
        if !errors.is_empty() {
            return Err(Refusal::invalid(&about, &errors));
        }
        revert_times(&mut new, live);
        let gone = !live["metadata"]["deletionTimestamp"].is_null()
            && live["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or_default() == 0
            && new["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty);
        let key = call.key();
        if gone && Self::finalized(kind, &new) {
            if !call.dry_run() {
                self.remove(kind, &key);
            }
            return Ok(new);
        }
        if call.dry_run() || self.store.get(&key).is_some_and(|old| **old == new) {
            return Ok(new);
        }
        let stored = self.store.put(&key, new);
        if kind.is("apiextensions.k8s.io", "CustomResourceDefinition") {
            for kind in kinds::custom(&stored).map_err(Refusal::bad_request)? {
                self.serve(kind);
            }
        }
        Ok(Value::clone(&stored))
    }

    /// A namespace also has finalizers of its own.
    pub(super) fn finalized(kind: &kinds::Kind, object: &Value) -> bool {
        !kind.is("", "Namespace") || object["spec"]["finalizers"].as_array().is_none_or(Vec::is_empty)
    }

    /// What no update changes.
    fn keep_identity(new: &mut Value, live: &Value) {
        let (new, live) = (&mut new["metadata"], &live["metadata"]);
        if new["uid"].as_str().unwrap_or_default().is_empty() {
            new["uid"] = live["uid"].clone();
        }
        new["creationTimestamp"] = live["creationTimestamp"].clone();
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
            if !live[field].is_null() && (field == "deletionTimestamp" || new[field].is_null()) {
                new[field] = live[field].clone();
            }
        }
        if let Value::Object(metadata) = new {
            metadata.retain(|_, value| !value.is_null());
        }
    }
}

fn conflict(conflicts: &Conflicts) -> Refusal {
    let count: usize = conflicts.0.iter().map(|(_, paths)| paths.len()).sum();
    let said: Vec<_> = conflicts
        .0
        .iter()
        .map(|(manager, paths)| format!("conflicts with {manager}:\n- {}", paths.join("\n- ")))
        .collect();
    let noun = if count == 1 { "conflict" } else { "conflicts" };
    let message = match conflicts.0.as_slice() {
        [(manager, paths)] if count == 1 => {
            format!("Apply failed with 1 {noun}: conflict with {manager}: {}", paths.concat())
        }
        _ => format!("Apply failed with {count} {noun}: {}", said.join("\n")),
    };
    let causes = conflicts.0.iter().flat_map(|(manager, paths)| {
        paths.iter().map(move |path| {
            json!({ "reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path })
        })
    });
    let causes: Vec<_> = causes.collect();
    Refusal { details: json!({ "causes": causes }), ..Refusal::new(409, "Conflict", message) }
}

fn metadata(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object.get_mut("metadata").and_then(Value::as_object_mut)
}

fn without_managers(object: &mut Value) {
    if let Some(metadata) = metadata(object) {
        metadata.remove("managedFields");
    }
}

/// The namespace of an object is that of its request.
fn namespaced(call: &Call<'_>, object: &mut Value) -> Result<()> {
    let expected = if call.kind.namespaced { call.target.namespace.as_str() } else { "" };
    let given = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    if expected.is_empty() {
        if let Some(metadata) = metadata(object) {
            metadata.remove("namespace");
        }
    } else if given.is_empty() {
        object["metadata"]["namespace"] = expected.into();
    } else if given != expected {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Refusal::bad_request(message));
    }
    Ok(())
}

fn check_name(call: &Call<'_>, object: &Value, replaces: bool) -> Result<()> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let wanted = &call.target.name;
    if name == wanted {
        return Ok(());
    }
    if name.is_empty() && replaces {
        return Err(Refusal::bad_request("name must be provided"));
    }
    let message = format!("the name of the object ({name}) does not match the name on the URL ({wanted})");
    Err(Refusal::bad_request(message))
}

/// An update that changes nothing but the times of managers changes nothing.
fn revert_times(new: &mut Value, live: &Value) {
    let empty = Vec::new();
    let old_entries = live["metadata"]["managedFields"].as_array().unwrap_or(&empty);
    let Some(entries) = new["metadata"]["managedFields"].as_array().cloned() else { return };
    let untimed = |entry: &Value| {
        let mut entry = entry.clone();
        entry["time"] = Value::Null;
        entry
    };
    let same = entries.len() == old_entries.len()
        && entries.iter().zip(old_entries).all(|(new, old)| untimed(new) == untimed(old));
    if !same {
        return;
    }
    let (mut without_new, mut without_old) = (new.clone(), live.clone());
    without_managers(&mut without_new);
    without_managers(&mut without_old);
    if without_new == without_old {
        new["metadata"]["managedFields"] = old_entries.clone().into();
    }
}
