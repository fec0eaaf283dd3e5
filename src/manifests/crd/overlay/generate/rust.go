package main

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

// What k8s-openapi says about a type.
type definition struct {
	description string
	properties  map[string]property
	required    []string
}

type property struct {
	description string
	// The types that occur in it, by the name of their definition.
	items, values, of string
}

var (
	schemaName  = regexp.MustCompile(`"(io\.k8s\.[^"]+)"\.into\(\)`)
	described   = regexp.MustCompile(`^ {12}"description": (".*"),$`)
	named       = regexp.MustCompile(`^ {16}"([^"]+)": (.*)$`)
	explained   = regexp.MustCompile(`^ {20}"description": (".*"),$`)
	overridden  = regexp.MustCompile(`insert\("description"\.into\(\), (".*")\.into\(\)\);$`)
	reference   = regexp.MustCompile(`__gen\.subschema_for::<crate::([a-zA-Z0-9_:]+)>\(\)`)
	requirement = regexp.MustCompile(`^ {16}"([^"]+)",$`)
	escape      = regexp.MustCompile(`\\(u\{[0-9a-f]+\}|.)`)
)

// All definitions of one version of Kubernetes, from the sources of k8s-openapi, which a program of its own writes.
func read(folder string) (map[string]definition, error) {
	definitions := map[string]definition{}
	paths := map[string]string{} // Rust path -> name
	references := map[string]map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".rs" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := schemaName.FindStringSubmatch(string(text))
		_, body, found := strings.Cut(string(text), "        crate::schemars::json_schema!({\n")
		if name == nil || !found {
			return nil
		}
		definition, refs := parse(body)
		definitions[name[1]] = definition
		references[name[1]] = refs
		relative, err := filepath.Rel(folder, filepath.Dir(path))
		if err != nil {
			return err
		}
		_, typ := cutLast(name[1], ".")
		paths[strings.ReplaceAll(relative, "/", "::")+"::"+typ] = name[1]
		return nil
	})
	if err != nil {
		return nil, err
	}
	for name, d := range definitions {
		for key, p := range d.properties {
			target, known := paths[references[name][key]]
			if references[name][key] != "" && !known {
				return nil, fmt.Errorf("%s.%s refers to %s", name, key, references[name][key])
			}
			switch {
			case p.items != "":
				p.items = target
			case p.values != "":
				p.values = target
			default:
				p.of = target
				if p.description == "" && target != "" {
					p.description = definitions[target].description
				}
			}
			d.properties[key] = p
		}
	}
	return definitions, nil
}

// Reads the argument of json_schema!, and which Rust type each property refers to.
func parse(body string) (definition, map[string]string) {
	d := definition{properties: map[string]property{}}
	references := map[string]string{}
	section, current := "", ""
	for _, line := range strings.Split(body, "\n") {
		if line == "        })" {
			break
		}
		if m := described.FindStringSubmatch(line); m != nil {
			d.description = unquote(m[1])
		}
		switch line {
		case `            "properties": {`:
			section = "properties"
		case `            "required": [`:
			section = "required"
		}
		if m := requirement.FindStringSubmatch(line); m != nil && section == "required" {
			d.required = append(d.required, m[1])
		}
		if section != "properties" {
			continue
		}
		if m := named.FindStringSubmatch(line); m != nil {
			current = m[1]
			d.properties[current] = property{}
		}
		p := d.properties[current]
		if m := explained.FindStringSubmatch(line); m != nil {
			p.description = unquote(m[1])
		}
		if m := overridden.FindStringSubmatch(line); m != nil {
			p.description = unquote(m[1])
		}
		if m := reference.FindStringSubmatch(line); m != nil {
			path := m[1]
			references[current] = strings.TrimPrefix(path, newest+"::")
			switch {
			case strings.Contains(line, `"items"`):
				p.items = "?"
			case strings.Contains(line, `"additionalProperties"`):
				p.values = "?"
			}
		}
		if current != "" {
			d.properties[current] = p
		}
	}
	return d, references
}

func unquote(literal string) string {
	return escape.ReplaceAllStringFunc(literal[1:len(literal)-1], func(found string) string {
		switch found[1] {
		case 'n':
			return "\n"
		case 't':
			return "\t"
		case 'r':
			return "\r"
		case 'u':
			var code rune
			_, _ = fmt.Sscanf(found[3:], "%x", &code)
			return string(code)
		}
		return found[1:]
	})
}

// The names and descriptions of all properties in one number; of a type without properties, its description. The Rust
// side computes the same in ../fingerprint.rs.
func (d definition) fingerprint() string {
	hash := fnv.New64a()
	names := make([]string, 0, len(d.properties))
	for name := range d.properties {
		names = append(names, name)
	}
	sort.Strings(names)
	words := func(text string) {
		for _, word := range strings.Fields(text) {
			hash.Write([]byte(word + " "))
		}
	}
	for _, name := range names {
		hash.Write([]byte(name + ":"))
		words(d.properties[name].description)
	}
	if len(names) == 0 {
		words(d.description)
	}
	return fmt.Sprintf("%016x", hash.Sum64())
}
