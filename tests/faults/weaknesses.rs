//! Operators with a defence taken away each, and the case that fails then.
//!
//! All patches are made in one project, which is compiled once. A defence is missing while the environment variable that
//! `weakness.rs` names has the case that it is for; the tests and the operator that they start both look at it.

use super::weakness::Weakness;

const ITS_CONTROLLER: &str = "src/controller/iris.rs";
const APPLY: &str = "runtime/src/apply.rs";
const AUTH: &str = "runtime/src/auth.rs";
const CONTENTION: &str = "runtime/src/contention.rs";
const INFORMER: &str = "runtime/src/informer.rs";
const MANAGER: &str = "runtime/src/manager.rs";
const RECONCILE: &str = "runtime/src/reconcile.rs";
const SERVER: &str = "runtime/src/server.rs";
const STATUS: &str = "runtime/src/status.rs";
const STORE: &str = "runtime/src/store.rs";

/// Where a creation is made one.
const CREATE_ONLY: &str = r#"desired["metadata"]["resourceVersion"] = json!(NEVER);"#;
/// Where flags take effect.
const FLAGS: &str = "let (connection, host) = match client {";
/// Where a watch pauses before it goes on.
const PAUSE: &str = "sleep(self.shared.environment.jittered(exponential(RETRY.0, failures, RETRY.1))).await;";

pub const WEAKNESSES: &[Weakness] = &[
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
            "(*count, self.environment.jittered(exponential(first, *count - 1, longest)))",
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
    // A watch goes on from where it was, whatever the server said.
    Weakness {
        case: "watches::f08_version_expired_in_the_stream",
        failure: "until both kinds are listed once more",
        patches: &[(
            INFORMER,
            r#"return self.forget(format!("the server ended the watch: {status}"));"#,
            "if WEAK { return Err(status.to_string()); }
             ITSELF",
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
            "let known = state.objects.get(&key).or(deleted.as_ref());",
            "ITSELF
             let next = known.and_then(|it| it.object.meta().generation).map(|generation| generation + 1);
             if WEAK && next.is_some() && object.as_ref().is_ok_and(|it| it.meta().generation > next) { return; }",
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
        patches: &[(
            MANAGER,
            "self.metrics.leader(self.id, false);
        elector.release().await;",
            "if !WEAK { ITSELF }",
        )],
    },
    // An attempt to renew the Lease may take all the time that there is.
    Weakness {
        case: "leaders::f21_lease_requests_slow",
        failure: "ended with exit status",
        patches: &[(
            "runtime/src/leader.rs",
            "let limit = self.timings.leader_elect_renew_deadline / 2;",
            "let limit = self.timings.leader_elect_renew_deadline / if WEAK { 1 } else { 2 };",
        )],
    },
    // A Lease that is not there is nobody's.
    Weakness {
        case: "leaders::f22_lease_deleted",
        failure: "before the other one begins",
        patches: &[(
            "runtime/src/leader.rs",
            "lease.spec.unwrap_or_else(|| self.observed.0.clone())",
            "lease.spec.unwrap_or_else(|| if WEAK { LeaseSpec::default() } else { self.observed.0.clone() })",
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
        failure: "until f18: subject reports the conflict",
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
    // Connections are kept whatever happens to one of them.
    Weakness {
        case: "requests::f25_connections_die_silently",
        failure: "until f25: other-0 has 2 replicas",
        patches: &[(
            "runtime/src/connection.rs",
            "if pool.number == number && ",
            "if !WEAK && pool.number == number && ",
        )],
    },
    // However short a watch lived, what was listed for it does not count.
    Weakness {
        case: "watches::f23_version_expired_in_every_stream",
        failure: " lists in 20s",
        patches: &[(INFORMER, "self.lists += 1;", "if !WEAK { ITSELF }")],
    },
    // Nothing is begun before all namespaces are listed.
    Weakness {
        case: "rights::f24_one_of_several_namespaces_forbidden",
        failure: "until f24: web has 1 replicas",
        patches: &[(
            INFORMER,
            "self.first_list_ends();
                    return Err(",
            "if !WEAK { self.first_list_ends(); }
                    return Err(",
        )],
    },
    // A reconcile waits as long as its event does.
    Weakness {
        case: "events::f33_events_not_answered",
        failure: "until f33: other-",
        patches: &[(
            "runtime/src/events.rs",
            "if self.queue.lock().try_send(event).is_err() {",
            "if WEAK { std::thread::sleep(PATIENCE); }
        ITSELF",
        )],
    },
    // Who waits is not remembered.
    Weakness {
        case: "creations::f32_many_wait_for_one_name",
        failure: "until f32: web has 1 replicas",
        patches: &[(
            "runtime/src/store/taken.rs",
            "waiting.push(Waiting { holder: Holder::of(holder), queue, key });",
            "if !WEAK { ITSELF }",
        )],
    },
    // A watch that broke has to be listed.
    Weakness {
        case: "watches::f36_watches_reset_again_and_again",
        failure: "nothing is listed again",
        patches: &[(
            INFORMER,
            "Err(error @ Error::ReadEvents(_)) => return",
            "Err(Error::ReadEvents(error)) if WEAK => return self.forget(error.to_string()),
             ITSELF",
        )],
    },
    // Whoever comes last wins.
    Weakness {
        case: "rivals::f26_another_writer_fights",
        failure: "corrected ",
        patches: &[(CONTENTION, "let free = if", "if WEAK { return Duration::ZERO; } ITSELF")],
    },
    // What was answered is taken for what was sent.
    Weakness {
        case: "rivals::f37_policy_rewrites_a_field",
        failure: "contended is Some(\"Rewritten\")",
        patches: &[(
            "runtime/src/derivative.rs",
            r#"differences(&serde_json::to_value(answered).unwrap_or_default(), sent, "", &mut fields);"#,
            "if !WEAK { ITSELF }",
        )],
    },
    // The file is read once a minute.
    Weakness {
        case: "tokens::f34_token_renewed",
        failure: "until f34: web has 1 replicas",
        patches: &[(
            "runtime/src/token.rs",
            "if answer.status() == StatusCode::UNAUTHORIZED",
            "if !WEAK && answer.status() == StatusCode::UNAUTHORIZED",
        )],
    },
    // Silence is suspicious everywhere.
    Weakness {
        case: "watches::f35_no_bookmarks",
        failure: "ready all the time",
        patches: &[(
            INFORMER,
            "match std::mem::replace(&mut self.silence, Silence::Suspicious) {",
            "if WEAK { return self.forget(reason); } ITSELF",
        )],
    },
    // Every namespace is counted as often.
    Weakness {
        case: "watches::f38_many_namespaces",
        failure: "counts of each kind in each namespace",
        patches: &[(INFORMER, "self.store.watches().div_ceil(COUNTING)", "if WEAK { 1 } else { ITSELF }")],
    },
    // The API server is asked each time.
    Weakness {
        case: "scrapes::f27_verdicts_outlive_the_api_server",
        failure: "what was said of it is remembered",
        patches: &[(AUTH, "let (value, until) = entries.get(key)?;", "if WEAK { return None; } ITSELF")],
    },
    // Everybody's token is looked at.
    Weakness {
        case: "scrapes::f28_flood_of_tokens",
        failure: " were looked at",
        patches: &[(
            AUTH,
            "let full = |_| unclear(\"too many tokens are being looked at\");",
            "if WEAK { self.strangers.add_permits(1); } ITSELF",
        )],
    },
    // Heads may be long, and connections many.
    Weakness {
        case: "scrapes::f29_long_heads_on_many_connections",
        failure: "memory is bounded",
        patches: &[
            (SERVER, ".max_buf_size(HEAD.into())", ".max_buf_size(if WEAK { 400 << 10 } else { HEAD.into() })"),
            (
                SERVER,
                "if of_one >= OF_ONE ||",
                "let is_weak = WEAK;
                 if !is_weak && of_one >= OF_ONE || !is_weak &&",
            ),
        ],
    },
    // Annotations are kept, however long they are.
    Weakness {
        case: "sizes::f30_long_annotations",
        failure: "memory is bounded",
        patches: &[(
            STORE,
            "self.0.annotations.load(Ordering::Relaxed)",
            "if WEAK { usize::MAX } else { ITSELF }",
        )],
    },
    // What others control is kept.
    Weakness {
        case: "sizes::f31_many_deployments_of_others",
        failure: "memory is bounded",
        patches: &[("runtime/src/store/state.rs", "self.keeps_all || controller_of", "WEAK || ITSELF")],
    },
    // Creating changes what is there.
    Weakness {
        case: "creations::f39_two_want_one_child",
        failure: "only one was done",
        patches: &[(APPLY, CREATE_ONLY, "if !WEAK { ITSELF }")],
    },
    // What was written is known when a watch tells of it.
    Weakness {
        case: "creations::f41_conflict_while_a_watch_is_stalled",
        failure: "the status was written once",
        patches: &[
            (STATUS, "store.mutation(patched, Some((manager, true, fingerprint)));", "if !WEAK { ITSELF }"),
            (STATUS, "latest = store.mutation(found, None);", "latest = if WEAK { std::sync::Arc::new(found) } else { store.mutation(found, None) };"),
        ],
    },
    // Only what was answered is told of.
    Weakness {
        case: "events::f42_answers_lost",
        failure: "f42: all is told of",
        patches: &[(
            "runtime/src/unanswered.rs",
            "writes.insert(key.clone(), Sent { write, owner: owner.to_owned(), at: Instant::now() });",
            "if !WEAK { ITSELF }",
        )],
    },
    // An event is tried for a second or two.
    Weakness {
        case: "events::f42_events_not_taken",
        failure: "until all are sent",
        patches: &[(
            "runtime/src/events.rs",
            "for attempt in 0..ATTEMPTS {",
            "for attempt in 0..if WEAK { 3 } else { ATTEMPTS } {",
        )],
    },
    // A proxy is for all servers.
    Weakness {
        case: "proxies::proxy_of_the_environment",
        failure: "NO_PROXY means the API server",
        patches: &[(MANAGER, "if passes_over_proxy(&config) {", "if !WEAK && passes_over_proxy(&config) {")],
    },
    // Reconciles as users could write them. A child is written as it is known, whatever has become of it.
    Weakness {
        case: "stories::conflicts",
        failure: "an annotation that somebody else made is lost from",
        patches: &[(
            ITS_CONTROLLER,
            "let deployment = match context.apply(",
            "if let Some(known) = self.deployments.get(&key).filter(|known| WEAK && resources::replicas(known) != Some(replicas)) {
                let mut new = (*known).clone();
                (new.metadata.resource_version, new.metadata.managed_fields) = (None, None);
                new.spec.replicas = Some(replicas);
                kube::Api::<Deployment>::namespaced(context.client(), &key.namespace)
                    .replace(&key.name, &kube::api::PostParams::default(), &new)
                    .await?;
            }
            ITSELF",
        )],
    },
    // Children are deleted without a look at what there is now.
    Weakness {
        case: "stories::past",
        failure: "on the word of the past, after step 2",
        patches: &[(
            ITS_CONTROLLER,
            "let deleted = context.prune(",
            "for child in self.deployments.list_in(&key.namespace) {
                if WEAK && context.controls(&child.metadata) && child.name_any() != key.name {
                    kube::Api::<Deployment>::namespaced(context.client(), &key.namespace)
                        .delete(&child.name_any(), &kube::api::DeleteParams::default())
                        .await?;
                }
            }
            ITSELF",
        )],
    },
];
