//! A project to plant something in, and everything around it that must stay as it is.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::fs::{CWD, FileType, Mode, StatVfsMountFlags};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{Sandbox, tree};

/// A project with a repository, and beside it:
/// - `outside`: a stranger's folder, which nobody may touch;
/// - `home` and `tmp`: where the user's own things and temporary files are;
/// - `bin`: a stand-in for cargo and for the `crdgen` it builds, and a program that leaves a mark when it is run;
/// - `marks`: what such programs left.
///
/// Whatever of a project git and cargo would run leaves a mark.
pub struct World {
    _folder: TempDir,
    place: PathBuf,
    root: PathBuf,
    /// Where commands are started, below the project.
    pub start: PathBuf,
}

/// What is known of a path, without a look into it: a change of a file changes its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print {
    pub mode: u32,
    pub owner: u32,
    pub length: u64,
    pub modified: (i64, i64),
    pub changed: (i64, i64),
    pub number: u64,
    pub target: Option<PathBuf>,
}

impl Print {
    pub fn is_folder(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Whether nobody could tell the one from the other by what they hold.
    pub fn holds_the_same(&self, other: &Self) -> bool {
        let content = |it: &Self| (!it.is_folder()).then_some((it.length, it.modified));
        (self.mode, self.owner, &self.target) == (other.mode, other.owner, &other.target)
            && content(self) == content(other)
    }
}

/// Everything in a world, by its path.
pub type Snapshot = BTreeMap<PathBuf, Print>;

/// The project that all worlds begin with, and its definition.
struct Base {
    sandbox: Sandbox,
    definition: Value,
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let sandbox = Sandbox::with_iris();
        let definition = sandbox.read("config/crd/bases/test.myardyas.club_iris.yaml");
        let definition = serde_yaml::from_str(&definition).expect("YAML");
        let git = |args: &[&str]| {
            let mut command = Command::new("git");
            command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(args);
            let output = command.current_dir(sandbox.path()).output().expect("git");
            assert!(output.status.success(), "{output:?}");
        };
        git(&["init", "--quiet", "--template="]);
        git(&["add", "."]);
        git(&["commit", "--quiet", "--message=a"]);
        git(&["gc", "--quiet"]);
        Base { sandbox, definition }
    })
}

/// The definition that the project has.
pub fn definition() -> Value {
    base().definition.clone()
}

/// A folder in memory, where there is one with enough room that programs can be run in: the disk would take most of the
/// tests' time.
fn in_memory() -> Option<&'static str> {
    let folder = "/dev/shm";
    let found = rustix::fs::statvfs(folder).ok()?;
    let fits = !found.f_flag.contains(StatVfsMountFlags::NOEXEC) && found.f_bavail * found.f_frsize > 2 << 30;
    fits.then_some(folder)
}

impl World {
    pub fn new() -> Self {
        let mut builder = tempfile::Builder::new();
        builder.prefix("iris-scaffold-");
        let folder = match in_memory() {
            Some(memory) => builder.tempdir_in(memory),
            None => builder.tempdir(),
        };
        let folder = folder.expect("a temporary directory");
        let place = folder.path().canonicalize().expect("its path");
        let world = Self { _folder: folder, root: place.join("iris"), place, start: PathBuf::new() };
        for folder in ["outside", "home", "tmp", "bin", "marks"] {
            fs::create_dir(world.beside(folder)).expect("a folder");
        }
        for (name, content) in tree(base().sandbox.path()) {
            let path = world.root().join(&name);
            fs::create_dir_all(if name.ends_with('/') { &path } else { path.parent().expect("a folder") })
                .expect("a folder");
            if !name.ends_with('/') {
                fs::write(path, content).expect("a file");
            }
        }
        fs::write(world.beside("outside/canary"), "alive\n").expect("a canary");
        fs::write(world.beside("outside/canary.rs"), "fn alive() {}\n").expect("a canary");
        world.program("cargo", &{
            let built = world.beside("bin/crdgen");
            let message = json!({ "target": { "name": "crdgen" }, "executable": built });
            format!("cat <<'END'\n{message}\nEND")
        });
        world.crdgen("exec cat \"${0%/*}/definitions\"");
        world.defines(&base().definition.to_string());
        world.program("mark", &format!(": >'{}'/\"${{1:-unnamed}}\"", world.beside("marks").display()));
        world.set_marks();
        world
    }

    /// The project's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that commands are started in.
    pub fn start(&self) -> PathBuf {
        self.root().join(&self.start)
    }

    /// The folder that holds the project and all else that is watched.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// A path beside the project.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// Writes a program of the given shell commands into `bin`.
    fn program(&self, name: &str, commands: &str) {
        executable(&self.beside("bin").join(name), commands);
    }

    /// Lets cargo be a program of the given shell commands.
    pub fn cargo(&self, commands: &str) {
        self.program("cargo", commands);
    }

    /// Lets `crdgen` be a program of the given shell commands.
    pub fn crdgen(&self, commands: &str) {
        self.program("crdgen", commands);
    }

    /// Lets `crdgen` print these definitions.
    pub fn defines(&self, definitions: &str) {
        fs::write(self.beside("bin/definitions"), definitions).expect("definitions");
    }

    /// Puts a program that leaves a mark wherever git, cargo or a shell would run one of the project's.
    fn set_marks(&self) {
        let mark = self.beside("bin/mark");
        let mark = mark.display();
        let config = self.root().join(".git/config");
        let known = fs::read_to_string(&config).expect("a configuration");
        let more = format!(
            "[core]\n\tfsmonitor = {mark} fsmonitor\n\tpager = {mark} pager\n\tsshCommand = {mark} ssh\n\
             \teditor = {mark} editor\n\tgitProxy = {mark} proxy\n\taskPass = {mark}\n[alias]\n\
             \trev-parse = !{mark} alias\n\tls-tree = !{mark} alias\n\tshow = !{mark} alias\n[diff]\n\
             \texternal = {mark} diff\n[diff \"all\"]\n\ttextconv = {mark} textconv\n\tcommand = {mark} diff\n\
             [filter \"all\"]\n\tsmudge = {mark} smudge\n\tclean = {mark} clean\n\tprocess = {mark} filter\n\
             [pager]\n\tshow = {mark} pager\n[credential]\n\thelper = !{mark} credential\n"
        );
        fs::write(config, known + &more).expect("a configuration");
        self.write(".gitattributes", "* diff=all filter=all\n");
        fs::create_dir_all(self.root().join(".git/hooks")).expect("a folder");
        for hook in ["post-checkout", "pre-commit", "post-index-change", "reference-transaction"] {
            executable(&self.root().join(".git/hooks").join(hook), &format!("exec {mark} {hook}"));
        }
        for name in ["cargo", "git", "rustfmt", "crdgen", "sh"] {
            executable(&self.root().join(name), &format!("exec {mark} {name}"));
        }
        fs::create_dir(self.root().join(".cargo")).expect("a folder");
        self.write(
            ".cargo/config.toml",
            format!(
                "[build]\nrustc-wrapper = \"{mark}\"\n[target.'cfg(all())']\nrunner = [\"{mark}\", \"runner\"]\n\
                 [alias]\nbuild = \"run --quiet\"\n"
            ),
        );
        let build = format!("fn main() {{ let _ = std::process::Command::new(\"{mark}\").status(); }}\n");
        self.write("build.rs", &build);
        self.write("api/build.rs", &build);
        self.write("rust-toolchain.toml", "[toolchain]\npath = \"toolchain\"\n");
        fs::create_dir_all(self.root().join("toolchain/bin")).expect("a folder");
        for name in ["cargo", "rustc"] {
            executable(&self.root().join("toolchain/bin").join(name), &format!("exec {mark} {name}"));
        }
    }

    /// `path` on disk, with nothing there yet and the folders above it. `None` where something that was planted before,
    /// such as a link to the whole disk, takes the place of one of these.
    fn free(&self, path: &str) -> Option<PathBuf> {
        let mut free = self.root().to_path_buf();
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
            free.push(folder);
            match free.symlink_metadata() {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return None,
                Err(_) => fs::create_dir(&free).ok()?,
            }
        }
        free.push(name);
        match free.symlink_metadata() {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&free).ok()?,
            Ok(_) => fs::remove_file(&free).ok()?,
            Err(_) => {}
        }
        Some(free)
    }

    /// Takes away whatever is at `path`.
    pub fn remove(&self, path: &str) {
        self.free(path);
    }

    /// Puts something at `path`, if that is possible.
    fn put<E>(&self, path: &str, put: impl FnOnce(&Path) -> Result<(), E>) {
        let _ = self.free(path).map(|path| put(&path));
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        self.put(path, |path| fs::write(path, text));
    }

    /// What the file at `path` holds, and nothing where there is none.
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        let path = self.root().join(path);
        let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file() && found.len() < 1 << 20);
        if is_file { fs::read(path).unwrap_or_default() } else { Vec::new() }
    }

    pub fn append(&self, path: &str, text: impl AsRef<[u8]>) {
        self.write(path, [&self.bytes(path), text.as_ref()].concat());
    }

    /// Writes `to` where `path` holds `from`.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let text = String::from_utf8_lossy(&self.bytes(path)).replace(from, to);
        self.write(path, text);
    }

    pub fn folder(&self, path: &str) {
        self.put(path, |path| fs::create_dir(path));
    }

    pub fn link(&self, path: &str, target: impl AsRef<Path>) {
        self.put(path, |path| symlink(target, path));
    }

    pub fn pipe(&self, path: &str) {
        self.put(path, |path| rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from(0o644), 0));
    }

    pub fn socket(&self, path: &str) {
        self.put(path, |path| UnixListener::bind(path).map(drop));
    }

    /// A file of zeros that takes no room.
    pub fn sparse(&self, path: &str, length: u64) {
        self.put(path, |path| File::create(path)?.set_len(length));
    }

    /// Gives what is at `path` other permissions.
    pub fn mode(&self, path: &str, mode: u32) {
        let path = self.root().join(path);
        if path.symlink_metadata().is_ok_and(|found| !found.is_symlink()) {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
        }
    }

    /// Gives what is at `path` to another user, where that is allowed. Whether it is.
    pub fn give_away(&self, path: &str) -> bool {
        lchown(self.root().join(path), Some(65534), Some(65534)).is_ok()
    }

    /// Everything here as it is now.
    pub fn fingerprint(&self) -> Snapshot {
        let mut prints = Snapshot::new();
        let mut folders = vec![self.place.clone()];
        while let Some(folder) = folders.pop() {
            // A folder that is gone meanwhile is missing among the prints.
            for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
                let path = entry.path();
                let Ok(found) = entry.metadata() else { continue };
                if found.is_dir() {
                    folders.push(path.clone());
                }
                let print = Print {
                    mode: found.mode(),
                    owner: found.uid(),
                    length: found.len(),
                    modified: (found.mtime(), found.mtime_nsec()),
                    changed: (found.ctime(), found.ctime_nsec()),
                    number: found.ino(),
                    target: fs::read_link(&path).ok(),
                };
                let name = path.strip_prefix(&self.place).expect("below the place").to_path_buf();
                prints.insert(name, print);
            }
        }
        prints
    }
}

/// Everybody whose own folders a program could write to, as variables.
pub fn variables(world: &World, has_state: bool) -> Vec<(&'static str, OsString)> {
    let home = world.beside("home");
    let mut variables: Vec<(&str, OsString)> =
        vec![("HOME", home.clone().into()), ("TMPDIR", world.beside("tmp").into())];
    for (name, folder) in
        [("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache"), ("XDG_DATA_HOME", "data")]
    {
        variables.push((name, home.join(folder).into()));
    }
    if has_state {
        variables.push(("XDG_STATE_HOME", home.join("state").into()));
    }
    variables
}

fn executable(path: &Path, commands: &str) {
    fs::write(path, format!("#!/bin/sh\n{commands}\n")).expect("a program");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
}
