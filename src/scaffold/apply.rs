//! The only module that writes to a project.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::found::Found;
use super::journal::Staging;
use super::{Change, Plan, RelPath, Tree};
use crate::{Error, Problem, Result, printable};

/// One change to the disk, announced before it is made. For tests that interrupt it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A directory is made.
    MakeDirectory(&'a Path),
    /// A new text is written into the staging folder.
    Stage(&'a RelPath),
    /// The journal is written: from here on the command is done or will be.
    Commit,
    /// An old file is put aside.
    SetAside(&'a RelPath),
    /// A new file takes its place.
    Place(&'a RelPath),
    /// The staging folder is removed.
    CleanUp,
}

/// Writes all changes of a plan, or none.
///
/// # Errors
/// [`Error::ChangedMeanwhile`] when a file is no longer what the plan was made for, [`Error::Io`] when the system
/// refuses; in both cases every file is as it was.
pub fn apply(plan: &Plan) -> Result<()> {
    apply_with(plan, &mut |_| Ok(()))
}

/// [`apply`] with `before_step` called ahead of every change to the disk; an error from it is treated as the step's.
///
/// # Errors
/// As [`apply`].
pub fn apply_with(plan: &Plan, before_step: &mut dyn FnMut(Step<'_>) -> io::Result<()>) -> Result<()> {
    if plan.writes().next().is_none() {
        return Ok(());
    }
    let tree = Tree::open(plan.root());
    let mut writes = Vec::new();
    for change in plan.changes() {
        let found = tree.look(&change.path)?;
        if found.text() != change.before.as_deref() {
            return Err(Error::ChangedMeanwhile { path: change.path.clone() });
        }
        if change.writes() {
            writes.push((change, found));
        }
    }
    // PROJECT is what says that the rest belongs together, so it comes last.
    writes.sort_by_key(|(change, _)| (change.path.as_str() == "PROJECT", &change.path));
    let mut transaction = Transaction::new(plan.root(), before_step);
    let result = transaction.run(plan.root(), &writes);
    if result.is_err() {
        transaction.undo();
    }
    result
}

/// Finishes or forgets what a command that was killed left in the project at `root`. Whether there was anything.
///
/// # Errors
/// [`Error::Io`] when the system refuses.
pub fn recover(root: &Path) -> Result<bool> {
    let staging = Staging::of(root);
    staging.recover().map_err(Error::io("recover", staging.folder()))
}

/// What was done so far, so that it can be undone.
struct Transaction<'a> {
    staging: Staging,
    before_step: &'a mut dyn FnMut(Step<'_>) -> io::Result<()>,
    there: HashSet<PathBuf>,
    directories: Vec<PathBuf>,
    set_aside: Vec<(PathBuf, PathBuf)>,
    placed: Vec<(PathBuf, PathBuf)>,
}

impl<'a> Transaction<'a> {
    fn new(root: &Path, before_step: &'a mut dyn FnMut(Step<'_>) -> io::Result<()>) -> Self {
        let (there, directories) = (HashSet::new(), Vec::new());
        let (set_aside, placed) = (Vec::new(), Vec::new());
        Self { staging: Staging::of(root), before_step, there, directories, set_aside, placed }
    }

    fn run(&mut self, root: &Path, writes: &[(&Change, Found)]) -> Result<()> {
        self.make_directories(root)?;
        let root = root.canonicalize().map_err(Error::io("open", root))?;
        let folder = self.staging.folder().to_path_buf();
        if folder.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
            let message = format!("`{}` is in the way", printable::path(&folder));
            return Err(Error::Refused(Problem::new(message).hint("remove it")));
        }
        self.make_directories(&folder)?;

        for (index, (change, found)) in writes.iter().enumerate() {
            let staged = self.staging.new_file(index);
            self.step(Step::Stage(&change.path), "write", &staged, || write(&staged, found, change))?;
        }
        // The journal speaks of where the files really are, below the root.
        let inside = |(_, found): &(&Change, Found)| {
            let path = found.real.strip_prefix(&root).ok().and_then(Path::to_str).unwrap_or_default();
            RelPath::new(path.replace(std::path::MAIN_SEPARATOR, "/"))
        };
        let real = writes.iter().map(inside).collect::<Result<Vec<_>>>()?;
        let staging = Staging::of(&root);
        self.step(Step::Commit, "write", &folder, || staging.commit(&real))?;
        for (index, (change, Found { real: target, .. })) in writes.iter().enumerate() {
            if change.before.is_some() {
                let aside = self.staging.old_file(index);
                self.step(Step::SetAside(&change.path), "replace", target, || set_aside(target, &aside))?;
                self.set_aside.push((target.clone(), aside));
            } else if let Some(parent) = target.parent() {
                self.make_directories(parent)?;
            }
            let staged = self.staging.new_file(index);
            self.step(Step::Place(&change.path), "write", target, || fs::rename(&staged, target))?;
            self.placed.push((staged, target.clone()));
        }
        self.step(Step::CleanUp, "remove", &folder, || staging.remove())
    }

    fn step(
        &mut self,
        step: Step<'_>,
        action: &'static str,
        path: &Path,
        work: impl FnOnce() -> io::Result<()>,
    ) -> Result<()> {
        (self.before_step)(step).and_then(|()| work()).map_err(Error::io(action, path))
    }

    /// Makes `directory` and what is missing above it, and remembers what is there and what was made.
    fn make_directories(&mut self, directory: &Path) -> Result<()> {
        if self.there.contains(directory) {
            return Ok(());
        }
        self.there.insert(directory.to_path_buf());
        if directory.is_dir() {
            return Ok(());
        }
        if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            self.make_directories(parent)?;
        }
        self.step(Step::MakeDirectory(directory), "make", directory, || fs::create_dir(directory))?;
        self.directories.push(directory.to_path_buf());
        Ok(())
    }

    /// Puts everything back, by moving new files back into the staging folder and old ones out of it: killed on the way,
    /// the journal still finishes the command. What fails here cannot be helped; the staging folder then stays.
    fn undo(&mut self) {
        let mut restored = true;
        for (staged, target) in self.placed.iter().rev() {
            restored &= fs::rename(target, staged).is_ok();
        }
        for (target, aside) in self.set_aside.iter().rev() {
            restored &= fs::rename(aside, target).is_ok();
        }
        if restored {
            // A folder that was never made is fine.
            let _ = self.staging.remove();
        }
        for directory in self.directories.iter().rev() {
            // Not empty means that something else put a file there.
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Keeps the file at `target` as `aside` too, so that there is one at `target` at any moment: without a PROJECT the next
/// command would not find the project. Where the disk has no links, it is moved.
fn set_aside(target: &Path, aside: &Path) -> io::Result<()> {
    fs::hard_link(target, aside).or_else(|_| fs::rename(target, aside))
}

/// Writes a change's text to `staged`, with the permissions that the file it replaces has or a new one gets.
fn write(staged: &Path, found: &Found, change: &Change) -> io::Result<()> {
    fs::write(staged, change.after.as_ref())?;
    match &found.content {
        Some((_, permissions)) => fs::set_permissions(staged, permissions.clone()),
        None if change.executable => make_executable(staged),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = path.metadata()?.permissions();
    // Whoever may read it may run it.
    permissions.set_mode(permissions.mode() | (permissions.mode() & 0o444) >> 2);
    fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature on every system")]
fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}
