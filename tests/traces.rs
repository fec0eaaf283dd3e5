//! The generated project's feature `otel`: reconciles arrive as spans at a collector.

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use common::Sandbox;
use common::cluster::{Cluster, eventually, run, target};
use common::operator::Operator;

#[test]
fn a_collector_gets_a_span_for_each_reconcile() {
    let sandbox = Sandbox::with_iris();
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--locked", "--features=otel"]).current_dir(sandbox.path());
    build.env("CARGO_TARGET_DIR", target());
    run(build, "").expect("the feature compiles");
    let cluster = Cluster::shared();
    cluster.apply(&sandbox.read("config/crd/bases/test.myardyas.club_iris.yaml"), &[]);
    cluster.kubectl(&["wait", "--for=condition=Established", "crd/iris.test.myardyas.club"]);

    let collector = Collector::start();
    let mut operator = Operator::start(
        Command::new(target().join("debug/iris"))
            .args(["--metrics-bind-address=0", "--health-probe-bind-address=0"])
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
            .stderr(Stdio::null()),
    );
    cluster.apply(&sandbox.read("config/samples/test_v1alpha1_iris.yaml"), &["--namespace=default"]);
    eventually("the Deployment", || cluster.try_kubectl(&["get", "deployment", "iris"], ""));
    // What has not been sent goes out as the operator stops.
    operator.stop();
    let requests = collector.requests();
    let traces: Vec<_> = requests.iter().filter(|(line, _)| line == "POST /v1/traces HTTP/1.1").collect();
    for text in ["reconcile", "controller", "namespace", "default"] {
        let holds = |body: &[u8]| body.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(traces.iter().any(|(_, body)| holds(body)), "`{text}` in {requests:?}");
    }
}

/// Takes every request and answers it with 200.
struct Collector {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// The first line, and the body.
type Request = (String, Vec<u8>);

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let request = stream.and_then(|stream| serve(&stream)).expect("a request");
                received.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads one request and answers it.
fn serve(mut stream: &TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    Ok((first.trim_end().to_owned(), body))
}
