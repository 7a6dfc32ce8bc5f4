//! Three replicas, a controller, a client that produces, and the messages between them. One seed, one history.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use metadata::image::PartitionImage;
use protocol::ErrorCode;
use protocol::types::{BrokerId, LeaderEpoch, Offset};

use super::node::{Node, Records, batch};
use super::weights::Weights;
use crate::replica::ack_waits::AckWait;
use crate::replica::append::{Acks, Moment};
use crate::replica::errors::PartitionError;
use crate::replica::follower::{Answer, Ask, Bounds, Taken};
use crate::replica::isr::{Circumstances, Proposal};

const NODES: i32 = 3;
/// As good as for ever.
const PATIENT: Duration = Duration::from_secs(3600);

/// What is on its way. Nothing that was meant for a process that was killed reaches the next one: connections die with it.
#[derive(Clone)]
pub(super) enum Message {
    Image {
        node: usize,
        broker_epoch: i64,
        image: Arc<PartitionImage>,
    },
    Fetch {
        leader: usize,
        follower: usize,
        broker_epoch: i64,
        ask: Ask,
    },
    Answer {
        follower: usize,
        broker_epoch: i64,
        ask: Ask,
        answer: Answer,
    },
    Proposal {
        leader: usize,
        broker_epoch: i64,
        proposal: Proposal,
    },
    Verdict {
        leader: usize,
        broker_epoch: i64,
        proposal: Proposal,
        verdict: Result<Arc<PartitionImage>, ErrorCode>,
    },
    /// Where the leader's log begins and ends.
    Bounds {
        follower: usize,
        broker_epoch: i64,
        ask: Ask,
        bounds: Bounds,
    },
    /// A follower, or a liar, says that an epoch has begun.
    Farewell {
        leader: usize,
        follower: usize,
        epoch: LeaderEpoch,
    },
}

/// A produce request that waits.
pub struct Produced {
    pub base_offset: Offset,
    pub values: Vec<u64>,
    pub wait: Option<Arc<AckWait>>,
}

pub struct Cluster {
    pub(super) rng: Rng,
    weights: Weights,
    pub(super) nodes: Vec<Node>,
    pub(super) truth: Arc<PartitionImage>,
    pub(super) messages: Vec<Message>,
    registrations: i64,
    next_value: u64,
    pub(super) produced: Vec<Produced>,
    pub(super) acknowledged: BTreeMap<Offset, u64>,
    /// What somebody may have read, from 0 on.
    pub(super) visible: Records,
    /// Before this offset a client had records deleted.
    pub(super) deleted: Offset,
    /// What each node showed when that was last checked.
    pub(super) shown: BTreeMap<usize, Option<(LeaderEpoch, Offset)>>,
    /// Where the high watermark of a leader stands whose ISR is too small, by node (safety rule 14).
    pub(super) frozen: BTreeMap<usize, (LeaderEpoch, Offset)>,
    pub elections: usize,
    pub cuts: usize,
    pub stood_down: usize,
    /// Logs that began anew where their leader's did.
    pub restarts: usize,
}

impl Cluster {
    pub fn new(seed: u64) -> Cluster {
        let mut rng = Rng::with_seed(seed);
        let replicas: Vec<BrokerId> = (0..NODES).map(BrokerId).collect();
        let truth = PartitionImage {
            isr: replicas.clone(),
            replicas,
            leader: BrokerId(0),
            min_isr: rng.i32(1..3),
            ..PartitionImage::default()
        };
        let weights = Weights::some(&mut rng);
        let mut cluster = Cluster {
            rng,
            weights,
            nodes: (0..NODES).map(Node::new).collect(),
            truth: Arc::new(truth),
            messages: Vec::new(),
            registrations: 0,
            next_value: 0,
            produced: Vec::new(),
            acknowledged: BTreeMap::new(),
            visible: Records::default(),
            deleted: Offset(0),
            shown: BTreeMap::new(),
            frozen: BTreeMap::new(),
            elections: 0,
            cuts: 0,
            stood_down: 0,
            restarts: 0,
        };
        (0..cluster.nodes.len()).for_each(|node| cluster.start(node));
        cluster
    }

    pub fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// Something happens; then all that must always hold is checked.
    pub fn step(&mut self) {
        let node = self.rng.usize(..self.nodes.len());
        match self.weights.pick(&mut self.rng) {
            0 => self.deliver(),
            1 => self.poll(node),
            2 => self.produce(node),
            3 => self.look(node, PATIENT),
            4 => self.look(node, Duration::ZERO),
            5 => self.propose_again(node),
            6 => self.elect(),
            7 => self.kill(node),
            8 => self.lie(node),
            9 => self.forget_farewells(node),
            10 => self.delete_records(node),
            11 => self.delete_segments(node),
            _ => self.start(node),
        }
        self.check();
    }

    /// Ends every fault, lets everything arrive, and expects three equal replicas.
    pub fn mend(&mut self) {
        (0..self.nodes.len()).for_each(|node| self.start(node));
        for _ in 0..60 {
            (0..self.nodes.len()).for_each(|node| self.forget_farewells(node));
            self.publish();
            for node in 0..self.nodes.len() {
                self.propose_again(node);
                self.look(node, PATIENT);
                self.poll(node);
            }
            for message in std::mem::take(&mut self.messages) {
                self.receive(message);
                self.check();
            }
        }
        let all = [0, 1, 2].map(|node| self.nodes[node].records());
        // A leader that was killed may have forgotten where its log started, and its followers not.
        let start = all.iter().map(|records| records.start).max().unwrap_or_default();
        let [one, two, three] = all.each_ref().map(|records| records.within(start, records.end()));
        assert!(one == two && two == three, "replicas differ: {one:?}\n{two:?}\n{three:?}");
        assert_eq!(self.truth.isr.len(), self.nodes.len(), "all are in sync: {:?}", self.truth);
    }

    fn deliver(&mut self) {
        if self.messages.is_empty() {
            return;
        }
        let at = self.rng.usize(..self.messages.len());
        let message = match self.rng.u32(0..100) < self.weights.doubled {
            true => self.messages[at].clone(),
            false => self.messages.swap_remove(at),
        };
        if self.rng.u32(0..100) >= self.weights.lost {
            self.receive(message);
        }
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Image { node, broker_epoch, image } => self.take_image(node, broker_epoch, &image),
            Message::Farewell { leader, follower, epoch } => self.hear_farewell(leader, follower, epoch),
            Message::Fetch { leader, follower, broker_epoch, ask } => {
                if let Some(answer) = self.answer(leader, follower, broker_epoch, &ask) {
                    self.messages.push(Message::Answer { follower, broker_epoch, ask, answer });
                }
            }
            Message::Answer { follower, broker_epoch, ask, answer } => {
                if let Some(partition) =
                    self.started(follower, broker_epoch).and_then(|node| node.partition.clone())
                {
                    let taken = partition.take_answer(&ask, &answer, 0);
                    self.cuts += usize::from(matches!(taken, Ok(Taken::Cut(_))));
                    if matches!(taken, Ok(Taken::AskForBounds)) {
                        self.ask_for_bounds(follower, broker_epoch, ask);
                    }
                }
            }
            Message::Bounds { follower, broker_epoch, ask, bounds } => {
                self.take_bounds(follower, broker_epoch, &ask, bounds);
            }
            Message::Proposal { leader, broker_epoch, proposal } => {
                self.decide(leader, broker_epoch, proposal)
            }
            Message::Verdict { leader, broker_epoch, proposal, verdict } => {
                self.hear(leader, broker_epoch, &proposal, verdict);
            }
        }
    }

    /// The node, if it is the process that the message is for.
    pub(super) fn started(&mut self, node: usize, broker_epoch: i64) -> Option<&mut Node> {
        Some(&mut self.nodes[node]).filter(|node| node.broker_epoch == broker_epoch && node.is_alive())
    }

    /// A client produces to whoever it takes for the leader.
    fn produce(&mut self, node: usize) {
        let Some(partition) = self.nodes[node].partition.clone() else { return };
        let values: Vec<u64> = (0..self.rng.u64(1..4)).map(|more| self.next_value + more).collect();
        let mut wait = None;
        match partition.append(&batch(&values), Acks::All, &mut wait, Moment::now()) {
            Ok(append) => {
                self.next_value += values.len() as u64;
                self.produced.push(Produced { base_offset: append.appended.base_offset, values, wait });
            }
            Err(PartitionError::NotLeader | PartitionError::TooFewReplicas { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// A leader looks for who left and who returns.
    fn look(&mut self, node: usize, lag_time_max: Duration) {
        let epochs: BTreeMap<BrokerId, i64> = self
            .nodes
            .iter()
            .filter(|node| node.is_alive())
            .map(|node| (node.id, node.broker_epoch))
            .collect();
        let leader = &mut self.nodes[node];
        let circumstances = Circumstances {
            broker_epoch: leader.broker_epoch,
            registered: &|id| epochs.get(&id).copied(),
            lag_time_max,
            now: Instant::now(),
        };
        let proposed = leader.partition.as_ref().and_then(|partition| partition.propose_isr(&circumstances));
        if let Some((proposal, _)) = proposed {
            leader.open = Some(proposal.clone());
            let broker_epoch = leader.broker_epoch;
            self.messages.push(Message::Proposal { leader: node, broker_epoch, proposal });
        }
    }

    /// No answer came, or none yet: the leader can't tell, and sends it again.
    fn propose_again(&mut self, node: usize) {
        let leader = &mut self.nodes[node];
        let (Some(proposal), Some(partition)) = (leader.open.clone(), &leader.partition) else { return };
        if !partition.is_in_flight(&proposal) {
            leader.open = None;
            return;
        }
        partition.isr_unanswered(&proposal);
        let broker_epoch = leader.broker_epoch;
        self.messages.push(Message::Proposal { leader: node, broker_epoch, proposal });
    }

    /// The controller commits a proposal or refuses it, by what is true now (safety rule 4).
    fn decide(&mut self, leader: usize, broker_epoch: i64, proposal: Proposal) {
        let verdict = if proposal.leader_epoch != self.truth.leader_epoch {
            Err(ErrorCode::FencedLeaderEpoch)
        } else if proposal.partition_epoch != self.truth.partition_epoch {
            Err(ErrorCode::InvalidUpdateVersion)
        } else if !proposal.isr.iter().all(|member| self.is_registered(member.id, member.broker_epoch)) {
            Err(ErrorCode::IneligibleReplica)
        } else {
            let isr = proposal.isr.iter().map(|member| member.id).collect();
            self.commit(PartitionImage { isr, ..PartitionImage::clone(&self.truth) });
            Ok(self.truth.clone())
        };
        self.messages.push(Message::Verdict { leader, broker_epoch, proposal, verdict });
    }

    fn hear(
        &mut self,
        leader: usize,
        broker_epoch: i64,
        proposal: &Proposal,
        verdict: Result<Arc<PartitionImage>, ErrorCode>,
    ) {
        let Some(node) = self.started(leader, broker_epoch) else { return };
        let Some(partition) = node.partition.clone() else { return };
        match verdict {
            Ok(committed) => partition.isr_committed(&committed),
            Err(ErrorCode::IneligibleReplica) => partition.isr_refused(proposal),
            Err(_) => {}
        }
        node.open = node.open.take().filter(|open| open != proposal);
    }

    fn is_registered(&self, id: BrokerId, broker_epoch: i64) -> bool {
        let node = &self.nodes[index(id)];
        node.is_alive() && (broker_epoch < 0 || broker_epoch == node.broker_epoch)
    }

    /// The controller gives the lead to somebody in the ISR.
    fn elect(&mut self) {
        let others = self.truth.isr.iter().filter(|&&id| id != self.truth.leader);
        let candidates: Vec<BrokerId> =
            others.copied().filter(|&id| self.nodes[index(id)].is_alive()).collect();
        if candidates.is_empty() {
            return;
        }
        let leader = candidates[self.rng.usize(..candidates.len())];
        let leader_epoch = LeaderEpoch(self.truth.leader_epoch.0 + 1);
        self.commit(PartitionImage { leader, leader_epoch, ..PartitionImage::clone(&self.truth) });
        self.elections += 1;
        self.check_holds_what_was_acknowledged(index(leader));
    }

    /// A process is killed; the controller takes it out of the ISR, unless it is the last one there.
    fn kill(&mut self, node: usize) {
        if self.nodes.iter().filter(|node| node.is_alive()).count() < self.nodes.len() {
            return;
        }
        let id = self.nodes[node].id;
        let high_watermark = self.nodes[node].high_watermark().unwrap_or_default();
        self.nodes[node].checkpointed = Offset(self.rng.i64(0..=high_watermark.0));
        self.nodes[node].kill();
        self.frozen.remove(&node);
        if self.truth.leader == id {
            self.elect();
        }
        if self.truth.isr.contains(&id) && self.truth.leader != id {
            let mut isr = self.truth.isr.clone();
            isr.retain(|member| *member != id);
            self.commit(PartitionImage { isr, ..PartitionImage::clone(&self.truth) });
        }
    }

    fn start(&mut self, node: usize) {
        if !self.nodes[node].is_alive() {
            self.registrations += 1;
            self.nodes[node].start(self.registrations);
            self.push_image(node);
        }
    }

    fn commit(&mut self, mut state: PartitionImage) {
        state.partition_epoch += 1;
        assert_eq!(state.broken_invariant(), None);
        self.truth = Arc::new(state);
        self.publish();
    }

    fn publish(&mut self) {
        (0..self.nodes.len()).for_each(|node| self.push_image(node));
    }

    fn push_image(&mut self, node: usize) {
        let (broker_epoch, image) = (self.nodes[node].broker_epoch, self.truth.clone());
        self.messages.push(Message::Image { node, broker_epoch, image });
    }
}

pub(super) fn index(id: BrokerId) -> usize {
    usize::try_from(id.0).expect("a node")
}
