//! Clients that nobody here wrote, each behind a small program under `e2e/clients`.
//!
//! All programs take the same commands, a JSON object a line, and answer each with one:
//!
//! | `do` | with | answer |
//! |-|-|-|
//! | `produce` | `codec`, `records` | `offsets`, in the order of the records |
//! | `consume` | `topics`, `count` | `records`, that many, from the beginning on |
//! | `join` | `group`, `topic`, `assignor` | – ; reads in the background from now on |
//! | `owned` | `group` | `owned` partitions now, and all that was `read`: partition and offset |
//! | `leave` | `group` | what was `read` in all; committed |
//! | `transaction` | `id`, `topic` | the `refusal`, or null, and the `seconds` that it took |
//!
//! Java's takes `admin` as well, with the name of a family of `call`s. A command that fails is answered with an `error`. Records
//! are as [`Record`] says.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::dialogue::Dialogue;
use crate::{java, process, python, wait, workspace};

/// The programs give up by themselves after a minute.
const ANSWER_TIME_MAX: Duration = wait::PATIENCE.saturating_mul(2);

/// Whose client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    FranzGo,
    Confluent,
    Aiokafka,
    KafkaPython,
    Java,
}

impl Kind {
    pub const ALL: [Kind; 5] =
        [Kind::FranzGo, Kind::Confluent, Kind::Aiokafka, Kind::KafkaPython, Kind::Java];

    /// As files and topics of this client are called.
    pub fn name(self) -> &'static str {
        match self {
            Kind::FranzGo => "franz-go",
            Kind::Confluent => "confluent",
            Kind::Aiokafka => "aiokafka",
            Kind::KafkaPython => "kafka-python",
            Kind::Java => "java",
        }
    }

    fn command(self) -> Result<Command> {
        match self {
            Kind::FranzGo => Ok(Command::new(franz_go()?)),
            Kind::Confluent => python::client("confluent_client.py"),
            Kind::Aiokafka => python::client("aiokafka_client.py"),
            Kind::KafkaPython => python::client("kafka_python_client.py"),
            Kind::Java => {
                let mut command = java::command()?;
                command.arg("Client");
                Ok(command)
            }
        }
    }
}

/// The program, built if its source is newer.
fn franz_go() -> Result<String> {
    let build = &mut Command::new(workspace::root().join("tools/build-go-client"));
    Ok(process::run(build, b"", 5 * wait::PATIENCE)?.success()?.trim().to_owned())
}

/// One client as a process of its own.
#[derive(Debug)]
pub struct Client {
    pub kind: Kind,
    dialogue: Dialogue,
}

impl Client {
    /// Starts it for this cluster. What it says on stderr is in a file of its name in `folder`.
    pub fn start(kind: Kind, bootstrap: &str, folder: &Path) -> Result<Client> {
        let log = File::create(folder.join(format!("{}.log", kind.name())))?;
        let dialogue = Dialogue::start(kind.command()?.arg(bootstrap).stderr(log))?;
        Ok(Client { kind, dialogue })
    }

    /// One of each kind.
    pub fn start_all(bootstrap: &str, folder: &Path) -> Result<Vec<Client>> {
        Kind::ALL.into_iter().map(|kind| Client::start(kind, bootstrap, folder)).collect()
    }

    /// Its answer to a command.
    pub fn call(&mut self, command: &Value) -> Result<Value> {
        let what = || format!("{} {}", self.kind.name(), command["do"]);
        let answer = self.dialogue.ask(&command.to_string(), ANSWER_TIME_MAX).with_context(what)?;
        let answer: Value = serde_json::from_str(&answer).with_context(what)?;
        if let Some(error) = answer["error"].as_str() {
            bail!("{}: {error}", what());
        }
        Ok(answer)
    }

    /// Produces each record to its partition; their offsets.
    pub fn produce(&mut self, topic: &str, codec: &str, records: &[Record]) -> Result<Vec<i64>> {
        let records: Vec<Value> = records.iter().map(|record| record.to_json(topic)).collect();
        let answer = self.call(&json!({"do": "produce", "codec": codec, "records": records}))?;
        let offsets = answer["offsets"].as_array().context("no offsets")?;
        offsets.iter().map(|offset| offset.as_i64().context("no offset")).collect()
    }

    /// Reads so many records from the beginning of these topics; each with its topic and offset.
    pub fn consume(&mut self, topics: &[String], count: usize) -> Result<Vec<(String, i64, Record)>> {
        let answer = self.call(&json!({"do": "consume", "topics": topics, "count": count}))?;
        let records = answer["records"].as_array().context("no records")?;
        records.iter().map(|record| Record::from_json(record).context("no record")).collect()
    }
}

/// One record, as it was sent or read. On the way to and from a client its bytes are in base64, and none is null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub partition: i64,
    /// None where the producer can't set it, which is compared with nothing.
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    fn to_json(&self, topic: &str) -> Value {
        let header =
            |(name, value): &(String, Option<Vec<u8>>)| json!({"name": name, "value": base64(value)});
        json!({
            "topic": topic,
            "partition": self.partition,
            "timestamp": self.timestamp,
            "key": base64(&self.key),
            "value": base64(&self.value),
            "headers": self.headers.iter().map(header).collect::<Vec<_>>(),
        })
    }

    fn from_json(json: &Value) -> Option<(String, i64, Record)> {
        let header = |header: &Value| Some((header["name"].as_str()?.to_owned(), bytes(&header["value"])?));
        let record = Record {
            partition: json["partition"].as_i64()?,
            timestamp: json["timestamp"].as_i64(),
            key: bytes(&json["key"])?,
            value: bytes(&json["value"])?,
            headers: json["headers"].as_array()?.iter().map(header).collect::<Option<_>>()?,
        };
        Some((json["topic"].as_str()?.to_owned(), json["offset"].as_i64()?, record))
    }
}

fn base64(bytes: &Option<Vec<u8>>) -> Option<String> {
    bytes.as_ref().map(|bytes| BASE64.encode(bytes))
}

/// `Some(None)` for null, and nothing for what is neither that nor base64.
fn bytes(json: &Value) -> Option<Option<Vec<u8>>> {
    match json {
        Value::Null => Some(None),
        Value::String(text) => BASE64.decode(text).ok().map(Some),
        _ => None,
    }
}
