// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// MemcachedSpec is what the user wants.
type MemcachedSpec struct {
	// Number of servers, one if not given.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`

	// Memory of each server in MiB, 64 if not given.
	// +kubebuilder:validation:Minimum=1
	// +optional
	Memory *int32 `json:"memory,omitempty"`

	// Name of a ConfigMap whose entries become environment variables of the servers.
	// +optional
	Settings string `json:"settings,omitempty"`

	// Name of a Secret with the credentials of clients. The servers are restarted when it changes.
	// +optional
	Credentials string `json:"credentials,omitempty"`
}

// MemcachedStatus is what the operator observed.
type MemcachedStatus struct {
	// Generation of the Memcached that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Number of servers that answer.
	// +kubebuilder:default=0
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`

	// Facts about the state, one of each type.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status

// Memcached is a resource of this operator.
type Memcached struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// +required
	Spec MemcachedSpec `json:"spec"`
	// +optional
	Status MemcachedStatus `json:"status,omitzero"`
}

// +kubebuilder:object:root=true

// MemcachedList is a list of Memcached.
type MemcachedList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Memcached `json:"items"`
}
