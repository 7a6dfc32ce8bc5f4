//! The clients: the scripts under `torture/python`, on a host of their own, each with its history in a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::process::Daemon;
use e2e::workspace;

use super::cluster::{Cluster, PARTITIONS, TOPIC, rack};
use super::node::on_host;
use crate::histories;
use crate::history::History;
use crate::nemesis::Member;
use crate::progress::Progress;

pub const PRODUCERS: u16 = 3;
/// Of each producer.
const RECORDS_PER_SECOND: u32 = 250;
const GROUP: &str = "torture";
const MEMBERS: u16 = 2;
const START_TIME_MAX: Duration = Duration::from_secs(30);
/// Longer than the scripts' own limits, which leave a line in the history.
const END_TIME_MAX: Duration = Duration::from_secs(150);

/// One script that runs.
#[derive(Debug)]
pub struct Client {
    name: String,
    daemon: Daemon,
    history: PathBuf,
}

impl Client {
    /// Runs `script` with these arguments and the path of its history behind them, then `more`.
    fn start(folder: &Path, name: &str, script: &str, arguments: &[&str], more: &[&str]) -> Result<Client> {
        let python = workspace::tool("venv/bin/python", "tools/install-python-clients")?;
        let history = folder.join(format!("{name}.{}", histories::ENDING));
        let mut command = on_host(Member::Clients, &python);
        command
            .arg(workspace::root().join("torture/python").join(script))
            .args(arguments)
            .arg(&history)
            .args(more);
        let mut daemon = Daemon::start(name, &mut command, &folder.join(format!("{name}.log")))?;
        daemon.await_line("ready", START_TIME_MAX)?;
        Ok(Client { name: name.to_owned(), daemon, history })
    }

    fn producer(folder: &Path, producer: u16) -> Result<Client> {
        let (partitions, rate) = (PARTITIONS.to_string(), RECORDS_PER_SECOND.to_string());
        let all = Cluster::bootstrap(Cluster::brokers());
        let arguments = [&all, TOPIC, &partitions, &producer.to_string(), &rate];
        Client::start(folder, &format!("{}{producer}", histories::PRODUCER), "producer.py", &arguments, &[])
    }

    /// Reads from the replicas near to a broker, where one is named.
    fn reader(folder: &Path, name: &str, near: Option<Member>) -> Result<Client> {
        let (all, partitions) = (Cluster::bootstrap(Cluster::brokers()), PARTITIONS.to_string());
        let rack = near.map(rack).unwrap_or_default();
        Client::start(folder, name, "reader.py", &[&all, TOPIC, &partitions], &[&rack])
    }

    fn member(folder: &Path, member: u16) -> Result<Client> {
        let (all, name) = (Cluster::bootstrap(Cluster::brokers()), format!("{}{member}", histories::MEMBER));
        Client::start(folder, &name, "group_member.py", &[&all, TOPIC, GROUP], &[])
    }

    /// SIGTERM, and its end.
    fn end(&mut self) -> Result<()> {
        let code = self.daemon.terminate(END_TIME_MAX)?;
        ensure!(code == 0, "{} ended with {code}\n{}", self.name, self.daemon.log_tail());
        Ok(())
    }
}

/// All clients of a run.
#[derive(Debug)]
pub struct Clients {
    folder: PathBuf,
    producers: Vec<Client>,
    readers: Vec<Client>,
    members: Vec<Client>,
}

impl Clients {
    /// Producers, a reader of leaders, one that prefers the last broker's replicas, and a group.
    pub fn start(folder: &Path) -> Result<Clients> {
        let producers =
            (0..PRODUCERS).map(|producer| Client::producer(folder, producer)).collect::<Result<_>>()?;
        let near = Cluster::brokers().next_back();
        let readers =
            vec![Client::reader(folder, "reader", None)?, Client::reader(folder, "near-reader", near)?];
        let members = (0..MEMBERS).map(|member| Client::member(folder, member)).collect::<Result<_>>()?;
        Ok(Clients { folder: folder.to_owned(), producers, readers, members })
    }

    /// Ends all of them: the producers once everything is acknowledged, the readers once they have read it.
    pub fn end(&mut self) -> Result<()> {
        let all = self.producers.iter_mut().chain(&mut self.readers).chain(&mut self.members);
        let failed: Vec<_> = all.filter_map(|client| Some(format!("{:#}", client.end().err()?))).collect();
        ensure!(failed.is_empty(), "{}", failed.join("\n"));
        Ok(())
    }

    /// Consumers that begin only now read everything again, each from the replicas near to another broker.
    pub fn read_again(&mut self) -> Result<()> {
        for broker in Cluster::brokers() {
            let mut reader = Client::reader(&self.folder, &format!("late-reader-of-{broker}"), Some(broker))?;
            reader.end()?;
            self.readers.push(reader);
        }
        Ok(())
    }

    /// Where the producers' acknowledgements can be followed.
    pub fn progress(&self) -> Progress {
        let files = self.producers.iter().map(|client| client.history.clone());
        Progress::of(files.collect())
    }

    /// What they have written down by now.
    pub fn history(&self) -> Result<History> {
        histories::read(&self.folder)
    }
}
