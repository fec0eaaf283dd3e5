//go:build tools

package main

// Packages that are read or run, but not called.
import (
	_ "k8s.io/api/core/v1"
	_ "sigs.k8s.io/controller-tools/cmd/controller-gen"
)
