//go:build !linux

package main

import "syscall"

// childAttributes keeps a terminal's Ctrl-C from reaching a child before its
// parent.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
