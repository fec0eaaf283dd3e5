//! Runs a command with bounded time and memory in a session of its own, and looks at what it leaves behind.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use super::commands::{Line, Prints};
use super::world::{World, variables};
use crate::PROGRAM;
use crate::common::terminal;

/// Most seconds of work that a command may take, and most bytes of memory and of a file, as arguments of `prlimit`.
const LIMITS: [&str; 4] = ["--cpu=10:15", "--as=1073741824", "--fsize=268435456", "--core=0"];
/// How long a command may do nothing before it counts as waiting for ever. While it works, its limit ends it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take with a `crdgen` that never ends, which is given a minute.
pub const LONG_PATIENCE: Duration = Duration::from_secs(70);
/// How long a command may take with all others that run at the same time.
const LONGEST: Duration = Duration::from_secs(180);
/// How much is kept of what a command prints.
const KEPT: usize = 256 << 20;
/// Says in the environment of a process which run it belongs to.
const MARK: &str = "IRIS_HOSTILE_RUN";

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub status: Option<i32>,
    pub signal: Option<i32>,
    /// On a terminal, what it printed to either stream.
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// The processes that it left behind in its session.
    pub left: Vec<String>,
    /// It had to be ended.
    pub waited: bool,
}

pub fn run(world: &World, line: &Line) -> Ended {
    run_for(world, line, PATIENCE)
}

/// Runs a command that may take so long.
pub fn run_for(world: &World, line: &Line, patience: Duration) -> Ended {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = format!("{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    let mut command = command(world, line, &run);
    let (mut child, readers) = if line.prints == Prints::TextOnATerminal {
        let (terminal, its) = terminal::open();
        let copy = its.try_clone().expect("a copy");
        command.stdin(Stdio::null()).stdout(Stdio::from(copy)).stderr(Stdio::from(its));
        let child = command.spawn().expect("a run");
        // Reading ends when nobody has the other end any more.
        drop(command);
        (child, vec![keeping(terminal)])
    } else {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a run");
        let (stdout, stderr) =
            (child.stdout.take().expect("a stream"), child.stderr.take().expect("a stream"));
        (child, vec![keeping(stdout), keeping(stderr)])
    };
    let session = child.id();
    let waited = !ends(&mut child, patience);
    let status = child.wait().expect("its status");
    let left = survivors(session);
    if line.compiles || !left.is_empty() {
        end_all(session, &run);
    }
    let mut texts = readers.into_iter().map(|reader| reader.join().expect("what it printed"));
    let (stdout, stderr) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
    Ended { status: status.code(), signal: status.signal(), stdout, stderr, left, waited }
}

fn command(world: &World, line: &Line, run: &str) -> Command {
    let mut command = Command::new("setsid");
    command.arg("prlimit").args(LIMITS).arg(PROGRAM);
    if line.from_outside {
        command.arg("-C").arg(world.start()).current_dir(world.beside("outside"));
    } else {
        command.current_dir(world.start());
    }
    command.args(&line.words);
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CI", "RUST_BACKTRACE", "XDG_STATE_HOME"] {
        command.env_remove(name);
    }
    if line.prints == Prints::TextOnATerminal {
        command.args(["--color=never", "--no-input"]).env("TERM", "xterm-256color");
    }
    let cargo = if line.compiles { "bin/cargo" } else { "bin/mark" };
    command.env("CARGO", world.beside(cargo)).env(MARK, run).envs(variables(world, line.has_state()));
    command
}

/// Waits for the end of a process, which it is brought to when it waits too long.
fn ends(child: &mut Child, patience: Duration) -> bool {
    let begin = Instant::now();
    let (mut worked, mut last) = (String::new(), begin);
    while child.try_wait().expect("its status").is_none() {
        if last.elapsed() > patience {
            let works = work(child.id());
            if works == worked || begin.elapsed() > LONGEST {
                child.kill().expect("an end");
                return false;
            }
            (worked, last) = (works, Instant::now());
        }
        sleep(Duration::from_millis(3));
    }
    true
}

/// How long a process has worked, in whatever unit.
fn work(id: u32) -> String {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).collect::<Vec<_>>().join(" ")
}

/// Reads a stream to its end, and keeps its beginning.
fn keeping(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let (mut kept, mut part) = (Vec::new(), vec![0; 1 << 16]);
        // A terminal that nobody writes to any more ends with an error.
        while let Ok(length @ 1..) = stream.read(&mut part) {
            let room = KEPT.saturating_sub(kept.len());
            kept.extend_from_slice(&part[..length.min(room)]);
        }
        kept
    })
}

/// What is left of a session a moment after its first process has ended.
fn survivors(session: u32) -> Vec<String> {
    let begin = Instant::now();
    loop {
        let left: Vec<String> = processes().filter(|it| it.session == session).map(|it| it.name).collect();
        if left.is_empty() || begin.elapsed() > Duration::from_millis(500) {
            return left;
        }
        sleep(Duration::from_millis(5));
    }
}

/// Ends every process of a session and of a run.
fn end_all(session: u32, run: &str) {
    let mark = format!("{MARK}={run}");
    let is_marked = |id: u32| {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable == mark.as_bytes())
    };
    for process in processes().filter(|it| it.session == session || is_marked(it.id)) {
        let _ = Command::new("kill").args(["-9", &process.id.to_string()]).stderr(Stdio::null()).status();
    }
}

struct Process {
    id: u32,
    session: u32,
    name: String,
}

/// The processes that are alive.
fn processes() -> impl Iterator<Item = Process> {
    fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok).filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name is in parentheses and may hold any character.
        let (name, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_whitespace();
        let state = fields.next()?;
        let session = fields.nth(2)?.parse().ok()?;
        (state != "Z" && state != "X").then(|| Process {
            id,
            session,
            name: name.split_once('(').map_or_else(String::new, |(_, name)| name.to_owned()),
        })
    })
}
