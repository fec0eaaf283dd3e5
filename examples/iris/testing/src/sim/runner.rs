//! Tells histories, each on a thread of its own, until one ends badly.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::fault::SimFault;
use super::history::{self, Outcome, Setting};
use super::plan::{Act, Bounds, Plan};
use super::property::Expected;
use super::shrink::shrink;
use super::world::Violation;
use super::{log, report};

/// How long one history may take in real time. A fraction of a second is usual.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stories come out like when nothing goes wrong, or why they do not.
type Known = BTreeMap<Vec<Act>, Result<Arc<Expected>, Violation>>;

pub(super) struct Runner {
    pub(super) setting: Setting,
    pub(super) left_out: Vec<SimFault>,
    pub(super) replicas: usize,
    pub(super) may_replace: bool,
    pub(super) may_delete: bool,
    pub(super) expected: Mutex<Known>,
}

/// How much was told.
#[derive(Default)]
pub(super) struct Told {
    histories: AtomicUsize,
    requests: AtomicUsize,
    seconds: AtomicU64,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        let hours = Duration::from_secs(self.seconds.load(Ordering::Relaxed)).as_secs_f64() / 3600.0;
        let (histories, requests) = (count(&self.histories), count(&self.requests));
        write!(f, "{histories} histories of {requests} requests and {hours:.1} virtual hours")
    }
}

impl Runner {
    /// Tells the histories of these seeds until one ends badly, or none begins any more after the deadline.
    pub(super) fn seeds(
        &self,
        seeds: RangeInclusive<u64>,
        deadline: Option<Instant>,
    ) -> (Told, Option<String>) {
        let (next, failed) = (AtomicU64::new(*seeds.start()), AtomicBool::new(false));
        let (told, failures) = (Told::default(), Mutex::new(BTreeMap::new()));
        let work = || {
            while !failed.load(Ordering::Relaxed) && deadline.is_none_or(|deadline| Instant::now() < deadline)
            {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if !seeds.contains(&seed) {
                    return;
                }
                let plan = self.plan(seed);
                let outcome = self.tell(&plan, false);
                told.histories.fetch_add(1, Ordering::Relaxed);
                told.requests.fetch_add(outcome.requests, Ordering::Relaxed);
                told.seconds.fetch_add(outcome.lasted.as_secs(), Ordering::Relaxed);
                if outcome.result.is_err() {
                    failed.store(true, Ordering::Relaxed);
                    failures.lock().unwrap_or_else(PoisonError::into_inner).insert(seed, (plan, outcome));
                }
            }
        };
        // The first one is asked alone whether there is anything to test.
        match self.expected(&self.plan(*seeds.start()).acts()) {
            Ok(expected) if !expected.writes => eprintln!("{NOTHING}"),
            Ok(_) => {}
            Err(violation) => return (told, Some(undisturbed(&violation))),
        }
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
        let failure = failures.into_values().next().map(|(plan, outcome)| self.failure(&plan, outcome));
        (told, failure)
    }

    /// Tells the history of a seed with all that the operator says.
    pub(super) fn replay(&self, seed: u64) -> Option<String> {
        let plan = self.plan(seed);
        if let Err(violation) = self.expected(&plan.acts()) {
            return Some(undisturbed(&violation));
        }
        let outcome = self.tell(&plan, true);
        outcome.result.is_err().then(|| self.failure(&plan, outcome))
    }

    /// Tells what happens when nothing goes wrong but these first requests of their names.
    pub(super) fn once(&self, faults: BTreeMap<String, SimFault>) -> Outcome {
        on_thread(self.setting.clone(), Plan::named(self.setting.steps.len(), faults), false)
    }

    pub(super) fn fingerprint(&self, seed: u64) -> u64 {
        self.tell(&self.plan(seed), false).hash
    }

    fn plan(&self, seed: u64) -> Plan {
        let bounds = Bounds {
            steps: self.setting.steps.len(),
            replicas: self.replicas,
            left_out: &self.left_out,
            may_replace: self.may_replace,
            may_delete: self.may_delete,
            upgrades: self.setting.older.is_some(),
        };
        Plan::draw(seed, &bounds)
    }

    /// The report about a history that ended badly.
    fn failure(&self, plan: &Plan, outcome: Outcome) -> String {
        let Err(violation) = outcome.result.clone() else { return String::new() };
        if violation.property == ENDS {
            return report::failure(plan, &violation, plan, &outcome);
        }
        let (shortest, outcome) = shrink(plan, outcome, &violation, |plan| Some(self.tell(plan, false)));
        let violation = outcome.result.clone().err().unwrap_or(violation);
        report::failure(plan, &violation, &shortest, &outcome)
    }

    fn tell(&self, plan: &Plan, logs: bool) -> Outcome {
        let mut setting = self.setting.clone();
        match self.expected(&plan.acts()) {
            Ok(expected) => setting.rules.expected = Some(expected),
            Err(violation) => return Outcome::failed(violation),
        }
        on_thread(setting, plan.clone(), logs)
    }

    /// How a story comes out when nothing goes wrong.
    fn expected(&self, acts: &[Act]) -> Result<Arc<Expected>, Violation> {
        let known = || self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expected) = known().get(acts) {
            return expected.clone();
        }
        let outcome = on_thread(self.setting.clone(), Plan::undisturbed(acts), false);
        let expected = outcome.result.map(Arc::new);
        known().insert(acts.to_vec(), expected.clone());
        expected
    }
}

const NOTHING: &str = "note: the operator writes nothing when nothing goes wrong, so there is little to test: is the \
                       story's object where it watches?";
const ENDS: &str = "a history ends";

fn undisturbed(violation: &Violation) -> String {
    format!("even when nothing goes wrong, {violation}")
}

/// Runs a history where nothing remembers the one before.
fn on_thread(setting: Setting, plan: Plan, logs: bool) -> Outcome {
    let (send, receive) = channel();
    let history = thread::Builder::new().name("history".to_owned()).stack_size(8 << 20);
    let spawned = history.spawn(move || {
        let run = || history::run(&setting, &plan);
        let _ = send.send(if logs { log::with(run) } else { run() });
    });
    let failed = |detail: String| Outcome::failed(Violation::new(ENDS, detail));
    if let Err(error) = spawned {
        return failed(format!("there is no thread for it: {error}"));
    }
    match receive.recv_timeout(PATIENCE) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => failed(format!(
            "it has taken {PATIENCE:?} of real time: the operator blocks its thread, as std::thread::sleep or a loop \
             without an await does, or it waits for something outside of the simulation"
        )),
        Err(RecvTimeoutError::Disconnected) => failed("its thread panicked".to_owned()),
    }
}
