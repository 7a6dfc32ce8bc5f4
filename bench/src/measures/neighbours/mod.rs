//! What clients that break the rules cost the others: the rate of produce with and without them, in turns.

mod offences;

use anyhow::Result;

use super::{Turn, throughput};
use crate::subject::Server;

const TOPIC: &str = "neighbours";
/// Bytes of a record.
const SIZE: usize = 1024;
const PAIRS: u32 = 5;

pub fn take(turn: &mut Turn<'_>, server: &Server) -> Result<()> {
    turn.create(&[TOPIC], turn.options.partitions)?;
    let rate = |turn: &mut Turn<'_>| -> Result<f64> {
        let moved = throughput::produce(turn, TOPIC, SIZE, turn.options.megabytes)?.figures;
        Ok(moved.bytes as f64 / 1e6 / moved.seconds)
    };
    rate(turn)?;
    let mut ratios = Vec::new();
    for _ in 0..PAIRS {
        let alone = rate(turn)?;
        let offenders = offences::begin(&server.bootstrap(), TOPIC)?;
        let beside = rate(turn)?;
        let (offences, cpu_seconds) = offenders.end()?;
        turn.sample("neighbours: produce alone", "MB/s", alone);
        turn.sample("neighbours: produce beside offenders", "MB/s", beside);
        turn.sample("neighbours: offences", "", offences as f64);
        turn.sample("neighbours: CPU of the offenders themselves", "s", cpu_seconds);
        ratios.push(beside / alone);
    }
    ratios.sort_by(f64::total_cmp);
    turn.sample("neighbours: beside / alone, median of the pairs", "", ratios[ratios.len() / 2]);
    Ok(())
}
