//! Fetch sessions (KIP-227): what a client fetches from is remembered, so that a fetch names only what changed and a response
//! only what has news.
//!
//! Pure but for the lock of its owner. A session's partitions stand in the order in which they are served; one that gave
//! records goes to the end, so that none starves behind a busy one.

use std::collections::{BTreeMap, HashMap};

use protocol::ErrorCode;
use protocol::messages::FetchRequest;
use protocol::messages::fetch_request::FetchPartition;
use protocol::messages::fetch_response::PartitionData;
use protocol::types::Uuid;
use protocol::wire::Str;

/// The epoch by which a client asks for a full fetch and, if it can be had, a new session.
const INITIAL_EPOCH: i32 = 0;

/// The epoch by which a client asks for a full fetch without a session, and ends the one it had.
const FINAL_EPOCH: i32 = -1;

/// How a fetch names a topic: by name up to version 12, by id from 13 on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicRef {
    pub name: Str,
    pub id: Uuid,
}

impl TopicRef {
    /// A copy that keeps no request in memory: a session outlives the one that named the topic.
    fn detached(&self) -> TopicRef {
        TopicRef { name: self.name.detached(), id: self.id }
    }
}

/// One partition to fetch from, as last asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub topic: TopicRef,
    pub partition: FetchPartition,
}

/// What a session remembers of one partition.
#[derive(Debug)]
struct Remembered {
    wanted: Wanted,
    /// What the client was last told; `None` until it was told, and after an error.
    told: Option<Told>,
}

#[derive(Debug, PartialEq)]
struct Told {
    high_watermark: i64,
    log_start_offset: i64,
}

impl Told {
    fn by(outcome: &PartitionData) -> Told {
        Told { high_watermark: outcome.high_watermark, log_start_offset: outcome.log_start_offset }
    }
}

/// One session.
#[derive(Debug)]
pub struct Session {
    /// The epoch that the next fetch must carry.
    next_epoch: i32,
    uses_topic_ids: bool,
    /// By place; the place of each is in `places`.
    partitions: BTreeMap<u64, Remembered>,
    places: HashMap<(TopicRef, i32), u64>,
    next_place: u64,
}

impl Session {
    /// The session that a full fetch begins.
    pub fn new(uses_topic_ids: bool) -> Session {
        let (partitions, places) = Default::default();
        Session { next_epoch: 1, uses_topic_ids, partitions, places, next_place: 0 }
    }

    /// How many partitions it remembers.
    pub fn len(&self) -> usize {
        self.partitions.len()
    }

    /// Whether it remembers no partition any more.
    pub fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// Takes in the changes of one fetch.
    pub fn update(&mut self, request: &FetchRequest, uses_topic_ids: bool) -> Result<(), ErrorCode> {
        if request.session_epoch != self.next_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if uses_topic_ids != self.uses_topic_ids {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        self.next_epoch = self.next_epoch.checked_add(1).unwrap_or(1);
        self.add(request);
        self.forget(request);
        Ok(())
    }

    /// Adds the partitions that a fetch names, or changes how they are fetched.
    pub fn add(&mut self, request: &FetchRequest) {
        for wanted in wanted(request) {
            let key = (wanted.topic.clone(), wanted.partition.partition);
            match self.places.get(&key).and_then(|place| self.partitions.get_mut(place)) {
                Some(remembered) => remembered.renew(wanted),
                None => {
                    let topic = key.0.detached();
                    self.places.insert((topic.clone(), key.1), self.next_place);
                    let wanted = Wanted { topic, ..wanted };
                    self.partitions.insert(self.next_place, Remembered { wanted, told: None });
                    self.next_place += 1;
                }
            }
        }
    }

    fn forget(&mut self, request: &FetchRequest) {
        for forgotten in &request.forgotten_topics_data {
            let topic = TopicRef { name: forgotten.topic.clone(), id: forgotten.topic_id };
            for &partition in &forgotten.partitions {
                if let Some(place) = self.places.remove(&(topic.clone(), partition)) {
                    self.partitions.remove(&place);
                }
            }
        }
    }

    /// All partitions, in the order in which they are to be served.
    pub fn wanted(&self) -> Vec<Wanted> {
        self.partitions.values().map(|remembered| remembered.wanted.clone()).collect()
    }

    /// Whether the client has yet to be told of this outcome.
    pub fn is_news(&self, topic: &TopicRef, outcome: &PartitionData) -> bool {
        let place = self.places.get(&(topic.clone(), outcome.partition_index));
        let remembered = place.and_then(|place| self.partitions.get(place));
        remembered.is_none_or(|remembered| remembered.told.as_ref() != Some(&Told::by(outcome)))
    }

    /// Whether the client must be told of this outcome; remembers that it was. A partition that gave records goes last.
    pub fn has_news(&mut self, topic: &TopicRef, outcome: &PartitionData) -> bool {
        let key = (topic.clone(), outcome.partition_index);
        let Some(&place) = self.places.get(&key) else { return true };
        let Some(remembered) = self.partitions.get_mut(&place) else { return true };
        let told = Told::by(outcome);
        let has_records = outcome.records.as_ref().is_some_and(|records| !records.is_empty());
        let failed = outcome.error_code != 0;
        let redirected = outcome.preferred_read_replica >= 0 || outcome.diverging_epoch.epoch >= 0;
        let news = has_records || failed || redirected || remembered.told.as_ref() != Some(&told);
        remembered.told = (!failed).then_some(told);
        if has_records {
            self.move_last(key, place);
        }
        news
    }

    fn move_last(&mut self, key: (TopicRef, i32), place: u64) {
        if let Some(remembered) = self.partitions.remove(&place) {
            self.partitions.insert(self.next_place, remembered);
            self.places.insert(key, self.next_place);
            self.next_place += 1;
        }
    }
}

impl Remembered {
    /// The client asks otherwise from now on. To one that follows another leader epoch nothing was told yet.
    fn renew(&mut self, wanted: Wanted) {
        if wanted.partition.current_leader_epoch != self.wanted.partition.current_leader_epoch {
            self.told = None;
        }
        self.wanted.partition = wanted.partition;
    }
}

/// Whether a request asks for everything anew, and with it perhaps for a session.
pub fn is_full(request: &FetchRequest) -> bool {
    request.session_epoch == INITIAL_EPOCH || request.session_epoch == FINAL_EPOCH
}

/// Whether a full fetch wants a session for the fetches to come.
pub fn wants_session(request: &FetchRequest) -> bool {
    request.session_epoch == INITIAL_EPOCH && !request.topics.is_empty()
}

/// The partitions that a request names itself.
pub fn wanted(request: &FetchRequest) -> impl Iterator<Item = Wanted> {
    request.topics.iter().flat_map(|topic| {
        let reference = TopicRef { name: topic.topic.clone(), id: topic.topic_id };
        topic
            .partitions
            .iter()
            .map(move |partition| Wanted { topic: reference.clone(), partition: partition.clone() })
    })
}
