//! A generated operator as a process.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command};

/// A process that ends with the test.
pub struct Operator(Child);

impl Operator {
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Stops it as Kubernetes does.
    pub fn stop(&mut self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        let status = self.0.wait().expect("its end");
        assert!(status.success(), "the operator stops in order: {status}");
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The samples of metrics whose lines begin so, each with its value.
pub fn samples<'a>(metrics: &'a str, begin: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
    metrics.lines().filter(move |line| line.starts_with(begin)).filter_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name, value.parse().ok()?))
    })
}

/// What a plain endpoint of the operator answers; an error unless it is 200.
pub fn http(port: u16, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(answer) } else { Err(io::Error::other(answer)) }
}
