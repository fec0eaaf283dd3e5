//! The server does not know the kind, or has gone back in time.

use std::fs;
use std::path::Path;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Resource;
use kube::api::{Api, DeleteParams};
use operator_testing::{ControlPlane, Operator, Proxy, eventually, project};

use crate::case::{Case, NAME};
use crate::run;
use crate::subject::Object;

async fn says_that_the_kind_is_missing(operator: &Operator) {
    eventually("the operator says that the kind is missing", async || match operator.readiness().await {
        Err(seen) if seen.contains("is its CustomResourceDefinition installed?") => Ok(()),
        seen => Err(format!("{seen:?}")),
    })
    .await;
}

#[test]
fn f17_kind_not_installed() {
    run(async {
        let control_plane = ControlPlane::bare(project!()).await;
        let case = Case::within(&control_plane, "f17", Proxy::start(&control_plane, "f17").await).await;
        let operator = case.launch(&[]);
        says_that_the_kind_is_missing(&operator).await;
        let took = operator.stop().await;
        assert!(took < Duration::from_secs(5), "stopping took {took:?}");

        let mut operator = case.launch(&[]);
        says_that_the_kind_is_missing(&operator).await;
        control_plane.install_crds().await;
        operator.ready().await;
        case.play().await;

        let crds: Api<CustomResourceDefinition> = Api::all(control_plane.client());
        let name = format!("{}.{}", Object::plural(&()), Object::group(&()));
        crds.delete(&name, &DeleteParams::default()).await.expect("delete");
        says_that_the_kind_is_missing(&operator).await;
        operator.assert_alive().await;
        eventually("the kind is gone", async || match crds.get_opt(&name).await {
            Ok(None) => Ok(()),
            other => Err(format!("{:?}", other.map(|crd| crd.map(|crd| crd.status)))),
        })
        .await;
        control_plane.install_crds().await;
        operator.ready().await;
        // The test plays the garbage collector's part.
        case.deployments.delete("api", &DeleteParams::default()).await.expect("delete");
        case.write(NAME, "again", 1).await;
        case.settled("again", 1).await;
        case.is_sound(operator).await;
        case.report("F17", "waited, said why at `/readyz`, and went on when it was there, and there again");
    });
}

#[test]
fn f20_server_restored_from_a_backup() {
    run(async {
        let mut control_plane = ControlPlane::start(project!()).await;
        let proxy = Proxy::start(&control_plane, "f20").await;
        let case = Case::within(&control_plane, "f20", proxy).await;
        let operator = case.operator(&[]).await;
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        // There are as many objects before as after, so that counting them tells nothing.
        case.write("other", "other", 1).await;
        case.deployment("other", 1).await;
        let Case { proxy, .. } = case;
        let (data, backup) = (control_plane.data(), control_plane.data().with_extension("backup"));
        control_plane.stop();
        copy(&data, &backup);
        control_plane.run().await;

        let case = Case::resumed(&control_plane, "f20", proxy);
        case.write(NAME, "web", 5).await;
        case.deployment_at_last("web", 5).await;
        case.settled("web", 5).await;
        // So that the versions that the operator knows are far ahead of those in the backup.
        for count in 0..50 {
            case.write("other", "other", count).await;
        }
        case.deployment("other", 49).await;
        let Case { proxy, .. } = case;
        control_plane.stop();
        fs::remove_dir_all(&data).expect("etcd's data");
        copy(&backup, &data);
        control_plane.run().await;

        let case = Case::resumed(&control_plane, "f20", proxy);
        case.settled("web", 1).await;
        case.write(NAME, "web", 2).await;
        case.deployment_at_last("web", 2).await;
        case.settled("web", 2).await;
        case.play().await;
        case.is_sound(operator).await;
        case.report("F20", "listed anew, took what the server had for the truth, and went on from there");
    });
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("a copy");
        }
    }
}
