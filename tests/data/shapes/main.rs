//! One kind for each shape that the types of an API can have; prints what `crd()` makes of each, a line of JSON:
//! `{"shape": …, "crd": …}` or `{"shape": …, "panic": …}`.

// Nothing but the schemas of these types is of interest.
#![allow(dead_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};

/// A kind with a spec of the fields given, which may carry attributes.
macro_rules! kind {
    ($name:literal $spec:ident { $($fields:tt)* } $($more:tt)*) => {
        #[derive(kube::CustomResource, kube::KubeSchema, Clone, Debug, serde::Deserialize, serde::Serialize)]
        #[kube(group = "shapes.example.com", version = "v1", kind = $name, namespaced)]
        #[serde(rename_all = "camelCase")]
        $($more)*
        pub struct $spec { $($fields)* }
    };
}

/// The kinds of a module, by name.
macro_rules! kinds {
    ($($name:ident),* $(,)?) => {
        pub fn crds() -> Vec<(&'static str, fn() -> crate::Crd)> {
            vec![$((stringify!($name), <$name as kube::CustomResourceExt>::crd)),*]
        }
    };
}

mod attributes;
mod enums;
mod fields;
mod kinds;
mod lists;
mod rules;

type Crd = k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let modules =
        [attributes::crds(), enums::crds(), fields::crds(), kinds::crds(), lists::crds(), rules::crds()];
    for (shape, crd) in modules.into_iter().flatten() {
        let line = match catch_unwind(AssertUnwindSafe(crd)) {
            Ok(crd) => serde_json::json!({ "shape": shape, "crd": crd }),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                serde_json::json!({ "shape": shape, "panic": text })
            }
        };
        println!("{line}");
    }
}
