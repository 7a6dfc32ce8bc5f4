//! What is encoded decodes to itself, for every message in every version; and what cannot be encoded says so.

use bytes::Bytes;
use protocol::arbitrary::{MESSAGES, Source};
use protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use protocol::messages::{
    ConsumerGroupMemberMetadataValue, DeleteTopicsResponse, EndTxnMarker, FetchRequest, FetchResponse,
    JoinGroupResponse, OffsetCommitKey, OffsetFetchRequest,
};
use protocol::wire::{DecodeProblem, EncodeProblem, Gap, Message, Reader, RecordKey, RecordSet, Writer};

const MESSAGES_PER_VERSION: u64 = 100;

fn decode<M: Message>(bytes: &[u8], version: i16) -> Result<M, DecodeProblem> {
    let mut reader = Reader::new(Bytes::copy_from_slice(bytes));
    M::decode(&mut reader, version).map_err(|error| error.problem().clone())
}

fn encode<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeProblem> {
    let mut writer = Writer::new();
    message.encode(&mut writer, version).map_err(|error| error.problem().clone())?;
    Ok(writer.finish().bytes)
}

#[test]
fn every_message_reads_back_as_it_was_written() {
    for message in MESSAGES {
        for version in message.first_version..=message.last_version {
            for seed in 0..MESSAGES_PER_VERSION {
                let outcome = message.round_trip(&mut Source::new(seed), version);
                outcome.unwrap_or_else(|why| panic!("{} v{version}, seed {seed}: {why}", message.name));
            }
        }
    }
}

#[test]
fn a_field_that_the_version_lacks_is_refused_unless_it_is_ignorable() {
    let session = FetchResponse { session_id: 1, ..Default::default() };
    assert_eq!(encode(&session, 6), Err(EncodeProblem::NotInVersion(6)));
    assert!(encode(&session, 7).is_ok());
    let ignorable = FetchResponse { error_code: 1, ..Default::default() };
    assert!(encode(&ignorable, 6).is_ok());
}

#[test]
fn a_tagged_field_that_the_version_lacks_is_refused() {
    let mut partition = PartitionData::default();
    partition.current_leader.leader_id = 2;
    let topic = FetchableTopicResponse { partitions: vec![partition], ..Default::default() };
    let message = FetchResponse { responses: vec![topic], ..Default::default() };
    let mut writer = Writer::new();
    let error = message.encode(&mut writer, 11).expect_err("version 11 has no tags");
    assert_eq!(error.path(), "FetchResponse.responses[0].partitions[0].current_leader");
    assert_eq!(error.problem(), &EncodeProblem::NotInVersion(11));
}

#[test]
fn null_is_refused_where_the_version_has_none() {
    let message = OffsetFetchRequest { topics: None, ..Default::default() };
    assert_eq!(encode(&message, 1), Err(EncodeProblem::Null));
    assert!(encode(&message, 2).is_ok());
    assert_eq!(decode::<JoinGroupResponse>(&[0, 0, 0, 0, 0, 0, 0xff, 0xff], 0), Err(DecodeProblem::Null));
}

#[test]
fn versions_outside_the_range_are_refused() {
    assert_eq!(encode(&FetchRequest::default(), 3), Err(EncodeProblem::UnknownVersion(3)));
    assert_eq!(decode::<FetchRequest>(&[0; 64], 19), Err(DecodeProblem::UnknownVersion(19)));
}

#[test]
fn an_unknown_tag_is_skipped() {
    let plain = encode(&DeleteTopicsResponse::default(), 6).expect("it encodes");
    assert_eq!(plain[..], [0, 0, 0, 0, 1, 0]);
    let tagged = [0, 0, 0, 0, 1, 1, 99, 3, 7, 7, 7];
    assert_eq!(decode::<DeleteTopicsResponse>(&tagged, 6), Ok(DeleteTopicsResponse::default()));
}

#[test]
fn a_tag_that_lies_about_its_size_is_refused() {
    let request = FetchRequest { cluster_id: Some("abc".into()), ..Default::default() };
    let good = encode(&request, 12).expect("it encodes");
    let at = good.windows(3).position(|bytes| bytes == [0, 4, 4]).expect("tag 0, four bytes, length 3");
    let mut bad = good.to_vec();
    bad[at + 1] = 3;
    let problem = decode::<FetchRequest>(&bad, 12).expect_err("the tag is cut short");
    assert_eq!(problem, DecodeProblem::TagSize { tag: 0, said: 3, taken: 4 });
}

#[test]
fn a_tagged_struct_that_is_null_is_not_its_default() {
    let null = ConsumerGroupMemberMetadataValue { classic_member_metadata: None, ..Default::default() };
    let bytes = encode(&null, 0).expect("it encodes");
    assert!(bytes.ends_with(&[1, 0, 1, 0]), "one tag, number 0, one byte, null");
    assert_eq!(decode(&bytes, 0), Ok(null));
}

#[test]
fn a_bad_length_is_refused_with_its_field_and_place() {
    let bytes = Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff]);
    let error = FetchResponse::decode(&mut Reader::new(bytes), 4).expect_err("so many topics are not there");
    assert_eq!((error.path(), error.position()), ("FetchResponse.responses[0].topic", 10));
    let many = Bytes::from_static(&[0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]);
    let error = FetchResponse::decode(&mut Reader::new(many), 4).expect_err("so many topics are not there");
    assert_eq!(error.problem(), &DecodeProblem::TooManyElements { count: 0x7fff_ffff, left: 0 });
    assert_eq!(
        error.to_string(),
        "FetchResponse.responses at byte 8: 2147483647 elements cannot lie in the 0 bytes that are left"
    );
}

#[test]
fn records_that_lie_elsewhere_leave_a_gap_behind_their_length() {
    let elsewhere = |length, token| PartitionData {
        records: Some(RecordSet::Elsewhere { length, token }),
        ..Default::default()
    };
    let topic =
        FetchableTopicResponse { partitions: vec![elsewhere(300, 0), elsewhere(5, 1)], ..Default::default() };
    let message = FetchResponse { responses: vec![topic], ..Default::default() };
    let mut writer = Writer::new();
    message.encode(&mut writer, 4).expect("it encodes");
    let encoded = writer.finish();
    let [first, second] = encoded.gaps[..] else { panic!("two gaps, not {:?}", encoded.gaps) };
    assert_eq!(
        (first.length, first.token, second),
        (300, 0, Gap { position: encoded.bytes.len(), length: 5, token: 1 })
    );
    assert_eq!(encoded.bytes[first.position - 4..first.position], 300i32.to_be_bytes());
    assert_eq!(encoded.total_length(), encoded.bytes.len() + 305);
}

#[test]
fn coordinator_records_bear_their_type_and_their_version() {
    let key = OffsetCommitKey { group: "g".into(), topic: "t".into(), partition: 3 };
    let bytes = key.encode_typed().expect("it encodes");
    assert_eq!(bytes[..], [0, 1, 0, 1, b'g', 0, 1, b't', 0, 0, 0, 3]);
    assert_eq!(OffsetCommitKey::decode_typed(bytes.clone()), Ok(Some(key)));
    assert_eq!(protocol::messages::GroupMetadataKey::decode_typed(bytes), Ok(None));
    let marker = EndTxnMarker { coordinator_epoch: 7 };
    let bytes = marker.encode_versioned(0).expect("it encodes");
    assert_eq!(bytes[..], [0, 0, 0, 0, 0, 7]);
    assert_eq!(EndTxnMarker::decode_versioned(bytes), Ok((marker, 0)));
}
