//! Transactions and their topic.

use crate::configs::allowed::Allowed::Any;
use crate::configs::allowed::at_least;
use crate::configs::key::{ConfigKey, idle, key};
use crate::configs::kind::Kind::{Boolean, Int, Short};

#[rustfmt::skip]
pub(super) const KEYS: &[ConfigKey] = &idle([
    key("transactional.id.expiration.ms", Int, "604800000", at_least(1),
        "After how long without a word a transactional id is forgotten."),
    key("transaction.max.timeout.ms", Int, "900000", at_least(1),
        "The longest transaction timeout that a producer may ask for."),
    key("transaction.abort.timed.out.transaction.cleanup.interval.ms", Int, "10000", at_least(1),
        "How often transactions are checked for their timeout."),
    key("transaction.remove.expired.transaction.cleanup.interval.ms", Int, "3600000", at_least(1),
        "How often transactional ids are checked for expiry."),
    key("transaction.partition.verification.enable", Boolean, "true", Any,
        "Whether a write is refused whose partition was not added to the transaction.").cluster_wide(),
    key("transaction.two.phase.commit.enable", Boolean, "false", Any,
        "Whether an outside coordinator may take part in transactions."),
    key("transaction.state.log.num.partitions", Int, "50", at_least(1),
        "How many partitions the topic of transactions has; not to be changed once it exists."),
    key("transaction.state.log.replication.factor", Short, "3", at_least(1),
        "How many replicas the topic of transactions gets; it is created once so many brokers are there."),
    key("transaction.state.log.min.isr", Int, "2", at_least(1),
        "min.insync.replicas of the topic of transactions."),
    key("transaction.state.log.segment.bytes", Int, "104857600", at_least(1),
        "The segment size of the topic of transactions."),
    key("transaction.state.log.load.buffer.size", Int, "5242880", at_least(1),
        "How many bytes are read at once when transactions are loaded."),
    key("add.partitions.to.txn.retry.backoff.ms", Int, "20", at_least(1),
        "How long the broker waits before it tries again to add a partition to a transaction."),
    key("add.partitions.to.txn.retry.backoff.max.ms", Int, "100", at_least(0),
        "For how long the broker tries to add a partition to a transaction at most."),
], "transactions are not served yet");
