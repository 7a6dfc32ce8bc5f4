//! Replicas of one partition on real logs, under random schedules: fetches and answers that are late, doubled or lost, images
//! that come late, leaders that are replaced, processes that are killed, ISR changes whose answer never comes, records that are
//! deleted in the middle of a batch. After every
//! step the safety rules are checked; at the end all is mended, and the replicas must be equal.

mod alone;
mod checks;
mod cluster;
mod deletions;
mod early_batches;
mod farewells;
mod fetches;
mod node;
mod weights;

use cluster::Cluster;

const STEPS: usize = 1_500;
const SEEDS: u64 = 100;

#[test]
fn nothing_acknowledged_is_lost_and_no_two_readers_see_different_records() {
    let (mut acknowledged, mut elections, mut cuts, mut stood_down, mut restarts) = (0, 0, 0, 0, 0);
    for seed in 0..SEEDS {
        let mut cluster = Cluster::new(seed);
        for _ in 0..STEPS {
            cluster.step();
        }
        cluster.mend();
        acknowledged += cluster.acknowledged();
        elections += cluster.elections;
        cuts += cluster.cuts;
        stood_down += cluster.stood_down;
        restarts += cluster.restarts;
    }
    // Schedules in which nothing happens prove nothing.
    assert!(acknowledged > SEEDS as usize * 10, "{acknowledged} records acknowledged");
    assert!(elections > SEEDS as usize, "{elections} elections");
    assert!(cuts > SEEDS as usize / 4, "{cuts} logs cut");
    assert!(stood_down > SEEDS as usize, "{stood_down} leaders stood down");
    assert!(restarts > SEEDS as usize / 10, "{restarts} logs began anew where their leader's did");
}
