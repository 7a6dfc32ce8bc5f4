//! What a client may do, as the bit field that responses carry. Without an authorizer everyone may do everything.

/// Kafka's `AclOperation`s, by their codes.
#[derive(Clone, Copy)]
#[repr(u8)]
enum AclOperation {
    Read = 3,
    Write = 4,
    Create = 5,
    Delete = 6,
    Alter = 7,
    Describe = 8,
    ClusterAction = 9,
    DescribeConfigs = 10,
    AlterConfigs = 11,
    IdempotentWrite = 12,
}

use AclOperation::*;

/// What the field holds when the client did not ask.
pub(super) const NOT_ASKED: i32 = i32::MIN;

/// All that can be done to a topic.
pub(super) const ALL_OF_TOPIC: i32 =
    bits(&[Read, Write, Create, Delete, Alter, Describe, DescribeConfigs, AlterConfigs]);

/// All that can be done to a group.
pub(super) const ALL_OF_GROUP: i32 = bits(&[Read, Delete, Describe, DescribeConfigs, AlterConfigs]);

/// All that can be done to the cluster.
pub(super) const ALL_OF_CLUSTER: i32 =
    bits(&[Create, Alter, Describe, ClusterAction, DescribeConfigs, AlterConfigs, IdempotentWrite]);

const fn bits(operations: &[AclOperation]) -> i32 {
    let (mut bits, mut at) = (0, 0);
    while at < operations.len() {
        bits |= 1 << operations[at] as i32;
        at += 1;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_those_of_apache_kafka_without_an_authorizer() {
        assert_eq!((ALL_OF_TOPIC, ALL_OF_CLUSTER), (3576, 8096));
    }
}
