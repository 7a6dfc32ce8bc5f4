//! A producer against a broker that keeps a log and fails where a test wants it to.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use client::{Acks, Cluster, Error, Producer, ProducerConfig, ProducerRecord};
use parking_lot::Mutex;
use protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use protocol::messages::{InitProducerIdResponse, ProduceRequest, ProduceResponse};
use protocol::records::{RecordBatch, batches};
use protocol::wire::RecordSet;
use protocol::{ApiKey, ErrorCode};
use support::{Reply, TOPIC_ID, answer, broker, impatient, metadata};

/// What happens to a produce.
#[derive(Clone, Copy)]
enum Fate {
    Append,
    Refuse(ErrorCode),
    /// Appends, and then the answer is lost.
    AppendAndHangUp,
    Hold,
}

/// One partition's log, and what becomes of each produce in turn; the last fate is that of all that follow.
struct Log {
    fates: Vec<Fate>,
    produces: AtomicUsize,
    next_producer_id: AtomicI64,
    batches: Mutex<Vec<RecordBatch>>,
}

impl Log {
    fn new(fates: &[Fate]) -> Arc<Log> {
        Arc::new(Log {
            fates: fates.to_vec(),
            produces: AtomicUsize::new(0),
            next_producer_id: AtomicI64::new(100),
            batches: Mutex::default(),
        })
    }

    async fn cluster(self: &Arc<Log>) -> Cluster {
        let log = Arc::clone(self);
        let port = broker(move |request, port| Arc::clone(&log).reply(request, port)).await;
        Cluster::connect(impatient(port)).await.expect("it connects")
    }

    async fn reply(self: Arc<Log>, mut request: support::RequestFrame, port: u16) -> Reply {
        match request.key {
            ApiKey::Metadata => answer(&request, &metadata(port, &["t"])),
            ApiKey::InitProducerId => {
                let producer_id = self.next_producer_id.fetch_add(1, Ordering::Relaxed);
                answer(
                    &request,
                    &InitProducerIdResponse { producer_id, producer_epoch: 0, ..Default::default() },
                )
            }
            ApiKey::Produce => {
                let produce: ProduceRequest = request.decode().expect("a produce");
                self.produce(&request, &produce)
            }
            other => panic!("nobody asked for {other}"),
        }
    }

    fn produce(&self, request: &support::RequestFrame, produce: &ProduceRequest) -> Reply {
        let turn = self.produces.fetch_add(1, Ordering::Relaxed);
        let (error, lost) = match self.fates[turn.min(self.fates.len() - 1)] {
            Fate::Hold => return Reply::Nothing,
            Fate::Append => (self.append(produce), false),
            Fate::AppendAndHangUp => (self.append(produce), true),
            Fate::Refuse(code) => (Err(code), false),
        };
        let partition = PartitionProduceResponse {
            error_code: error.err().unwrap_or_default().code(),
            base_offset: error.unwrap_or(-1),
            ..Default::default()
        };
        let topic = TopicProduceResponse {
            topic_id: TOPIC_ID,
            partition_responses: vec![partition],
            ..Default::default()
        };
        match (lost, produce.acks) {
            (true, _) => Reply::Close,
            (false, 0) => Reply::Nothing,
            (false, _) => answer(request, &ProduceResponse { responses: vec![topic], ..Default::default() }),
        }
    }

    /// As a leader does: a batch that was appended before is acknowledged again, a gap is refused.
    fn append(&self, produce: &ProduceRequest) -> Result<i64, ErrorCode> {
        let Some(RecordSet::Bytes(bytes)) = &produce.topic_data[0].partition_data[0].records else {
            panic!("a produce has records")
        };
        let batch = batches(bytes).next().expect("one batch").expect("whole");
        batch.verify_crc().expect("sound");
        let mut log = self.batches.lock();
        let header = batch.header;
        let same_producer =
            |it: &&RecordBatch| header.has_producer_id() && it.header.producer_id == header.producer_id;
        if let Some(last) = log.iter().rfind(same_producer) {
            if last.header.base_sequence == header.base_sequence {
                return Err(ErrorCode::DuplicateSequenceNumber);
            }
            if last.header.last_sequence() + 1 != header.base_sequence {
                return Err(ErrorCode::OutOfOrderSequenceNumber);
            }
        }
        let base_offset = log.iter().map(|batch| i64::from(batch.header.records_count)).sum();
        log.push(batch);
        Ok(base_offset)
    }

    fn values(&self) -> Vec<String> {
        let log = self.batches.lock();
        let records = log.iter().flat_map(|batch| batch.records(1 << 20).expect("it unpacks"));
        let value = |value: bytes::Bytes| String::from_utf8_lossy(&value).into_owned();
        records.map(|record| value(record.expect("whole").value.expect("a value"))).collect()
    }
}

fn record(value: impl ToString) -> ProducerRecord {
    let value = Some(value.to_string().into());
    ProducerRecord { topic: "t".into(), value, timestamp: 5, ..Default::default() }
}

fn config() -> ProducerConfig {
    ProducerConfig {
        linger: Duration::ZERO,
        retry: client::RetryPolicy { backoff: Duration::from_millis(1), ..Default::default() },
        ..ProducerConfig::default()
    }
}

async fn send(producer: &Producer, value: impl ToString) -> Result<Option<i64>, Error> {
    Ok(producer.send(record(value)).await?.await?.offset)
}

#[tokio::test]
async fn records_are_acknowledged_with_their_offsets_in_order() {
    let log = Log::new(&[Fate::Append]);
    let producer = Producer::new(log.cluster().await, config());
    let mut deliveries = Vec::new();
    for value in 0..500 {
        deliveries.push(producer.send(record(value)).await.expect("there is room"));
    }
    for (value, delivery) in deliveries.into_iter().enumerate() {
        assert_eq!(delivery.await.expect("it is appended").offset, Some(value as i64));
    }
    assert_eq!(log.values(), (0..500).map(|value| value.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_record_whose_answer_was_lost_is_appended_once() {
    let log = Log::new(&[Fate::AppendAndHangUp, Fate::Append]);
    let producer = Producer::new(log.cluster().await, config());
    assert_eq!(send(&producer, "a").await.expect("it is there"), None, "where, the leader forgot");
    assert_eq!(send(&producer, "b").await.expect("it is appended"), Some(1));
    assert_eq!(log.values(), ["a", "b"]);
}

#[tokio::test]
async fn what_is_refused_for_the_moment_is_sent_again() {
    let moved = Fate::Refuse(ErrorCode::NotLeaderOrFollower);
    let log = Log::new(&[moved, moved, Fate::Append]);
    let producer = Producer::new(log.cluster().await, config());
    assert_eq!(send(&producer, "a").await.expect("the third time"), Some(0));
}

#[tokio::test]
async fn after_a_lost_batch_the_next_goes_under_a_new_identity() {
    let log = Log::new(&[Fate::Append, Fate::Refuse(ErrorCode::MessageTooLarge), Fate::Append]);
    let producer = Producer::new(log.cluster().await, config());
    send(&producer, "a").await.expect("it is appended");
    let refused = send(&producer, "b").await.expect_err("too large");
    assert_eq!(refused.code(), Some(ErrorCode::MessageTooLarge));
    assert_eq!(send(&producer, "c").await.expect("no gap is seen"), Some(1));
    assert_eq!(log.values(), ["a", "c"]);
}

#[tokio::test]
async fn a_leader_that_stays_silent_costs_the_delivery_its_time_and_no_more() {
    let log = Log::new(&[Fate::Hold]);
    let config = ProducerConfig { delivery_timeout: Duration::from_millis(700), ..config() };
    let producer = Producer::new(log.cluster().await, config);
    let lost = tokio::time::timeout(Duration::from_secs(5), send(&producer, "a")).await;
    let error = lost.expect("it does not wait for ever").expect_err("nobody acknowledged");
    assert!(matches!(error, Error::DeliveryTimeout { .. }), "{error}");
}

#[tokio::test]
async fn without_acknowledgements_records_are_delivered_when_they_are_written() {
    let log = Log::new(&[Fate::Append]);
    let config = ProducerConfig { acks: Acks::None, idempotent: false, ..config() };
    let producer = Producer::new(log.cluster().await, config);
    assert_eq!(send(&producer, "a").await.expect("it is written"), None);
    while log.values().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.values(), ["a"]);
}

#[tokio::test]
async fn a_dropped_producer_still_delivers_what_it_took() {
    let log = Log::new(&[Fate::Append]);
    let config = ProducerConfig { linger: Duration::from_secs(60), ..config() };
    let producer = Producer::new(log.cluster().await, config);
    let delivery = producer.send(record("a")).await.expect("there is room");
    drop(producer);
    assert_eq!(delivery.await.expect("it is appended").offset, Some(0));
}
