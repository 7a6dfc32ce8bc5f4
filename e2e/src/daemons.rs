//! The separate daemons, `milena-broker` and `milena-controller`, each with a properties file of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use crate::etcd::Etcd;
use crate::process::Daemon;
use crate::scratch::Scratch;
use crate::{http, ports, wait, workspace};

/// One daemon that runs, or that was stopped and may be started again.
#[derive(Debug)]
pub struct Milena {
    /// `milena-broker` or `milena-controller`.
    program: &'static str,
    /// What tells its files from those of others.
    name: String,
    /// Where it serves: Kafka clients, or brokers.
    pub port: u16,
    metrics_port: u16,
    folder: std::path::PathBuf,
    /// What its command is run by, if anything.
    wrapper: Vec<String>,
    daemon: Option<Daemon>,
}

impl Milena {
    /// A controller that stands by or is active.
    pub fn controller(scratch: &Scratch, etcd: &Etcd, id: i32) -> Result<Milena> {
        let port = ports::free(1)?;
        let properties = format!("node.id={id}\ncontroller.listener=127.0.0.1:{port}\n");
        Milena::new("milena-controller", scratch, etcd, port, &format!("controller-{id}"), &properties)
    }

    /// A broker with its data in the test's folder.
    pub fn broker(scratch: &Scratch, etcd: &Etcd, id: i32) -> Result<Milena> {
        let port = ports::free(1)?;
        let name = format!("broker-{id}");
        let data = scratch.path().join(format!("{name}-data"));
        let properties = format!(
            "node.id={id}\nlisteners=PLAINTEXT://127.0.0.1:{port}\nlog.dirs={}\n\
             offsets.topic.replication.factor=1\noffsets.topic.num.partitions=4\ngroup.initial.rebalance.delay.ms=0\n",
            data.display()
        );
        Milena::new("milena-broker", scratch, etcd, port, &name, &properties)
    }

    fn new(
        program: &'static str,
        scratch: &Scratch,
        etcd: &Etcd,
        port: u16,
        name: &str,
        properties: &str,
    ) -> Result<Milena> {
        let metrics_port = ports::free(1)?;
        let folder = scratch.path().to_owned();
        let (name, wrapper) = (name.to_owned(), Vec::new());
        let milena = Milena { program, name, port, metrics_port, folder, wrapper, daemon: None };
        let common = format!(
            "metadata.store=etcd\nmetadata.endpoints={}\nmetrics.listener=127.0.0.1:{metrics_port}\n",
            etcd.endpoint()
        );
        fs::write(milena.properties(), common + properties)?;
        Ok(milena)
    }

    /// Sets further keys before it starts, over those of before: `key=value` lines.
    pub fn set(&self, properties: &str) -> Result<()> {
        let before = fs::read_to_string(self.properties())?;
        Ok(fs::write(self.properties(), before + properties)?)
    }

    fn properties(&self) -> std::path::PathBuf {
        self.folder.join(format!("{}.properties", self.name))
    }

    /// The command that would start it, with further arguments to come.
    pub fn command(&self) -> Result<Command> {
        let program = workspace::binary(self.program)?;
        let mut command = match self.wrapper.split_first() {
            Some((wrapper, arguments)) => {
                let mut command = Command::new(wrapper);
                command.args(arguments).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.arg("--config").arg(self.properties());
        Ok(command)
    }

    /// From its next start on `folder` is a disk of its own, of so many bytes, that begins empty with each start. Needs root,
    /// or a kernel that lets users make namespaces.
    pub fn mount_small_disk(&mut self, folder: &Path, bytes: u64) {
        let mount = format!("mount -t tmpfs -o size={bytes} none {} && exec \"$@\"", folder.display());
        self.wrapper = ["unshare", "-rm", "sh", "-ec", &mount, "sh"].map(str::to_owned).to_vec();
    }

    /// All that it logged.
    pub fn log(&self) -> Result<String> {
        Ok(self.running()?.log())
    }

    /// Starts it and waits until it says that it is ready.
    pub fn start(&mut self) -> Result<()> {
        self.start_unready()?;
        self.await_ready()
    }

    /// Starts it.
    pub fn start_unready(&mut self) -> Result<()> {
        ensure!(self.daemon.is_none(), "{} still runs", self.name);
        let log = self.folder.join(format!("{}.log", self.name));
        self.daemon = Some(Daemon::start(&self.name, &mut self.command()?, &log)?);
        Ok(())
    }

    pub fn await_ready(&mut self) -> Result<()> {
        let (name, port) = (self.name.clone(), self.metrics_port);
        let daemon = self.daemon.as_mut().with_context(|| format!("{name} does not run"))?;
        wait::until(&format!("{name} to be ready"), wait::PATIENCE, || {
            ensure!(daemon.is_running(), "{name} ended\n{}", daemon.log_tail());
            let (status, why) = http::get(port, "/readyz")?;
            ensure!(status == 200, "{}\n{}", why.trim(), daemon.log_tail());
            Ok(Some(()))
        })
    }

    /// `bootstrap.servers` of a broker.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where it serves `/metrics`.
    pub fn metrics_port(&self) -> u16 {
        self.metrics_port
    }

    /// The value of a series, named with its labels as it is printed.
    pub fn metric(&self, series: &str) -> Result<Option<f64>> {
        http::metric(self.metrics_port, series)
    }

    /// Waits until a series has this value: a gauge is counted now and then, and a counter may follow what it counts.
    pub fn await_metric(&self, series: &str, expected: f64) -> Result<()> {
        wait::until(&format!("{series} of {} to be {expected}", self.name), wait::PATIENCE, || {
            let value = self.metric(series)?;
            ensure!(value == Some(expected), "{value:?}");
            Ok(Some(()))
        })
    }

    /// The sum of a metric over all its labels.
    pub fn metric_sum(&self, name: &str) -> Result<Option<f64>> {
        http::metric_sum(self.metrics_port, name)
    }

    /// SIGSTOP: it holds its sockets and says nothing.
    pub fn pause(&self) -> Result<()> {
        self.running()?.signal(Signal::SIGSTOP)
    }

    pub fn pid(&self) -> Result<u32> {
        Ok(self.running()?.pid())
    }

    /// SIGCONT.
    pub fn resume(&self) -> Result<()> {
        self.running()?.signal(Signal::SIGCONT)
    }

    fn running(&self) -> Result<&Daemon> {
        self.daemon.as_ref().with_context(|| format!("{} does not run", self.name))
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    /// SIGTERM, without waiting for what comes of it.
    pub fn ask_to_stop(&self) -> Result<()> {
        self.running()?.signal(Signal::SIGTERM)
    }

    /// SIGTERM; its exit code.
    pub fn terminate(&mut self) -> Result<i32> {
        self.ask_to_stop()?;
        self.ended()
    }

    /// Its exit code, once it has ended.
    pub fn ended(&mut self) -> Result<i32> {
        let mut daemon = self.daemon.take().with_context(|| format!("{} does not run", self.name))?;
        daemon.ended(wait::PATIENCE)
    }
}
