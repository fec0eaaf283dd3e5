//! The ways in which a story is told, and what must be the same in all.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::ResourceExt as _;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::snapshot::{Snapshot, TOUCHED};
use super::stage::{Kind, Stage, is_of_the_operator};
use super::{FaultCase, Story};
use crate::{AuditEvent, ControlPlane, Fault, Operator, Request};

/// How long the past is shown, and a write is held up.
const PAST: Duration = Duration::from_secs(4);
const DELAY: Duration = Duration::from_secs(1);
/// How long somebody else takes to get in the way of a write.
const TOUCH: Duration = Duration::from_millis(300);
/// The operator must stop within this time.
const STOP: Duration = Duration::from_secs(5);

/// Answers to lists, by path and query.
type Lists = BTreeMap<(String, String), String>;

/// What there is after a step.
struct Step {
    kinds: Vec<Kind>,
    snapshot: Snapshot,
}

/// How the story goes when nothing goes wrong.
pub(super) struct Expected {
    steps: Vec<Step>,
    /// When the object has been deleted.
    gone: Step,
    /// Before that.
    counts: BTreeMap<String, usize>,
    events: BTreeMap<String, usize>,
    writes: Vec<AuditEvent>,
    is_namespaced: bool,
}

impl Expected {
    /// How many writes the story takes until the object is deleted.
    pub(super) fn writes(&self) -> usize {
        self.writes.len()
    }

    pub(super) fn is_namespaced(&self) -> bool {
        self.is_namespaced
    }

    fn last(&self) -> usize {
        self.steps.len() - 1
    }

    /// After the step of that number; after all of them the object is gone.
    fn after(&self, step: usize) -> &Step {
        self.steps.get(step).unwrap_or(&self.gone)
    }
}

/// Tells the story with nothing going wrong.
pub(super) async fn undisturbed(control_plane: &ControlPlane, story: &Story) -> Result<Expected, String> {
    let stage = Stage::new(control_plane, story, "story-undisturbed".to_owned()).await?;
    let operator = stage.operator().await;
    let mut steps = Vec::new();
    for step in 0..story.steps.len() {
        stage.write(step).await?;
        stage.settles(&format!("step {}", step + 1)).await?;
        let kinds = stage.kinds().await?;
        steps.push(Step { snapshot: stage.snapshot(&kinds).await?, kinds });
    }
    let (counts, events, writes) = (stage.counts(), stage.events().await?, stage.writes());
    stage.delete().await?;
    stage.gone().await?;
    let kinds = stage.kinds().await?;
    stage.collect_garbage(&kinds).await?;
    stage.settles("after the deletion").await?;
    stage.collect_garbage(&kinds).await?;
    let gone = Step { snapshot: stage.snapshot(&kinds).await?, kinds };
    stops(operator).await?;
    Ok(Expected { steps, gone, counts, events, writes, is_namespaced: stage.is_namespaced() })
}

/// What a telling is called.
pub(super) fn title(case: FaultCase, nth: usize, expected: &Expected) -> String {
    match case {
        FaultCase::Killed => {
            let count = expected.writes();
            // In another order, perhaps: those that go on at the same time overtake each other.
            format!("killed after write {nth} of {count} ({})", expected.writes[nth - 1])
        }
        FaultCase::AnswersLost => "every second answer lost".to_owned(),
        FaultCase::Conflicts => "somebody else in the way".to_owned(),
        FaultCase::Past => "shown the past".to_owned(),
        FaultCase::Replaced => "the object replaced".to_owned(),
    }
}

/// Tells the story in a case; the `nth` time, where there are several.
pub(super) async fn tell(
    control_plane: &ControlPlane,
    story: &Story,
    expected: &Expected,
    case: FaultCase,
    nth: usize,
) -> Result<(), String> {
    let name = format!("story-{}-{nth}", format!("{case:?}").to_lowercase());
    let telling = Telling { stage: Stage::new(control_plane, story, name).await?, expected };
    match case {
        FaultCase::Killed => telling.killed(nth).await,
        FaultCase::AnswersLost => telling.answers_lost().await,
        FaultCase::Conflicts => telling.conflicts().await,
        FaultCase::Past => telling.past().await,
        FaultCase::Replaced => telling.replaced().await,
    }
}

/// The story, told once more.
struct Telling<'a> {
    stage: Stage<'a>,
    expected: &'a Expected,
}

impl Telling<'_> {
    async fn killed(self, nth: usize) -> Result<(), String> {
        let (stage, count) = (&self.stage, AtomicUsize::new(0));
        stage.proxy.inject(move |asked| {
            match asked.writes().then(|| count.fetch_add(1, Ordering::SeqCst) + 1) {
                Some(number) if number == nth => Fault::LoseResponse,
                // The operator is dead by then, as far as the cluster can see.
                Some(number) if number > nth => Fault::Hang,
                _ => Fault::None,
            }
        });
        let operator = stage.operator().await;
        let (mut play, mut is_played) = (pin!(self.play(0)), false);
        let is_unheard = tokio::select! {
            biased;
            () = stage.proxy.response_lost() => true,
            played = &mut play => {
                played?;
                is_played = true;
                // It may be an Event. Nor does each telling take as many writes: two may become one.
                timeout(stage.quiet(), stage.proxy.response_lost()).await.is_ok()
            }
        };
        let operator = if is_unheard {
            operator.kill();
            stage.proxy.heal();
            stage.operator().await
        } else {
            stage.proxy.heal();
            operator
        };
        if !is_played {
            play.await?;
        }
        self.ends_as_undisturbed(operator).await
    }

    async fn answers_lost(self) -> Result<(), String> {
        // Counted for each object: a reconcile that always writes an even number of times would never get further.
        let counts: Mutex<BTreeMap<String, usize>> = Mutex::default();
        self.stage.proxy.inject(move |asked| {
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(asked.path.clone()).or_default();
            *count += usize::from(asked.writes());
            if asked.writes() && !count.is_multiple_of(2) { Fault::LoseResponse } else { Fault::None }
        });
        let operator = self.stage.operator().await;
        self.play(0).await?;
        self.stage.proxy.heal();
        self.ends_as_undisturbed(operator).await
    }

    async fn conflicts(self) -> Result<(), String> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        // What was touched before the write that came last: the next one is let through.
        let disturbed = Arc::new(Mutex::new(BTreeSet::new()));
        let known = disturbed.clone();
        self.stage.proxy.inject(move |asked| {
            let Some(path) = changed(asked) else { return Fault::None };
            if lock(&known).remove(path) {
                return Fault::None;
            }
            let _ = sender.send(path.to_owned());
            Fault::Delay(TOUCH)
        });
        let operator = self.stage.operator().await;
        let mut touched = BTreeMap::new();
        let touching = async {
            let mut number = 0;
            while let Some(path) = receiver.recv().await {
                number += 1;
                let value = number.to_string();
                if let Some(object) = self.stage.touch(&path, TOUCHED, &value).await {
                    lock(&disturbed).insert(path.clone());
                    touched.insert(path, (object["metadata"]["uid"].clone(), value));
                }
            }
        };
        tokio::select! {
            played = self.play(0) => played?,
            () = touching => return Err("the proxy has ended".to_owned()),
        }
        for (path, (uid, value)) in touched {
            let Some(object) = self.stage.get(&path).await else { continue };
            let metadata = &object["metadata"];
            if metadata["uid"] == uid && metadata["annotations"][TOUCHED] != value.as_str() {
                return Err(format!("an annotation that somebody else made is lost from {path}"));
            }
        }
        self.stage.proxy.heal();
        self.ends_as_undisturbed(operator).await
    }

    async fn past(self) -> Result<(), String> {
        let (stage, last) = (&self.stage, self.expected.last());
        let operator = stage.operator().await;
        self.step(0).await?;
        operator.kill();
        for step in 1..=last {
            // The user asks for a change, and thinks better of it before anything was done about it.
            stage.write(step).await?;
            stage.proxy.inject(|asked| if asked.writes() { Fault::Hang } else { Fault::None });
            let observer = stage.operator().await;
            observer.kill();
            let past = stage.proxy.lists();
            stage.write(step - 1).await?;
            self.shown(past, step - 1).await?;

            let operator = stage.operator().await;
            self.step(step).await?;
            operator.kill();
        }
        let operator = stage.operator().await;
        let past = stage.proxy.lists();
        self.step(last + 1).await?;
        operator.kill();
        self.shown(past, last + 1).await
    }

    /// Starts an operator that is shown the past for a while, where all is as it should be after this step.
    async fn shown(&self, past: Lists, step: usize) -> Result<(), String> {
        let (stage, what) = (&self.stage, self.named(step));
        let (before, versions) = (stage.writes().len(), self.versions().await?);
        let lists = Arc::new(AtomicUsize::new(0));
        let seen = lists.clone();
        stage.proxy.inject(move |asked| {
            let shown = past.get(&(asked.path.clone(), asked.query.clone()));
            match shown.filter(|_| asked.method == "GET") {
                _ if asked.watches() => Fault::Hang,
                Some(list) => {
                    seen.fetch_add(1, Ordering::Relaxed);
                    Fault::Body(list.clone())
                }
                None => Fault::None,
            }
        });
        let mut operator = stage.launch();
        sleep(PAST).await;
        stage.proxy.heal();
        if lists.load(Ordering::Relaxed) == 0 {
            return Err(format!("the operator asked for no list within {PAST:?}"));
        }
        // One watch hears of the present before the other. What is done in between is refused, and tried again.
        operator.ready().await;
        sleep(stage.quiet()).await;
        let Step { kinds, snapshot } = self.expected.after(step);
        stage.becomes(&format!("all is again as after {what}"), kinds, snapshot).await?;
        let since = stage.writes().split_off(before);
        // To write what is there already does no harm.
        let is_harm = |write: &&AuditEvent| {
            let makes_or_deletes = write.created() || write.verb == "delete" && write.succeeded();
            makes_or_deletes && !is_of_the_operator(write)
        };
        let harm: Vec<_> = since.iter().filter(is_harm).map(ToString::to_string).collect();
        if !harm.is_empty() {
            return Err(format!("done on the word of the past, after {what}: {harm:?}"));
        }
        if self.versions().await? != versions {
            return Err(format!("changed on the word of the past, after {what}"));
        }
        operator.kill();
        Ok(())
    }

    async fn replaced(self) -> Result<(), String> {
        let (stage, expected) = (&self.stage, self.expected);
        let operator = stage.operator().await;
        for step in 0..expected.last().max(1) {
            self.step(step).await?;
        }
        let kinds = &expected.gone.kinds;
        let old = stage.subject().await?.and_then(|object| object.uid()).unwrap_or_default();
        let belongs = |object: &kube::api::DynamicObject, uid: &str| {
            object.owner_references().iter().any(|owner| owner.uid == uid)
        };
        stage.proxy.inject(|asked| if changed(asked).is_some() { Fault::Delay(DELAY) } else { Fault::None });
        stage.write(expected.last()).await?;
        sleep(DELAY / 3).await;
        stage.proxy.freeze_watches();
        stage.delete().await?;
        if stage.subject().await?.is_some() {
            // It has a finalizer.
            stage.proxy.thaw_watches();
            stage.gone().await?;
            stage.proxy.freeze_watches();
        }
        // The new one wants what the old one had, so that the old one's children are in its way.
        let wanted = expected.last().saturating_sub(1);
        stage.write(wanted).await?;
        stage.proxy.heal();
        sleep(DELAY * 2).await;
        let new = stage.subject().await?.and_then(|object| object.uid()).unwrap_or_default();
        let objects = stage.objects(kinds).await?;
        let orphans: Vec<_> = objects.iter().filter(|object| belongs(object, &old)).collect();
        stage.proxy.thaw_watches();
        sleep(DELAY).await;
        for now in stage.objects(kinds).await? {
            let was_an_orphan = orphans.iter().any(|orphan| orphan.uid() == now.uid());
            if was_an_orphan && belongs(&now, &new) {
                return Err(format!("{} of the old object was taken for the new one's", now.name_any()));
            }
        }
        stage.collect_garbage(kinds).await?;
        self.play(wanted).await?;
        let children = stage.objects(kinds).await?;
        if let Some(child) = children.iter().find(|child| belongs(child, &old)) {
            return Err(format!("{} still belongs to the old object", child.name_any()));
        }
        self.is_sound(operator).await
    }

    fn named(&self, step: usize) -> String {
        if step <= self.expected.last() { format!("step {}", step + 1) } else { "the deletion".to_owned() }
    }

    /// Tells the story from this step to the last.
    async fn play(&self, from: usize) -> Result<(), String> {
        for step in from..=self.expected.last() {
            self.step(step).await?;
        }
        Ok(())
    }

    /// Changes the object, or deletes it after the last change, and waits until there is what there must be then.
    async fn step(&self, step: usize) -> Result<(), String> {
        let Step { kinds, snapshot } = self.expected.after(step);
        if step <= self.expected.last() {
            self.stage.write(step).await?;
        } else {
            self.stage.delete().await?;
            self.stage.gone().await?;
            self.stage.collect_garbage(kinds).await?;
        }
        let what = format!("all is as it is undisturbed after {}", self.named(step));
        self.stage.becomes(&what, kinds, snapshot).await
    }

    /// Which versions of what there is, but for the object itself.
    async fn versions(&self) -> Result<Vec<(Option<String>, Option<String>)>, String> {
        let objects = self.stage.objects(&self.expected.gone.kinds[1..]).await?;
        Ok(objects.iter().map(|object| (object.uid(), object.resource_version())).collect())
    }

    /// After the story, everything must be as if nothing had gone wrong.
    async fn ends_as_undisturbed(&self, operator: Operator) -> Result<(), String> {
        for (what, count) in self.stage.counts() {
            // There may be fewer: what was asked for by one who died meanwhile is done, and recorded as given up.
            let expected = self.expected.counts.get(&what).copied().unwrap_or_default();
            if count > expected {
                return Err(format!("{count} {what}, not {expected}"));
            }
        }
        for (reason, count) in self.stage.events().await? {
            // One may be missing, because what it tells of was heard of by nobody.
            if count > self.expected.events.get(&reason).copied().unwrap_or_default() {
                return Err(format!("{count} Events say `{reason}`"));
            }
        }
        self.is_sound(operator).await
    }

    /// Nothing more is written, the operator lives, lets go of the object when that is deleted, and stops in time.
    async fn is_sound(&self, mut operator: Operator) -> Result<(), String> {
        let before = self.stage.writes().len();
        sleep(self.stage.quiet()).await;
        let since = self.stage.writes().split_off(before);
        let since: Vec<_> =
            since.iter().filter(|write| !is_of_the_operator(write)).map(ToString::to_string).collect();
        if !since.is_empty() {
            return Err(format!("written though all is well: {since:?}"));
        }
        operator.assert_alive().await;
        self.step(self.expected.last() + 1).await?;
        stops(operator).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn stops(operator: Operator) -> Result<(), String> {
    let took = operator.stop().await;
    if took < STOP { Ok(()) } else { Err(format!("stopping took {took:?}")) }
}

/// The path of the object that a request would change, if it is one that others change, too.
fn changed(asked: &Request) -> Option<&str> {
    let is_change = ["PATCH", "PUT", "DELETE"].contains(&asked.method.as_str());
    let is_own = ["/events/", "/leases/"].iter().any(|own| asked.path.contains(own));
    let path = asked.path.strip_suffix("/status").unwrap_or(&asked.path);
    (is_change && !is_own).then_some(path)
}
