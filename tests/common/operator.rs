//! A generated operator as a process.

use std::process::{Child, Command};

/// A process that ends with the test.
pub struct Operator(Child);

impl Operator {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Stops it as Kubernetes does.
    pub fn stop(&mut self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        let status = self.0.wait().expect("its end");
        assert!(status.success(), "the operator stops in order: {status}");
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
