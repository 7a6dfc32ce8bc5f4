//! What was done to a cluster between two marks of a steady load, and the gaps that it made.

use std::time::Duration;

use anyhow::Result;

use crate::acks::{AckLog, longest_gaps};

/// Invariant: both marks are in the load's log.
#[derive(Clone, Debug)]
pub struct Outage {
    pub from: String,
    pub to: String,
    /// The broker of each partition before.
    pub leaders: Vec<i32>,
    /// Whom it befell.
    pub broker: i32,
}

/// The longest time without an acknowledgement, over the partitions of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gaps {
    pub any: Duration,
    /// Of those that the broker led; none if it led none.
    pub led: Option<Duration>,
    /// Of those that it followed.
    pub followed: Option<Duration>,
}

impl Outage {
    pub fn gaps(&self, log: &AckLog) -> Result<Gaps> {
        let gaps = longest_gaps(log, log.between(&self.from, &self.to)?);
        let is_led = |partition: usize| self.leaders.get(partition) == Some(&self.broker);
        let longest = |of_led: bool| {
            let of_kind = gaps.iter().filter(|&&(partition, _)| is_led(partition) == of_led);
            of_kind.map(|&(_, gap)| gap).max()
        };
        let (led, followed) = (longest(true), longest(false));
        Ok(Gaps { any: led.max(followed).unwrap_or_default(), led, followed })
    }
}

/// For a table.
pub fn in_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_that_the_broker_led_are_told_from_those_that_it_followed() {
        let log = "ack 0 0 10\nack 0 0 90\nack 1 0 20\nack 1 0 50\nack 2 0 30\nack 2 0 65\nmark 40 kill\nmark 60 whole\n";
        let log = AckLog::parse(&format!("{log}ack 0 0 91\nack 1 0 91\nack 2 0 91\n")).unwrap();
        let outage = Outage { from: "kill".into(), to: "whole".into(), leaders: vec![2, 1, 1], broker: 2 };
        let us = Duration::from_micros;
        let expected = Gaps { any: us(80), led: Some(us(80)), followed: Some(us(41)) };
        assert_eq!(outage.gaps(&log).unwrap(), expected);
    }
}
