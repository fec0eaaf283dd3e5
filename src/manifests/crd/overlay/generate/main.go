// Command generate writes ../kubernetes.json: what the schemas of Kubernetes' types have when Go's controller-gen makes
// them and lack when k8s-openapi does, and the fingerprints by which each type is known. It reads the Go types of
// k8s.io/api at the version in go.mod, and the k8s-openapi that Cargo.lock names.
//
// `go generate`, in this folder, writes that file and the definition of a type in Go that tests/embedded.rs compares
// with the same type in Rust.
package main

//go:generate go run .
//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen crd:generateEmbeddedObjectMeta=true,maxDescLen=0 paths=./twin output:crd:dir=../../../../../tests/data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

const (
	output = "../kubernetes.json"
	// The version of Kubernetes in go.mod, as k8s-openapi names it.
	newest = "v1_37"
)

// A schema, or a JSON merge patch of one.
type object = map[string]any

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	crate, err := findCrate("k8s-openapi")
	if err != nil {
		return err
	}
	versions, err := filepath.Glob(filepath.Join(crate, "src", "v1_*"))
	if err != nil || len(versions) == 0 {
		return fmt.Errorf("no versions of Kubernetes in %s", crate)
	}
	fingerprints := map[string][]string{}
	var rust map[string]definition
	for _, version := range versions {
		definitions, err := read(version)
		if err != nil {
			return err
		}
		for name, d := range definitions {
			if fingerprint := d.fingerprint(); !slices.Contains(fingerprints[name], fingerprint) {
				fingerprints[name] = append(fingerprints[name], fingerprint)
			}
		}
		if filepath.Base(version) == newest {
			rust = definitions
		}
	}
	golang, err := newGo(rust)
	if err != nil {
		return err
	}
	all := map[string]pair{}
	for _, name := range slices.Sorted(maps.Keys(rust)) {
		schema, err := golang.schema(name)
		if err != nil {
			return err
		}
		if schema != nil {
			all[name] = pair{rust[name], schema}
		}
	}
	patches := map[string]object{}
	for name := range all {
		if patch := difference(name, all); len(patch) > 0 {
			patches[name] = patch
		}
	}
	text, err := render(patches, fingerprints)
	if err != nil {
		return err
	}
	return os.WriteFile(output, text, 0o644)
}

// Where cargo keeps the sources of a dependency.
func findCrate(name string) (string, error) {
	text, err := exec.Command("cargo", "metadata", "--format-version", "1").Output()
	if err != nil {
		return "", fmt.Errorf("cargo metadata: %w", err)
	}
	var metadata struct {
		Packages []struct {
			Name         string
			ManifestPath string `json:"manifest_path"`
		}
	}
	if err := json.Unmarshal(text, &metadata); err != nil {
		return "", err
	}
	for _, dependency := range metadata.Packages {
		if dependency.Name == name {
			return filepath.Dir(dependency.ManifestPath), nil
		}
	}
	return "", errors.New(name + " is not among the dependencies")
}

// One line for each type, so that a new version of Kubernetes gives a difference that can be read.
func render(patches map[string]object, fingerprints map[string][]string) ([]byte, error) {
	names := slices.Collect(maps.Keys(patches))
	sort.Slice(names, func(i, j int) bool { return before(names[i], names[j]) })
	owners := map[string]string{}
	lines := []string{}
	for _, name := range names {
		own := []string{}
		for _, fingerprint := range fingerprints[name] {
			other, taken := owners[fingerprint]
			if taken && !same(patches[other], patches[name]) {
				fmt.Fprintf(os.Stderr, "taken for %s: %s\n", other, name)
			}
			if !taken {
				owners[fingerprint] = name
				own = append(own, fingerprint)
			}
		}
		if len(own) == 0 {
			continue
		}
		sort.Strings(own)
		line, err := json.Marshal(object{"is": own, "patch": patches[name]})
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("%q:%s", name, line))
	}
	sort.Strings(lines)
	return fmt.Appendf(nil, "{\n%s\n}\n", strings.Join(lines, ",\n")), nil
}

// Stable versions first: of types that look the same they say what holds.
func before(a, b string) bool {
	unstable := func(name string) bool {
		return strings.Contains(name, "alpha") || strings.Contains(name, "beta")
	}
	if unstable(a) != unstable(b) {
		return unstable(b)
	}
	return a < b
}

func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
