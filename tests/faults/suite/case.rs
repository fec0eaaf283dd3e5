//! What the cases have in common: a story of an object that is changed in steps, and how it ends.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::events::v1::Event;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use operator_testing::{
    AuditEvent, ControlPlane, Fault, Operator, Proxy, ensure, eventually, project, within,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::subject::{Object, object};

/// Name of the object that the story is about.
pub const NAME: &str = "subject";
/// The Deployment and replicas that it asks for, step by step.
const STORY: [(&str, i32); 4] = [("web", 1), ("web", 3), ("api", 2), ("api", 0)];
/// How long nothing must be written once all is as it should be.
const QUIET: Duration = Duration::from_secs(5);
/// How long an operator may take to reach a server that was away for a while.
const RECONNECTS: Duration = Duration::from_secs(45);
/// Quick time-outs, so that tests need not wait long. All else is as in a cluster.
const TIMINGS: [&str; 3] = ["--request-timeout=2s", "--reconcile-timeout=4s", "--watch-check-period=1s"];

/// How a story ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    deployments: Value,
    status: Value,
    /// Deployments that were made and deleted, and how often.
    created: BTreeMap<String, usize>,
    deleted: BTreeMap<String, usize>,
    /// What was reported as having gone well.
    events: Vec<String>,
}

/// A namespace with an operator of its own, and a proxy between it and the API server.
pub struct Case<'a> {
    pub control_plane: &'a ControlPlane,
    pub proxy: Proxy,
    /// Of the operator, in the API server's records.
    pub name: String,
    namespace: String,
    pub objects: Api<Object>,
    pub deployments: Api<Deployment>,
    begun: Instant,
}

impl Case<'static> {
    /// A case in the control plane that most share.
    pub async fn new(name: &str) -> Self {
        static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
        let control_plane = SHARED.get_or_init(|| ControlPlane::start(project!())).await;
        Case::within(control_plane, name, Proxy::start(control_plane, name).await).await
    }
}

impl<'a> Case<'a> {
    /// A case in a control plane, or with a proxy, of its own.
    pub async fn within(control_plane: &'a ControlPlane, name: &str, proxy: Proxy) -> Self {
        control_plane.create_namespace(name).await;
        Self::resumed(control_plane, name, proxy)
    }

    /// A case in a namespace that is there.
    pub fn resumed(control_plane: &'a ControlPlane, name: &str, proxy: Proxy) -> Self {
        Self {
            control_plane,
            proxy,
            name: name.to_owned(),
            namespace: name.to_owned(),
            objects: Api::namespaced(control_plane.client(), name),
            deployments: Api::namespaced(control_plane.client(), name),
            begun: Instant::now(),
        }
    }

    /// The same namespace, for another operator, `name`, behind another proxy.
    pub fn beside(&self, proxy: Proxy, name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::resumed(self.control_plane, &self.namespace, proxy) }
    }

    /// Starts the operator behind the proxy, without waiting for it.
    pub fn launch(&self, args: &[&str]) -> Operator {
        let scope = format!("--watch-namespace={}", self.namespace);
        let name = |flag: &str| flag.split_once('=').map_or_else(String::new, |(name, _)| name.to_owned());
        let is_given = |flag: &&&str| args.iter().any(|arg| name(arg) == name(flag));
        let usual: Vec<_> = TIMINGS.iter().filter(|flag| !is_given(flag)).copied().collect();
        let args = [&[scope.as_str()], &usual[..], args].concat();
        Operator::launch(self.control_plane, &self.proxy.kubeconfig(self.control_plane), &args)
    }

    /// Starts the operator behind the proxy, and waits until it is ready.
    pub async fn operator(&self, args: &[&str]) -> Operator {
        let mut operator = self.launch(args);
        operator.ready().await;
        operator
    }

    /// Asks for a Deployment.
    pub async fn write(&self, name: &str, deployment: &str, replicas: i32) {
        let patch = Patch::Apply(object(name, deployment, replicas));
        self.objects.patch(name, &PatchParams::apply("user").force(), &patch).await.expect("write");
    }

    /// Deletes an object.
    pub async fn delete(&self, name: &str) {
        self.objects.delete(name, &DeleteParams::default()).await.expect("delete");
    }

    /// Waits until the Deployment is there.
    pub async fn deployment(&self, name: &str, replicas: i32) -> Value {
        let what = format!("{}: {name} has {replicas} replicas", self.name);
        eventually(&what, async || self.scaled(name, replicas).await).await
    }

    /// The same, for an operator that tries less and less often to reach a server that is away.
    pub async fn deployment_at_last(&self, name: &str, replicas: i32) {
        let what = format!("{}: {name} has {replicas} replicas", self.name);
        let scaled = within(RECONNECTS, &what, async || self.scaled(name, replicas).await);
        scaled.await.unwrap_or_else(|seen| panic!("{seen}"));
    }

    /// The Deployment, if it has so many replicas.
    async fn scaled(&self, name: &str, replicas: i32) -> Result<Value, String> {
        let found = self.deployments.get_opt(name).await.map_err(|error| error.to_string())?;
        let found = json!(found);
        ensure(found["spec"]["replicas"] == replicas, &found)?;
        Ok(found)
    }

    /// Waits until the object has this Deployment and no other, and its status says so.
    pub async fn settled(&self, deployment: &str, replicas: i32) {
        self.deployment(deployment, replicas).await;
        eventually(
            &format!("{}: the status is that of {deployment} with {replicas}", self.name),
            async || {
                let names: Vec<_> = self.children().await.iter().map(ResourceExt::name_any).collect();
                ensure(names == [deployment], &names)?;
                let object = json!(self.objects.get(NAME).await.map_err(|error| error.to_string())?);
                let status = &object["status"];
                let expected = format!("0 of {replicas} replicas are ready");
                ensure(
                    status["observedGeneration"] == object["metadata"]["generation"]
                        && status["conditions"][0]["message"] == expected.as_str(),
                    &object,
                )
            },
        )
        .await;
    }

    /// Waits until the object says that its Deployment is somebody else's.
    pub async fn conflict(&self, name: &str) {
        eventually(&format!("{}: {name} reports the conflict", self.name), async || {
            let object = json!(self.objects.get(name).await.map_err(|error| error.to_string())?);
            ensure(object["status"]["conditions"][0]["reason"] == "NameConflict", &object)
        })
        .await;
    }

    /// Lets the operator's writes of Deployments be on their way for a second.
    pub fn delay_writes(&self) {
        self.proxy.inject(|asked| {
            if asked.writes_to("deployments") { Fault::Delay(Duration::from_secs(1)) } else { Fault::None }
        });
    }

    /// The Deployments that belong to the subject.
    async fn children(&self) -> Vec<Deployment> {
        let found = self.deployments.list(&ListParams::default()).await.expect("Deployments");
        let belongs = |found: &Deployment| found.owner_references().iter().any(|owner| owner.name == NAME);
        found.items.into_iter().filter(belongs).collect()
    }

    /// Tells the story, waiting for each step.
    pub async fn play(&self) {
        for (deployment, replicas) in STORY {
            self.write(NAME, deployment, replicas).await;
            self.settled(deployment, replicas).await;
        }
    }

    /// What the operator of this case wrote.
    pub fn writes(&self) -> Vec<AuditEvent> {
        let requests = self.control_plane.audit_log();
        requests.into_iter().filter(|request| request.agent == self.name && request.writes()).collect()
    }

    /// The events about objects of this name and of the type `Normal` or `Warning`, each as `Reason: note`.
    pub async fn events(&self, name: &str, type_: &str) -> Vec<String> {
        let events: Api<Event> = Api::namespaced(self.control_plane.client(), &self.namespace);
        let events = events.list(&ListParams::default()).await.expect("events");
        let is_wanted = |event: &Event| {
            let regarding = event.regarding.as_ref().and_then(|object| object.name.as_deref());
            regarding == Some(name) && event.type_.as_deref() == Some(type_)
        };
        let wanted = events.items.into_iter().filter(is_wanted);
        let mut texts: Vec<_> = wanted
            .map(|event| format!("{}: {}", event.reason.unwrap_or_default(), event.note.unwrap_or_default()))
            .collect();
        texts.sort();
        texts
    }

    /// Waits until that many things are told of that went well: events are published in the background.
    async fn told(&self, count: usize) {
        eventually(&format!("{}: all is told of", self.name), async || {
            let events = self.events(NAME, "Normal").await;
            ensure(events.len() >= count, &events)
        })
        .await;
    }

    async fn outcome(&self) -> Outcome {
        let parts = |found: &Deployment| {
            let found = json!(found);
            let owner = &found["metadata"]["ownerReferences"][0];
            json!([found["metadata"]["name"], owner["kind"], owner["name"], found["spec"]])
        };
        let mut status = json!(self.objects.get(NAME).await.expect("object").status);
        for condition in status["conditions"].as_array_mut().into_iter().flatten() {
            condition["lastTransitionTime"] = Value::Null;
        }
        let writes = self.writes();
        let count = |which: &dyn Fn(&AuditEvent) -> bool| {
            let mut counts = BTreeMap::new();
            let told = |name: &str| STORY.iter().any(|(deployment, _)| *deployment == name);
            let about = writes.iter().filter(|it| it.resource == "deployments" && told(&it.name));
            for request in about.filter(|request| which(request)) {
                *counts.entry(request.name.clone()).or_default() += 1;
            }
            counts
        };
        Outcome {
            deployments: self.children().await.iter().map(parts).collect(),
            status,
            created: count(&AuditEvent::created),
            deleted: count(&|request| request.verb == "delete" && request.succeeded()),
            events: self.events(NAME, "Normal").await,
        }
    }

    /// Ends the case: after the story, everything must be as if nothing had gone wrong.
    pub async fn holds(&self, operator: Operator) {
        let expected = undisturbed().await;
        self.told(expected.events.len()).await;
        assert_eq!(self.outcome().await, *expected, "{}", self.name);
        self.is_sound(operator).await;
    }

    /// As [`Case::holds`], where an event may be missing, because what it tells of was heard of by nobody.
    pub async fn holds_but_for_events(&self, operator: Operator) {
        let (mut outcome, expected) = (self.outcome().await, undisturbed().await);
        let mut rest = expected.events.clone();
        for event in &outcome.events {
            let known = rest.iter().position(|other| other == event);
            rest.remove(known.unwrap_or_else(|| panic!("{}: one `{event}` too many", self.name)));
        }
        outcome.events.clone_from(&expected.events);
        assert_eq!(outcome, *expected, "{}", self.name);
        self.is_sound(operator).await;
    }

    /// Nothing more is written, the operator lives and works, and it stops in time.
    pub async fn is_sound(&self, mut operator: Operator) {
        // Events are published in the background.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = self.writes().len();
        tokio::time::sleep(QUIET).await;
        let since = self.writes().split_off(before);
        assert!(since.is_empty(), "{}: written though all is well: {since:?}", self.name);
        operator.assert_alive().await;
        self.write("another", "another", 1).await;
        self.deployment("another", 1).await;
        let took = operator.stop().await;
        assert!(took < Duration::from_secs(5), "{}: stopping took {took:?}", self.name);
    }

    /// Records what was seen of the case `id`, for a report.
    pub fn report(&self, id: &str, seen: &str) {
        let took = self.begun.elapsed().as_secs_f64();
        if let Some(file) = std::env::var_os("FAULTS_REPORT") {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
            writeln!(file.expect("the report"), "{id}\t{took:.1} s\t{seen}").expect("write");
        }
    }
}

/// How the story ends when nothing goes wrong.
async fn undisturbed() -> &'static Outcome {
    static OUTCOME: OnceCell<Outcome> = OnceCell::const_new();
    OUTCOME
        .get_or_init(async || {
            let case = Case::new("undisturbed").await;
            let operator = case.operator(&[]).await;
            case.play().await;
            case.told(5).await;
            let outcome = case.outcome().await;
            let expected = |counts: &[(&str, usize)]| -> BTreeMap<String, usize> {
                counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
            };
            assert_eq!(outcome.created, expected(&[("api", 1), ("web", 1)]));
            assert_eq!(outcome.deleted, expected(&[("web", 1)]));
            assert_eq!(outcome.events.len(), 5, "{:?}", outcome.events);
            case.is_sound(operator).await;
            outcome
        })
        .await
}

/// How many writes the story takes when nothing goes wrong.
pub async fn writes_undisturbed() -> usize {
    let case = Case::new("counted").await;
    let operator = case.operator(&[]).await;
    case.play().await;
    let writes = case.writes().len();
    operator.stop().await;
    writes
}
