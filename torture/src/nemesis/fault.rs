//! The faults, by name, and what each does to whom. Pure: a fault is drawn here and done in `act`.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;

pub const BROKERS: usize = 3;
pub const CONTROLLERS: usize = 2;

/// A process, and the host that it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    Etcd,
    /// From 0.
    Controller(usize),
    /// From 0.
    Broker(usize),
    /// All our clients.
    Clients,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Member::Etcd => write!(f, "etcd"),
            Member::Controller(at) => write!(f, "controller-{}", at + 1),
            Member::Broker(at) => write!(f, "broker-{}", at + 1),
            Member::Clients => write!(f, "clients"),
        }
    }
}

/// What is done; undone when the fault is healed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// SIGKILL, and started again.
    Kill(Vec<Member>),
    /// SIGTERM, and started again.
    Stop(Vec<Member>),
    /// SIGSTOP and SIGCONT.
    Pause(Member),
    /// Nothing that the first sends reaches the second.
    Cut(Vec<(Member, Member)>),
    /// Not a byte is left on its disk.
    FillDisk(Member),
    /// Each is stopped and started, one after the other; the next once the one before is ready and in sync.
    Roll(Vec<Member>),
}

/// One fault, with all that chance decides about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: &'static str,
    pub deed: Deed,
    /// From the deed to its undoing.
    pub lasts: Duration,
}

impl Fault {
    /// The processes that it stops, so that nothing else may be done to them meanwhile.
    pub fn stops(&self) -> Vec<Member> {
        match &self.deed {
            Deed::Kill(members) | Deed::Stop(members) | Deed::Roll(members) => members.clone(),
            Deed::Pause(member) | Deed::FillDisk(member) => vec![*member],
            Deed::Cut(_) => Vec::new(),
        }
    }

    /// Whether both may last at the same time.
    pub fn suffers(&self, other: &Fault) -> bool {
        let both_cut = matches!((&self.deed, &other.deed), (Deed::Cut(_), Deed::Cut(_)));
        let stopped = self.stops();
        let rolls = [self, other].iter().any(|fault| matches!(fault.deed, Deed::Roll(_)));
        !both_cut && !rolls && other.stops().iter().all(|member| !stopped.contains(member))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        match &self.deed {
            Deed::Kill(members) | Deed::Stop(members) | Deed::Roll(members) => {
                write!(f, "{}", joined(members))?
            }
            Deed::Pause(member) | Deed::FillDisk(member) => write!(f, "{member}")?,
            Deed::Cut(pairs) => write!(f, "{}", cut_in_words(pairs))?,
        }
        write!(f, " for {:.1} s", self.lasts.as_secs_f64())
    }
}

fn joined(members: &[Member]) -> String {
    members.iter().map(Member::to_string).collect::<Vec<_>>().join(" ")
}

/// Whom a cut parts from whom: the first pair's sender, or its receiver if that stands alone, from all others.
fn cut_in_words(pairs: &[(Member, Member)]) -> String {
    let is_mutual = pairs.iter().all(|(from, to)| pairs.contains(&(*to, *from)));
    let ways =
        pairs.iter().filter(|(from, _)| !is_mutual || Some(*from) == pairs.first().map(|(from, _)| *from));
    let (mut froms, mut tos): (Vec<_>, Vec<_>) = ways.copied().unzip();
    for members in [&mut froms, &mut tos] {
        members.sort_unstable();
        members.dedup();
    }
    format!("{} {} {}", joined(&froms), if is_mutual { "↔" } else { "→" }, joined(&tos))
}

/// What a kind of fault is made from: chance, and the controller that is active now.
type Make = fn(&mut Rng, usize) -> Deed;

/// One kind of fault.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    make: Make,
    /// The shortest and the longest time, in milliseconds.
    lasts_ms: (u64, u64),
}

impl Kind {
    pub fn named(name: &str) -> Option<Kind> {
        KINDS.into_iter().find(|kind| kind.name == name)
    }

    /// One fault of this kind.
    pub fn draw(&self, random: &mut Rng, active: usize) -> Fault {
        let deed = (self.make)(random, active);
        let lasts = Duration::from_millis(random.u64(self.lasts_ms.0..=self.lasts_ms.1));
        Fault { kind: self.name, deed, lasts }
    }
}

/// Every kind. A broker's session is 6 s and a controller's 2 s: pauses and cuts are shorter and longer than these.
pub const KINDS: [Kind; 26] = [
    Kind { name: "kill-broker", make: |random, _| Deed::Kill(vec![broker(random)]), lasts_ms: (100, 9_000) },
    Kind {
        name: "kill-controller",
        make: |_, active| Deed::Kill(vec![Member::Controller(active)]),
        lasts_ms: (100, 5_000),
    },
    Kind {
        name: "kill-both",
        make: |random, active| Deed::Kill(vec![broker(random), Member::Controller(active)]),
        lasts_ms: (100, 9_000),
    },
    Kind {
        name: "kill-two-brokers",
        make: |random, _| Deed::Kill(others(broker(random))),
        lasts_ms: (100, 4_000),
    },
    Kind { name: "kill-all-brokers", make: |_, _| Deed::Kill(brokers()), lasts_ms: (100, 4_000) },
    Kind { name: "pause-broker", make: |random, _| Deed::Pause(broker(random)), lasts_ms: (300, 4_000) },
    Kind {
        name: "pause-broker-past-session",
        make: |random, _| Deed::Pause(broker(random)),
        lasts_ms: (7_000, 12_000),
    },
    Kind {
        name: "pause-controller",
        make: |_, active| Deed::Pause(Member::Controller(active)),
        lasts_ms: (300, 1_500),
    },
    Kind {
        name: "pause-controller-past-session",
        make: |_, active| Deed::Pause(Member::Controller(active)),
        lasts_ms: (2_500, 6_000),
    },
    Kind {
        name: "cut-peers",
        make: |random, _| {
            let one = broker(random);
            both_ways(&[one], &others(one))
        },
        lasts_ms: (1_000, 12_000),
    },
    Kind {
        name: "cut-peers-in",
        make: |random, _| {
            let one = broker(random);
            one_way(&others(one), &[one])
        },
        lasts_ms: (1_000, 12_000),
    },
    Kind {
        name: "cut-peers-out",
        make: |random, _| {
            let one = broker(random);
            one_way(&[one], &others(one))
        },
        lasts_ms: (1_000, 12_000),
    },
    Kind {
        name: "cut-peers-past-lag",
        make: |random, _| {
            let one = broker(random);
            both_ways(&[one], &others(one))
        },
        lasts_ms: (46_000, 50_000),
    },
    Kind {
        name: "cut-controllers",
        make: |random, _| both_ways(&[broker(random)], &controllers()),
        lasts_ms: (1_000, 12_000),
    },
    Kind {
        name: "cut-controllers-in",
        make: |random, _| one_way(&controllers(), &[broker(random)]),
        lasts_ms: (1_000, 12_000),
    },
    Kind {
        name: "cut-controllers-out",
        make: |random, _| one_way(&[broker(random)], &controllers()),
        lasts_ms: (1_000, 12_000),
    },
    Kind {
        name: "cut-etcd",
        make: |random, _| both_ways(&[broker(random)], &[Member::Etcd]),
        lasts_ms: (1_000, 12_000),
    },
    Kind {
        name: "cut-etcd-one-way",
        make: |random, _| one_way(&[broker(random)], &[Member::Etcd]),
        lasts_ms: (1_000, 12_000),
    },
    Kind {
        name: "cut-controller-etcd",
        make: |_, active| both_ways(&[Member::Controller(active)], &[Member::Etcd]),
        lasts_ms: (1_000, 6_000),
    },
    Kind {
        name: "isolate-broker",
        make: |random, _| {
            let one = broker(random);
            both_ways(&[one], &all_but(one))
        },
        lasts_ms: (1_000, 12_000),
    },
    Kind {
        name: "isolate-controller",
        make: |_, active| {
            let one = Member::Controller(active);
            both_ways(&[one], &all_but(one))
        },
        lasts_ms: (1_000, 6_000),
    },
    Kind { name: "kill-etcd", make: |_, _| Deed::Kill(vec![Member::Etcd]), lasts_ms: (100, 4_000) },
    Kind { name: "restart-etcd", make: |_, _| Deed::Stop(vec![Member::Etcd]), lasts_ms: (100, 4_000) },
    Kind { name: "restart-controllers", make: |_, _| Deed::Stop(controllers()), lasts_ms: (100, 3_000) },
    Kind { name: "fill-disk", make: |random, _| Deed::FillDisk(broker(random)), lasts_ms: (2_000, 10_000) },
    Kind {
        name: "roll",
        make: |_, _| Deed::Roll([brokers(), controllers(), vec![Member::Etcd]].concat()),
        lasts_ms: (0, 0),
    },
];

fn broker(random: &mut Rng) -> Member {
    Member::Broker(random.usize(..BROKERS))
}

fn brokers() -> Vec<Member> {
    (0..BROKERS).map(Member::Broker).collect()
}

fn controllers() -> Vec<Member> {
    (0..CONTROLLERS).map(Member::Controller).collect()
}

/// The brokers but this one.
pub fn others(one: Member) -> Vec<Member> {
    brokers().into_iter().filter(|member| *member != one).collect()
}

fn all_but(one: Member) -> Vec<Member> {
    let all = [brokers(), controllers(), vec![Member::Etcd, Member::Clients]].concat();
    all.into_iter().filter(|member| *member != one).collect()
}

fn one_way(from: &[Member], to: &[Member]) -> Deed {
    Deed::Cut(from.iter().flat_map(|from| to.iter().map(|to| (*from, *to))).collect())
}

fn both_ways(some: &[Member], others: &[Member]) -> Deed {
    let pairs = some.iter().flat_map(|one| others.iter().flat_map(|other| [(*one, *other), (*other, *one)]));
    Deed::Cut(pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for kind in KINDS {
            assert_eq!(KINDS.iter().filter(|other| other.name == kind.name).count(), 1, "{}", kind.name);
            assert!(Kind::named(kind.name).is_some());
        }
        assert!(Kind::named("flood").is_none());
    }

    #[test]
    fn a_fault_reads_as_a_line() {
        let fault =
            Kind::named("cut-peers-out").map(|kind| kind.draw(&mut Rng::with_seed(1), 0)).map(|mut fault| {
                fault.deed = one_way(&[Member::Broker(0)], &others(Member::Broker(0)));
                fault.lasts = Duration::from_millis(1_250);
                fault.to_string()
            });
        let mutual = both_ways(&[Member::Broker(1)], &controllers());
        let Deed::Cut(mutual) = mutual else { panic!("it is a cut") };
        assert_eq!(cut_in_words(&mutual), "broker-2 ↔ controller-1 controller-2");
        assert_eq!(fault.as_deref(), Some("cut-peers-out broker-1 → broker-2 broker-3 for 1.2 s"));
    }

    #[test]
    fn nothing_is_stopped_twice_at_once() {
        let fault = |deed| Fault { kind: "any", deed, lasts: Duration::ZERO };
        let killed = fault(Deed::Kill(vec![Member::Broker(0), Member::Controller(1)]));
        assert!(!killed.suffers(&fault(Deed::Pause(Member::Broker(0)))));
        assert!(killed.suffers(&fault(Deed::Pause(Member::Broker(1)))));
        assert!(killed.suffers(&fault(one_way(&[Member::Broker(0)], &[Member::Etcd]))));
        assert!(!killed.suffers(&fault(Deed::Roll(vec![Member::Broker(1)]))));
        assert!(!fault(Deed::Cut(vec![])).suffers(&fault(Deed::Cut(vec![]))));
    }
}
