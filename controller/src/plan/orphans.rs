//! What a creation or deletion that was cut short left behind is deleted at activation.

use metadata::keys::Key;

use super::{Plan, Step, Write, in_steps};

/// Deletes the keys.
pub fn sweep(orphans: Vec<Key>) -> Plan {
    let pieces =
        orphans.into_iter().map(|key| Step { writes: vec![Write::delete(key)], changes: Vec::new() });
    Plan { steps: in_steps(pieces), ..Plan::default() }
}
