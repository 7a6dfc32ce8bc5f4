//! How this broker follows: fetches what others lead, over the Kafka wire, and keeps its logs equal to theirs.
//!
//! | file | what |
//! |-|-|
//! | `ask` | what is asked for, partition by partition |
//! | `session` | what the leader remembers of that (KIP-227); pure |
//! | `roster` | the partitions of a fetcher: starting, fetching, out of range, delayed; pure |
//! | `reaction`, `divergence` | what to do with an answer, where to cut a log; pure |
//! | `assignment` | what to follow, and of whom, by the image; pure |
//! | `request` | the requests and responses of the wire |
//! | `apply` | carries a reaction out under the partition's lock |
//! | `fetcher` | one connection to one leader; `broken`: why it ends; `disk`: what it has done where a disk may be waited for |
//! | `followed` | a partition as a fetcher knows it |
//! | `pace` | how fast is fetched what catches up; pure |
//! | `background` | the threads of what catches up, which give way to others |
//! | `farewell` | tells a leader that is cut off from the controllers that a later epoch has begun |
//! | `places` | which fetcher has which partition, until it has caught up; pure |
//! | `fetchers` | starts and ends fetchers as images come |

mod apply;
mod ask;
mod assignment;
mod background;
mod broken;
mod disk;
mod divergence;
mod farewell;
mod fetcher;
mod fetchers;
mod followed;
mod pace;
mod places;
mod reaction;
mod request;
mod roster;
mod session;

pub use apply::{FollowError, Taken};
pub use ask::{Ask, Position};
pub use divergence::Divergence;
pub use fetchers::run;
pub use reaction::{Answer, Bounds};
