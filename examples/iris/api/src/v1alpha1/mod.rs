//! Version `v1alpha1` of group `test.myardyas.club`.

mod iris;

pub use iris::{Iris, IrisSpec, IrisStatus};
