// SPDX-License-Identifier: Apache-2.0

// Package ops has the controller of Restart, which restarts the servers of a Memcached, once.
package ops

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	cachev1alpha1 "example.com/memcached/api/cache/v1alpha1"
	opsv1alpha1 "example.com/memcached/api/ops/v1alpha1"
)

const (
	// Name of the controller, in metrics and logs.
	name = "restart"
	done = "Done"
	// Owns the fields that the controller writes.
	fieldOwner = client.FieldOwner("restart-controller")
)

// RestartReconciler reconciles a Restart.
type RestartReconciler struct {
	client.Client
}

// +kubebuilder:rbac:groups=ops.example.com,resources=restarts,verbs=list;watch
// +kubebuilder:rbac:groups=ops.example.com,resources=restarts/status,verbs=patch
// +kubebuilder:rbac:groups=cache.example.com,resources=memcacheds,verbs=list;watch
// +kubebuilder:rbac:groups=apps,resources=statefulsets,verbs=patch

// Reconcile restarts the servers, unless it has.
func (r *RestartReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var restart opsv1alpha1.Restart
	if err := r.Get(ctx, req.NamespacedName, &restart); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if meta.IsStatusConditionTrue(restart.Status.Conditions, done) {
		return ctrl.Result{}, nil
	}
	key := client.ObjectKey{Namespace: restart.Namespace, Name: restart.Spec.Memcached}
	condition := metav1.Condition{
		Type: done, Status: metav1.ConditionFalse, ObservedGeneration: restart.Generation,
		Reason: "NotFound", Message: "there is no Memcached " + key.Name,
	}
	if err := r.Get(ctx, key, &cachev1alpha1.Memcached{}); err == nil {
		// What another field manager has applied, the controller of the StatefulSet's owner leaves alone.
		patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{%q:%q}}}}}`,
			"ops.example.com/restarted-by", restart.UID)
		servers := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
		if err := r.Patch(ctx, servers, client.RawPatch(types.MergePatchType, patch), fieldOwner); err != nil {
			return ctrl.Result{}, err
		}
		condition.Status, condition.Reason = metav1.ConditionTrue, "Restarted"
		condition.Message = "the servers of " + key.Name + " start anew"
	} else if !apierrors.IsNotFound(err) {
		return ctrl.Result{}, err
	}
	before := restart.DeepCopy()
	restart.Status.ObservedGeneration = restart.Generation
	meta.SetStatusCondition(&restart.Status.Conditions, condition)
	return ctrl.Result{}, r.Status().Patch(ctx, &restart, client.MergeFrom(before))
}

// waiting names the Restarts of a Memcached: one may be there before what it restarts.
func (r *RestartReconciler) waiting(ctx context.Context, memcached client.Object) []reconcile.Request {
	var restarts opsv1alpha1.RestartList
	if err := r.List(ctx, &restarts, client.InNamespace(memcached.GetNamespace())); err != nil {
		log.FromContext(ctx).Error(err, "cannot list the Restarts")
	}
	var requests []reconcile.Request
	for _, restart := range restarts.Items {
		if restart.Spec.Memcached == memcached.GetName() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&restart)})
		}
	}
	return requests
}

// SetupWithManager adds the controller to the manager.
func (r *RestartReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(name).
		For(&opsv1alpha1.Restart{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&cachev1alpha1.Memcached{}, handler.EnqueueRequestsFromMapFunc(r.waiting)).
		Complete(r)
}
