//! The recovery itself: every epoch is raised past all that was reported, the restored ISRs are distrusted, and a new timeline
//! begins.
//!
//! Of each partition one replica is known to hold every acknowledged record, if all its replicas were heard: the one that leads
//! under the newest leader epoch or, where nobody leads, the one whose log goes furthest, by (epoch, log end). It alone is the
//! ISR from then on; the others catch up and return. Where a replica was not heard this is not known, so nothing is done
//! unless that is asked for, and then it is told and counted as an unclean election.

use std::collections::{BTreeMap, BTreeSet};

use metadata::image::PartitionImage;
use metadata::keys::admitted_broker::AdmittedBroker;
use metadata::keys::controller_key::encode_epoch;
use metadata::keys::producer_ids::ProducerIdBlock;
use metadata::keys::timeline::TimelineRecord;
use metadata::keys::topic::TopicRecord;
use metadata::keys::{Key, partition};
use protocol::types::{BrokerId, LeaderEpoch, Uuid};

use super::Report;
use super::report::ReplicaReport;
use crate::plan::{Plan, Step, UncleanElection, Write, in_steps};
use crate::state::{PartitionRef, State};

/// How far leader and partition epochs are raised past what was reported: what unheard brokers may have seen lies below.
const EPOCHS_SKIPPED: i32 = 1_000;
/// How many producer ids are passed over: as many may have been given away since the backup.
const PRODUCER_IDS_SKIPPED: i64 = 1_000_000_000;
/// The most findings that are told one by one.
const FINDINGS_MAX: usize = 200;

/// What is to be done, and what is told of it. No broker hears of it before all of it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovery {
    pub plan: Plan,
    pub findings: Vec<String>,
}

type Reports = BTreeMap<BrokerId, Report>;
/// What was heard of one partition's replicas.
type Heard<'a> = Vec<(BrokerId, &'a ReplicaReport)>;

/// The recovery; an error says, a line each, what stands in its way. `unclean` gives up who is missing, not who is merely
/// late: whoever is registered is waited for.
pub fn recover(state: &State, reports: &Reports, unclean: bool) -> Result<Recovery, Vec<String>> {
    let in_the_way = if unclean { late(state, reports) } else { unheard(state, reports) };
    if !in_the_way.is_empty() {
        return Err(in_the_way);
    }
    let mut recovery = Recovery::default();
    let mut pieces = Vec::new();
    for of in state.partitions() {
        pieces.push(recover_partition(of, reports, &mut recovery));
    }
    pieces.extend(forgotten_topics(state, reports, &mut recovery.findings));
    pieces.extend(
        state.registrations.keys().filter(|id| reports.contains_key(id)).filter_map(|id| admit(state, *id)),
    );
    pieces.extend(last_pieces(state, reports));
    recovery.plan.steps =
        in_steps(pieces.into_iter().map(|write| Step { writes: vec![write], changes: Vec::new() }));
    let more = recovery.findings.len().saturating_sub(FINDINGS_MAX);
    recovery.findings.truncate(FINDINGS_MAX);
    if more > 0 {
        recovery.findings.push(format!("… and {more} more"));
    }
    Ok(recovery)
}

/// The replica of a partition on a broker; a broker that was heard and does not name it has none, which is as good as an
/// empty one. `None`: nothing is known.
fn heard_of(reports: &Reports, id: BrokerId, topic_id: Uuid, partition: i32) -> Option<&ReplicaReport> {
    let report = reports.get(&id)?;
    let replica = report.replicas.get(&(topic_id, partition)).unwrap_or(&ReplicaReport::EMPTY);
    replica.log_end_offset.is_some().then_some(replica)
}

fn heard<'a>(of: PartitionRef, reports: &'a Reports) -> Heard<'a> {
    let replicas = of.state.replicas.iter();
    replicas.filter_map(|id| Some((*id, heard_of(reports, *id, of.topic_id, of.partition)?))).collect()
}

/// A line for each broker of which not every replica is known.
fn unheard(state: &State, reports: &Reports) -> Vec<String> {
    let mut unheard: BTreeMap<BrokerId, usize> = BTreeMap::new();
    for of in state.partitions() {
        let silent = |id: &&BrokerId| heard_of(reports, **id, of.topic_id, of.partition).is_none();
        of.state.replicas.iter().filter(silent).for_each(|id| *unheard.entry(*id).or_default() += 1);
    }
    let line = |(id, count): (&BrokerId, &usize)| {
        format!("broker {id} was not heard, or cannot read its logs (yet): {count} replica(s) are there")
    };
    unheard.iter().map(line).collect()
}

/// A line for each broker that lives, as its registration says, and has not spoken yet. Of one that is dead the registration
/// ends with its lease.
fn late(state: &State, reports: &Reports) -> Vec<String> {
    let late = state.registrations.keys().filter(|id| !reports.contains_key(id));
    late.map(|id| format!("broker {id} is registered and was not heard yet: it is not missing, ask again"))
        .collect()
}

fn recover_partition(of: PartitionRef, reports: &Reports, recovery: &mut Recovery) -> Write {
    let heard = heard(of, reports);
    let (name, known) = (format!("{}-{}", of.topic, of.partition), heard.len() == of.state.replicas.len());
    let chosen = holder(&heard, of.state.leader);
    if let Some(leader) = chosen.filter(|_| !known) {
        let (topic, partition) = (of.topic.to_owned(), of.partition);
        recovery.plan.unclean_elections.push(UncleanElection { topic, partition, leader });
        recovery
            .findings
            .push(format!("{name}: broker {leader} leads, UNCLEANLY: not all replicas were heard"));
    } else if let Some(leader) = chosen.filter(|leader| *leader != of.state.leader) {
        recovery.findings.push(format!("{name}: broker {leader} leads; the store had {}", of.state.leader));
    } else if chosen.is_none() {
        recovery.findings.push(format!("{name}: OFFLINE until its last known leader returns"));
    }
    let state = recovered(of.state, &heard, chosen);
    Write::put(Key::Partition(of.topic_id, of.partition), partition::encode(&state))
}

/// Who holds everything that was acknowledged, as far as was heard.
fn holder(heard: &Heard, preferred: BrokerId) -> Option<BrokerId> {
    let newest = heard.iter().map(|(_, replica)| replica.leader_epoch).max()?;
    let rank = |(id, replica): &(BrokerId, &ReplicaReport)| {
        let leads = replica.leading && replica.leader_epoch == newest;
        (leads, replica.log_epoch, replica.log_end_offset, *id == preferred, std::cmp::Reverse(*id))
    };
    heard.iter().max_by_key(|entry| rank(entry)).map(|(id, _)| *id)
}

/// Nobody leads until the chosen one is admitted.
fn recovered(before: &PartitionImage, heard: &Heard, chosen: Option<BrokerId>) -> PartitionImage {
    let epochs = heard.iter().map(|(_, replica)| replica.leader_epoch.max(replica.log_epoch));
    let newest = epochs.chain([before.leader_epoch]).max().unwrap_or(before.leader_epoch);
    let last_leader = [before.leader].into_iter().filter(|id| *id != BrokerId::NONE);
    let last_known = last_leader
        .chain(before.last_known_elr.iter().chain(&before.isr).chain(&before.replicas).copied())
        .next();
    PartitionImage {
        leader: BrokerId::NONE,
        leader_epoch: LeaderEpoch(newest.0.saturating_add(EPOCHS_SKIPPED)),
        isr: chosen.into_iter().collect(),
        elr: Vec::new(),
        last_known_elr: if chosen.is_none() { last_known.into_iter().collect() } else { Vec::new() },
        partition_epoch: before.partition_epoch.saturating_add(EPOCHS_SKIPPED),
        ..before.clone()
    }
}

/// Topics that brokers hold and the store has forgotten come back, with the replicas that were heard of.
fn forgotten_topics(state: &State, reports: &Reports, findings: &mut Vec<String>) -> Vec<Write> {
    let names = reports.values().flat_map(|report| &report.topics);
    let forgotten: BTreeMap<Uuid, &String> = names
        .filter(|(id, _)| state.image.topic_by_id(**id).is_none())
        .map(|(id, name)| (*id, name))
        .collect();
    let (mut writes, mut taken) = (Vec::new(), BTreeSet::new());
    for (id, name) in forgotten {
        if state.image.topic(name).is_some() || !taken.insert(name) {
            findings.push(format!(
                "topic {name} of id {id}: another one has its name; its replicas are set aside"
            ));
            continue;
        }
        let partitions = restored_partitions(id, reports);
        let count = partitions.len();
        findings.push(format!("topic {name}: RESTORED with {count} partition(s) from the brokers' logs, without its configuration"));
        let numbered = partitions.into_iter().enumerate();
        writes.extend(
            numbered.map(|(index, state)| {
                Write::put(Key::Partition(id, index as i32), partition::encode(&state))
            }),
        );
        let record = TopicRecord { topic_id: id, partitions: count as i32 };
        writes.push(Write::put(Key::Topic(name.clone()), record.encode()));
    }
    writes
}

/// As many partitions as the highest that was heard of asks for; one between that nobody holds begins empty.
fn restored_partitions(topic_id: Uuid, reports: &Reports) -> Vec<PartitionImage> {
    let mut held: BTreeMap<i32, Heard> = BTreeMap::new();
    for (id, report) in reports {
        let replicas = report.replicas.range((topic_id, 0)..=(topic_id, i32::MAX));
        replicas.for_each(|((_, index), replica)| held.entry(*index).or_default().push((*id, replica)));
    }
    let Some((_, first)) = held.first_key_value() else { return Vec::new() };
    let anywhere: Heard = first.iter().map(|(id, _)| (*id, &ReplicaReport::EMPTY)).collect();
    let last = held.last_key_value().map_or(0, |(index, _)| *index);
    (0..=last).map(|index| restored(held.get(&index).unwrap_or(&anywhere))).collect()
}

fn restored(heard: &Heard) -> PartitionImage {
    let readable: Heard =
        heard.iter().copied().filter(|(_, replica)| replica.log_end_offset.is_some()).collect();
    let chosen = holder(&readable, BrokerId::NONE);
    let mut replicas: Vec<BrokerId> = heard.iter().map(|(id, _)| *id).collect();
    replicas.sort_unstable_by_key(|id| (Some(*id) != chosen, *id));
    let directories = vec![Uuid::ZERO; replicas.len()];
    let before = PartitionImage { replicas, directories, ..PartitionImage::default() };
    recovered(&PartitionImage { leader: BrokerId::NONE, ..before }, heard, chosen)
}

/// A broker that was heard counts as admitted as it is now: what it reported has been taken into account.
fn admit(state: &State, id: BrokerId) -> Option<Write> {
    let registered = state.registrations.get(&id)?;
    let registration = &registered.registration;
    let admitted = AdmittedBroker {
        epoch: registered.epoch,
        incarnation: registration.incarnation,
        boot_id: registration.boot_id.clone(),
        log_dirs: registration.log_dirs.clone(),
        fenced: true,
    };
    Some(Write::put(Key::AdmittedBroker(id), admitted.encode()))
}

/// What makes the recovery stand; written after everything else.
fn last_pieces(state: &State, reports: &Reports) -> [Write; 3] {
    let seen = |of: fn(&Report) -> i64| reports.values().map(of).max().unwrap_or(0);
    let epoch = seen(|report| report.controller_epoch.into()).max(state.image.controller_epoch.into());
    let timeline = seen(|report| report.timeline).max(state.timeline.timeline) + 1;
    let free = state.last_producer_ids.as_ref().and_then(ProducerIdBlock::next_start).unwrap_or(0);
    let skipped = ProducerIdBlock {
        broker: BrokerId::NONE.0,
        block_start: free.saturating_add(PRODUCER_IDS_SKIPPED),
        block_size: 0,
    };
    [
        Write::put(Key::ProducerIds, skipped.encode()),
        Write::put(Key::ControllerEpoch, encode_epoch(i32::try_from(epoch).unwrap_or(i32::MAX - 1))),
        Write::put(Key::Timeline, TimelineRecord { timeline, went_back: None }.encode()),
    ]
}
