//! A simulation as tests write it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::DynamicObject;
use serde_json::Value;

use super::determinism;
use super::fault::SimFault;
use super::history::Setting;
use super::kinds::{Kinds, text};
use super::property::{Property, Rules};
use super::record::Record;
use super::replica::{Replica, Run};
use super::runner::Runner;
use crate::Project;
use crate::story::merge;

/// How many histories are told unless somebody says otherwise, and for how long.
const SEEDS: u64 = 500;
const TIME: Duration = Duration::from_secs(10);
/// Those who say something else say it here.
const SEED: &str = "SIM_SEED";
const COUNT: &str = "SIM_SEEDS";
/// What an operator is told: it takes part in an election, and nobody reads its metrics.
const ARGS: [&str; 6] = [
    "operator",
    "--leader-elect",
    "--leader-election-namespace=operator-system",
    "--metrics-bind-address=0",
    "--health-probe-bind-address=0",
    // Whatever WATCH_NAMESPACE says here.
    "--watch-namespace=",
];

/// Thousands of histories of one object and an operator, each of which follows from a number: the operator runs whole
/// and unchanged, in this process and in virtual time, against an API server in memory, and everything goes wrong that
/// can, from lost answers to replicas that die between two requests.
///
/// ```no_run
/// # #[derive(Debug)] struct Error; impl std::fmt::Display for Error {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
/// use operator_testing::{Replica, Simulation, project};
/// use serde_json::json;
///
/// # /* So that it is compiled:
/// #[test]
/// # */
/// fn memcached() {
///     Simulation::of_sample(project!(), "cache.example.com/v1alpha1", "Memcached", run)
///         .then(json!({ "spec": { "replicas": 3 } }))
///         .survives();
/// }
///
/// /// Runs the operator as `main` does.
/// async fn run(replica: Replica) -> Result<(), Error> {
///     // Manager::builder(...).client(replica.client).identity(replica.identity).clock(replica.clock)...
///     # Ok(())
/// }
/// # fn main() {}
/// ```
///
/// What fails is printed as a short history of who did what, with the number that tells it again: `SIM_SEED=127`.
/// `SIM_SEEDS=100000` tries so many numbers, however long that takes; by default it is up to 500 in ten seconds.
#[must_use = "nothing is simulated before `survives`"]
pub struct Simulation {
    project: Project,
    steps: Vec<Value>,
    given: Vec<Value>,
    left_out: Vec<SimFault>,
    failing: BTreeMap<String, SimFault>,
    replicas: usize,
    may_replace: bool,
    may_delete: bool,
    setting: Setting,
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("steps", &self.steps).finish_non_exhaustive()
    }
}

impl Simulation {
    /// The histories that begin with an object being made, of the operator that `run` runs. An object without a namespace
    /// is made in `default`, if its kind has namespaces.
    pub fn of<F, E>(
        project: Project,
        object: DynamicObject,
        run: impl Fn(Replica) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        Self {
            project,
            steps: vec![serde_json::to_value(object).expect("JSON")],
            given: Vec::new(),
            left_out: Vec::new(),
            failing: BTreeMap::new(),
            replicas: 2,
            may_replace: true,
            may_delete: true,
            setting: Setting {
                rules: Rules::default(),
                steps: Vec::new(),
                given: Vec::new(),
                run: runs(run),
                older: None,
                args: ARGS.map(str::to_owned).into(),
                limit: Duration::from_secs(360),
                rest: Duration::from_secs(45),
            },
        }
    }

    /// The histories that begin with the project's sample of a kind being applied.
    pub fn of_sample<F, E>(
        project: Project,
        api_version: &str,
        kind: &str,
        run: impl Fn(Replica) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let sample = project.sample(api_version, kind);
        Self::of(project, sample, run)
    }

    /// Then the object is changed by this merge patch.
    pub fn then(mut self, patch: Value) -> Self {
        let mut object = self.steps.last().cloned().unwrap_or_default();
        merge(&mut object, patch);
        self.steps.push(object);
        self
    }

    /// Before it begins, this object is there: what the user's object refers to, such as a Secret.
    pub fn given(mut self, object: Value) -> Self {
        self.given.push(object);
        self
    }

    /// What stands at this JSON pointer, such as `/data/password`, in objects of that kind may differ from history to
    /// history. Names, uids, versions and times of objects are never compared.
    pub fn ignoring(mut self, kind: &str, pointer: &str) -> Self {
        self.setting.rules.ignored.push((kind.to_owned(), pointer.to_owned()));
        self
    }

    /// This does not go wrong.
    pub fn without(mut self, fault: SimFault) -> Self {
        self.left_out.push(fault);
        self
    }

    /// This goes wrong in [`Simulation::once`], with the first request that a report calls `request`, such as
    /// `PATCH deployments/web` or `GET deployments (watch)`.
    ///
    /// # Panics
    /// When it is no fault of requests, such as [`SimFault::Freeze`].
    pub fn failing(mut self, request: &str, fault: SimFault) -> Self {
        assert!(fault.is_of_requests(), "`{fault}` does not happen to a request, such as `{request}`");
        self.failing.insert(request.to_owned(), fault);
        self
    }

    /// The object is not deleted and made anew on the way, and not deleted in the end: it is done with once and for all
    /// what it asks for.
    pub fn without_deletion(mut self) -> Self {
        (self.may_replace, self.may_delete) = (false, false);
        self
    }

    /// Objects of this kind may be changed by the operator though none of its own controls them.
    pub fn changing(mut self, kind: &str) -> Self {
        self.setting.rules.may_change.insert(kind.to_owned());
        self
    }

    /// The replicas begin as ones of an older version of the operator, which `older` runs, and are replaced one by one, at any
    /// time before the last fault. It should come out like a history in which there was never another version.
    pub fn upgrading_from<F, E>(mut self, older: impl Fn(Replica) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        self.setting.older = Some(runs(older));
        self
    }

    /// There are at most so many replicas; by default two.
    pub fn with_replicas(mut self, most: usize) -> Self {
        self.replicas = most.max(1);
        self
    }

    /// Further arguments of the operator's command line.
    pub fn with_args<T: Into<String>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.setting.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// So soon after the last fault, in virtual time, all must be as it should; by default after six minutes.
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.setting.limit = limit;
        self
    }

    /// For so long nothing may be written once all is as it should be; by default 45 seconds.
    pub fn with_rest(mut self, rest: Duration) -> Self {
        self.setting.rest = rest;
        self
    }

    /// This holds of the objects in the cluster at any time: it is asked after each change.
    pub fn always(
        mut self,
        property: &str,
        check: impl Fn(&[Value]) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.setting.rules.always.push(Property { name: property.to_owned(), check: Arc::new(check) });
        self
    }

    /// This holds of the objects in the cluster in the end, some time after the last fault.
    pub fn finally(
        mut self,
        property: &str,
        check: impl Fn(&[Value]) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.setting.rules.finally.push(Property { name: property.to_owned(), check: Arc::new(check) });
        self
    }

    /// Tells histories: in each one, at any time, only the leader writes, nothing is changed that is not the operator's,
    /// nothing is deleted that is wanted, nothing is made twice; after the last fault there is soon what there is when
    /// nothing goes wrong, nothing is written any more, and an operator that is asked to stop does so.
    ///
    /// # Panics
    /// With the shortest history found that ends badly, and how to see it again; or when something is
    /// [`failing`](Simulation::failing), which nothing is in histories whose faults are drawn.
    pub fn survives(self) {
        assert!(self.failing.is_empty(), "`failing` is for `once`: here, faults are drawn");
        if !determinism::IS_SUPPORTED {
            eprintln!(
                "simulations run on Linux with glibc only, because they could not be replayed here; skipped"
            );
            return;
        }
        let (seed, count) = (number(SEED), number(COUNT));
        let runner = self.runner();
        if let Some(seed) = seed {
            if let Some(failure) = runner.replay(seed) {
                panic!("{failure}");
            }
            eprintln!("seed {seed}: all is well");
            return;
        }
        let begun = Instant::now();
        let deadline = count.is_none().then_some(begun + TIME);
        let (told, failure) = runner.seeds(1..=count.unwrap_or(SEEDS), deadline);
        eprintln!("{told} in {:.1} s", begun.elapsed().as_secs_f64());
        if let Some(failure) = failure {
            panic!("{failure}");
        }
    }

    /// Tells one history, of one replica: each step of the story waits until nothing has been written for a minute after the
    /// one before, and nothing goes wrong but what is [`failing`](Simulation::failing).
    ///
    /// # Panics
    /// When the operator does what it never may, when it does not come to rest, when what should hold
    /// [`finally`](Simulation::finally) does not, or when no request has failed that should.
    #[must_use]
    pub fn once(mut self) -> Record {
        let failing = std::mem::take(&mut self.failing);
        let outcome = self.runner().once(failing.clone());
        Record::new(outcome, &failing).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What is wrong with the first of so many histories that ends badly, and its seed.
    #[must_use]
    pub fn first_failure(self, seeds: u64) -> Option<String> {
        self.runner().seeds(1..=seeds, None).1
    }

    /// A hash of all requests and answers of the history of each seed.
    #[must_use]
    pub fn fingerprints(self, seeds: u64) -> Vec<u64> {
        let runner = self.runner();
        (1..=seeds).map(|seed| runner.fingerprint(seed)).collect()
    }

    fn runner(self) -> Runner {
        let Self { project, steps, given, left_out, replicas, may_replace, may_delete, mut setting, .. } =
            self;
        let definitions = project.crds().into_iter().map(|definition| {
            let definition = serde_json::to_value(definition).expect("JSON");
            serde_json::from_value::<CustomResourceDefinition>(definition)
                .unwrap_or_else(|error| panic!("a CustomResourceDefinition of the project is none: {error}"))
        });
        setting.rules.definitions = definitions.collect();
        let kinds = Arc::new(Kinds::new(&setting.rules.definitions));
        let (api_version, kind) = (text(&steps[0], "/apiVersion"), text(&steps[0], "/kind"));
        assert!(
            kinds.is_ours(api_version, kind),
            "the project has no CustomResourceDefinition of {kind} of {api_version}: `make manifests` writes those of \
             its own kinds, and those of others belong into tests/crds"
        );
        let placed = |mut object: Value| {
            kinds.place(&mut object);
            object
        };
        setting.steps = steps.into_iter().map(placed).collect();
        setting.given = given.into_iter().map(placed).collect();
        setting.rules.kinds = kinds;
        Runner { setting, left_out, replicas, may_replace, may_delete, expected: BTreeMap::new().into() }
    }
}

/// What runs an operator, whatever its future and errors are.
fn runs<F, E>(run: impl Fn(Replica) -> F + Send + Sync + 'static) -> Arc<Run>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: fmt::Display,
{
    Arc::new(move |replica| run(replica).map(|ended| ended.map_err(|error| error.to_string())).boxed())
}

/// The number that an environment variable has, if it is set.
fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok().filter(|value| !value.is_empty())?;
    let number = value.parse().ok().filter(|number| *number > 0 || variable == SEED);
    Some(
        number
            .unwrap_or_else(|| panic!("{variable} must be a number, such as {variable}=127, not `{value}`")),
    )
}
