//! Operators with a defence taken away each whose absence simulated histories show, without a cluster.

use super::weakness::Patch;

const ITS_CONTROLLER: &str = "src/controller/iris.rs";
const APPLY: &str = "runtime/src/apply.rs";
const INFORMER: &str = "runtime/src/informer.rs";
const MANAGER: &str = "runtime/src/manager.rs";
/// Where a creation is made one.
const CREATE_ONLY: &str = r#"desired["metadata"]["resourceVersion"] = json!(NEVER);"#;
/// Where flags take effect.
const FLAGS: &str = "let (connection, host) = match client {";

pub struct Simulated {
    /// The case that is about the defence.
    pub name: &'static str,
    /// It is found within so many histories.
    pub seeds: u32,
    /// What does not hold then.
    pub property: &'static str,
    pub patches: &'static [Patch],
}

pub const SIMULATED: &[Simulated] = &[
    // What a list has is not looked at: neither that of the start, nor one of a watch that was resumed.
    Simulated {
        name: "crashes::f01_killed_after_each_write",
        seeds: 90,
        property: "nothing is written at rest",
        patches: &[(
            INFORMER,
            "page.items.into_iter().for_each(|object| self.apply(object, priority));",
            "page.items.into_iter().for_each(|object| {
                let is_child = crate::object::controller_of(kube::Resource::meta(&object)).is_some();
                if WEAK && is_child {
                    self.objects.insert(ObjectKey::of(&object));
                } else {
                    self.apply(object, priority);
                }
            });",
        )],
    },
    // Silence is nothing to worry about.
    Simulated {
        name: "watches::f07_watches_silent",
        seeds: 120,
        property: "a watch that says nothing is given up",
        patches: &[(
            MANAGER,
            FLAGS,
            "let (hour, mut options) = (Duration::from_secs(3600), options);
             if WEAK { options.timings.watch_silence_limit = hour; }
             ITSELF",
        )],
    },
    // A leader that cannot renew the Lease goes on.
    Simulated {
        name: "leaders::f15_lead_lost",
        seeds: 30,
        property: "in the end there is what there is when nothing goes wrong",
        patches: &[(
            "runtime/src/leader.rs",
            "while !self.fence.time_left().is_zero() {
            // Counted",
            "while WEAK || !self.fence.time_left().is_zero() {
            // Counted",
        )],
    },
    // Creating changes what is there.
    Simulated {
        name: "creations::f40_look_alike_of_somebody_else",
        seeds: 250,
        property: "nothing is changed that is not the operator's",
        patches: &[(APPLY, CREATE_ONLY, "if !WEAK { ITSELF }")],
    },
    // Reconciles as users could write them. The status is written by the one who has changed something.
    Simulated {
        name: "stories::killed",
        seeds: 20,
        property: "in the end there is what there is when nothing goes wrong",
        patches: &[(
            ITS_CONTROLLER,
            "if context.patch_status(resources::status(",
            "let is_old = WEAK && deployment.operation == Operation::Unchanged;
             if !is_old && context.patch_status(resources::status(",
        )],
    },
    // A child has a new name each time.
    Simulated {
        name: "stories::answers_lost",
        seeds: 10,
        property: "nothing is made twice",
        patches: &[(
            ITS_CONTROLLER,
            "let deployment = match context.apply(",
            r#"if WEAK && self.deployments.get(&key).is_none() {
                let note = serde_json::json!({ "metadata": { "generateName": "note-" } });
                let note = serde_json::from_value(note).expect("a ConfigMap");
                kube::Api::<k8s_openapi::api::core::v1::ConfigMap>::namespaced(context.client(), &key.namespace)
                    .create(&kube::api::PostParams::default(), &note)
                    .await?;
            }
            ITSELF"#,
        )],
    },
    // Whoever owns a child of that name loses it.
    Simulated {
        name: "stories::replaced",
        seeds: 20,
        property: "nothing is changed that is not the operator's",
        patches: &[(
            ITS_CONTROLLER,
            "Err(taken @ ApplyError::Taken { .. }) => {",
            r#"ITSELF if WEAK {
                let owner = kube::Resource::controller_owner_ref(object, &());
                let patch = serde_json::json!({ "metadata": { "ownerReferences": [owner] } });
                kube::Api::<Deployment>::namespaced(context.client(), &key.namespace)
                    .patch(&key.name, &kube::api::PatchParams::default(), &kube::api::Patch::Merge(patch))
                    .await?;
                return Ok(Action::Requeue(std::time::Duration::from_millis(100)));
            }"#,
        )],
    },
];
