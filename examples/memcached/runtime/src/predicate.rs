//! Which changes of an object are worth a reconcile.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::object::Object;
use crate::store::Change;

/// Decides whether a change is worth a reconcile, under the names that controller-runtime has for such decisions. New
/// objects and those that are gone are always worth one, unless [`Predicate::new`] says otherwise.
pub struct Predicate<K>(Arc<Decide<K>>);

type Decide<K> = dyn Fn(&Change<'_, K>) -> bool + Send + Sync;

impl<K> Clone for Predicate<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> fmt::Debug for Predicate<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Predicate")
    }
}

impl<K: Object> Predicate<K> {
    /// Whatever `decide` says.
    pub fn new(decide: impl Fn(&Change<'_, K>) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(decide))
    }

    /// The spec has changed: what counts generations is not changed by a status, a label or an annotation.
    #[must_use]
    pub fn generation_changed() -> Self {
        Self::differs(|old, new| {
            old.generation != new.generation || old.deletion_timestamp != new.deletion_timestamp
        })
    }

    /// A label has changed.
    #[must_use]
    pub fn label_changed() -> Self {
        Self::differs(|old, new| old.labels != new.labels)
    }

    /// An annotation has changed.
    #[must_use]
    pub fn annotation_changed() -> Self {
        Self::differs(|old, new| old.annotations != new.annotations)
    }

    /// Anything has changed.
    #[must_use]
    pub fn resource_version_changed() -> Self {
        Self::differs(|old, new| old.resource_version != new.resource_version)
    }

    /// Both say that it is worth a reconcile.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::new(move |change| self.allows(change) && other.allows(change))
    }

    /// One of the two says that it is worth a reconcile.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::new(move |change| self.allows(change) || other.allows(change))
    }

    fn differs(differ: fn(&ObjectMeta, &ObjectMeta) -> bool) -> Self {
        Self::new(move |change| match (change.old, change.new) {
            (Some(old), Some(new)) => differ(old.meta(), new.meta()),
            _ => true,
        })
    }

    pub(crate) fn allows(&self, change: &Change<'_, K>) -> bool {
        self.0(change)
    }
}

impl<K: Object> std::ops::Not for Predicate<K> {
    type Output = Self;

    /// The opposite.
    fn not(self) -> Self {
        Self::new(move |change| !self.allows(change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::{Value, json};

    fn object(metadata: &Value) -> ConfigMap {
        serde_json::from_value(json!({ "metadata": metadata })).expect("an object")
    }

    #[test]
    fn each_sees_what_it_is_named_after() {
        let all: [(&str, Predicate<ConfigMap>); 4] = [
            ("generation", Predicate::generation_changed()),
            ("labels", Predicate::label_changed()),
            ("annotations", Predicate::annotation_changed()),
            ("resourceVersion", Predicate::resource_version_changed()),
        ];
        let old = object(&json!({}));
        for (field, value) in [
            ("generation", json!(2)),
            ("labels", json!({ "a": "b" })),
            ("annotations", json!({ "a": "b" })),
            ("resourceVersion", json!("2")),
        ] {
            let new = object(&json!({ field: value }));
            let change = Change { old: Some(&old), new: Some(&new), metadata: &new.metadata };
            let seen: Vec<_> =
                all.iter().filter(|(_, it)| it.allows(&change)).map(|(name, _)| *name).collect();
            assert_eq!(seen, [field]);
            let both = all[0].1.clone().and(!all[1].1.clone()).or(all[2].1.clone());
            assert_eq!(both.allows(&change), field == "generation" || field == "annotations");
        }
        let created = Change { old: None, new: Some(&old), metadata: &old.metadata };
        assert!(all.iter().all(|(_, predicate)| predicate.allows(&created)));
    }
}
