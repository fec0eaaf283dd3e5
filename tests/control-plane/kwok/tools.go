//go:build tools

// Package tools pins kwok, which plays the part of nodes: it reports that they
// are ready and that the pods on them run.
package tools

import _ "sigs.k8s.io/kwok/cmd/kwok"
