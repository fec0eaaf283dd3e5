package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// How long the parts may take to come up, and each of them to go down.
const (
	patience = 120 * time.Second
	grace    = 3 * time.Second
)

// errEnded says that a program ended by itself.
var errEnded = errors.New("ended")

// A process is a running program of the cluster.
type process struct {
	name    string
	command *exec.Cmd
	// Closed when it has ended.
	done chan struct{}
}

// launch starts a program: one of this binary's own by its name, or another by
// its path. It dies with this process.
func (c *cluster) launch(program string, arguments ...string) error {
	name := filepath.Base(program)
	if name == program {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		program, arguments = self, append([]string{name}, arguments...)
	}
	log, err := os.Create(filepath.Join(c.dir, "logs", name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(program, arguments...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = childAttributes()
	if err := command.Start(); err != nil {
		return fmt.Errorf("cannot start %s: %w", name, err)
	}
	started := &process{name: name, command: command, done: make(chan struct{})}
	go func() {
		_ = command.Wait()
		close(started.done)
	}()
	c.processes = append(c.processes, started)
	return nil
}

// ended is an error when a program has ended, which none should.
func (c *cluster) ended() error {
	for _, p := range c.processes {
		select {
		case <-p.done:
			log := c.path(filepath.Join("logs", p.name+".log"))
			return fmt.Errorf("%s %w (%s); see %s", p.name, errEnded, p.command.ProcessState, log)
		default:
		}
	}
	return nil
}

// wait calls ready until it returns no error, and says what it waits for.
func (c *cluster) wait(ctx context.Context, what string, ready func() error) error {
	begin := time.Now()
	said := begin
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if ended := c.ended(); ended != nil {
			return ended
		}
		if time.Since(begin) > patience {
			return fmt.Errorf("%s is not ready after %s (%w); logs are in %s", what, patience, err, c.path("logs"))
		}
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			fmt.Fprintf(os.Stderr, "waiting for %s: %.0f s (%v)\n", what, time.Since(begin).Seconds(), err)
		}
		select {
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// down stops everything, the last one started first, and deletes the data.
func (c *cluster) down() {
	for i := len(c.processes) - 1; i >= 0; i-- {
		p := c.processes[i]
		_ = p.command.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(grace):
			// An API server with open watches takes up to a minute; nothing of it is needed any more.
			_ = p.command.Process.Kill()
			<-p.done
		}
	}
	_ = os.RemoveAll(c.path("etcd"))
}

// freePorts returns ports of the loopback address that nobody uses now.
func freePorts(count int) ([]string, error) {
	var ports []string
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
