// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// IrisSpec is what the user wants.
type IrisSpec struct {
	// Name of the Deployment. Changing it replaces the Deployment by one of the new name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	DeploymentName string `json:"deploymentName"`

	// Number of replicas; 1 when not set.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:default=1
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`
}

// IrisStatus is what the operator observed.
type IrisStatus struct {
	// Number of replicas that the Deployment has.
	// +optional
	Replicas int32 `json:"replicas"`

	// Number of those that are ready.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`

	// Label selector of the Deployment's pods, in the form that autoscalers read.
	// +optional
	Selector string `json:"selector,omitempty"`

	// Generation of the Iris that this status describes.
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

// Iris runs a Deployment and keeps it at the wanted number of replicas.
type Iris struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// +required
	Spec IrisSpec `json:"spec"`
	// +optional
	Status IrisStatus `json:"status,omitzero"`
}

// +kubebuilder:object:root=true

// IrisList is a list of Iris.
type IrisList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Iris `json:"items"`
}
