//! What an idempotent producer has sent behind a batch that is refused for the moment is refused with it, and comes in order.

use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use e2e::frames::RawConnection;
use e2e::server::Server;
use e2e::{kcat, wire};
use protocol::ErrorCode;
use protocol::messages::ProduceRequest;
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::records::{BatchBuilder, Compression};
use protocol::wire::RecordSet;

const TOPIC: &str = "late";
const PRODUCER_ID: i64 = 4711;
/// The last version that names topics.
const PRODUCE_VERSION: i16 = 12;
const TIMEOUT: Duration = Duration::from_secs(20);

/// A producer with several batches on their way, of one record each.
struct Producer {
    connection: RawConnection,
}

impl Producer {
    /// Sends the record that has this number; the error and the offset it is answered with.
    fn send(&mut self, number: i32) -> Result<(ErrorCode, i64)> {
        let mut batch = BatchBuilder::new(Compression::None).producer(PRODUCER_ID, 0, number);
        let now_ms = i64::try_from(UNIX_EPOCH.elapsed()?.as_millis())?;
        batch.append(now_ms, None, Some(number.to_string().as_bytes()), &[]);
        let records = Some(RecordSet::Bytes(batch.build()?));
        let partition = PartitionProduceData { index: 0, records };
        let topic =
            TopicProduceData { name: TOPIC.into(), partition_data: vec![partition], ..Default::default() };
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: i32::try_from(TIMEOUT.as_millis())?,
            topic_data: vec![topic],
            ..Default::default()
        };
        let answer = wire::call_over(&mut self.connection, &request, PRODUCE_VERSION)?;
        let partitions = answer.responses.first().context("one topic")?.partition_responses.clone();
        let partition = partitions.first().context("one partition")?;
        Ok((ErrorCode::from_code(partition.error_code), partition.base_offset))
    }
}

/// The refusal here is that of a topic that is not there yet; a partition that is about to be led is the usual case. Apache
/// Kafka takes the second batch in, and can take the first in no more.
#[test]
fn a_batch_does_not_overtake_the_refused_one_that_it_follows() -> Result<()> {
    let server = Server::with("refused-batches", &[("auto.create.topics.enable", "false")])?;
    let mut producer = Producer { connection: RawConnection::open(server.port())? };
    assert_eq!(producer.send(0)?, (ErrorCode::UnknownTopicOrPartition, -1));
    let created = wire::create_topic(server.port(), TOPIC, 1, 1, TIMEOUT)?;
    ensure!(created == ErrorCode::None, "{created:?}");
    if !server.is_milena() {
        assert_eq!(producer.send(1)?, (ErrorCode::None, 0));
        assert_eq!(producer.send(0)?, (ErrorCode::OutOfOrderSequenceNumber, -1));
        return server.done();
    }
    assert_eq!(producer.send(1)?, (ErrorCode::UnknownTopicOrPartition, -1));
    assert_eq!(producer.send(0)?, (ErrorCode::None, 0));
    assert_eq!(producer.send(2)?, (ErrorCode::UnknownTopicOrPartition, -1));
    assert_eq!(producer.send(1)?, (ErrorCode::None, 1));
    assert_eq!(producer.send(2)?, (ErrorCode::None, 2));
    kcat::await_records(&server.bootstrap(), TOPIC, 0, &["0", "1", "2"].map(String::from))?;
    server.done()
}
