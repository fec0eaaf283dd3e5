//! One history: the user's story, the faults, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep, sleep_until};

use super::actors::{self, collect_garbage, run_workloads};
use super::draw::Draw;
use super::fault::SimFault;
use super::freeze::freeze;
use super::kinds::{is_lease, name};
use super::network::{Conditions, MERGE, TOUCHED};
use super::plan::{Act, Event, Plan};
use super::property::{Expected, Rules};
use super::replica::{Keeper, Order, Run};
use super::report::Line;
use super::world::{NAMESPACE, Shared, Violation, World};
use super::{determinism, guarded};

/// For how long nothing is written in [`super::Simulation::once`] before it goes on.
const QUIET: Duration = Duration::from_secs(60);

/// What all histories of a simulation have in common.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) rules: Rules,
    /// The object after each step.
    pub(super) steps: Vec<Value>,
    pub(super) given: Vec<Value>,
    pub(super) run: Arc<Run>,
    /// The version that is replaced by it on the way.
    pub(super) older: Option<Arc<Run>>,
    pub(super) args: Vec<String>,
    /// How soon after the last fault all is as it should be.
    pub(super) limit: Duration,
    /// For how long nothing is written then.
    pub(super) rest: Duration,
}

/// What came of a history.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) result: Result<Expected, Violation>,
    pub(super) lines: Vec<Line>,
    /// Of all requests and answers.
    pub(super) hash: u64,
    pub(super) requests: usize,
    pub(super) lasted: Duration,
    /// The faults that befell requests.
    pub(super) befallen: BTreeMap<String, SimFault>,
}

impl Outcome {
    pub(super) fn failed(violation: Violation) -> Self {
        let (lines, befallen) = (Vec::new(), BTreeMap::new());
        Self { result: Err(violation), lines, hash: 0, requests: 0, lasted: Duration::ZERO, befallen }
    }
}

/// Runs a history to its end, on a thread that was made for it.
pub(super) fn run(setting: &Setting, plan: &Plan) -> Outcome {
    determinism::enter(plan.seed);
    // tokio's clock only goes on when nobody has anything to do.
    let mut runtime = Builder::new_current_thread();
    runtime.enable_time().start_paused(true);
    let begun = Arc::new(OnceLock::new());
    let begins = begun.clone();
    runtime.on_thread_unpark(move || {
        let begun = begun.get_or_init(Instant::now);
        determinism::set_now(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
    });
    let runtime = runtime.build().expect("a runtime");
    let history = async {
        begins.get_or_init(Instant::now);
        tell(setting, plan).await
    };
    let outcome = guarded(|| LocalSet::new().block_on(&runtime, history));
    outcome.unwrap_or_else(|panic| Outcome::failed(Violation::new("the simulation goes on", panic)))
}

async fn tell(setting: &Setting, plan: &Plan) -> Outcome {
    let shared = match World::shared(plan.seed, Arc::new(setting.rules.clone())) {
        Ok(shared) => shared,
        Err(error) => {
            let what = "the server takes the project's CustomResourceDefinitions";
            return Outcome::failed(Violation::new(what, error));
        }
    };
    let telling = Telling { setting, plan, shared: shared.clone(), orders: Vec::new() };
    let result = tokio::select! {
        biased;
        violation = shared.violation() => Err(violation),
        result = telling.tell() => result,
    };
    let mut world = shared.world();
    Outcome {
        result,
        lines: std::mem::take(&mut world.lines),
        hash: world.hash,
        requests: world.requests,
        lasted: world.now(),
        befallen: world.befallen.clone(),
    }
}

struct Telling<'a> {
    setting: &'a Setting,
    plan: &'a Plan,
    shared: Shared,
    orders: Vec<mpsc::UnboundedSender<Order>>,
}

impl Telling<'_> {
    async fn tell(mut self) -> Result<Expected, Violation> {
        let begun = Instant::now();
        self.begin().await?;
        if self.plan.is_undisturbed {
            return self.undisturbed().await;
        }
        let (told, (), ()) = tokio::join!(self.story(begun), self.faults(begun), self.upgrades(begun));
        told?;
        sleep_until(begun + self.plan.calm_at).await;
        self.ends_well().await?;
        Ok(Expected::default())
    }

    /// Everybody takes up work.
    async fn begin(&mut self) -> Result<(), Violation> {
        self.make_namespaces();
        for object in &self.setting.given {
            actors::write(&self.shared, object).await?;
        }
        let (seed, most) = (self.plan.seed, if self.plan.is_undisturbed { 50 } else { 3_000 });
        let draw = |who: &str| Draw::new(seed, who);
        spawn_local(collect_garbage(self.shared.clone(), draw("collector"), most));
        spawn_local(run_workloads(self.shared.clone(), draw("workloads"), most));
        let conditions = Conditions { seed, faults: self.plan.faults.clone(), calm_at: self.plan.calm_at };
        let conditions = Arc::new(conditions);
        for (number, clock) in self.plan.clocks.iter().enumerate() {
            let (order, orders) = mpsc::unbounded_channel();
            self.orders.push(order);
            let keeper = Keeper {
                shared: self.shared.clone(),
                conditions: conditions.clone(),
                run: self.setting.run.clone(),
                older: self.setting.older.clone().filter(|_| !self.plan.is_undisturbed),
                number,
                args: self.setting.args.clone(),
                clock: *clock,
                orders,
                is_undisturbed: self.plan.is_undisturbed,
            };
            spawn_local(keeper.keep());
        }
        Ok(())
    }

    /// The namespaces of the operator and of the user's objects, which no report needs to tell of.
    fn make_namespaces(&self) {
        let objects = self.setting.given.iter().chain(&self.setting.steps);
        let namespaces = objects.filter_map(|object| object["metadata"]["namespace"].as_str());
        let mut world = self.shared.world();
        for name in namespaces.chain([NAMESPACE]).collect::<BTreeSet<_>>() {
            let namespace = json!({ "metadata": { "name": name } });
            // Those that are there already stay as they are.
            world.call("user", Method::POST, "/api/v1/namespaces", "application/json", &namespace);
        }
        world.lines.clear();
    }

    async fn act(&self, number: usize) -> Result<(), Violation> {
        let Some((_, act)) = self.plan.story.get(number) else { return Ok(()) };
        match act {
            Act::Write(step) => actors::write(&self.shared, &self.setting.steps[*step]).await?,
            Act::Delete => actors::delete(&self.shared, &self.setting.steps[0]),
        }
        let mut world = self.shared.world();
        let now = world.now();
        world.acts.push((now, number));
        Ok(())
    }

    /// Each act, once all is quiet after the one before.
    async fn undisturbed(&self) -> Result<Expected, Violation> {
        // What is asked for to go wrong may cost a Lease, or an answer that never comes.
        let quiet = if self.plan.is_once() { QUIET } else { self.setting.rest / 3 };
        let mut made = Vec::new();
        for number in 0..self.plan.story.len() {
            self.act(number).await?;
            self.settles(quiet).await?;
            let world = self.shared.world();
            let objects = world.objects().filter(|object| self.setting.rules.is_made(object));
            made.push(objects.cloned().collect());
        }
        let world = self.shared.world();
        if let Some(path) = world.unknown.iter().next() {
            let detail = format!(
                "the operator asks for {path}, which the simulated API server does not have; add the \
                 CustomResourceDefinition to tests/crds, or name another folder by `Project::with_crds`"
            );
            return Err(Violation::new("the server has all kinds that are asked for", detail));
        }
        if self.plan.is_once() {
            self.setting.rules.finally(&world)?;
        }
        let writes = world.last_write.is_some();
        let objects = world.objects().cloned().collect();
        Ok(Expected { end: self.setting.rules.snapshot(&world), objects, made, writes })
    }

    /// Waits until nothing has been written for so long.
    async fn settles(&self, quiet: Duration) -> Result<(), Violation> {
        let (begun, mut since, mut known) = (Instant::now(), Instant::now(), None);
        while since.elapsed() < quiet {
            let (written, revision) = {
                let world = self.shared.world();
                (world.last_write.clone(), world.acts.len())
            };
            if known.as_ref() != Some(&(written.clone(), revision)) {
                (since, known) = (Instant::now(), Some((written.clone(), revision)));
            }
            if begun.elapsed() > self.setting.limit {
                let last = written.map(|(_, what)| what).unwrap_or_default();
                let detail = format!("after {:?} the operator still writes: {last}", self.setting.limit);
                return Err(Violation::new(
                    "nothing is written at rest, even when nothing goes wrong",
                    detail,
                ));
            }
            sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    async fn story(&self, begun: Instant) -> Result<(), Violation> {
        for (number, (at, _)) in self.plan.story.iter().enumerate() {
            sleep_until(begun + *at).await;
            self.act(number).await?;
        }
        Ok(())
    }

    async fn faults(&self, begun: Instant) {
        for event in &self.plan.events {
            sleep_until(begun + event.at).await;
            self.befall(event).await;
        }
    }

    /// One replica after the other is replaced by one of the new version.
    async fn upgrades(&self, begun: Instant) {
        let mut upgrades: Vec<_> = self.plan.upgrades.iter().enumerate().collect();
        upgrades.sort_by_key(|(_, at)| **at);
        for (replica, at) in upgrades {
            sleep_until(begun + *at).await;
            self.order(replica, Order::Upgrade);
        }
    }

    fn order(&self, replica: usize, order: Order) {
        if let Some(replica) = self.orders.get(replica) {
            let _ = replica.send(order);
        }
    }

    async fn befall(&self, event: &Event) {
        let order = |order| self.order(event.replica, order);
        match event.fault {
            SimFault::Crash => order(Order::Crash),
            SimFault::Stop => order(Order::Stop),
            SimFault::CutOff => order(Order::CutOff(event.lasts)),
            SimFault::Compaction => {
                let mut world = self.shared.world();
                world.tell("server", "forgets old versions");
                world.compact();
            }
            // The worst moment is in the middle of a reconcile.
            SimFault::Freeze if event.pick.is_multiple_of(2) => {
                let first = usize::try_from(event.pick / 2 % 5).unwrap_or_default();
                self.shared.world().freezing = Some((first, event.clone()));
            }
            SimFault::Freeze => freeze(&self.shared, event).await,
            SimFault::LeaseDeleted => self.lease(None),
            SimFault::LeaseTaken => self.lease(Some("somebody-else")),
            SimFault::Changed | SimFault::Deleted => self.meddle(event),
            SimFault::NameTaken => self.take_name(event),
            _ => {}
        }
    }

    /// Somebody deletes the Lease, or writes a holder into it.
    fn lease(&self, holder: Option<&str>) {
        let mut world = self.shared.world();
        let Some(lease) = world.objects().find(|object| is_lease(object)).cloned() else { return };
        let (path, now) = (world.kinds.path(&lease), world.now());
        world.lease_disturbed = Some(now);
        let (status, _) = if let Some(holder) = holder {
            world.tell("somebody else", "takes the Lease");
            let taken = json!({ "spec": { "holderIdentity": holder } });
            world.call("somebody else", Method::PATCH, &path, MERGE, &taken)
        } else {
            world.tell("somebody else", "deletes the Lease");
            world.call("somebody else", Method::DELETE, &path, "application/json", &Value::Null)
        };
        debug_assert!(status.is_success(), "{status}");
    }

    /// Somebody changes or deletes something that the operator has made.
    fn meddle(&self, event: &Event) {
        let mut world = self.shared.world();
        let made = world.objects().filter(|object| self.setting.rules.is_made(object));
        let mut made: Vec<_> = made.cloned().collect();
        made.sort_by_cached_key(name);
        let mut draw = Draw::from_state(event.pick);
        let Some(object) = draw.pick(&made) else { return };
        let path = world.kinds.path(object);
        if event.fault == SimFault::Deleted {
            world.call("somebody else", Method::DELETE, &path, "application/json", &Value::Null);
            return;
        }
        let mut change = json!({ "metadata": { "annotations": { TOUCHED: draw.number().to_string() } } });
        if object["spec"]["replicas"].is_u64() && draw.chance(700) {
            change["spec"] = json!({ "replicas": draw.below(6) });
        }
        world.call("somebody else", Method::PATCH, &path, MERGE, &change);
    }

    /// Somebody makes an object of a name that the operator wants at some time, unless there is one.
    fn take_name(&self, event: &Event) {
        let Some(expected) = &self.setting.rules.expected else { return };
        let mut wanted: Vec<_> = expected.made.iter().flatten().collect();
        wanted.retain(|object| object["metadata"]["generateName"].is_null());
        let mut draw = Draw::from_state(event.pick);
        let Some(&object) = draw.pick(&wanted) else { return };
        if self.shared.world().intrude(object.clone(), &["name", "namespace", "labels"]) {
            let (shared, lasts) = (self.shared.clone(), event.lasts);
            spawn_local(async move {
                sleep(lasts).await;
                remove_intruders(&shared);
            });
        }
    }

    /// Waits until all is as it should be, and stays so.
    async fn ends_well(&self) -> Result<(), Violation> {
        remove_intruders(&self.shared);
        let deadline = Instant::now() + self.setting.limit;
        let (mut checked, mut seen) = (None, Ok(()));
        loop {
            // What a silent watch has not told is heard once its reader asks again.
            let hears_all = {
                let world = self.shared.world();
                if checked != Some(world.revision()) {
                    checked = Some(world.revision());
                    seen = self.setting.rules.finally(&world);
                }
                world.unheard == 0
            };
            if seen.is_ok() && hears_all {
                break;
            }
            if Instant::now() > deadline {
                let limit = self.setting.limit;
                let after = format!(" (within {limit:?} after the last fault)");
                seen.map_err(|it| Violation::new(it.property + &after, it.detail))?;
                let detail = format!("one, or a list, is still waited for {limit:?} after the last fault");
                return Err(Violation::new("a watch that says nothing is given up", detail));
            }
            sleep(Duration::from_secs(1)).await;
        }
        // What was decided before may still be under way.
        sleep(self.setting.rest / 3).await;
        let before = self.shared.world().last_write.clone();
        sleep(self.setting.rest).await;
        let world = self.shared.world();
        if let Some((_, what)) = world.last_write.clone().filter(|_| world.last_write != before) {
            return Err(Violation::new("nothing is written at rest", what));
        }
        self.setting.rules.finally(&world)
    }
}

/// Those who made objects in the operator's place take them away again.
fn remove_intruders(shared: &Shared) {
    let mut world = shared.world();
    for (path, uid) in std::mem::take(&mut world.intruders) {
        let options = json!({ "preconditions": { "uid": uid } });
        world.call("somebody else", Method::DELETE, &path, "application/json", &options);
    }
}
