//! Random schedules by the thousand: consumers that come, vanish, restart and disagree, a log that is slow, fails, and
//! moves to another broker with all or some of what was on its way.
//!
//! What must hold: in one generation a partition has one owner (safety rule 11); no generation commits once a later one
//! owns anything; what was acknowledged is never lost; and once the faults end, the group settles.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use protocol::ErrorCode;
use protocol::messages::OffsetCommitResponse;
use protocol::wire::Str;

use super::client::{Consumer, PARTITIONS, Stage};
use super::driver::{Driver, Waiting, commit_request, leaving, settings};

const SCHEDULES: u64 = 1_500;
const STEPS: usize = 300;
/// Long enough for every session, every rebalance, and members that never learned their id.
const HEALING: Duration = Duration::from_secs(900);

struct Schedule {
    seed: u64,
    rng: Rng,
    driver: Driver,
    consumers: Vec<Consumer>,
    commits: Vec<(usize, i64, Waiting<OffsetCommitResponse>)>,
    facts: Facts,
}

/// What clients were told, and so may rely on.
#[derive(Default)]
struct Facts {
    owners: BTreeMap<(i32, usize), Str>,
    /// The newest generation of which an assignment was handed out.
    assigned_generation: i32,
    /// The newest acknowledged commit of each partition.
    acknowledged: [i64; PARTITIONS],
    commits: i64,
}

impl Schedule {
    fn new(seed: u64) -> Schedule {
        let mut rng = Rng::with_seed(seed);
        let mut driver = Driver::new(settings());
        driver.commits_at_once = false;
        let instance = |at: usize, rng: &mut Rng| rng.bool().then(|| Str::from(format!("instance-{at}")));
        let consumers = (0..rng.usize(1..6)).map(|at| Consumer::new(instance(at, &mut rng))).collect();
        Schedule { seed, rng, driver, consumers, commits: Vec::new(), facts: Facts::default() }
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            self.step();
            self.check_commits();
        }
        self.heal();
        self.assert_settled();
    }

    fn step(&mut self) {
        let at = self.rng.usize(..self.consumers.len());
        match self.rng.u32(..100) {
            0..40 => self.act(at),
            40..60 => self.driver.advance(Duration::from_millis(self.rng.u64(..4_000))),
            60..78 => drop(self.driver.commit_one()),
            78..80 => self.driver.end_write(Err(ErrorCode::CoordinatorNotAvailable)),
            80..88 => self.commit(at),
            88..91 => self.consumers[at].start(),
            91..93 => self.consumers[at].stage = Stage::Gone,
            93..95 => self.leave(at),
            95 => self.consumers[at].change_wish(),
            96 => self.consumers[at].gets_stuck = true,
            97 => self.haunt(at),
            98 => self.fail_over(),
            _ => self.check_fetch(),
        }
    }

    fn act(&mut self, at: usize) {
        let consumer = &mut self.consumers[at];
        if let Some(owned) = consumer.act(&mut self.driver) {
            let (generation, identity) = (consumer.generation, consumer.identity());
            self.facts.assigned_generation = self.facts.assigned_generation.max(generation);
            for partition in owned {
                let owner =
                    self.facts.owners.entry((generation, partition)).or_insert_with(|| identity.clone());
                assert_eq!(
                    *owner, identity,
                    "partition {partition} of generation {generation} has two owners"
                );
            }
        }
    }

    /// Commits by what it last knew, be it a member still or not.
    fn commit(&mut self, at: usize) {
        let consumer = &self.consumers[at];
        if consumer.generation < 0 || consumer.member_id.is_empty() {
            return;
        }
        self.facts.commits += 1;
        let (partition, offset) = (self.rng.usize(..PARTITIONS), self.facts.commits);
        let mut request = commit_request(&consumer.member_id, consumer.generation, "topic", offset);
        request.topics[0].partitions[0].partition_index = partition as i32;
        let waiting = self.driver.commit(request);
        let refused = waiting.take().is_some_and(|reply| reply.is_err());
        let newest = self.facts.assigned_generation;
        assert!(refused || consumer.generation >= newest, "{} commits after {newest}", consumer.generation);
        self.commits.push((partition, offset, waiting));
    }

    fn check_commits(&mut self) {
        let acknowledged = &mut self.facts.acknowledged;
        self.commits.retain(|(partition, offset, waiting)| match waiting.take() {
            Some(Ok(_)) => {
                acknowledged[*partition] = acknowledged[*partition].max(*offset);
                false
            }
            Some(Err(_)) => false,
            None => !waiting.is_cut_off(),
        });
    }

    fn check_fetch(&mut self) {
        let fetched = self.driver.fetch_all(false).reply();
        for (partition, acknowledged) in self.facts.acknowledged.iter().enumerate().filter(|(_, it)| **it > 0)
        {
            let told = fetched.topics[0].partitions.iter().find(|it| it.partition_index == partition as i32);
            let told = told.map(|it| it.committed_offset);
            assert!(
                told >= Some(*acknowledged),
                "{told:?} of partition {partition}, {acknowledged} was acknowledged"
            );
        }
    }

    fn leave(&mut self, at: usize) {
        let consumer = &mut self.consumers[at];
        let (id, instance) = (consumer.member_id.clone(), consumer.instance.clone());
        consumer.stage = Stage::Gone;
        self.driver.leave(vec![leaving(&id, instance.as_deref())]);
    }

    /// A second process of the same consumer asks, and nobody reads the answer.
    fn haunt(&mut self, at: usize) {
        let request = self.consumers[at].join_request();
        self.driver.join_by(request, self.rng.bool());
    }

    /// Some of what was on its way reached the next coordinator, maybe nothing.
    fn fail_over(&mut self) {
        let survive = self.rng.usize(..=self.driver.in_flight.len());
        for write in self.driver.in_flight.drain(..survive) {
            self.driver.log.extend(write.records);
        }
        self.driver.fail_over();
    }

    /// Faults end: everybody who runs goes on as he should.
    fn heal(&mut self) {
        self.driver.commits_at_once = true;
        while self.driver.commit_one() {}
        self.consumers[0].start();
        let end = self.driver.now.at + HEALING;
        while self.driver.now.at < end {
            (0..self.consumers.len()).for_each(|at| self.act(at));
            self.driver.advance(Duration::from_millis(500));
        }
        self.check_commits();
        self.check_fetch();
    }

    /// Everybody who takes part is a member, and every partition is some member's.
    fn assert_settled(&mut self) {
        self.driver.assert_state("Stable");
        let members = self.driver.describe().expect("it is stable").members;
        for consumer in self.consumers.iter().filter(|it| !matches!(it.stage, Stage::Gone | Stage::Stuck)) {
            let belongs = members.iter().any(|member| member.member_id == consumer.member_id);
            let settled = belongs && matches!(consumer.stage, Stage::Member(_));
            assert!(settled, "{} is not settled", consumer.identity());
        }
        let mut owned: Vec<u8> =
            members.iter().flat_map(|member| member.member_assignment.to_vec()).collect();
        owned.sort_unstable();
        assert_eq!(owned, Vec::from_iter(0..PARTITIONS as u8));
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the schedule has seed {}", self.seed);
        }
    }
}

#[test]
fn groups_hold_together_and_settle_whatever_happens() {
    (0..SCHEDULES).for_each(|seed| Schedule::new(seed).run());
}
