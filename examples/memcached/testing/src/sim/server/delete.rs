//! Deletes objects, at once or when their finalizers are gone.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::body;
use super::kinds::Kind;
use super::status::{Named, Refusal, Result};
use super::{Call, Server};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// How an object is to be deleted: the body of the request, or else its parameters.
struct Options {
    uid: Option<String>,
    version: Option<String>,
    policy: String,
    grace: Option<i64>,
    dry_run: bool,
}

impl Options {
    fn of(call: &Call<'_>) -> Result<Self> {
        let body = call.request.body();
        // With a body, the parameters do not count.
        let bare = body.is_empty();
        let given = if bare { json!({}) } else { body::json_of(body)? };
        let parameter = |name: &str| if bare { call.query.get(name) } else { "" };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let mut policy =
            given["propagationPolicy"].as_str().unwrap_or(parameter("propagationPolicy")).to_owned();
        match given["orphanDependents"].as_bool() {
            Some(true) => ORPHAN.clone_into(&mut policy),
            Some(false) => "Background".clone_into(&mut policy),
            None => {}
        }
        if !matches!(policy.as_str(), "" | "Orphan" | "orphan" | "Background" | "Foreground") {
            let named = Named { group: "meta.k8s.io", resource: "DeleteOptions", name: "" };
            let choices = "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"";
            let message = format!(
                "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"{policy}\": {choices}"
            );
            return Err(Refusal::about(422, "Invalid", &named, &message));
        }
        Ok(Self {
            uid: text(&given["preconditions"]["uid"]),
            version: text(&given["preconditions"]["resourceVersion"]),
            policy,
            grace: given["gracePeriodSeconds"]
                .as_i64()
                .or_else(|| parameter("gracePeriodSeconds").parse().ok()),
            dry_run: parameter("dryRun") == "All" || given["dryRun"][0] == "All",
        })
    }
}

impl Server {
    pub(super) fn delete(&mut self, call: &Call<'_>) -> Result<(u16, Value)> {
        let kind = &call.kind;
        let name = call.target.name.as_str();
        if kind.is("", "Namespace") && matches!(name, "default" | "kube-system" | "kube-public") {
            let message = format!("namespaces \"{name}\" is forbidden: this namespace may not be deleted");
            return Err(Refusal::about(403, "Forbidden", &call.named(), &message));
        }
        let options = Options::of(call)?;
        let key = call.key();
        let Some(old) = self.store.get(&key).cloned() else { return Err(Refusal::not_found(&call.named())) };
        let metadata = &old["metadata"];
        let about = Named { resource: &kind.kind, ..call.named() };
        for (wanted, field, what, hint) in [
            (&options.uid, "uid", "UID", "The object might have been deleted and then recreated"),
            (&options.version, "resourceVersion", "ResourceVersion", "The object might have been modified"),
        ] {
            let seen = metadata[field].as_str().unwrap_or_default();
            if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != seen) {
                let why = format!(
                    "the {what} in the precondition ({wanted}) does not match the {what} in record ({seen}). {hint}"
                );
                return Err(Refusal::conflict(&about, &why));
            }
        }
        let before = finalizers(metadata);
        let leaves = !before.is_empty() && with_policy(kind, before, &options).is_empty();
        if leaves && options.version.is_some() && !options.dry_run && !kind.is("", "Pod") {
            // The last finalizer goes first, and the version is looked at again, of an object that is not there.
            return Err(Refusal::conflict(
                &call.named(),
                "Precondition failed: ResourceVersion in precondition: ",
            ));
        }
        let (object, gone) = self.delete_object(kind, &key, &old, &options);
        let object = body::as_of(kind, &object);
        let answer = if !gone || kind.returns_deleted { object } else { success(kind, name, &object) };
        Ok((200, answer))
    }

    /// Returns the object as it is or was, and whether it is gone.
    fn delete_object(&mut self, kind: &Kind, key: &str, old: &Value, options: &Options) -> (Value, bool) {
        let mut new = old.clone();
        let metadata = &mut new["metadata"];
        let deleting = !metadata["deletionTimestamp"].is_null();
        let grace = kind.is("", "Pod").then(|| grace(old, options));
        let before: Vec<String> = finalizers(metadata);
        if let Some(grace) = grace {
            let pending = metadata["deletionGracePeriodSeconds"].as_i64().unwrap_or_default();
            if deleting && pending > 0 && (options.grace.is_none() || grace >= pending) {
                return (new, false);
            }
            if !deleting || pending > 0 {
                let begin = match metadata["deletionTimestamp"]
                    .as_str()
                    .and_then(|time| time.parse::<Timestamp>().ok())
                {
                    Some(end) => end - SignedDuration::from_secs(pending),
                    None => (self.now)(),
                };
                let end = begin + SignedDuration::from_secs(grace);
                let end = if deleting { end.max((self.now)()) } else { end };
                metadata["deletionTimestamp"] = end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
                metadata["deletionGracePeriodSeconds"] = grace.into();
                if !deleting {
                    raise(metadata);
                }
            }
        }
        let after = with_policy(kind, before.clone(), options);
        if sorted(&after) != sorted(&before) {
            metadata["finalizers"] = after.clone().into();
        }
        let left = metadata["finalizers"].as_array().is_some_and(|left| !left.is_empty());
        if after.is_empty()
            && let Value::Object(metadata) = metadata
        {
            metadata.remove("finalizers");
        }
        let kept = kind.is("", "Namespace") && !Self::finalized(kind, &new);
        let waits = grace.is_some_and(|grace| grace > 0);
        if left || kept {
            let metadata = &mut new["metadata"];
            if grace.is_none() || kept {
                if metadata["deletionTimestamp"].is_null() {
                    raise(metadata);
                    metadata["deletionTimestamp"] = self.time().into();
                }
                if !kept || left {
                    metadata["deletionGracePeriodSeconds"] = 0.into();
                }
            }
            if kind.is("", "Namespace") {
                new["status"]["phase"] = "Terminating".into();
            }
        } else if !waits {
            if options.dry_run {
                return (old.clone(), true);
            }
            return (self.remove(kind, key).unwrap_or(new), true);
        }
        if options.dry_run || new == *old {
            return (new, false);
        }
        (Value::clone(&self.store.put(key, new)), false)
    }

    /// Removes an object for good, and with a definition all objects of its kinds.
    pub(super) fn remove(&mut self, kind: &Kind, key: &str) -> Option<Value> {
        let gone = self.store.delete(key)?;
        if kind.is("apiextensions.k8s.io", "CustomResourceDefinition") {
            let (plural, group) = (&gone["spec"]["names"]["plural"], &gone["spec"]["group"]);
            let prefix =
                format!("{}.{}/", plural.as_str().unwrap_or_default(), group.as_str().unwrap_or_default());
            let keys: Vec<_> = self.store.under(&prefix).map(|(key, _)| key.clone()).collect();
            for key in keys {
                self.store.delete(&key);
            }
            self.served.retain(|(served, _, name), _| *served != *group || *name != *plural);
        }
        Some(Value::clone(&gone))
    }

    pub(super) fn delete_all(&mut self, call: &Call<'_>) -> Result<Value> {
        let options = Options::of(call)?;
        let mut list = self.list(call)?;
        let kind = &call.kind;
        for item in list["items"].as_array_mut().into_iter().flatten() {
            let metadata = &item["metadata"];
            let text = |name: &str| metadata[name].as_str().unwrap_or_default().to_owned();
            let key = kind.key(&text("namespace"), &text("name"));
            if let Some(old) = self.store.get(&key).cloned() {
                self.delete_object(kind, &key, &old, &options);
            }
        }
        Ok(list)
    }
}

/// How long a pod may take to end.
fn grace(pod: &Value, options: &Options) -> i64 {
    let own = pod["spec"]["terminationGracePeriodSeconds"].as_i64();
    let wanted = options.grace.or(own).unwrap_or_default();
    let ended = pod["spec"]["nodeName"].is_null()
        || matches!(pod["status"]["phase"].as_str(), Some("Failed" | "Succeeded"));
    match wanted {
        _ if ended => 0,
        ..0 => 1,
        _ => wanted,
    }
}

fn finalizers(metadata: &Value) -> Vec<String> {
    let finalizers = metadata["finalizers"].as_array().into_iter().flatten();
    finalizers.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn sorted(finalizers: &[String]) -> Vec<&String> {
    let mut sorted: Vec<_> = finalizers.iter().collect();
    sorted.sort();
    sorted.dedup();
    sorted
}

fn raise(metadata: &mut Value) {
    if let Some(generation) = metadata["generation"].as_i64().filter(|generation| *generation > 0) {
        metadata["generation"] = (generation + 1).into();
    }
}

/// The finalizers of the garbage collector are those that the policy asks for.
fn with_policy(kind: &Kind, finalizers: Vec<String>, options: &Options) -> Vec<String> {
    if kind.kind == "Event" && !kind.custom {
        return finalizers;
    }
    let first =
        finalizers.iter().find(|name| *name == ORPHAN || *name == FOREGROUND).cloned().unwrap_or_default();
    let wanted = match options.policy.as_str() {
        "Orphan" | "orphan" => ORPHAN,
        "Foreground" => FOREGROUND,
        "" => first.as_str(),
        _ => "",
    };
    let mut kept: Vec<_> =
        finalizers.into_iter().filter(|name| name != ORPHAN && name != FOREGROUND).collect();
    if !wanted.is_empty() {
        kept.push(wanted.to_owned());
    }
    kept
}

fn success(kind: &Kind, name: &str, object: &Value) -> Value {
    let mut details = json!({ "name": name, "kind": kind.plural, "uid": object["metadata"]["uid"] });
    if !kind.group.is_empty() {
        details["group"] = kind.group.as_str().into();
    }
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
