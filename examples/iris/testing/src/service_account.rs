//! The service account of the operator, with the roles that the project gives it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1;
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, PostParams};
use serde_json::{Value, json};

use crate::permissions::MANAGER_ROLE;
use crate::{ControlPlane, credentials};

/// The operator's service account in one namespace, with the rights of its roles and no other.
pub struct ServiceAccount {
    name: String,
    namespace: String,
    roles: Vec<DynamicObject>,
    token: String,
}

impl ServiceAccount {
    /// Installs the project's service account, roles and bindings, as kustomize would for an operator in `namespace`.
    /// Roles in other namespaces stay there; a namespace that is missing is created.
    pub async fn install(control_plane: &ControlPlane, namespace: &str) -> Self {
        let mut objects = control_plane.project().rbac();
        for other in settle(&mut objects, namespace) {
            control_plane.ensure_namespace(&other).await;
        }
        for object in &objects {
            control_plane.apply(object).await;
        }
        let account = objects.iter().find(|object| kind(object) == "ServiceAccount");
        let name = account.expect("a ServiceAccount among the roles").name_any();
        let is_bound = |role: &DynamicObject| {
            objects.iter().any(|binding| {
                let subjects = binding.data["subjects"].as_array().into_iter().flatten();
                binding.data["roleRef"]["name"] == role.name_any()
                    && subjects.into_iter().any(|subject| subject["name"] == name.as_str())
            })
        };
        let roles = objects.iter().filter(|role| is_bound(role)).cloned().collect();

        let accounts: Api<v1::ServiceAccount> = Api::namespaced(control_plane.client(), namespace);
        let answer =
            accounts.create_token_request(&name, &PostParams::default(), &TokenRequest::default()).await;
        let token: Option<String> = answer.expect("a token").status.expect("a token").token.into();
        Self { name, namespace: namespace.to_owned(), roles, token: token.expect("a token") }
    }

    /// The roles that it is bound to, in its namespace and in the cluster.
    #[must_use]
    pub fn roles(&self) -> &[DynamicObject] {
        &self.roles
    }

    /// The role of that name.
    #[must_use]
    pub fn role(&self, name: &str) -> &DynamicObject {
        self.roles.iter().find(|role| role.name_any() == name).expect("the role")
    }

    /// How the API server calls it.
    #[must_use]
    pub fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }

    /// A kubeconfig with a token of it.
    #[must_use]
    pub fn kubeconfig(&self, control_plane: &ControlPlane) -> PathBuf {
        control_plane.kubeconfig_with(&format!("{}.json", self.namespace), credentials::TOKEN, &self.token)
    }
}

/// Moves what is in the namespaces that kustomize replaces to `namespace`; the others that something is in.
fn settle(objects: &mut [DynamicObject], namespace: &str) -> BTreeSet<String> {
    let is_managers = |role: &&DynamicObject| kind(role) == "Role" && role.name_any() == MANAGER_ROLE;
    let own = objects.iter().find(is_managers).and_then(|role| role.metadata.namespace.clone());
    let is_own = |name: &str| name == "system" || own.as_deref() == Some(name);
    let mut others = BTreeSet::new();
    for object in objects {
        if ["Role", "RoleBinding", "ServiceAccount"].contains(&kind(object)) {
            match object.metadata.namespace.clone().filter(|name| !is_own(name)) {
                Some(other) => drop(others.insert(other)),
                None => object.metadata.namespace = Some(namespace.to_owned()),
            }
        }
        let subjects = object.data.get_mut("subjects").and_then(Value::as_array_mut);
        for subject in subjects.into_iter().flatten() {
            subject["namespace"] = json!(namespace);
        }
    }
    others
}

fn kind(object: &DynamicObject) -> &str {
    object.types.as_ref().map(|types| types.kind.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_other_namespaces_stay_there() {
        let object = |kind: &str, name: &str, namespace: &str| -> DynamicObject {
            let metadata = json!({ "name": name, "namespace": namespace });
            let subjects = json!([{ "name": "controller-manager", "namespace": "system" }]);
            let object =
                json!({ "apiVersion": "v1", "kind": kind, "metadata": metadata, "subjects": subjects });
            serde_json::from_value(object).expect("an object")
        };
        let mut objects = [
            object("ServiceAccount", "controller-manager", "system"),
            object("Role", MANAGER_ROLE, "fleet-system"),
            object("Role", "mine", "fleet-system"),
            object("Role", "manager-role-else", "else"),
            object("RoleBinding", "manager-rolebinding-else", "else"),
        ];
        assert_eq!(settle(&mut objects, "here"), BTreeSet::from(["else".to_owned()]));
        let namespaces =
            objects.each_ref().map(|object| object.metadata.namespace.as_deref().unwrap_or_default());
        assert_eq!(namespaces, ["here", "here", "here", "else", "else"]);
        assert_eq!(objects[4].data["subjects"][0]["namespace"], "here");
    }
}
