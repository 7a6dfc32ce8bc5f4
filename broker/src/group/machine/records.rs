//! What the coordinator keeps in its log: one record per group and one per committed offset, in Kafka's own schemas.
//!
//! The key says what a record is about, the value what holds now; no value says that it is gone. Kafka's other kinds of
//! groups keep records of their own in the same log, which are left alone here.

use bytes::Bytes;
use protocol::messages::{GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue};
use protocol::wire::{DecodeError, EncodeError, Message, RecordKey, Str};

use super::offsets::{CommittedOffset, OffsetKey};

/// The version in which a group is written: the last that has no tagged fields, as Kafka writes it.
const GROUP_VERSION: i16 = 3;

/// The type of offset commits as Kafka wrote them before 0.9; their fields are the same.
const OLD_OFFSET_COMMIT: i16 = 0;

/// One change of what the coordinator keeps.
#[derive(Debug, Clone, PartialEq)]
pub enum CoordinatorRecord {
    Group { group: Str, value: GroupMetadataValue },
    GroupGone { group: Str },
    Offset { key: OffsetKey, value: CommittedOffset },
    OffsetGone { key: OffsetKey },
}

/// A record as it stands in a batch.
pub struct KeyValue {
    pub key: Bytes,
    pub value: Option<Bytes>,
}

impl CoordinatorRecord {
    pub fn encode(&self) -> Result<KeyValue, EncodeError> {
        let (key, value) = match self {
            CoordinatorRecord::Group { group, value } => {
                (group_key(group)?, Some(value.encode_versioned(GROUP_VERSION)?))
            }
            CoordinatorRecord::GroupGone { group } => (group_key(group)?, None),
            CoordinatorRecord::Offset { key, value } => (offset_key(key)?, Some(value.encode()?)),
            CoordinatorRecord::OffsetGone { key } => (offset_key(key)?, None),
        };
        Ok(KeyValue { key, value })
    }

    /// Reads a record; none if it is of a kind that is not known here.
    pub fn decode(key: &Bytes, value: Option<Bytes>) -> Result<Option<CoordinatorRecord>, DecodeError> {
        let kind = key.first_chunk().map(|kind| i16::from_be_bytes(*kind));
        match kind {
            Some(OffsetCommitKey::TYPE | OLD_OFFSET_COMMIT) => decode_offset(key, value).map(Some),
            Some(GroupMetadataKey::TYPE) => decode_group(key, value),
            _ => Ok(None),
        }
    }
}

fn group_key(group: &Str) -> Result<Bytes, EncodeError> {
    GroupMetadataKey { group: group.clone() }.encode_typed()
}

fn offset_key(key: &OffsetKey) -> Result<Bytes, EncodeError> {
    let OffsetKey { group, topic, partition } = key.clone();
    OffsetCommitKey { group, topic, partition }.encode_typed()
}

fn decode_group(key: &Bytes, value: Option<Bytes>) -> Result<Option<CoordinatorRecord>, DecodeError> {
    let Some(GroupMetadataKey { group }) = GroupMetadataKey::decode_typed(key.clone())? else {
        return Ok(None);
    };
    let record = match value {
        Some(value) => {
            CoordinatorRecord::Group { group, value: GroupMetadataValue::decode_versioned(value)?.0 }
        }
        None => CoordinatorRecord::GroupGone { group },
    };
    Ok(Some(record))
}

fn decode_offset(key: &Bytes, value: Option<Bytes>) -> Result<CoordinatorRecord, DecodeError> {
    let mut fields = protocol::wire::Reader::new(key.slice(size_of::<i16>()..));
    let OffsetCommitKey { group, topic, partition } = OffsetCommitKey::decode(&mut fields, 0)?;
    let key = OffsetKey { group, topic, partition };
    Ok(match value {
        Some(value) => {
            let value = CommittedOffset::of_record(&OffsetCommitValue::decode_versioned(value)?.0);
            CoordinatorRecord::Offset { key, value }
        }
        None => CoordinatorRecord::OffsetGone { key },
    })
}

#[cfg(test)]
mod tests {
    use protocol::types::Uuid;

    use super::*;

    fn check(record: CoordinatorRecord) {
        let KeyValue { key, value } = record.encode().expect("it is short enough");
        let decoded = CoordinatorRecord::decode(&key, value).expect("it was encoded here");
        assert_eq!(decoded, Some(record));
    }

    fn key() -> OffsetKey {
        OffsetKey { group: "g".into(), topic: "t".into(), partition: 7 }
    }

    #[test]
    fn records_read_back() {
        let value = GroupMetadataValue { generation: 3, leader: None, protocol: None, ..Default::default() };
        check(CoordinatorRecord::Group { group: "g".into(), value });
        check(CoordinatorRecord::GroupGone { group: "g".into() });
        check(CoordinatorRecord::OffsetGone { key: key() });
        let committed = CommittedOffset {
            offset: 42,
            leader_epoch: 5,
            metadata: "note".into(),
            commit_timestamp_ms: 99,
            topic_id: Uuid([7; 16]),
            ..Default::default()
        };
        check(CoordinatorRecord::Offset { key: key(), value: committed });
    }

    #[test]
    fn a_commit_with_an_expiry_of_its_own_is_written_as_kafka_writes_it() {
        let value = CommittedOffset { expire_timestamp_ms: Some(5), ..Default::default() };
        let encoded = value.encode().expect("it is short enough");
        assert_eq!(encoded[..2], [0, 1]);
        check(CoordinatorRecord::Offset { key: key(), value });
    }

    #[test]
    fn records_of_other_kinds_are_left_alone() {
        let decoded = CoordinatorRecord::decode(&Bytes::from_static(&[0, 3, 0, 1, b'g']), None);
        assert_eq!(decoded.expect("nothing is wrong with it"), None);
    }
}
