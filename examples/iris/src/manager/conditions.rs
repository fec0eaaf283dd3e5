//! Conditions in the form that `kubectl wait` and other tools read.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

/// The condition of this type as it is now. The transition time changes only when the status does.
///
/// `known` are the conditions so far, `generation` is that of the object the condition describes.
#[must_use]
pub fn condition(
    known: &[Condition],
    generation: Option<i64>,
    type_: &str,
    status: bool,
    reason: &str,
    message: String,
) -> Condition {
    let status = if status { "True" } else { "False" };
    let since = known
        .iter()
        .find(|known| known.type_ == type_ && known.status == status);
    Condition {
        last_transition_time: since.map_or_else(
            || Time(Timestamp::now()),
            |known| known.last_transition_time.clone(),
        ),
        message,
        observed_generation: generation,
        reason: reason.to_owned(),
        status: status.to_owned(),
        type_: type_.to_owned(),
    }
}
