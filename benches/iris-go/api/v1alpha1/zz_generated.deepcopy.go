// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// DeepCopyInto copies the receiver into out.
func (in *Iris) DeepCopyInto(out *Iris) {
	*out = *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	in.Spec.DeepCopyInto(&out.Spec)
	in.Status.DeepCopyInto(&out.Status)
}

// DeepCopy copies the receiver.
func (in *Iris) DeepCopy() *Iris {
	if in == nil {
		return nil
	}
	out := new(Iris)
	in.DeepCopyInto(out)
	return out
}

// DeepCopyObject copies the receiver.
func (in *Iris) DeepCopyObject() runtime.Object {
	if c := in.DeepCopy(); c != nil {
		return c
	}
	return nil
}

// DeepCopyInto copies the receiver into out.
func (in *IrisList) DeepCopyInto(out *IrisList) {
	*out = *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	if in.Items != nil {
		out.Items = make([]Iris, len(in.Items))
		for i := range in.Items {
			in.Items[i].DeepCopyInto(&out.Items[i])
		}
	}
}

// DeepCopy copies the receiver.
func (in *IrisList) DeepCopy() *IrisList {
	if in == nil {
		return nil
	}
	out := new(IrisList)
	in.DeepCopyInto(out)
	return out
}

// DeepCopyObject copies the receiver.
func (in *IrisList) DeepCopyObject() runtime.Object {
	if c := in.DeepCopy(); c != nil {
		return c
	}
	return nil
}

// DeepCopyInto copies the receiver into out.
func (in *IrisSpec) DeepCopyInto(out *IrisSpec) {
	*out = *in
	if in.Replicas != nil {
		replicas := *in.Replicas
		out.Replicas = &replicas
	}
}

// DeepCopyInto copies the receiver into out.
func (in *IrisStatus) DeepCopyInto(out *IrisStatus) {
	*out = *in
	if in.Conditions != nil {
		out.Conditions = make([]metav1.Condition, len(in.Conditions))
		for i := range in.Conditions {
			in.Conditions[i].DeepCopyInto(&out.Conditions[i])
		}
	}
}

// DeepCopy copies the receiver.
func (in *IrisStatus) DeepCopy() *IrisStatus {
	if in == nil {
		return nil
	}
	out := new(IrisStatus)
	in.DeepCopyInto(out)
	return out
}
