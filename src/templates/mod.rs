//! From the model to texts: what templates see ([`ProjectView`] and its like) and which files each command renders.
//!
//! Every file below `templates/` that is rendered has the suffix `.j2` and is compiled in. Below `project/` and `api/` a
//! template's path is the path of its output, with `_kind_`, `_version_` and the like standing for names; below `kinds/`
//! each template of kinds has a folder.

mod api;
mod embedded;
mod faults;
mod filters;
pub mod kinds;
mod license;
mod lists;
mod lockfile;
mod natural;
mod owners;
mod project;
mod rendered;
mod view;
mod wrap;

pub use api::insertions;
pub use faults::stories;
pub use license::Licensing;
pub use owners::{controller, external, faults, owned, seeded, shared, test, types};
// `Project` has a list of its own, so that it needs nothing of this module.
pub use embedded::{LIBRARIES, Library, SUMS};
pub use view::{ControllerView, ProjectView, ResourceView};

use rendered::{Rendered, render};
