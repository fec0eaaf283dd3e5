//! The token that the operator proves itself with is renewed.

use std::fs;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Secret, ServiceAccount as Account};
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, ResourceExt};
use operator_testing::{Operator, ServiceAccount, ensure, within};
use serde_json::{Value, json};

use crate::case::{Case, NAME};
use crate::run;

/// A token of the service account that is worth nothing when the Secret of that name, which is made, is gone.
async fn token(case: &Case<'_>, account: &ServiceAccount, name: &str) -> String {
    let secrets: Api<Secret> = Api::namespaced(case.control_plane.client(), &case.name);
    let mut secret = Secret::default();
    secret.metadata.name = Some(name.to_owned());
    let secret = secrets.create(&PostParams::default(), &secret).await.expect("a Secret");
    let bound = json!({ "kind": "Secret", "apiVersion": "v1", "name": name, "uid": secret.uid() });
    let request = json!({ "spec": { "audiences": [], "boundObjectRef": bound } });
    let request: TokenRequest = serde_json::from_value(request).expect("a request");
    let accounts: Api<Account> = Api::namespaced(case.control_plane.client(), &case.name);
    let user = account.user();
    let account = user.rsplit(':').next().expect("its name");
    let answer = accounts.create_token_request(account, &PostParams::default(), &request).await;
    json!(answer.expect("a token"))["status"]["token"].as_str().expect("a token").to_owned()
}

#[test]
fn f34_token_renewed() {
    run(async {
        let case = Case::new("f34").await;
        let account = ServiceAccount::install(case.control_plane, &case.name).await;
        let known = account.kubeconfig(case.control_plane);
        let mut kubeconfig: Value =
            serde_json::from_str(&fs::read_to_string(&known).expect("kubeconfig")).expect("JSON");
        let (file, new) = (known.with_extension("token"), known.with_extension("new.json"));
        // As an editor writes it.
        let first = token(&case, &account, "first").await;
        fs::write(&file, format!("{first}\n")).expect("write");
        kubeconfig["users"][0]["user"] = json!({ "tokenFile": file });
        fs::write(&new, kubeconfig.to_string()).expect("write");
        let scope = format!("--watch-namespace={}", case.name);
        let mut operator = Operator::launch(case.control_plane, &new, &[&scope]);
        operator.ready().await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;

        // It is about to be written.
        fs::write(&file, "").expect("write");
        case.write(NAME, "web", 2).await;
        case.settled("web", 2).await;
        fs::write(&file, format!("{}\n", token(&case, &account, "second").await)).expect("write");
        let secrets: Api<Secret> = Api::namespaced(case.control_plane.client(), &case.name);
        secrets.delete("first", &DeleteParams::default()).await.expect("delete");

        kubeconfig["users"][0]["user"] = json!({ "token": first });
        let kubeconfig: Kubeconfig = serde_json::from_value(kubeconfig).expect("kubeconfig");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        let client = Client::try_from(config.expect("configuration")).expect("a client");
        let with_first: Api<crate::subject::Object> = Api::namespaced(client, &case.name);
        within(Duration::from_secs(40), "the first token is worth nothing", async || {
            let answer = with_first.list(&ListParams::default()).await;
            ensure(matches!(&answer, Err(kube::Error::Api(status)) if status.code == 401), &answer.is_ok())
        })
        .await
        .unwrap_or_else(|error| panic!("{error}"));
        case.play().await;
        operator.assert_alive().await;
        assert_eq!(case.events(NAME, "Warning").await, [""; 0]);
        let took = operator.stop().await;
        assert!(took < Duration::from_secs(5), "stopping took {took:?}");
        case.report(
            "F34",
            "the new one was read when the old one was refused; an empty file and a line end did no harm",
        );
    });
}
