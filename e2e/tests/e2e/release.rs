//! What is installed: the archive of a release, its sample configurations, and the units by which hosts run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::etcd::Etcd;
use e2e::process::Daemon;
use e2e::scratch::{Scratch, files_below};
use e2e::server::{Subject, subject};
use e2e::{http, kcat, ports, process, wait, workspace};

/// `systemd-analyze security` calls it OK up to 2.0, in tenths.
const EXPOSURE_MAX: &str = "20";

fn run(command: &mut Command) -> Result<String> {
    // To pack programs with all their symbols takes a busy machine its time.
    process::run(command, b"", 5 * wait::PATIENCE)?.success()
}

/// Packs the programs that are under test, and unpacks what came of it; the folder.
fn unpacked(scratch: &Scratch) -> Result<PathBuf> {
    let milena = workspace::binary("milena")?;
    let binaries = milena.parent().context("a program lies in a folder")?;
    let mut release = Command::new(workspace::binary("xtask")?);
    let packed =
        run(release.arg("release").arg("--binaries").arg(binaries).arg("--out").arg(scratch.path()))?;
    let archive = PathBuf::from(packed.trim());
    run(Command::new("sha256sum")
        .args(["--check", "--strict"])
        .arg(format!("{}.sha256", archive.display()))
        .current_dir(scratch.path()))?;
    run(Command::new("tar").arg("-xzf").arg(&archive).current_dir(scratch.path()))?;
    let name = archive.file_name().and_then(|name| name.to_str()).context("an archive has a name")?;
    Ok(scratch.path().join(name.trim_end_matches(".tar.gz")))
}

/// Starts a program of the release with its sample, these keys set over it, and waits until it is ready.
fn start(release: &Path, program: &str, sample: &str, id: i32, keys: &[String]) -> Result<Daemon> {
    let metrics_port = ports::free(1)?;
    let mut command = Command::new(release.join("bin").join(program));
    command.arg("--config").arg(release.join("config").join(sample));
    let common = [format!("node.id={id}"), format!("metrics.listener=127.0.0.1:{metrics_port}")];
    for key in common.iter().chain(keys) {
        command.args(["--override", key]);
    }
    let name = format!("{program}-{id}");
    let mut daemon = Daemon::start(&name, &mut command, &release.join(format!("{name}.log")))?;
    wait::until(&format!("{name} to be ready"), wait::PATIENCE, || {
        ensure!(daemon.is_running(), "{name} ended\n{}", daemon.log_tail());
        let (status, why) = http::get(metrics_port, "/readyz")?;
        ensure!(status == 200, "{why}");
        Ok(Some(()))
    })?;
    Ok(daemon)
}

#[test]
fn a_cluster_starts_from_the_archive_and_its_sample_configurations() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut scratch = Scratch::new("release")?;
    let release = unpacked(&scratch)?;
    let etcd = Etcd::start(&scratch)?;
    let store = format!("metadata.endpoints={}", etcd.endpoint());
    let address = format!("127.0.0.1:{}", ports::free(1)?);
    let keys = [
        store.clone(),
        format!("controller.listener={address}"),
        format!("controller.advertised.listener={address}"),
    ];
    let _controller = start(&release, "milena-controller", "controller.properties", 101, &keys)?;
    let (mut brokers, mut addresses) = (Vec::new(), Vec::new());
    for id in 1..=3 {
        let address = format!("127.0.0.1:{}", ports::free(1)?);
        let listeners =
            ["listeners", "advertised.listeners"].map(|key| format!("{key}=PLAINTEXT://{address}"));
        let log_dirs = format!("log.dirs={}", release.join(format!("data-{id}")).display());
        let keys = [&[store.clone(), log_dirs][..], &listeners].concat();
        brokers.push(start(&release, "milena-broker", "broker.properties", id, &keys)?);
        addresses.push(address);
    }
    let bootstrap = addresses.join(",");
    run(Command::new(release.join("bin/milena")).args(["topics", "create", "installed", "-b", &bootstrap]))?;
    kcat::produce(&bootstrap, "installed", &["-X", "acks=all"], &["first".to_owned()])?;
    ensure!(kcat::consume(&bootstrap, "installed", "beginning", &[])? == ["first"]);
    drop(brokers);
    scratch.discard();
    Ok(())
}

#[test]
fn the_units_of_systemd_are_sound_and_leave_a_daemon_little_to_do_harm_with() -> Result<()> {
    let mut scratch = Scratch::new("units")?;
    let milena = workspace::binary("milena")?;
    let binaries = milena.parent().context("a program lies in a folder")?;
    for unit in files_below(&workspace::root().join("deploy/systemd"), ".service")? {
        // It looks for the program, which is not installed here.
        let text = fs::read_to_string(&unit)?.replace("/opt/milena/bin", &binaries.display().to_string());
        let copy = scratch.path().join(unit.file_name().context("a unit has a name")?);
        fs::write(&copy, text)?;
        let output =
            process::run(Command::new("systemd-analyze").arg("verify").arg(&copy), b"", wait::PATIENCE)?;
        ensure!(output.code == 0 && output.stderr.is_empty(), "{}: {output:?}", unit.display());
        let mut security = Command::new("systemd-analyze");
        security.args(["security", "--offline=true", "--no-pager", &format!("--threshold={EXPOSURE_MAX}")]);
        run(security.arg(&copy))?;
    }
    scratch.discard();
    Ok(())
}
