//! Scrapes the listener over real sockets.

use std::sync::atomic::{AtomicBool, Ordering};

use prometheus::IntGauge;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::shutdown::{self, Trigger};

struct Served {
    address: SocketAddr,
    ready: Arc<AtomicBool>,
    trigger: Trigger,
    task: tokio::task::JoinHandle<()>,
}

async fn served() -> Served {
    let registry = Registry::new();
    let gauge = IntGauge::new("kafka_server_replicamanager_underreplicatedpartitions", "n").expect("a name");
    registry.register(Box::new(gauge)).expect("the name is free");
    crate::process_metrics::register(&registry).expect("the names are free");
    let ready = Arc::new(AtomicBool::new(false));
    let (trigger, shutdown) = shutdown::channel();
    let asked = Arc::clone(&ready);
    let says = move || asked.load(Ordering::SeqCst).then_some(()).ok_or_else(|| "no metadata yet".to_owned());
    let listener = MetricsListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.address();
    let task = tokio::spawn(listener.serve(registry, Arc::new(says), shutdown));
    Served { address, ready, trigger, task }
}

impl Served {
    /// Sends these bytes and returns all that comes back until the connection closes.
    async fn exchange(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        stream.write_all(request).await.expect("writes");
        let mut answer = Vec::new();
        // A reset after the answer is as good as an end.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).expect("text")
    }

    async fn ask(&self, method: &str, path: &str) -> String {
        self.exchange(format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
            .await
    }
}

#[tokio::test]
async fn a_scrape_holds_the_registry_and_the_process() {
    let served = served().await;
    let answer = served.ask("GET", "/metrics").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    assert!(answer.contains("\nkafka_server_replicamanager_underreplicatedpartitions 0\n"), "{answer}");
    assert!(answer.contains("# TYPE process_cpu_seconds_total counter"), "{answer}");
    assert!(answer.contains("\nprocess_open_fds "), "{answer}");
}

#[tokio::test]
async fn readiness_is_asked_each_time_and_says_why_not() {
    let served = served().await;
    let before = served.ask("GET", "/readyz").await;
    assert!(before.starts_with("HTTP/1.1 503 ") && before.ends_with("no metadata yet\n"), "{before}");
    assert!(served.ask("GET", "/healthz").await.ends_with("ok\n"));
    served.ready.store(true, Ordering::SeqCst);
    let after = served.ask("GET", "/readyz").await;
    assert!(after.starts_with("HTTP/1.1 200 ") && after.ends_with("ready\n"), "{after}");
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_allowed_is_said() {
    let served = served().await;
    assert!(served.ask("GET", "/").await.starts_with("HTTP/1.1 404 "));
    assert!(served.ask("POST", "/nowhere").await.starts_with("HTTP/1.1 404 "));
    let refused = served.ask("DELETE", "/metrics").await;
    assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("allow: GET, HEAD"), "{refused}");
    let head = served.ask("HEAD", "/metrics").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn a_header_beyond_the_bound_is_refused() {
    let served = served().await;
    let long = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(HEADER_BYTES_MAX));
    let answer = served.exchange(long.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert!(served.exchange(b"no http\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
    assert!(served.ask("GET", "/healthz").await.ends_with("ok\n"));
}

#[tokio::test]
async fn idle_connections_keep_no_one_out_and_shutdown_ends_them() {
    let served = served().await;
    let mut idle = Vec::new();
    for _ in 1..CONNECTIONS_MAX {
        idle.push(TcpStream::connect(served.address).await.expect("connects"));
    }
    assert!(served.ask("GET", "/healthz").await.ends_with("ok\n"));
    served.trigger.fire();
    served.task.await.expect("the listener ends");
    for mut stream in idle {
        let mut rest = Vec::new();
        assert!(matches!(stream.read_to_end(&mut rest).await, Ok(0) | Err(_)));
    }
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let served = served().await;
    let refused = MetricsListener::bind(&served.address.to_string()).await.expect_err("taken");
    assert!(refused.to_string().contains(&served.address.to_string()), "{refused}");
}
