// SPDX-License-Identifier: Apache-2.0

// The memcached operator.
package main

import (
	"flag"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	cachev1alpha1 "example.com/memcached/api/cache/v1alpha1"
	opsv1alpha1 "example.com/memcached/api/ops/v1alpha1"
	cachecontroller "example.com/memcached/internal/controller/cache"
	opscontroller "example.com/memcached/internal/controller/ops"
)

var scheme = runtime.NewScheme()

func init() {
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(cachev1alpha1.AddToScheme(scheme))
	utilruntime.Must(opsv1alpha1.AddToScheme(scheme))
}

func main() {
	metrics := flag.String("metrics-bind-address", ":8080", "The address the metrics endpoint binds to.")
	secure := flag.Bool("metrics-secure", true, "Serve the metrics over HTTPS.")
	probes := flag.String("health-probe-bind-address", ":8081", "The address the probe endpoint binds to.")
	elect := flag.Bool("leader-elect", false, "Let only one of several replicas work, by holding a Lease.")
	logs := zap.Options{}
	logs.BindFlags(flag.CommandLine)
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logs)))
	if err := run(*metrics, *probes, *secure, *elect); err != nil {
		ctrl.Log.Error(err, "the manager stopped")
		os.Exit(1)
	}
}

func run(metrics, probes string, secure, elect bool) error {
	mgr, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       metricsserver.Options{BindAddress: metrics, SecureServing: secure},
		HealthProbeBindAddress:        probes,
		LeaderElection:                elect,
		LeaderElectionID:              "memcached.example.com",
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return err
	}
	memcacheds := cachecontroller.MemcachedReconciler{Client: mgr.GetClient()}
	if err := memcacheds.SetupWithManager(mgr); err != nil {
		return err
	}
	restarts := opscontroller.RestartReconciler{Client: mgr.GetClient()}
	if err := restarts.SetupWithManager(mgr); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("readyz", healthz.Ping); err != nil {
		return err
	}
	return mgr.Start(ctrl.SetupSignalHandler())
}
