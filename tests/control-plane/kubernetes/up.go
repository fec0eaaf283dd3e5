package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

const upUsage = `usage: kubernetes up --dir DIR [--api-only] [--until-stdin-closes]

Starts a control plane in the foreground and prints one line when it is ready:
    ready KUBECONFIG=DIR/kubeconfig
It stops on SIGINT or SIGTERM, or when standard input closes if so asked. Logs
are in DIR/logs.
`

// How often to start anew when a program ends before the cluster is ready: most
// likely somebody else took a port between its choice and its use.
const attempts = 3

// A cluster is a set of running programs.
type cluster struct {
	dir       string
	token     string
	apiPort   string
	web       *http.Client
	processes []*process
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
	// Children die with the thread that started them; the main thread stays.
	runtime.LockOSThread()
	err := run(ctx, *dir, !*apiOnly)
	for try := 1; try < attempts && errors.Is(err, errEnded) && ctx.Err() == nil; try++ {
		fmt.Fprintf(os.Stderr, "%v; trying again\n", err)
		err = run(ctx, *dir, !*apiOnly)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return 0
}

// run starts a cluster and keeps it until ctx is done or one of its programs
// ends.
func run(ctx context.Context, dir string, full bool) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	c := &cluster{dir: dir}
	defer c.down()
	if err := c.start(ctx, full); err != nil {
		return err
	}
	fmt.Printf("ready KUBECONFIG=%s\n", c.path("kubeconfig"))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
		if err := c.ended(); err != nil {
			// Whoever waited for readiness uses this cluster; another one would be of no help to him.
			return errors.New(err.Error())
		}
	}
}

// start brings everything up, and returns when it can be used.
func (c *cluster) start(ctx context.Context, full bool) error {
	begin := time.Now()
	// What a killed run left belongs to other certificates and ports.
	if err := os.RemoveAll(c.path("etcd")); err != nil {
		return err
	}
	if err := os.MkdirAll(c.path("logs"), 0o700); err != nil {
		return err
	}
	authority, err := writeCertificates(c.dir)
	if err != nil {
		return err
	}
	if err := c.writeAccess(authority); err != nil {
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

func (c *cluster) startAPI(ctx context.Context) error {
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	client, peer := "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1]
	if err := c.launch("etcd", "--data-dir", c.path("etcd"), "--listen-client-urls", client,
		"--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
		"--initial-cluster", "default="+peer, "--unsafe-no-fsync", "--log-level", "error"); err != nil {
		return err
	}
	issuer := "https://127.0.0.1:" + c.apiPort
	if err := c.launch("kube-apiserver", "--etcd-servers", client, "--cert-dir", c.path("certs"),
		"--bind-address", "127.0.0.1", "--secure-port", c.apiPort, "--endpoint-reconciler-type", "none",
		"--service-cluster-ip-range", "10.0.0.0/24", "--allow-privileged=true", "--authorization-mode", "RBAC",
		"--token-auth-file", c.path("tokens.csv"), "--tls-cert-file", c.path("server.crt"),
		"--tls-private-key-file", c.path("server.key"), "--service-account-issuer", issuer,
		"--service-account-key-file", c.path("accounts.key"), "--disable-admission-plugins", "ServiceAccount",
		"--service-account-signing-key-file", c.path("accounts.key")); err != nil {
		return err
	}
	return c.wait(ctx, "the API server", func() error { return c.get(ctx, "/readyz") })
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
		"--service-account-private-key-file", c.path("accounts.key"), "--root-ca-file", c.path("ca.crt"),
		// Nobody beats the simulated nodes' hearts: they would be lost after 50 s, and their pods with them.
		"--node-monitor-grace-period", "24h",
		// One client per controller: with the usual limits they take turns for seconds.
		"--kube-api-qps", "500", "--kube-api-burst", "500")
	if err := c.launch("kube-controller-manager", controllers...); err != nil {
		return err
	}
	if err := c.launch("kube-scheduler", common(ports[1])...); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	beside := filepath.Dir(self)
	if err := c.launch(filepath.Join(beside, "kwok"), "--kubeconfig", c.path("kubeconfig"), "--manage-all-nodes",
		"--config", filepath.Join(beside, "stages.yaml"), "--node-ip", "127.0.0.1",
		"--server-address", "127.0.0.1:"+ports[2]); err != nil {
		return err
	}
	if err := c.post(ctx, "/api/v1/nodes", node); err != nil {
		return fmt.Errorf("cannot create the node: %w", err)
	}
	return c.wait(ctx, "the node and the default service account", func() error {
		if err := c.nodeReady(ctx); err != nil {
			return err
		}
		return c.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default")
	})
}
