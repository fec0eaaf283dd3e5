// Package v1 is the Go twin of the types in tests/embedded.rs.
// +groupName=test.example
package v1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
type Embedder struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   EmbedderSpec    `json:"spec"`
	Status *EmbedderStatus `json:"status,omitempty"`
}

type EmbedderSpec struct {
	Template corev1.PodTemplateSpec `json:"template"`
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
	// +optional
	Port *intstr.IntOrString `json:"port,omitempty"`
	// +optional
	Size *resource.Quantity `json:"size,omitempty"`
	// +optional
	Limits map[string]resource.Quantity `json:"limits,omitempty"`
	// +optional
	Interval *metav1.Duration `json:"interval,omitempty"`
	// +optional
	At *metav1.Time `json:"at,omitempty"`
	// +optional
	Settings *runtime.RawExtension `json:"settings,omitempty"`
	// +optional
	Extensions []runtime.RawExtension `json:"extensions,omitempty"`
	// +optional
	// +listType=map
	// +listMapKey=name
	Env []corev1.EnvVar `json:"env,omitempty"`
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// +optional
	// +listType=map
	// +listMapKey=name
	Volumes []corev1.Volume `json:"volumes,omitempty"`
	// +optional
	Secret *corev1.LocalObjectReference `json:"secret,omitempty"`
	// +optional
	Claims []corev1.PersistentVolumeClaim `json:"claims,omitempty"`
}

type EmbedderStatus struct {
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
