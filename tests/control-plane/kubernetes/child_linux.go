package main

import "syscall"

// childAttributes makes a child die with its parent, however that ends, and
// keeps a terminal's Ctrl-C from reaching it before its parent.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
