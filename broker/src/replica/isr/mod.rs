//! Which replicas are in sync, as the leader sees it: who leaves the ISR, who returns, and how the controller is asked.
//!
//! | file | what |
//! |-|-|
//! | `decide` | who lags, and why; who may return; pure |
//! | `proposals` | what was proposed and is not settled: the maximal ISR (safety rule 5); pure |
//! | `leader` | decides and settles under the partition's lock |
//! | `report` | tells why replicas are out of sync, and counts them |
//! | `returning` | partitions where somebody may return, as fetches notice it |
//! | `proposer` | asks the controller, many partitions a call |

mod decide;
mod leader;
mod proposals;
mod proposer;
mod report;
mod returning;

pub use decide::has_what_is_committed;
pub use leader::Circumstances;
pub use proposals::{Member, Proposal, Proposals};
pub use proposer::{Verdict, run, verdict};
pub use report::Told;
pub use returning::Returning;
