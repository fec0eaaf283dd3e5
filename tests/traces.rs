//! The generated project's feature `otel`: reconciles arrive as spans at a collector.

mod common;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use common::Sandbox;
use common::cluster::{Cluster, eventually, run, target, target_environment};
use common::operator::Operator;

#[test]
fn a_collector_gets_a_span_for_each_reconcile() {
    let sandbox = Sandbox::with_iris();
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--locked", "--features=otel"]).current_dir(sandbox.path());
    build.envs(target_environment());
    run(build, "").expect("the feature compiles");
    let cluster = Cluster::shared();
    cluster.define(&sandbox.read("config/crd/bases/test.myardyas.club_iris.yaml"));

    let log = sandbox.path().join("operator.log");
    let operator = || {
        let mut operator = Command::new(target().join("debug/iris"));
        operator.args(["--metrics-bind-address=0", "--health-probe-bind-address=0"]);
        operator.env("KUBECONFIG", cluster.kubeconfig()).stderr(File::create(&log).expect("a log"));
        operator
    };
    let reconciled = || {
        let log = sandbox.read("operator.log");
        if log.contains("resource status synced") { Ok(()) } else { Err(log) }
    };
    cluster.apply(&sandbox.read("config/samples/test_v1alpha1_iris.yaml"), &["--namespace=default"]);
    for (variable, path) in
        [("OTEL_EXPORTER_OTLP_ENDPOINT", ""), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces")]
    {
        let collector = Collector::start("127.0.0.1:0");
        let mut running = Operator::start(operator().env(variable, format!("{}{path}", collector.url)));
        eventually("a reconcile", reconciled);
        // What has not been sent goes out as the operator stops.
        running.stop();
        let requests = collector.requests();
        let traces: Vec<_> = requests.iter().filter(|(line, _)| line == "POST /v1/traces HTTP/1.1").collect();
        for text in ["reconcile", "controller", "namespace", "default"] {
            let holds = |body: &[u8]| body.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(traces.iter().any(|(_, body)| holds(body)), "`{text}` in {requests:?}");
        }
    }

    // Where no collector is named, not even the usual one gets anything.
    let usual = Collector::start("127.0.0.1:4318");
    let mut running = Operator::start(&mut operator());
    eventually("a reconcile", reconciled);
    running.stop();
    assert!(usual.requests().is_empty(), "{:?}", usual.requests());
}

/// Takes every request and answers it with 200.
struct Collector {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// The first line, and the body.
type Request = (String, Vec<u8>);

impl Collector {
    fn start(address: &str) -> Self {
        let listener = TcpListener::bind(address).expect("a port that is free");
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
