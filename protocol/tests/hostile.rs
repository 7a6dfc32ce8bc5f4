//! No bytes make a decoder panic or allocate beyond its budget, whether random, or good ones that were spoiled.
//!
//! A binary of its own, for the allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use fastrand::Rng;
use protocol::arbitrary::{AnyMessage, MESSAGES, Role, Source};
use protocol::frame::{FrameError, RequestFrame};
use protocol::records::{self, BatchBuilder, Compression};

/// Counts what each thread allocates, freed or not.
struct Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    let _ = ALLOCATED.try_with(|allocated| allocated.set(allocated.get() + bytes));
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What a decoder may allocate for `input` bytes, and a little for the words of its error.
fn budget(input: usize) -> usize {
    64 * input + (1 << 20) + (16 << 10)
}

/// Runs `decode` and holds what it allocated against `budget`.
fn within<T>(budget: usize, what: impl Fn() -> String, decode: impl FnOnce() -> T) -> T {
    let before = ALLOCATED.get();
    let outcome = decode();
    let allocated = ALLOCATED.get() - before;
    assert!(allocated <= budget, "{}: {allocated} bytes were allocated, {budget} may be", what());
    outcome
}

fn decode(message: &AnyMessage, version: i16, bytes: &[u8]) -> bool {
    let owned = Bytes::copy_from_slice(bytes);
    let what = || format!("{} v{version} of {bytes:02x?}", message.name);
    within(budget(bytes.len()), what, || message.decode(owned, version)).is_ok()
}

fn versions(message: &AnyMessage) -> impl Iterator<Item = i16> {
    message.first_version..=message.last_version
}

fn random_bytes(rng: &mut Rng, length: usize) -> Vec<u8> {
    // Small values are likelier: as counts and lengths they lead deeper into the message.
    std::iter::repeat_with(|| if rng.bool() { rng.u8(..4) } else { rng.u8(..) }).take(length).collect()
}

/// Spoils good bytes as lines, disks and attackers do.
fn spoil(rng: &mut Rng, bytes: &mut Vec<u8>) {
    const BOMBS: [&[u8]; 6] = [
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff, 0xff, 0xff, 0xff, 0x7f],
        &[0x7f, 0xff, 0xff, 0xff],
        &[0x80, 0x00, 0x00, 0x00],
        &[0x00, 0xff, 0xff, 0xff],
        &[0x7f, 0xff],
    ];
    let at = rng.usize(..=bytes.len());
    match rng.u8(..5) {
        0 => bytes.truncate(at),
        1 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
        2 if at < bytes.len() => bytes[at] = rng.u8(..),
        3 => bytes.splice(at..at, random_bytes(rng, 3)).for_each(drop),
        _ => {
            let bomb = BOMBS[rng.usize(..BOMBS.len())];
            let end = (at + bomb.len()).min(bytes.len());
            bytes.splice(at..end, bomb.iter().copied()).for_each(drop);
        }
    }
}

#[test]
fn the_allocator_counts() {
    let before = ALLOCATED.get();
    drop(vec![0u8; 5_000]);
    assert!(ALLOCATED.get() - before >= 5_000);
}

#[test]
fn random_bytes_decode_or_are_refused() {
    let mut rng = Rng::with_seed(1);
    for message in MESSAGES {
        for version in versions(message) {
            for _ in 0..200 {
                let length = rng.usize(..200);
                decode(message, version, &random_bytes(&mut rng, length));
            }
        }
    }
}

#[test]
fn spoiled_messages_decode_or_are_refused() {
    let mut rng = Rng::with_seed(2);
    let (mut refused, mut all) = (0, 0);
    for message in MESSAGES {
        for version in versions(message) {
            for seed in 0..100 {
                let mut bytes = message.encode(&mut Source::new(seed), version).to_vec();
                (0..rng.u8(1..4)).for_each(|_| spoil(&mut rng, &mut bytes));
                refused += usize::from(!decode(message, version, &bytes));
                all += 1;
            }
        }
    }
    assert!(refused * 4 > all, "only {refused} of {all} were refused: they were hardly spoiled");
}

#[test]
fn a_bomb_at_every_place_is_refused_or_harmless() {
    for message in MESSAGES {
        let version = message.last_version;
        let good = message.encode(&mut Source::new(3), version);
        for at in 0..good.len() {
            let mut bytes = good.to_vec();
            bytes.splice(at..(at + 5).min(good.len()), [0xff, 0xff, 0xff, 0xff, 0x07]).for_each(drop);
            decode(message, version, &bytes);
        }
    }
}

#[test]
fn counts_that_are_true_of_a_large_input_stay_within_the_budget() {
    // A mebibyte of ones behind the start of a message is room for large counts, which cost the most memory.
    let ones = vec![1; 1 << 20];
    let mut rng = Rng::with_seed(4);
    for message in MESSAGES {
        let version = message.last_version;
        for _ in 0..4 {
            let mut bytes = message.encode(&mut Source::new(rng.u64(..)), version).to_vec();
            bytes.truncate(rng.usize(..=bytes.len()));
            bytes.extend([0xff, 0xff, 0x3f]);
            bytes.extend(&ones);
            let input = bytes.len();
            let owned = Bytes::from(bytes);
            let _ = within(budget(input), || message.name.to_owned(), || message.decode(owned, version));
        }
    }
}

#[test]
fn random_and_spoiled_frames_are_taken_apart_or_refused() {
    let mut rng = Rng::with_seed(5);
    let requests: Vec<_> =
        MESSAGES.iter().filter(|message| matches!(message.role, Role::Request(_))).collect();
    let mut parsed = 0;
    for _ in 0..100_000 {
        let message = requests[rng.usize(..requests.len())];
        let Role::Request(key) = message.role else { continue };
        let version = rng.i16(message.first_version..=message.last_version);
        let mut bytes = key.to_be_bytes().to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend([0, 0, 0, 1, 0, 2, b'm', b'e', 0]);
        bytes.extend(message.encode(&mut Source::new(rng.u64(..)), version));
        spoil(&mut rng, &mut bytes);
        let input = bytes.len();
        let frame = Bytes::from(bytes);
        match within(budget(input), || message.name.to_owned(), || RequestFrame::parse(frame)) {
            Ok(_) => parsed += 1,
            Err(
                FrameError::Malformed(_) | FrameError::UnknownApi(_) | FrameError::UnsupportedVersion { .. },
            ) => {}
        }
    }
    assert!(parsed > 50_000, "only {parsed} headers were left whole");
}

/// The limit that records are unpacked to here …
const UNPACKED_BYTES_MAX: usize = 1 << 20;
/// … and what may be allocated on the way: buffers that grow to the limit, and a codec's own (4 MiB a block of LZ4).
const UNPACKING_BYTES_MAX: usize = 4 * UNPACKED_BYTES_MAX + (12 << 20);

#[test]
fn spoiled_record_batches_are_read_or_refused() {
    let mut rng = Rng::with_seed(6);
    let codecs =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    for codec in codecs {
        let mut batch = BatchBuilder::new(codec);
        for offset in 0..20 {
            batch.append(1_000 + offset, Some(b"key"), Some(&[7; 100]), &[]);
        }
        let good = batch.build().expect("it builds");
        for _ in 0..4_000 {
            let mut bytes = good.to_vec();
            (0..rng.u8(1..3)).for_each(|_| spoil(&mut rng, &mut bytes));
            let bytes = Bytes::from(bytes);
            let what = || format!("{codec:?} {bytes:02x?}");
            within(UNPACKING_BYTES_MAX, what, || read_all_records(&bytes));
        }
    }
}

/// Reads what can be read, whatever the checksums say.
fn read_all_records(bytes: &Bytes) -> usize {
    let batches = records::batches(bytes).map_while(Result::ok);
    let records = batches.filter_map(|batch| batch.records(UNPACKED_BYTES_MAX).ok());
    records.map(|records| records.map_while(Result::ok).count()).sum()
}
