//! The coordinator whole: shards as tasks, over a log in memory.

mod coordinator;
mod loading;
mod memory_log;
