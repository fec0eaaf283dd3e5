//! Operators with a defence taken away each, and the case that fails then.
//!
//! All patches are made in one project, which is compiled once. A defence is missing while the environment variable
//! [`VARIABLE`] names the case that it is for; the tests and the operator that they start both look at it.

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
];

const APPLY: &str = "runtime/src/apply.rs";
const INFORMER: &str = "runtime/src/informer.rs";
const MANAGER: &str = "runtime/src/manager.rs";
const RECONCILE: &str = "runtime/src/reconcile.rs";
const STORE: &str = "runtime/src/store.rs";

/// Where flags take effect.
const FLAGS: &str = "let (client, host) = match client {";
/// Where a watch pauses before it goes on.
const PAUSE: &str = "sleep(jittered(exponential(RETRY.0, self.failures, RETRY.1))).await;";

pub const WEAKNESSES: &[Weakness] = &[
    // What was there at the start is not looked at.
    Weakness {
        case: "crashes::f01_killed_after_each_write",
        failure: r#"the status is that of api with 2, seen last: ["api","web"]"#,
        patches: &[(
            STORE,
            "let told = version(",
            "let is_child = object.as_ref().is_ok_and(|it| controller_of(it.meta()).is_some());
             if WEAK && priority == Priority::Low && is_child { return; }
             ITSELF",
        )],
    },
    // Only what was answered is taken for progress.
    Weakness {
        case: "crashes::f02_answers_lost",
        failure: "until f2: the status is that of web with 1",
        patches: &[
            (
                APPLY,
                "/// What became of a child.",
                "static MADE: parking_lot::Mutex<Vec<Option<String>>> = parking_lot::Mutex::new(Vec::new());
                 ITSELF",
            ),
            (
                APPLY,
                "let object = store.mutation(created,",
                "MADE.lock().push(created.meta().uid.clone());
                 ITSELF",
            ),
            (
                APPLY,
                "if !(self.controls(current.meta())",
                "if (WEAK && !MADE.lock().contains(&current.meta().uid)) || !(self.controls(current.meta())",
            ),
        ],
    },
    // Requests and reconciles may take for ever.
    Weakness {
        case: "requests::f03_no_answer",
        failure: "until f3: web has 1 replicas",
        patches: &[(
            MANAGER,
            FLAGS,
            "let (hour, mut options) = (Duration::from_secs(3600), options);
             if WEAK { (options.timings.request_timeout, options.timings.reconcile_timeout) = (hour, hour); }
             ITSELF",
        )],
    },
    // A failure is tried again after the same time, however often.
    Weakness {
        case: "requests::f04_server_errors",
        failure: "delays grow: ",
        patches: &[(
            "runtime/src/backoff.rs",
            "(*count, jittered(exponential(first, *count - 1, longest)))",
            "let always = first.mul_f64(2.5);
             let (first, longest) = if WEAK { (always, always) } else { (first, longest) };
             ITSELF",
        )],
    },
    // Nobody waits before trying again.
    Weakness {
        case: "requests::f05_server_too_busy",
        failure: " requests in 4 s",
        patches: &[
            (MANAGER, "config.connect_timeout = ", "config.default_retry &= !WEAK; ITSELF"),
            (INFORMER, PAUSE, "if WEAK { sleep(Duration::from_millis(1)).await; continue; } ITSELF"),
        ],
    },
    // What others have written meanwhile is not asked for.
    Weakness {
        case: "requests::f06_conflicts",
        failure: "the write from old data is refused",
        patches: &[(
            APPLY,
            r#"desired["metadata"]["resourceVersion"] = json!(current.meta().resource_version);"#,
            "if !WEAK { ITSELF }",
        )],
    },
    // A watch that ended is taken up again after a while.
    Weakness {
        case: "watches::f07_watches_cut",
        failure: ": web has 2 replicas",
        patches: &[(INFORMER, PAUSE, "if WEAK { sleep(Duration::from_secs(10)).await; } ITSELF")],
    },
    // Silence is nothing to worry about.
    Weakness {
        case: "watches::f07_watches_silent",
        failure: "until the operator says that it is not ready",
        patches: &[(
            MANAGER,
            FLAGS,
            "let (hour, mut options) = (Duration::from_secs(3600), options);
             if WEAK { options.timings.watch_silence_limit = hour; }
             ITSELF",
        )],
    },
    // A watch goes on from where it was, whatever the server said.
    Weakness {
        case: "watches::f08_version_expired_in_the_stream",
        failure: "until both kinds are listed once more",
        patches: &[(
            INFORMER,
            "if end.is_err() {",
            r#"let is_told = end.as_ref().is_err_and(|reason| reason.contains("ended the watch"));
            if end.is_err() && !(WEAK && is_told) {"#,
        )],
    },
    Weakness {
        case: "watches::f09_version_expired_at_the_start",
        failure: "until both kinds are listed once more",
        patches: &[(
            INFORMER,
            "if matches!(&error, Error::Api(status) if status.code < 500",
            "if !WEAK && matches!(&error, Error::Api(status) if status.code < 500",
        )],
    },
    // Nobody counts.
    Weakness {
        case: "watches::f10_deletion_of_a_child_not_told",
        failure: "until the Deployment is made again",
        patches: &[(
            MANAGER,
            FLAGS,
            "let (hour, mut options) = (Duration::from_secs(3600), options);
             if WEAK { options.timings.watch_check_period = hour; }
             ITSELF",
        )],
    },
    // Changes are expected to be told of one by one.
    Weakness {
        case: "watches::f11_changes_not_told",
        failure: "until f11: web has 2 replicas",
        patches: &[(
            STORE,
            "old = match &known.told {",
            "let next = known.object.meta().generation.map(|generation| generation + 1);
             if WEAK && object.as_ref().is_ok_and(|it| it.meta().generation > next) { return; }
             ITSELF",
        )],
    },
    // What is known is taken for what is, and deleted.
    Weakness {
        case: "staleness::f12_old_lists",
        failure: "f12-back: it is the same one",
        patches: &[(
            APPLY,
            "self.ensure_current().await?;
            // Only this very object",
            "if !WEAK { self.ensure_current().await?; }
            // Only this very object",
        )],
    },
    // An object that cannot be decoded ends the watch.
    Weakness {
        case: "objects::f13_object_that_cannot_be_read",
        failure: "until f13: meanwhile has 1 replicas",
        patches: &[(
            INFORMER,
            "Err(InvalidObject { metadata, error }) => {",
            r#"ITSELF assert!(!WEAK, "it cannot be decoded");"#,
        )],
    },
    // A panic is not caught.
    Weakness {
        case: "objects::f14_reconcile_panics",
        failure: "until the panic is reported",
        patches: &[(
            RECONCILE,
            "AssertUnwindSafe(call).catch_unwind()",
            "async { if WEAK { Ok(call.await) } else { ITSELF.await } }",
        )],
    },
    // The Lease is not given up at the end.
    Weakness {
        case: "leaders::f15_lead_handed_over",
        failure: "until f15-stop: web has 2 replicas",
        patches: &[(MANAGER, "elector.release().await;", "if !WEAK { ITSELF }")],
    },
    // A leader that cannot renew the Lease goes on.
    Weakness {
        case: "leaders::f15_lead_lost",
        failure: "until the operator ends",
        patches: &[(
            "runtime/src/leader.rs",
            "while !self.fence.time_left().is_zero() {
            sleep(self.timings",
            "while WEAK || !self.fence.time_left().is_zero() {
            sleep(self.timings",
        )],
    },
    // A failure ends the process.
    Weakness {
        case: "rights::f16_rights_missing",
        failure: "until the refusal is reported",
        patches: &[(
            RECONCILE,
            r#"error!(error = note, "reconcile failed");"#,
            "ITSELF if WEAK { std::process::exit(1); }",
        )],
    },
    // A kind that is not there ends the process.
    Weakness {
        case: "servers::f17_kind_not_installed",
        failure: "until the operator says that the kind is missing",
        patches: &[(INFORMER, "if status.code == 404 => {", "ITSELF if WEAK { std::process::exit(1); }")],
    },
    // Owners are told apart by their names.
    Weakness {
        case: "objects::f18_owner_replaced",
        failure: "until the conflict is reported",
        patches: &[(
            APPLY,
            "let uid = self.object.meta().uid.as_ref();",
            "let name = self.object.meta().name.as_ref();
             if WEAK { return controller_of(metadata).is_some_and(|owner| Some(&owner.name) == name); }
             ITSELF",
        )],
    },
    // Long lists do not arrive in time.
    Weakness {
        case: "objects::f19_many_objects",
        failure: "until the operator is ready",
        patches: &[(
            MANAGER,
            FLAGS,
            "let mut options = options;
             if WEAK { options.timings.request_timeout = Duration::from_millis(300); }
             ITSELF",
        )],
    },
    // The server is not asked where it is.
    Weakness {
        case: "servers::f20_server_restored_from_a_backup",
        failure: "until f20: web has 2 replicas",
        patches: &[(
            MANAGER,
            FLAGS,
            "let (hour, mut options) = (Duration::from_secs(3600), options);
             if WEAK { options.timings.watch_check_period = hour; }
             ITSELF",
        )],
    },
];
