//! `milena-broker` and `milena-controller` as processes of their own, on a real etcd.

use anyhow::{Result, ensure};
use e2e::daemons::Milena;
use e2e::etcd::Etcd;
use e2e::scratch::Scratch;
use e2e::server::{Subject, subject};
use e2e::{kcat, process, wait};

/// One of each, ready.
struct Cluster {
    scratch: Scratch,
    etcd: Etcd,
    controller: Milena,
    broker: Milena,
}

impl Cluster {
    fn start(name: &str) -> Result<Cluster> {
        let scratch = Scratch::new(name)?;
        let etcd = Etcd::start(&scratch)?;
        let mut controller = Milena::controller(&scratch, &etcd, 100)?;
        let mut broker = Milena::broker(&scratch, &etcd, 1)?;
        controller.start()?;
        broker.start()?;
        Ok(Cluster { scratch, etcd, controller, broker })
    }
}

fn lines(records: usize) -> Vec<String> {
    (0..records).map(|number| number.to_string()).collect()
}

#[test]
fn they_serve_and_find_everything_again_after_kills_and_clean_stops() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("daemons")?;
    let bootstrap = cluster.broker.bootstrap();
    let all = lines(3_000);
    kcat::produce(&bootstrap, "kept", &["-p", "0"], &all[..1_000])?;
    cluster.broker.kill();
    cluster.broker.start()?;
    kcat::produce(&bootstrap, "kept", &["-p", "0"], &all[1_000..2_000])?;
    assert_eq!(cluster.broker.terminate()?, 0);
    assert_eq!(cluster.controller.terminate()?, 0);
    // In either order: a broker waits for its controller.
    cluster.broker.start_unready()?;
    cluster.controller.start()?;
    cluster.broker.await_ready()?;
    kcat::produce(&bootstrap, "kept", &["-p", "0"], &all[2_000..])?;
    ensure!(kcat::consume(&bootstrap, "kept", "beginning", &[])? == all, "records are missing");
    cluster.scratch.discard();
    Ok(())
}

#[test]
fn records_flow_while_the_controller_is_away() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("away")?;
    let bootstrap = cluster.broker.bootstrap();
    kcat::produce(&bootstrap, "flows", &["-p", "0"], &lines(100))?;
    cluster.controller.kill();
    kcat::produce(&bootstrap, "flows", &["-p", "0"], &lines(100))?;
    assert_eq!(kcat::consume(&bootstrap, "flows", "beginning", &[])?.len(), 200);
    cluster.controller.start()?;
    wait::until("a topic to be created again", wait::PATIENCE, || {
        kcat::produce(&bootstrap, "new", &["-p", "0"], &lines(1))?;
        Ok(Some(()))
    })?;
    cluster.scratch.discard();
    Ok(())
}

#[test]
fn a_second_broker_with_the_same_id_is_refused_with_the_others_address() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("same-id")?;
    let mut other_folder = Scratch::new("same-id-other")?;
    let second = Milena::broker(&other_folder, &cluster.etcd, 1)?;
    let refused = process::run(&mut second.command()?, b"", wait::PATIENCE)?;
    ensure!(refused.code != 0, "{refused:?}");
    ensure!(refused.stderr.contains(&cluster.broker.port.to_string()), "{refused:?}");
    kcat::metadata(&cluster.broker.bootstrap(), None)?;
    other_folder.discard();
    cluster.scratch.discard();
    Ok(())
}

#[test]
fn the_embedded_store_is_refused_for_it_serves_one_process_only() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut scratch = Scratch::new("embedded")?;
    let etcd = Etcd::start(&scratch)?;
    for daemon in [Milena::broker(&scratch, &etcd, 1)?, Milena::controller(&scratch, &etcd, 100)?] {
        let mut command = daemon.command()?;
        command.args(["--override", "metadata.store=embedded"]);
        let refused = process::run(&mut command, b"", wait::PATIENCE)?;
        ensure!(refused.code != 0 && refused.stderr.contains("metadata.store"), "{refused:?}");
    }
    scratch.discard();
    Ok(())
}
