//! Operators with a defence taken away each, and the case that fails then.

/// A change of a generated project's sources: path, text, and the text in its place.
pub type Patch = (&'static str, &'static str, &'static str);

pub struct Weakness {
    /// The test that fails.
    pub case: &'static str,
    pub patches: &'static [Patch],
}

const CASE: &str = "tests/faults/case.rs";
const CONTROLLER: &str = "src/controller/iris.rs";
const CACHE: &str = "src/manager/cache.rs";
const WATCH: &str = "src/manager/watch.rs";

pub const WEAKNESSES: &[Weakness] = &[
    // Children are known from what was heard since the start only.
    Weakness {
        case: "crashes::f01_killed_after_each_write",
        patches: &[(
            CACHE,
            "    pub(super) fn told(&self, object: Result<C, &ObjectMeta>, since: Instant) {\n",
            "    pub(super) fn told(&self, object: Result<C, &ObjectMeta>, since: Instant) {\n        if object.as_ref().is_ok_and(|object| controller(object.meta()).is_some()) && since.elapsed() < std::time::Duration::from_secs(1) && self.0.lock().objects.is_empty() {\n            return;\n        }\n",
        )],
    },
    // An event has another name each time.
    Weakness {
        case: "crashes::f02_answers_lost",
        patches: &[(
            "src/manager/events.rs",
            "            match timeout(PATIENCE, events.create(&PostParams::default(), &event)).await {",
            "            let mut event = event.clone();\n            event.metadata.name = event.metadata.name.map(|name| \
             format!(\"{name}{attempt}\"));\n            match timeout(PATIENCE, \
             events.create(&PostParams::default(), &event)).await {",
        )],
    },
    // Requests and reconciles may take for ever.
    Weakness {
        case: "requests::f03_no_answer",
        patches: &[(
            CASE,
            "\"--request-timeout=2s\", \"--reconcile-timeout=4s\"",
            "\"--request-timeout=1h\", \"--reconcile-timeout=1h\"",
        )],
    },
    // A failure is tried again after a second, however often.
    Weakness {
        case: "requests::f04_server_errors",
        patches: &[(
            "src/manager/backoff.rs",
            "exponential(FIRST, *count - 1, LONGEST)",
            "exponential(FIRST, 0, LONGEST)",
        )],
    },
    // Nobody waits before trying again.
    Weakness {
        case: "requests::f05_server_too_busy",
        patches: &[
            (
                "src/manager/mod.rs",
                "config.connect_timeout = ",
                "config.default_retry = false;\n        config.connect_timeout = ",
            ),
            (
                WATCH,
                "sleep(jittered(exponential(RETRY.0, self.failures, RETRY.1))).await;",
                "sleep(Duration::from_millis(1)).await;",
            ),
        ],
    },
    // What others have written meanwhile is not asked for.
    Weakness {
        case: "requests::f06_conflicts",
        patches: &[(CONTROLLER, "desired.metadata.resource_version = current.resource_version();", "")],
    },
    // A watch that ended is taken up again after a while.
    Weakness {
        case: "watches::f07_watches_cut",
        patches: &[(WATCH, "Duration::from_millis(250)", "Duration::from_secs(10)")],
    },
    // Silence is nothing to worry about.
    Weakness {
        case: "watches::f07_watches_silent",
        patches: &[("tests/faults/watches.rs", "--watch-silence-limit=3s", "--watch-silence-limit=1h")],
    },
    // A watch goes on from where it was, whatever the server said.
    Weakness {
        case: "watches::f08_version_expired_in_the_stream",
        patches: &[(
            WATCH,
            "if end.is_err() {",
            r#"if end.as_ref().is_err_and(|reason| !reason.contains("ended the watch")) {"#,
        )],
    },
    Weakness {
        case: "watches::f09_version_expired_at_the_start",
        patches: &[(WATCH, "if status.code < 500 && status.code != 429)", "if status.code == 0)")],
    },
    // Nobody counts.
    Weakness {
        case: "watches::f10_deletion_of_a_child_not_told",
        patches: &[(CASE, "--watch-check-period=1s", "--watch-check-period=1h")],
    },
    // Changes are expected to be told of one by one.
    Weakness {
        case: "watches::f11_changes_not_told",
        patches: &[(
            CACHE,
            "    pub(super) fn told(&self, object: Result<C, &ObjectMeta>, since: Instant) {\n",
            "    pub(super) fn told(&self, object: Result<C, &ObjectMeta>, since: Instant) {\n        if object.as_ref().is_ok_and(|it| controller(it.meta()).is_none() && it.meta().generation > Some(2)) {\n            return;\n        }\n",
        )],
    },
    // What is known is taken for what is.
    Weakness {
        case: "staleness::f12_old_lists",
        patches: &[(
            CONTROLLER,
            "    let found = objects(object, context).get_opt(&object.name_any()).await;",
            "    let found = Ok(Some(object.clone()));",
        )],
    },
    // An object that cannot be decoded ends the watch.
    Weakness {
        case: "objects::f13_object_that_cannot_be_read",
        patches: &[(
            WATCH,
            "Err(InvalidObject { metadata, error }) => {",
            "Err(InvalidObject { metadata, error }) => {\n                assert!(metadata.name.is_none(), \"it cannot be decoded\");",
        )],
    },
    // A panic is not caught.
    Weakness {
        case: "objects::f14_reconcile_panics",
        patches: &[(
            "src/manager/reconcile.rs",
            "AssertUnwindSafe(call).catch_unwind()",
            "async { Ok::<_, Box<dyn std::any::Any + Send>>(call.await) }",
        )],
    },
    // The Lease is not given up at the end.
    Weakness {
        case: "leaders::f15_lead_handed_over",
        patches: &[("src/manager/mod.rs", "        elector.release().await;\n", "        drop(elector);\n")],
    },
    // A leader that cannot renew the Lease goes on.
    Weakness {
        case: "leaders::f15_lead_lost",
        patches: &[(
            "src/manager/leader.rs",
            "while !self.fence.time_left().is_zero() {",
            "while !self.name.is_empty() {",
        )],
    },
    // A failure ends the process.
    Weakness {
        case: "rights::f16_rights_missing",
        patches: &[(
            "src/manager/reconcile.rs",
            "error!(error = note, \"reconcile failed\");",
            "std::process::exit(1);",
        )],
    },
    // A kind that is not there ends the process.
    Weakness {
        case: "servers::f17_kind_not_installed",
        patches: &[(
            WATCH,
            "if status.code == 404 => {",
            "if status.code == 404 => {\n                    std::process::exit(1);",
        )],
    },
    // Owners are told apart by their names.
    Weakness {
        case: "objects::f18_owner_replaced",
        patches: &[(
            CONTROLLER,
            "Some(&owner.uid) == object.meta().uid.as_ref()",
            "owner.name == object.name_any()",
        )],
    },
    // Long lists do not arrive in time.
    Weakness {
        case: "objects::f19_many_objects",
        patches: &[("tests/faults/objects.rs", "--request-timeout=10s", "--request-timeout=300ms")],
    },
    // The server is not asked where it is.
    Weakness {
        case: "servers::f20_server_restored_from_a_backup",
        patches: &[(CASE, "--watch-check-period=1s", "--watch-check-period=1h")],
    },
];
