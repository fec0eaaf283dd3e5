// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is version v1alpha1 of the group test.myardyas.club.
// +kubebuilder:object:generate=true
// +groupName=test.myardyas.club
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is the group and version of the types.
	GroupVersion = schema.GroupVersion{Group: "test.myardyas.club", Version: "v1alpha1"}

	// SchemeBuilder knows how to add the types to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(func(scheme *runtime.Scheme) error {
		metav1.AddToGroupVersion(scheme, GroupVersion)
		scheme.AddKnownTypes(GroupVersion, &Iris{}, &IrisList{})
		return nil
	})

	// AddToScheme adds the types to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)
