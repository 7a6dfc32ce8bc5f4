//! The same answers: scripts of calls, good and bad, are sent to Apache Kafka and to Milena, and the answers compared field
//! by field. Each difference stands in docs/compatibility.md with its reason, and each that stands there occurs.
//!
//! | file | what |
//! |-|-|
//! | `scripts/*.calls` | the calls |
//! | `script`, `notation`, `value` | how they are written down, and read |
//! | `encode`, `decode`, `batches` | requests and answers as bytes |
//! | `speaker` | one broker, as a script sees it |
//! | `normal` | what may differ without a difference: ids, times, orders |
//! | `compare`, `listed`, `verdict` | what differs, what is meant to, and what comes of it |
//!
//! With `E2E_SUBJECT=kafka` Apache Kafka is compared with itself: whatever differs then is no fact.

mod batches;
mod compare;
mod decode;
mod encode;
mod listed;
mod normal;
mod notation;
mod script;
mod speaker;
mod value;
mod verdict;

use std::{fs, thread};

use anyhow::{Context, Result};
use e2e::server::{Server, Subject, subject};
use e2e::workspace;
use normal::Normal;
use script::Step;
use speaker::Speaker;
use value::Value;
use verdict::Pair;

/// What both brokers are told. The scripts' records are of 2023, and stay.
const PROPERTIES: [(&str, &str); 3] =
    [("message.max.bytes", "100000"), ("group.max.size", "3"), ("log.retention.ms", "-1")];

/// In this order, on the same two brokers.
const SCRIPTS: [&str; 11] = [
    "versions",
    "topics",
    "produce",
    "fetch",
    "offsets",
    "producers",
    "groups",
    "commits",
    "configs",
    "cluster",
    "transactions",
];
const FOLDER: &str = "e2e/tests/e2e/same_answers/scripts";

#[test]
fn milena_answers_as_apache_kafka_does() -> Result<()> {
    let steps = SCRIPTS.iter().map(|name| read(name)).collect::<Result<Vec<_>>>()?.concat();
    let (kafka, milena) = thread::scope(|scope| {
        let kafka = scope.spawn(|| answers(Subject::ApacheKafka, "same-kafka", &steps));
        let milena = answers(subject()?, "same-milena", &steps);
        Ok::<_, anyhow::Error>((kafka.join().map_err(|_| anyhow::anyhow!("a panic"))??, milena?))
    })?;
    let answered = steps.into_iter().zip(kafka).zip(milena);
    let pairs: Vec<Pair> = answered.map(|((step, kafka), milena)| Pair { step, kafka, milena }).collect();
    if subject()? == Subject::Milena {
        verdict::every_version_is_called(&pairs)?;
    }
    verdict::differences_are_as_listed(&pairs)
}

fn read(name: &str) -> Result<Vec<Step>> {
    let path = workspace::root().join(FOLDER).join(format!("{name}.calls"));
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    script::steps(name, &text)
}

/// Starts a broker and takes all steps to it.
fn answers(subject: Subject, name: &str, steps: &[Step]) -> Result<Vec<Value>> {
    let server = Server::of(subject, name, 1, &PROPERTIES)?;
    let mut speaker = Speaker::new(server.port());
    let mut answers = Vec::new();
    for step in steps {
        let answer = speaker.take(step);
        answers.push(Normal { port: server.port(), noted: &speaker.noted }.of(&answer));
    }
    server.done()?;
    Ok(answers)
}
