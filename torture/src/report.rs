//! What is printed at the end.

use std::collections::BTreeMap;

use crate::gaps::{AckTimes, Window};
use crate::trial::Findings;

/// How many findings of one kind are printed.
const SHOWN_MAX: usize = 10;

/// One act that was done, and healed.
#[derive(Clone, Debug)]
pub struct Suffered {
    /// One or two.
    pub kinds: Vec<&'static str>,
    pub window: Window,
}

/// Prints the summary; the verdict comes last.
pub fn print(findings: &Findings, suffered: &[Suffered]) {
    print_load(findings);
    print_faults(findings, suffered);
    print_wrongs("trouble", &findings.troubles);
    let mut by_name = BTreeMap::<_, Vec<_>>::new();
    for anomaly in &findings.anomalies {
        by_name.entry(anomaly.name()).or_default().push(anomaly.to_string());
    }
    by_name.iter().for_each(|(name, wrongs)| print_wrongs(name, wrongs));
    let differences: Vec<_> = findings.differences.iter().map(ToString::to_string).collect();
    print_wrongs("replicas differ", &differences);
    println!("verdict: {}", verdict(findings));
}

fn verdict(findings: &Findings) -> String {
    let wrongs = findings.anomalies.len() + findings.differences.len();
    match (wrongs, findings.troubles.len()) {
        (0, 0) => {
            "well: nothing lost, doubled, reordered or read differently; the replicas are equal".to_owned()
        }
        (0, troubles) => format!("nothing lost, but {troubles} troubles"),
        (wrongs, troubles) => format!("BROKEN: {wrongs} broken promises, {troubles} troubles"),
    }
}

fn print_load(findings: &Findings) {
    let sent: u64 = findings
        .history
        .producing
        .iter()
        .flat_map(|part| part.sent.values())
        .map(|sent| u64::from(*sent))
        .sum();
    let failed: usize = findings.history.producing.iter().map(|part| part.failed.len()).sum();
    println!("sent {sent}, acknowledged {}, given up {failed}", findings.history.acks().count());
    for reading in findings.history.all_readings() {
        println!("{} read {}", reading.reader, reading.reads.len());
    }
    println!("{} replicas were compared", findings.replicas);
    println!("producers went on under a new epoch {} times", findings.raised_epochs);
}

/// Acts with two faults count for each of them, but their gaps are told apart.
fn print_faults(findings: &Findings, suffered: &[Suffered]) {
    let times = AckTimes::of(&findings.history);
    let mut gaps = BTreeMap::<String, Vec<u64>>::new();
    for act in suffered {
        gaps.entry(act.kinds.join(" + ")).or_default().push(times.longest_gap_ms(act.window));
    }
    println!("{:>7}  longest gap of a partition  fault", "times");
    for (kinds, mut gaps) in gaps {
        gaps.sort_unstable();
        let (median, longest) = (gaps[(gaps.len() - 1) / 2], gaps[gaps.len() - 1]);
        println!("{:7}  {longest:7} ms, median {median:7} ms  {kinds}", gaps.len());
    }
}

fn print_wrongs(name: &str, wrongs: &[String]) {
    if !wrongs.is_empty() {
        println!("{name}: {} times", wrongs.len());
    }
    wrongs.iter().take(SHOWN_MAX).for_each(|wrong| println!("  {wrong}"));
}
