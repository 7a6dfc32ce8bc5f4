//! Random histories: whatever happens, no invariant breaks, and when all brokers live every partition has a leader.

use protocol::types::BrokerId;

use super::cluster::{Cluster, Start};
use crate::plan::preferred_leaders::balance_leaders;

fn assert_offline_lead_nothing(cluster: &Cluster, id: i32, offline: &[i32]) {
    for index in offline {
        let partition = cluster.partition(*index);
        assert!(!partition.isr.contains(&BrokerId(id)) && !partition.elr.contains(&BrokerId(id)));
    }
}

fn assert_full_wait_outside(cluster: &Cluster, id: i32, full: &[i32]) {
    for index in full {
        let partition = cluster.partition(*index);
        let is_needed = !partition.has_leader() || partition.leader == BrokerId(id);
        assert!(is_needed || !partition.isr.contains(&BrokerId(id)), "{partition:?}");
    }
}

#[test]
fn random_deaths_and_returns_never_break_an_invariant() {
    for seed in 0..100 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut cluster = Cluster::new(3);
        let min_isr = if rng.bool() { "1" } else { "2" };
        cluster.create(&[&[1, 2, 3], &[2, 3], &[3]], &[("min.insync.replicas", min_isr)]);
        for _ in 0..60 {
            let id = rng.i32(1..=3);
            match (cluster.state.image.is_live(BrokerId(id)), rng.u8(..9)) {
                (true, 0) => cluster.die(id),
                (true, 2) => cluster.stop(id),
                (true, 3) => cluster.set(&[("min.insync.replicas", if rng.bool() { "1" } else { "2" })]),
                (true, 4) => cluster.commit(balance_leaders(&cluster.state)),
                (true, 1) => {
                    let offline: Vec<i32> = (0..3).filter(|_| rng.u8(..3) == 0).collect();
                    cluster.fail(id, &offline);
                    assert_offline_lead_nothing(&cluster, id, &offline);
                }
                (true, 5) => {
                    let full: Vec<i32> = (0..3).filter(|_| rng.u8(..3) > 0).collect();
                    cluster.fill(id, &full);
                    assert_full_wait_outside(&cluster, id, &full);
                }
                (true, _) => {
                    cluster.propose(
                        id,
                        &(1..=3).filter(|member| *member == id || rng.bool()).collect::<Vec<_>>(),
                    );
                }
                (false, 0) => {
                    cluster.start(id, Start::AfterPowerLoss);
                }
                (false, _) => {
                    cluster.start(id, Start::AfterKill);
                }
            }
        }
        (1..=3).for_each(|id| {
            cluster.start(id, Start::AfterKill);
        });
        for index in 0..3 {
            assert!(
                cluster.partition(index).has_leader(),
                "seed {seed}: all live, yet {:?}",
                cluster.partition(index)
            );
        }
    }
}
