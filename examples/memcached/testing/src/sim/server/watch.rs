//! Watches: what has happened to the objects of a kind since a version.

use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::body;
use super::kinds::Kind;
use super::list::Selection;
use super::projection::{self, Form};
use super::status::{Invalid, Named, Refusal, Result};
use super::{Call, Server};

/// How often a watch is told how far it is, in seconds.
const BOOKMARK: i64 = 60;

/// How long a watch goes on if its client does not say, in seconds.
const TIME_OUT: i64 = 1800;

/// A watch that goes on until its time is over or its history is gone.
pub struct Watch {
    kind: Arc<Kind>,
    prefix: String,
    selection: Selection,
    form: Form,
    /// All up to this version has been told.
    version: u64,
    /// Lines that are due.
    due: Vec<Value>,
    bookmarks: bool,
    next_bookmark: Timestamp,
    end: Timestamp,
    ended: bool,
}

impl Watch {
    /// Whether nothing more will come of it.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }
}

impl Server {
    pub(super) fn watch(&mut self, call: &Call<'_>) -> Result<Watch> {
        let query = call.query;
        let initial = query.get("sendInitialEvents");
        let (version, rule) = (query.get("resourceVersion"), query.get("resourceVersionMatch"));
        let named = Named { group: "meta.k8s.io", resource: "ListOptions", name: "" };
        let forbidden = |why: &str| {
            let error =
                Invalid::new("FieldValueForbidden", "resourceVersionMatch", format!("Forbidden: {why}"));
            Err(Refusal::invalid(&named, &[error]))
        };
        if !initial.is_empty() && rule != "NotOlderThan" {
            return forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }
        if initial.is_empty() && !rule.is_empty() {
            return forbidden(
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            );
        }
        let wanted: u64 = if version.is_empty() { 0 } else { version.parse().unwrap_or(u64::MAX) };
        if wanted == u64::MAX {
            return Err(Refusal::bad_request(format!("invalid resource version \"{version}\"")));
        }
        let now = (self.now)();
        let seconds =
            query.get("timeoutSeconds").parse().ok().filter(|seconds| *seconds > 0).unwrap_or(TIME_OUT);
        let mut watch = Watch {
            kind: call.kind.clone(),
            prefix: call.kind.prefix(&call.target.namespace),
            selection: Selection::of(call)?,
            form: Form::of(call.request),
            version: wanted,
            due: Vec::new(),
            bookmarks: query.is_true("allowWatchBookmarks"),
            next_bookmark: now + SignedDuration::from_secs(BOOKMARK),
            end: now + SignedDuration::from_secs(seconds),
            ended: false,
        };
        let streams = query.is_true("sendInitialEvents");
        if streams || wanted == 0 && initial.is_empty() {
            watch.version = self.store.version();
            let objects = self.store.under(&watch.prefix).map(|(_, object)| object);
            let due: Vec<_> = objects.filter_map(|object| watch.event("ADDED", object)).collect();
            watch.due = due;
            if streams && watch.bookmarks {
                let mut bookmark = watch.bookmark();
                bookmark["object"]["metadata"]["annotations"] =
                    json!({ "k8s.io/initial-events-end": "true" });
                watch.due.push(bookmark);
            }
        } else if wanted == 0 {
            watch.version = self.store.version();
        }
        Ok(watch)
    }

    /// What a watch has to tell since it was last asked, in lines of JSON with their ends.
    pub fn poll(&mut self, watch: &mut Watch) -> Vec<Bytes> {
        if watch.ended {
            return Vec::new();
        }
        let mut lines = std::mem::take(&mut watch.due);
        if watch.version < self.store.compacted() {
            let message = format!("too old resource version: {} ({})", watch.version, self.store.compacted());
            lines.push(json!({ "type": "ERROR", "object": Refusal::gone(message).body() }));
            watch.ended = true;
        } else {
            for change in self.store.since(watch.version) {
                if !change.key.starts_with(&watch.prefix) {
                    continue;
                }
                let before = change.before.as_ref().is_some_and(|before| watch.takes(before));
                let after = !change.deleted && watch.takes(&change.object);
                lines.extend(match (before, after) {
                    (false, true) => Some(watch.line("ADDED", &change.object)),
                    (true, true) => Some(watch.line("MODIFIED", &change.object)),
                    (true, false) => {
                        // What the watch knew of it, at the version at which it went.
                        let mut last = change.before.as_deref().cloned().unwrap_or_default();
                        last["metadata"]["resourceVersion"] = change.version.to_string().into();
                        Some(watch.line("DELETED", &last))
                    }
                    (false, false) => None,
                });
            }
            let now = (self.now)();
            watch.version = watch.version.max(self.store.version());
            if watch.bookmarks && now >= watch.next_bookmark {
                watch.next_bookmark = now + SignedDuration::from_secs(BOOKMARK);
                lines.push(watch.bookmark());
            }
            watch.ended = now >= watch.end;
        }
        lines.iter().map(|line| Bytes::from(format!("{line}\n"))).collect()
    }
}

impl Watch {
    fn takes(&self, object: &Value) -> bool {
        self.selection.all || self.selection.takes(&body::as_of(&self.kind, object))
    }

    fn event(&self, kind: &str, object: &Value) -> Option<Value> {
        self.takes(object).then(|| self.line(kind, object))
    }

    fn line(&self, kind: &str, object: &Value) -> Value {
        let object = body::as_of(&self.kind, object);
        json!({ "type": kind, "object": projection::object(self.form, object) })
    }

    fn bookmark(&self) -> Value {
        let mut object = self.kind.empty.clone();
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        json!({ "type": "BOOKMARK", "object": projection::object(self.form, object) })
    }
}
