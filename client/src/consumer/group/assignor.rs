//! The range assignor: of each topic, every subscribed member gets a run of partitions next to each other, the first
//! members one more where they do not divide evenly. Members are ordered by their ids, as Java's assignor orders them.

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::Str;

use crate::TopicPartition;

/// Who reads what, given each member's topics and each topic's number of partitions. Every member has an entry, an
/// empty one where nothing is left for it.
pub fn assign_range(
    subscriptions: &BTreeMap<Str, BTreeSet<Str>>,
    partitions: &BTreeMap<Str, usize>,
) -> BTreeMap<Str, Vec<TopicPartition>> {
    let nothing = |member: &Str| (member.clone(), Vec::new());
    let mut assignments: BTreeMap<_, Vec<TopicPartition>> = subscriptions.keys().map(nothing).collect();
    for (topic, &count) in partitions {
        let members: Vec<_> = subscriptions.iter().filter(|(_, topics)| topics.contains(topic)).collect();
        let mut next = 0;
        for (index, (member, _)) in members.iter().enumerate() {
            let share = count / members.len() + usize::from(index < count % members.len());
            let range = next..next + share;
            next += share;
            let owned = range.map(|partition| TopicPartition::new(topic.clone(), partition as i32));
            assignments.entry((*member).clone()).or_default().extend(owned);
        }
    }
    assignments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(members: &[(&str, &[&str])], topics: &[(&str, usize)]) -> Vec<(String, Vec<String>)> {
        let topic_set = |topics: &[&str]| topics.iter().map(|topic| Str::from(*topic)).collect();
        let subscriptions = members.iter().map(|(member, topics)| (Str::from(*member), topic_set(topics)));
        let partitions = topics.iter().map(|(topic, count)| (Str::from(*topic), *count)).collect();
        let shares = assign_range(&subscriptions.collect(), &partitions).into_iter();
        let texts = |owned: Vec<TopicPartition>| owned.iter().map(TopicPartition::to_string).collect();
        shares.map(|(member, owned)| (member.to_string(), texts(owned))).collect()
    }

    #[test]
    fn the_first_members_take_the_remainder() {
        let shares = shares(&[("a", &["t"]), ("b", &["t"])], &[("t", 3)]);
        assert_eq!(shares[0].1, ["t-0", "t-1"]);
        assert_eq!(shares[1].1, ["t-2"]);
    }

    #[test]
    fn only_subscribers_of_a_topic_share_it_and_the_others_get_nothing() {
        let shares = shares(&[("a", &["t"]), ("b", &["u"]), ("c", &["u", "v"])], &[("t", 1), ("u", 1)]);
        assert_eq!(shares[0].1, ["t-0"]);
        assert_eq!(shares[1].1, ["u-0"]);
        assert!(shares[2].1.is_empty());
    }

    #[test]
    fn every_partition_has_one_reader_whatever_the_numbers() {
        for members in 1..8 {
            for partitions in 0..20 {
                let names: Vec<_> = (0..members).map(|m| format!("m{m}")).collect();
                let topics: &[&str] = &["t"];
                let members: Vec<_> = names.iter().map(|name| (name.as_str(), topics)).collect();
                let mut all: Vec<_> =
                    shares(&members, &[("t", partitions)]).into_iter().flat_map(|(_, owned)| owned).collect();
                all.sort();
                all.dedup();
                assert_eq!(all.len(), partitions);
            }
        }
    }
}
