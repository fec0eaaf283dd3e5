//! A proxy on the way to the API server, as the environment names it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use operator_testing::{ControlPlane, Operator, project};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::run;

/// A proxy that tunnels; its address, and how many tunnels there were.
async fn proxy() -> (String, Arc<AtomicUsize>) {
    // Not at the API server's address, for which kube takes the proxy's.
    let listener = TcpListener::bind(("127.0.0.2", 0)).await.expect("listen");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let count = Arc::new(AtomicUsize::new(0));
    let tunnels = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tunnels.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(tunnel(BufReader::new(stream)));
        }
    });
    (address, count)
}

async fn tunnel(mut client: BufReader<TcpStream>) {
    let (mut head, mut line) = (String::new(), String::new());
    while client.read_line(&mut line).await.is_ok_and(|length| length > 2) {
        head.push_str(&std::mem::take(&mut line));
    }
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split_once(' ')).expect("a tunnel").0;
    let mut server = TcpStream::connect(target).await.expect("a server");
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("an answer");
    // Connections end as they will.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// How many tunnels an operator opens with this variable, which finds its way to the API server.
async fn tunnels(no_proxy: &str) -> usize {
    let (address, count) = proxy().await;
    let project = project!().with_env("HTTPS_PROXY", address).with_env("NO_PROXY", no_proxy);
    let control_plane = ControlPlane::start(project).await;
    Operator::start(&control_plane, &[]).await.stop().await;
    count.load(Ordering::Relaxed)
}

#[test]
fn proxy_of_the_environment() {
    run(async {
        assert!(tunnels("").await > 0, "it goes through the proxy");
        assert!(tunnels("10.0.0.0/8").await > 0, "which is not meant for other servers only");
        assert_eq!(tunnels("127.0.0.1").await, 0, "NO_PROXY means the API server");
    });
}
