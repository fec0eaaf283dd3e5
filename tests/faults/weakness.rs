//! What a weakened operator is: a change of its sources, the case that fails then, and what says which is in force.

/// A change of a generated project's sources: path, text, and the text in its place, in which [`ITSELF`] stands for the
/// text that was there and [`WEAK`] for whether the defence is missing.
pub type Patch = (&'static str, &'static str, &'static str);

pub struct Weakness {
    /// The test that fails.
    pub case: &'static str,
    /// What it says then. Should it fail for another reason, it says something else.
    pub failure: &'static str,
    pub patches: &'static [Patch],
}

pub const VARIABLE: &str = "WEAKNESS";
pub const ITSELF: &str = "ITSELF";
pub const WEAK: &str = "WEAK";

/// The condition that takes the place of [`WEAK`].
pub fn condition(case: &str) -> String {
    format!("operator_runtime::is_weak({case:?})")
}

/// What all weaknesses need.
pub const COMMON: &[Patch] = &[
    (
        "runtime/src/lib.rs",
        "mod apply;\n",
        r#"
/// Whether the defence that the case is for is missing.
#[must_use]
pub fn is_weak(case: &str) -> bool {
    std::env::var("WEAKNESS").is_ok_and(|weakness| weakness == case)
}

// The library calls it as others do.
extern crate self as operator_runtime;

ITSELF"#,
    ),
    // Those who wait in vain need not wait long.
    (
        "testing/src/wait.rs",
        "within(PATIENCE, what, probe)",
        r#"within(if std::env::var_os("WEAKNESS").is_some() { PATIENCE.mul_f64(0.4) } else { PATIENCE }, what, probe)"#,
    ),
    (
        "testing/src/story/stage.rs",
        "within(PATIENCE, what, async || {",
        r#"within(if std::env::var_os("WEAKNESS").is_some() { PATIENCE.mul_f64(0.4) } else { PATIENCE }, what, async || {"#,
    ),
    // What is found need not be made short.
    (
        "testing/src/sim/shrink.rs",
        "attempts > ATTEMPTS ||",
        r#"std::env::var_os("WEAKNESS").is_some() || ITSELF"#,
    ),
];
