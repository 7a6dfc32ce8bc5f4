//! The log of a steady load: acknowledgements and failures of each partition, the marks between them, and the machine's stalls.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use super::stalls::united;

/// A record that was acknowledged; microseconds since the load began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    pub sent_us: u64,
    pub acked_us: u64,
}

/// From one time, included, to another, excluded; microseconds since the load began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from_us: u64,
    pub to_us: u64,
}

/// Invariants: each partition's acknowledgements are in the order in which they came; stalls are apart, first the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AckLog {
    pub partitions: BTreeMap<usize, Vec<Ack>>,
    /// Why records were given up.
    pub failures: Vec<String>,
    marks: BTreeMap<String, u64>,
    /// When a processor of the machine stood still; nobody may have looked.
    pub stalls: Vec<Stretch>,
    /// The last time in it.
    pub end_us: u64,
}

impl AckLog {
    pub fn parse(text: &str) -> Result<AckLog> {
        let mut log = AckLog::default();
        for line in text.lines() {
            log.take(line).with_context(|| format!("the log's line {line:?}"))?;
        }
        for acks in log.partitions.values_mut() {
            acks.sort_by_key(|ack| ack.acked_us);
        }
        log.stalls = united(log.stalls);
        Ok(log)
    }

    fn take(&mut self, line: &str) -> Result<()> {
        let (kind, rest) = line.split_once(' ').context("one word only")?;
        let words: Vec<&str> = rest.splitn(4, ' ').collect();
        match (kind, &words[..]) {
            ("ack", [partition, sent, acked]) => {
                let ack = Ack { sent_us: sent.parse()?, acked_us: self.at(acked)? };
                self.partitions.entry(partition.parse()?).or_default().push(ack);
            }
            ("fail", [_, _, failed, reason]) => {
                self.at(failed)?;
                self.failures.push((*reason).to_owned());
            }
            ("mark", [at, ..]) => {
                let at = self.at(at)?;
                self.marks.insert(words[1..].join(" "), at);
            }
            ("stall", [from, to]) => {
                let stall = Stretch { from_us: from.parse()?, to_us: self.at(to)? };
                self.stalls.push(stall);
            }
            _ => bail!("neither ack nor fail nor mark nor stall"),
        }
        Ok(())
    }

    fn at(&mut self, time: &str) -> Result<u64> {
        let time = time.parse()?;
        self.end_us = self.end_us.max(time);
        Ok(time)
    }

    pub fn acknowledged(&self) -> u64 {
        self.partitions.values().map(|acks| acks.len() as u64).sum()
    }

    /// From one mark to another.
    pub fn between(&self, from: &str, to: &str) -> Result<Stretch> {
        let mark = |words: &str| self.marks.get(words).copied().with_context(|| format!("no mark {words:?}"));
        Ok(Stretch { from_us: mark(from)?, to_us: mark(to)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_acknowledgements_failures_and_marks() {
        let text = "ack 3 10 25\nmark 30 kill 1\nack 3 5 20\nfail 0 7 40 Local: timed out\nmark 50 whole\n";
        let log = AckLog::parse(text).unwrap();
        let acks = [Ack { sent_us: 5, acked_us: 20 }, Ack { sent_us: 10, acked_us: 25 }];
        assert_eq!(log.partitions[&3], acks);
        assert_eq!(log.failures, ["Local: timed out"]);
        assert_eq!(log.between("kill 1", "whole").unwrap(), Stretch { from_us: 30, to_us: 50 });
        assert_eq!((log.acknowledged(), log.end_us), (2, 50));
        assert!(log.between("kill 2", "whole").is_err());
    }

    #[test]
    fn other_lines_are_refused() {
        for line in ["ack 1 2", "ack one 2 3", "fail 1 2 3", "hello", "mark x", "stall 1"] {
            assert!(AckLog::parse(line).is_err(), "{line}");
        }
    }
}
