//! From a plan to the disk, all or nothing. Beside [`recover()`](super::recover()), which finishes what was killed here,
//! nothing else writes to a project.

use std::collections::{HashMap, HashSet};
use std::fs::{self, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::found::Found;
use super::journal::{Entry, Journal, Journals};
use super::lock::{Lock, PATIENCE};
use super::staging::{FOLDER, Staging};
use super::{Change, Plan, RelPath, Tree};
use crate::{Error, Problem, Result, printable};

/// One change to the disk, announced before it is made. For tests that interrupt it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A directory is made.
    MakeDirectory(&'a Path),
    /// The journal is begun: from here on nobody takes the staging folder for somebody else's.
    Begin,
    /// A new text is written into the staging folder.
    Stage(&'a RelPath),
    /// The journal says what is staged: from here on the command is done or will be.
    Commit,
    /// An old file is put aside.
    SetAside(&'a RelPath),
    /// A new file takes its place.
    Place(&'a RelPath),
    /// The staging folder and the journal are removed.
    CleanUp,
}

/// Writes all changes of a plan, or none. Without a `lock` on the project, which there is none on a directory that does
/// not exist yet, it takes one.
///
/// # Errors
/// [`Error::ChangedMeanwhile`] when a file is no longer what the plan was made for, [`Error::Io`] when the system
/// refuses; in both cases every file is as it was.
pub fn apply(plan: &Plan, journals: &Journals, lock: Option<&Lock>) -> Result<()> {
    apply_with(plan, journals, lock, &mut |_| Ok(()))
}

/// [`apply`] with `before_step` called ahead of every change to the disk; an error from it is treated as the step's.
///
/// # Errors
/// As [`apply`].
pub fn apply_with(
    plan: &Plan,
    journals: &Journals,
    lock: Option<&Lock>,
    before_step: &mut dyn FnMut(Step<'_>) -> io::Result<()>,
) -> Result<()> {
    if plan.writes().next().is_none() {
        return Ok(());
    }
    let mut transaction = Transaction::new(plan.root(), before_step);
    let result = transaction.run(journals, lock, plan);
    if result.is_err() {
        transaction.undo();
    }
    result
}

/// What is to be written, and where, if the disk is still as the plan saw it.
fn checked(plan: &Plan) -> Result<Vec<(&Change, Found)>> {
    let tree = Tree::open(plan.root());
    let (mut writes, mut places) = (Vec::new(), HashMap::new());
    for change in plan.changes() {
        let found = tree.look(&change.path)?;
        if found.text() != change.before.as_deref() {
            return Err(Error::ChangedMeanwhile { path: change.path.clone() });
        }
        if change.writes() {
            if let Some(other) = places.insert(found.real.clone(), &change.path) {
                let message =
                    format!("`{other}` and `{}` are one file, through a symbolic link", change.path);
                let hint = "replace the link by a file of its own";
                return Err(Error::Refused(Problem::new(message).hint(hint)));
            }
            writes.push((change, found));
        }
    }
    // PROJECT is what says that the rest belongs together, so it comes last.
    writes.sort_by_key(|(change, _)| (change.path.as_str() == "PROJECT", &change.path));
    Ok(writes)
}

/// What was done so far, so that it can be undone.
struct Transaction<'a> {
    root: &'a Path,
    journal: Option<Journal>,
    before_step: &'a mut dyn FnMut(Step<'_>) -> io::Result<()>,
    there: HashSet<PathBuf>,
    directories: Vec<PathBuf>,
    set_aside: Vec<(PathBuf, PathBuf)>,
    placed: Vec<(PathBuf, PathBuf)>,
}

impl<'a> Transaction<'a> {
    fn new(root: &'a Path, before_step: &'a mut dyn FnMut(Step<'_>) -> io::Result<()>) -> Self {
        let (there, directories) = (HashSet::new(), Vec::new());
        let (set_aside, placed) = (Vec::new(), Vec::new());
        Self { root, journal: None, before_step, there, directories, set_aside, placed }
    }

    fn run(&mut self, journals: &Journals, lock: Option<&Lock>, plan: &Plan) -> Result<()> {
        self.make_directories(self.root)?;
        // Nobody can lock what is not there: another command may have planned for the same new directory.
        let _lock = if lock.is_none() { Lock::of(self.root, PATIENCE, || ())? } else { None };
        let writes = checked(plan)?;
        let staging = self.begin(journals, writes.len())?;
        for (index, (change, found)) in writes.iter().enumerate() {
            let staged = staging.new_file(index);
            self.step(Step::Stage(&change.path), "write", &staged, || write(&staged, found, change))?;
        }
        let entry = |(change, _): &(&Change, Found)| Entry {
            path: change.path.as_str().to_owned(),
            before: change.before.as_ref().map(Digest::of),
            after: Digest::of(change.after.as_bytes()),
        };
        let entries = writes.iter().map(entry).collect();
        self.journalled(Step::Commit, "write", &staging, |journal| journal.commit(entries))?;
        for (index, (change, Found { real: target, .. })) in writes.iter().enumerate() {
            if change.before.is_some() {
                let aside = staging.old_file(index);
                self.step(Step::SetAside(&change.path), "replace", target, || set_aside(target, &aside))?;
                self.set_aside.push((target.clone(), aside));
            } else if let Some(parent) = target.parent() {
                self.make_directories(parent)?;
            }
            let staged = staging.new_file(index);
            self.step(Step::Place(&change.path), "write", target, || fs::rename(&staged, target))?;
            self.placed.push((staged, target.clone()));
        }
        let root = self.root;
        self.journalled(Step::CleanUp, "remove", &staging, |journal| journal.close(root))
    }

    /// Begins the journal, then makes the staging folder: killed in between, nobody wonders whose it is.
    fn begin(&mut self, journals: &Journals, changes: usize) -> Result<Staging> {
        let root = self.root;
        let outer = root.join(FOLDER);
        let found = outer.symlink_metadata();
        if found.as_ref().is_ok_and(|found| !found.is_dir()) {
            let message = format!("`{}` is in the way", printable::path(&outer));
            return Err(Error::Refused(Problem::new(message).hint("remove it")));
        }
        let begin = || journals.begin(root, changes, found.is_err());
        let journal = self.step(Step::Begin, "keep a journal of", root, begin)?;
        let staging = journal.staging(root);
        self.journal = Some(journal);
        self.make_directories(&outer)?;
        self.step(Step::MakeDirectory(staging.folder()), "make", staging.folder(), || staging.make())?;
        Ok(staging)
    }

    /// A step that is made in the journal.
    fn journalled(
        &mut self,
        step: Step<'_>,
        action: &'static str,
        staging: &Staging,
        work: impl FnOnce(&mut Journal) -> io::Result<()>,
    ) -> Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        (self.before_step)(step).and_then(|()| work(journal)).map_err(Error::io(action, staging.folder()))
    }

    fn step<T>(
        &mut self,
        step: Step<'_>,
        action: &'static str,
        path: &Path,
        work: impl FnOnce() -> io::Result<T>,
    ) -> Result<T> {
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
        if let Some(journal) = self.journal.as_mut().filter(|_| restored) {
            // From here on there is nothing to finish, so that killed while it is removed, the rest is rubbish.
            let _ = journal.revoke().and_then(|()| journal.close(self.root));
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
        Some((_, permissions)) => fs::set_permissions(staged, ordinary(permissions)),
        None if change.executable => make_executable(staged),
        None => Ok(()),
    }
}

/// The permissions without those that lend a program its owner's rights.
#[cfg(unix)]
fn ordinary(permissions: &Permissions) -> Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    Permissions::from_mode(permissions.mode() & 0o777)
}

#[cfg(not(unix))]
fn ordinary(permissions: &Permissions) -> Permissions {
    permissions.clone()
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
