//! Everything that brokers and controllers export, of a cluster that has had some of everything to do.

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::daemons::Milena;
use e2e::frames::RawConnection;
use e2e::server::{Subject, subject};
use e2e::{http, kcat, wait, wire};

use super::page::{self, Page};
use super::{documented, lint};

const RECORDS: usize = 300;

/// What a broker has counted by the end, of all its series together: it was 0 when it began.
const MOVED: [&str; 41] = [
    "kafka_network_requestmetrics_requests_total",
    "kafka_network_requestmetrics_errors_total",
    "kafka_network_requestmetrics_totaltimems_count",
    "kafka_network_requestmetrics_requestqueuetimems_sum",
    "kafka_network_requestmetrics_localtimems_sum",
    "kafka_network_requestmetrics_remotetimems_sum",
    "kafka_network_requestmetrics_responsequeuetimems_sum",
    "kafka_network_requestmetrics_responsesendtimems_sum",
    "kafka_network_requestmetrics_requestbytes_sum",
    "milena_request_duration_seconds_count",
    "milena_request_phase_duration_seconds_sum",
    "milena_request_size_bytes_sum",
    "milena_response_size_bytes_sum",
    "kafka_server_delayedoperationpurgatory_purgatorysize",
    "kafka_server_fetchsessioncache_numincrementalfetchsessions",
    "kafka_server_fetchsessioncache_numincrementalfetchpartitionscached",
    "kafka_server_socket_server_metrics_connection_count",
    "kafka_server_socket_server_metrics_connection_creation_total",
    "kafka_server_socket_server_metrics_connection_close_total",
    "kafka_server_socket_server_metrics_incoming_byte_total",
    "kafka_server_socket_server_metrics_outgoing_byte_total",
    "kafka_network_socketserver_networkprocessoravgidle_percent",
    "kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent",
    "kafka_server_brokertopicmetrics_messagesin_total",
    "kafka_server_brokertopicmetrics_bytesin_total",
    "kafka_log_log_size",
    "kafka_log_log_numlogsegments",
    "kafka_log_log_logendoffset",
    "kafka_cluster_partition_insyncreplicascount",
    "kafka_cluster_partition_replicascount",
    "kafka_topic_partition_current_offset",
    "kafka_log_logflushstats_logflushrateandtimems_count",
    "milena_log_flush_duration_seconds_count",
    "milena_log_append_duration_seconds_count",
    "milena_log_dir_size_bytes",
    "milena_log_dir_free_bytes",
    "kafka_server_replicamanager_produceridcount",
    "kafka_server_kafkaserver_brokerstate",
    "kafka_server_broker_metadata_metrics_last_applied_record_offset",
    "kafka_server_replicamanager_leadercount",
    "milena_metadata_store_request_duration_seconds_count",
];

/// What the coordinator of the group has counted.
const MOVED_BY_GROUPS: [&str; 4] = [
    "kafka_coordinator_group_groupmetadatamanager_numgroups",
    "kafka_server_group_coordinator_metrics_offset_commit_count",
    "kafka_server_group_coordinator_metrics_group_completed_rebalance_count",
    "kafka_consumergroup_current_offset",
];

/// What the active controller has counted.
const MOVED_BY_CONTROLLER: [&str; 12] = [
    "kafka_controller_kafkacontroller_activecontrollercount",
    "kafka_controller_kafkacontroller_newactivecontrollerscount",
    "kafka_controller_kafkacontroller_activebrokercount",
    "kafka_controller_kafkacontroller_globalpartitioncount",
    "kafka_controller_controllereventmanager_eventqueuetimems_count",
    "kafka_controller_controllereventmanager_eventqueueprocessingtimems_sum",
    "milena_controller_event_queue_duration_seconds_count",
    "milena_controller_event_processing_duration_seconds_sum",
    "milena_controller_events_total",
    "milena_controller_broker_streams",
    "milena_controller_metadata_revision",
    "milena_controller_leader_election_duration_seconds_count",
];

fn lines(from: usize) -> Vec<String> {
    (from..from + RECORDS).map(|number| format!("record {number}")).collect()
}

fn text(daemon: &Milena) -> Result<String> {
    let (status, page) = http::get(daemon.metrics_port(), "/metrics")?;
    ensure!(status == 200, "/metrics answers {status}");
    Ok(page)
}

fn await_moved(daemon: &Milena, names: &[&str]) -> Result<()> {
    for name in names {
        wait::until(&format!("{name} to move"), wait::PATIENCE, || {
            let sum = daemon.metric_sum(name)?;
            ensure!(sum > Some(0.0), "{sum:?}");
            Ok(Some(()))
        })?;
    }
    Ok(())
}

#[test]
fn all_that_is_exported_is_valid_documented_and_moves() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let properties = "default.replication.factor=2\nlog.flush.offset.checkpoint.interval.ms=500\n\
                      log.retention.check.interval.ms=500\nlog.segment.delete.delay.ms=0";
    let mut cluster = Cluster::start("all-metrics", 2, 1, properties)?;
    let bootstrap = cluster.bootstrap();
    let made = wire::create_topic(cluster.port(1), "measured", 4, 2, wait::PATIENCE)?;
    ensure!(made == protocol::ErrorCode::None, "{made:?}");
    cluster.await_in_sync("measured", 2)?;
    // Every partition gets some both times: the lag is known where something was committed.
    let spread = ["-X", "acks=all", "-X", "enable.idempotence=true", "-X", "sticky.partitioning.linger.ms=0"];
    kcat::produce(&bootstrap, "measured", &spread, &lines(0))?;
    let consumed = kcat::run(
        &bootstrap,
        &["-G", "readers", "-q", "-e", "-X", "auto.offset.reset=earliest", "measured"],
        b"",
    )?;
    assert_eq!(consumed.success()?.lines().count(), RECORDS);
    kcat::produce(&bootstrap, "measured", &spread, &lines(RECORDS))?;
    check_lag(&cluster)?;
    await_moved(&cluster.brokers[0], &MOVED)?;
    check_groups(&cluster)?;
    // Its partitions get other leaders.
    cluster.broker(2).kill();
    await_moved(&cluster.controllers[0], &MOVED_BY_CONTROLLER)?;
    cluster.broker(2).start()?;
    // It may be the one that coordinates the group.
    check_lag(&cluster)?;
    let mut exported = Page::new();
    for daemon in cluster.brokers.iter().chain(&cluster.controllers) {
        let text = text(daemon)?;
        lint::check(&text)?;
        page::join(&mut exported, page::parse(&text)?);
    }
    documented::check(&exported)?;
    cluster.done()
}

/// What was produced since the group committed is its lag, by whichever broker coordinates it.
fn check_lag(cluster: &Cluster) -> Result<()> {
    wait::until("the lag of the group", wait::PATIENCE, || {
        let sum = |name: &str| -> Result<f64> {
            let sums = cluster.brokers.iter().map(|broker| broker.metric_sum(name));
            Ok(sums.collect::<Result<Vec<_>>>()?.into_iter().flatten().sum())
        };
        let (lag, committed) = (sum("kafka_consumergroup_lag")?, sum("kafka_consumergroup_current_offset")?);
        ensure!((lag, committed) == (RECORDS as f64, RECORDS as f64), "lag {lag}, committed {committed}");
        Ok(Some(()))
    })
}

fn check_groups(cluster: &Cluster) -> Result<()> {
    let coordinates = |broker: &&Milena| {
        let committed = broker.metric_sum("kafka_consumergroup_current_offset");
        committed.is_ok_and(|committed| committed > Some(0.0))
    };
    let coordinator = cluster.brokers.iter().find(coordinates).context("no broker coordinates the group")?;
    await_moved(coordinator, &MOVED_BY_GROUPS)
}

/// A line that warns of a request names the request, in fields that machines can read.
#[test]
fn a_warning_of_a_request_names_it() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let cluster = Cluster::start("named-requests", 1, 1, "logging.format=json")?;
    // An OffsetFetch of version 5, correlation id 7 and client "loud", whose body ends too early.
    let mut frame = vec![0, 9, 0, 5, 0, 0, 0, 7, 0, 4];
    frame.extend_from_slice(b"loud\x7f\xff");
    RawConnection::open(cluster.port(1))?.send_frame(&frame)?;
    wait::until("the warning", wait::PATIENCE, || {
        let log = cluster.brokers[0].log()?;
        let warning =
            log.lines().find(|line| line.contains("malformed OffsetFetch")).with_context(|| log.clone())?;
        let warning: serde_json::Value = serde_json::from_str(warning)?;
        let span = &warning["span"];
        ensure!(
            warning["level"] == "WARN" && span["api"] == "OffsetFetch" && span["version"] == 5,
            "{warning}"
        );
        ensure!(span["correlation_id"] == 7 && span["client_id"] == "loud", "{warning}");
        ensure!(span["listener"] == "PLAINTEXT" && span["peer"].is_string(), "{warning}");
        Ok(Some(()))
    })?;
    cluster.done()
}
