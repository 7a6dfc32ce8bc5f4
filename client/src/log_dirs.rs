//! The log directories of a broker, as it describes them itself.

use protocol::messages::describe_log_dirs_response::DescribeLogDirsResult;
use protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use protocol::types::BrokerId;

use crate::{Admin, Error, Lane, TopicPartition};

/// One log directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogDirDescription {
    pub path: String,
    /// Why nothing more is known of it: the error's code. 0: it is in order.
    pub error_code: i16,
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
}

impl Admin {
    /// Every log directory of one broker, with all replicas in it.
    pub async fn describe_log_dirs(&self, broker: BrokerId) -> Result<Vec<LogDirDescription>, Error> {
        let request = DescribeLogDirsRequest { topics: None };
        let answer = self.cluster().broker(broker, Lane::Requests).await?.send(&request).await?;
        let DescribeLogDirsResponse { error_code, results, .. } = answer;
        Error::check("DescribeLogDirs", format!("broker {broker}"), error_code, None)?;
        Ok(results.into_iter().map(LogDirDescription::of).collect())
    }
}

impl LogDirDescription {
    fn of(result: DescribeLogDirsResult) -> LogDirDescription {
        let replicas = result.topics.into_iter().flat_map(|topic| {
            let name = topic.name;
            topic.partitions.into_iter().filter(|replica| !replica.is_future_key).map(move |replica| {
                ReplicaDescription {
                    partition: TopicPartition::new(name.clone(), replica.partition_index),
                    bytes: u64::try_from(replica.partition_size).unwrap_or(0),
                    lag: replica.offset_lag,
                }
            })
        });
        LogDirDescription {
            path: result.log_dir.into(),
            error_code: result.error_code,
            replicas: replicas.collect(),
            total_bytes: u64::try_from(result.total_bytes).ok(),
            usable_bytes: u64::try_from(result.usable_bytes).ok(),
        }
    }
}
