//! What a program prints, in so much time and so many bytes.

use std::io::{self, Read};
use std::process::ExitStatus;
use std::sync::mpsc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::group::Group;

/// Why there is no output.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is longer than it may be.
    Long,
    /// It did not end in time.
    Late,
    /// The system refused.
    Io(io::Error),
}

/// What comes out of `stdout` of a program, and how that ended. A [`Fault`] is no end: the caller ends the group by
/// dropping it.
pub(super) fn of(
    group: &mut Group,
    stdout: Option<impl Read + Send + 'static>,
    time: Duration,
    length: u64,
) -> Result<(ExitStatus, Vec<u8>), Fault> {
    let begin = Instant::now();
    // A channel and not a joined thread: what has left the group may keep the stream open.
    let (read, printed) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let done = stdout.map_or(Ok(0), |stdout| stdout.take(length + 1).read_to_end(&mut text));
        read.send(done.map(|_| text))
    });
    let mut text = None;
    loop {
        let status = group.try_wait().map_err(Fault::Io)?;
        text = text.or_else(|| printed.try_recv().ok());
        // Longer than the limit: the stream is closed by then, which may be why the program failed.
        if text.as_ref().is_some_and(|text| text.as_ref().is_ok_and(|text| text.len() as u64 > length)) {
            return Err(Fault::Long);
        }
        match (status, text) {
            (Some(status), Some(text)) => return Ok((status, text.map_err(Fault::Io)?)),
            (_, rest) if begin.elapsed() < time => text = rest,
            _ => return Err(Fault::Late),
        }
        sleep(Duration::from_millis(2));
    }
}
