//go:build tools

// Package tools pins the standalone kustomize that manifests are checked with,
// beside the one inside kubectl.
package tools

import _ "sigs.k8s.io/kustomize/kustomize/v5"
