//! Steps that are taken one after the other, each when those before it are ready, as in a workflow.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::conditions::Conditions;
use crate::errors::BoxError;

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    is_ready: bool,
    reason: String,
    message: String,
}

impl Readiness {
    /// What comes after it may begin.
    pub fn ready(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { is_ready: true, reason: reason.into(), message: message.into() }
    }

    /// What comes after it has to wait. The change that ends the waiting calls for a reconcile.
    pub fn waiting(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { is_ready: false, reason: reason.into(), message: message.into() }
    }
}

/// Takes steps in order, each of which becomes a condition of the status.
///
/// ```no_run
/// # use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Service};
/// # use operator_runtime::{Context, Readiness, Result, Store};
/// # async fn steps(context: &Context<Service>, services: &Store<Service>, sets: &Store<StatefulSet>) -> Result<()> {
/// # let (service, set) = (Service::default(), StatefulSet::default());
/// let mut steps = context.steps();
/// steps
///     .take("Reachable", async {
///         context.apply(services, service).await?;
///         Ok(Readiness::ready("Created", "the Service is there"))
///     })
///     .await?;
/// steps
///     .take("Running", async {
///         let set = context.apply(sets, set).await?;
///         let ready = set.status.as_ref().and_then(|status| status.ready_replicas);
///         Ok(match ready {
///             Some(ready) if ready > 0 => Readiness::ready("Started", "a pod is ready"),
///             _ => Readiness::waiting("Starting", "no pod is ready"),
///         })
///     })
///     .await?;
/// context.patch_status(serde_json::json!({ "conditions": steps.conditions("Ready") })).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Steps {
    conditions: Conditions,
    /// The condition of the step that is not ready.
    blocked_by: Option<String>,
}

impl Steps {
    pub(crate) fn new(conditions: Conditions) -> Self {
        Self { conditions, blocked_by: None }
    }

    /// Takes a step, unless one before it is not ready. Its result is the condition `condition`.
    ///
    /// # Errors
    /// Those of the step.
    pub fn take<'s>(
        &'s mut self,
        condition: &'s str,
        step: impl Future<Output = Result<Readiness, BoxError>> + Send + 's,
    ) -> impl Future<Output = Result<(), BoxError>> + Send + 's {
        // Steps hold whole children.
        self.take_boxed(condition, step.boxed())
    }

    async fn take_boxed(
        &mut self,
        condition: &str,
        step: BoxFuture<'_, Result<Readiness, BoxError>>,
    ) -> Result<(), BoxError> {
        if let Some(blocked_by) = &self.blocked_by {
            let message = format!("waiting until the object is {blocked_by}");
            self.conditions.set(condition, false, "Waiting", message);
            return Ok(());
        }
        let Readiness { is_ready, reason, message } = step.await?;
        self.conditions.set(condition, is_ready, &reason, message);
        if !is_ready {
            self.blocked_by = Some(condition.to_owned());
        }
        Ok(())
    }

    /// Whether all steps so far are ready.
    #[must_use]
    pub fn are_ready(&self) -> bool {
        self.blocked_by.is_none()
    }

    /// The condition of each step, and `summary`, which holds if all do.
    #[must_use]
    pub fn conditions(self, summary: &str) -> Vec<Condition> {
        let mut conditions = self.conditions;
        conditions.summarize(summary, "AllReady", "all steps are ready");
        conditions.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_waits_for_those_before_it() {
        let mut steps = Steps::new(Conditions::default());
        let ready = async { Ok(Readiness::ready("Done", "")) };
        steps.take("First", ready).await.expect("a step");
        assert!(steps.are_ready());
        let waiting = async { Ok(Readiness::waiting("Slow", "it is slow")) };
        steps.take("Second", waiting).await.expect("a step");
        steps.take("Third", async { panic!("it must not begin") }).await.expect("no step");
        let conditions = steps.conditions("Ready");
        let seen: Vec<_> =
            conditions.iter().map(|it| (it.type_.as_str(), it.status.as_str(), it.reason.as_str())).collect();
        let expected = [
            ("First", "True", "Done"),
            ("Second", "False", "Slow"),
            ("Third", "False", "Waiting"),
            ("Ready", "False", "Slow"),
        ];
        assert_eq!(seen, expected);
    }
}
