//! Names, versions and conversion: what belongs to the kind and not to a schema.

use std::collections::HashSet;

use serde_json::Value;

use super::findings::Findings;
use crate::manifests::crd::place::Place;

/// Who may use a group of the Kubernetes project says so in this annotation.
const APPROVED: &str = "api-approved.kubernetes.io";

pub(super) fn check(crd: &Value, place: &Place<'_>, findings: &mut Findings) {
    let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    group(crd, text("/spec/group"), place, findings);
    let (kind, list_kind) = (text("/spec/names/kind"), text("/spec/names/listKind"));
    label(&kind.to_lowercase(), kind, "kind", "kind = \"…\"", place, findings);
    label(&list_kind.to_lowercase(), list_kind, "list kind", "kind = \"…\"", place, findings);
    if kind == list_kind {
        let hint = format!("give the kind another name; lists of `X` are of kind `XList`, not `{kind}`");
        findings.refuse(place, "the kind and the kind of its list have the same name", hint);
    }
    for (key, what) in [("plural", "plural"), ("singular", "singular")] {
        let name = text(&format!("/spec/names/{key}"));
        label(name, name, what, &format!("{key} = \"…\""), place, findings);
    }
    for (key, what, attribute) in
        [("shortNames", "short name", "shortname = \"…\""), ("categories", "category", "category = \"…\"")]
    {
        let names = crd["spec"]["names"][key].as_array().into_iter().flatten();
        for name in names.filter_map(Value::as_str) {
            label(name, name, what, attribute, place, findings);
        }
    }
    let (plural, name) = (text("/spec/names/plural"), text("/metadata/name"));
    if name != format!("{plural}.{}", text("/spec/group")) {
        let hint = "leave `name` of the definition to kube-derive";
        findings.refuse(
            place,
            format_args!("the definition is named `{name}`, not after plural and group"),
            hint,
        );
    }
    if !["Namespaced", "Cluster"].contains(&text("/spec/scope")) {
        let hint = "write `namespaced` into `#[kube(…)]`, or leave it out";
        findings.refuse(place, "has no scope", hint);
    }
    versions(crd, place, findings);
    conversion(&crd["spec"]["conversion"], place, findings);
}

fn group(crd: &Value, group: &str, place: &Place<'_>, findings: &mut Findings) {
    let parts = group.split('.').all(|part| is_label(part, false));
    if !parts || !group.contains('.') || group.len() > 253 {
        findings.refuse(
            place,
            format_args!("`{group}` is no name of a group: a domain of lower case with at least one dot"),
            "write `group = \"apps.example.com\"` into `#[kube(…)]`",
        );
    }
    let protected = ["k8s.io", "kubernetes.io"];
    let protected = protected.iter().any(|domain| {
        group.strip_suffix(domain).is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
    });
    let approval = crd["metadata"]["annotations"][APPROVED].as_str().unwrap_or_default();
    let url = approval.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    if protected && !approval.starts_with("unapproved") && !url {
        findings.refuse(
            place,
            format_args!("group `{group}` belongs to the Kubernetes project"),
            format!("use a domain of your own, or write `annotation(\"{APPROVED}\", \"unapproved, …\")`"),
        );
    }
}

/// Refuses what is no label of DNS as RFC 1035 has them. `given` is how the user wrote it.
fn label(name: &str, given: &str, what: &str, attribute: &str, place: &Place<'_>, findings: &mut Findings) {
    if !is_label(name, true) {
        findings.refuse(
            place,
            format_args!("`{given}` cannot be a {what}"),
            format!(
                "use at most 63 lower-case letters, digits and hyphens, a letter first (only a kind has capitals): \
                 `#[kube({attribute})]`"
            ),
        );
    }
}

/// Whether a text is a label: of RFC 1035, which begin with a letter, or of RFC 1123.
fn is_label(text: &str, letter_first: bool) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let first = bytes.first().is_some_and(|byte| plain(*byte) && !(letter_first && byte.is_ascii_digit()));
    let last = bytes.last().is_some_and(|byte| plain(*byte));
    first && last && bytes.len() <= 63 && bytes.iter().all(|byte| plain(*byte) || *byte == b'-')
}

fn versions(crd: &Value, place: &Place<'_>, findings: &mut Findings) {
    let versions = crd["spec"]["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = versions.iter().map(|v| v["name"].as_str().unwrap_or_default()).collect();
    let mut seen = HashSet::new();
    for (version, name) in versions.iter().zip(&names) {
        label(name, name, "version", "version = \"v1alpha1\"", place, findings);
        if !seen.insert(name) {
            let hint = "give each version of a kind a name of its own";
            findings.refuse(place, format_args!("has version `{name}` twice"), hint);
        }
        deprecation(version, &place.version(name), findings);
    }
    let stored = versions.iter().filter(|version| version["storage"] == true).count();
    if stored != 1 {
        let hint = "write `storage = false` into `#[kube(…)]` of all versions but one";
        findings.refuse(place, format_args!("{stored} versions are stored, where one must be"), hint);
    }
    if !versions.iter().any(|version| version["served"] == true) {
        let hint = "take `served = false` out of `#[kube(…)]` of one version";
        findings.refuse(place, "no version is served, so nobody can use the kind", hint);
    }
}

fn deprecation(version: &Value, place: &Place<'_>, findings: &mut Findings) {
    let Some(warning) = version["deprecationWarning"].as_str() else {
        return;
    };
    let printable = !warning.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' '));
    if version["deprecated"] != true || warning.is_empty() || warning.len() > 256 || !printable {
        findings.refuse(
            place,
            "the warning of its deprecation must have 1 to 256 bytes on one line",
            "write a short `deprecated = \"…\"` into `#[kube(…)]`",
        );
    }
}

fn conversion(conversion: &Value, place: &Place<'_>, findings: &mut Findings) {
    let strategy = conversion["strategy"].as_str().unwrap_or("None");
    let webhook = &conversion["webhook"];
    let right = match strategy {
        "None" => webhook.is_null(),
        "Webhook" => {
            let client = &webhook["clientConfig"];
            let versions =
                webhook["conversionReviewVersions"].as_array().map(Vec::as_slice).unwrap_or_default();
            client["url"].is_null() != client["service"].is_null()
                && versions.iter().any(|version| *version == "v1" || *version == "v1beta1")
        }
        _ => false,
    };
    if !right {
        findings.refuse(
            place,
            format_args!("conversion by `{strategy}` is not fully said"),
            "`strategy: Webhook` needs `webhook.clientConfig` with a service or a URL, and \
             `conversionReviewVersions: [v1]`; `strategy: None` has none of these",
        );
    }
}
