//! What must hold of every history: always, and in the end.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use super::guarded;
use super::kinds::{Kinds, controller, group, is_kept, is_lease, name, text};
use super::world::{Author, Violation, World};
use crate::story::snapshot::Snapshot;

/// How long a leader that was robbed of its Lease by hand may go on: the default of `--leader-elect-renew-deadline`.
pub(super) const RENEW_DEADLINE: Duration = Duration::from_secs(10);

/// What becomes of an object when somebody writes.
pub(super) struct Change {
    pub(super) before: Option<Arc<Value>>,
    pub(super) after: Option<Arc<Value>>,
}

/// What the objects of the cluster must fulfil.
type Check = dyn Fn(&[Value]) -> Result<(), String> + Send + Sync;

/// A property of the user's.
#[derive(Clone)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) check: Arc<Check>,
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Property {
    fn of(&self, objects: &[Value]) -> Result<(), Violation> {
        let checked =
            guarded(|| (self.check)(objects)).unwrap_or_else(|panic| Err(format!("it panicked: {panic}")));
        checked.map_err(|detail| Violation::new(&self.name, detail))
    }
}

/// How a story comes out when nothing goes wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    /// What there is in the end.
    pub(super) end: Snapshot,
    pub(super) objects: Vec<Value>,
    /// What the operator has made, after each act of the story.
    pub(super) made: Vec<Vec<Value>>,
    /// Whether the operator has written anything.
    pub(super) writes: bool,
}

impl Expected {
    /// Whether the operator wants an object of that name after the act.
    fn wants(&self, act: usize, name: &str) -> bool {
        self.made.get(act).is_some_and(|made| made.iter().any(|object| self::name(object) == name))
    }

    /// How many objects of that kind whose name the server has made there are at most.
    fn most(&self, kind: &str, begin: &str) -> usize {
        let of = |made: &Vec<Value>| made.iter().filter(|object| is_like(object, kind, begin)).count();
        self.made.iter().map(of).max().unwrap_or_default()
    }
}

/// Whether the server has made the object's name, which begins like this.
fn is_like(object: &Value, kind: &str, begin: &str) -> bool {
    object["kind"] == kind && object["metadata"]["generateName"] == begin
}

/// What is checked, and what has to be known for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) definitions: Vec<CustomResourceDefinition>,
    pub(super) kinds: Arc<Kinds>,
    /// Kinds of objects that are not the operator's, and that it may change.
    pub(super) may_change: BTreeSet<String>,
    pub(super) always: Vec<Property>,
    pub(super) finally: Vec<Property>,
    pub(super) ignored: Vec<(String, String)>,
    /// Unknown while it is found out.
    pub(super) expected: Option<Arc<Expected>>,
}

impl Rules {
    /// The user's own properties.
    pub(super) fn always<'a>(&self, objects: impl Iterator<Item = &'a Value>) -> Result<(), Violation> {
        if self.always.is_empty() {
            return Ok(());
        }
        let objects: Vec<_> = objects.cloned().collect();
        self.always.iter().try_for_each(|property| property.of(&objects))
    }

    /// What is not as it should be in the end.
    pub(super) fn finally(&self, world: &World) -> Result<(), Violation> {
        let expected = self.expected.as_deref().map(|expected| &expected.end);
        let seen = self.snapshot(world);
        let differences = expected.map(|expected| expected.differences(&seen, 8)).unwrap_or_default();
        if !differences.is_empty() {
            return Err(Violation::new(
                "in the end there is what there is when nothing goes wrong",
                differences.join("\n  "),
            ));
        }
        let objects: Vec<_> = world.objects().cloned().collect();
        self.finally.iter().try_for_each(|property| property.of(&objects))
    }

    /// All that there is but Events and Leases, without what differs from history to history.
    pub(super) fn snapshot(&self, world: &World) -> Snapshot {
        let compared = world.objects().filter(|object| !is_kept(object) && !is_definition(object));
        // No text has this namespace in it.
        Snapshot::new(compared.cloned().collect(), "\0", &self.ignored)
    }

    /// Whether the operator has made it, or its project defines it.
    pub(super) fn is_ours(&self, object: &Value) -> bool {
        let defines = |of: &Value| self.kinds.is_ours(text(of, "/apiVersion"), text(of, "/kind"));
        defines(object) || controller(object).is_some_and(defines)
    }

    /// Whether the operator has made it for an object of its project's.
    pub(super) fn is_made(&self, object: &Value) -> bool {
        self.is_ours(object) && controller(object).is_some()
    }
}

fn is_definition(object: &Value) -> bool {
    object["kind"] == "CustomResourceDefinition"
        && group(text(object, "/apiVersion")) == "apiextensions.k8s.io"
}

/// What must hold of every write of the operator's.
pub(super) fn of_a_write(
    world: &World,
    rules: &Rules,
    by: &Author,
    change: &Change,
    unled: Option<&str>,
) -> Result<(), Violation> {
    let Some(object) = change.before.as_deref().or(change.after.as_deref()) else { return Ok(()) };
    if !by.is_operator() || is_lease(object) {
        return Ok(());
    }
    let who = format!("{} {} {}", by.name, verb(change), name(object));
    if let Some(reason) = unled {
        return Err(Violation::new("only the leader writes", format!("{who}, but {reason}")));
    }
    if is_kept(object) || is_definition(object) {
        return Ok(());
    }
    if let Some(before) = change.before.as_deref()
        && !rules.is_ours(before)
        && !rules.may_change.contains(text(before, "/kind"))
    {
        let detail = format!("{who}, which no object of the operator's controls");
        return Err(Violation::new("nothing is changed that is not the operator's", detail));
    }
    match (change.before.as_deref(), change.after.as_deref()) {
        (Some(before), after) if ends(after) && !ends(Some(before)) => {
            is_unwanted(world, rules, before, &who)
        }
        (None, Some(after)) => is_new(world, rules, after, &who),
        _ => Ok(()),
    }
}

/// Whether the object is gone, or about to be.
fn ends(object: Option<&Value>) -> bool {
    object.is_none_or(|object| !object["metadata"]["deletionTimestamp"].is_null())
}

fn verb(change: &Change) -> &'static str {
    match (change.before.as_deref(), change.after.as_deref()) {
        (None, _) => "creates",
        (Some(_), after) if ends(after) => "deletes",
        _ => "changes",
    }
}

/// What is deleted was unwanted at some time while it was there.
fn is_unwanted(world: &World, rules: &Rules, object: &Value, who: &str) -> Result<(), Violation> {
    let Some(expected) = &rules.expected else { return Ok(()) };
    let owner = controller(object).and_then(|owner| world.object(text(owner, "/uid")));
    if !rules.is_made(object) || owner.is_none_or(|owner| ends(Some(owner))) {
        return Ok(());
    }
    let born = world.born.get(text(object, "/metadata/uid")).copied().unwrap_or_default();
    let first = world.acts.iter().rposition(|(at, _)| *at <= born).unwrap_or_default();
    let name = name(object);
    let since = world.acts.iter().skip(first);
    if world.acts.is_empty() || since.clone().any(|(_, act)| !expected.wants(*act, &name)) {
        return Ok(());
    }
    let detail = format!("{who}, which has been wanted ever since it was made");
    Err(Violation::new("nothing is deleted that is wanted", detail))
}

/// There are not too many whose names the server has made from the same beginning.
fn is_new(world: &World, rules: &Rules, object: &Value, who: &str) -> Result<(), Violation> {
    let (kind, begin) = (text(object, "/kind"), text(object, "/metadata/generateName"));
    let Some(expected) = rules.expected.as_ref().filter(|_| !begin.is_empty()) else { return Ok(()) };
    let owner = controller(object).map(|owner| text(owner, "/uid"));
    let is_same = |other: &&Value| {
        let of = controller(other).map(|owner| text(owner, "/uid"));
        is_like(other, kind, begin) && of == owner && !ends(Some(other))
    };
    let (count, most) = (world.objects().filter(is_same).count(), expected.most(kind, begin));
    if count <= most {
        return Ok(());
    }
    let detail = format!("{who}: there are {count} called {begin}\u{2026}, and there should be {most}");
    Err(Violation::new("nothing is made twice", detail))
}
