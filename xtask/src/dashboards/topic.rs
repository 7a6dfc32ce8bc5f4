//! One topic, or several: what goes in and out, how large it is, and whether its partitions are in sync.

use super::panel::{Colours, Dashboard, Panel, Row, Variable, WIDTH, figure, lines, rate, stacked, table};

/// Of every query on this page.
const CHOSEN: &str = "{topic=~\"$topic\"}";
/// The same, where the sum of all topics stands beside them under an empty name.
const COUNTED: &str = "{topic=~\"$topic\", topic!=\"\"}";

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "topic",
        title: "Milena: topic",
        help: "One topic, or several: what goes in and out, how large it is, and whether its partitions are in sync.",
        variables: vec![Variable {
            name: "topic",
            title: "Topic",
            label: "topic",
            metric: "kafka_cluster_partition_replicascount",
            several: true,
        }],
        rows: vec![
            Row { title: "At a glance", panels: figures() },
            Row { title: "Records", panels: records() },
            Row { title: "Size", panels: size() },
            Row { title: "Partitions", panels: partitions() },
        ],
    }
}

fn figures() -> Vec<Panel> {
    let sum = |name: &str| format!("sum(kafka_cluster_partition_{name}{CHOSEN})");
    vec![
        figure("Led partitions", "short", Colours::Plain, "Partitions that have a leader.")
            .query(format!("count(kafka_cluster_partition_replicascount{CHOSEN})"), ""),
        figure(
            "Under-replicated partitions",
            "short",
            Colours::ZeroOr("orange"),
            "Partitions that lack an in-sync replica.",
        )
        .query(sum("underreplicated"), ""),
        figure("Under min ISR", "short", Colours::ZeroOr("red"), "Partitions that refuse acks=all.")
            .query(sum("underminisr"), ""),
        figure(
            "At min ISR",
            "short",
            Colours::Plain,
            "Partitions that would refuse acks=all if they lost one more replica.",
        )
        .query(sum("atminisr"), ""),
        figure(
            "Records kept",
            "short",
            Colours::Plain,
            "From the start of each log to its end, once for each replica's leader.",
        )
        .query(
            format!(
                "sum(max by (topic, partition) (kafka_log_log_logendoffset{CHOSEN}) \
                     - max by (topic, partition) (kafka_log_log_logstartoffset{CHOSEN}))"
            ),
            "",
        ),
        figure("Size of all replicas", "bytes", Colours::Plain, "On the disks of all brokers together.")
            .query(format!("sum(kafka_log_log_size{CHOSEN})"), ""),
        figure("Records in now", "cps", Colours::Plain, "Records appended a second.")
            .query(rate("kafka_server_brokertopicmetrics_messagesin_total", COUNTED, ""), ""),
        figure("Groups that read it", "short", Colours::Plain, "Consumer groups with a committed offset.")
            .query(
                format!("count(count by (consumergroup) (kafka_consumergroup_current_offset{CHOSEN}))"),
                "",
            ),
    ]
}

fn records() -> Vec<Panel> {
    let of = |name: &str| rate(&format!("kafka_server_brokertopicmetrics_{name}_total"), COUNTED, "topic");
    vec![
        stacked("Records in", "cps", "Records appended a second.").query(of("messagesin"), "{{topic}}"),
        stacked("Bytes in", "Bps", "Bytes appended a second, as producers compressed them.")
            .query(of("bytesin"), "{{topic}}"),
        stacked("Bytes out", "Bps", "Bytes fetched by consumers a second.")
            .query(of("bytesout"), "{{topic}}"),
        lines("Produce requests", "reqps", "Produce requests a second, once for each partition in them.")
            .query(of("totalproducerequests"), "{{topic}}"),
        lines("Refused produce requests", "reqps", "Those of them that were refused.")
            .query(of("failedproducerequests"), "{{topic}}"),
        lines(
            "Refused fetches",
            "reqps",
            "Fetches that were refused a second, once for each partition in them.",
        )
        .query(of("failedfetchrequests"), "{{topic}}"),
    ]
}

fn size() -> Vec<Panel> {
    vec![
        stacked("Size", "bytes", "On the disks of all brokers together.")
            .query(format!("sum by (topic) (kafka_log_log_size{CHOSEN})"), "{{topic}}"),
        lines("Segments", "short", "Files of all replicas together; each takes descriptors while it is read.")
            .query(format!("sum by (topic) (kafka_log_log_numlogsegments{CHOSEN})"), "{{topic}}"),
        lines("Largest partition to the average", "short", "1 is evenly spread; far above it some keys, or some brokers, bear the load.")
            .query(
                format!("max by (topic) (kafka_log_log_size{CHOSEN}) / avg by (topic) (kafka_log_log_size{CHOSEN} > 0)"),
                "{{topic}}",
            ),
    ]
}

fn partitions() -> Vec<Panel> {
    vec![
        lines("Replicas out of sync", "short", "Replicas that are missing from the ISRs, by topic.").query(
            format!(
                "sum by (topic) (kafka_cluster_partition_replicascount{CHOSEN} \
                     - kafka_cluster_partition_insyncreplicascount{CHOSEN})"
            ),
            "{{topic}}",
        ),
        lines("Follower lag", "short", "Records that the worst replica lacks below the high watermark.")
            .query(
                format!("max by (topic) (kafka_server_fetcherlagmetrics_consumerlag{CHOSEN})"),
                "{{topic}}",
            ),
        lines(
            "Held back by transactions",
            "short",
            "Records between the last stable offset and the high watermark.",
        )
        .query(format!("max by (topic) (kafka_cluster_partition_laststableoffsetlag{CHOSEN})"), "{{topic}}"),
        table("High watermarks", "short", "Of each partition, by the broker that leads it.")
            .wide(WIDTH)
            .query(
                format!("sum by (topic, partition, instance) (kafka_topic_partition_current_offset{CHOSEN})"),
                "",
            ),
    ]
}
