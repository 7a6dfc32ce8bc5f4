//! Our bytes are Apache Kafka 4.3.1's, both ways, for every message in every version that it has.
//!
//! One JVM (`apache/WireMirror.java`) holds Kafka's own generated classes. We write random messages, it decodes and
//! encodes them; it writes random messages, we decode and encode them; the bytes stay the same. Java, Maven and, the
//! first time, the network are needed: without them this fails.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use protocol::api::{request_header_version, response_header_version};
use protocol::arbitrary::{AnyMessage, MESSAGES, Source};
use protocol::{ApiKey, ErrorCode};

const MESSAGES_PER_VERSION: u64 = 30;

/// What the definitions have of 4.4: the message, and its last version in 4.3.1 if it is there at all.
const NEWER_THAN_4_3_1: &[(&str, Option<i16>)] = &[
    ("AbortedTxn", None),
    ("ApiVersionsRequest", Some(4)),
    ("ApiVersionsResponse", Some(4)),
    ("DeleteGroupsRequest", Some(2)),
    ("DeleteGroupsResponse", Some(2)),
    ("StreamsGroupDescribeRequest", Some(0)),
    ("StreamsGroupDescribeResponse", Some(0)),
    ("StreamsGroupHeartbeatRequest", Some(0)),
    ("StreamsGroupHeartbeatResponse", Some(0)),
    ("StreamsGroupTopologyDescriptionUpdateRequest", None),
    ("StreamsGroupTopologyDescriptionUpdateResponse", None),
    ("TxnOffsetCommitRequest", Some(5)),
    ("TxnOffsetCommitResponse", Some(5)),
];

/// The error codes of 4.4.
const ERRORS_NEWER_THAN_4_3_1: &[ErrorCode] = &[
    ErrorCode::GroupDeletionFailed,
    ErrorCode::StreamsTopologyDescriptionUpdateFailed,
    ErrorCode::ControllerIdNotRegistered,
];

/// The JVM; it ends when this process does, for its input ends then.
struct Mirror {
    _jvm: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

static MIRROR: LazyLock<Mutex<Mirror>> = LazyLock::new(|| Mutex::new(Mirror::start()));

impl Mirror {
    fn start() -> Mirror {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let fetched = Command::new(package.join("../tools/fetch-kafka")).stderr(Stdio::inherit()).output();
        let fetched = fetched.expect("tools/fetch-kafka runs");
        assert!(fetched.status.success(), "tools/fetch-kafka failed; Kafka's jars are needed for this test");
        let libs = String::from_utf8(fetched.stdout).expect("a path");
        let mut jvm = Command::new("java")
            .args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", &format!("{}/*", libs.trim())])
            .arg(package.join("tests/apache/WireMirror.java"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("java, of a JDK, runs; on Debian: apt-get install default-jdk-headless");
        let questions = jvm.stdin.take().expect("its input");
        let answers = BufReader::new(jvm.stdout.take().expect("its output"));
        Mirror { _jvm: jvm, questions, answers }
    }

    fn ask(&mut self, question: &str) -> Result<String, String> {
        writeln!(self.questions, "{question}").expect("the JVM listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the JVM answers");
        match answer.trim_end_matches(['\r', '\n']).split_once(' ') {
            Some(("ok", answer)) => Ok(answer.to_owned()),
            Some((_, why)) => Err(why.to_owned()),
            None => panic!("the JVM ended, or could not compile WireMirror.java: {answer:?}"),
        }
    }
}

fn ask(question: &str) -> Result<String, String> {
    MIRROR.lock().unwrap_or_else(PoisonError::into_inner).ask(question)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes it");
        hex
    })
}

fn unhex(hex: &str) -> Bytes {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hex digits");
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The last version that 4.3.1 has of a message.
fn last_shared_version(message: &AnyMessage) -> Option<i16> {
    let newer = NEWER_THAN_4_3_1.iter().find(|(name, _)| *name == message.name);
    newer.map_or(Some(message.last_version), |(_, last)| *last)
}

/// Calls `check` with every message in every version that both have, under several seeds.
fn for_each_shared(check: impl Fn(&AnyMessage, i16, u64)) {
    for message in MESSAGES {
        let Some(last) = last_shared_version(message) else { continue };
        for version in message.first_version..=last {
            (0..MESSAGES_PER_VERSION).for_each(|seed| check(message, version, seed));
        }
    }
}

#[test]
fn what_we_write_kafka_reads_and_writes_the_same() {
    for_each_shared(|message, version, seed| {
        let name = message.name;
        let ours = hex(&message.encode(&mut Source::new(seed), version));
        let theirs = ask(&format!("recode {name} {version} {ours}"));
        assert_eq!(theirs.as_ref(), Ok(&ours), "{name} v{version}, seed {seed}");
    });
}

#[test]
fn what_kafka_writes_we_read_and_write_the_same() {
    for_each_shared(|message, version, seed| {
        let name = message.name;
        let theirs =
            ask(&format!("random {name} {version} {seed}")).unwrap_or_else(|why| panic!("{name}: {why}"));
        let ours = message.recode(unhex(&theirs), version).map(|bytes| hex(&bytes));
        assert_eq!(ours.as_ref(), Ok(&theirs), "{name} v{version}, seed {seed}");
    });
}

#[test]
fn the_versions_are_kafkas_but_for_the_listed_ones() {
    for message in MESSAGES {
        let theirs = ask(&format!("versions {}", message.name)).ok();
        let ours = last_shared_version(message).map(|last| format!("{} {last}", message.first_version));
        assert_eq!(ours, theirs, "{}", message.name);
    }
}

#[test]
fn names_headers_and_advertised_versions_of_the_apis_are_kafkas() {
    for key in ApiKey::ALL {
        let Some(advertised) = key.advertised_versions() else { continue };
        let mut ours = format!("{key} {} {}", advertised.start(), advertised.end());
        for version in key.served_versions().into_iter().flatten() {
            let headers = (request_header_version(*key, version), response_header_version(*key, version));
            write!(ours, " {version}:{}:{}", headers.0, headers.1).expect("a string takes it");
        }
        assert_eq!(ask(&format!("api {}", *key as i16)), Ok(ours));
    }
}

#[test]
fn the_error_codes_are_kafkas() {
    let shared = ErrorCode::ALL.iter().filter(|error| !ERRORS_NEWER_THAN_4_3_1.contains(error));
    let word = |error: &ErrorCode| format!("{}:{}:{}", error.code(), error.name(), error.is_retriable());
    let ours: Vec<_> = shared.map(word).collect();
    let theirs = ask("errors").expect("Kafka has errors");
    assert_eq!(ours, theirs.split(' ').collect::<Vec<_>>());
}
