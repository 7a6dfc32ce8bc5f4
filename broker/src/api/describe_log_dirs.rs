//! DescribeLogDirs: the log directories of this broker, the replicas in them, and the room that is left (KIP-113, KIP-827).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use nix::sys::statvfs::statvfs;
use protocol::ErrorCode;
use protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use protocol::wire::Str;

use super::RequestContext;
use crate::Broker;
use crate::replica::log_dirs::ReplicaDir;
use crate::replica::partition::Partition;

/// The partitions that a client wants to hear of; all without it.
type Wanted = Option<BTreeMap<String, BTreeSet<i32>>>;

/// Looks at the directories on a thread of its own, since a file system may keep one waiting.
pub async fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let broker = broker.clone();
    let described = tokio::task::spawn_blocking(move || describe(&broker, &wanted(&request))).await;
    match described {
        Ok(results) => DescribeLogDirsResponse { results, ..Default::default() },
        Err(_) => {
            let error_code = ErrorCode::UnknownServerError.code();
            DescribeLogDirsResponse { error_code, ..Default::default() }
        }
    }
}

fn wanted(request: &DescribeLogDirsRequest) -> Wanted {
    let mut wanted: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for topic in request.topics.as_ref()? {
        wanted.entry(topic.topic.as_str().to_owned()).or_default().extend(&topic.partitions);
    }
    Some(wanted)
}

fn describe(broker: &Broker, wanted: &Wanted) -> Vec<DescribeLogDirsResult> {
    let replicas = broker.replicas.all();
    let described = broker.replicas.dirs().iter().map(|dir| {
        let here =
            replicas.iter().filter(|replica| Arc::ptr_eq(&replica.dir, dir) && is_wanted(wanted, replica));
        describe_dir(dir, topics(here))
    });
    described.collect()
}

fn is_wanted(wanted: &Wanted, replica: &Partition) -> bool {
    let Some(wanted) = wanted else { return true };
    wanted.get(&*replica.at.topic).is_some_and(|partitions| partitions.contains(&replica.at.partition))
}

fn describe_dir(dir: &ReplicaDir, topics: Vec<DescribeLogDirsTopic>) -> DescribeLogDirsResult {
    let path = std::path::absolute(dir.path()).unwrap_or_else(|_| dir.path().to_owned());
    let log_dir = Str::from(path.to_string_lossy().into_owned());
    let room = if dir.is_online() { room(&path) } else { None };
    match room {
        Some((total_bytes, usable_bytes)) => {
            DescribeLogDirsResult { log_dir, topics, total_bytes, usable_bytes, ..Default::default() }
        }
        None => {
            let error_code = ErrorCode::KafkaStorageError.code();
            DescribeLogDirsResult { log_dir, error_code, ..Default::default() }
        }
    }
}

/// How many bytes the file system has, and how many of them are left for us.
fn room(path: &Path) -> Option<(i64, i64)> {
    let facts = statvfs(path).ok()?;
    let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(facts.fragment_size())).unwrap_or(i64::MAX);
    Some((bytes(facts.blocks()), bytes(facts.blocks_available())))
}

/// Replicas whose logs can be used, by topic and number.
fn topics<'a>(replicas: impl Iterator<Item = &'a Arc<Partition>>) -> Vec<DescribeLogDirsTopic> {
    let mut topics: BTreeMap<&str, BTreeMap<i32, DescribeLogDirsPartition>> = BTreeMap::new();
    for replica in replicas {
        let Some(usage) = replica.usage() else { continue };
        let partition = DescribeLogDirsPartition {
            partition_index: replica.at.partition,
            partition_size: i64::try_from(usage.bytes).unwrap_or(i64::MAX),
            offset_lag: usage.lag,
            ..Default::default()
        };
        topics.entry(&replica.at.topic).or_default().insert(replica.at.partition, partition);
    }
    let topic = |(name, partitions): (&str, BTreeMap<i32, _>)| DescribeLogDirsTopic {
        name: Str::from(name),
        partitions: partitions.into_values().collect(),
    };
    topics.into_iter().map(topic).collect()
}

#[cfg(test)]
mod tests {
    use protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;

    use super::*;

    #[test]
    fn null_asks_for_everything_and_an_empty_list_for_nothing() {
        assert_eq!(wanted(&DescribeLogDirsRequest::default()), Some(BTreeMap::new()));
        assert_eq!(wanted(&DescribeLogDirsRequest { topics: None }), None);
        let topic = |partitions| DescribableLogDirTopic { topic: "t".into(), partitions };
        let request = DescribeLogDirsRequest { topics: Some(vec![topic(vec![2]), topic(vec![1])]) };
        assert_eq!(wanted(&request), Some(BTreeMap::from([("t".to_owned(), BTreeSet::from([1, 2]))])));
    }

    #[test]
    fn a_file_system_has_no_more_room_than_bytes() {
        let (total, usable) = room(Path::new("/")).expect("it is there");
        assert!(usable > 0 && usable <= total);
        assert_eq!(room(Path::new("/no/such/folder")), None);
    }
}
