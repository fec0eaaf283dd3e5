//! The two API servers that get the same requests: a real one, through `kubectl proxy`, and the simulated one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use super::server::{Answer, Server};

/// A request as a test writes it.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: &'static str,
    pub path: String,
    pub content: &'static str,
    pub accept: &'static str,
    pub body: Value,
}

impl Ask {
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        let (content, accept) = ("application/json", "application/json");
        Self { method, path: path.into(), content, accept, body: Value::Null }
    }

    pub fn body(mut self, body: Value) -> Self {
        self.body = body;
        self
    }

    pub fn content(mut self, content: &'static str) -> Self {
        self.content = content;
        self
    }

    fn text(&self) -> String {
        if self.body.is_null() { String::new() } else { self.body.to_string() }
    }
}

/// An API server.
pub trait Side {
    /// The status and the body of an answer.
    fn ask(&mut self, ask: &Ask) -> (u16, Value);
    /// The first events of a watch, as many as are wanted, or fewer if no more come.
    fn watch(&mut self, path: &str, wanted: usize) -> Vec<Value>;
}

/// The real one.
pub struct Real {
    port: u16,
    connection: Option<BufReader<TcpStream>>,
}

impl Real {
    pub fn new(port: u16) -> Self {
        Self { port, connection: None }
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the proxy");
        stream.set_nodelay(true).expect("a socket");
        BufReader::new(stream)
    }

    fn exchange(&mut self, ask: &Ask) -> std::io::Result<(u16, Value)> {
        let mut connection = self.connection.take().unwrap_or_else(|| self.connect());
        let body = ask.text();
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: fidelity/1\r\nAccept: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{body}",
            ask.method,
            ask.path,
            ask.accept,
            ask.content,
            body.len()
        );
        connection.get_mut().write_all(head.as_bytes())?;
        let (code, length) = head_of(&mut connection)?;
        let mut bytes = Vec::new();
        match length {
            Some(length) => {
                bytes.resize(length, 0);
                connection.read_exact(&mut bytes)?;
            }
            None => {
                while let Some(chunk) = chunk_of(&mut connection)? {
                    bytes.extend(chunk);
                }
            }
        }
        self.connection = Some(connection);
        Ok((code, serde_json::from_slice(&bytes).unwrap_or_default()))
    }
}

/// The status of an answer, and its length unless it comes in chunks.
fn head_of(connection: &mut BufReader<TcpStream>) -> std::io::Result<(u16, Option<usize>)> {
    let (mut code, mut length, mut first) = (0, None, true);
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim().to_lowercase();
        if first {
            code = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
        }
        first = false;
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
        if line.is_empty() {
            return Ok((code, length));
        }
    }
}

fn chunk_of(connection: &mut BufReader<TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let length = usize::from_str_radix(line.trim(), 16).unwrap_or_default();
    let mut chunk = vec![0; length + 2];
    connection.read_exact(&mut chunk)?;
    chunk.truncate(length);
    Ok((length > 0).then_some(chunk))
}

impl Side for Real {
    fn ask(&mut self, ask: &Ask) -> (u16, Value) {
        // A kept connection may be closed by the other end.
        let answer = self.exchange(ask).or_else(|_| self.exchange(ask));
        answer.unwrap_or_else(|error| panic!("{} {}: {error}", ask.method, ask.path))
    }

    fn watch(&mut self, path: &str, wanted: usize) -> Vec<Value> {
        let mut connection = self.connect();
        let timeout = if wanted == 0 { 100 } else { 3000 };
        connection.get_mut().set_read_timeout(Some(Duration::from_millis(timeout))).expect("a socket");
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");
        connection.get_mut().write_all(head.as_bytes()).expect("a request");
        let mut events = Vec::new();
        let mut text = Vec::new();
        let end = Instant::now() + Duration::from_secs(4);
        if head_of(&mut connection).is_err() {
            return events;
        }
        while events.len() < wanted.max(1) && Instant::now() < end {
            let Ok(Some(chunk)) = chunk_of(&mut connection) else { break };
            text.extend(chunk);
            while let Some(at) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=at).collect();
                events.extend(serde_json::from_slice(&line).ok());
            }
        }
        events
    }
}

/// The simulated one.
pub struct Simulated(pub Server);

impl Side for Simulated {
    fn ask(&mut self, ask: &Ask) -> (u16, Value) {
        let request = http::Request::builder()
            .method(ask.method)
            .uri(&ask.path)
            .header("Content-Type", ask.content)
            .header("Accept", ask.accept)
            .header("User-Agent", "fidelity/1")
            .body(Bytes::from(ask.text()))
            .expect("a request");
        match self.0.handle("admin", &request) {
            Answer::Response(response) => {
                let body = serde_json::from_slice(response.body()).unwrap_or_default();
                (response.status().as_u16(), body)
            }
            Answer::Watch(_) => (200, Value::Null),
        }
    }

    fn watch(&mut self, path: &str, _: usize) -> Vec<Value> {
        let request = http::Request::get(path).body(Bytes::new()).expect("a request");
        match self.0.handle("admin", &request) {
            Answer::Response(_) => Vec::new(),
            Answer::Watch(mut watch) => {
                let lines = self.0.poll(&mut watch);
                lines.iter().filter_map(|line| serde_json::from_slice(line).ok()).collect()
            }
        }
    }
}
