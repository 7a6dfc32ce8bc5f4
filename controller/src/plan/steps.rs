//! How writes are divided into transactions: at most [`WRITES_MAX`] keys and some room below the store's byte limit.

use metadata::store::{TXN_BYTES_MAX, TXN_OPERATIONS_MAX};

use super::{Step, Write};

/// Two compares of a transaction are those of the election keys, and one write may be the mark
/// ([`crate::state::State::marked`]).
pub const WRITES_MAX: usize = TXN_OPERATIONS_MAX - 3;

/// What a key may take beside its value: its path, twice, and etcd's framing.
const KEY_BYTES: usize = 512;

/// Packs pieces into as few steps as will hold them, in order; a piece is never divided, so none may be larger than a
/// transaction.
pub fn in_steps(pieces: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut writes, mut bytes) = (usize::MAX, 0);
    for piece in pieces {
        let piece_bytes: usize = piece.writes.iter().map(bytes_of).sum();
        let fits =
            writes.saturating_add(piece.writes.len()) <= WRITES_MAX && bytes + piece_bytes <= TXN_BYTES_MAX;
        match steps.last_mut().filter(|_| fits) {
            Some(step) => {
                writes += piece.writes.len();
                bytes += piece_bytes;
                step.writes.extend(piece.writes);
                step.changes.extend(piece.changes);
            }
            None => {
                (writes, bytes) = (piece.writes.len(), piece_bytes);
                steps.push(piece);
            }
        }
    }
    steps
}

fn bytes_of(write: &Write) -> usize {
    KEY_BYTES + write.value.as_ref().map_or(0, Vec::len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use metadata::keys::Key;

    fn piece(writes: usize, bytes: usize) -> Step {
        let write = |n| Write::put(Key::Topic(format!("t{n}")), vec![0; bytes]);
        Step { writes: (0..writes).map(write).collect(), changes: Vec::new() }
    }

    fn check(pieces: Vec<Step>, expected: &[usize]) {
        let sizes: Vec<_> = in_steps(pieces).iter().map(|step| step.writes.len()).collect();
        assert_eq!(sizes, expected);
    }

    #[test]
    fn pieces_fill_a_transaction_and_are_never_divided() {
        check(vec![], &[]);
        check((0..300).map(|_| piece(1, 10)).collect(), &[125, 125, 50]);
        check(vec![piece(100, 1), piece(26, 1), piece(99, 1)], &[100, 125]);
        check(vec![piece(1, 700_000), piece(1, 700_000), piece(1, 1)], &[1, 2]);
    }
}
