//go:build tools

package main

// The packages that are read, not called.
import (
	_ "k8s.io/api/core/v1"
)
