// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RestartSpec is what the user wants.
type RestartSpec struct {
	// Name of the Memcached whose servers are restarted, once.
	// +required
	Memcached string `json:"memcached"`
}

// RestartStatus is what the operator observed.
type RestartStatus struct {
	// Generation of the Restart that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Facts about the state, one of each type.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status

// Restart is a resource of this operator.
type Restart struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// +required
	Spec RestartSpec `json:"spec"`
	// +optional
	Status RestartStatus `json:"status,omitzero"`
}

// +kubebuilder:object:root=true

// RestartList is a list of Restart.
type RestartList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Restart `json:"items"`
}
