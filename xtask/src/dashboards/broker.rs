//! One broker, or several beside each other: its requests and where their time goes, its disks, its process.

use super::panel::{
    Colours, Dashboard, Panel, Row, Variable, bars, figure, lines, quantile, rate, stacked, table,
};

/// Of every query on this page.
const CHOSEN: &str = "{instance=~\"$broker\"}";

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "broker",
        title: "Milena: broker",
        help: "One broker, or several beside each other: requests and where their time goes, disks, the process.",
        variables: vec![Variable {
            name: "broker",
            title: "Broker",
            label: "instance",
            metric: "kafka_server_replicamanager_partitioncount",
            several: true,
        }],
        rows: vec![
            Row { title: "At a glance", panels: figures() },
            Row { title: "Requests", panels: requests() },
            Row { title: "Where the time of a request goes", panels: phases() },
            Row { title: "Network", panels: network() },
            Row { title: "Disks", panels: disks() },
            Row { title: "Replication", panels: replication() },
            Row { title: "Process", panels: process() },
        ],
    }
}

fn sum(gauge: &str) -> String {
    format!("sum({gauge}{CHOSEN})")
}

fn figures() -> Vec<Panel> {
    vec![
        figure("Replicas", "short", Colours::Plain, "Replicas that the broker keeps.")
            .query(sum("kafka_server_replicamanager_partitioncount"), ""),
        figure("Leads", "short", Colours::Plain, "Partitions that the broker leads.")
            .query(sum("kafka_server_replicamanager_leadercount"), ""),
        figure(
            "Under-replicated here",
            "short",
            Colours::ZeroOr("orange"),
            "Partitions led here that lack an in-sync replica.",
        )
        .query(sum("kafka_server_replicamanager_underreplicatedpartitions"), ""),
        figure(
            "Offline replicas",
            "short",
            Colours::ZeroOr("red"),
            "Replicas on a log directory that has failed.",
        )
        .query(sum("kafka_server_replicamanager_offlinereplicacount"), ""),
        figure(
            "Replicas that fail",
            "short",
            Colours::ZeroOr("red"),
            "Replicas that cannot take in what their leader sends.",
        )
        .query(sum("kafka_server_replicafetchermanager_failedpartitionscount"), ""),
        figure(
            "Logs to open",
            "short",
            Colours::ZeroOr("blue"),
            "Logs that are still to be opened at the start.",
        )
        .query(sum("kafka_log_logmanager_remaininglogstorecover"), ""),
        figure(
            "State",
            "short",
            Colours::Plain,
            "1 starting, 2 recovering, 3 running, 6 handing over before it stops.",
        )
        .query(format!("min(kafka_server_kafkaserver_brokerstate{CHOSEN})"), ""),
        figure("Up for", "s", Colours::Plain, "Since the process began.")
            .query(format!("time() - max(process_start_time_seconds{CHOSEN})"), ""),
    ]
}

fn requests() -> Vec<Panel> {
    let p99 = "instance_request:milena_request_duration_seconds:p99_5m";
    vec![
        stacked("Requests", "reqps", "Requests a second, by API.")
            .query(rate("milena_request_duration_seconds_count", CHOSEN, "request"), "{{request}}"),
        lines(
            "Slowest of a hundred",
            "s",
            "99th percentile of each API; fetches wait for records, and joins for members.",
        )
        .query(format!("max by (request) ({p99}{CHOSEN})"), "{{request}}"),
        lines(
            "Errors in responses",
            "cps",
            "Error codes a second. Some are everyday life: NOT_LEADER_OR_FOLLOWER where leadership moves.",
        )
        .query(
            rate(
                "kafka_network_requestmetrics_errors_total",
                "{instance=~\"$broker\", error!=\"NONE\"}",
                "request, error",
            ),
            "{{request}}: {{error}}",
        ),
        lines(
            "Waiting requests",
            "short",
            "Produce requests that wait for replicas, and fetches that wait for records.",
        )
        .query(
            format!(
                "sum by (delayedOperation) (kafka_server_delayedoperationpurgatory_purgatorysize{CHOSEN})"
            ),
            "{{delayedOperation}}",
        ),
        lines(
            "Size of a Produce request",
            "bytes",
            "Small ones cost the most: let producers linger and batch.",
        )
        .query(
            quantile(0.5, "milena_request_size_bytes", "{instance=~\"$broker\", request=\"Produce\"}", ""),
            "half of them",
        )
        .query(
            quantile(0.99, "milena_request_size_bytes", "{instance=~\"$broker\", request=\"Produce\"}", ""),
            "99 of 100",
        ),
        table("Clients' versions", "reqps", "Requests a second, by API and version: who is still old.")
            .wide(8)
            .query(
                rate("kafka_network_requestmetrics_requests_total", CHOSEN, "request, version") + " > 0",
                "",
            ),
    ]
}

fn phases() -> Vec<Panel> {
    let of = |title, request: &str, help| {
        let matchers = format!("{{instance=~\"$broker\", request=\"{request}\"}}");
        let sum = rate("milena_request_phase_duration_seconds_sum", &matchers, "phase");
        let count = rate("milena_request_phase_duration_seconds_count", &matchers, "phase");
        stacked(title, "s", help).query(format!("{sum} / {count}"), "{{phase}}")
    };
    vec![
        of(
            "Produce, on average",
            "Produce",
            "local is the append; remote is the wait for the replicas in sync (acks=all).",
        ),
        of(
            "A consumer's fetch, on average",
            "FetchConsumer",
            "remote is the wait for records, and no fault; local is the look into the log.",
        ),
        of(
            "A follower's fetch, on average",
            "FetchFollower",
            "remote is the wait for records, and no fault.",
        ),
    ]
}

fn network() -> Vec<Panel> {
    vec![
        lines("Open connections", "short", "By listener.").query(
            format!("sum by (listener) (kafka_server_socket_server_metrics_connection_count{CHOSEN})"),
            "{{listener}}",
        ),
        lines("Connections opened", "cps", "Many a second mean clients that do not keep theirs.").query(
            rate("kafka_server_socket_server_metrics_connection_creation_total", CHOSEN, "listener"),
            "{{listener}}",
        ),
        stacked(
            "Bytes on the wire",
            "Bps",
            "Everything that goes in and out, requests and headers included.",
        )
        .query(rate("kafka_server_socket_server_metrics_incoming_byte_total", CHOSEN, ""), "in")
        .query(rate("kafka_server_socket_server_metrics_outgoing_byte_total", CHOSEN, ""), "out"),
    ]
}

fn disks() -> Vec<Panel> {
    vec![
        bars("Disk used", "Of the file system under each log directory.").query(
            format!("1 - instance_log_dir:milena_log_dir_free:ratio{CHOSEN}"),
            "{{instance}} {{log_dir}}",
        ),
        lines(
            "Appends, slowest of a hundred",
            "s",
            "The check of a batch and its write into the page cache.",
        )
        .query(quantile(0.99, "milena_log_append_duration_seconds", CHOSEN, "log_dir"), "{{log_dir}}"),
        lines(
            "Flushes, slowest of a hundred",
            "s",
            "fsync of a log, which no producer waits for unless flush.messages asks for it.",
        )
        .query(quantile(0.99, "milena_log_flush_duration_seconds", CHOSEN, "log_dir"), "{{log_dir}}"),
        lines("Free space", "bytes", "What may be used of it still.")
            .query(format!("milena_log_dir_free_bytes{CHOSEN}"), "{{instance}} {{log_dir}}"),
        stacked(
            "Deleted by retention",
            "Bps",
            "Bytes of segments that were deleted a second, by what asked for it.",
        )
        .query(rate("milena_log_deleted_bytes_total", CHOSEN, "reason"), "{{reason}}"),
        lines("Directories out of service", "short", "1: the directory has failed.").query(
            format!("kafka_log_logmanager_logdirectoryoffline{CHOSEN}"),
            "{{instance}} {{logDirectory}}",
        ),
    ]
}

fn replication() -> Vec<Panel> {
    let replicated = |name: &str| {
        let counter = format!("kafka_server_brokertopicmetrics_replicationbytes{name}_total");
        rate(&counter, "{instance=~\"$broker\", topic=\"\"}", "")
    };
    vec![
        lines(
            "Lag by leader and fetcher",
            "short",
            "Records that replicas here lack, by the fetcher that brings them.",
        )
        .query(
            format!("max by (clientId) (kafka_server_fetcherlagmetrics_consumerlag{CHOSEN})"),
            "{{clientId}}",
        ),
        stacked("Replication", "Bps", "Bytes that this broker copies from others, and others from it.")
            .query(replicated("in"), "in")
            .query(replicated("out"), "out"),
        lines("Revision of the metadata", "short", "All brokers show the same, but for moments.").query(
            format!("kafka_server_broker_metadata_metrics_last_applied_record_offset{CHOSEN}"),
            "{{instance}}",
        ),
    ]
}

fn process() -> Vec<Panel> {
    vec![
        lines("Processor", "percentunit", "1 is one core.")
            .query(rate("process_cpu_seconds_total", CHOSEN, "instance"), "{{instance}}"),
        lines("Resident memory", "bytes", "Records lie in the kernel's page cache, which is not in it.")
            .query(format!("process_resident_memory_bytes{CHOSEN}"), "{{instance}}"),
        lines("File descriptors", "short", "A few a partition, and one a connection.")
            .query(format!("process_open_fds{CHOSEN}"), "open, {{instance}}")
            .query(format!("process_max_fds{CHOSEN}"), "limit, {{instance}}"),
    ]
}
