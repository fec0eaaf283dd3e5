//! What happens to one object, told again and again under faults.

mod cases;
pub(crate) mod snapshot;
mod stage;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use kube::Client;
use kube::api::DynamicObject;
use serde_json::Value;

use crate::{ControlPlane, Project};
use cases::Expected;

/// Cases that run at the same time: they mostly wait.
const AT_ONCE: usize = 4;
/// After so many that failed no other one begins.
const ENOUGH: usize = 3;
/// Quick time-outs, so that nobody waits long. All else is as in a cluster.
const ARGS: [&str; 3] = ["--request-timeout=2s", "--reconcile-timeout=4s", "--watch-check-period=1s"];

type Environment = dyn Fn(Client, String) -> BoxFuture<'static, ()> + Send + Sync;

/// A way in which things go wrong around a reconcile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultCase {
    /// The operator is killed after each of its writes in turn, without having heard what became of it.
    Killed,
    /// Every second write is done, and its answer is lost.
    AnswersLost,
    /// Somebody else changes an object between the operator's look at it and its write.
    Conflicts,
    /// A new operator is shown a moment that is over, as by a server that has fallen behind: the user had asked for a
    /// change, and has thought better of it since; or has deleted the object since.
    Past,
    /// The object is deleted and made anew while a write for the old one is under way.
    Replaced,
}

impl FaultCase {
    const ALL: [Self; 5] = [Self::Killed, Self::AnswersLost, Self::Conflicts, Self::Past, Self::Replaced];
}

/// What happens to one object of a kind: it is made, changed step by step, and deleted.
///
/// [`Story::withstands`] tells it once undisturbed, and then again with everything going wrong that a reconcile has to
/// withstand, each time with an operator of its own:
///
/// ```no_run
/// use operator_testing::{Story, project};
/// use serde_json::json;
///
/// # /* So that it is compiled:
/// #[tokio::test]
/// # */
/// async fn memcached_withstands_faults() {
///     Story::of_sample(project!(), "cache.example.com/v1alpha1", "Memcached")
///         .then(json!({ "spec": { "replicas": 3 } }))
///         .withstands()
///         .await;
/// }
/// # fn main() {}
/// ```
pub struct Story {
    project: Project,
    steps: Vec<DynamicObject>,
    given: Vec<DynamicObject>,
    environment: Option<Arc<Environment>>,
    ignored: Vec<(String, String)>,
    left_out: Vec<FaultCase>,
    args: Vec<String>,
    quiet: Duration,
}

impl Story {
    /// The story that begins with an object being made. Its namespace does not matter: each telling has its own.
    #[must_use]
    pub fn of(project: Project, object: DynamicObject) -> Self {
        Self {
            project,
            steps: vec![object],
            given: Vec::new(),
            environment: None,
            ignored: Vec::new(),
            left_out: Vec::new(),
            args: ARGS.map(str::to_owned).into(),
            quiet: Duration::from_secs(2),
        }
    }

    /// The story that begins with the project's sample of a kind being applied.
    #[must_use]
    pub fn of_sample(project: Project, api_version: &str, kind: &str) -> Self {
        let sample = project.sample(api_version, kind);
        Self::of(project, sample)
    }

    /// Then the object is changed by this merge patch.
    #[must_use]
    pub fn then(mut self, patch: Value) -> Self {
        let last = self.steps.last().map(|object| serde_json::to_value(object).expect("JSON"));
        let mut object = last.unwrap_or_default();
        merge(&mut object, patch);
        self.steps.push(serde_json::from_value(object).expect("an object"));
        self
    }

    /// Before it begins, this object is there: what the user's object refers to, such as a Secret. Without a namespace
    /// it is made in that of the telling.
    #[must_use]
    pub fn given(mut self, object: Value) -> Self {
        self.given.push(serde_json::from_value(object).expect("an object"));
        self
    }

    /// Calls `act` again and again with a client and the namespace of a telling: to play the parts of controllers that
    /// are not there, such as that of Deployments.
    #[must_use]
    pub fn with_environment<F>(mut self, act: impl Fn(Client, String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.environment = Some(Arc::new(move |client, namespace| act(client, namespace).boxed()));
        self
    }

    /// What stands at this JSON pointer, such as `/data/password`, in objects of that kind may differ from telling to
    /// telling. Names, uids, versions and times of objects are never compared.
    #[must_use]
    pub fn ignoring(mut self, kind: &str, pointer: &str) -> Self {
        self.ignored.push((kind.to_owned(), pointer.to_owned()));
        self
    }

    /// Leaves a case out.
    #[must_use]
    pub fn without(mut self, case: FaultCase) -> Self {
        self.left_out.push(case);
        self
    }

    /// The operator's arguments besides addresses and namespace, in the place of short time-outs.
    #[must_use]
    pub fn with_args<T: Into<String>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// A step is over when nothing was written for so long; by default two seconds. An operator that asks for itself
    /// again later than that needs more.
    #[must_use]
    pub fn with_quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// Tells the story undisturbed, and then in every [`FaultCase`]. However it is disturbed, after each step and in the
    /// end there must be what there is undisturbed; nothing is made or deleted more often, no Event is published twice,
    /// nothing is written once all is as it should be, and the operator lives and stops in time.
    ///
    /// # Panics
    /// With what differs, case by case; not all cases are told when several fail.
    pub async fn withstands(self) {
        let control_plane = ControlPlane::start(self.project.clone()).await;
        let control_plane = &control_plane;
        let expected = match cases::undisturbed(control_plane, &self).await {
            Ok(expected) => expected,
            Err(problem) => panic!("undisturbed: {problem}"),
        };
        let problems = self.tell(control_plane, &expected).await;
        assert!(problems.is_empty(), "the story does not end well\n\n{}", problems.join("\n\n"));
    }

    /// Tells it in every case; what went wrong.
    async fn tell(&self, control_plane: &ControlPlane, expected: &Expected) -> Vec<String> {
        let wanted = FaultCase::ALL.into_iter().filter(|case| !self.left_out.contains(case));
        let tellings = wanted.flat_map(|case| {
            let times = if case == FaultCase::Killed { expected.writes() } else { 1 };
            (1..=times).map(move |nth| (case, nth))
        });
        // Objects of the cluster get into each other's way.
        let at_once = if expected.is_namespaced() { AT_ONCE } else { 1 };
        let failures = &AtomicUsize::new(0);
        let told = tellings.map(|(case, nth)| async move {
            // What fails in one way mostly fails in several.
            if failures.load(Ordering::Relaxed) >= ENOUGH {
                return None;
            }
            let told = cases::tell(control_plane, self, expected, case, nth).await;
            told.err().map(|problem| {
                failures.fetch_add(1, Ordering::Relaxed);
                format!("{}: {problem}", cases::title(case, nth, expected))
            })
        });
        futures::stream::iter(told)
            .buffer_unordered(at_once)
            .filter_map(futures::future::ready)
            .collect()
            .await
    }
}

/// Changes `object` as [RFC 7386](https://www.rfc-editor.org/rfc/rfc7386) says.
pub(crate) fn merge(object: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *object = patch;
        return;
    };
    if !object.is_object() {
        *object = Value::Object(serde_json::Map::new());
    }
    for (key, value) in patch {
        if value.is_null() {
            object.as_object_mut().map(|fields| fields.remove(&key));
        } else {
            merge(&mut object[key], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_step_changes_what_it_names_and_no_more() {
        let object = json!({ "apiVersion": "example.com/v1", "kind": "Web", "metadata": { "name": "a" },
            "spec": { "replicas": 1, "old": true } });
        let object = serde_json::from_value(object).expect("an object");
        let story =
            Story::of(Project::new("."), object).then(json!({ "spec": { "replicas": 2, "old": null } }));
        assert_eq!(story.steps[0].data["spec"], json!({ "replicas": 1, "old": true }));
        assert_eq!(story.steps[1].data["spec"], json!({ "replicas": 2 }));
        assert_eq!(story.steps[1].metadata.name.as_deref(), Some("a"));
    }

    #[test]
    #[should_panic = "the project has no sample of Web of example.com/v1"]
    fn a_kind_without_a_sample_is_named() {
        let _ = Story::of_sample(Project::new("/nowhere"), "example.com/v1", "Web");
    }
}
