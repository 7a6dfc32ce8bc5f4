//! Consumer groups: how far each is behind, by topic and partition, and whether it is at rest.

use super::panel::{Colours, Dashboard, Panel, Row, Variable, WIDTH, figure, lines, stacked, table};

/// Of most queries on this page.
const CHOSEN: &str = "{consumergroup=~\"$group\"}";

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "group",
        title: "Milena: consumer group",
        help: "How far consumer groups are behind, by topic and partition, and whether they are at rest.",
        variables: vec![Variable {
            name: "group",
            title: "Group",
            label: "consumergroup",
            metric: "kafka_consumergroup_members",
            several: true,
        }],
        rows: vec![
            Row { title: "At a glance", panels: figures() },
            Row { title: "Lag", panels: lag() },
            Row { title: "Partitions", panels: partitions() },
            Row { title: "Coordinators", panels: coordinators() },
        ],
    }
}

fn figures() -> Vec<Panel> {
    let orange = Colours::ZeroOr("orange");
    vec![
        figure("Groups chosen", "short", Colours::Plain, "Groups that are chosen above.")
            .query(format!("count(sum by (consumergroup) (kafka_consumergroup_members{CHOSEN}))"), ""),
        figure("Members", "short", Colours::Plain, "Consumers in these groups.")
            .query(format!("sum(kafka_consumergroup_members{CHOSEN})"), ""),
        figure(
            "Lag",
            "short",
            Colours::Plain,
            "Records below the high watermark that are not committed yet.",
        )
        .query(format!("sum(consumergroup_topic:kafka_consumergroup_lag:sum{CHOSEN})"), ""),
        figure(
            "Time behind",
            "s",
            Colours::Plain,
            "The lag by the rate at which the group commits: how long it would take to read it.",
        )
        .query(
            format!(
                "sum(consumergroup_topic:kafka_consumergroup_lag:sum{CHOSEN}) \
                     / sum(rate(kafka_consumergroup_current_offset{CHOSEN}[$__rate_interval]))"
            ),
            "",
        ),
        figure(
            "Groups in a rebalance",
            "short",
            orange,
            "Of all groups: those that wait for members, or for their assignment.",
        )
        .query(
            "sum(kafka_coordinator_group_groupmetadatamanager_numgroupspreparingrebalance) \
                 + sum(kafka_coordinator_group_groupmetadatamanager_numgroupscompletingrebalance)",
            "",
        ),
        figure("Groups without members", "short", Colours::Plain, "Of all groups: those that nobody is in.")
            .query("sum(kafka_coordinator_group_groupmetadatamanager_numgroupsempty)", ""),
        figure(
            "Lags unknown",
            "short",
            orange,
            "Committed partitions whose high watermark the coordinator does not know just now.",
        )
        .query("sum(milena_consumergroup_lag_unknown)", ""),
        figure(
            "Lags left out",
            "short",
            orange,
            "Committed partitions beyond those that have series of their own.",
        )
        .query("sum(milena_consumergroup_series_left_out)", ""),
    ]
}

fn lag() -> Vec<Panel> {
    vec![
        lines("Lag by topic", "short", "Records below the high watermark that the group has not committed yet.")
            .wide(WIDTH / 2)
            .query(format!("consumergroup_topic:kafka_consumergroup_lag:sum{CHOSEN}"), "{{consumergroup}}: {{topic}}"),
        lines("Committed", "cps", "Records that groups commit a second: their pace.")
            .wide(WIDTH / 2)
            .query(
                format!("sum by (consumergroup, topic) (rate(kafka_consumergroup_current_offset{CHOSEN}[$__rate_interval]))"),
                "{{consumergroup}}: {{topic}}",
            ),
    ]
}

fn partitions() -> Vec<Panel> {
    let by = "consumergroup, topic, partition";
    vec![
        table("Lag by partition", "short", "The furthest behind first.")
            .query(format!("topk(500, sum by ({by}) (kafka_consumergroup_lag{CHOSEN}))"), ""),
        table("Committed offsets", "short", "As the coordinator holds them.")
            .query(format!("topk(500, sum by ({by}) (kafka_consumergroup_current_offset{CHOSEN}))"), ""),
    ]
}

fn coordinators() -> Vec<Panel> {
    let of = |name: &str| format!("kafka_server_group_coordinator_metrics_{name}");
    let rate = |name: &str| format!("sum by (instance) (rate({}[$__rate_interval]))", of(name));
    vec![
        lines("Members of each group", "short", "A change of it is a rebalance.").query(
            format!("sum by (consumergroup) (kafka_consumergroup_members{CHOSEN})"),
            "{{consumergroup}}",
        ),
        lines("Rebalances", "cps", "Rebalances that came to their end a second, by coordinator.")
            .query(rate("group_completed_rebalance_count"), "{{instance}}"),
        stacked("Offset commits", "cps", "Offsets committed a second, by coordinator.")
            .query(rate("offset_commit_count"), "{{instance}}"),
        stacked("Groups by coordinator", "short", "Groups that each broker coordinates.")
            .query("kafka_coordinator_group_groupmetadatamanager_numgroups", "{{instance}}"),
        lines(
            "Partitions of __consumer_offsets",
            "short",
            "By their state: a group on one that loads has to wait.",
        )
        .query(format!("sum by (state) ({})", of("num_partitions")), "{{state}}"),
        lines(
            "Longest load",
            "ms",
            "The longest that a coordinator took to read a partition of __consumer_offsets lately.",
        )
        .query(of("partition_load_time_max"), "{{instance}}"),
    ]
}
