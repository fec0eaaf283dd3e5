//! How large a definition may be.

use serde_json::Value;

use super::findings::Findings;
use crate::manifests::crd::place::Place;

/// What `kubectl apply` can note about an object in its annotations.
const ANNOTATIONS: usize = 262_144;

/// What etcd takes in one request.
const ETCD: usize = 1_572_864;

pub(super) fn check(crd: &Value, place: &Place<'_>, findings: &mut Findings) {
    let size = crd.to_string().len();
    if size > ETCD {
        findings.refuse(
            place,
            format_args!("the definition has {size} bytes, and etcd takes {ETCD}"),
            "leave descriptions out with `--max-desc-len 0`, or keep fewer versions or fewer whole types of Kubernetes",
        );
    } else if size > ANNOTATIONS {
        findings.note(format!(
            "the definition of {place} has {size} bytes, too many for `kubectl apply` without `--server-side`; \
             `make install` and `make deploy` use it"
        ));
    }
}
