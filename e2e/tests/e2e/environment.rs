//! Daemons that are told everything by the environment, as containers tell them, and asked for their health by `milena ready`.

use std::process::Command;

use anyhow::{Result, ensure};
use e2e::etcd::Etcd;
use e2e::process::{self, Daemon};
use e2e::scratch::Scratch;
use e2e::server::{Subject, subject};
use e2e::{kcat, ports, wait, workspace};

#[test]
fn the_environment_alone_makes_a_cluster_and_what_is_meant_for_a_jvm_is_passed_over() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut scratch = Scratch::new("environment")?;
    let etcd = Etcd::start(&scratch)?;
    let controller_metrics = ports::free(1)?;
    let _controller = start(
        "milena-controller",
        &scratch,
        &etcd,
        controller_metrics,
        &[
            ("MILENA_NODE_ID", "100"),
            ("MILENA_CONTROLLER_LISTENER", &format!("127.0.0.1:{}", ports::free(1)?)),
            ("KAFKA_DEFAULT_REPLICATION_FACTOR", "1"),
        ],
    )?;
    let (port, broker_metrics) = (ports::free(1)?, ports::free(1)?);
    let broker = start(
        "milena-broker",
        &scratch,
        &etcd,
        broker_metrics,
        &[
            ("KAFKA_NODE_ID", "1"),
            ("KAFKA_LISTENERS", &format!("PLAINTEXT://127.0.0.1:{port}")),
            ("KAFKA_LOG_DIRS", &scratch.path().join("data").display().to_string()),
            ("KAFKA_HEAP_OPTS", "-Xmx1G"),
            ("KAFKA_JVM_PERFORMANCE_OPTS", "-XX:+UseG1GC"),
            ("KAFKA_LOG4J_OPTS", "-Dlog4j.configuration=file:x"),
            ("KAFKA_BANANA_SPLIT", "1"),
        ],
    )?;
    await_ready(controller_metrics)?;
    await_ready(broker_metrics)?;
    kcat::metadata(&format!("127.0.0.1:{port}"), None)?;
    let log = broker.log();
    ensure!(log.contains("banana.split"), "no word of an unknown key\n{log}");
    let taken_for_keys = ["heap", "jvm", "log4j"].iter().find(|word| log.contains(**word));
    ensure!(taken_for_keys.is_none(), "{taken_for_keys:?} is warned of\n{log}");
    scratch.discard();
    Ok(())
}

fn start(
    program: &str,
    scratch: &Scratch,
    etcd: &Etcd,
    metrics: u16,
    variables: &[(&str, &str)],
) -> Result<Daemon> {
    let mut command = Command::new(workspace::binary(program)?);
    command.env("MILENA_METADATA_ENDPOINTS", etcd.endpoint());
    command.env("MILENA_METRICS_LISTENER", format!("127.0.0.1:{metrics}"));
    command.envs(variables.iter().copied());
    Daemon::start(program, &mut command, &scratch.path().join(format!("{program}.log")))
}

fn await_ready(port: u16) -> Result<()> {
    wait::until("milena ready to say so", wait::PATIENCE, || {
        let mut ready = Command::new(workspace::binary("milena")?);
        ready.args(["ready", "--url", &format!("http://127.0.0.1:{port}/readyz")]);
        let said = process::run(&mut ready, b"", wait::PATIENCE)?;
        ensure!(said.code == 0 && said.stdout == "ready\n", "{said:?}");
        Ok(Some(()))
    })
}
