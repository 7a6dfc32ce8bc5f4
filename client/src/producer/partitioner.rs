//! Which partition a record goes to, as Java's clients choose it: a key by its hash, and records without keys to one
//! partition until that has had a batch's worth, then to another.

use std::collections::HashMap;

use protocol::wire::Str;

use crate::Topic;

/// The partition of a key among `partitions`.
pub fn partition_of_key(key: &[u8], partitions: usize) -> i32 {
    let hash = murmur2(key) & i32::MAX as u32;
    (hash as usize % partitions.max(1)) as i32
}

/// Remembers, per topic, the partition that records without keys go to.
#[derive(Debug)]
pub struct StickyPartitioner {
    batch_bytes: usize,
    topics: HashMap<Str, Sticky>,
}

#[derive(Debug)]
struct Sticky {
    partition: i32,
    bytes_left: usize,
}

impl StickyPartitioner {
    pub fn new(batch_bytes: usize) -> StickyPartitioner {
        StickyPartitioner { batch_bytes, topics: HashMap::new() }
    }

    /// The partition of the next record, which has `size` bytes.
    pub fn choose(&mut self, topic: &Topic, size: usize) -> i32 {
        match self.topics.get_mut(&topic.name) {
            Some(sticky) if sticky.bytes_left >= size => {
                sticky.bytes_left -= size;
                sticky.partition
            }
            _ => self.switch(topic, size),
        }
    }

    fn switch(&mut self, topic: &Topic, size: usize) -> i32 {
        let partition = random_partition(topic);
        let sticky = Sticky { partition, bytes_left: self.batch_bytes.saturating_sub(size) };
        self.topics.insert(topic.name.clone(), sticky);
        partition
    }
}

/// A partition that has a leader, if any has.
fn random_partition(topic: &Topic) -> i32 {
    let led: Vec<_> = topic.partitions.iter().filter(|partition| partition.leader.is_some()).collect();
    fastrand::choice(&led).map_or(0, |partition| partition.index)
}

/// MurmurHash2, 32 bits, with the seed that Kafka chose.
fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const MIX: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut k = word.iter().rev().fold(0u32, |k, byte| k << 8 | u32::from(*byte)).wrapping_mul(MIX);
        k ^= k >> 24;
        hash = hash.wrapping_mul(MIX) ^ k.wrapping_mul(MIX);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0u32, |k, byte| k << 8 | u32::from(*byte));
        hash = hash.wrapping_mul(MIX);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MIX);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pairs that Kafka's own test of its hash holds.
    #[test]
    fn keys_hash_as_in_java() {
        let known: [(&[u8], i32); 6] = [
            (b"21", -973932308),
            (b"foobar", -790332482),
            (b"a-little-bit-long-string", -985981536),
            (b"a-little-bit-longer-string", -1486304829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
            (b"abc", 479470107),
        ];
        for (key, hash) in known {
            assert_eq!(murmur2(key) as i32, hash, "{}", String::from_utf8_lossy(key));
        }
    }

    #[test]
    fn records_without_keys_stay_together_for_a_batch() {
        let topic = crate::cluster::led_topic("t", 100);
        let mut partitioner = StickyPartitioner::new(1000);
        let chosen: Vec<_> = (0..10).map(|_| partitioner.choose(&topic, 100)).collect();
        assert!(chosen.iter().all(|partition| *partition == chosen[0]));
        let others = (0..100).map(|_| partitioner.choose(&topic, 1000));
        assert!(others.collect::<std::collections::HashSet<_>>().len() > 1);
    }
}
