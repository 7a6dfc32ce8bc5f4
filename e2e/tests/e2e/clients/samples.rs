//! The records that clients exchange: everything that a record may be, within what a client can send.

use e2e::clients::{Kind, Record};

/// How many partitions they are spread over.
pub const PARTITIONS: i64 = 2;
/// More than a fetch of a few records, less than what a producer's buffer of a batch takes.
const LARGE_BYTES: usize = 300_000;
/// So many more, that there are batches of several records.
const SMALL: usize = 30;
/// Times in no order, one of them as old as can be: 0 means "now" to some clients.
const TIMESTAMPS: [i64; 4] = [1_600_000_000_000, 1, 1_700_000_000_000, 1_600_000_000_001];

/// What this client sends. Some clients' own rules forbid a record without key and value, and a header without a value.
pub fn of(kind: Kind) -> Vec<Record> {
    let is_sent = |record: &Record| match kind {
        Kind::FranzGo | Kind::Confluent | Kind::Java => true,
        Kind::Aiokafka => record.key.is_some() || record.value.is_some(),
        Kind::KafkaPython => {
            (record.key.is_some() || record.value.is_some())
                && record.headers.iter().all(|(_, value)| value.is_some())
        }
    };
    let records = contents().into_iter().filter(is_sent).enumerate();
    records.map(|(number, record)| placed(number, record)).collect()
}

fn placed(number: usize, record: Record) -> Record {
    let timestamp = Some(TIMESTAMPS[number % TIMESTAMPS.len()]);
    Record { partition: number as i64 % PARTITIONS, timestamp, ..record }
}

fn contents() -> Vec<Record> {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let mut contents = vec![
        record(Some(b"key"), Some(b"value")),
        record(None, Some(b"without a key")),
        record(Some(b"a tombstone"), None),
        record(None, None),
        record(Some(b""), Some(b"with an empty key")),
        record(Some(b"with an empty value"), Some(b"")),
        record(Some(b""), Some(b"")),
        record(Some(&every_byte), Some(&every_byte)),
        record(Some("Schlüssel".as_bytes()), Some("値 🦀".as_bytes())),
        record(Some(b"large"), Some(&noise(LARGE_BYTES))),
        record(Some(b"long"), Some(&b"the same again ".repeat(1_000))),
        with_headers(&[("one", Some(b"1"))]),
        with_headers(&[("again", Some(b"1")), ("again", Some(b"2")), ("again", Some(b"1"))]),
        with_headers(&[("empty", Some(b"")), ("über", Some("größer".as_bytes()))]),
        with_headers(&[("null", None)]),
        with_headers(&[("bytes", Some(b"\xff\xfe\x01\x80"))]),
    ];
    let small = (0..SMALL).map(|number| format!("record {number}").into_bytes());
    contents.extend(small.map(|value| record(Some(b"small"), Some(&value))));
    contents
}

fn record(key: Option<&[u8]>, value: Option<&[u8]>) -> Record {
    Record { key: key.map(<[u8]>::to_vec), value: value.map(<[u8]>::to_vec), ..Record::default() }
}

fn with_headers(headers: &[(&str, Option<&[u8]>)]) -> Record {
    let owned = |(name, value): &(&str, Option<&[u8]>)| ((*name).to_owned(), value.map(<[u8]>::to_vec));
    let headers = headers.iter().map(owned).collect();
    Record { headers, ..record(Some(b"key"), Some(b"with headers")) }
}

/// Bytes that no codec makes smaller, the same in each run.
fn noise(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

/// How kcat is told to send [`sent_by_kcat`], once each.
pub const KCAT_CALLS: [&[&str]; 2] = [
    &["-p", "0", "-K:", "-Z", "-H", "a=1", "-H", "empty=", "-H", "null"],
    &["-p", "1", "-K:", "-H", "über=größer"],
];

/// Keys and values of each call; a batch of the first alone, too, becomes smaller by any codec.
fn kcat_pairs() -> [(&'static str, String); 4] {
    let long = "the same again ".repeat(20);
    [("key", long.clone()), ("", long), ("key", String::new()), ("", String::new())]
}

/// A line for each record of a call.
pub fn kcat_lines() -> Vec<String> {
    kcat_pairs().map(|(key, value)| format!("{key}:{value}")).to_vec()
}

/// The records of [`KCAT_CALLS`]. kcat sets their time.
pub fn sent_by_kcat() -> Vec<Record> {
    let headers = [("a", Some(&b"1"[..])), ("empty", Some(b"")), ("null", None)];
    let or_null = |text: &str| (!text.is_empty()).then(|| text.as_bytes().to_vec());
    let nulls = kcat_pairs().map(|(key, value)| Record {
        key: or_null(key),
        value: or_null(&value),
        ..with_headers(&headers)
    });
    let empties = kcat_pairs().map(|(key, value)| Record {
        partition: 1,
        key: Some(key.into()),
        value: Some(value.into()),
        ..with_headers(&[("über", Some("größer".as_bytes()))])
    });
    nulls.into_iter().chain(empties).collect()
}
