//! Conditions of an object's status, as the Kubernetes API conventions describe them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// One fact about an object, to become a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Such as `Ready`.
    pub type_: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// Why, as one word for programs.
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
}

/// Writes `fact` into `conditions`, seen at `generation` of the object. The transition time changes only when the fact
/// starts or ceases to hold.
pub fn set_condition(conditions: &mut Vec<Condition>, fact: Fact, generation: Option<i64>) {
    let status = if fact.holds { "True" } else { "False" };
    let previous = conditions.iter().find(|condition| condition.type_ == fact.type_);
    let since =
        previous.filter(|condition| condition.status == status).map(|it| it.last_transition_time.clone());
    let condition = Condition {
        type_: fact.type_.to_owned(),
        status: status.to_owned(),
        reason: fact.reason.to_owned(),
        message: fact.message,
        observed_generation: generation,
        last_transition_time: since.unwrap_or_else(|| Time(k8s_openapi::jiff::Timestamp::now())),
    };
    match conditions.iter_mut().find(|existing| existing.type_ == condition.type_) {
        Some(existing) => *existing = condition,
        None => conditions.push(condition),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_time_changes_with_the_status_only() {
        let fact =
            |holds, message: &str| Fact { type_: "Ready", holds, reason: "Test", message: message.into() };
        let mut conditions = Vec::new();
        set_condition(&mut conditions, fact(false, "one"), Some(1));
        conditions[0].last_transition_time = Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH);
        set_condition(&mut conditions, fact(false, "two"), Some(2));
        assert_eq!(conditions[0].last_transition_time.0, k8s_openapi::jiff::Timestamp::UNIX_EPOCH);
        assert_eq!((conditions[0].message.as_str(), conditions[0].observed_generation), ("two", Some(2)));
        set_condition(&mut conditions, fact(true, "two"), Some(2));
        assert_ne!(conditions[0].last_transition_time.0, k8s_openapi::jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(conditions.len(), 1);
    }
}
