//! What is served: versions, groups and resources, and whether the server is ready.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::Server;
use super::kinds::Kind;
use super::status::{Refusal, Result, respond};

/// The answer if `request` is about the server itself.
pub(super) fn answer(
    server: &Server,
    request: &http::Request<Bytes>,
) -> Option<Result<http::Response<Bytes>>> {
    if request.method() != Method::GET {
        return None;
    }
    let parts: Vec<_> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
    let body = match parts.as_slice() {
        ["readyz" | "livez" | "healthz", ..] => {
            return Some(Ok(http::Response::new(Bytes::from_static(b"ok"))));
        }
        ["version"] => json!({
            "major": "1", "minor": "37", "gitVersion": "v1.37.2", "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
        }),
        ["api"] => json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] }),
        ["apis"] => json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups(server) }),
        ["apis", group] => match groups(server).into_iter().find(|one| one["name"] == *group) {
            Some(mut found) => {
                found["kind"] = "APIGroup".into();
                found["apiVersion"] = "v1".into();
                found
            }
            None => return Some(Err(Refusal::path_not_found())),
        },
        ["api", version] => return Some(resources(server, "", version)),
        ["apis", group, version] => return Some(resources(server, group, version)),
        _ => return None,
    };
    Some(Ok(respond(200, &body)))
}

fn groups(server: &Server) -> Vec<Value> {
    let all = || server.served.keys().filter(|(group, ..)| !group.is_empty());
    let names: BTreeSet<&String> = all().map(|(group, ..)| group).collect();
    let group = |name: &String| {
        let versions: BTreeSet<&String> =
            all().filter(|(group, ..)| group == name).map(|(_, version, _)| version).collect();
        let version =
            |version: &&String| json!({ "groupVersion": format!("{name}/{version}"), "version": version });
        let mut versions: Vec<_> = versions.into_iter().collect();
        versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
        json!({
            "name": name,
            "versions": versions.iter().map(version).collect::<Vec<_>>(),
            "preferredVersion": versions.first().map(version),
        })
    };
    names.into_iter().map(group).collect()
}

/// Stable versions come before betas, betas before alphas, and high numbers before low ones.
fn priority(version: &str) -> (u8, u32, u32) {
    let rest = version.strip_prefix('v').unwrap_or(version);
    let (major, stage, minor) = if let Some((major, minor)) = rest.split_once("beta") {
        (major, 1, minor)
    } else if let Some((major, minor)) = rest.split_once("alpha") {
        (major, 0, minor)
    } else {
        (rest, 2, "0")
    };
    (stage, major.parse().unwrap_or_default(), minor.parse().unwrap_or_default())
}

fn resources(server: &Server, group: &str, version: &str) -> Result<http::Response<Bytes>> {
    let kinds = server.served.iter().filter(|((one, other, _), _)| one == group && other == version);
    let kinds: Vec<&Kind> = kinds.map(|(_, index)| server.kinds[*index].as_ref()).collect();
    if kinds.is_empty() {
        return Err(Refusal::path_not_found());
    }
    let mut resources = Vec::new();
    for kind in kinds {
        resources.push(json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            "shortNames": kind.short_names,
        }));
        let part = |name: &str, of: &str| {
            json!({
                "name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced,
                "kind": of, "verbs": ["get", "patch", "update"],
            })
        };
        if kind.status {
            resources.push(part("status", &kind.kind));
        }
        if kind.scale.is_some() {
            let mut scale = part("scale", "Scale");
            scale["group"] = "autoscaling".into();
            scale["version"] = "v1".into();
            resources.push(scale);
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let body = json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources,
    });
    Ok(respond(200, &body))
}
