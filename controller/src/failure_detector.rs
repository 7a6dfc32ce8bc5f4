//! Which brokers are dead, and whether it is rather the controller that is cut off: a state machine fed with what happens and
//! with `now`. Pure.
//!
//! A broker whose stream is gone is dialled. Nobody listens there: it is dead, and evicted at once. It accepts: it lives, and
//! is dialled again until it is back or its patience is over. No answer: that proves nothing about it, but where half of the
//! brokers or more fall silent together the fault is the controller's, which resigns (design §2).
//!
//! Invariants: nobody is judged while its stream stands; a verdict about a broker is given once; while no broker has a stream
//! nobody is fenced, for there is none that could take over.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add;
use std::time::Duration;

use protocol::types::BrokerId;

/// How long a broker may take to open its stream to a new controller before it is dialled.
pub const CONNECT_GRACE: Duration = Duration::from_millis(50);
/// Between two dials of one broker.
pub const REDIAL_INTERVAL: Duration = Duration::from_millis(250);
/// How long a broker whose registration ended while its process may live has to register again.
pub const REGISTER_AGAIN_WITHIN: Duration = Duration::from_millis(500);

/// What came of a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialled {
    /// Nobody listens there.
    Refused,
    Accepted,
    /// No answer in time, or no way there.
    Unanswered,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Find out whether the broker of this registration listens.
    Dial { broker: BrokerId, epoch: i64 },
    /// The process of this registration is dead: delete the registration.
    Evict { broker: BrokerId, epoch: i64 },
    /// It is registered, but has had no stream for a session timeout.
    Fence(BrokerId),
    /// It is not registered any more and did not come back.
    Forget(BrokerId),
    /// Half of the brokers or more fell silent at once.
    Resign,
}

/// A broker without a stream.
#[derive(Clone, Copy, Debug)]
struct Absent<Time> {
    /// Of the registration by which it is judged; `None`: that is gone.
    epoch: Option<i64>,
    /// Whether it had a stream, which ended.
    lost_stream: bool,
    /// When it is fenced, or forgotten.
    deadline: Time,
    /// When it is to be dialled; `None`: it is being dialled.
    dial_at: Option<Time>,
    last: Option<Dialled>,
}

/// What is known of every broker's stream.
#[derive(Debug)]
pub struct FailureDetector<Time> {
    session_timeout: Duration,
    connected: BTreeSet<BrokerId>,
    absent: BTreeMap<BrokerId, Absent<Time>>,
}

impl<Time: Copy + Ord + Add<Duration, Output = Time>> FailureDetector<Time> {
    pub fn new(session_timeout: Duration) -> Self {
        FailureDetector { session_timeout, connected: BTreeSet::new(), absent: BTreeMap::new() }
    }

    /// A broker's stream stands.
    pub fn connected(&mut self, broker: BrokerId, now: Time) {
        if self.connected.is_empty() {
            // Until now the others were silent together, which may have been no fault of theirs.
            let deadline = now + self.session_timeout;
            let registered = self.absent.values_mut().filter(|absent| absent.epoch.is_some());
            registered.for_each(|absent| absent.deadline = absent.deadline.max(deadline));
        }
        self.absent.remove(&broker);
        self.connected.insert(broker);
    }

    /// The stream of a broker that is registered under this epoch ended.
    pub fn disconnected(&mut self, broker: BrokerId, epoch: i64, now: Time) {
        self.connected.remove(&broker);
        let deadline = now + self.session_timeout;
        self.expect(
            broker,
            Absent { dial_at: Some(now), lost_stream: true, ..absent(Some(epoch), deadline) },
        );
    }

    /// A broker registered under this epoch has no stream yet.
    pub fn awaited(&mut self, broker: BrokerId, epoch: i64, now: Time) {
        let deadline = now + self.session_timeout;
        self.expect(broker, Absent { dial_at: Some(now + CONNECT_GRACE), ..absent(Some(epoch), deadline) });
    }

    /// A broker's registration ended, though its process may well live: it may register again.
    pub fn unregistered(&mut self, broker: BrokerId, now: Time) {
        self.connected.remove(&broker);
        self.expect(broker, absent(None, now + REGISTER_AGAIN_WITHIN));
    }

    /// A broker registered again under this epoch, after its registration had ended.
    pub fn registered_again(&mut self, broker: BrokerId, epoch: i64, now: Time) {
        if self.absent.get(&broker).is_some_and(|absent| absent.epoch.is_none()) {
            self.awaited(broker, epoch, now);
        }
    }

    fn expect(&mut self, broker: BrokerId, absent: Absent<Time>) {
        let known = self.absent.get(&broker).filter(|known| known.epoch == absent.epoch);
        if known.is_none() && !self.connected.contains(&broker) {
            self.absent.insert(broker, absent);
        }
    }

    /// The broker is known to be gone, or is judged already.
    pub fn forget(&mut self, broker: BrokerId) {
        self.connected.remove(&broker);
        self.absent.remove(&broker);
    }

    /// What came of [`Verdict::Dial`].
    pub fn dialled(&mut self, broker: BrokerId, epoch: i64, outcome: Dialled, now: Time) {
        if let Some(absent) = self.absent.get_mut(&broker).filter(|absent| absent.epoch == Some(epoch)) {
            absent.last = Some(outcome);
            absent.dial_at = Some(now + REDIAL_INTERVAL);
        }
    }

    /// What is to be done by now. To be asked after whatever happened, and when [`FailureDetector::next_deadline`] has come.
    pub fn poll(&mut self, now: Time) -> Vec<Verdict> {
        let mut verdicts = self.evictions();
        if self.is_cut_off() {
            self.absent.values_mut().for_each(|absent| absent.lost_stream = false);
            verdicts.push(Verdict::Resign);
            return verdicts;
        }
        verdicts.extend(self.overdue(now));
        verdicts.extend(self.dials(now));
        verdicts
    }

    fn evictions(&mut self) -> Vec<Verdict> {
        let refused = self.absent.extract_if(.., |_, absent| absent.last == Some(Dialled::Refused));
        refused.filter_map(|(broker, absent)| Some(Verdict::Evict { broker, epoch: absent.epoch? })).collect()
    }

    /// Whether half of the brokers with streams or more lost them and answer nothing: all that were lost within a session
    /// timeout count as lost at once.
    fn is_cut_off(&self) -> bool {
        let lost = self.absent.values().filter(|absent| absent.lost_stream);
        let brokers = self.connected.len() + lost.clone().count();
        let silent = lost.filter(|absent| absent.last == Some(Dialled::Unanswered)).count();
        brokers >= 2 && silent * 2 >= brokers
    }

    fn overdue(&mut self, now: Time) -> Vec<Verdict> {
        let nobody_to_take_over = self.connected.is_empty();
        let is_overdue = |absent: &Absent<Time>| {
            absent.deadline <= now && !(absent.epoch.is_some() && nobody_to_take_over)
        };
        let overdue = self.absent.extract_if(.., |_, absent| is_overdue(absent));
        let verdict = |(broker, absent): (BrokerId, Absent<Time>)| match absent.epoch {
            Some(_) => Verdict::Fence(broker),
            None => Verdict::Forget(broker),
        };
        overdue.map(verdict).collect()
    }

    fn dials(&mut self, now: Time) -> Vec<Verdict> {
        let mut dials = Vec::new();
        for (broker, absent) in &mut self.absent {
            if let Some(epoch) = absent.epoch
                && absent.dial_at.is_some_and(|at| at <= now)
            {
                absent.dial_at = None;
                dials.push(Verdict::Dial { broker: *broker, epoch });
            }
        }
        dials
    }

    /// When to ask again, if nothing happens before.
    pub fn next_deadline(&self) -> Option<Time> {
        let may_fence = !self.connected.is_empty();
        let deadlines = self.absent.values().filter(|absent| may_fence || absent.epoch.is_none());
        let dials = self.absent.values().filter(|absent| absent.epoch.is_some());
        deadlines.map(|absent| absent.deadline).chain(dials.filter_map(|absent| absent.dial_at)).min()
    }
}

fn absent<Time>(epoch: Option<i64>, deadline: Time) -> Absent<Time> {
    Absent { epoch, lost_stream: false, deadline, dial_at: None, last: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: BrokerId = BrokerId(1);
    const TWO: BrokerId = BrokerId(2);
    const THREE: BrokerId = BrokerId(3);
    const SESSION: Duration = Duration::from_secs(6);

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// All of them with streams, broker `n` under epoch `10 * n`.
    fn detector(brokers: &[BrokerId]) -> FailureDetector<Duration> {
        let mut detector = FailureDetector::new(SESSION);
        brokers.iter().for_each(|broker| detector.connected(*broker, ms(0)));
        detector
    }

    fn lose(detector: &mut FailureDetector<Duration>, broker: BrokerId, outcome: Dialled, now: Duration) {
        let epoch = i64::from(broker.0) * 10;
        detector.disconnected(broker, epoch, now);
        assert_eq!(detector.poll(now), [Verdict::Dial { broker, epoch }]);
        detector.dialled(broker, epoch, outcome, now);
    }

    #[test]
    fn a_broker_that_refuses_is_evicted_at_once_and_once() {
        let mut detector = detector(&[ONE, TWO]);
        lose(&mut detector, ONE, Dialled::Refused, ms(5));
        assert_eq!(detector.poll(ms(5)), [Verdict::Evict { broker: ONE, epoch: 10 }]);
        assert_eq!((detector.poll(ms(60_000)), detector.next_deadline()), (vec![], None));
    }

    #[test]
    fn a_broker_that_accepts_is_dialled_again_and_fenced_when_its_time_is_up() {
        let mut detector = detector(&[ONE, TWO]);
        lose(&mut detector, ONE, Dialled::Accepted, ms(0));
        assert_eq!((detector.poll(ms(0)), detector.next_deadline()), (vec![], Some(REDIAL_INTERVAL)));
        let redial = Verdict::Dial { broker: ONE, epoch: 10 };
        assert_eq!(detector.poll(REDIAL_INTERVAL), [redial]);
        assert_eq!(detector.next_deadline(), Some(SESSION), "one dial at a time");
        assert_eq!(detector.poll(SESSION), [Verdict::Fence(ONE)]);
        detector.dialled(ONE, 10, Dialled::Refused, SESSION);
        assert_eq!(detector.poll(SESSION), [], "it is judged already");
    }

    #[test]
    fn who_comes_back_is_not_judged_by_a_dial_of_before() {
        let mut detector = detector(&[ONE, TWO]);
        detector.disconnected(ONE, 10, ms(0));
        detector.poll(ms(0));
        detector.connected(ONE, ms(1));
        detector.dialled(ONE, 10, Dialled::Refused, ms(2));
        assert_eq!(detector.poll(ms(60_000)), []);
        detector.disconnected(ONE, 11, ms(3));
        detector.dialled(ONE, 10, Dialled::Refused, ms(4));
        assert_eq!(detector.poll(ms(4)), [Verdict::Dial { broker: ONE, epoch: 11 }]);
    }

    #[test]
    fn one_silent_broker_of_three_proves_nothing_and_two_say_that_the_fault_is_ours() {
        let mut detector = detector(&[ONE, TWO, THREE]);
        lose(&mut detector, ONE, Dialled::Unanswered, ms(0));
        assert_eq!(detector.poll(ms(1)), []);
        lose(&mut detector, TWO, Dialled::Unanswered, ms(2));
        assert_eq!(detector.poll(ms(3)), [Verdict::Resign]);
    }

    #[test]
    fn deaths_are_no_reason_to_resign() {
        let mut detector = detector(&[ONE, TWO, THREE]);
        for (broker, epoch) in [(ONE, 10), (TWO, 20)] {
            lose(&mut detector, broker, Dialled::Refused, ms(0));
            assert_eq!(detector.poll(ms(0)), [Verdict::Evict { broker, epoch }]);
        }
        let mut alone = self::detector(&[ONE]);
        lose(&mut alone, ONE, Dialled::Unanswered, ms(0));
        assert_eq!(alone.poll(ms(0)), [], "of one broker nothing can be concluded");
    }

    #[test]
    fn a_new_controller_dials_who_does_not_come_and_is_not_cut_off_by_their_silence() {
        let mut detector = FailureDetector::new(SESSION);
        for (broker, epoch) in [(ONE, 10), (TWO, 20)] {
            detector.awaited(broker, epoch, ms(0));
        }
        assert_eq!((detector.poll(ms(0)), detector.next_deadline()), (vec![], Some(CONNECT_GRACE)));
        detector.connected(TWO, ms(20));
        assert_eq!(detector.poll(CONNECT_GRACE), [Verdict::Dial { broker: ONE, epoch: 10 }]);
        detector.dialled(ONE, 10, Dialled::Unanswered, ms(60));
        assert_eq!(detector.poll(ms(60)), []);
    }

    #[test]
    fn nobody_is_fenced_while_nobody_could_take_over() {
        let mut detector = FailureDetector::new(SESSION);
        detector.awaited(ONE, 10, ms(0));
        detector.awaited(TWO, 20, ms(0));
        detector.poll(CONNECT_GRACE);
        assert_eq!((detector.poll(2 * SESSION), detector.next_deadline()), (vec![], None));
        detector.connected(ONE, 2 * SESSION);
        assert_eq!(detector.poll(2 * SESSION), [], "two has its time from now on");
        assert_eq!(detector.poll(3 * SESSION), [Verdict::Fence(TWO)]);
    }

    #[test]
    fn a_lost_registration_may_be_made_again_and_is_else_forgotten() {
        let mut detector = detector(&[ONE, TWO]);
        detector.unregistered(ONE, ms(0));
        detector.unregistered(TWO, ms(0));
        assert_eq!((detector.poll(ms(0)), detector.next_deadline()), (vec![], Some(REGISTER_AGAIN_WITHIN)));
        detector.registered_again(TWO, 21, ms(50));
        assert_eq!(
            detector.poll(REGISTER_AGAIN_WITHIN),
            [Verdict::Forget(ONE), Verdict::Dial { broker: TWO, epoch: 21 }]
        );
    }
}
