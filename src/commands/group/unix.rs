//! Process groups.
//!
//! A terminal's Ctrl-C does not reach a program in a group of its own. While one runs, the signals that end this
//! program are only noted; then the group is ended, and after it this program, by the same signal. `SIGKILL` cannot be
//! noted: the group outlives that.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::{flag, low_level};

/// A running program and what it has started.
#[derive(Debug)]
pub(in crate::commands) struct Group {
    child: Child,
    leader: Pid,
    status: Option<ExitStatus>,
    _caught: Caught,
}

impl Group {
    /// Starts a program as the first of its group.
    pub(in crate::commands) fn spawn(mut command: Command) -> io::Result<Self> {
        let caught = Caught::from_now_on();
        let child = command.process_group(0).spawn()?;
        let leader = Pid::from_child(&child);
        Ok(Self { child, leader, status: None, _caught: caught })
    }

    /// What the program prints, where that is a pipe.
    pub(in crate::commands) fn streams(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// How the program ended, once it has; what it has left behind is ended, too. Ends everything, this program
    /// included, when a signal says so.
    pub(in crate::commands) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if Signals::get().noted.load(SeqCst) != 0 {
            self.end()?;
            Caught::heed();
        }
        if self.status.is_none() {
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            if waitid(WaitId::Pid(self.leader), look)?.is_some() {
                self.end()?;
            }
        }
        Ok(self.status)
    }

    /// Ends whatever there is of the group.
    fn end(&mut self) -> io::Result<()> {
        if self.status.is_none() {
            // The program has not been waited for, so its number, which is the group's, is no one else's.
            let _ = kill_process_group(self.leader, Signal::KILL);
            self.status = Some(self.child.wait()?);
        }
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// What is known of signals; once asked for, they stay in these hands.
struct Signals {
    /// Whether signals do what they always do.
    ordinary: Arc<AtomicBool>,
    /// The last one that came while they did not; 0 for none.
    noted: Arc<AtomicUsize>,
}

impl Signals {
    fn get() -> &'static Self {
        static SIGNALS: OnceLock<Signals> = OnceLock::new();
        SIGNALS.get_or_init(|| {
            let (ordinary, noted) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
            for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
                // What `nohup` or a shell's `&` had ignored stays so.
                if is_ignored(signal).unwrap_or(signal == SIGHUP) {
                    continue;
                }
                // Where the system does not let them be caught, they end this program as ever.
                if flag::register_conditional_default(signal, Arc::clone(&ordinary)).is_ok() {
                    let number = usize::try_from(signal).unwrap_or_default();
                    let _ = flag::register_usize(signal, Arc::clone(&noted), number);
                }
            }
            Self { ordinary, noted }
        })
    }
}

/// While there is one, signals are noted.
#[derive(Debug)]
struct Caught(());

impl Caught {
    fn from_now_on() -> Self {
        Signals::get().ordinary.store(false, SeqCst);
        Self(())
    }

    /// Ends this program as a signal that came meanwhile would have.
    fn heed() {
        let signals = Signals::get();
        signals.ordinary.store(true, SeqCst);
        if let Ok(signal @ 1..) = i32::try_from(signals.noted.swap(0, SeqCst)) {
            let _ = low_level::emulate_default_handler(signal);
        }
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        Self::heed();
    }
}

/// Whether this program was started with a signal ignored, where the system says so.
fn is_ignored(signal: i32) -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    Some(mask >> (signal - 1) & 1 == 1)
}
