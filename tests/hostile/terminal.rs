//! A pseudo-terminal to print to.

use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Starts a command that prints both of its streams to a terminal, of which the other side is returned.
pub fn spawn(mut command: Command) -> (Child, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("its use");
    let name = ptsname(&ours, Vec::new()).expect("its name");
    let name = std::ffi::OsStr::from_bytes(name.as_bytes());
    let theirs = OpenOptions::new().read(true).write(true).open(name).expect("its other side");
    let copy = theirs.try_clone().expect("a copy");
    command.stdin(Stdio::null()).stdout(Stdio::from(copy)).stderr(Stdio::from(theirs));
    let child = command.spawn().expect("a run");
    (child, File::from(ours))
}
