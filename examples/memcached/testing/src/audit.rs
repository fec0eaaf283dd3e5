//! The audit log of the API server: who asked for what, and with which result.

use std::fmt::{self, Display, Formatter};
use std::fs;

use serde_json::Value;

use crate::ControlPlane;

/// The policy of an API server that records every request once, when it is answered.
pub(crate) const POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
";

/// A request that was answered, in the order of the answers.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuditEvent {
    /// Whose it was.
    pub user: String,
    /// The program that sent it, as far as it said so.
    pub agent: String,
    /// As roles have it, such as `patch`.
    pub verb: String,
    /// Group in full; empty for the core group.
    pub group: String,
    /// Such as `deployments`, or `deployments/status`.
    pub resource: String,
    /// Namespace of the object; empty for those of the cluster.
    pub namespace: String,
    /// Name of the object; empty in lists and watches, and when objects are made.
    pub name: String,
    /// Status of the answer.
    pub code: u64,
    /// When it came in, in a form that sorts by time.
    pub received: String,
}

impl AuditEvent {
    /// Whether it changed something, or would have.
    #[must_use]
    pub fn writes(&self) -> bool {
        !["get", "list", "watch"].contains(&self.verb.as_str())
    }

    /// Whether it did what it asked for.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.code < 300
    }

    /// Whether it made an object that was not there.
    #[must_use]
    pub fn created(&self) -> bool {
        self.code == 201 && ["create", "patch"].contains(&self.verb.as_str())
    }
}

/// Such as `patch deployments web: 200`.
impl Display for AuditEvent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}: {}", self.verb, self.resource, self.name, self.code)
    }
}

impl ControlPlane {
    /// The requests about resources that were answered so far.
    #[must_use]
    pub fn audit_log(&self) -> Vec<AuditEvent> {
        let log = fs::read_to_string(self.dir().join("audit.log")).unwrap_or_default();
        let records = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records.filter(|record| record["objectRef"].is_object()).map(|record| event(&record)).collect()
    }
}

fn event(record: &Value) -> AuditEvent {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = &record["objectRef"];
    let mut resource = text(&object["resource"]);
    if let Some(subresource) = object["subresource"].as_str() {
        resource = format!("{resource}/{subresource}");
    }
    AuditEvent {
        user: text(&record["user"]["username"]),
        agent: text(&record["userAgent"]),
        verb: text(&record["verb"]),
        group: text(&object["apiGroup"]),
        resource,
        namespace: text(&object["namespace"]),
        name: text(&object["name"]),
        code: record["responseStatus"]["code"].as_u64().unwrap_or_default(),
        received: text(&record["requestReceivedTimestamp"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_is_read() {
        let object = json!({ "resource": "deployments", "namespace": "one", "name": "web", "apiGroup": "apps",
            "apiVersion": "v1", "subresource": "status" });
        let event = event(&json!({ "verb": "patch", "user": { "username": "me" }, "userAgent": "test",
            "objectRef": object, "responseStatus": { "code": 409 }, "requestReceivedTimestamp": "2026-01-02T03:04:05Z" }));
        assert_eq!((event.user.as_str(), event.agent.as_str(), event.code), ("me", "test", 409));
        assert_eq!((event.group.as_str(), event.resource.as_str()), ("apps", "deployments/status"));
        assert_eq!((event.namespace.as_str(), event.name.as_str()), ("one", "web"));
        assert!(event.writes() && !event.succeeded() && !event.created());
    }
}
