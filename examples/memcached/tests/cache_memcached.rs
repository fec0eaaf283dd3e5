// SPDX-License-Identifier: Apache-2.0

//! The operator against a real API server, seen from outside: nothing in here knows how it is written. `OPERATOR_BIN` names
//! another program that is to do the same.

use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::GroupVersionKind;
use operator_testing::{ControlPlane, Operator, Project, ensure, eventually, project};
use serde_json::{Value, json};

/// The operator, which may be another program than that of this project.
fn operator() -> Project {
    let program = std::env::var_os("OPERATOR_BIN");
    program.map_or_else(|| project!(), |program| project!().with_program(program))
}

/// A namespace, and how to look into it.
struct Case<'a> {
    control_plane: &'a ControlPlane,
    namespace: &'static str,
}

impl Case<'_> {
    fn api(&self, kind: &str, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.control_plane.client(), namespace, &resource(kind))
    }

    /// Creates an object or changes it, as the user.
    async fn write(&self, kind: &str, name: &str, body: Value) {
        let api = self.api(kind, self.namespace);
        let (object, params) =
            (DynamicObject::new(name, &resource(kind)).data(body), PatchParams::apply("user").force());
        api.patch(name, &params, &Patch::Apply(object)).await.expect("write");
    }

    async fn merge(&self, kind: &str, name: &str, patch: Value, subresource: Option<&str>) {
        let (api, params) = (self.api(kind, self.namespace), PatchParams::default());
        let patched = match subresource {
            None => api.patch(name, &params, &Patch::Merge(patch)).await,
            Some(subresource) => {
                api.patch_subresource(subresource, name, &params, &Patch::Merge(patch)).await
            }
        };
        patched.expect("patch");
    }

    async fn get(&self, kind: &str, name: &str) -> Result<Value, String> {
        let found = self.api(kind, self.namespace).get_opt(name).await.map_err(|error| error.to_string())?;
        Ok(json!(found))
    }

    /// Waits until an object is as it should be.
    async fn becomes(&self, what: &str, kind: &str, name: &str, test: impl Fn(&Value) -> bool) -> Value {
        eventually(what, async || {
            let found = self.get(kind, name).await?;
            ensure(test(&found), &found)?;
            Ok(found)
        })
        .await
    }

    /// The conditions of the Memcached, each as `Type=Status/Reason`.
    async fn conditions_become(&self, expected: &[&str]) {
        self.becomes(&format!("the conditions are {expected:?}"), "Memcached", "web", |object| {
            let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let text = |it: &Value, field: &str| it[field].as_str().unwrap_or_default().to_owned();
            let seen: Vec<_> = conditions
                .iter()
                .map(|it| format!("{}={}/{}", text(it, "type"), text(it, "status"), text(it, "reason")))
                .collect();
            expected.iter().all(|expected| seen.iter().any(|seen| seen == expected))
        })
        .await;
    }

    /// Does what the controller of StatefulSets would do.
    async fn start_servers(&self) {
        let set = self.get("StatefulSet", "web").await.expect("servers");
        let (count, generation) = (&set["spec"]["replicas"], &set["metadata"]["generation"]);
        let status = json!({ "status": { "replicas": count, "readyReplicas": count, "observedGeneration": generation } });
        self.merge("StatefulSet", "web", status, Some("status")).await;
    }
}

fn resource(kind: &str) -> ApiResource {
    let (group, version) = match kind {
        "Memcached" => ("cache.example.com", "v1alpha1"),
        "Restart" => ("ops.example.com", "v1alpha1"),
        "StatefulSet" => ("apps", "v1"),
        _ => ("", "v1"),
    };
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

fn template(set: &Value) -> &Value {
    &set["spec"]["template"]
}

#[tokio::test]
async fn a_memcached_lives_from_its_first_child_to_its_last_record() {
    let control_plane = ControlPlane::start(operator()).await;
    control_plane.create_namespace("shop").await;
    let operator = Operator::start(&control_plane, &[]).await;
    let case = Case { control_plane: &control_plane, namespace: "shop" };

    // It waits for what it refers to.
    let spec = json!({ "replicas": 2, "settings": "tuning", "credentials": "clients" });
    case.write("Memcached", "web", json!({ "spec": spec })).await;
    case.conditions_become(&[
        "Configured=False/SettingsMissing",
        "Running=False/Waiting",
        "Ready=False/SettingsMissing",
    ])
    .await;
    case.write("ConfigMap", "tuning", json!({ "data": { "THREADS": "4", "OLD": "1" } })).await;
    case.conditions_become(&["Configured=True/Applied", "Authenticated=False/SecretMissing"]).await;
    assert!(case.get("StatefulSet", "web").await.expect("an answer").is_null(), "steps are in order");
    case.write("Secret", "clients", json!({ "stringData": { "password": "a" } })).await;
    let first = case.becomes("the servers are there", "StatefulSet", "web", |set| !set.is_null()).await;
    assert_eq!(first["spec"]["replicas"], 2);
    case.conditions_become(&["Running=False/Progressing"]).await;
    case.start_servers().await;
    case.conditions_become(&["Running=True/ServersReady", "Ready=True/AllReady"]).await;
    assert!(operator.metric("memcached_instances ").await > 0.9);

    // What the user no longer says goes, what others have written stays.
    case.merge("ConfigMap", "web", json!({ "data": { "MINE": "1" } }), None).await;
    case.write("ConfigMap", "tuning", json!({ "data": { "THREADS": "8" } })).await;
    case.becomes("the settings follow", "ConfigMap", "web", |map| {
        map["data"] == json!({ "THREADS": "8", "MINE": "1" })
    })
    .await;
    let second = case
        .becomes("the servers start anew", "StatefulSet", "web", |set| template(set) != template(&first))
        .await;
    case.merge("Secret", "clients", json!({ "stringData": { "password": "b" } }), None).await;
    case.becomes("the servers start anew", "StatefulSet", "web", |set| template(set) != template(&second))
        .await;

    // Another kind, of another group, restarts them once.
    case.write("Restart", "now", json!({ "spec": { "memcached": "web" } })).await;
    case.becomes("it is done", "Restart", "now", |it| it["status"]["conditions"][0]["reason"] == "Restarted")
        .await;
    case.merge("Memcached", "web", json!({ "spec": { "replicas": 3 } }), None).await;
    let scaled = case
        .becomes("there are three servers", "StatefulSet", "web", |set| set["spec"]["replicas"] == 3)
        .await;
    let annotations = &template(&scaled)["metadata"]["annotations"];
    assert!(annotations["ops.example.com/restarted-by"].is_string(), "{annotations}");

    // Paused, nothing happens but that it is said.
    let pause =
        |value: Value| json!({ "metadata": { "annotations": { "cache.example.com/paused": value } } });
    case.merge("Memcached", "web", pause(json!("true")), None).await;
    case.conditions_become(&["Paused=True/Annotated"]).await;
    case.merge("Memcached", "web", json!({ "spec": { "replicas": 4 } }), None).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let paused = case.get("StatefulSet", "web").await.expect("an answer");
    assert_eq!(paused["spec"]["replicas"], 3);
    case.merge("Memcached", "web", pause(Value::Null), None).await;
    case.becomes("there are four servers", "StatefulSet", "web", |set| set["spec"]["replicas"] == 4).await;
    case.becomes("it is not called paused", "Memcached", "web", |it| {
        !it["status"].to_string().contains("Paused")
    })
    .await;

    // Once all is as it should be, nothing is written, whoever starts.
    case.start_servers().await;
    case.conditions_become(&["Ready=True/AllReady"]).await;
    let versions = async || {
        let mut versions = Vec::new();
        for kind in ["Memcached", "StatefulSet", "Service", "ConfigMap", "Restart"] {
            let list = case.api(kind, "shop").list(&ListParams::default()).await.expect("a list");
            versions.extend(list.items.into_iter().map(|it| it.metadata.resource_version));
        }
        versions
    };
    let settled = versions().await;
    operator.stop().await;
    let operator = Operator::start(&control_plane, &[]).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(versions().await, settled);
    assert!(
        operator
            .metric("controller_runtime_reconcile_total{controller=\"memcached\",result=\"requeue_after\"}")
            .await
            > 0.0
    );

    // It is registered outside its namespace until it is gone.
    let register = case.api("ConfigMap", "default");
    let entries = async || {
        let register = register.get_opt("memcached-register").await.map_err(|error| error.to_string())?;
        Ok::<_, String>(json!(register)["data"].clone())
    };
    assert!(entries().await.expect("the register")["shop.web"].is_string());
    case.api("Memcached", "shop").delete("web", &DeleteParams::default()).await.expect("delete");
    case.becomes("the object is gone", "Memcached", "web", Value::is_null).await;
    let left = entries().await.expect("the register");
    assert!(left["shop.web"].is_null(), "{left}");
    eventually("nothing is counted", async || {
        let count = operator.metric("memcached_instances ").await;
        ensure(count < 0.1, &count)
    })
    .await;
    operator.stop().await;
}
