//! An etcd server of the test's own: free ports, a directory that goes with it, ended by its process id.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use metadata::etcd::EtcdStore;
use metadata::store::{KeyRange, MetadataStore};

/// How long a starting etcd is waited for.
const START_WAITS: u32 = 600;
const START_WAIT: Duration = Duration::from_millis(50);

pub struct EtcdServer {
    directory: tempfile::TempDir,
    client_port: u16,
    peer_port: u16,
    process: Child,
}

impl EtcdServer {
    pub async fn start() -> EtcdServer {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (client_port, peer_port) = (free_port(), free_port());
        let process = spawn(directory.path(), client_port, peer_port);
        let server = EtcdServer { directory, client_port, peer_port, process };
        server.await_ready().await;
        server
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.client_port)
    }

    pub async fn store(&self) -> EtcdStore {
        EtcdStore::connect(&[self.endpoint()]).await.expect("the endpoint can be read")
    }

    /// Kills etcd and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.kill();
        self.process = spawn(self.directory.path(), self.client_port, self.peer_port);
        self.await_ready().await;
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    async fn await_ready(&self) {
        let store = self.store().await;
        for _ in 0..START_WAITS {
            if store.range(KeyRange::key("ready?")).await.is_ok() {
                return;
            }
            tokio::time::sleep(START_WAIT).await;
        }
        panic!("etcd did not start within {:?}", START_WAIT * START_WAITS);
    }
}

impl Drop for EtcdServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(directory: &std::path::Path, client_port: u16, peer_port: u16) -> Child {
    let client = format!("http://127.0.0.1:{client_port}");
    let peer = format!("http://127.0.0.1:{peer_port}");
    Command::new("etcd")
        .args(["--data-dir".as_ref(), directory.join("etcd").as_os_str()])
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("default={peer}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("etcd must be installed for this test: apt-get install etcd-server")
}

/// A port below those that the kernel gives to whoever wants any, so that nobody takes it while etcd starts. Each test
/// process begins somewhere else, and takes none twice.
fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 5_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let next = || std::process::id().wrapping_mul(97).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
    let mut ports = (0..COUNT).map(|_| (FIRST + next() % COUNT) as u16);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}
