// SPDX-License-Identifier: Apache-2.0

// Package controller has the controller of Iris: it keeps one Deployment of the wanted name at the wanted number of
// replicas, and removes those it left behind under other names.
package controller

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"

	testv1alpha1 "example.com/iris/api/v1alpha1"
)

const (
	// Label of the pods; its value is the name of their Deployment.
	label = "iris/deployment-name"
	// Image of the container.
	image = "store/intersystems/iris-community:2020.4.0.524.0"
	// Field by which the Deployments of an Iris are found.
	ownerField = ".metadata.controller"
)

// IrisReconciler reconciles an Iris.
type IrisReconciler struct {
	client.Client
	Scheme   *runtime.Scheme
	Recorder events.EventRecorder
	// How many objects are reconciled at the same time.
	Workers int
}

// Reconcile brings the cluster closer to what an Iris says.
func (r *IrisReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	log := log.FromContext(ctx)
	log.V(1).Info("fetching Iris resource")
	var iris testv1alpha1.Iris
	if err := r.Get(ctx, req.NamespacedName, &iris); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !iris.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	if err := r.cleanUp(ctx, &iris); err != nil {
		return ctrl.Result{}, err
	}
	name := types.NamespacedName{Namespace: iris.Namespace, Name: iris.Spec.DeploymentName}
	var deployment appsv1.Deployment
	err := r.Get(ctx, name, &deployment)
	switch {
	case apierrors.IsNotFound(err):
		deployment = *build(&iris)
		if err := ctrl.SetControllerReference(&iris, &deployment, r.Scheme); err != nil {
			return ctrl.Result{}, err
		}
		if err := r.Create(ctx, &deployment); err != nil {
			return ctrl.Result{}, err
		}
		r.event(&iris, &deployment, "Created", fmt.Sprintf("Created deployment %q", name.Name))
	case err != nil:
		return ctrl.Result{}, err
	case !metav1.IsControlledBy(&deployment, &iris):
		message := fmt.Sprintf("Deployment %q exists and is not controlled by this object", name.Name)
		return ctrl.Result{}, r.report(ctx, &iris, &appsv1.Deployment{}, metav1.ConditionFalse, "NameConflict", message)
	case ptr.Deref(deployment.Spec.Replicas, 1) != ptr.Deref(iris.Spec.Replicas, 1):
		deployment.Spec.Replicas = ptr.To(ptr.Deref(iris.Spec.Replicas, 1))
		if err := r.Update(ctx, &deployment); err != nil {
			return ctrl.Result{}, err
		}
		note := fmt.Sprintf("Scaled deployment %q to %d replicas", name.Name, *deployment.Spec.Replicas)
		r.event(&iris, &deployment, "Scaled", note)
	}
	observed, wanted := deployment.Status, ptr.Deref(iris.Spec.Replicas, 1)
	status, reason := metav1.ConditionFalse, "Progressing"
	isCurrent := observed.ObservedGeneration >= deployment.Generation
	if isCurrent && observed.UpdatedReplicas == wanted && observed.ReadyReplicas == wanted {
		status, reason = metav1.ConditionTrue, "ReplicasReady"
	}
	message := fmt.Sprintf("%d of %d replicas are ready", observed.ReadyReplicas, wanted)
	return ctrl.Result{}, r.report(ctx, &iris, &deployment, status, reason, message)
}

// cleanUp deletes the Deployments of the Iris that have another name than the wanted one.
func (r *IrisReconciler) cleanUp(ctx context.Context, iris *testv1alpha1.Iris) error {
	var deployments appsv1.DeploymentList
	owned := client.MatchingFields{ownerField: iris.Name}
	if err := r.List(ctx, &deployments, client.InNamespace(iris.Namespace), owned); err != nil {
		return err
	}
	for i := range deployments.Items {
		deployment := &deployments.Items[i]
		if deployment.Name == iris.Spec.DeploymentName {
			continue
		}
		if err := r.Delete(ctx, deployment); client.IgnoreNotFound(err) != nil {
			return err
		}
		r.event(iris, deployment, "Deleted", fmt.Sprintf("Deleted deployment %q", deployment.Name))
	}
	return nil
}

// report writes the status, if it is not so already.
func (r *IrisReconciler) report(ctx context.Context, iris *testv1alpha1.Iris, deployment *appsv1.Deployment,
	ready metav1.ConditionStatus, reason, message string) error {
	before := iris.Status.DeepCopy()
	iris.Status.Replicas = deployment.Status.Replicas
	iris.Status.ReadyReplicas = deployment.Status.ReadyReplicas
	iris.Status.Selector = label + "=" + iris.Spec.DeploymentName
	iris.Status.ObservedGeneration = iris.Generation
	meta.SetStatusCondition(&iris.Status.Conditions, metav1.Condition{
		Type: "Ready", Status: ready, Reason: reason, Message: message, ObservedGeneration: iris.Generation,
	})
	if equality.Semantic.DeepEqual(before, &iris.Status) {
		return nil
	}
	return r.Status().Update(ctx, iris)
}

func (r *IrisReconciler) event(iris *testv1alpha1.Iris, deployment *appsv1.Deployment, reason, note string) {
	r.Recorder.Eventf(iris, deployment, corev1.EventTypeNormal, reason, reason, "%s", note)
}

// build returns the Deployment that the Iris should have.
func build(iris *testv1alpha1.Iris) *appsv1.Deployment {
	labels := map[string]string{label: iris.Spec.DeploymentName}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: iris.Spec.DeploymentName, Namespace: iris.Namespace},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(ptr.Deref(iris.Spec.Replicas, 1)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers:                   []corev1.Container{{Name: "iris", Image: image}},
					AutomountServiceAccountToken: ptr.To(false),
				},
			},
		},
	}
}

// SetupWithManager adds the controller to the manager.
func (r *IrisReconciler) SetupWithManager(mgr ctrl.Manager) error {
	index := func(object client.Object) []string {
		owner := metav1.GetControllerOf(object)
		if owner == nil || owner.APIVersion != testv1alpha1.GroupVersion.String() || owner.Kind != "Iris" {
			return nil
		}
		return []string{owner.Name}
	}
	err := mgr.GetFieldIndexer().IndexField(context.Background(), &appsv1.Deployment{}, ownerField, index)
	if err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&testv1alpha1.Iris{}).
		Owns(&appsv1.Deployment{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.Workers}).
		Complete(r)
}
