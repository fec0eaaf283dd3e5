//! Which objects of a type are watched.

use kube::api::{ListParams, WatchParams};

/// Which objects of a type a store holds. By default those in the namespaces that the manager watches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub(crate) namespaces: Option<Vec<String>>,
    pub(crate) is_cluster: bool,
    labels: Option<String>,
    fields: Option<String>,
}

impl Scope {
    /// Only what is in these namespaces, wherever the manager watches all else.
    #[must_use]
    pub fn namespaces<N: Into<String>>(mut self, namespaces: impl IntoIterator<Item = N>) -> Self {
        self.namespaces = Some(namespaces.into_iter().map(Into::into).collect());
        self
    }

    /// Objects that live in no namespace: what a type says unless it is dynamic, or all namespaces of one that does.
    #[must_use]
    pub fn cluster(mut self) -> Self {
        self.is_cluster = true;
        self
    }

    /// Only objects whose labels match this selector, such as `app=web,tier in (a, b)`.
    #[must_use]
    pub fn labels(mut self, selector: impl Into<String>) -> Self {
        self.labels = Some(selector.into());
        self
    }

    /// Only objects whose fields match this selector, such as `metadata.name=web`.
    #[must_use]
    pub fn fields(mut self, selector: impl Into<String>) -> Self {
        self.fields = Some(selector.into());
        self
    }

    /// Whether some objects of its namespaces are left out.
    pub(crate) fn is_selective(&self) -> bool {
        self.labels.is_some() || self.fields.is_some()
    }

    pub(crate) fn list(&self, mut params: ListParams) -> ListParams {
        params.label_selector.clone_from(&self.labels);
        params.field_selector.clone_from(&self.fields);
        params
    }

    pub(crate) fn watch(&self, mut params: WatchParams) -> WatchParams {
        params.label_selector.clone_from(&self.labels);
        params.field_selector.clone_from(&self.fields);
        params
    }

    /// What tells the checks of two watches of one type apart.
    pub(crate) fn suffix(&self) -> String {
        let selectors: Vec<_> = [&self.labels, &self.fields].into_iter().flatten().cloned().collect();
        if selectors.is_empty() { String::new() } else { format!("-with-{}", selectors.join("-")) }
    }
}
