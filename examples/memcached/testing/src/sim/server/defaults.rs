//! What the API server fills into objects of the built-in kinds. It is in Go code and in no schema, so it is written down
//! here; tests/fidelity.rs holds it to a real API server.

use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// Fills in what is not said.
pub(super) fn fill(kind: &str, object: &mut Value) {
    match kind {
        "Pod" => pod(object),
        "Deployment" => within(object, "spec", |spec| {
            or(spec, "replicas", 1);
            or(spec, "revisionHistoryLimit", 10);
            or(spec, "progressDeadlineSeconds", 600);
            let strategy = child(spec, "strategy");
            or_text(strategy, "type", "RollingUpdate");
            if strategy["type"] == "RollingUpdate" {
                let rolling = child(strategy, "rollingUpdate");
                or(rolling, "maxUnavailable", "25%");
                or(rolling, "maxSurge", "25%");
            }
            template(spec);
        }),
        "StatefulSet" => stateful_set(object),
        "DaemonSet" => within(object, "spec", |spec| {
            or(spec, "revisionHistoryLimit", 10);
            let strategy = child(spec, "updateStrategy");
            or_text(strategy, "type", "RollingUpdate");
            if strategy["type"] == "RollingUpdate" {
                let rolling = child(strategy, "rollingUpdate");
                or(rolling, "maxUnavailable", 1);
                or(rolling, "maxSurge", 0);
            }
            template(spec);
        }),
        "ReplicaSet" => within(object, "spec", |spec| {
            or(spec, "replicas", 1);
            template(spec);
        }),
        "Job" => within(object, "spec", job),
        "CronJob" => within(object, "spec", |spec| {
            or_text(spec, "concurrencyPolicy", "Allow");
            or(spec, "suspend", false);
            or(spec, "successfulJobsHistoryLimit", 3);
            or(spec, "failedJobsHistoryLimit", 1);
            let job_spec = child(child(spec, "jobTemplate"), "spec");
            job(job_spec);
        }),
        "Service" => within(object, "spec", service),
        "Secret" => or_text_of(object, "type", "Opaque"),
        "Namespace" => {
            let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            if !name.is_empty() {
                within(object, "metadata", |metadata| {
                    child(metadata, "labels").insert("kubernetes.io/metadata.name".to_owned(), name.into());
                });
            }
            within(object, "status", |status| or_text(status, "phase", "Active"));
        }
        "PersistentVolumeClaim" => claim(object),
        "NetworkPolicy" => within(object, "spec", |spec| {
            if !spec.contains_key("policyTypes") {
                let egress = spec.contains_key("egress");
                let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
                spec.insert("policyTypes".to_owned(), types);
            }
            for direction in ["ingress", "egress"] {
                for rule in items(spec, direction) {
                    for port in items(rule, "ports") {
                        or(port, "protocol", "TCP");
                    }
                }
            }
        }),
        "HorizontalPodAutoscaler" => within(object, "spec", |spec| {
            or(spec, "minReplicas", 1);
            if !spec.contains_key("metrics") {
                let target = json!({ "averageUtilization": 80, "type": "Utilization" });
                let metric = json!({ "resource": { "name": "cpu", "target": target }, "type": "Resource" });
                spec.insert("metrics".to_owned(), json!([metric]));
            }
        }),
        "RoleBinding" | "ClusterRoleBinding" => {
            let group = "rbac.authorization.k8s.io";
            within(object, "roleRef", |role| or_text(role, "apiGroup", group));
            if let Value::Object(object) = object {
                for subject in items(object, "subjects") {
                    if subject["kind"] == "User" || subject["kind"] == "Group" {
                        or_text(subject, "apiGroup", group);
                    }
                }
            }
        }
        "CustomResourceDefinition" => within(object, "spec", definition),
        _ => {}
    }
}

fn definition(spec: &mut Object) {
    let names = child(spec, "names");
    let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    or_text(names, "singular", &kind.to_lowercase());
    or_text(names, "listKind", &format!("{kind}List"));
    let conversion = child(spec, "conversion");
    or_text(conversion, "strategy", "None");
}

fn stateful_set(object: &mut Value) {
    within(object, "spec", |spec| {
        or(spec, "replicas", 1);
        or(spec, "revisionHistoryLimit", 10);
        or_text(spec, "podManagementPolicy", "OrderedReady");
        let retention = child(spec, "persistentVolumeClaimRetentionPolicy");
        or_text(retention, "whenDeleted", "Retain");
        or_text(retention, "whenScaled", "Retain");
        let strategy = child(spec, "updateStrategy");
        or_text(strategy, "type", "RollingUpdate");
        if strategy["type"] == "RollingUpdate" {
            let rolling = child(strategy, "rollingUpdate");
            or(rolling, "partition", 0);
            or(rolling, "maxUnavailable", 1);
        }
        for item in items(spec, "volumeClaimTemplates") {
            item.insert("apiVersion".to_owned(), "v1".into());
            item.insert("kind".to_owned(), "PersistentVolumeClaim".into());
            or_text(child(item, "status"), "phase", "Pending");
            or(child(item, "spec"), "volumeMode", "Filesystem");
        }
        template(spec);
    });
}

fn claim(object: &mut Value) {
    within(object, "spec", |spec| or(spec, "volumeMode", "Filesystem"));
    within(object, "status", |status| or_text(status, "phase", "Pending"));
}

fn job(spec: &mut Object) {
    if !spec.contains_key("completions") && !spec.contains_key("parallelism") {
        spec.insert("completions".to_owned(), 1.into());
    }
    or(spec, "parallelism", 1);
    or(spec, "backoffLimit", 6);
    or(spec, "completionMode", "NonIndexed");
    or(spec, "suspend", false);
    or(spec, "manualSelector", false);
    or(spec, "podReplacementPolicy", "TerminatingOrFailed");
    if spec.contains_key("podFailurePolicy") {
        spec.insert("podReplacementPolicy".to_owned(), "Failed".into());
    }
    template(spec);
}

fn service(spec: &mut Object) {
    or_text(spec, "type", "ClusterIP");
    or_text(spec, "sessionAffinity", "None");
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    if spec["sessionAffinity"] == "None" {
        spec.remove("sessionAffinityConfig");
    } else if spec["sessionAffinity"] == "ClientIP" {
        or(child(child(spec, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds", 10800);
    }
    for port in items(spec, "ports") {
        or_text(port, "protocol", "TCP");
        let unset = port.get("targetPort").is_none_or(|target| *target == 0 || *target == "");
        if unset && let Some(number) = port.get("port").cloned() {
            port.insert("targetPort".to_owned(), number);
        }
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer")
        || kind == "ClusterIP" && spec.contains_key("externalIPs")
    {
        or_text(spec, "externalTrafficPolicy", "Cluster");
    }
    if kind != "ExternalName" {
        or(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        or(spec, "allocateLoadBalancerNodePorts", true);
    }
}

fn template(spec: &mut Object) {
    if let Some(Value::Object(template)) = spec.get_mut("template")
        && let Some(Value::Object(spec)) = template.get_mut("spec")
    {
        pod_spec(spec);
    }
}

fn pod(object: &mut Value) {
    within(object, "spec", |spec| {
        for list in ["containers", "initContainers"] {
            for container in items(spec, list) {
                let Some(Value::Object(resources)) = container.get_mut("resources") else { continue };
                let Some(Value::Object(limits)) = resources.get("limits").cloned() else { continue };
                let requests = child(resources, "requests");
                for (name, limit) in limits {
                    requests.entry(name).or_insert(limit);
                }
            }
        }
        or(spec, "enableServiceLinks", true);
        pod_spec(spec);
    });
    within(object, "status", |status| or_text(status, "phase", "Pending"));
}

fn pod_spec(spec: &mut Object) {
    or_text(spec, "restartPolicy", "Always");
    or_text(spec, "dnsPolicy", "ClusterFirst");
    or_text(spec, "schedulerName", "default-scheduler");
    or(spec, "terminationGracePeriodSeconds", 30);
    or(spec, "securityContext", json!({}));
    match (spec.get("serviceAccountName").cloned(), spec.get("serviceAccount").cloned()) {
        (Some(name), _) => drop(spec.insert("serviceAccount".to_owned(), name)),
        (None, Some(name)) => drop(spec.insert("serviceAccountName".to_owned(), name)),
        _ => {}
    }
    let host = spec.get("hostNetwork").is_some_and(|host| *host == true);
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in items(spec, list) {
            container_defaults(container, host);
        }
    }
    for volume in items(spec, "volumes") {
        volume_defaults(volume);
    }
}

fn container_defaults(container: &mut Object, host: bool) {
    let policy = pull_policy(container.get("image").and_then(Value::as_str).unwrap_or_default());
    or_text(container, "imagePullPolicy", policy);
    or_text(container, "terminationMessagePath", "/dev/termination-log");
    or_text(container, "terminationMessagePolicy", "File");
    for port in items(container, "ports") {
        or_text(port, "protocol", "TCP");
        if host && let Some(number) = port.get("containerPort").cloned() {
            or(port, "hostPort", number);
        }
    }
    for variable in items(container, "env") {
        if let Some(Value::Object(from)) = variable.get_mut("valueFrom")
            && let Some(Value::Object(field)) = from.get_mut("fieldRef")
        {
            or_text(field, "apiVersion", "v1");
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(Value::Object(probe)) = container.get_mut(name) {
            for (field, value) in [
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ] {
                if probe.get(field).is_none_or(|seen| *seen == 0) {
                    probe.insert(field.to_owned(), value.into());
                }
            }
            handler(probe);
        }
    }
    if let Some(Value::Object(lifecycle)) = container.get_mut("lifecycle") {
        for name in ["postStart", "preStop"] {
            if let Some(Value::Object(hook)) = lifecycle.get_mut(name) {
                handler(hook);
            }
        }
    }
}

fn handler(handler: &mut Object) {
    if let Some(Value::Object(get)) = handler.get_mut("httpGet") {
        or_text(get, "path", "/");
        or_text(get, "scheme", "HTTP");
    }
    if let Some(Value::Object(call)) = handler.get_mut("grpc") {
        or(call, "service", "");
    }
}

/// Only what is called `latest` is fetched each time.
fn pull_policy(image: &str) -> &'static str {
    let digest = image.contains('@');
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split('@').next().and_then(|name| name.split_once(':')) {
        Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
        None if digest => "IfNotPresent",
        None => "Always",
    }
}

fn volume_defaults(volume: &mut Object) {
    if volume.len() == 1 {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for name in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(Value::Object(source)) = volume.get_mut(name) {
            or(source, "defaultMode", 0o644);
            field_references(source);
            for source in items(source, "sources") {
                if let Some(Value::Object(token)) = source.get_mut("serviceAccountToken") {
                    or(token, "expirationSeconds", 3600);
                }
                if let Some(Value::Object(api)) = source.get_mut("downwardAPI") {
                    field_references(api);
                }
            }
        }
    }
    if let Some(Value::Object(path)) = volume.get_mut("hostPath") {
        or(path, "type", "");
    }
    if let Some(Value::Object(ephemeral)) = volume.get_mut("ephemeral") {
        let spec = child(child(ephemeral, "volumeClaimTemplate"), "spec");
        or(spec, "volumeMode", "Filesystem");
    }
}

fn field_references(source: &mut Object) {
    for item in items(source, "items") {
        if let Some(Value::Object(field)) = item.get_mut("fieldRef") {
            or_text(field, "apiVersion", "v1");
        }
    }
}

fn within(object: &mut Value, name: &str, fill: impl FnOnce(&mut Object)) {
    if let Value::Object(object) = object {
        fill(child(object, name));
    }
}

/// An object within another, made if it is not there.
fn child<'a>(object: &'a mut Object, name: &str) -> &'a mut Object {
    let value = object.entry(name).or_insert_with(|| json!({}));
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(object) => object,
        _ => unreachable!("made an object above"),
    }
}

fn or(object: &mut Object, name: &str, value: impl Into<Value>) {
    let place = object.entry(name).or_insert(Value::Null);
    if place.is_null() {
        *place = value.into();
    }
}

fn or_text(object: &mut Object, name: &str, value: &str) {
    let place = object.entry(name).or_insert(Value::Null);
    if place.is_null() || *place == "" {
        *place = value.into();
    }
}

fn or_text_of(object: &mut Value, name: &str, value: &str) {
    if let Value::Object(object) = object {
        or_text(object, name, value);
    }
}

fn items<'a>(object: &'a mut Object, name: &str) -> impl Iterator<Item = &'a mut Object> {
    object.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}
