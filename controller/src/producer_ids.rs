//! Producer ids are given to brokers in blocks that are never given twice. Pure.

use metadata::keys::Key;
use metadata::keys::producer_ids::ProducerIdBlock;
use protocol::types::BrokerId;

use crate::plan::{Plan, Step, Write};
use crate::state::State;

/// Ids in a block, as in Apache Kafka.
const BLOCK_SIZE: i32 = 1000;

/// The next block, and the plan that makes it the broker's. `None`: all ids that there are have been given away.
pub fn next_block(state: &State, broker: BrokerId) -> Option<(ProducerIdBlock, Plan)> {
    let block_start = match &state.last_producer_ids {
        Some(last) => last.next_start()?,
        None => 0,
    };
    let block = ProducerIdBlock { broker: broker.0, block_start, block_size: BLOCK_SIZE };
    block.next_start()?;
    let write = Write::put(Key::ProducerIds, block.encode());
    Some((block, Plan::of_step(Step { writes: vec![write], changes: Vec::new() })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_each_other_until_there_are_no_more() {
        let mut state = State::default();
        let (first, plan) = next_block(&state, BrokerId(1)).unwrap();
        assert_eq!((first.block_start, first.block_size), (0, 1000));
        state.committed(plan.steps.into_iter().next().unwrap(), 5).unwrap();
        assert_eq!(next_block(&state, BrokerId(2)).unwrap().0.block_start, 1000);
        state.last_producer_ids = Some(ProducerIdBlock { block_start: i64::MAX - 500, ..first });
        assert_eq!(next_block(&state, BrokerId(2)), None);
    }
}
