//! The group coordinator of one broker: which shard a group belongs to, and what is refused before a shard is asked.
//!
//! A shard runs for each partition of `__consumer_offsets` that this broker leads, and for one leader epoch: in the next one
//! another may have led in between, so that the log has to be read anew. A caller that goes away drops his
//! receiver; the machine answers into nothing and forgets him.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use parking_lot::RwLock;
use protocol::ErrorCode;
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::list_groups_response::ListedGroup;
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    SyncGroupRequest, SyncGroupResponse,
};
use protocol::records::Compression;
use protocol::types::LeaderEpoch;
use protocol::wire::Str;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::append::Appender;
use super::clock::Clock;
use super::log::CoordinatorLog;
use super::machine::{
    Client, CommitCall, DeleteOffsetsCall, DeletedTopic, Event, FetchCall, HeartbeatCall, JoinCall,
    LeaveCall, ListCall, Port, Survey, SyncCall,
};
use super::member_id::fresh_member_id;
use super::partition::partition_of;
use super::task::ShardTask;
use crate::config::GroupSettings;
use crate::metrics::groups;

/// Requests that may wait for one shard; more of them wait with their connections.
const QUEUE: usize = 1_024;

/// What a shard of the coordinator answers; the error concerns the request as a whole.
pub type Reply<T> = Result<T, ErrorCode>;

/// The coordinator of all groups whose partition this broker leads.
pub struct GroupCoordinator {
    settings: GroupSettings,
    compression: Compression,
    log: Arc<dyn CoordinatorLog>,
    clock: Clock,
    /// How many partitions `__consumer_offsets` has, or would have.
    partitions: AtomicI32,
    shards: RwLock<HashMap<i32, Shard>>,
}

/// A shard's task, from outside: it ends, and all that it knows is dropped, when this is.
struct Shard {
    partition: i32,
    epoch: LeaderEpoch,
    events: mpsc::Sender<Event>,
    task: AbortHandle,
}

impl Drop for Shard {
    fn drop(&mut self) {
        self.task.abort();
        tracing::debug!(epoch = %self.epoch, "no longer coordinates the groups of partition {}", self.partition);
    }
}

/// What the version of a JoinGroup lets its client understand.
#[derive(Debug, Clone, Copy)]
pub struct JoinRules {
    /// A newcomer learns its id first and comes back with it (KIP-394).
    pub member_id_required: bool,
    /// A leader understands that it need not assign (KIP-814).
    pub may_skip_assignment: bool,
}

impl GroupCoordinator {
    /// `partitions` is `offsets.topic.num.partitions`, until the topic itself is known.
    pub fn new(
        settings: GroupSettings,
        compression: Compression,
        partitions: i32,
        log: Arc<dyn CoordinatorLog>,
    ) -> GroupCoordinator {
        GroupCoordinator {
            settings,
            compression,
            log,
            clock: Clock::start(),
            partitions: AtomicI32::new(partitions),
            shards: RwLock::default(),
        }
    }

    /// The topic exists with so many partitions.
    pub fn on_partitions(&self, partitions: i32) {
        self.partitions.store(partitions, Ordering::Relaxed);
    }

    /// This broker leads the partition of `__consumer_offsets` by this epoch, or no longer leads it. Must be called inside
    /// the runtime.
    pub fn on_leadership(&self, partition: i32, epoch: Option<LeaderEpoch>) {
        let mut shards = self.shards.write();
        let known = shards.get(&partition).map(|shard| shard.epoch);
        match epoch {
            None => drop(shards.remove(&partition)),
            Some(epoch) if known.is_some_and(|known| known >= epoch) => {}
            Some(epoch) => drop(shards.insert(partition, self.start(partition, epoch))),
        }
    }

    /// Topics are gone, and what was committed for them.
    pub async fn on_topics_deleted(&self, topics: Vec<DeletedTopic>) {
        let topics: Arc<[DeletedTopic]> = topics.into();
        for shard in self.all_shards() {
            // A shard that ends meanwhile leaves the offsets to the one that takes over, where they expire.
            let _ = shard.send(Event::TopicsDeleted(topics.clone())).await;
        }
    }

    /// The partition of `__consumer_offsets` that keeps this group.
    pub fn partition_of(&self, group: &str) -> i32 {
        partition_of(group, self.partitions.load(Ordering::Relaxed))
    }

    pub async fn join(
        &self,
        request: JoinGroupRequest,
        client: Client,
        rules: JoinRules,
    ) -> Reply<JoinGroupResponse> {
        let group = checked_group_id(&request.group_id)?;
        self.check_session_timeout(request.session_timeout_ms)?;
        let fresh_member_id = fresh_member_id(&request, &client)?;
        let JoinRules { member_id_required, may_skip_assignment } = rules;
        self.ask(&group, |port| {
            Event::Join(JoinCall {
                request,
                client,
                fresh_member_id,
                member_id_required,
                may_skip_assignment,
                port,
            })
        })
        .await
    }

    pub async fn sync(&self, request: SyncGroupRequest) -> Reply<SyncGroupResponse> {
        let group = checked_group_id(&request.group_id)?;
        self.ask(&group, |port| Event::Sync(SyncCall { request, port })).await
    }

    pub async fn heartbeat(&self, request: HeartbeatRequest) -> Reply<HeartbeatResponse> {
        let group = checked_group_id(&request.group_id)?;
        self.ask(&group, |port| Event::Heartbeat(HeartbeatCall { request, port })).await
    }

    /// `members` must be filled in, whatever the version of the request.
    pub async fn leave(&self, request: LeaveGroupRequest) -> Reply<LeaveGroupResponse> {
        let group = checked_group_id(&request.group_id)?;
        self.ask(&group, |port| Event::Leave(LeaveCall { request, port })).await
    }

    /// Topics must exist, with their names and ids filled in. The empty group id is a group as any other.
    pub async fn commit(
        &self,
        request: OffsetCommitRequest,
        knows_group_id_not_found: bool,
    ) -> Reply<OffsetCommitResponse> {
        let group = request.group_id.clone();
        let call = |port| Event::Commit(CommitCall { request, knows_group_id_not_found, port });
        let reply = self.ask(&group, call).await;
        if let Ok(response) = &reply {
            let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
            let committed = partitions.filter(|partition| partition.error_code == 0).count();
            groups::observe_commits(committed as u64);
        }
        reply
    }

    /// Topics must have their names filled in.
    pub async fn fetch(
        &self,
        request: OffsetFetchRequestGroup,
        require_stable: bool,
    ) -> Reply<OffsetFetchResponseGroup> {
        let group = request.group_id.clone();
        self.ask(&group, |port| Event::Fetch(FetchCall { request, require_stable, port })).await
    }

    /// Topics must exist.
    pub async fn delete_offsets(&self, request: OffsetDeleteRequest) -> Reply<OffsetDeleteResponse> {
        let group = checked_group_id(&request.group_id)?;
        self.ask(&group, |port| Event::DeleteOffsets(DeleteOffsetsCall { request, port })).await
    }

    /// None where there is no such group.
    pub async fn describe(&self, group: &Str) -> Reply<Option<DescribedGroup>> {
        self.ask(group, |port| Event::Describe { group: group.clone(), port }).await
    }

    pub async fn delete(&self, group: &Str) -> Reply<()> {
        self.ask(group, |port| Event::DeleteGroup { group: group.clone(), port }).await
    }

    /// Groups of all shards; states and types in lower case, none for all.
    pub async fn list(&self, states: &[String], types: &[String]) -> Reply<Vec<ListedGroup>> {
        let mut listed = Vec::new();
        for shard in self.all_shards() {
            let (states, types) = (states.to_vec(), types.to_vec());
            match ask(shard, |port| Event::List(ListCall { states, types, port })).await {
                Ok(groups) => listed.extend(groups),
                Err(ErrorCode::NotCoordinator) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(listed)
    }

    /// What the groups of the shards that can answer have committed; so many groups and committed offsets at most.
    pub async fn survey(&self, size_max: usize) -> Survey {
        let mut all = Survey::default();
        for shard in self.all_shards() {
            let left = size_max.saturating_sub(all.size());
            if let Ok(survey) = ask(shard, |port| Event::Survey { size_max: left, port }).await {
                all.groups.extend(survey.groups);
                all.left_out += survey.left_out;
            }
        }
        all
    }

    async fn ask<T: Send + 'static>(&self, group: &str, event: impl FnOnce(Port<T>) -> Event) -> Reply<T> {
        let partition = self.partition_of(group);
        let shard = self.shards.read().get(&partition).map(|shard| shard.events.clone());
        ask(shard.ok_or(ErrorCode::NotCoordinator)?, event).await
    }

    fn all_shards(&self) -> Vec<mpsc::Sender<Event>> {
        self.shards.read().values().map(|shard| shard.events.clone()).collect()
    }

    fn check_session_timeout(&self, session_timeout_ms: i32) -> Reply<()> {
        let allowed =
            self.settings.session_timeout_min.as_millis()..=self.settings.session_timeout_max.as_millis();
        match u128::try_from(session_timeout_ms).is_ok_and(|asked| allowed.contains(&asked)) {
            true => Ok(()),
            false => Err(ErrorCode::InvalidSessionTimeout),
        }
    }

    fn start(&self, partition: i32, epoch: LeaderEpoch) -> Shard {
        let (events, incoming) = mpsc::channel(QUEUE);
        let appender = Appender {
            log: self.log.clone(),
            partition,
            epoch,
            compression: self.compression,
            commit_timeout: self.settings.commit_timeout,
        };
        let (settings, clock) = (self.settings.clone(), self.clock);
        let task = tokio::spawn(ShardTask { appender, settings, clock, events: incoming }.run());
        Shard { partition, epoch, events, task: task.abort_handle() }
    }
}

/// A shard that ends before it answers has lost its partition.
async fn ask<T: Send + 'static>(
    shard: mpsc::Sender<Event>,
    event: impl FnOnce(Port<T>) -> Event,
) -> Reply<T> {
    let (port, reply) = oneshot::channel();
    // Nobody listens where the caller has gone.
    let event = event(Port::new(move |answer| drop(port.send(answer))));
    shard.send(event).await.map_err(|_| ErrorCode::NotCoordinator)?;
    reply.await.unwrap_or(Err(ErrorCode::NotCoordinator))
}

fn checked_group_id(group: &Str) -> Reply<Str> {
    if group.is_empty() { Err(ErrorCode::InvalidGroupId) } else { Ok(group.clone()) }
}
