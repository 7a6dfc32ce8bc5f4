//! Who leads when leaders come back, and when nobody in sync is left.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::daemons::Milena;
use e2e::etcd::Etcd;
use e2e::java;
use e2e::process;
use e2e::scratch::Scratch;
use e2e::server::{Subject, subject};
use e2e::{kcat, wait, workspace};

const UNCLEAN: &str = "kafka_controller_controllerstats_uncleanleaderelections_total";
const IMBALANCE: &str = "kafka_controller_kafkacontroller_preferredreplicaimbalancecount";

/// Two brokers and a controller, and a topic of two partitions that both of them hold.
struct Pair {
    scratch: Scratch,
    controller: Milena,
    brokers: [Milena; 2],
    _etcd: Etcd,
}

impl Pair {
    fn start(name: &str) -> Result<Pair> {
        let scratch = Scratch::new(name)?;
        let etcd = Etcd::start(&scratch)?;
        let mut controller = Milena::controller(&scratch, &etcd, 100)?;
        controller.set("leader.imbalance.check.interval.seconds=1\n")?;
        controller.start()?;
        let mut brokers = [Milena::broker(&scratch, &etcd, 1)?, Milena::broker(&scratch, &etcd, 2)?];
        brokers.iter_mut().try_for_each(Milena::start)?;
        let pair = Pair { scratch, controller, brokers, _etcd: etcd };
        let create = ["topics", "create", "led", "--partitions", "2", "--replication-factor", "2"];
        let mut command = Command::new(workspace::binary("milena")?);
        command.args(create).args(["--bootstrap-server", &pair.brokers[0].bootstrap()]);
        process::run(&mut command, b"", wait::PATIENCE)?.success()?;
        Ok(pair)
    }

    /// Waits until the leaders of both partitions, in order, are these, as the broker of this place knows them.
    fn await_leaders(&self, asked: usize, expected: &[i64]) -> Result<()> {
        wait::until(&format!("leaders {expected:?}"), wait::PATIENCE, || {
            let metadata = kcat::metadata(&self.brokers[asked].bootstrap(), Some("led"))?;
            let partitions = metadata["topics"][0]["partitions"].as_array().context("no partitions")?;
            let mut leaders: Vec<i64> =
                partitions.iter().filter_map(|partition| partition["leader"].as_i64()).collect();
            leaders.sort_unstable();
            ensure!(leaders == expected, "{leaders:?}");
            Ok(Some(()))
        })
    }
}

#[test]
fn leadership_goes_back_to_preferred_replicas_by_itself() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut pair = Pair::start("balance")?;
    pair.await_leaders(0, &[1, 2])?;
    pair.brokers[0].kill();
    pair.await_leaders(1, &[2, 2])?;
    wait::until(IMBALANCE, wait::PATIENCE, || {
        Ok((pair.controller.metric(IMBALANCE)? >= Some(1.0)).then_some(()))
    })?;
    pair.brokers[0].start()?;
    pair.await_leaders(0, &[1, 2])?;
    pair.controller.await_metric(IMBALANCE, 0.0)?;
    pair.scratch.discard();
    Ok(())
}

#[test]
fn a_topic_that_allows_it_is_led_uncleanly_and_that_is_counted() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut pair = Pair::start("unclean")?;
    pair.brokers[1].kill();
    pair.await_leaders(0, &[1, 1])?;
    kcat::produce(&pair.brokers[0].bootstrap(), "led", &["-X", "acks=all", "-p", "0"], &["lost".to_owned()])?;
    pair.brokers[0].kill();
    pair.brokers[1].start()?;
    pair.await_leaders(1, &[-1, -1])?;
    ensure!(pair.controller.metric(UNCLEAN)? == Some(0.0), "nobody leads uncleanly unasked");
    let bootstrap = pair.brokers[1].bootstrap();
    let allow = ["--alter", "--topic", "led", "--add-config", "unclean.leader.election.enable=true"];
    java::run(java::CONFIGS, &[&["--bootstrap-server", &bootstrap], &allow[..]].concat())?.success()?;
    pair.await_leaders(1, &[2, 2])?;
    ensure!(pair.controller.metric(UNCLEAN)? == Some(2.0), "{:?}", pair.controller.metric(UNCLEAN)?);
    kcat::produce(&bootstrap, "led", &["-X", "acks=all", "-p", "0"], &["kept".to_owned()])?;
    pair.scratch.discard();
    Ok(())
}
