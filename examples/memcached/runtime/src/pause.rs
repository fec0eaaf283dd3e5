//! Objects that are not to be reconciled for a while, because an annotation says so.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::json;
use tracing::{debug, info};

use crate::context::Context;
use crate::object::Object;
use crate::reconcile::Action;

/// Type of the condition that says so.
const PAUSED: &str = "Paused";

/// The annotation that pauses objects of a type.
pub(crate) fn annotation<K: Object>(dynamic_type: &K::DynamicType) -> String {
    let group = K::group(dynamic_type);
    format!("{}/paused", if group.is_empty() { "core" } else { &group })
}

/// Whether the object is paused, by the annotation `<group>/paused: "true"`: then nothing is done for it, and a condition
/// of its status says so. Deletion goes on.
pub(crate) async fn pause<K: Object>(context: &Context<K>) -> Option<Action> {
    let metadata = context.object.meta();
    let annotation = annotation::<K>(context.shared.store.dynamic_type());
    let value = metadata.annotations.as_ref().and_then(|annotations| annotations.get(&annotation));
    let is_paused = value.is_some_and(|value| value == "true") && metadata.deletion_timestamp.is_none();
    let mut conditions = context.known_conditions().iter();
    let is_told = conditions.any(|it| it["type"] == PAUSED && it["status"] == "True");
    if is_paused != is_told && metadata.deletion_timestamp.is_none() {
        let mut conditions = context.conditions();
        if is_paused {
            conditions.set(PAUSED, true, "Annotated", format!("the annotation {annotation} says so"));
        }
        // With a field manager of its own, so that a status of the reconciler's neither sets nor removes it.
        let manager = field_manager(&context.shared.field_manager);
        let status = json!({ "conditions": Vec::<Condition>::from(conditions) });
        if let Err(error) = context.patch_status_as(&manager, status).await {
            debug!(%error, "the status cannot say whether the object is paused");
        }
    }
    if is_paused {
        info!(annotation, "the object is paused");
    }
    is_paused.then_some(Action::AwaitChange)
}

/// Who owns the condition, where `manager` owns all else.
pub(crate) fn field_manager(manager: &str) -> String {
    format!("{manager}-pause")
}
