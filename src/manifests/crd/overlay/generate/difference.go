package main

import "sort"

const (
	condition = "io.k8s.apimachinery.pkg.apis.meta.v1.Condition"
	metadata  = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
)

// What k8s-openapi writes as well.
var known = map[string]bool{
	"additionalProperties": true, "anyOf": true, "description": true, "format": true, "items": true,
	"properties": true, "required": true, "type": true, "x-kubernetes-int-or-string": true,
}

// Types whose own description is long and says nothing of the field that has none; Go leaves it out.
var undescribed = map[string]bool{
	"io.k8s.apimachinery.pkg.api.resource.Quantity":   true,
	"io.k8s.apimachinery.pkg.runtime.RawExtension":    true,
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString": true,
}

// Every kind has conditions, so these are worth a line each instead of Kubernetes' paragraphs.
var shorter = map[string]map[string]string{condition: {
	"lastTransitionTime": "When the status changed last.",
	"message":            "Details for people; may be empty.",
	"observedGeneration": "Generation of the object that this condition describes.",
	"reason":             "Why the status changed last, in CamelCase, for programs.",
	"status":             "Whether the aspect holds.",
	"type":               "Name of the aspect, in CamelCase, optionally after a domain and a slash.",
}}

// A type on both sides.
type pair struct {
	rust   definition
	golang object
}

// What is added to the schema of a type wherever it stands.
func (t pair) own() object {
	patch := additions(t.golang)
	if len(t.rust.properties) == 0 && t.golang["type"] == nil && t.golang["x-kubernetes-int-or-string"] == nil {
		patch["type"] = nil // any value
	}
	return patch
}

// The merge patch that makes the Rust schema of a type say what its Go schema says.
func difference(name string, all map[string]pair) object {
	t := all[name]
	patch := t.own()
	if undescribed[name] {
		patch["description"] = nil
	}
	fields, _ := t.golang["properties"].(object)
	properties := object{}
	for key, p := range t.rust.properties {
		field, there := fields[key].(object)
		if !there {
			if name == metadata {
				properties[key] = nil
			}
			continue
		}
		change := fieldDifference(p, field, all)
		if text := shorter[name][key]; text != "" {
			change["description"] = text
		}
		if len(change) > 0 {
			properties[key] = change
		}
	}
	if len(properties) > 0 {
		patch["properties"] = properties
	}
	required := texts(t.golang["required"])
	if len(t.rust.properties) > 0 && !same(required, sorted(t.rust.required)) {
		patch["required"] = required
	}
	return patch
}

// The same for a field. What its type brings along is left out if the type is recognised there.
func fieldDifference(p property, field object, all map[string]pair) object {
	patch := additions(field)
	target, there := all[p.of]
	recognised := there && (len(target.rust.properties) > 0 || p.description == target.rust.description)
	if there {
		for key, value := range target.own() {
			switch {
			case recognised && same(patch[key], value):
				delete(patch, key)
			case !recognised:
				patch[key] = value
			}
		}
	}
	for _, inner := range []struct{ key, of string }{{"items", p.items}, {"additionalProperties", p.values}} {
		schema, there := field[inner.key].(object)
		if !there {
			continue
		}
		described := all[inner.of].rust.description
		if change := fieldDifference(property{of: inner.of, description: described}, schema, all); len(change) > 0 {
			patch[inner.key] = change
		}
	}
	return patch
}

func additions(schema object) object {
	patch := object{}
	for key, value := range schema {
		if !known[key] {
			patch[key] = value
		}
	}
	return patch
}

func texts(list any) []string {
	items, _ := list.([]any)
	all := []string{}
	for _, item := range items {
		all = append(all, item.(string))
	}
	return sorted(all)
}

func sorted(list []string) []string {
	copied := append([]string{}, list...)
	sort.Strings(copied)
	return copied
}
