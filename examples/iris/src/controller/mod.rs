//! Every controller of this operator.

use crate::manager::Manager;

pub mod iris;
pub mod iris_resources;

/// Adds every controller to the manager.
pub fn register(manager: &mut Manager) {
    iris::register(manager);
}
