// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"fmt"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/utils/ptr"

	cachev1alpha1 "example.com/memcached/api/cache/v1alpha1"
)

const (
	// Where all objects are registered.
	registerNamespace, register = "default", "memcached-register"
	// After how long credentials should be replaced.
	credentialsAge = 90 * 24 * time.Hour

	image = "docker.io/library/memcached:1.6"
	port  = 11211
	label = "cache.example.com/memcached"
)

// entry is the key of the object in the register.
func entry(object *cachev1alpha1.Memcached) string {
	return object.Namespace + "." + object.Name
}

func labels(object *cachev1alpha1.Memcached) map[string]string {
	return map[string]string{label: object.Name}
}

func owner(object *cachev1alpha1.Memcached) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(cachev1alpha1.GroupVersion.String()).
		WithKind("Memcached").
		WithName(object.Name).
		WithUID(object.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}

// configMap is the environment of the servers.
func configMap(
	object *cachev1alpha1.Memcached, settings map[string]string,
) *corev1ac.ConfigMapApplyConfiguration {
	return corev1ac.ConfigMap(object.Name, object.Namespace).
		WithLabels(labels(object)).
		WithOwnerReferences(owner(object)).
		WithData(settings)
}

// service is the headless Service by whose name clients find all servers.
func service(object *cachev1alpha1.Memcached) *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(object.Name, object.Namespace).
		WithLabels(labels(object)).
		WithOwnerReferences(owner(object)).
		WithSpec(corev1ac.ServiceSpec().
			WithClusterIP("None").
			WithSelector(labels(object)).
			WithPorts(corev1ac.ServicePort().WithName("memcached").WithPort(port)))
}

// statefulSet is the servers. What they start with is in the template, so that they start anew when it changes.
func statefulSet(
	object *cachev1alpha1.Memcached, settings map[string]string, secret *metav1.PartialObjectMetadata,
) *appsv1ac.StatefulSetApplyConfiguration {
	annotations := map[string]string{"cache.example.com/settings": fmt.Sprint(settings)}
	if secret.ResourceVersion != "" {
		annotations["cache.example.com/credentials"] = secret.ResourceVersion
	}
	environment := corev1ac.EnvFromSource().
		WithConfigMapRef(corev1ac.ConfigMapEnvSource().WithName(object.Name))
	container := corev1ac.Container().
		WithName("memcached").
		WithImage(image).
		WithArgs("-m", strconv.Itoa(int(ptr.Deref(object.Spec.Memory, 64)))).
		WithEnvFrom(environment).
		WithPorts(corev1ac.ContainerPort().WithContainerPort(port))
	return appsv1ac.StatefulSet(object.Name, object.Namespace).
		WithLabels(labels(object)).
		WithOwnerReferences(owner(object)).
		WithSpec(appsv1ac.StatefulSetSpec().
			WithReplicas(wanted(object)).
			WithServiceName(object.Name).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(labels(object))).
			WithTemplate(corev1ac.PodTemplateSpec().
				WithLabels(labels(object)).
				WithAnnotations(annotations).
				WithSpec(corev1ac.PodSpec().WithContainers(container))))
}

func wanted(object *cachev1alpha1.Memcached) int32 {
	return ptr.Deref(object.Spec.Replicas, 1)
}

// ready is the number of servers that answer.
func ready(servers *appsv1ac.StatefulSetApplyConfiguration) int32 {
	return ptr.Deref(servers.Status.ReadyReplicas, 0)
}

// readiness says whether all servers answer.
func readiness(
	object *cachev1alpha1.Memcached, servers *appsv1ac.StatefulSetApplyConfiguration,
) metav1.Condition {
	message := fmt.Sprintf("%d of %d servers are ready", ready(servers), wanted(object))
	observed := ptr.Deref(servers.Status.ObservedGeneration, 0) >= ptr.Deref(servers.Generation, 0)
	if observed && ready(servers) == wanted(object) {
		return isTrue("ServersReady", message)
	}
	return isFalse("Progressing", message)
}

// isOld says whether credentials should be replaced.
func isOld(secret *metav1.PartialObjectMetadata) bool {
	return !secret.CreationTimestamp.IsZero() && time.Since(secret.CreationTimestamp.Time) > credentialsAge
}

func isTrue(reason, message string) metav1.Condition {
	return metav1.Condition{Status: metav1.ConditionTrue, Reason: reason, Message: message}
}

func isFalse(reason, message string) metav1.Condition {
	return metav1.Condition{Status: metav1.ConditionFalse, Reason: reason, Message: message}
}
