package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// The simulated node, on which pods run as soon as they are scheduled.
const node = `{
	"apiVersion": "v1",
	"kind": "Node",
	"metadata": {
		"name": "node-0",
		"annotations": {"kwok.x-k8s.io/node": "fake"},
		"labels": {"kubernetes.io/hostname": "node-0"}
	},
	"status": {
		"allocatable": {"cpu": "32", "memory": "256Gi", "pods": "1000"},
		"capacity": {"cpu": "32", "memory": "256Gi", "pods": "1000"}
	}
}`

// writeAccess chooses the API server's port and writes what its clients need, for
// this process and others: a kubeconfig with an administrator's token.
func (c *cluster) writeAccess(authority *x509.Certificate) error {
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	c.apiPort, c.token = ports[0], rand.Text()
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	c.web = &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
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

// get succeeds when a path of the API can be read.
func (c *cluster) get(ctx context.Context, path string) error {
	_, err := c.request(ctx, http.MethodGet, path, "")
	return err
}

// post creates an object, given as JSON.
func (c *cluster) post(ctx context.Context, path, object string) error {
	_, err := c.request(ctx, http.MethodPost, path, object)
	return err
}

// nodeReady succeeds when the simulated node takes pods.
func (c *cluster) nodeReady(ctx context.Context) error {
	text, err := c.request(ctx, http.MethodGet, "/api/v1/nodes/node-0", "")
	if err != nil {
		return err
	}
	var node struct {
		Spec   struct{ Taints []struct{ Key string } }
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if err := json.Unmarshal(text, &node); err != nil {
		return err
	}
	if taints := node.Spec.Taints; len(taints) > 0 {
		return fmt.Errorf("the node has the taint %s", taints[0].Key)
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == "Ready" && condition.Status == "True" {
			return nil
		}
	}
	return errors.New("the node is not ready")
}

// request returns the body of a successful answer.
func (c *cluster) request(ctx context.Context, method, path, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "https://127.0.0.1:"+c.apiPort+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := c.web.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	return text, nil
}
