package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const upUsage = `usage: kubernetes up --dir DIR [--api-only] [--until-stdin-closes]

Starts a control plane in the foreground and prints one line when it is ready:
    ready KUBECONFIG=DIR/kubeconfig
It stops on SIGINT or SIGTERM, or when standard input closes if so asked. Logs
are in DIR/logs.
`

// How long the parts may take to come up, and to go down.
const (
	patience = 120 * time.Second
	grace    = 3 * time.Second
)

// A cluster is a set of running programs.
type cluster struct {
	dir       string
	token     string
	apiPort   string
	processes []*exec.Cmd
}

// up is the program of that name.
func up() int {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	dir := flags.String("dir", "", "")
	apiOnly := flags.Bool("api-only", false, "")
	untilStdinCloses := flags.Bool("until-stdin-closes", false, "")
	flags.Usage = func() { fmt.Fprint(os.Stderr, upUsage) }
	if err := flags.Parse(os.Args[1:]); err != nil || *dir == "" {
		flags.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *untilStdinCloses {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	c := &cluster{token: rand.Text()}
	defer c.down()
	if err := c.start(ctx, *dir, !*apiOnly); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	fmt.Printf("ready KUBECONFIG=%s\n", filepath.Join(c.dir, "kubeconfig"))
	<-ctx.Done()
	return 0
}

func (c *cluster) start(ctx context.Context, dir string, full bool) error {
	begin := time.Now()
	var err error
	if c.dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(c.dir, "logs"), 0o700); err != nil {
		return err
	}
	if err := writeCertificates(c.dir); err != nil {
		return err
	}
	if err := c.writeFiles(); err != nil {
		return err
	}
	if err := c.startAPI(ctx); err != nil {
		return err
	}
	if full {
		if err := c.startControllers(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "control plane ready after %.1f s\n", time.Since(begin).Seconds())
	return nil
}

func (c *cluster) path(name string) string { return filepath.Join(c.dir, name) }

func (c *cluster) writeFiles() error {
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	c.apiPort = ports[0]
	kubeconfig := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    server: https://127.0.0.1:%s
    certificate-authority: %s
users:
- name: admin
  user:
    token: %s
contexts:
- name: test
  context:
    cluster: test
    user: admin
current-context: test
`, c.apiPort, c.path("ca.crt"), c.token)
	if err := os.WriteFile(c.path("kubeconfig"), []byte(kubeconfig), 0o600); err != nil {
		return err
	}
	return os.WriteFile(c.path("tokens.csv"), []byte(c.token+",admin,1,\"system:masters\"\n"), 0o600)
}

func (c *cluster) startAPI(ctx context.Context) error {
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	client, peer := "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1]
	if err := c.run("etcd", "--data-dir", c.path("etcd"), "--listen-client-urls", client,
		"--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
		"--initial-cluster", "default="+peer, "--unsafe-no-fsync", "--log-level", "error"); err != nil {
		return err
	}
	issuer := "https://127.0.0.1:" + c.apiPort
	if err := c.run("kube-apiserver", "--etcd-servers", client, "--cert-dir", c.path("certs"),
		"--bind-address", "127.0.0.1", "--secure-port", c.apiPort, "--endpoint-reconciler-type", "none",
		"--service-cluster-ip-range", "10.0.0.0/24", "--allow-privileged=true", "--authorization-mode", "RBAC",
		"--token-auth-file", c.path("tokens.csv"), "--tls-cert-file", c.path("server.crt"),
		"--tls-private-key-file", c.path("server.key"), "--service-account-issuer", issuer,
		"--service-account-key-file", c.path("accounts.key"), "--disable-admission-plugins", "ServiceAccount",
		"--service-account-signing-key-file", c.path("accounts.key")); err != nil {
		return err
	}
	web := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{
		// The certificate was made a moment ago, by this process.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	return c.wait(ctx, "the API server", func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/readyz", nil)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+c.token)
		answer, err := web.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return errors.New(answer.Status)
		}
		return nil
	})
}

func (c *cluster) startControllers(ctx context.Context) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	common := func(port string) []string {
		return []string{"--kubeconfig", c.path("kubeconfig"), "--leader-elect=false", "--bind-address", "127.0.0.1",
			"--secure-port", port, "--cert-dir", c.path("certs")}
	}
	controllers := append(common(ports[0]), "--use-service-account-credentials=true",
		"--service-account-private-key-file", c.path("accounts.key"), "--root-ca-file", c.path("ca.crt"))
	if err := c.run("kube-controller-manager", controllers...); err != nil {
		return err
	}
	if err := c.run("kube-scheduler", common(ports[1])...); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	beside := filepath.Dir(self)
	if err := c.run(filepath.Join(beside, "kwok"), "--kubeconfig", c.path("kubeconfig"), "--manage-all-nodes",
		"--config", filepath.Join(beside, "stages.yaml"), "--node-ip", "127.0.0.1",
		"--server-address", "127.0.0.1:"+ports[2]); err != nil {
		return err
	}
	node := `{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-0", "annotations": {"kwok.x-k8s.io/node": "fake"},
"labels": {"kubernetes.io/hostname": "node-0"}}, "status": {"allocatable": {"cpu": "32", "memory": "256Gi", "pods": "1000"},
"capacity": {"cpu": "32", "memory": "256Gi", "pods": "1000"}}}`
	if _, err := c.kubectl(node, "apply", "-f", "-"); err != nil {
		return err
	}
	return c.wait(ctx, "the node and the default service account", func() error {
		ready, err := c.kubectl("", "get", "node", "node-0", "-o",
			`jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
		if err == nil && ready != "True" {
			err = errors.New("the node is not ready")
		}
		if err == nil {
			_, err = c.kubectl("", "get", "serviceaccount", "default", "-n", "default")
		}
		return err
	})
}

// kubectl runs a command with input as its standard input.
func (c *cluster) kubectl(input string, arguments ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	arguments = append([]string{"kubectl", "--kubeconfig", c.path("kubeconfig")}, arguments...)
	command := exec.Command(self, arguments...)
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(string(output)))
	}
	return string(output), nil
}

// run starts a program: one of this binary's own by its name, or another by
// its path. It dies with this process.
func (c *cluster) run(program string, arguments ...string) error {
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
	c.processes = append(c.processes, command)
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
		if time.Since(begin) > patience {
			return fmt.Errorf("%s is not ready after %s (%w); logs are in %s", what, patience, err, c.path("logs"))
		}
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			fmt.Fprintf(os.Stderr, "waiting for %s: %.0f s\n", what, time.Since(begin).Seconds())
		}
		select {
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// down stops everything, the last one started first.
func (c *cluster) down() {
	for i := len(c.processes) - 1; i >= 0; i-- {
		process := c.processes[i]
		_ = process.Process.Signal(syscall.SIGTERM)
		// An API server with open watches takes up to a minute; nothing of it is needed any more.
		timer := time.AfterFunc(grace, func() { _ = process.Process.Kill() })
		_ = process.Wait()
		timer.Stop()
	}
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
