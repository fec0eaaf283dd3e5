//! Conditions of an object's status, as the Kubernetes API conventions describe them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::environment::Environment;

/// The conditions that one controller sets, on the way to a status. Conditions of other types are somebody else's.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    known: Vec<Condition>,
    generation: Option<i64>,
    set: Vec<Condition>,
    /// Types whose `True` is bad news.
    negative: Vec<String>,
    environment: Environment,
}

impl Conditions {
    /// Starts from the conditions that the status has, for an object of this generation.
    #[must_use]
    pub fn new(known: Vec<Condition>, generation: Option<i64>) -> Self {
        Self { known, generation, ..Self::default() }
    }

    /// The same, with another clock.
    pub(crate) fn at(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }

    /// Sets a condition whose `True` is good news, such as `Ready`; in place of an earlier one of its type.
    pub fn set(&mut self, type_: &str, holds: bool, reason: &str, message: impl Into<String>) {
        let status = if holds { "True" } else { "False" };
        let known = self.known.iter().find(|known| known.type_ == type_ && known.status == status);
        let condition = Condition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.into(),
            observed_generation: self.generation,
            // It changes only when the condition starts or ceases to hold.
            last_transition_time: known
                .map_or_else(|| Time(self.environment.now()), |known| known.last_transition_time.clone()),
        };
        self.set.retain(|other| other.type_ != type_);
        self.set.push(condition);
    }

    /// Sets a condition whose `True` is bad news, such as `Degraded`.
    pub fn set_negative(&mut self, type_: &str, holds: bool, reason: &str, message: impl Into<String>) {
        self.set(type_, holds, reason, message);
        self.negative.push(type_.to_owned());
    }

    /// Sets `type_` to whether all others are good news; where not, with the reason and message of the first that is not.
    pub fn summarize(&mut self, type_: &str, reason: &str, message: &str) {
        let is_bad = |it: &&Condition| (it.status == "True") == self.negative.contains(&it.type_);
        let bad = self.set.iter().filter(|it| it.type_ != type_).find(is_bad).cloned();
        match bad {
            None => self.set(type_, true, reason, message),
            Some(bad) => self.set(type_, false, &bad.reason, bad.message),
        }
    }

    /// Whether the condition is set to hold.
    #[must_use]
    pub fn is_true(&self, type_: &str) -> bool {
        self.set.iter().any(|condition| condition.type_ == type_ && condition.status == "True")
    }
}

impl From<Conditions> for Vec<Condition> {
    /// What was set, in that order.
    fn from(conditions: Conditions) -> Self {
        conditions.set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_time_changes_with_the_status_only() {
        let mut conditions = Conditions::new(Vec::new(), Some(1));
        conditions.set("Ready", false, "Test", "one");
        let mut known: Vec<_> = conditions.into();
        known[0].last_transition_time = Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH);
        let set = |holds, message: &str| {
            let mut conditions = Conditions::new(known.clone(), Some(2));
            conditions.set("Ready", true, "Test", "replaced");
            conditions.set("Ready", holds, "Test", message);
            Vec::from(conditions)
        };
        let same = set(false, "two");
        assert_eq!(same[0].last_transition_time, known[0].last_transition_time);
        assert_eq!((same[0].message.as_str(), same[0].observed_generation, same.len()), ("two", Some(2), 1));
        assert_ne!(set(true, "two")[0].last_transition_time, known[0].last_transition_time);
    }

    #[test]
    fn the_summary_names_what_is_wrong() {
        let mut conditions = Conditions::default();
        conditions.set("Stored", true, "Bound", "");
        conditions.set_negative("Degraded", false, "Fine", "");
        conditions.summarize("Ready", "AllGood", "everything is there");
        assert!(conditions.is_true("Ready"));
        conditions.set_negative("Degraded", true, "Slow", "one is slow");
        conditions.summarize("Ready", "AllGood", "everything is there");
        let ready = Vec::from(conditions.clone()).pop().expect("a condition");
        assert_eq!((ready.reason.as_str(), ready.message.as_str()), ("Slow", "one is slow"));
        assert!(!conditions.is_true("Ready") && conditions.is_true("Stored"));
    }
}
