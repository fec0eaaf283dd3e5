//! What the operator does, and what its roles allow.

use std::collections::BTreeSet;
use std::io::Write as _;

use kube::api::{Api, DeleteParams, DynamicObject};
use kube::config::AuthInfo;
use kube::core::GroupVersionKind;
use kube::{Client, Config, ResourceExt as _, discovery};
use serde_json::Value;

use crate::{AuditEvent, ControlPlane, Operator, ServiceAccount, credentials, ensure, eventually};

/// What controller-gen calls the role that it makes of the markers.
pub(crate) const MANAGER_ROLE: &str = "manager-role";

/// The operator with the permissions that it has in a cluster: everything it does has to be allowed by the roles of its
/// service account.
///
/// ```no_run
/// use operator_testing::{ControlPlane, Permissions, project};
///
/// # /* So that it is compiled:
/// #[tokio::test]
/// # */
/// async fn the_roles_allow_all_that_is_done() {
///     let control_plane = ControlPlane::start(project!()).await;
///     let permissions = Permissions::start(&control_plane, "operator").await;
///     for sample in control_plane.project().samples() {
///         let (name, objects) = permissions.create(sample).await;
///         permissions.delete(&objects, &name).await;
///     }
///     permissions.finish().await;
/// }
/// # fn main() {}
/// ```
pub struct Permissions<'a> {
    control_plane: &'a ControlPlane,
    account: ServiceAccount,
    namespace: String,
    operator: Operator,
    metrics: Client,
}

impl<'a> Permissions<'a> {
    /// Starts the operator in a new namespace, with the rights of its service account, and waits until it is ready. It
    /// elects a leader and serves metrics to who may read them, as in a cluster; with a Role `manager-role` instead of
    /// a `ClusterRole`, it watches its own namespace only.
    pub async fn start(control_plane: &'a ControlPlane, namespace: &str) -> Self {
        control_plane.create_namespace(namespace).await;
        let account = ServiceAccount::install(control_plane, namespace).await;
        let lease = format!("--leader-election-namespace={namespace}");
        let mut args = vec!["--leader-elect", &lease, "--metrics-secure"];
        let scope = format!("--watch-namespace={namespace}");
        let is_narrow =
            |role: &DynamicObject| role.name_any() == MANAGER_ROLE && role.metadata.namespace.is_some();
        if account.roles().iter().any(is_narrow) {
            args.push(&scope);
        }
        let mut operator = Operator::launch(control_plane, &account.kubeconfig(control_plane), &args);
        operator.ready().await;
        let metrics = metrics_client(operator.metrics_port());
        let namespace = namespace.to_owned();
        let permissions = Self { control_plane, account, namespace, operator, metrics };
        permissions
            .eventually("the metrics can be read", async || permissions.reconciles().await.map(drop))
            .await;
        permissions
    }

    /// Creates an object, in the operator's namespace unless its kind is the cluster's, and waits until it is
    /// reconciled; its name, and the API of its kind.
    pub async fn create(&self, mut object: DynamicObject) -> (String, Api<DynamicObject>) {
        let name = object.name_any();
        let kind =
            GroupVersionKind::try_from(object.types.clone().expect("apiVersion and kind")).expect("kind");
        let client = self.control_plane.client();
        let (resource, capabilities) = discovery::pinned_kind(&client, &kind).await.expect("the kind");
        let objects = if capabilities.scope == discovery::Scope::Namespaced {
            object.metadata.namespace = Some(self.namespace.clone());
            Api::namespaced_with(client, &self.namespace, &resource)
        } else {
            Api::all_with(client, &resource)
        };
        let before = self.reconciles().await.expect("metrics");
        self.control_plane.apply(&object).await;
        self.eventually(&format!("{name} is reconciled"), async || {
            let now = self.reconciles().await?;
            ensure(now > before, &now)
        })
        .await;
        (name, objects)
    }

    /// Deletes an object, and waits until it is gone.
    pub async fn delete(&self, objects: &Api<DynamicObject>, name: &str) {
        objects.delete(name, &DeleteParams::default()).await.expect("delete");
        self.eventually(&format!("{name} is gone"), async || {
            let left = objects.get_opt(name).await.map_err(|error| error.to_string())?;
            ensure(left.is_none(), &left)
        })
        .await;
    }

    /// As [`eventually`](crate::eventually), until something is forbidden, which fails the test.
    pub async fn eventually(&self, what: &str, mut probe: impl AsyncFnMut() -> Result<(), String>) {
        eventually(what, async || {
            self.assert_allowed();
            probe().await
        })
        .await;
    }

    /// Stops the operator. If something was forbidden, this fails the test; what is allowed and was not used is
    /// printed.
    pub async fn finish(self) {
        let Self { control_plane, account, operator, .. } = self;
        operator.stop().await;
        assert_allowed(control_plane, &account);
        report_unused(control_plane, &account);
    }

    /// Fails if something was forbidden so far, and says which marker would allow it.
    pub fn assert_allowed(&self) {
        assert_allowed(self.control_plane, &self.account);
    }

    /// How many reconciles succeeded so far.
    async fn reconciles(&self) -> Result<u64, String> {
        let request = hyper::Request::get("/metrics").body(Vec::new()).expect("request");
        let metrics = self.metrics.request_text(request).await.map_err(|error| error.to_string())?;
        // One that asks to be called again has succeeded, too.
        let succeeded = |line: &&str| {
            ["success", "requeue_after", "requeue"]
                .iter()
                .any(|result| line.contains(&format!("result=\"{result}\"")))
        };
        let lines = metrics.lines().filter(|line| line.starts_with("controller_runtime_reconcile_total{"));
        let lines = lines.filter(succeeded);
        Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
    }
}

/// A client of the operator's own metrics, with the rights of an administrator.
fn metrics_client(port: u16) -> Client {
    let mut config = Config::new(format!("https://127.0.0.1:{port}").parse().expect("address"));
    // The operator made its certificate itself.
    config.accept_invalid_certs = true;
    config.auth_info = AuthInfo { token: Some(credentials::TOKEN.to_owned().into()), ..AuthInfo::default() };
    Client::try_from(config).expect("client")
}

/// A verb on a resource of a group.
type Right<'a> = (&'a str, &'a str, &'a str);

fn assert_allowed(control_plane: &ControlPlane, account: &ServiceAccount) {
    if let Some(missing) = missing(&requests(control_plane, account), &allowed(account.roles())) {
        panic!("{missing}");
    }
}

/// Prints the rights of which no request made use.
fn report_unused(control_plane: &ControlPlane, account: &ServiceAccount) {
    let requests = requests(control_plane, account);
    let used = used(&requests);
    // Not through the macros, whose output a test that passes keeps to itself.
    let mut stderr = std::io::stderr();
    for (verb, resource, group) in allowed(account.roles()).difference(&used) {
        // What an admission plugin asks for leaves no record.
        if !resource.ends_with("/finalizers") {
            let _ = writeln!(stderr, "allowed, but not used here: {verb} {resource} ({group})");
        }
    }
}

/// What the operator asked for.
fn requests(control_plane: &ControlPlane, account: &ServiceAccount) -> Vec<AuditEvent> {
    let (log, user) = (control_plane.audit_log(), account.user());
    log.into_iter().filter(|event| event.user == user).collect()
}

/// What is said of the first request that was forbidden.
fn missing(requests: &[AuditEvent], allowed: &BTreeSet<Right>) -> Option<String> {
    let AuditEvent { verb, group, resource, .. } = requests.iter().find(|request| request.code == 403)?;
    // To make an object by applying it takes both.
    let makes = verb == "patch" && allowed.contains(&("patch", resource.as_str(), group.as_str()));
    let verb = if makes { "create" } else { verb };
    let group = if group.is_empty() { "core" } else { group };
    Some(format!(
        "the roles do not allow to {verb} {resource} of group {group}; where it is done, declare it: \
         // +kubebuilder:rbac:groups={group},resources={resource},verbs={verb}"
    ))
}

/// All that roles allow.
fn allowed(roles: &[DynamicObject]) -> BTreeSet<Right<'_>> {
    let mut allowed = BTreeSet::new();
    for rule in roles.iter().filter_map(|role| role.data["rules"].as_array()).flatten() {
        for group in words(&rule["apiGroups"]) {
            for resource in words(&rule["resources"]) {
                allowed.extend(words(&rule["verbs"]).map(|verb| (verb, resource, group)));
            }
        }
    }
    allowed
}

/// The rights that requests made use of.
fn used(requests: &[AuditEvent]) -> BTreeSet<Right<'_>> {
    let rights = requests.iter().flat_map(|request| {
        // What has the name, should that be taken, is asked for then.
        let made: &[_] = if request.verb == "patch" && request.created() { &["create", "get"] } else { &[] };
        let verbs = [request.verb.as_str()].into_iter().chain(made.iter().copied());
        verbs.map(|verb| (verb, request.resource.as_str(), request.group.as_str()))
    });
    rights.collect()
}

fn words(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(verb: &str, resource: &str, code: u64) -> AuditEvent {
        AuditEvent { verb: verb.to_owned(), resource: resource.to_owned(), code, ..AuditEvent::default() }
    }

    fn role(verbs: &[&str]) -> Vec<DynamicObject> {
        let rule = json!({ "apiGroups": [""], "resources": ["pods", "secrets"], "verbs": verbs });
        let object = json!({ "metadata": { "name": "manager-role" }, "rules": [rule] });
        vec![serde_json::from_value(object).expect("a role")]
    }

    #[test]
    fn what_is_missing_is_said_as_a_marker() {
        let said = |verbs: &[&str], requests: &[AuditEvent]| missing(requests, &allowed(&role(verbs)));
        assert_eq!(said(&[], &[request("get", "pods", 200)]), None);
        let marker = |verb: &str| format!("// +kubebuilder:rbac:groups=core,resources=pods,verbs={verb}");
        let refused = [request("get", "pods", 404), request("patch", "pods", 403)];
        assert!(said(&[], &refused).is_some_and(|said| said.ends_with(&marker("patch"))));
        assert!(said(&["patch"], &refused).is_some_and(|said| said.ends_with(&marker("create"))));
    }

    #[test]
    fn to_apply_what_was_not_there_makes_use_of_three_rights() {
        let (roles, requests) = (role(&["create", "get", "patch"]), [request("patch", "pods", 201)]);
        let (allowed, used) = (allowed(&roles), used(&requests));
        let unused: Vec<_> = allowed.difference(&used).collect();
        assert_eq!(
            unused,
            ["create", "get", "patch"].map(|verb| (verb, "secrets", "")).iter().collect::<Vec<_>>()
        );
    }
}
