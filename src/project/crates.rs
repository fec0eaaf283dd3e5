//! What a project's own crates are called, in cargo and in Rust.

use std::sync::LazyLock;

use super::Project;
use crate::resource::names;

/// Packages of the registry that every generated project depends on: no crate of its own can have one of these names.
static LOCKED: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lock = include_str!("../../templates/project/Cargo.lock.j2");
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.filter(|name| !name.contains('{')).collect()
});

impl Project {
    /// Cargo package of the operator: `iris`.
    #[must_use]
    pub fn crate_name(&self) -> String {
        names::crate_name(&self.project_name, LOCKED.iter().copied())
    }

    /// Where the operator is deployed: `iris-system`.
    #[must_use]
    pub fn namespace(&self) -> String {
        format!("{}-system", self.project_name)
    }

    /// Cargo package of the types: `iris-api`.
    #[must_use]
    pub fn api_crate(&self) -> String {
        format!("{}-api", self.crate_name())
    }

    /// Library of the types, as Rust spells it: `iris_api`.
    #[must_use]
    pub fn api_lib(&self) -> String {
        names::ident(&self.api_crate())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_called_as_the_project_unless_another_is() {
        assert!(LOCKED.contains(&"kube") && LOCKED.len() > 100, "{LOCKED:?}");
        assert_eq!(Project::new("example.com", "my-app").api_lib(), "my_app_api");
        assert_eq!(Project::new("example.com", "kube").api_lib(), "operator_kube_api");
    }
}
