//! The operator may not do what it needs to, for a while.

use std::time::Duration;

use kube::api::DynamicObject;
use operator_testing::{Fault, Operator, ServiceAccount, ensure, eventually};
use serde_json::Value;

use crate::case::{Case, NAME};
use crate::run;

/// The role without a verb on a resource.
fn without(role: &DynamicObject, resource: &str, verb: &str) -> DynamicObject {
    let mut role = role.clone();
    let rules = role.data["rules"].as_array_mut().expect("rules");
    let has = |list: &Value, word: &str| list.as_array().is_some_and(|list| list.iter().any(|it| it == word));
    let about = |rule: &&mut Value| has(&rule["resources"], resource);
    let found = rules.iter_mut().find(about).expect("the rule");
    found["verbs"].as_array_mut().expect("verbs").retain(|each| each != verb);
    // A rule needs a verb.
    rules.retain(|rule| rule["verbs"].as_array().is_some_and(|verbs| !verbs.is_empty()));
    role
}

#[test]
fn f16_rights_missing() {
    run(async {
        let case = Case::new("f16").await;
        let account = ServiceAccount::install(case.control_plane, &case.name).await;
        let (role, election) = (account.role("manager-role"), account.role("leader-election-role"));
        let install = async |role: &DynamicObject| {
            case.control_plane.apply(role).await;
            // The API server takes a moment to heed it.
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        let scope = format!("--watch-namespace={}", case.name);
        let lease = format!("--leader-election-namespace={}", case.name);
        let args = ["--leader-elect", "--leader-elect-retry-period=500ms", &scope, &lease];

        // Without a right on its Lease it waits, and does not end.
        install(&without(election, "leases", "create")).await;
        let kubeconfig = account.kubeconfig(case.control_plane);
        let mut operator = Operator::launch(case.control_plane, &kubeconfig, &args);
        case.write(NAME, "web", 1).await;
        eventually("the refusal is logged", async || {
            ensure(operator.log().contains("cannot take the Lease"), &operator.log())
        })
        .await;
        operator.assert_alive().await;
        assert!(case.deployments.get_opt("web").await.expect("an answer").is_none());
        install(election).await;
        case.settled("web", 1).await;

        // Without a right on Deployments it says so, once.
        install(&without(role, "deployments", "patch")).await;
        case.write(NAME, "web", 2).await;
        eventually("the refusal is reported", async || {
            let events = case.events(NAME, "Warning").await;
            ensure(events.len() == 1 && events[0].contains("cannot patch resource"), &events)
        })
        .await;
        tokio::time::sleep(Duration::from_secs(4)).await;
        let user = account.user();
        let refused = case.control_plane.audit_log().into_iter();
        let refused =
            refused.filter(|it| it.user == user && it.resource == "deployments" && it.code == 403).count();
        assert!((2..=5).contains(&refused), "tried {refused} times");
        assert_eq!(case.events(NAME, "Warning").await.len(), 1, "told once");
        operator.assert_alive().await;
        install(role).await;
        case.settled("web", 2).await;

        // Without a right on events it works, and says nothing.
        install(&without(role, "events", "create")).await;
        let before = case.events(NAME, "Normal").await;
        case.write(NAME, "web", 3).await;
        case.settled("web", 3).await;
        assert_eq!(case.events(NAME, "Normal").await, before);
        install(role).await;
        operator.assert_alive().await;
        operator.stop().await;
        case.report(
            "F16",
            &format!(
                "told once, tried {refused} times in 5 s, went on when allowed; worked without the right to publish events"
            ),
        );
    });
}

#[test]
fn f24_one_of_several_namespaces_forbidden() {
    run(async {
        let case = Case::new("f24").await;
        case.proxy.inject(|asked| {
            let is_there = asked.path.contains("/namespaces/f24-forbidden/");
            if is_there { Fault::status(403) } else { Fault::None }
        });
        let operator = case.launch(&["--watch-namespace=f24,f24-forbidden"]);
        case.play().await;
        let readiness = eventually("it is said what is missing", async || match operator.readiness().await {
            Err(seen) => Ok(seen),
            Ok(seen) => Err(seen),
        })
        .await;
        assert!(readiness.contains("-in-f24-forbidden: cannot list"), "{readiness}");
        assert!(readiness.contains("-in-f24 ok"), "{readiness}");
        case.proxy.heal();
        case.holds(operator).await;
        case.report("F24", "the other one was served from the start; `/readyz` named this one");
    });
}
