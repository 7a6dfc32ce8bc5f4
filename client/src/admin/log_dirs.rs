//! The log directories of a broker, as it describes them itself.

use protocol::ErrorCode;
use protocol::messages::describe_log_dirs_response::{DescribeLogDirsResult, DescribeLogDirsTopic};
use protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use protocol::types::BrokerId;

use crate::{Admin, Error, TopicPartition};

/// One log directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogDirDescription {
    pub path: String,
    /// Why nothing more is known of it.
    pub error: ErrorCode,
    pub replicas: Vec<ReplicaDescription>,
    /// Of the file system; `None` where the broker does not say.
    pub total_bytes: Option<u64>,
    pub usable_bytes: Option<u64>,
}

/// One replica in a log directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaDescription {
    pub partition: TopicPartition,
    pub bytes: u64,
    /// Records that are committed, and not here.
    pub lag: i64,
    /// It is being moved here from another directory of the broker, and counts as a replica only then.
    pub is_future: bool,
}

impl Admin {
    /// Every log directory of one broker, with all replicas in it.
    pub async fn describe_log_dirs(&self, broker: BrokerId) -> Result<Vec<LogDirDescription>, Error> {
        let request = DescribeLogDirsRequest { topics: None };
        let answer = self.call_broker(broker, &request).await?;
        let DescribeLogDirsResponse { error_code, results, .. } = answer;
        Error::check("DescribeLogDirs", format!("broker {broker}"), error_code, None)?;
        Ok(results.into_iter().map(LogDirDescription::of).collect())
    }
}

impl LogDirDescription {
    fn of(result: DescribeLogDirsResult) -> LogDirDescription {
        LogDirDescription {
            path: result.log_dir.into(),
            error: ErrorCode::from_code(result.error_code),
            replicas: result.topics.into_iter().flat_map(replicas).collect(),
            total_bytes: u64::try_from(result.total_bytes).ok(),
            usable_bytes: u64::try_from(result.usable_bytes).ok(),
        }
    }
}

fn replicas(topic: DescribeLogDirsTopic) -> impl Iterator<Item = ReplicaDescription> {
    let name = topic.name;
    topic.partitions.into_iter().map(move |replica| ReplicaDescription {
        partition: TopicPartition::new(name.clone(), replica.partition_index),
        bytes: u64::try_from(replica.partition_size).unwrap_or(0),
        lag: replica.offset_lag,
        is_future: replica.is_future_key,
    })
}
