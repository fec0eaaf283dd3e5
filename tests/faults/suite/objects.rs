//! Objects that cannot be read, that reconcile cannot bear, that change their identity, and a great many of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Parser as _;
use futures::StreamExt as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, PostParams};
use kube::core::ApiResource;
use kube::{Resource, ResourceExt};
use operator_runtime::{Action, Context, Manager, Options, Reconciler};
use operator_testing::{ControlPlane, Cut, Fault, Proxy, ensure, eventually, project};
use serde_json::{Value, json};

use crate::case::{Case, NAME};
use crate::run;
use crate::sizes::mebibytes;
use crate::subject::{Object, PLURAL};

#[test]
fn f13_object_that_cannot_be_read() {
    run(async {
        let control_plane = ControlPlane::start(project!()).await;
        let case = Case::within(&control_plane, "f13", Proxy::start(&control_plane, "f13").await).await;
        let operator = case.operator(&[]).await;
        case.write("before", "before", 1).await;
        case.deployment("before", 1).await;
        store_unreadable(&case).await;

        case.write("meanwhile", "meanwhile", 1).await;
        case.deployment("meanwhile", 1).await;
        eventually("the object is reported", async || {
            let events = case.events("unreadable", "Warning").await;
            ensure(events.len() == 1 && events[0].starts_with("Undecodable: Set aside"), &events)
        })
        .await;
        assert!(operator.metric("controller_runtime_undecodable_objects").await > 0.0);
        let took = operator.stop().await;
        assert!(took < Duration::from_secs(5), "stopping took {took:?}");

        // The next operator meets it in its first list.
        let operator = case.operator(&[]).await;
        case.play().await;
        assert_eq!(case.events("unreadable", "Warning").await.len(), 1, "told once");
        case.holds(operator).await;
        case.report("F13", "set aside and reported; all others went on, before and after a restart");
    });
}

/// Stores an object that the schema does not allow, by loosening it for a moment.
async fn store_unreadable(case: &Case<'_>) {
    let crds: Api<CustomResourceDefinition> = Api::all(case.control_plane.client());
    let name = format!("{}.{}", Object::plural(&()), Object::group(&()));
    let mut loose = crds.get(&name).await.expect("the kind");
    for version in &mut loose.spec.versions {
        let anything = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        let schema = json!({ "openAPIV3Schema": { "type": "object", "properties": { "spec": anything } } });
        version.schema = Some(serde_json::from_value(schema).expect("a schema"));
        version.subresources = None;
    }
    loose.metadata.managed_fields = None;
    crds.replace(&name, &PostParams::default(), &loose).await.expect("a looser schema");
    let resource = ApiResource::erase::<Object>(&());
    let objects: Api<DynamicObject> =
        Api::namespaced_with(case.control_plane.client(), &case.name, &resource);
    let spec = json!({ "spec": { "deploymentName": 7, "replicas": ["many"] } });
    let object = DynamicObject::new("unreadable", &resource).data(spec);
    eventually("the object is stored", async || {
        objects.create(&PostParams::default(), &object).await.map_err(|error| error.to_string())
    })
    .await;
    case.control_plane.install_crds().await;
}

/// The flags of the manager.
#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    manager: Options,
}

/// Counts how often each object was reconciled, and panics at one.
struct Panics(Arc<Mutex<HashMap<String, usize>>>);

impl Reconciler for Panics {
    type Object = Object;

    async fn reconcile(&self, object: &Object, _: &Context<Object>) -> operator_runtime::Result {
        tokio::task::yield_now().await;
        *self.0.lock().expect("no panic").entry(object.name_any()).or_default() += 1;
        assert_ne!(object.name_any(), "unbearable", "this one cannot be borne");
        Ok(Action::AwaitChange)
    }
}

#[test]
fn f14_reconcile_panics() {
    run(async {
        let case = Case::new("f14").await;
        let kubeconfig = case.proxy.kubeconfig(case.control_plane);
        let scope = format!("--watch-namespace={}", case.name);
        let flags =
            ["manager", "--metrics-bind-address=0", "--health-probe-bind-address=0", &scope, "--kubeconfig"];
        let flags = flags.map(str::to_owned).into_iter().chain([kubeconfig.to_string_lossy().into_owned()]);
        let mut manager = Manager::new("f14", Cli::parse_from(flags).manager).await.expect("a manager");
        let calls = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
        manager.controller("f14").run(Panics(calls.clone()));
        let manager = tokio::spawn(manager.run());
        let count = |name: &str| calls.lock().expect("no panic").get(name).copied().unwrap_or_default();

        case.write("unbearable", "unbearable", 1).await;
        eventually("the panic is reported", async || {
            let events = case.events("unbearable", "Warning").await;
            ensure(events.len() == 1 && events[0].contains("this one cannot be borne"), &events)
        })
        .await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let times = count("unbearable");
        assert!((2..=4).contains(&times), "tried {times} times in 5 s");
        case.write("other", "other", 1).await;
        eventually("another object is reconciled", async || ensure(count("other") > 0, &count("other")))
            .await;
        assert!(!manager.is_finished(), "the process survives");
        manager.abort();
        case.report(
            "F14",
            &format!("a failure like others: tried {times} times in 5 s, one Warning, others went on"),
        );
    });
}

#[test]
fn f18_owner_replaced() {
    run(async {
        let case = Case::new("f18").await;
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        // The object is deleted and made anew while a change of the old one is under way.
        case.delay_writes();
        case.write(NAME, "web", 2).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        case.proxy.freeze_watches();
        case.delete(NAME).await;
        case.write(NAME, "web", 3).await;
        case.proxy.heal();
        tokio::time::sleep(Duration::from_secs(2)).await;
        case.proxy.thaw_watches();
        let new = case.objects.get(NAME).await.expect("object").uid().expect("uid");
        let owner = |deployment: &Value| deployment["metadata"]["ownerReferences"][0]["uid"].clone();
        // The old one's Deployment is in the way until the garbage collector, which the test plays, deletes it.
        case.conflict(NAME).await;
        let old = json!(case.deployments.get("web").await.expect("Deployment"));
        assert_ne!(owner(&old), json!(new), "it is not adopted");
        assert_ne!(old["spec"]["replicas"], 3, "and not changed");
        case.deployments.delete("web", &DeleteParams::default()).await.expect("delete");
        let made = case.deployment("web", 3).await;
        assert_eq!(owner(&made), json!(new));
        case.play().await;
        case.is_sound(operator).await;
        case.report(
            "F18",
            "the old one's Deployment was not adopted; after its deletion one was made for the new owner",
        );
    });
}

/// Objects at the start: three pages of a list.
const MANY: usize = 1200;

#[test]
fn f19_many_objects() {
    run(async {
        let case = Case::new("f19").await;
        let names: Vec<_> = (0..MANY).map(|number| format!("n{number}")).collect();
        let write = |name: String| {
            let case = &case;
            async move { case.write(&name, &name, 1).await }
        };
        futures::stream::iter(names).for_each_concurrent(16, write).await;
        case.proxy.inject(|asked| {
            let is_list = asked.lists(PLURAL) || asked.lists("deployments");
            if is_list { Fault::Delay(Duration::from_millis(500)) } else { Fault::None }
        });
        let begun = Instant::now();
        let mut operator = case.launch(&["--request-timeout=10s", "--reconcile-timeout=30s"]);
        operator.ready().await;
        let ready = begun.elapsed();
        let made = async || {
            let deployments = case.deployments.list_metadata(&ListParams::default()).await;
            deployments.map(|list| list.items.len()).map_err(|error| error.to_string())
        };
        operator_testing::within(Duration::from_secs(180), "all Deployments are made", async || {
            let count = made().await?;
            ensure(count == MANY, &count)
        })
        .await
        .unwrap_or_else(|seen| panic!("{seen}"));
        let took = begun.elapsed();
        let memory = mebibytes(&operator).await;
        assert!(memory < 100.0, "{memory} MiB");
        let writes = case.writes();
        let created = writes.iter().filter(|it| it.resource == "deployments" && it.created()).count();
        assert_eq!(created, MANY, "each once");
        case.proxy.cut_watches(Cut::End);
        operator.stop().await;
        case.report(
            "F19",
            &format!(
                "{MANY} objects in pages: ready after {:.1} s, all done after {:.0} s, {memory:.0} MiB",
                ready.as_secs_f64(),
                took.as_secs_f64()
            ),
        );
    });
}
