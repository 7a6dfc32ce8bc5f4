//! The page, as people read it.

use std::time::Duration;

use client::{LogDirDescription, ReplicaDescription};
use metadata::keys::controller_key::ActiveController;

use super::*;
use crate::cluster::store::MemberSeen;

fn broker(id: i32, lag: i64) -> BrokerSeen {
    let replica = ReplicaDescription { bytes: 1_300_000_000, lag, ..Default::default() };
    let dir = LogDirDescription {
        usable_bytes: Some(40 << 30),
        replicas: vec![replica],
        ..LogDirDescription::default()
    };
    BrokerSeen {
        id: BrokerId(id),
        rack: Some(format!("rack-{id}")),
        address: format!("10.0.0.{id}:9092"),
        fenced: false,
        dirs: Some(vec![dir]),
    }
}

fn partition(index: i32, leader: Option<i32>, isr: &[i32], min_isr: Option<usize>) -> PartitionSeen {
    PartitionSeen {
        topic: "orders".into(),
        index,
        leader: leader.map(BrokerId),
        replicas: [1, 2, 3].map(BrokerId).to_vec(),
        isr: isr.iter().copied().map(BrokerId).collect(),
        elr: Vec::new(),
        min_isr,
    }
}

fn census(partitions: Vec<PartitionSeen>, brokers: Vec<BrokerSeen>) -> Census {
    Census { cluster_id: "5L6g3nShT-eMCtK--X86sw".into(), brokers, topics: 1, partitions }
}

fn store() -> StoreSeen {
    let active = ActiveController {
        id: 100,
        endpoint: "http://10.0.0.9:9190".into(),
        epoch: 7,
        ..ActiveController::default()
    };
    let admitted = RegistrationSeen { epoch: Some(41), admitted: Some(41), fenced: false };
    let gone = RegistrationSeen { epoch: None, admitted: Some(42), fenced: true };
    StoreSeen {
        members: vec![
            MemberSeen {
                endpoint: "http://10.0.0.7:2379".into(),
                answer: Ok((4711, Duration::from_millis(2))),
            },
            MemberSeen { endpoint: "http://10.0.0.8:2379".into(), answer: Err("it is silent".into()) },
        ],
        active: Some(active),
        standbys: Ok(vec![(101, "http://10.0.0.10:9190".into())]),
        controller_epoch: Some(7),
        registrations: BTreeMap::from([(BrokerId(1), admitted), (BrokerId(3), gone)]),
    }
}

#[test]
fn a_cluster_that_is_well_takes_few_lines() {
    let census =
        census(vec![partition(0, Some(1), &[1, 2, 3], None)], vec![broker(1, 0), broker(2, 0), broker(3, 0)]);
    let expected = "\
Cluster 5L6g3nShT-eMCtK--X86sw

BROKER  RACK    ADDRESS        STATE  LEADS   REPLICAS  IN SYNC  LAG MAX  DATA     FREE
1       rack-1  10.0.0.1:9092  up     1 of 1  1         1        0        1.2 GiB  40 GiB
2       rack-2  10.0.0.2:9092  up     0 of 0  1         1        0        1.2 GiB  40 GiB
3       rack-3  10.0.0.3:9092  up     0 of 0  1         1        0        1.2 GiB  40 GiB

Controller and store: name etcd with --metadata-endpoints to see them.

1 topics, 1 partitions, 3 replicas: every partition is led, every replica in sync.
";
    assert_eq!(render(&census, None), expected);
}

#[test]
fn what_is_not_well_is_named_the_worst_first() {
    let silent = BrokerSeen { dirs: None, ..broker(2, 0) };
    let partitions = vec![
        partition(0, Some(1), &[1, 2], Some(2)),
        partition(1, Some(1), &[1, 2, 3], Some(2)),
        partition(2, None, &[3], Some(2)),
        partition(3, Some(1), &[1], Some(2)),
    ];
    let expected = "\
Cluster 5L6g3nShT-eMCtK--X86sw

BROKER  RACK    ADDRESS        STATE   LEADS   REPLICAS  IN SYNC  LAG MAX  DATA     FREE
1       rack-1  10.0.0.1:9092  up      3 of 4  4         3        17       1.2 GiB  40 GiB
2       rack-2  10.0.0.2:9092  silent  0 of 0  4         2        ?        ?        ?
3       -       -              gone    0 of 0  4         2        ?        ?        ?

Controller  100 at http://10.0.0.9:9190, epoch 7
Standing by 101 at http://10.0.0.10:9190
Store       http://10.0.0.7:2379: revision 4711, read in 2 ms
Store       http://10.0.0.8:2379: it is silent
Broker 3    not registered; it was admitted last by epoch 42

1 topics, 4 partitions, 12 replicas; 3 in trouble:

PARTITION  TROUBLE        LEADER  REPLICAS  ISR  ELR
orders-2   unavailable    none    1,2,3     3
orders-3   under min isr  1       1,2,3     1
orders-0   at min isr     1       1,2,3     1,2
";
    assert_eq!(render(&census(partitions, vec![broker(1, 17), silent]), Some(&store())), expected);
}

#[test]
fn a_page_stays_within_its_width_and_length() {
    let mut partitions: Vec<_> = (0..100).map(|index| partition(index, Some(1), &[1], Some(1))).collect();
    partitions.iter_mut().for_each(|partition| partition.topic = "long".repeat(60));
    let page = render(&census(partitions, vec![broker(1, 1_234_567), broker(2, 0)]), Some(&store()));
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    assert!(page.lines().count() < 50 && page.contains("and 80 more: "), "{page}");
}

#[test]
fn bytes_have_three_digits_at_most() {
    let cases =
        [(0, "0 B"), (999, "999 B"), (1_000, "1.0 KiB"), (1 << 20, "1.0 MiB"), (u64::MAX, "16384 PiB")];
    for (given, expected) in cases {
        assert_eq!(crate::output::bytes(given), expected);
    }
}
