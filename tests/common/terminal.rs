//! Runs a program on a terminal, a real one as far as the program can tell.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, OutputModes, tcgetattr, tcsetattr};

/// What a terminal was given, and how the program ended.
#[derive(Debug)]
pub struct Seen {
    pub text: String,
    pub status: Option<i32>,
}

/// The two ends of a terminal: the one that sees what is printed, and the one for programs.
pub fn open() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&ours).expect("granted");
    unlockpt(&ours).expect("unlocked");
    let name = ptsname(&ours, Vec::new()).expect("its name").into_string().expect("UTF-8");
    let its = OpenOptions::new().read(true).write(true).open(name).expect("the other end");
    (File::from(ours), its)
}

/// Runs `command` with all three streams on one terminal, where `typed` was typed. Line ends stay `\n`, and nothing that
/// is typed is seen.
pub fn run_on_a_terminal(mut command: Command, typed: &str) -> Seen {
    let (mut ours, its) = open();
    let mut modes = tcgetattr(&its).expect("its modes");
    modes.output_modes.remove(OutputModes::OPOST);
    modes.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&its, OptionalActions::Now, &modes).expect("other modes");
    let another = || Stdio::from(its.try_clone().expect("another"));
    command.stdin(another()).stdout(another()).stderr(another());
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "CI"] {
        command.env_remove(name);
    }
    let mut child = command.env("TERM", "xterm").spawn().expect("a run");
    // Reading ends when nobody has the other end any more.
    drop((command, its));
    ours.write_all(typed.as_bytes()).expect("typed");
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = ours.read(&mut part) {
        bytes.extend_from_slice(&part[..length]);
    }
    let status = child.wait().expect("an end").code();
    Seen { text: String::from_utf8(bytes).expect("UTF-8"), status }
}
