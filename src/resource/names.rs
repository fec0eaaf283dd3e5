//! Rust's side of a name: crates, modules and types that compile, whatever Kubernetes allows.

use heck::ToSnakeCase;

use super::validate::is_version;
use crate::path::is_device;

/// Words that Rust keeps for itself, now or in a later edition. Sorted.
const KEYWORDS: &str = "Self abstract as async await become box break const continue crate do dyn else enum extern false \
     final fn for gen if impl in let loop macro match mod move mut override priv pub ref return self \
     static struct super trait true try type typeof union unsafe unsized use virtual where while yield";

/// Files that generated crates have already, and crates their files import from: next to a module of the same name
/// such an import would be ambiguous. A module `controller` would be in one of that name, which clippy calls a mistake.
/// Sorted.
const MODULES: &str = "alloc anyhow bin clap controller core crdgen futures http hyper jiff k8s_openapi kube lib main mod operator_runtime proc_macro \
     prometheus rules rustls schemars serde serde_json serde_yaml shared std thiserror tokio \
     tracing tracing_subscriber";

/// Crate names that Cargo refuses, that hide a crate of Rust's own, that meet the program `crdgen`, or that a module of
/// the crate hides where both are imported from. Sorted.
const CRATES: &str =
    "alloc build controller core crdgen deps examples incremental manager proc_macro std telemetry test";

/// Types that need another name than the kind's: what every Rust file knows without an import, what derives bring in,
/// and what generated files import. Sorted.
const TYPES: &str = "\
    Action Api Applied ApplyError Arc AsMut AsRef AsyncFn AsyncFnMut AsyncFnOnce BTreeMap Box Capabilities Case Client \
    Clone Condition Conditions ConfigMap Container ContainerPort Context ControlPlane Controller Copy CustomResource \
    CustomResourceDefinition CustomResourceExt Debug Default DeleteParams Deployment DeploymentSpec \
    DeploymentStatus Deserialize DoubleEndedIterator Drop Duration Eq Err Error EventType \
    ExactSizeIterator Extend Fn FnMut FnOnce From FromIterator Future Hash Into IntoFuture IntoIterator \
    Iterator JsonSchema KubeSchema LabelSelector ListMerge ListParams Manager None Object ObjectKey ObjectMeta Ok \
    Operation Operator Option Ord OwnerReference PartialEq PartialOrd Patch PatchParams PodSpec PodTemplateSpec \
    PostParams Reconciler Resource ResourceExt Result Rule SeccompProfile \
    SecurityContext Send Serialize Sized Some Spec Status Store String Sync ToOwned ToString TryFrom TryInto Unpin \
    Value Vec";

/// The module for a kind, a controller or a group: snake case, and never a word that is taken.
#[must_use]
pub fn module(name: &str) -> String {
    let mut module = name.to_snake_case();
    if module.starts_with(|first: char| first.is_ascii_digit()) {
        module.insert(0, '_');
    }
    // One called as a version would be in one of that name, too.
    if is_keyword(&module) || among(MODULES, &module) || is_device(&module) || is_version(&module) {
        module.push('_');
    }
    module
}

/// The module beside a controller's that says what its objects ask for.
#[must_use]
pub fn resources_module(module: &str) -> String {
    format!("{}_resources", module.trim_end_matches('_'))
}

/// The type for a kind: the kind itself, unless it, its spec or its status would hide a type that files need.
#[must_use]
pub fn rust_type(kind: &str) -> String {
    let taken = |name: &str| among(TYPES, name) || is_keyword(name);
    if taken(kind) || taken(&format!("{kind}Spec")) || taken(&format!("{kind}Status")) {
        format!("{kind}Resource")
    } else {
        kind.to_owned()
    }
}

/// The package for a project: its name, with `operator-` in front when Cargo or Rust would not have it, or when it (or
/// the package of its types) is also the name of one of its `dependencies`.
#[must_use]
pub fn crate_name<'a>(project_name: &str, mut dependencies: impl Iterator<Item = &'a str>) -> String {
    let own = ident(project_name);
    let api = format!("{own}_api");
    let taken = own.starts_with(|first: char| first.is_ascii_digit())
        || is_keyword(&own)
        || is_device(&own)
        || among(CRATES, &own)
        || dependencies.any(|name| is_spelt(name, &own) || is_spelt(name, &api));
    if taken { format!("operator-{project_name}") } else { project_name.to_owned() }
}

/// A crate's name as code spells it.
#[must_use]
pub fn ident(crate_name: &str) -> String {
    crate_name.replace('-', "_")
}

/// Whether code spells a crate's name so.
fn is_spelt(crate_name: &str, ident: &str) -> bool {
    let spelt = crate_name.bytes().map(|byte| if byte == b'-' { b'_' } else { byte });
    crate_name.len() == ident.len() && spelt.eq(ident.bytes())
}

/// Whether Rust keeps this word for itself.
#[must_use]
pub fn is_keyword(word: &str) -> bool {
    among(KEYWORDS, word)
}

/// Whether `word` is in a list of words that spaces part.
fn among(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_without_repeats() {
        for list in [KEYWORDS, MODULES, CRATES, TYPES] {
            assert!(list.split(' ').is_sorted_by(|a, b| a < b), "{list}");
        }
    }

    #[test]
    fn modules_avoid_what_is_taken() {
        for (name, expected) in [
            ("Iris", "iris"),
            ("DNSRecord", "dns_record"),
            ("Type", "type_"),
            ("Match", "match_"),
            ("Gen", "gen_"),
            ("Con", "con_"),
            ("LPT1", "lpt1_"),
            ("Mod", "mod_"),
            ("Kube", "kube_"),
            ("Controller", "controller_"),
            ("V1", "v1_"),
            ("cruiser-second", "cruiser_second"),
            ("cert-manager.io", "cert_manager_io"),
            ("2nd", "_2nd"),
            ("Box", "box_"),
            ("String", "string"),
        ] {
            assert_eq!(module(name), expected);
        }
    }

    #[test]
    fn types_avoid_what_is_taken() {
        for (kind, expected) in [
            ("Iris", "Iris"),
            ("String", "StringResource"),
            ("Result", "ResultResource"),
            ("Pod", "PodResource"),
            ("Deployment", "DeploymentResource"),
            ("Type", "Type"),
            ("Resource", "ResourceResource"),
        ] {
            assert_eq!(rust_type(kind), expected);
        }
    }

    #[test]
    fn crates_avoid_what_cargo_or_rust_would_not_have() {
        for (project, expected) in [
            ("iris", "iris"),
            ("kube", "operator-kube"),
            ("serde-json", "operator-serde-json"),
            ("some", "operator-some"),
            ("2nd", "operator-2nd"),
            ("type", "operator-type"),
            ("proc-macro", "operator-proc-macro"),
            ("test", "operator-test"),
            ("build", "operator-build"),
            ("con", "operator-con"),
        ] {
            assert_eq!(crate_name(project, &mut ["kube", "serde_json", "some-api"].into_iter()), expected);
        }
        assert_eq!(ident("iris-api"), "iris_api");
        let library = include_str!("../../templates/project/src/lib.rs.j2").lines();
        for module in library.filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
            assert!(among(CRATES, module), "`use {module}::{module}` in main.rs would hide the crate");
        }
    }

    /// The files with the types and the controllers of kinds.
    fn sources() -> Vec<String> {
        let templates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut folders = vec![templates.join("api/api"), templates.join("kinds")];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                if path.is_dir() {
                    folders.push(path);
                } else if name.ends_with(".rs.j2") && !name.starts_with("test") {
                    found.push(std::fs::read_to_string(path).expect("a template"));
                }
            }
        }
        assert!(found.len() > 5, "{}", found.len());
        found
    }

    /// A kind must not hide a name that the files made for it use.
    #[test]
    fn what_generated_files_import_is_taken() {
        for file in sources() {
            let imports =
                file.lines().filter(|line| line.trim_start().starts_with("use ") && !line.contains("{{"));
            let own = file.lines().filter_map(|line| {
                let line = line.trim_start().strip_prefix("pub ").unwrap_or(line);
                line.strip_prefix("struct ").or_else(|| line.strip_prefix("enum "))
            });
            let words = imports.chain(own).flat_map(|line| line.split(|c: char| !c.is_alphanumeric()));
            for name in words.filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase())) {
                let known = among(TYPES, name);
                assert!(known, "add `{name}` to TYPES");
            }
        }
    }
}
