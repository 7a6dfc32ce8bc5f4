//! Arguments that several subcommands share.

use clap::ValueEnum;
use client::TopicPartition;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Splits "name=value".
pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err(format!("'{text}' is not NAME=VALUE")),
    }
}

/// A topic, all of it or some partitions: "orders", "orders:0", "orders:0,3".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicScope {
    pub topic: String,
    /// `None`: all that there are.
    pub partitions: Option<Vec<i32>>,
}

/// Reads a [`TopicScope`].
pub fn topic_scope(text: &str) -> Result<TopicScope, String> {
    let wrong = || format!("'{text}' is neither TOPIC nor TOPIC:PARTITION,…");
    let (topic, partitions) = match text.split_once(':') {
        None => (text, None),
        Some((topic, list)) => {
            let partitions = list.split(',').map(partition).collect::<Option<Vec<_>>>();
            (topic, Some(partitions.ok_or_else(wrong)?))
        }
    };
    if topic.is_empty() {
        return Err(wrong());
    }
    Ok(TopicScope { topic: topic.to_owned(), partitions })
}

/// The number of a partition.
pub fn partition(text: &str) -> Option<i32> {
    text.trim().parse().ok().filter(|partition| *partition >= 0)
}

impl TopicScope {
    /// The partitions that are meant, of a topic that has so many.
    pub fn partitions(&self, count: usize) -> Vec<TopicPartition> {
        let all = || (0..count as i32).collect();
        let meant = self.partitions.clone().unwrap_or_else(all).into_iter();
        meant.map(|partition| TopicPartition::new(self.topic.as_str(), partition)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_further_equals_signs() {
        assert_eq!(key_value("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(key_value("=b").is_err());
    }

    #[test]
    fn a_topic_is_meant_whole_or_by_its_partitions() {
        let names = |text, count| {
            let scope = topic_scope(text).expect("a scope");
            scope.partitions(count).iter().map(TopicPartition::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("t", 2), ["t-0", "t-1"]);
        assert_eq!(names("t:3, 1", 2), ["t-3", "t-1"]);
        for wrong in ["", ":1", "t:", "t:x", "t:-1", "t:1:2"] {
            assert!(topic_scope(wrong).is_err(), "{wrong}");
        }
    }
}
