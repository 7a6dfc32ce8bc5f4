//! A deterministic simulation of a whole cluster: three brokers, two controllers, the metadata store, the network between
//! them, their disks and clocks, and producers, all of one seed.
//!
//! What decides is the real code: the active controller with its plans and commits, the election of controllers, images and
//! deltas, the brokers' replicas with their logs, the embedded store's state machine. What is simulated is what carries it
//! out: sockets, tasks, time, and what fails. Every event is followed by the checks of the safety rules; when the storm is
//! over the cluster must come to rest with equal replicas, and nothing missing or doubled.
//!
//! | folder | what |
//! |-|-|
//! | `world` | the loop over events, and what each means for whom |
//! | `broker`, `controller`, `store` | one process each, in the place of its shells |
//! | `checks` | the safety rules |
//! | `producer`, `network`, `clock`, `queue`, `temper` | clients, links, time, what is to come, how a seed is |
//! | `bug` | deliberate bugs, which must be caught |

mod broker;
mod bug;
mod checks;
mod clock;
mod controller;
mod event;
mod history;
mod host;
mod job;
mod network;
mod producer;
mod queue;
mod store;
mod temper;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

pub use bug::Bug;
pub use checks::Violation;
pub use world::Ran;

use world::World;

/// Where logs lie: in memory, if there is such a place.
const MEMORY: &str = "/dev/shm";

/// Runs one seed.
pub fn run(seed: u64, bug: Option<Bug>) -> Result<Ran, Violation> {
    simulate(seed, bug, false).0
}

/// Runs one seed and tells what happened, a line an event.
pub fn replay(seed: u64, bug: Option<Bug>) -> (Result<Ran, Violation>, Vec<String>) {
    simulate(seed, bug, true)
}

fn simulate(seed: u64, bug: Option<Bug>, is_recorded: bool) -> (Result<Ran, Violation>, Vec<String>) {
    let mut world = World::new(seed, bug, is_recorded, &root());
    // A failed assertion of what is simulated is a finding like any other.
    let ran =
        catch_unwind(AssertUnwindSafe(|| world.run())).unwrap_or_else(|panic| Err(Violation(words(&*panic))));
    (ran, world.into_history())
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let words = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    format!("panicked: {}", words.unwrap_or_default())
}

fn root() -> PathBuf {
    match Path::new(MEMORY).is_dir() {
        true => PathBuf::from(MEMORY),
        false => std::env::temp_dir(),
    }
}
