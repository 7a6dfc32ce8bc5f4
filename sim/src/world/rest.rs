//! The end: a cluster in which nothing fails any more comes to rest, and then all replicas are equal and nothing is missing.

use protocol::types::BrokerId;

use super::{BROKERS, World};
use crate::checks::{Checked, PartitionTruth, describe, violated};
use crate::producer::Producer;

impl World {
    /// Whether everybody takes part: only then can anything be lost.
    pub(super) fn is_in_order(&self) -> bool {
        let in_order =
            |partition: &PartitionTruth| partition.state.has_leader() && partition.state.isr.len() == BROKERS;
        self.truth.has_admitted(BROKERS) && self.truth.partitions.iter().all(in_order)
    }

    /// Whether all live, all is replicated, and all producers have their acknowledgements.
    pub(super) fn is_at_rest(&self) -> bool {
        self.machines.iter().all(|machine| machine.running.is_some())
            && self.producers.iter().filter(|producer| producer.is_idempotent).all(Producer::is_done)
            && self.truth.partitions.iter().all(|partition| {
                let end = partition.copies[0].records.len();
                let is_even =
                    |copy: &crate::checks::Copy| copy.records.len() == end && copy.high_watermark == end;
                partition.state.has_leader()
                    && partition.state.isr.len() == BROKERS
                    && partition.copies.iter().all(is_even)
            })
    }

    /// What is missing for that.
    pub(super) fn unrest(&self) -> String {
        let mut missing = Vec::new();
        for machine in self.machines.iter().filter(|machine| machine.running.is_none()) {
            missing.push(format!("broker {} is down", machine.id));
        }
        for producer in self.producers.iter().filter(|producer| producer.is_idempotent && !producer.is_done())
        {
            missing.push(format!("producer {} of t-{} waits", producer.id, producer.partition));
        }
        for (index, partition) in self.truth.partitions.iter().enumerate() {
            let ends = |copy: &crate::checks::Copy| format!("{}/{}", copy.high_watermark, copy.records.len());
            let copies: Vec<_> = partition.copies.iter().map(ends).collect();
            missing.push(format!("t-{index}: {}, {}", describe(&partition.state), copies.join(" ")));
        }
        missing.join("; ")
    }

    /// Equal replicas, and every idempotent producer's records once, in order, without gaps (safety rule 9).
    pub(super) fn check_rest(&self) -> Checked {
        for (index, partition) in self.truth.partitions.iter().enumerate() {
            let [first, others @ ..] = &partition.copies[..] else { continue };
            for (id, other) in (1..).zip(others) {
                if other.records != first.records {
                    let at = first.records.iter().zip(&other.records).position(|(one, two)| one != two);
                    let id = BrokerId(id);
                    return violated(1, format!("at the end t-{index} differs on 0 and {id} from {at:?} on"));
                }
            }
        }
        self.producers
            .iter()
            .filter(|producer| producer.is_idempotent)
            .try_for_each(|producer| self.check_producer(producer))
    }

    fn check_producer(&self, producer: &Producer) -> Checked {
        let partition = &self.truth.partitions[producer.partition as usize];
        let of_it =
            partition.copies[0].records.iter().filter(|record| record.producer_id == producer.producer_id());
        let found: Vec<u64> = of_it.map(|record| record.value).collect();
        let sent: Vec<u64> = producer.batches.iter().flat_map(|batch| &batch.values).copied().collect();
        if found != sent && partition.unclean_since.is_none() {
            let at = found.iter().zip(&sent).position(|(one, two)| one != two);
            let (id, found, sent) = (producer.id, found.len(), sent.len());
            return violated(
                9,
                format!("of producer {id} there are {found} records of {sent}, other from {at:?} on"),
            );
        }
        Ok(())
    }
}
