// SPDX-License-Identifier: Apache-2.0

// The iris operator on controller-runtime: what `cargo bench --bench peer` compares the generated one with.
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

	testv1alpha1 "example.com/iris/api/v1alpha1"
	"example.com/iris/internal/controller"
)

var scheme = runtime.NewScheme()

func init() {
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(testv1alpha1.AddToScheme(scheme))
}

func main() {
	metrics := flag.String("metrics-bind-address", "0", "The address the metrics endpoint binds to.")
	secure := flag.Bool("metrics-secure", true, "Serve the metrics over HTTPS.")
	probes := flag.String("health-probe-bind-address", "0", "The address the probe endpoint binds to.")
	elect := flag.Bool("leader-elect", false, "Let only one of several replicas work, by holding a Lease.")
	namespace := flag.String("leader-election-namespace", "", "The namespace of the Lease.")
	workers := flag.Int("max-concurrent-reconciles", 1, "How many objects are reconciled at the same time.")
	logs := zap.Options{}
	logs.BindFlags(flag.CommandLine)
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logs)))
	options := ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       metricsserver.Options{BindAddress: *metrics, SecureServing: *secure},
		HealthProbeBindAddress:        *probes,
		LeaderElection:                *elect,
		LeaderElectionID:              "iris.myardyas.club",
		LeaderElectionNamespace:       *namespace,
		LeaderElectionReleaseOnCancel: true,
	}
	if err := run(options, *workers); err != nil {
		ctrl.Log.Error(err, "the manager stopped")
		os.Exit(1)
	}
}

func run(options ctrl.Options, workers int) error {
	mgr, err := ctrl.NewManager(ctrl.GetConfigOrDie(), options)
	if err != nil {
		return err
	}
	reconciler := controller.IrisReconciler{
		Client:   mgr.GetClient(),
		Scheme:   mgr.GetScheme(),
		Recorder: mgr.GetEventRecorder("iris-controller"),
		Workers:  workers,
	}
	if err := reconciler.SetupWithManager(mgr); err != nil {
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
