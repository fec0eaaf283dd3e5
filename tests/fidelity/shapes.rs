//! What the objects of the sequences look like.

use serde_json::{Value, json};

use super::draw::Draw;

/// A kind that the sequences use.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub api_version: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub status: bool,
    pub scale: bool,
    /// What of an object is drawn.
    fields: fn(&mut Draw) -> Value,
    change: fn(&mut Draw) -> Value,
}

pub const SHAPES: [Shape; 9] = [
    Shape {
        api_version: "fidelity.example.com/v1",
        kind: "Thing",
        plural: "things",
        status: true,
        scale: true,
        fields: thing,
        change: thing,
    },
    Shape {
        api_version: "apps/v1",
        kind: "Deployment",
        plural: "deployments",
        status: true,
        scale: true,
        fields: deployment,
        change: deployment_change,
    },
    Shape {
        api_version: "v1",
        kind: "ConfigMap",
        plural: "configmaps",
        status: false,
        scale: false,
        fields: config_map,
        change: config_map,
    },
    Shape {
        api_version: "v1",
        kind: "Service",
        plural: "services",
        status: true,
        scale: false,
        fields: service,
        change: service,
    },
    Shape {
        api_version: "coordination.k8s.io/v1",
        kind: "Lease",
        plural: "leases",
        status: false,
        scale: false,
        fields: lease,
        change: lease,
    },
    Shape {
        api_version: "v1",
        kind: "Secret",
        plural: "secrets",
        status: false,
        scale: false,
        fields: secret,
        change: secret,
    },
    Shape {
        api_version: "apps/v1",
        kind: "StatefulSet",
        plural: "statefulsets",
        status: true,
        scale: true,
        fields: stateful_set,
        change: replicas,
    },
    Shape {
        api_version: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        plural: "roles",
        status: false,
        scale: false,
        fields: role,
        change: role,
    },
    Shape {
        api_version: "v1",
        kind: "ServiceAccount",
        plural: "serviceaccounts",
        status: false,
        scale: false,
        fields: service_account,
        change: service_account,
    },
];

impl Shape {
    /// The path of the kind in a namespace.
    pub fn path(&self, namespace: &str) -> String {
        let root = if self.api_version.contains('/') { "apis" } else { "api" };
        format!("/{root}/{}/namespaces/{namespace}/{}", self.api_version, self.plural)
    }

    /// A whole object.
    pub fn object(&self, draw: &mut Draw, name: &str) -> Value {
        let mut object = (self.fields)(draw);
        object["apiVersion"] = self.api_version.into();
        object["kind"] = self.kind.into();
        object["metadata"] = metadata(draw);
        if let (true, Value::Object(fields)) = (self.kind == "Thing", &mut object["metadata"]) {
            // Said to be different in docs/simulation-fidelity.md.
            fields.retain(|_, value| *value != json!({}) && *value != json!([]));
        }
        object["metadata"]["name"] = name.into();
        object
    }

    /// Some fields, as a patch has them.
    pub fn change(&self, draw: &mut Draw) -> Value {
        let mut object = (self.change)(draw);
        if draw.once_in(3) {
            object["metadata"] = metadata(draw);
            if let (true, Value::Object(fields)) = (self.kind == "Thing", &mut object["metadata"]) {
                fields.retain(|_, value| *value != json!({}) && *value != json!([]));
            }
        }
        object
    }
}

fn metadata(draw: &mut Draw) -> Value {
    let mut metadata = json!({});
    if draw.once_in(2) {
        metadata["labels"] = json!({});
        for key in ["app", "tier", "example.com/part"] {
            if draw.once_in(2) {
                metadata["labels"][key] = (*draw.of(&["a", "b", ""])).into();
            }
        }
    }
    if draw.once_in(3) {
        metadata["annotations"] = json!({ "note": *draw.of(&["x", "y"]) });
    }
    if draw.once_in(5) {
        metadata["finalizers"] = draw.some(&[json!("example.com/one"), json!("example.com/two")]).into();
    }
    if draw.once_in(6) {
        let owner = |name: &str, controller: bool| json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": format!("uid-of-{name}"), "controller": controller });
        metadata["ownerReferences"] = draw.some(&[owner("one", true), owner("two", false)]).into();
    }
    metadata
}

fn thing(draw: &mut Draw) -> Value {
    let mut spec = json!({});
    let mut set = |draw: &mut Draw, name: &str, value: Value| {
        if draw.once_in(3) {
            spec[name] = value;
        }
    };
    let size = draw.below(5);
    set(draw, "size", size.into());
    let color = *draw.of(&["red", "green", "green", "red", "blue"]);
    set(draw, "color", color.into());
    let word = *draw.of(&["a", "bc", "def", "UPPER", "muchtoolong"]);
    set(draw, "word", word.into());
    let tags = draw.some(&[json!("x"), json!("y"), json!("z")]);
    set(draw, "tags", tags.into());
    let mut ports = draw.some(&[
        json!({ "port": 80 }),
        json!({ "port": 80, "protocol": "UDP" }),
        json!({ "port": 81, "name": "b" }),
    ]);
    for port in &mut ports {
        if draw.once_in(3) {
            port["name"] = (*draw.of(&["p", "q"])).into();
        }
    }
    set(draw, "ports", ports.into());
    let items = draw.some(&[json!(1), json!(2), json!(2)]);
    set(draw, "items", items.into());
    let options =
        if draw.once_in(2) { json!({ "a": *draw.of(&["1", "2"]) }) } else { json!({ "b": "1", "c": "2" }) };
    set(draw, "options", options);
    let whole =
        if draw.once_in(2) { json!({ "a": "1" }) } else { json!({ "b": "1", "c": *draw.of(&["1", "2"]) }) };
    set(draw, "whole", whole);
    let nested = json!({ "a": draw.below(2), "b": { "c": *draw.of(&["x", "y"]) } });
    set(draw, "nested", nested);
    let raw = draw.of(&[json!({ "x": { "y": 1 } }), json!({ "x": [1, 2] }), json!({ "z": "t" })]).clone();
    set(draw, "raw", raw);
    let either = draw.of(&[json!(1), json!("10%")]).clone();
    set(draw, "either", either);
    let maybe = draw.of(&[json!("m"), Value::Null]).clone();
    set(draw, "maybe", maybe);
    let replicas = draw.below(4);
    set(draw, "replicas", replicas.into());
    set(draw, "unknown", json!(1));
    if draw.once_in(12) {
        spec["size"] = draw.of(&[json!("text"), json!(-1), json!(11), json!(1.5), Value::Null]).clone();
    }
    if draw.once_in(12) {
        spec["tags"] = json!(["x", "x"]);
    }
    if draw.once_in(15) {
        spec["ports"] = json!([{ "port": 80 }, { "port": 80, "protocol": "TCP" }]);
    }
    json!({ "spec": spec })
}

fn template(draw: &mut Draw) -> Value {
    let mut container =
        json!({ "name": "main", "image": *draw.of(&["nginx", "nginx:1", "registry:5000/a/b:latest"]) });
    if draw.once_in(2) {
        let env = draw.some(&[
            json!({ "name": "A", "value": "1" }),
            json!({ "name": "B", "value": "" }),
            json!({ "name": "C", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }),
        ]);
        container["env"] = env.into();
    }
    if draw.once_in(2) {
        let ports = draw.some(&[
            json!({ "containerPort": 80 }),
            json!({ "containerPort": 80, "protocol": "UDP", "name": "u" }),
            json!({ "containerPort": 81 }),
        ]);
        container["ports"] = ports.into();
    }
    if draw.once_in(3) {
        container["resources"] = json!({ "limits": { "cpu": *draw.of(&["1000m", "0.5", "1"]), "memory": *draw.of(&["1024Mi", "1G"]) } });
    }
    if draw.once_in(3) {
        container["livenessProbe"] = json!({ "httpGet": { "port": 80 } });
    }
    if draw.once_in(4) {
        container["volumeMounts"] = json!([{ "name": "v", "mountPath": "/v" }]);
    }
    let mut containers = vec![container];
    if draw.once_in(4) {
        containers.push(json!({ "name": "side", "image": "side:2" }));
    }
    let mut spec = json!({ "containers": containers });
    if draw.once_in(3) {
        spec["volumes"] = json!([{ "name": "v", "configMap": { "name": "c" } }, { "name": "e" }]);
    } else if spec["containers"][0]["volumeMounts"].is_array() {
        spec["volumes"] = json!([{ "name": "v", "emptyDir": {} }]);
    }
    if draw.once_in(4) {
        spec["serviceAccountName"] = "robot".into();
    }
    if draw.once_in(4) {
        spec["securityContext"] = json!({ "runAsNonRoot": true });
    }
    json!({ "metadata": { "labels": { "app": "a" } }, "spec": spec })
}

fn deployment(draw: &mut Draw) -> Value {
    let mut spec = json!({ "selector": { "matchLabels": { "app": "a" } }, "template": template(draw) });
    if draw.once_in(2) {
        spec["replicas"] = draw.below(3).into();
    }
    if draw.once_in(5) {
        spec["strategy"] = json!({ "type": *draw.of(&["Recreate", "RollingUpdate"]) });
    }
    if draw.once_in(8) {
        spec["paused"] = draw.once_in(2).into();
    }
    if draw.once_in(20) {
        spec["replicas"] = (-1).into();
    }
    if draw.once_in(20) {
        spec["selector"] = json!({ "matchLabels": { "app": "other" } });
    }
    json!({ "spec": spec })
}

fn deployment_change(draw: &mut Draw) -> Value {
    match draw.below(4) {
        0 => json!({ "spec": { "replicas": draw.below(3) } }),
        1 => {
            json!({ "spec": { "template": { "metadata": { "annotations": { "at": *draw.of(&["1", "2"]) } } } } })
        }
        2 => json!({ "spec": { "template": template(draw) } }),
        _ => json!({ "spec": { "minReadySeconds": draw.below(2), "paused": draw.once_in(2) } }),
    }
}

fn replicas(draw: &mut Draw) -> Value {
    json!({ "spec": { "replicas": draw.below(3) } })
}

fn stateful_set(draw: &mut Draw) -> Value {
    json!({ "spec": { "serviceName": "s", "selector": { "matchLabels": { "app": "a" } }, "template": template(draw) } })
}

fn config_map(draw: &mut Draw) -> Value {
    let mut object = json!({});
    if !draw.once_in(4) {
        object["data"] = json!({});
        for key in ["a", "b", "c.d"] {
            if draw.once_in(2) {
                object["data"][key] = (*draw.of(&["1", "2", ""])).into();
            }
        }
    }
    if draw.once_in(8) {
        object["binaryData"] = json!({ "bin": "AAEC" });
    }
    object
}

fn secret(draw: &mut Draw) -> Value {
    let mut object = json!({});
    if draw.once_in(2) {
        object["data"] = json!({ "a": "YQ==" });
    }
    if draw.once_in(3) {
        object["stringData"] = json!({ "a": *draw.of(&["x", "y"]), "b": "z" });
    }
    object
}

fn service(draw: &mut Draw) -> Value {
    let mut ports = vec![json!({ "port": 80, "name": "http" })];
    if draw.once_in(2) {
        ports[0]["targetPort"] = draw.of(&[json!(8080), json!("web")]).clone();
    }
    if draw.once_in(3) {
        ports.push(json!({ "port": 81, "name": "more", "protocol": *draw.of(&["TCP", "UDP"]) }));
    }
    if draw.once_in(4) {
        ports.reverse();
    }
    let mut spec = json!({ "clusterIP": "None", "ports": ports });
    if draw.once_in(2) {
        spec["selector"] = json!({ "app": *draw.of(&["a", "b"]) });
    }
    if draw.once_in(5) {
        spec["sessionAffinity"] = "ClientIP".into();
    }
    json!({ "spec": spec })
}

fn lease(draw: &mut Draw) -> Value {
    let mut spec = json!({});
    if draw.once_in(2) {
        spec["holderIdentity"] = (*draw.of(&["a", "b", ""])).into();
    }
    if draw.once_in(2) {
        spec["leaseDurationSeconds"] = (15 + draw.below(2)).into();
    }
    if draw.once_in(2) {
        spec["renewTime"] = (*draw.of(&["2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:01.5Z"])).into();
    }
    if draw.once_in(3) {
        spec["leaseTransitions"] = draw.below(2).into();
    }
    json!({ "spec": spec })
}

fn role(draw: &mut Draw) -> Value {
    let rule = json!({ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] });
    if draw.once_in(4) { json!({}) } else { json!({ "rules": [rule] }) }
}

fn service_account(draw: &mut Draw) -> Value {
    let mut object = json!({});
    if draw.once_in(2) {
        object["secrets"] = draw.some(&[json!({ "name": "a" }), json!({ "name": "b" })]).into();
    }
    if draw.once_in(2) {
        object["automountServiceAccountToken"] = draw.once_in(2).into();
    }
    object
}

/// The definition of the kind `Thing`.
pub fn definition() -> Value {
    let text = json!({ "type": "string" });
    let port = json!({
        "type": "object", "required": ["port"],
        "properties": { "port": { "type": "integer" }, "protocol": { "type": "string", "default": "TCP" }, "name": text },
    });
    let spec = json!({ "type": "object", "default": {}, "properties": {
        "size": { "type": "integer", "minimum": 0, "maximum": 10, "default": 1 },
        "color": { "type": "string", "enum": ["red", "green"] },
        "word": { "type": "string", "maxLength": 8, "pattern": "^[a-z]*$" },
        "tags": { "type": "array", "items": text, "x-kubernetes-list-type": "set" },
        "ports": { "type": "array", "items": port, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"] },
        "items": { "type": "array", "items": { "type": "integer" } },
        "options": { "type": "object", "additionalProperties": text },
        "whole": { "type": "object", "additionalProperties": text, "x-kubernetes-map-type": "atomic" },
        "nested": { "type": "object", "properties": { "a": { "type": "integer" }, "b": { "type": "object", "properties": { "c": text, "d": { "type": "string", "default": "d" } } } } },
        "raw": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
        "either": { "x-kubernetes-int-or-string": true },
        "maybe": { "type": "string", "nullable": true },
        "replicas": { "type": "integer" },
    }});
    let condition =
        json!({ "type": "object", "required": ["type"], "properties": { "type": text, "status": text } });
    let status = json!({ "type": "object", "properties": {
        "phase": text, "replicas": { "type": "integer" }, "selector": text,
        "conditions": { "type": "array", "items": condition, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] },
    }});
    let schema = json!({ "type": "object", "properties": { "spec": spec, "status": status } });
    let scale = json!({ "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector" });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "things.fidelity.example.com" },
        "spec": {
            "group": "fidelity.example.com", "scope": "Namespaced",
            "names": { "kind": "Thing", "plural": "things", "singular": "thing" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema }, "subresources": { "status": {}, "scale": scale } }],
        },
    })
}
