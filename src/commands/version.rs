//! `iris-scaffold version`.

use super::Context;

/// Versions of what the generated projects are made with.
const PINS: [(&str, &str); 3] = [("kube", "5.0"), ("k8sOpenapi", "0.29"), ("kubernetes", "1.37")];

/// Prints the version of the tool, and in JSON those of what it generates too.
pub(super) fn run(context: &Context) {
    let version = env!("CARGO_PKG_VERSION");
    let mut value = serde_json::json!({ "version": version });
    for (name, pin) in PINS {
        value[name] = pin.into();
    }
    context.console.data_or_json(&format!("iris-scaffold {version}"), &value);
}
