//! Which partition of which topic, as directories and checkpoint files name it: `orders-7`.

use std::fmt;

/// The longest topic name that Kafka allows, so that directory names fit into 255 bytes.
pub const MAX_TOPIC_NAME_BYTES: usize = 249;

/// One partition by its topic's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    pub topic: String,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: impl Into<String>, partition: i32) -> TopicPartition {
        TopicPartition { topic: topic.into(), partition }
    }

    /// What a directory's name says, if it is the name of a partition.
    pub fn from_directory_name(name: &str) -> Option<TopicPartition> {
        let (topic, partition) = name.rsplit_once('-')?;
        let partition = partition.parse().ok().filter(|partition| *partition >= 0)?;
        is_topic_name(topic).then(|| TopicPartition::new(topic, partition))
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// Whether Kafka would take this as a topic's name; no such name leads out of a log directory.
pub fn is_topic_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_TOPIC_NAME_BYTES).contains(&name.len()) && name != "." && name != ".." && name.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_name_is_split_at_its_last_dash() {
        assert_eq!(TopicPartition::from_directory_name("a-b-12"), Some(TopicPartition::new("a-b", 12)));
        for name in ["", "-1", "a", "a-", "a--", "a-x", "a/b-1", "..-1"] {
            assert_eq!(TopicPartition::from_directory_name(name), None, "{name}");
        }
    }
}
