//! The first page that one looks at: is everything there, is it in sync, who decides, and how is the metadata store.

use super::panel::{Colours, Dashboard, Panel, Row, figure, lines, quantile, rate, stacked, table};

const CONTROLLER: &str = "kafka_controller_kafkacontroller";
const REPLICAS: &str = "kafka_server_replicamanager";

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "cluster",
        title: "Milena: cluster",
        help: "Whether everything is there and in sync, who decides, and how the metadata store does.",
        variables: Vec::new(),
        rows: vec![
            Row { title: "Is everything there?", panels: figures() },
            Row { title: "Records", panels: records() },
            Row { title: "Replication", panels: replication() },
            Row { title: "Controllers", panels: controllers() },
            Row { title: "Metadata store (etcd)", panels: metadata_store() },
        ],
    }
}

fn figures() -> Vec<Panel> {
    let red = Colours::ZeroOr("red");
    let orange = Colours::ZeroOr("orange");
    let of_controller = |name: &str| format!("sum({CONTROLLER}_{name})");
    let of_replicas = |name: &str| format!("sum({REPLICAS}_{name})");
    vec![
        figure("Brokers", "short", Colours::Plain, "Brokers that the controller has admitted.")
            .query(of_controller("activebrokercount"), ""),
        figure(
            "Active controllers",
            "short",
            Colours::OneOnly,
            "One, at any time; none for a moment of a failover.",
        )
        .query(of_controller("activecontrollercount"), ""),
        figure(
            "Standing by",
            "short",
            Colours::Plain,
            "Controllers that would take the active one's place at once.",
        )
        .query("max(milena_controller_standbys)", ""),
        figure("Offline partitions", "short", red, "Partitions without a leader: neither written nor read.")
            .query(of_controller("offlinepartitionscount"), ""),
        figure(
            "Under min ISR",
            "short",
            red,
            "Partitions that refuse acks=all, for want of in-sync replicas.",
        )
        .query(of_replicas("underminisrpartitioncount"), ""),
        figure("Under-replicated", "short", orange, "Partitions that lack an in-sync replica.")
            .query(of_replicas("underreplicatedpartitions"), ""),
        figure(
            "Offline directories",
            "short",
            red,
            "Log directories that have failed and are out of service.",
        )
        .query("sum(kafka_log_logmanager_offlinelogdirectorycount)", ""),
        figure(
            "Fenced brokers",
            "short",
            orange,
            "Brokers that are registered and not admitted: they lead nothing.",
        )
        .query(of_controller("fencedbrokercount"), ""),
        figure("Topics", "short", Colours::Plain, "Topics of the cluster, Kafka's own included.")
            .query(of_controller("globaltopiccount"), ""),
        figure("Partitions", "short", Colours::Plain, "Partitions of the cluster.")
            .query(of_controller("globalpartitioncount"), ""),
        figure(
            "At min ISR",
            "short",
            Colours::Plain,
            "Partitions that would refuse acks=all if they lost one more replica.",
        )
        .query(of_replicas("atminisrpartitioncount"), ""),
        figure(
            "Not at preferred leader",
            "short",
            Colours::Plain,
            "Partitions led by another than their first replica.",
        )
        .query(of_controller("preferredreplicaimbalancecount"), ""),
        figure(
            "Metadata went back",
            "short",
            red,
            "1: etcd holds an older state than brokers have seen, and nothing is decided.",
        )
        .query("max(milena_controller_metadata_went_back)", ""),
        figure(
            "Unclean elections",
            "short",
            red,
            "Leaders elected within the time shown that may lack acknowledged records.",
        )
        .query("sum(increase(kafka_controller_controllerstats_uncleanleaderelections_total[$__range]))", ""),
        figure("Groups", "short", Colours::Plain, "Consumer groups of the cluster.")
            .query("sum(kafka_coordinator_group_groupmetadatamanager_numgroups)", ""),
        figure(
            "Client connections",
            "short",
            Colours::Plain,
            "Open connections, those between brokers included.",
        )
        .query("sum(kafka_server_socket_server_metrics_connection_count)", ""),
    ]
}

fn records() -> Vec<Panel> {
    let of = |name: &str| {
        rate(&format!("kafka_server_brokertopicmetrics_{name}_total"), "{topic=\"\"}", "instance")
    };
    vec![
        stacked("Records in", "cps", "Records appended a second, by broker.")
            .query(of("messagesin"), "{{instance}}"),
        stacked(
            "Bytes in",
            "Bps",
            "Bytes that producers append a second, by broker; what followers copy is not in it.",
        )
        .query(of("bytesin"), "{{instance}}"),
        stacked("Bytes out", "Bps", "Bytes that consumers fetch a second, by broker.")
            .query(of("bytesout"), "{{instance}}"),
        lines(
            "Produce, slowest of a hundred",
            "s",
            "99th percentile of a Produce request, replication included (acks=all).",
        )
        .query(
            "instance_request:milena_request_duration_seconds:p99_5m{request=\"Produce\"}",
            "{{instance}}",
        ),
        lines("Refused produce", "reqps", "Partitions of Produce requests that were refused, a second.")
            .query(of("failedproducerequests"), "{{instance}}"),
        lines(
            "Idle threads",
            "percentunit",
            "Share of their time in which the brokers' threads wait for work.",
        )
        .query("kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent", "{{instance}}"),
    ]
}

fn replication() -> Vec<Panel> {
    let of = |name: &str| rate(&format!("{REPLICAS}_{name}_total"), "", "instance");
    vec![
        lines("Under-replicated partitions", "short", "Partitions that lack an in-sync replica, by the broker that leads them.")
            .query(format!("{REPLICAS}_underreplicatedpartitions"), "{{instance}}"),
        lines("Why replicas are out of sync", "short", "stuck: fetches nothing, or is gone; slow: fetches, and comes no nearer; catching_up: new or back again.")
            .query("sum by (cause) (milena_replicas_out_of_sync)", "{{cause}}"),
        lines("Furthest behind", "short", "Records that the worst replica of each broker lacks below its leader's high watermark.")
            .query("kafka_server_replicafetchermanager_maxlag", "{{instance}}"),
        lines("ISR changes", "cps", "Members that left and returned by their leader's word, a second.")
            .query(of("isrshrinks"), "left, {{instance}}")
            .query(of("isrexpands"), "returned, {{instance}}"),
        stacked("Bytes replicated", "Bps", "Bytes that followers appended a second, by broker.")
            .query(rate("kafka_server_brokertopicmetrics_replicationbytesin_total", "{topic=\"\"}", "instance"), "{{instance}}"),
        stacked("Leaders", "short", "Partitions that each broker leads.").query(format!("{REPLICAS}_leadercount"), "{{instance}}"),
    ]
}

fn controllers() -> Vec<Panel> {
    vec![
        lines("Who is active", "short", "1 at the active controller.")
            .query(format!("{CONTROLLER}_activecontrollercount"), "{{instance}}"),
        lines("Controller epoch", "short", "Grows with each election of a controller.")
            .query("max(milena_controller_epoch)", "epoch"),
        lines(
            "Elections of leaders",
            "s",
            "How long it took from the reason to the commit in the metadata store.",
        )
        .query(quantile(0.5, "milena_controller_leader_election_duration_seconds", "", ""), "half of them")
        .query(quantile(0.99, "milena_controller_leader_election_duration_seconds", "", ""), "99 of 100"),
        lines(
            "Wait for the controller",
            "s",
            "99th percentile of the time that an event waits to be handled, and of its handling.",
        )
        .query(quantile(0.99, "milena_controller_event_queue_duration_seconds", "", ""), "waits")
        .query(quantile(0.99, "milena_controller_event_processing_duration_seconds", "", ""), "is handled"),
        stacked("Events", "cps", "What the active controller handles, a second.")
            .query(rate("milena_controller_events_total", "", "event"), "{{event}}"),
        lines(
            "Evictions, resignations, doubts",
            "cps",
            "Processes found dead; controllers that gave their place up; states read anew.",
        )
        .query(rate("milena_controller_evictions_total", "", "role"), "evicted: {{role}}")
        .query(rate("milena_controller_resignations_total", "", ""), "resigned")
        .query(rate("milena_controller_state_doubts_total", "", "cause"), "in doubt: {{cause}}"),
    ]
}

fn metadata_store() -> Vec<Panel> {
    vec![
        lines(
            "Calls, slowest of a hundred",
            "s",
            "99th percentile of reads and transactions, as each process feels it.",
        )
        .query("instance:milena_metadata_store_request_duration_seconds:p99_5m", "{{instance}}"),
        stacked("Calls", "reqps", "Calls a second, by what they ask for.").query(
            rate("milena_metadata_store_request_duration_seconds_count", "", "operation"),
            "{{operation}}",
        ),
        lines("Failed calls", "reqps", "Calls that failed a second; a watch that is lost is opened again.")
            .query(
                rate("milena_metadata_store_errors_total", "", "operation, kind"),
                "{{operation}}: {{kind}}",
            ),
        lines(
            "etcd: sync of its log",
            "s",
            "99th percentile of fdatasync at each member: its disk must answer for all the rest.",
        )
        .query(quantile(0.99, "etcd_disk_wal_fsync_duration_seconds", "", "instance"), "{{instance}}"),
        lines("etcd: quota used", "percentunit", "At all of it, etcd takes no write.")
            .query("etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes", "{{instance}}"),
        table("etcd: members", "short", "1: the member knows a leader.")
            .wide(8)
            .query("etcd_server_has_leader", ""),
    ]
}
