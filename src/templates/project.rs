//! The files that `init` renders.

use super::{ProjectView, Rendered, embedded, filters, lockfile, render};

/// Renders each template below `project/` to the path of the same name.
macro_rules! files {
    ($p:ident; $($template:literal)+) => {
        vec![$(render!($template => output($template); $p: ProjectView)),+]
    };
}

fn output(template: &str) -> &str {
    template.trim_start_matches("project/").trim_end_matches(".j2")
}

/// Each template below `project/` with its text, which is that of the file in every project.
macro_rules! fixed {
    ($($template:literal)+) => {
        [$(($template, include_str!(concat!("../../templates/", $template)))),+]
    };
}

const FIXED: [(&str, &str); 2] = fixed! {
    "project/api/src/rules.rs.j2"
    "project/tests/permissions.rs.j2"
};

/// The files that are the user's.
#[must_use]
pub fn seeded(p: &ProjectView) -> Vec<Rendered> {
    let mut lock = render!("project/Cargo.lock.j2" => "Cargo.lock"; p: ProjectView);
    lock.text = lockfile::sorted(&lock.text).into();
    let mut files = files! {
        p;
        "project/.dockerignore.j2"
        "project/.gitattributes.j2"
        "project/.github/dependabot.yml.j2"
        "project/.github/workflows/lint.yml.j2"
        "project/.github/workflows/test-e2e.yml.j2"
        "project/.github/workflows/test.yml.j2"
        "project/.gitignore.j2"
        "project/Cargo.toml.j2"
        "project/Dockerfile.j2"
        "project/Makefile.j2"
        "project/README.md.j2"
        "project/api/Cargo.toml.j2"
        "project/config/admission-policy/kustomization.yaml.j2"
        "project/config/admission-policy/kustomizeconfig.yaml.j2"
        "project/config/admission-policy/policy.yaml.j2"
        "project/config/admission-policy/policy_binding.yaml.j2"
        "project/config/certmanager/certificate-metrics.yaml.j2"
        "project/config/certmanager/issuer.yaml.j2"
        "project/config/certmanager/kustomization.yaml.j2"
        "project/config/certmanager/kustomizeconfig.yaml.j2"
        "project/config/crd/kustomization.yaml.j2"
        "project/config/default/admission_policy_names.yaml.j2"
        "project/config/default/cert_metrics_manager_patch.yaml.j2"
        "project/config/default/kustomization.yaml.j2"
        "project/config/default/manager_metrics_patch.yaml.j2"
        "project/config/default/metrics_cert_names.yaml.j2"
        "project/config/default/metrics_service.yaml.j2"
        "project/config/default/monitor_tls_patch.yaml.j2"
        "project/config/manager/kustomization.yaml.j2"
        "project/config/manager/manager.yaml.j2"
        "project/config/network-policy/allow-metrics-traffic.yaml.j2"
        "project/config/network-policy/kustomization.yaml.j2"
        "project/config/prometheus/kustomization.yaml.j2"
        "project/config/prometheus/monitor.yaml.j2"
        "project/config/rbac/kustomization.yaml.j2"
        "project/config/rbac/leader_election_role.yaml.j2"
        "project/config/rbac/leader_election_role_binding.yaml.j2"
        "project/config/rbac/metrics_auth_role.yaml.j2"
        "project/config/rbac/metrics_auth_role_binding.yaml.j2"
        "project/config/rbac/metrics_reader_role.yaml.j2"
        "project/config/rbac/service_account.yaml.j2"
        "project/config/samples/kustomization.yaml.j2"
        "project/deny.toml.j2"
        "project/rustfmt.toml.j2"
        "project/src/lib.rs.j2"
        "project/src/main.rs.j2"
        "project/tests/e2e.sh.j2"
        "project/tests/envtest.sh.j2"
    };
    files.push(lock);
    files.push(shared(p));
    files
}

/// The place of types that several kinds share, which is the user's and has to be there.
#[must_use]
pub fn shared(p: &ProjectView) -> Rendered {
    render!("project/api/src/shared.rs.j2" => "api/src/shared.rs"; p: ProjectView)
}

/// The files that stay the tool's.
#[must_use]
pub fn owned(p: &ProjectView) -> Vec<Rendered> {
    let mut files = files! {
        p;
        "project/api/src/crdgen.rs.j2"
        "project/config/rbac/role_binding.yaml.j2"
    };
    files.extend(FIXED.map(|(template, text)| Rendered::fixed(output(template), text)));
    files.extend(embedded::files());
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_files_have_no_placeholders() {
        for (template, text) in FIXED {
            assert!(!["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)), "{template}");
        }
    }
}
