//! What a kustomization makes of the definitions that it lists.

use std::path::{Path, PathBuf};
use std::process::Command;

use kube::api::DynamicObject;
use serde::Deserialize as _;
use serde_yaml::Value;

/// The names that kustomize knows.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What does not change what a definition says.
const PLAIN: [&str; 8] = [
    "apiVersion",
    "commonAnnotations",
    "commonLabels",
    "kind",
    "labels",
    "metadata",
    "resources",
    "sortOptions",
];

/// Whether a file is a kustomization.
pub(crate) fn is_kustomization(path: &Path) -> bool {
    NAMES.iter().any(|name| path.ends_with(name))
}

/// What kustomize builds of a folder; `None` when its kustomization changes nothing of what it lists, or there is none.
/// The programs are those of the project's Makefile, and the `kubectl` in the folder `assets`.
pub(crate) fn built(
    folder: &Path,
    root: &Path,
    assets: impl FnOnce() -> PathBuf,
) -> Option<Vec<DynamicObject>> {
    let file = NAMES.iter().map(|name| folder.join(name)).find(|file| file.exists())?;
    let text = std::fs::read_to_string(&file).expect("text");
    let kustomization: Value =
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let changes = kustomization.as_mapping().into_iter().flatten();
    let changes: Vec<&str> =
        changes.filter(|(_, value)| !value.is_null()).filter_map(|(key, _)| key.as_str()).collect();
    let change = changes.into_iter().find(|key| !PLAIN.contains(key))?;

    let assets = assets();
    let local = root.join("bin/kustomize");
    let local = local.exists().then_some((local, &["build"][..]));
    let candidates = local.into_iter().chain([
        (PathBuf::from("kustomize"), &["build"][..]),
        (assets.join("kubectl"), &["kustomize"][..]),
        (PathBuf::from("kubectl"), &["kustomize"][..]),
    ]);
    for (program, arguments) in candidates {
        // One that is not there is no failure of the kustomization.
        let Ok(output) = Command::new(&program).args(arguments).arg(folder).output() else { continue };
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {}: {said}", program.display(), folder.display());
        let documents = serde_yaml::Deserializer::from_slice(&output.stdout);
        let objects =
            documents.map(|document| Option::<DynamicObject>::deserialize(document).expect("an object"));
        return Some(objects.flatten().collect());
    }
    panic!(
        "`{change}` in {} changes the definitions, and there is no program to build it: put `kubectl` into {}, or install \
         `kustomize`",
        file.display(),
        assets.display()
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use kube::ResourceExt;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    #[test]
    fn a_kustomization_that_changes_something_is_built() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("config/crd");
        let assets = || root.path().join("assets");
        assert!(built(&folder, root.path(), assets).is_none(), "there is none");
        let kustomization = folder.join("kustomization.yaml");
        write(&kustomization, "resources:\n- bases/a.yaml\npatches:\nlabels:\n- pairs: {a: b}\n");
        assert!(built(&folder, root.path(), assets).is_none(), "it changes nothing");

        write(&kustomization, "resources:\n- bases/a.yaml\npatches:\n- path: patch.yaml\n");
        let program = root.path().join("bin/kustomize");
        let object = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name";
        write(&program, &format!("#!/bin/sh\nprintf '{object}: %s\\n---\\n{object}: two\\n' \"$1\"\n"));
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
        let objects = built(&folder, root.path(), assets).expect("the program is there");
        let names: Vec<_> = objects.iter().map(ResourceExt::name_any).collect();
        assert_eq!(names, ["build", "two"]);

        write(&program, "#!/bin/sh\necho 'no such patch' >&2\nexit 1\n");
        let failed = std::panic::catch_unwind(|| built(&folder, root.path(), assets)).expect_err("a panic");
        let said = failed.downcast_ref::<String>().expect("a text");
        assert!(said.contains("no such patch"), "{said}");
    }
}
