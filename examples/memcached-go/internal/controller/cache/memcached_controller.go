// SPDX-License-Identifier: Apache-2.0

// Package cache has the controller of Memcached: a ConfigMap, a headless Service and a StatefulSet for each, in this
// order; restarted when the user's ConfigMap or Secret changes, and registered outside its namespace.
package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	cachev1alpha1 "example.com/memcached/api/cache/v1alpha1"
)

const (
	// Name of the controller, in metrics and logs.
	name = "memcached"
	// Owns the fields that the controller writes.
	fieldOwner = client.FieldOwner("memcached-controller")
	// Keeps an object until it is taken off the register.
	finalizer = "cache.example.com/register"
	// Nothing is done for an object with this annotation.
	pausedAnnotation = "cache.example.com/paused"
	// How often it is looked whether credentials have become old.
	checkPeriod = 10 * time.Minute
	// Fields by which objects are found.
	settingsField, credentialsField = "spec.settings", "spec.credentials"
)

// MemcachedReconciler reconciles a Memcached.
type MemcachedReconciler struct {
	client.Client
}

// +kubebuilder:rbac:groups=cache.example.com,resources=memcacheds,verbs=get;list;watch;update
// +kubebuilder:rbac:groups=cache.example.com,resources=memcacheds/status,verbs=patch
// +kubebuilder:rbac:groups=cache.example.com,resources=memcacheds/finalizers,verbs=update
// +kubebuilder:rbac:groups=core,resources=configmaps;services,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups=core,resources=secrets,verbs=list;watch
// +kubebuilder:rbac:groups=apps,resources=statefulsets,verbs=list;watch;create;patch

// Reconcile brings the cluster closer to what a Memcached says.
func (r *MemcachedReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var object cachev1alpha1.Memcached
	if err := r.Get(ctx, req.NamespacedName, &object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !object.DeletionTimestamp.IsZero() {
		if !controllerutil.ContainsFinalizer(&object, finalizer) {
			return ctrl.Result{}, nil
		}
		if err := r.unregister(ctx, &object); err != nil {
			return ctrl.Result{}, err
		}
		controllerutil.RemoveFinalizer(&object, finalizer)
		return ctrl.Result{}, r.Update(ctx, &object)
	}
	if object.Annotations[pausedAnnotation] == "true" {
		before := object.DeepCopy()
		condition := isTrue("Annotated", "the annotation "+pausedAnnotation+" says so")
		condition.Type, condition.ObservedGeneration = "Paused", object.Generation
		meta.SetStatusCondition(&object.Status.Conditions, condition)
		return ctrl.Result{}, r.Status().Patch(ctx, &object, client.MergeFrom(before))
	}
	if controllerutil.AddFinalizer(&object, finalizer) {
		if err := r.Update(ctx, &object); err != nil {
			return ctrl.Result{}, err
		}
	}
	if err := r.register(ctx, &object); err != nil {
		return ctrl.Result{}, err
	}
	before := object.DeepCopy()
	meta.RemoveStatusCondition(&object.Status.Conditions, "Paused")
	if err := r.takeSteps(ctx, &object); err != nil {
		return ctrl.Result{}, err
	}
	object.Status.ObservedGeneration = object.Generation
	err := r.Status().Patch(ctx, &object, client.MergeFrom(before))
	return ctrl.Result{RequeueAfter: checkPeriod}, err
}

// takeSteps takes one step after the other, until one is not ready, and sets their conditions.
func (r *MemcachedReconciler) takeSteps(ctx context.Context, object *cachev1alpha1.Memcached) error {
	var settings corev1.ConfigMap
	var secret metav1.PartialObjectMetadata
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	steps := []struct {
		condition string
		take      func() (metav1.Condition, error)
	}{
		{"Configured", func() (metav1.Condition, error) {
			if found, err := r.find(ctx, object, object.Spec.Settings, &settings); err != nil || !found {
				return isFalse("SettingsMissing", "there is no ConfigMap of that name"), err
			}
			err := r.Apply(ctx, configMap(object, settings.Data), fieldOwner, client.ForceOwnership)
			return isTrue("Applied", "the settings are there"), err
		}},
		{"Authenticated", func() (metav1.Condition, error) {
			found, err := r.find(ctx, object, object.Spec.Credentials, &secret)
			if err != nil || !found {
				return isFalse("SecretMissing", fmt.Sprintf("there is no Secret %q", object.Spec.Credentials)), err
			}
			if isOld(&secret) {
				return isTrue("Old", "the credentials should be replaced"), nil
			}
			return isTrue("Known", "the credentials are there, or not wanted"), nil
		}},
		{"Reachable", func() (metav1.Condition, error) {
			err := r.Apply(ctx, service(object), fieldOwner, client.ForceOwnership)
			return isTrue("Applied", "the Service is there"), err
		}},
		{"Running", func() (metav1.Condition, error) {
			servers := statefulSet(object, settings.Data, &secret)
			if err := r.Apply(ctx, servers, fieldOwner, client.ForceOwnership); err != nil {
				return metav1.Condition{}, err
			}
			object.Status.ReadyReplicas = ready(servers)
			return readiness(object, servers), nil
		}},
	}
	summary := isTrue("AllReady", "all steps are ready")
	for _, step := range steps {
		condition := isFalse("Waiting", "waiting until the object is "+summary.Type)
		if summary.Status == metav1.ConditionTrue {
			var err error
			if condition, err = step.take(); err != nil {
				return err
			}
		}
		condition.Type, condition.ObservedGeneration = step.condition, object.Generation
		meta.SetStatusCondition(&object.Status.Conditions, condition)
		if summary.Status == metav1.ConditionTrue && condition.Status == metav1.ConditionFalse {
			summary = condition
		}
	}
	summary.Type, summary.ObservedGeneration = "Ready", object.Generation
	meta.SetStatusCondition(&object.Status.Conditions, summary)
	return nil
}

// find reads what the object refers to by name, if it does; whether it is there.
func (r *MemcachedReconciler) find(
	ctx context.Context, object *cachev1alpha1.Memcached, name string, into client.Object,
) (bool, error) {
	if name == "" {
		return true, nil
	}
	err := r.Get(ctx, client.ObjectKey{Namespace: object.Namespace, Name: name}, into)
	return !apierrors.IsNotFound(err), client.IgnoreNotFound(err)
}

// register enters the object into the register. That is no child, because it is in another namespace. There is a field
// owner for each object, so that applying one entry does not remove the others.
func (r *MemcachedReconciler) register(ctx context.Context, object *cachev1alpha1.Memcached) error {
	entries := map[string]string{entry(object): string(object.UID)}
	owner := client.FieldOwner("memcached-register-" + object.UID)
	return r.Apply(ctx, corev1ac.ConfigMap(register, registerNamespace).WithData(entries), owner)
}

// unregister takes the object off the register.
func (r *MemcachedReconciler) unregister(ctx context.Context, object *cachev1alpha1.Memcached) error {
	var configMap corev1.ConfigMap
	configMap.Namespace, configMap.Name = registerNamespace, register
	patch := fmt.Appendf(nil, `{"data":{%q:null}}`, entry(object))
	return client.IgnoreNotFound(r.Patch(ctx, &configMap, client.RawPatch(types.MergePatchType, patch)))
}

// count is the number of objects.
func (r *MemcachedReconciler) count() float64 {
	var objects cachev1alpha1.MemcachedList
	if err := r.List(context.Background(), &objects, client.UnsafeDisableDeepCopy); err != nil {
		return 0
	}
	return float64(len(objects.Items))
}

// referring names the objects that have the name of another one in this field.
func (r *MemcachedReconciler) referring(field string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, to client.Object) []reconcile.Request {
		var objects cachev1alpha1.MemcachedList
		fields := client.MatchingFields{field: to.GetName()}
		if err := r.List(ctx, &objects, client.InNamespace(to.GetNamespace()), fields); err != nil {
			log.FromContext(ctx).Error(err, "cannot list the objects", "field", field)
		}
		requests := make([]reconcile.Request, len(objects.Items))
		for i := range objects.Items {
			requests[i].NamespacedName = client.ObjectKeyFromObject(&objects.Items[i])
		}
		return requests
	})
}

// SetupWithManager adds the controller to the manager.
func (r *MemcachedReconciler) SetupWithManager(mgr ctrl.Manager) error {
	instances := prometheus.GaugeOpts{Name: "memcached_instances", Help: "Memcached objects"}
	if err := metrics.Registry.Register(prometheus.NewGaugeFunc(instances, r.count)); err != nil {
		return err
	}
	for field, value := range map[string]func(*cachev1alpha1.Memcached) string{
		settingsField:    func(object *cachev1alpha1.Memcached) string { return object.Spec.Settings },
		credentialsField: func(object *cachev1alpha1.Memcached) string { return object.Spec.Credentials },
	} {
		index := func(it client.Object) []string { return []string{value(it.(*cachev1alpha1.Memcached))} }
		err := mgr.GetFieldIndexer().IndexField(context.Background(), &cachev1alpha1.Memcached{}, field, index)
		if err != nil {
			return err
		}
	}
	// What is written to a status does not call for a reconcile.
	changed := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).
		Named(name).
		For(&cachev1alpha1.Memcached{}, builder.WithPredicates(changed)).
		Owns(&corev1.ConfigMap{}).
		Owns(&corev1.Service{}).
		Owns(&appsv1.StatefulSet{}).
		Watches(&corev1.ConfigMap{}, r.referring(settingsField)).
		// Of users' Secrets, nothing but the metadata is read.
		Watches(&corev1.Secret{}, r.referring(credentialsField), builder.OnlyMetadata).
		Complete(r)
}
