//! Three hundred seeds hold, a seed replays exactly, and every deliberate bug is caught. More seeds: `cargo xtask sim`.

use std::thread;

use sim::{Bug, Violation};

const SEEDS: u64 = 300;
/// Seeds run side by side: a simulation has one thread.
const THREADS: u64 = 2;
/// Within so many seeds from a known one on every deliberate bug must be caught, should the known one have come to be another
/// history meanwhile.
const BUG_SEEDS: u64 = 300;

#[test]
fn every_safety_rule_holds_in_every_seed() {
    let share = |thread: u64| {
        move || {
            for seed in (thread..SEEDS).step_by(THREADS as usize) {
                if let Err(Violation(what)) = sim::run(seed, None) {
                    panic!("`cargo xtask sim --replay {seed}`: {what}");
                }
            }
        }
    };
    let threads: Vec<_> = (0..THREADS).map(|thread| thread::spawn(share(thread))).collect();
    for thread in threads {
        thread.join().expect("every seed holds");
    }
}

#[test]
fn a_seed_is_a_history() {
    for seed in [1, 2] {
        let (one, other) = (sim::replay(seed, None), sim::replay(seed, None));
        let parts = one.1.iter().zip(&other.1).find(|(one, other)| one != other);
        assert_eq!(parts, None, "seed {seed}");
        assert_eq!(one.1.len(), other.1.len());
    }
}

#[track_caller]
fn check_is_caught(bug: Bug, known: u64) {
    let caught = (known..known + BUG_SEEDS).any(|seed| sim::run(seed, Some(bug)).is_err());
    assert!(caught, "{bug} is not caught by {BUG_SEEDS} seeds from {known} on");
}

#[test]
fn acknowledgements_that_are_not_counted_against_the_maximal_isr_are_caught() {
    check_is_caught(Bug::AcksIgnoreMaximalIsr, 51);
}

#[test]
fn a_proposal_forgotten_on_time_out_is_caught() {
    check_is_caught(Bug::ProposalForgotten, 137);
}

#[test]
fn partition_writes_that_compare_only_the_election_key_are_caught() {
    check_is_caught(Bug::ComparesElectionKeyOnly, 295);
}

#[test]
fn truncation_to_the_high_watermark_is_caught() {
    check_is_caught(Bug::TruncationToHighWatermark, 0);
}

#[test]
fn a_diverging_fetch_that_counts_as_an_acknowledgement_is_caught() {
    check_is_caught(Bug::DivergingFetchAcknowledges, 184);
}

#[test]
fn stale_producer_state_after_a_truncation_is_caught() {
    check_is_caught(Bug::StaleProducerState, 2);
}

#[test]
fn an_isr_that_trusts_a_broker_which_lost_power_is_caught() {
    check_is_caught(Bug::PowerLossTrusted, 22);
}

#[test]
fn a_high_watermark_that_advances_below_min_isr_is_caught() {
    check_is_caught(Bug::HighWatermarkBelowMinIsr, 0);
}

#[test]
fn an_old_controller_s_push_that_is_accepted_is_caught() {
    check_is_caught(Bug::OldPushAccepted, 40);
}
