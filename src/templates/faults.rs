//! The tests under faults and the simulations: two files of the user's, in each of which each kind has a test.

use super::kinds::{self, Chosen};
use super::{ControllerView, ProjectView, Rendered, ResourceView, render};
use crate::Result;
use crate::path::RelPath;
use crate::scaffold::Insert;

/// Where they are.
const FAULTS: &str = "tests/faults.rs";
const SIMULATION: &str = "tests/simulation.rs";

/// The file of that path, without a test.
pub(super) fn file(p: &ProjectView, path: &RelPath) -> Rendered {
    if path.as_str() == SIMULATION {
        render!("api/tests/simulation.rs.j2" => SIMULATION; p: ProjectView)
    } else {
        render!("api/tests/faults.rs.j2" => FAULTS; p: ProjectView)
    }
}

/// The tests of a controller of the project's own kind, one for each of the files.
///
/// # Errors
/// Never: the paths are paths.
pub fn stories(
    p: &ProjectView,
    r: &ResourceView,
    c: &ControllerView,
    made: Option<&Chosen>,
) -> Result<[Insert; 2]> {
    type Told = [(&'static str, String)];
    let told: &Told = &kinds::made_from(made).story(p, r);
    let story = render!("api/tests/_story_.rs.j2" => FAULTS; r: ResourceView, c: ControllerView, told: Told);
    let histories =
        render!("api/tests/_histories_.rs.j2" => SIMULATION; r: ResourceView, c: ControllerView, told: Told);
    let insert = |path: &str, marker: &str, text: &str, begin: &str| -> Result<Insert> {
        Ok(Insert {
            path: RelPath::new(path)?,
            anchor: format!("// +kubebuilder:scaffold:{marker}"),
            // An empty line before the next one.
            lines: format!("{text}\n"),
            present: format!("{begin}fn {}() {{", c.test_name()),
        })
    };
    Ok([
        insert(FAULTS, "faults", &story.text, "async ")?,
        insert(SIMULATION, "simulation", &histories.text, "")?,
    ])
}
