//! The cache of fetch sessions: at most `max.incremental.fetch.session.cache.slots` of them, and the longest idle one makes
//! room once it has been idle for `min.incremental.fetch.session.eviction.ms`. Followers come first: a follower's makes room
//! for followers alone, and any consumer's at once for a follower.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::messages::FetchRequest;
use tokio::sync::Notify;

use super::session::{Session, Wanted, is_full, wanted, wants_session};

/// All sessions of a broker.
pub struct FetchSessions {
    slots: usize,
    evicted_after: Duration,
    cached: Mutex<HashMap<i32, Cached>>,
    evictions: AtomicU64,
}

/// How full the cache is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionsCount {
    pub sessions: usize,
    /// In all of them together.
    pub partitions: usize,
    /// Sessions that made room for others, ever.
    pub evictions: u64,
}

struct Cached {
    session: Arc<Mutex<Session>>,
    is_follower: bool,
    last_used: Instant,
    /// Tells the newest fetch that the next has come.
    overtaken: Arc<Notify>,
}

/// What one fetch is to read, and how its response is told.
pub struct Plan {
    pub wanted: Vec<Wanted>,
    /// 0: no session.
    pub session_id: i32,
    /// Where the session remembers; `None` without one.
    pub session: Option<Arc<Mutex<Session>>>,
    /// Only what has news goes into the response.
    pub incremental: bool,
    /// Told when the client sends its next fetch before this one is answered: it is after something else by then.
    pub overtaken: Arc<Notify>,
}

impl FetchSessions {
    /// An empty cache.
    pub fn new(slots: usize, evicted_after: Duration) -> FetchSessions {
        FetchSessions { slots, evicted_after, cached: Mutex::default(), evictions: AtomicU64::new(0) }
    }

    /// Goes through all sessions.
    pub fn count(&self) -> SessionsCount {
        let sessions: Vec<_> = self.cached.lock().values().map(|cached| cached.session.clone()).collect();
        SessionsCount {
            sessions: sessions.len(),
            partitions: sessions.iter().map(|session| session.lock().len()).sum(),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }

    /// What a request is to read. `uses_topic_ids`: it is of version 13 or later.
    pub fn plan(
        &self,
        request: &FetchRequest,
        uses_topic_ids: bool,
        now: Instant,
    ) -> Result<Plan, ErrorCode> {
        if is_full(request) {
            Ok(self.full(request, uses_topic_ids, now))
        } else {
            self.next(request, uses_topic_ids, now)
        }
    }

    fn full(&self, request: &FetchRequest, uses_topic_ids: bool, now: Instant) -> Plan {
        let mut cached = self.cached.lock();
        cached.remove(&request.session_id);
        let mut plan = Plan::without_session(wanted(request).collect());
        let is_follower = request.replica_id.max(request.replica_state.replica_id) >= 0;
        if wants_session(request) && self.has_room(&mut cached, is_follower, now) {
            let mut session = Session::new(uses_topic_ids);
            session.add(request);
            let session = Arc::new(Mutex::new(session));
            plan.session_id = unused_id(&cached);
            plan.session = Some(session.clone());
            cached.insert(
                plan.session_id,
                Cached { session, is_follower, last_used: now, overtaken: plan.overtaken.clone() },
            );
        }
        plan
    }

    fn next(&self, request: &FetchRequest, uses_topic_ids: bool, now: Instant) -> Result<Plan, ErrorCode> {
        let (session, overtaken) = {
            let mut cached = self.cached.lock();
            let cached = cached.get_mut(&request.session_id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
            cached.last_used = now;
            let before = std::mem::take(&mut cached.overtaken);
            before.notify_one();
            (cached.session.clone(), cached.overtaken.clone())
        };
        let mut locked = session.lock();
        locked.update(request, uses_topic_ids)?;
        if locked.is_empty() {
            self.cached.lock().remove(&request.session_id);
            return Ok(Plan::without_session(Vec::new()));
        }
        let wanted = locked.wanted();
        drop(locked);
        Ok(Plan {
            wanted,
            session_id: request.session_id,
            session: Some(session),
            incremental: true,
            overtaken,
        })
    }

    /// Whether one more fits, perhaps in the place of the one idle longest. Consumers' go before followers'.
    fn has_room(&self, cached: &mut HashMap<i32, Cached>, for_follower: bool, now: Instant) -> bool {
        if cached.len() < self.slots {
            return true;
        }
        let may_go = |cached: &Cached| {
            let is_idle = now.duration_since(cached.last_used) >= self.evicted_after;
            if for_follower { !cached.is_follower || is_idle } else { !cached.is_follower && is_idle }
        };
        let evictable = cached.iter().filter(|(_, cached)| may_go(cached));
        let evicted = evictable.min_by_key(|(_, cached)| (cached.is_follower, cached.last_used));
        let evicted = evicted.map(|(&id, _)| id);
        let made_room = evicted.is_some_and(|id| cached.remove(&id).is_some());
        self.evictions.fetch_add(made_room.into(), Ordering::Relaxed);
        made_room
    }
}

impl Plan {
    fn without_session(wanted: Vec<Wanted>) -> Plan {
        Plan { wanted, session_id: 0, session: None, incremental: false, overtaken: Arc::default() }
    }
}

fn unused_id(cached: &HashMap<i32, Cached>) -> i32 {
    loop {
        let id = fastrand::i32(1..);
        if !cached.contains_key(&id) {
            return id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
    use protocol::messages::fetch_response::PartitionData;
    use protocol::wire::Str;

    fn request(session_id: i32, session_epoch: i32, partitions: &[i32]) -> FetchRequest {
        let partitions: Vec<_> =
            partitions.iter().map(|&partition| FetchPartition { partition, ..Default::default() }).collect();
        let topic = FetchTopic { topic: "t".into(), partitions, ..Default::default() };
        let topics = if topic.partitions.is_empty() { vec![] } else { vec![topic] };
        FetchRequest { session_id, session_epoch, topics, ..Default::default() }
    }

    fn places(plan: &Plan) -> Vec<i32> {
        plan.wanted.iter().map(|wanted| wanted.partition.partition).collect()
    }

    fn cache(slots: usize) -> FetchSessions {
        FetchSessions::new(slots, Duration::from_secs(120))
    }

    #[test]
    fn an_incremental_fetch_reads_all_that_the_session_remembers() {
        let (sessions, now) = (cache(1), Instant::now());
        let first = sessions.plan(&request(0, 0, &[0, 1]), false, now).expect("full");
        assert!(first.session_id > 0 && !first.incremental);
        let mut next = request(first.session_id, 1, &[2]);
        next.forgotten_topics_data =
            vec![ForgottenTopic { topic: "t".into(), partitions: vec![0], ..Default::default() }];
        let second = sessions.plan(&next, false, now).expect("incremental");
        assert_eq!(places(&second), [1, 2]);
    }

    #[test]
    fn a_wrong_epoch_an_unknown_session_and_a_change_to_topic_ids_are_refused() {
        let (sessions, now) = (cache(1), Instant::now());
        let id = sessions.plan(&request(0, 0, &[0]), false, now).expect("full").session_id;
        let refused = |id, epoch, ids| sessions.plan(&request(id, epoch, &[]), ids, now).err();
        assert_eq!(refused(id, 7, false), Some(ErrorCode::InvalidFetchSessionEpoch));
        assert_eq!(refused(id.wrapping_add(1), 1, false), Some(ErrorCode::FetchSessionIdNotFound));
        assert_eq!(refused(id, 1, true), Some(ErrorCode::FetchSessionTopicIdError));
    }

    #[tokio::test]
    async fn a_fetch_is_told_when_the_next_of_its_session_comes() {
        let (sessions, now) = (cache(2), Instant::now());
        let id = sessions.plan(&request(0, 0, &[0]), false, now).expect("full").session_id;
        let parked = sessions.plan(&request(id, 1, &[]), false, now).expect("incremental");
        sessions.plan(&request(0, 0, &[0]), false, now).expect("another session");
        let told = tokio::time::timeout(Duration::ZERO, parked.overtaken.notified()).await;
        assert!(told.is_err(), "that was another client");
        sessions.plan(&request(id, 2, &[1]), false, now).expect("incremental");
        parked.overtaken.notified().await;
    }

    #[test]
    fn a_full_cache_gives_no_session_until_one_has_been_idle_long_enough() {
        let (sessions, now) = (cache(1), Instant::now());
        let first = sessions.plan(&request(0, 0, &[0]), false, now).expect("full").session_id;
        assert_eq!(sessions.plan(&request(0, 0, &[0]), false, now).expect("full").session_id, 0);
        let later = now + Duration::from_secs(121);
        assert_eq!(sessions.count(), SessionsCount { sessions: 1, partitions: 1, evictions: 0 });
        assert!(sessions.plan(&request(0, 0, &[0, 1]), false, later).expect("full").session_id > 0);
        assert!(sessions.plan(&request(first, 1, &[]), false, later).is_err());
        assert_eq!(sessions.count(), SessionsCount { sessions: 1, partitions: 2, evictions: 1 });
    }

    #[test]
    fn a_follower_takes_a_consumer_s_place_at_once_and_never_loses_its_own_to_one() {
        let (sessions, now) = (cache(1), Instant::now());
        let mut follower = request(0, 0, &[0]);
        follower.replica_state.replica_id = 2;
        let id = |request: &FetchRequest, now| sessions.plan(request, false, now).expect("full").session_id;
        assert!(id(&request(0, 0, &[0]), now) > 0);
        assert!(id(&follower, now) > 0);
        let much_later = now + Duration::from_secs(500);
        assert_eq!(id(&request(0, 0, &[0]), much_later), 0);
        assert_eq!(id(&follower, now), 0, "nor to another follower while it fetches");
        assert!(id(&follower, much_later) > 0);
    }

    #[test]
    fn a_partition_is_told_once_and_again_when_its_high_watermark_moves() {
        let mut session = Session::new(false);
        session.add(&request(0, 0, &[0]));
        let topic = session.wanted()[0].topic.clone();
        let outcome = |high_watermark| PartitionData { high_watermark, ..Default::default() };
        assert!(session.has_news(&topic, &outcome(3)));
        assert!(!session.has_news(&topic, &outcome(3)));
        assert!(session.has_news(&topic, &outcome(4)));
        let failed = PartitionData { error_code: 6, ..outcome(4) };
        assert!(session.has_news(&topic, &failed) && session.has_news(&topic, &outcome(4)));
    }

    #[test]
    fn a_session_does_not_keep_the_request_in_memory_that_began_it() {
        let frame = Bytes::from(b"a topic".to_vec());
        let mut request = request(0, 0, &[0]);
        request.topics[0].topic = Str::from_utf8(frame.clone()).expect("UTF-8");
        let sessions = cache(1);
        assert!(sessions.plan(&request, false, Instant::now()).expect("full").session_id > 0);
        drop(request);
        assert!(frame.is_unique());
    }
}
