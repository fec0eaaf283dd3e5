//! The tests under faults: one file of the user's, in which each kind has a test.

use super::kinds::{self, Chosen};
use super::{ControllerView, ProjectView, Rendered, ResourceView, render};
use crate::Result;
use crate::path::RelPath;
use crate::scaffold::Insert;

/// Where they are.
const FILE: &str = "tests/faults.rs";

/// The file without a test.
pub(super) fn file(p: &ProjectView) -> Rendered {
    render!("api/tests/faults.rs.j2" => FILE; p: ProjectView)
}

/// The test of a controller of the project's own kind.
///
/// # Errors
/// Never: the path is a path.
pub fn story(p: &ProjectView, r: &ResourceView, c: &ControllerView, made: Option<&Chosen>) -> Result<Insert> {
    type Told = [(&'static str, String)];
    let told: &Told = &kinds::made_from(made).story(p, r);
    let test = render!("api/tests/_story_.rs.j2" => FILE; r: ResourceView, c: ControllerView, told: Told);
    Ok(Insert {
        path: RelPath::new(FILE)?,
        anchor: "// +kubebuilder:scaffold:faults".to_owned(),
        // An empty line before the next one.
        lines: format!("{}\n", test.text),
        present: format!("async fn {}() {{", c.test_name()),
    })
}
