//! Our files under Apache Kafka's own eyes, and its files under ours: DumpLogSegments reads what we wrote, and we open the
//! log directory of a broker that was killed and of one that stopped in order.
//!
//! Needs a JDK; Kafka's jars are fetched by `tools/fetch-kafka`.

mod contents;
mod dump;
mod java;
mod written_by_apache;
mod written_by_us;
