package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
	apiext "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-tools/pkg/crd"
	crdmarkers "sigs.k8s.io/controller-tools/pkg/crd/markers"
	"sigs.k8s.io/controller-tools/pkg/loader"
	"sigs.k8s.io/controller-tools/pkg/markers"
)

// Go's types, as controller-gen sees them.
type golang struct {
	parser   *crd.Parser
	packages map[string]*loader.Package
}

func newGo(rust map[string]definition) (*golang, error) {
	wanted := map[string]bool{}
	for name := range rust {
		if pkg, _ := goType(name); pkg != "" {
			wanted[pkg] = true
		}
	}
	roots, err := loader.LoadRoots(slices.Sorted(maps.Keys(wanted))...)
	if err != nil {
		return nil, err
	}
	registry := &markers.Registry{}
	if err := crdmarkers.Register(registry); err != nil {
		return nil, err
	}
	parser := &crd.Parser{
		Collector: &markers.Collector{Registry: registry},
		Checker:   &loader.TypeChecker{},
		// Two types of the API hold numbers with a fraction.
		AllowDangerousTypes: true,
		// Without this, an object's metadata has no fields, and the labels of a pod template are lost.
		GenerateEmbeddedObjectMeta: true,
	}
	crd.AddKnownTypes(parser)
	loaded := map[string]*loader.Package{}
	for _, root := range roots {
		loaded[root.PkgPath] = root
		parser.NeedPackage(root)
	}
	return &golang{parser, loaded}, nil
}

// The schema without references, or nil when Go has no such type.
func (g *golang) schema(name string) (object, error) {
	path, typ := goType(name)
	pkg := g.packages[path]
	if pkg == nil {
		return nil, nil
	}
	ident := crd.TypeIdent{Package: pkg, Name: typ}
	if _, known := g.parser.Types[ident]; !known {
		if _, known := g.parser.Schemata[ident]; !known {
			return nil, nil
		}
	}
	before := len(pkg.Errors)
	g.parser.NeedFlattenedSchemaFor(ident)
	for _, problem := range pkg.Errors[before:] {
		// The checker looks at the parts of a package that schemas need, and misses the others: no concern of ours.
		if problem.Kind != packages.TypeError {
			fmt.Fprintf(os.Stderr, "left out, as Go cannot embed it: %s: %s\n", name, problem.Msg)
			return nil, nil
		}
	}
	return plain(g.parser.FlattenedSchemata[ident])
}

func plain(schema apiext.JSONSchemaProps) (object, error) {
	text, err := json.Marshal(schema)
	if err != nil {
		return nil, err
	}
	var value object
	return value, json.Unmarshal(text, &value)
}

// The package and name of the Go type of a definition.
func goType(name string) (string, string) {
	prefix, typ := cutLast(name, ".")
	switch {
	case strings.HasPrefix(prefix, "io.k8s.kube-aggregator."):
		return "", "" // nothing to embed, and controller-gen refuses a marker of theirs
	case strings.HasPrefix(prefix, "io.k8s.apiextensions-apiserver.") && typ != "JSON":
		return "", "" // schemas within schemas: recursive
	case strings.HasPrefix(prefix, "io.k8s."):
		return "k8s.io/" + strings.ReplaceAll(strings.TrimPrefix(prefix, "io.k8s."), ".", "/"), typ
	}
	return "", ""
}

func cutLast(text, separator string) (string, string) {
	at := strings.LastIndex(text, separator)
	return text[:at], text[at+1:]
}
