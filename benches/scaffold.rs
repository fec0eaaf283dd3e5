//! What planning, rendering and writing cost, in this process and as a program; how that grows with the project; and
//! what the manifests cost without cargo. Directories are in memory, where the system has a folder for that, but for one
//! bench: some disks make new files the slower the more files were removed in the last minutes, by whatever program.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use divan::Bencher;
use iris_scaffold::manifests::crd;
use iris_scaffold::manifests::rbac;
use iris_scaffold::scaffold::RelPath;
use iris_scaffold::templates::kinds;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_iris-scaffold");
const INIT: [&str; 3] = ["init", "--domain", "myardyas.club"];
const API: [&str; 8] = ["create", "api", "--group", "test", "--version", "v1alpha1", "--kind", "Iris"];

fn main() {
    divan::main();
}

/// An empty directory called `iris`.
struct Directory {
    _parent: TempDir,
    path: PathBuf,
}

impl Directory {
    fn empty() -> Self {
        let memory = PathBuf::from("/dev/shm");
        Self::inside(if memory.is_dir() { memory } else { std::env::temp_dir() })
    }

    /// In the system's folder for temporary files.
    fn on_disk() -> Self {
        Self::inside(std::env::temp_dir())
    }

    fn inside(folder: PathBuf) -> Self {
        let parent = tempfile::tempdir_in(folder).expect("a directory");
        let path = parent.path().join("iris");
        std::fs::create_dir(&path).expect("a directory");
        Self { _parent: parent, path }
    }

    fn with_project() -> Self {
        let directory = Self::empty();
        run(&directory.path, &INIT);
        directory
    }

    /// A project with that many kinds.
    fn with_kinds(kinds: usize) -> Self {
        let directory = Self::with_project();
        for number in 0..kinds {
            let kind = format!("--kind=Kind{number}");
            run(&directory.path, &["create", "api", "--group=test", "--version=v1", &kind]);
        }
        directory
    }
}

/// Runs a command line in this process.
fn run(directory: &Path, args: &[&str]) {
    let directory = directory.to_str().expect("a path");
    let args = ["iris-scaffold", "--quiet", "-C", directory].into_iter().chain(args.iter().copied());
    assert_eq!(iris_scaffold::run(args.map(Into::into)), ExitCode::SUCCESS);
}

/// Runs a program.
fn spawn(program: &str, directory: &Path, args: &[&str]) {
    let mut command = Command::new(program);
    command.args(args).current_dir(directory).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().expect("a run").success(), "{program} {args:?}");
}

mod in_process {
    use super::{API, Bencher, Directory, INIT, run};

    #[divan::bench]
    fn init_without_writing(bencher: Bencher) {
        bencher
            .with_inputs(Directory::empty)
            .bench_refs(|it| run(&it.path, &[&INIT[..], &["--dry-run"]].concat()));
    }

    #[divan::bench]
    fn init(bencher: Bencher) {
        bencher.with_inputs(Directory::empty).bench_refs(|it| run(&it.path, &INIT));
    }

    #[divan::bench]
    fn create_api_without_writing(bencher: Bencher) {
        let directory = Directory::with_project();
        bencher.bench_local(|| run(&directory.path, &[&API[..], &["--dry-run"]].concat()));
    }

    #[divan::bench]
    fn create_api(bencher: Bencher) {
        bencher.with_inputs(Directory::with_project).bench_refs(|it| run(&it.path, &API));
    }

    /// A further kind for a project that has so many.
    #[divan::bench(args = [1, 10, 30, 100])]
    fn create_api_beside(bencher: Bencher, kinds: usize) {
        let directory = Directory::with_kinds(kinds);
        bencher.bench_local(|| run(&directory.path, &[&API[..], &["--dry-run"]].concat()));
    }
}

mod program {
    use super::{API, Bencher, Directory, INIT, PROGRAM, Path, spawn};

    fn run_both(directory: &Path) {
        spawn(PROGRAM, directory, &INIT);
        spawn(PROGRAM, directory, &API);
    }

    #[divan::bench]
    fn init_and_create_api(bencher: Bencher) {
        bencher.with_inputs(Directory::empty).bench_refs(|it| run_both(&it.path));
    }

    /// A few times only, so that removing what was made hardly slows down what follows.
    #[divan::bench(sample_count = 10)]
    fn init_and_create_api_on_disk(bencher: Bencher) {
        bencher.with_inputs(Directory::on_disk).bench_refs(|it| run_both(&it.path));
    }

    #[divan::bench]
    fn version() {
        spawn(PROGRAM, Path::new("/"), &["version"]);
    }

    /// What starting any program costs.
    #[divan::bench]
    fn nothing() {
        spawn("true", Path::new("/"), &[]);
    }
}

mod manifests {
    use super::{API, Bencher, Directory, RelPath, crd, kinds, rbac, run};

    /// Definitions as `crdgen` prints them, to definitions completed, checked, compared with those before, and written.
    #[divan::bench(args = [1, 200])]
    fn definitions(bencher: Bencher, kinds: usize) {
        let directory = Directory::with_project();
        run(&directory.path, &API);
        let types = directory.path.join("api/src/v1alpha1/iris.rs");
        let types = std::fs::read_to_string(types).expect("the types");
        let files: Vec<_> = (0..kinds)
            .map(|number| {
                (RelPath::new(format!("api/src/v1/kind{number}.rs")).expect("a path"), types.clone())
            })
            .collect();
        let printed: String = (0..kinds).map(|number| definition(number).to_string()).collect();
        bencher.bench_local(|| {
            let mut definitions = crd::from_crdgen(&printed).expect("definitions");
            let fields = crd::Fields::read(std::iter::repeat_n(types.as_str(), kinds));
            for definition in &mut definitions {
                fields.complete(definition);
            }
            let checked = crd::Sources::read(&files).expect("sources").check(crd::validate(&definitions));
            checked.expect("sound definitions and sources");
            let before = definitions.clone();
            let broken = before.iter().zip(&definitions).flat_map(|(before, now)| crd::breaking(before, now));
            assert_eq!(broken.count(), 0);
            definitions.iter().map(crd::render).collect::<Vec<_>>()
        });
    }

    /// The sources of a project with so many kinds, to `role.yaml`.
    #[divan::bench(args = [1, 100])]
    fn roles(bencher: Bencher, kinds: usize) {
        let directory = Directory::with_kinds(kinds);
        let sources: Vec<_> = (0..kinds)
            .map(|number| {
                let path = format!("src/controller/kind{number}.rs");
                let text = std::fs::read_to_string(directory.path.join(&path)).expect("a controller");
                (RelPath::new(path).expect("a path"), text)
            })
            .collect();
        bencher.bench_local(|| rbac::role_yaml(&sources, None).expect("a role"));
    }

    fn definition(number: usize) -> serde_json::Value {
        let names = crd::Names {
            group: "test.example.com".into(),
            version: "v1".into(),
            kind: format!("Kind{number}"),
            plural: format!("kind{number}s"),
            singular: format!("kind{number}"),
            list_kind: format!("Kind{number}List"),
            namespaced: true,
        };
        crd::builtin(kinds::first().definition(true), &names)
    }
}
