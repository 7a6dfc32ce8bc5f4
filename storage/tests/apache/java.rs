//! Apache Kafka's classes in a JVM.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

static JARS: LazyLock<String> = LazyLock::new(|| {
    let fetched = Command::new(package().join("../tools/fetch-kafka")).stderr(Stdio::inherit()).output();
    let fetched = fetched.expect("tools/fetch-kafka runs");
    assert!(fetched.status.success(), "tools/fetch-kafka failed; Kafka's jars are needed for this test");
    String::from_utf8(fetched.stdout).expect("a path").trim().to_owned()
});

pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `java` with Kafka's jars; its class, or its source file, and its arguments are to follow.
pub fn java() -> Command {
    let mut command = Command::new("java");
    let options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
    command.args(options).arg("-cp").arg(format!("{}/*", *JARS)).stdin(Stdio::null());
    command
}

/// What a run has printed, without what the logging library says of itself.
pub struct Printed {
    pub stdout: String,
    pub stderr: String,
}

/// Runs a class to its end, which must be a good one.
pub fn run(class: &str, arguments: &[&str]) -> Printed {
    let output = java().arg(class).args(arguments).output();
    let output = output.expect("java, of a JDK, runs; on Debian: apt-get install default-jdk-headless");
    let text = |bytes: &[u8]| {
        let lines = String::from_utf8_lossy(bytes).into_owned();
        lines.lines().filter(|line| !line.starts_with("SLF4J")).map(|line| format!("{line}\n")).collect()
    };
    let printed = Printed { stdout: text(&output.stdout), stderr: text(&output.stderr) };
    assert!(output.status.success(), "{class} failed: {}", printed.stderr);
    printed
}

/// A broker of Apache Kafka, alone with its controller. Killed when it is dropped.
pub struct ApacheBroker {
    process: Child,
    pub port: u16,
}

impl ApacheBroker {
    /// Writes the configuration of a broker that keeps its logs in `data`, and formats that.
    pub fn format(data: &Path) -> PathBuf {
        let config = data.with_extension("properties");
        let (port, controller_port) = (free_port(), free_port());
        let text = format!(
            "process.roles=broker,controller\nnode.id=1\nlog.dirs={}\n\
             controller.quorum.voters=1@127.0.0.1:{controller_port}\ncontroller.listener.names=CONTROLLER\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
             offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.num.partitions=1\n\
             transaction.state.log.min.isr=1\n",
            data.display()
        );
        std::fs::write(&config, text).unwrap();
        let cluster_id = "8rV0aSFvQ3mrlwf1W1pJZw";
        run("kafka.tools.StorageTool", &["format", "-t", cluster_id, "-c", config.to_str().unwrap()]);
        config
    }

    pub fn start(config: &Path) -> ApacheBroker {
        let text = std::fs::read_to_string(config).unwrap();
        let port = text.split("PLAINTEXT://127.0.0.1:").nth(1).and_then(|rest| rest.split(',').next());
        let port = port.and_then(|port| port.parse().ok()).expect("the configuration names a port");
        let log = std::fs::File::create(config.with_extension("out")).unwrap();
        let process =
            java().arg("kafka.Kafka").arg(config).stdout(log.try_clone().unwrap()).stderr(log).spawn();
        ApacheBroker { process: process.expect("java runs"), port }
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM, and the wait for what follows.
    pub fn stop(mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for ApacheBroker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
