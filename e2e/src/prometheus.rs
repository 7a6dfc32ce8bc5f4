//! A real Prometheus with the project's own scrape configuration and rules, pointed at the daemons of a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::process::{self, Daemon};
use crate::scratch::Scratch;
use crate::{http, ports, wait, workspace};

/// How often it scrapes, and evaluates its rules, rather than as often as the file says.
const INTERVAL: &str = "1s";

/// One Prometheus that runs.
pub struct Prometheus {
    port: u16,
    _daemon: Daemon,
}

/// One series of an answer.
#[derive(Clone, Debug)]
pub struct Sample {
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// A program of Debian's package.
pub fn tool(name: &str) -> Result<std::path::PathBuf> {
    workspace::tool(&format!("prometheus/{name}"), "tools/fetch-prometheus")
}

/// What promtool says to these arguments, in this folder; an error if it finds fault.
pub fn promtool(folder: &Path, arguments: &[String]) -> Result<String> {
    let mut command = Command::new(tool("promtool")?);
    process::run(command.args(arguments).current_dir(folder), b"", 5 * wait::PATIENCE)?.success()
}

impl Prometheus {
    /// Starts one that scrapes all of a cluster.
    pub fn start(scratch: &Scratch, cluster: &Cluster) -> Result<Prometheus> {
        let (port, folder) = (ports::free(1)?, scratch.path().join("prometheus"));
        fs::create_dir_all(folder.join("rules"))?;
        let source = workspace::root().join("deploy/prometheus");
        for rules in fs::read_dir(source.join("rules"))? {
            let rules = rules?;
            fs::copy(rules.path(), folder.join("rules").join(rules.file_name()))?;
        }
        let configuration = fs::read_to_string(source.join("prometheus.yml"))?;
        fs::write(folder.join("prometheus.yml"), pointed_at(cluster, &configuration)?)?;
        let daemon = serve(port, &folder)?;
        Ok(Prometheus { port, _daemon: daemon })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What an expression gives now.
    pub fn query(&self, expression: &str) -> Result<Vec<Sample>> {
        let answer = self.get("query", &[("query", expression)])?;
        let series = answer["result"].as_array().with_context(|| format!("{expression}: {answer}"))?;
        series.iter().map(sample).collect()
    }

    /// The labels that the series of this name have, or ever had; none if there is no such series.
    pub fn labels(&self, metric: &str) -> Result<BTreeSet<String>> {
        let answer = self.get("series", &[("match[]", &format!("{{__name__=\"{metric}\"}}"))])?;
        let series = answer.as_array().context("series are a list")?;
        let names = series.iter().filter_map(Value::as_object).flat_map(|labels| labels.keys().cloned());
        Ok(names.collect())
    }

    /// Every rule of the project.
    pub fn rules(&self) -> Result<Vec<Value>> {
        let groups = self.get("rules", &[])?;
        let groups = groups["groups"].as_array().context("rules come in groups")?;
        Ok(groups.iter().filter_map(|group| group["rules"].as_array()).flatten().cloned().collect())
    }

    fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value> {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--get", &format!("{}/api/v1/{path}", self.url())]);
        for (name, value) in parameters {
            command.args(["--data-urlencode", &format!("{name}={value}")]);
        }
        let answer = process::run(&mut command, b"", wait::PATIENCE)?.success()?;
        let mut answer: Value = serde_json::from_str(&answer).with_context(|| answer.clone())?;
        ensure!(answer["status"] == "success", "{path} {parameters:?}: {answer}");
        Ok(answer["data"].take())
    }
}

fn sample(series: &Value) -> Result<Sample> {
    let labels = series["metric"].as_object().context("a series has labels")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let labels = labels.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    Ok(Sample { labels, value: text(&series["value"][1]).parse()? })
}

/// The project's file, with the addresses of this cluster in it.
fn pointed_at(cluster: &Cluster, configuration: &str) -> Result<String> {
    let address = |port: u16| format!("127.0.0.1:{port}");
    let all = |daemons: &[crate::daemons::Milena]| {
        let addresses = daemons.iter().map(|daemon| address(daemon.metrics_port()));
        addresses.collect::<Vec<_>>().join(", ")
    };
    let mut targets =
        [all(&cluster.brokers), all(&cluster.controllers), address(cluster.etcd.port())].into_iter();
    let mut lines = Vec::new();
    for line in configuration.lines() {
        lines.push(match line.trim_start() {
            text if text.starts_with("- targets:") => {
                let targets = targets.next().context("three jobs are known")?;
                format!("      - targets: [{targets}]")
            }
            text if text.starts_with("scrape_interval:") => format!("  scrape_interval: {INTERVAL}"),
            text if text.starts_with("evaluation_interval:") => format!("  evaluation_interval: {INTERVAL}"),
            _ => line.to_owned(),
        });
    }
    ensure!(targets.next().is_none(), "a job is missing in\n{configuration}");
    Ok(lines.join("\n"))
}

fn serve(port: u16, folder: &Path) -> Result<Daemon> {
    let mut command = Command::new(tool("prometheus")?);
    command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let mut daemon = Daemon::start("prometheus", &mut command, &folder.join("prometheus.log"))?;
    wait::until("Prometheus to serve", wait::PATIENCE, || {
        ensure!(daemon.is_running(), "Prometheus ended\n{}", daemon.log_tail());
        let is_ready = http::get(port, "/-/ready").is_ok_and(|(status, _)| status == 200);
        Ok(is_ready.then_some(()))
    })?;
    Ok(daemon)
}
