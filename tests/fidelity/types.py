#!/usr/bin/env python3
"""Prints testing/src/sim/server/types.txt, the built-in kinds as the simulated API server knows them.

usage: types.py OPENAPI_FOLDER GO_MODULE_CACHE VERSION

The folder has what an API server answers for /openapi/v3/*, one file each, as api/openapi-spec/v3 of Kubernetes does. The
Go types of the same version say what JSON cannot: which fields are pointers, and which are written though empty.
"""
import glob
import json
import os
import re
import sys

KINDS = {
    "core.v1": "Namespace Pod Service ConfigMap Secret ServiceAccount PersistentVolumeClaim Event",
    "events.v1": "Event",
    "apps.v1": "Deployment StatefulSet DaemonSet ReplicaSet ControllerRevision",
    "batch.v1": "Job CronJob",
    "coordination.v1": "Lease",
    "rbac.v1": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "networking.v1": "Ingress NetworkPolicy",
    "policy.v1": "PodDisruptionBudget",
    "autoscaling.v1": "Scale",
    "autoscaling.v2": "HorizontalPodAutoscaler",
    "apiextensions.v1": "CustomResourceDefinition",
}
SCALARS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}
SPECIAL = {
    "Quantity": "q", "IntOrString": "o", "Time": "t", "MicroTime": "u", "RawExtension": "r", "FieldsV1": "r",
    "JSON": "r", "JSONSchemaProps": "r", "JSONSchemaPropsOrArray": "r", "JSONSchemaPropsOrBool": "r",
    "JSONSchemaPropsOrStringArray": "r", "Duration": "s",
}


def short(name):
    """`io.k8s.api.apps.v1.Deployment` is `apps.v1.Deployment`."""
    return ".".join(name.split(".")[-3:])


def schemas(folder):
    found = {}
    for file in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(file) as text:
            for name, schema in json.load(text).get("components", {}).get("schemas", {}).items():
                found.setdefault(short(name), schema)
    return found


def go_fields(cache, version):
    """For `package.version.Type` its fields in JSON: (pointer, omitempty, omitzero, type), or none for an inlined type."""
    api = version.replace("v1.", "v0.", 1)
    packages = [(f"{cache}/k8s.io/api@{api}", 2), (f"{cache}/k8s.io/apimachinery@{api}/pkg/apis", 2),
                (f"{cache}/k8s.io/apiextensions-apiserver@{api}/pkg/apis", 2)]
    found = {}
    for root, _ in packages:
        for file in glob.glob(f"{root}/*/*/types*.go"):
            package = ".".join(file.split("/")[-3:-1])
            text = open(file).read()
            for name, body in re.findall(r"^type (\w+) struct \{\n(.*?)^\}", text, re.M | re.S):
                fields = found.setdefault(f"{package}.{name}", {})
                for go_type, tag in re.findall(r"^\t(?:\w+ +)?(\S+) +`[^`]*json:\"([^\"]*)\"", body, re.M):
                    json_name, *options = tag.split(",")
                    if not json_name:
                        fields[go_type] = None
                    else:
                        fields[json_name] = (go_type[0] == "*", "omitempty" in options, "omitzero" in options, go_type)
            for name, alias in re.findall(r"^type (\w+) (\w+)$", text, re.M):
                found.setdefault(f"{package}.{name}", {})
    return found


class Table:
    def __init__(self, openapi, go):
        self.openapi, self.go, self.lines, self.queue = openapi, go, {}, []

    def expression(self, schema):
        if "allOf" in schema:
            return self.expression(schema["allOf"][0])
        if "$ref" in schema:
            name = short(schema["$ref"].split("/")[-1])
            base = name.split(".")[-1]
            if base in SPECIAL:
                return SPECIAL[base]
            self.queue.append(name)
            return "@" + name
        kind = schema.get("type")
        if kind == "array":
            items = self.expression(schema["items"])
            relation = schema.get("x-kubernetes-list-type", "atomic")
            if relation == "set":
                return "<" + items
            if relation == "map":
                return "(" + ",".join(schema["x-kubernetes-list-map-keys"]) + ")" + items
            return "[" + items
        if kind == "object":
            if "additionalProperties" not in schema:
                return "r"
            atomic = "^" if schema.get("x-kubernetes-map-type") == "atomic" else ""
            return atomic + "{" + self.expression(schema["additionalProperties"])
        if schema.get("format") == "byte":
            return "x"
        if schema.get("format") == "int-or-string":
            return "o"
        return SCALARS.get(kind, "r")

    def go_of(self, name):
        fields = dict(self.go.get(name, {}))
        for field, facts in list(fields.items()):
            if facts is None:
                inlined = field.split(".")[-1]
                package = name.rsplit(".", 1)[0]
                fields.update(self.go_of(f"{package}.{inlined}"))
                del fields[field]
        return fields

    def add(self, name):
        if name in self.lines:
            return
        schema = self.openapi[name]
        self.lines[name] = None
        properties = schema.get("properties")
        if properties is None:
            self.lines[name] = f"{name} = {self.expression(schema)}"
            return
        go, words = self.go_of(name), []
        required = schema.get("required", [])
        for field, inner in sorted(properties.items()):
            if field in ("apiVersion", "kind") and name.split(".")[-1] != "ObjectReference" and "metadata" in properties:
                continue
            expression = self.expression(inner)
            pointer, omitempty, omitzero, go_type = go.get(field, (False, True, True, ""))
            # encoding/json never takes a struct for empty.
            struct = not pointer and not go_type.startswith(("[", "map[")) and expression[0] in "@tuoqr"
            empty = omitzero or omitempty and not struct
            marks = ("?" if pointer else "") + ("" if empty else "!") + ("*" if field in required else "")
            word = f"{field}{marks}:{expression}"
            default = inner.get("default")
            if default not in (None, {}, "", 0, False):
                word += "=" + json.dumps(default, separators=(",", ":"))
            if "x-kubernetes-patch-strategy" in inner:
                strategy = inner["x-kubernetes-patch-strategy"].replace(",", "+")
                word += f"~{strategy}"
                if "x-kubernetes-patch-merge-key" in inner:
                    word += "/" + inner["x-kubernetes-patch-merge-key"]
            words.append(word)
        atomic = "^" if schema.get("x-kubernetes-map-type") == "atomic" else ""
        self.lines[name] = f"{name}{atomic} " + " ".join(words)

    def print(self):
        for package, kinds in KINDS.items():
            for kind in kinds.split():
                self.add(f"{package}.{kind}")
        while self.queue:
            self.add(self.queue.pop())
        print("# Made by tests/fidelity/types.py; its grammar is in types.rs.")
        for name in sorted(self.lines):
            print(self.lines[name].rstrip())


if __name__ == "__main__":
    folder, cache, version = sys.argv[1:]
    Table(schemas(folder), go_fields(cache, version)).print()
