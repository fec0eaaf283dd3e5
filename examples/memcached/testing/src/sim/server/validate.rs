//! What is refused of an object: wrong metadata of any kind, what a definition forbids, and the few rules of built-in kinds
//! that operators meet.

use serde_json::{Map, Value};

use super::kinds::Kind;
use super::rules;
use super::status::Invalid;
use super::strategy::Part;

type Errors = Vec<Invalid>;

pub(super) fn creation(kind: &Kind, object: &Value) -> Errors {
    let mut errors = addresses(kind, object, Part::Main);
    if errors.is_empty() {
        content(kind, object, None, Part::Main, &mut errors);
        metadata(kind, object, &mut errors);
    }
    errors
}

pub(super) fn change(kind: &Kind, part: Part, new: &Value, old: &Value) -> Errors {
    let mut errors = addresses(kind, new, part);
    if errors.is_empty() {
        metadata(kind, new, &mut errors);
        immutable(new, old, &mut errors);
        content(kind, new, Some(old), part, &mut errors);
    }
    errors
}

/// Why a Service gets no addresses. That is found out before anything else is looked at.
fn addresses(kind: &Kind, object: &Value, part: Part) -> Errors {
    let (spec, mut errors) = (&object["spec"], Errors::new());
    // Only who selects nobody may be anywhere.
    let is_dual = !spec["selector"].is_null() && spec["ipFamilyPolicy"] == "RequireDualStack";
    if kind.custom || kind.kind != "Service" || part != Part::Main || !is_dual {
        return errors;
    }
    let why = "this cluster is not configured for dual-stack services";
    errors.push(Invalid::value("spec.ipFamilyPolicy", &spec["ipFamilyPolicy"], why));
    if spec["ipFamilies"][1] == "IPv6" {
        errors.push(Invalid::value("spec.ipFamilies[1]", &"IPv6".into(), "not configured on this cluster"));
    }
    errors
}

fn content(kind: &Kind, object: &Value, old: Option<&Value>, part: Part, errors: &mut Errors) {
    if !kind.custom {
        if part == Part::Main || part == Part::Scale {
            built_in(kind, object, old, errors);
        }
        return;
    }
    let mut found = Errors::new();
    rules::check(&kind.schema, object, "", &mut found);
    // What was wrong before may stay as it was.
    if let Some(old) = old {
        let mut before = Errors::new();
        rules::check(&kind.schema, old, "", &mut before);
        found.retain(|error| !before.contains(error) || at(object, &error.field) != at(old, &error.field));
    }
    errors.extend(found);
    let mut doubled = Errors::new();
    rules::check_lists(&kind.schema, object, "", &mut doubled);
    if let (Some(old), false) = (old, doubled.is_empty()) {
        let mut before = Errors::new();
        rules::check_lists(&kind.schema, old, "", &mut before);
        if !before.is_empty() {
            doubled.clear();
        }
    }
    errors.extend(doubled);
}

fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let pointer = path.replace(['.', '['], "/").replace(']', "");
    object.pointer(&format!("/{pointer}"))
}

fn metadata(kind: &Kind, object: &Value, errors: &mut Errors) {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    if name.is_empty() {
        errors.push(Invalid::required("metadata.name", "name or generateName is required"));
    } else if let Some(why) = wrong_name(kind, name) {
        errors.push(Invalid::value("metadata.name", &metadata["name"], why));
    }
    for (key, value) in entries(&metadata["labels"]) {
        if !qualified(key) {
            errors.push(Invalid::value("metadata.labels", &key.as_str().into(), "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
        }
        if !label_value(value.as_str().unwrap_or_default()) {
            errors.push(Invalid::value("metadata.labels", value, "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
        }
    }
    for (key, _) in entries(&metadata["annotations"]) {
        if !qualified(&key.to_lowercase()) {
            errors.push(Invalid::value("metadata.annotations", &key.as_str().into(), "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
        }
    }
    for finalizer in metadata["finalizers"].as_array().into_iter().flatten() {
        if !qualified(finalizer.as_str().unwrap_or_default()) {
            errors.push(Invalid::value("metadata.finalizers", finalizer, "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
        }
    }
    owners(&metadata["ownerReferences"], errors);
}

fn owners(references: &Value, errors: &mut Errors) {
    let mut controllers = 0;
    for (index, reference) in references.as_array().into_iter().flatten().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if reference[field].as_str().unwrap_or_default().is_empty() {
                let place = format!("metadata.ownerReferences[{index}].{field}");
                errors.push(Invalid::required(place, "must not be empty"));
            }
        }
        controllers += usize::from(reference["controller"] == true);
    }
    if controllers > 1 {
        let why = "Only one reference can have Controller set to true";
        errors.push(Invalid::value("metadata.ownerReferences", references, why));
    }
}

fn immutable(new: &Value, old: &Value, errors: &mut Errors) {
    let (new, old) = (&new["metadata"], &old["metadata"]);
    if !old["deletionTimestamp"].is_null() {
        let before: Vec<_> = old["finalizers"].as_array().into_iter().flatten().collect();
        let added: Vec<_> =
            new["finalizers"].as_array().into_iter().flatten().filter(|one| !before.contains(one)).collect();
        if !added.is_empty() {
            let message =
                "Forbidden: no new finalizers can be added if the object is being deleted".to_owned();
            errors.push(Invalid::new("FieldValueForbidden", "metadata.finalizers", message));
        }
    }
    for field in
        ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"]
    {
        if new[field] != old[field] {
            errors.push(Invalid::value(format!("metadata.{field}"), &new[field], "field is immutable"));
        }
    }
}

fn wrong_name(kind: &Kind, name: &str) -> Option<&'static str> {
    let path = !(name == "." || name == ".." || name.contains('/') || name.contains('%'));
    let (fits, why) = match kind.kind.as_str() {
        "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" if !kind.custom => {
            (path, "may not contain '/' or '%'")
        }
        "Namespace" if !kind.custom => (
            dns_label(name),
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
        ),
        "Service" if !kind.custom => {
            let first = name.starts_with(|c: char| c.is_ascii_lowercase());
            (
                dns_label(name) && first,
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            )
        }
        _ => (
            dns_subdomain(name),
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        ),
    };
    (!fits).then_some(why)
}

fn dns_label(name: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=63).contains(&name.len())
        && name.chars().all(|c| ends(c) || c == '-')
        && name.starts_with(ends)
        && name.ends_with(ends)
}

fn dns_subdomain(name: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.split('.').all(|part| {
            part.starts_with(ends) && part.ends_with(ends) && part.chars().all(|c| ends(c) || c == '-')
        })
}

fn label_value(value: &str) -> bool {
    value.is_empty() || value.len() <= 63 && word(value)
}

fn word(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(ends)
        && text.ends_with(ends)
        && text.chars().all(|c| ends(c) || matches!(c, '-' | '_' | '.'))
}

fn qualified(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    name.len() <= 63 && word(name) && prefix.is_none_or(dns_subdomain)
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn built_in(kind: &Kind, object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let spec = &object["spec"];
    match kind.kind.as_str() {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => {
            workload(kind, spec, old.map(|old| &old["spec"]), errors);
        }
        "Service" => service(spec, old.map(|old| &old["spec"]), errors),
        "ConfigMap" | "Secret" => {
            for field in ["data", "binaryData"] {
                for (key, _) in entries(&object[field]) {
                    let fits = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
                    if !fits || key.is_empty() || key.len() > 253 {
                        let why =
                            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
                        errors.push(Invalid::value(format!("{field}[{key}]"), &key.as_str().into(), why));
                    }
                }
            }
            if let Some(old) = old.filter(|old| old["immutable"] == true) {
                for field in ["data", "binaryData", "immutable"] {
                    if object[field] != old[field] {
                        let message = "Forbidden: field is immutable when `immutable` is set".to_owned();
                        errors.push(Invalid::new("FieldValueForbidden", field, message));
                    }
                }
            }
            if let Some(old) = old.filter(|old| kind.kind == "Secret" && old["type"] != object["type"]) {
                let _ = old;
                errors.push(Invalid::value("type", &object["type"], "field is immutable"));
            }
        }
        "Pod" => pod_spec(spec, "spec", errors),
        "Lease" => {
            for field in ["leaseDurationSeconds", "leaseTransitions"] {
                let least = i64::from(field == "leaseDurationSeconds");
                if spec[field].as_i64().is_some_and(|number| number < least) {
                    let why = if least == 1 {
                        "must be greater than 0"
                    } else {
                        "must be greater than or equal to 0"
                    };
                    errors.push(Invalid::value(format!("spec.{field}"), &spec[field], why));
                }
            }
        }
        _ => {}
    }
}

fn workload(kind: &Kind, spec: &Value, old: Option<&Value>, errors: &mut Errors) {
    if spec["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
        errors.push(Invalid::value("spec.replicas", &spec["replicas"], "must be greater than or equal to 0"));
    }
    if spec["minReadySeconds"].as_i64().is_some_and(|seconds| seconds < 0) {
        let value = &spec["minReadySeconds"];
        errors.push(Invalid::value("spec.minReadySeconds", value, "must be greater than or equal to 0"));
    }
    let labels = &spec["selector"]["matchLabels"];
    let empty = entries(labels).count() == 0
        && spec["selector"]["matchExpressions"].as_array().is_none_or(Vec::is_empty);
    if spec["selector"].is_null() {
        errors.push(Invalid::required("spec.selector", ""));
    } else if empty {
        let why = format!("empty selector is invalid for {}", kind.kind.to_lowercase());
        errors.push(Invalid::value("spec.selector", &spec["selector"], &why));
    }
    let template = &spec["template"]["metadata"]["labels"];
    if spec["selector"].is_null() || entries(labels).any(|(key, value)| template[key] != *value) {
        let why = "`selector` does not match template `labels`";
        errors.push(Invalid::value("spec.template.metadata.labels", template, why));
    }
    pod_spec(&spec["template"]["spec"], "spec.template.spec", errors);
    if spec["strategy"]["type"] == "Recreate" && !spec["strategy"]["rollingUpdate"].is_null() {
        let message = "Forbidden: may not be specified when strategy `type` is 'Recreate'";
        errors.push(Invalid::new("FieldValueForbidden", "spec.strategy.rollingUpdate", message));
    }
    if kind.kind == "StatefulSet" && old.is_some_and(|old| old["serviceName"] != spec["serviceName"]) {
        errors.push(Invalid::value("spec.serviceName", &spec["serviceName"], "field is immutable"));
    }
    if let Some(old) = old.filter(|old| old["selector"] != spec["selector"]) {
        let _ = old;
        errors.push(Invalid::value("spec.selector", &spec["selector"], "field is immutable"));
    }
}

/// Where a volume may come from.
const SOURCES: [&str; 13] = [
    "emptyDir",
    "hostPath",
    "secret",
    "nfs",
    "iscsi",
    "persistentVolumeClaim",
    "flexVolume",
    "downwardAPI",
    "fc",
    "configMap",
    "projected",
    "csi",
    "ephemeral",
];

fn pod_spec(spec: &Value, path: &str, errors: &mut Errors) {
    let containers = spec["containers"].as_array().cloned().unwrap_or_default();
    if containers.is_empty() {
        errors.push(Invalid::required(format!("{path}.containers"), ""));
    }
    let sources = |volume: &Value| SOURCES.iter().filter(|source| !volume[**source].is_null()).count();
    let volumes: Vec<_> = spec["volumes"].as_array().into_iter().flatten().collect();
    for (index, volume) in volumes.iter().enumerate() {
        // In the order in which the server looks at them.
        let given = SOURCES.iter().filter(|source| !volume[**source].is_null());
        for source in given.skip(1) {
            let message = "Forbidden: may not specify more than 1 volume type";
            errors.push(Invalid::new(
                "FieldValueForbidden",
                format!("{path}.volumes[{index}].{source}"),
                message,
            ));
        }
    }
    let mut names = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let place = format!("{path}.containers[{index}]");
        let name = container["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            errors.push(Invalid::required(format!("{place}.name"), ""));
        } else if !dns_label(name) {
            let why = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
            errors.push(Invalid::value(format!("{place}.name"), &container["name"], why));
        } else if names.contains(&name) {
            let message = format!("Duplicate value: \"{name}\"");
            errors.push(Invalid::new("FieldValueDuplicate", format!("{place}.name"), message));
        }
        names.push(name);
        if container["image"].as_str().unwrap_or_default().is_empty() {
            errors.push(Invalid::required(format!("{place}.image"), ""));
        }
        for (number, mount) in container["volumeMounts"].as_array().into_iter().flatten().enumerate() {
            if !volumes.iter().any(|volume| sources(volume) < 2 && volume["name"] == mount["name"]) {
                let message = format!("Not found: {}", mount["name"]);
                let place = format!("{place}.volumeMounts[{number}].name");
                errors.push(Invalid::new("FieldValueNotFound", place, message));
            }
        }
        for (number, port) in container["ports"].as_array().into_iter().flatten().enumerate() {
            port_number(&port["containerPort"], &format!("{place}.ports[{number}].containerPort"), errors);
        }
    }
}

fn port_number(port: &Value, path: &str, errors: &mut Errors) {
    match port.as_i64() {
        None | Some(0) if path.ends_with("containerPort") => errors.push(Invalid::required(path, "")),
        Some(1..=65535) => {}
        _ => errors.push(Invalid::value(path, port, "must be between 1 and 65535, inclusive")),
    }
}

fn service(spec: &Value, old: Option<&Value>, errors: &mut Errors) {
    let ports = spec["ports"].as_array().cloned().unwrap_or_default();
    if ports.is_empty() && spec["type"] != "ExternalName" && spec["clusterIP"] != "None" {
        errors.push(Invalid::required("spec.ports", ""));
    }
    let mut seen: Vec<(&Value, &Value)> = Vec::new();
    let mut names: Vec<&Value> = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let place = format!("spec.ports[{index}]");
        port_number(&port["port"], &format!("{place}.port"), errors);
        if ports.len() > 1 && port["name"].as_str().unwrap_or_default().is_empty() {
            errors.push(Invalid::required(format!("{place}.name"), ""));
        } else if !port["name"].is_null() && names.contains(&&port["name"]) {
            let message = format!("Duplicate value: {}", port["name"]);
            errors.push(Invalid::new("FieldValueDuplicate", format!("{place}.name"), message));
        }
        if seen.contains(&(&port["protocol"], &port["port"])) {
            let message = format!("Duplicate value: {port}");
            errors.push(Invalid::new("FieldValueDuplicate", place, message));
        }
        seen.push((&port["protocol"], &port["port"]));
        names.push(&port["name"]);
    }
    if let Some(old) = old
        && !old["clusterIP"].is_null()
        && spec["type"] != "ExternalName"
        && old["type"] != "ExternalName"
        && spec["clusterIP"] != old["clusterIP"]
    {
        errors.push(Invalid::value("spec.clusterIPs[0]", &spec["clusterIP"], "may not change once set"));
    }
}
