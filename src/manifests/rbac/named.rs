//! `resourceNames` beside verbs whose requests have no name when they are authorized.
//!
//! The API server takes the name from the path, and for `list` and `watch` from a field selector. A request that creates
//! has its object's name in the body only; server-side apply and `PUT` have it in the path, and are authorized for `create`
//! with it where the object is not there yet. All requests on a subresource have the name of what it belongs to.

use super::Marker;
use super::fault::Fault;
use super::known::place;

/// A verb that is never allowed.
#[must_use]
pub fn fault(marker: &Marker, comment: &str) -> Option<Fault> {
    has(marker, "deletecollection").then(|| {
        Fault::new(
            place(comment, "verbs", "deletecollection"),
            "`deletecollection` is never allowed by a rule with `resourceNames`: its requests have no name",
            "write a marker without `resourceNames` for it, or `delete` in its place",
        )
    })
}

/// A verb that is seldom allowed.
#[must_use]
pub fn note(marker: &Marker) -> Option<String> {
    if has(marker, "create") {
        return Some(
            "`create` with `resourceNames` allows no POST, which has no name yet when it is authorized: only server-side \
             apply and updates create an object of that name, with `patch` or `update`; for others write a marker \
             without `resourceNames`"
                .into(),
        );
    }
    let verb = ["list", "watch"].into_iter().find(|verb| has(marker, verb))?;
    Some(format!(
        "`{verb}` with `resourceNames` allows only requests with the field selector `metadata.name=…`; for others write \
         a marker without `resourceNames`"
    ))
}

/// Whether the marker has the verb for objects of some names, and not for what belongs to them.
fn has(marker: &Marker, verb: &str) -> bool {
    let is_object = |resource: &String| !resource.contains('/');
    !marker.resource_names.is_empty()
        && marker.verbs.iter().any(|known| known == verb)
        && marker.resources.iter().any(is_object)
}
