//! Takes a script's steps to one broker, and brings back its answers.
//!
//! Each connection of a script is one socket. A broker that hangs up has answered so; the next call on that connection
//! opens it anew.

use std::collections::{HashMap, VecDeque};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::frames::{Answer, RawConnection, framed};
use protocol::ApiKey;
use protocol::api::{request_header_version, response_header_version};
use protocol::schema::Message;

use super::script::{Action, Awaited, Step};
use super::value::{Fields, Value, find};
use super::{decode, encode};

/// How long a call is repeated for the answer that it waits for.
const UNTIL_MAX: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);
const CORRELATION_ID: i32 = 7;

/// One broker, as a script sees it.
pub struct Speaker {
    port: u16,
    connections: HashMap<String, Connection>,
    /// What was noted of answers, under its name.
    pub noted: HashMap<String, Value>,
}

struct Connection {
    socket: RawConnection,
    unanswered: VecDeque<Asked>,
}

/// A call whose answer can be read.
#[derive(Clone, Copy)]
enum Asked {
    Call { api: ApiKey, version: i16 },
    Raw,
}

impl Speaker {
    pub fn new(port: u16) -> Speaker {
        Speaker { port, connections: HashMap::new(), noted: HashMap::new() }
    }

    /// The answer to one step, or what went wrong in its place.
    pub fn take(&mut self, step: &Step) -> Value {
        let deadline = Instant::now() + UNTIL_MAX;
        loop {
            let answer = self.once(step).unwrap_or_else(|error| Value::Text(format!("{error:#}")));
            let is_there = match &step.until {
                Some((path, Value::List(any))) => answer.at(path).is_some_and(|found| any.contains(found)),
                Some((path, value)) => answer.at(path) == Some(value),
                None => true,
            };
            if is_there || Instant::now() > deadline {
                self.note(step, &answer);
                return answer;
            }
            sleep(PAUSE);
        }
    }

    fn note(&mut self, step: &Step, answer: &Value) {
        for (name, path) in &step.notes {
            let value = answer.at(path).cloned().unwrap_or(Value::Null);
            self.noted.insert(name.clone(), value);
        }
    }

    fn once(&mut self, step: &Step) -> Result<Value> {
        let (frame, asked, awaited) = match &step.action {
            Action::Receive => return self.receive(&step.connection),
            Action::Raw(fields) => (raw(fields)?, Asked::Raw, Awaited::Now),
            Action::Call { api, version, fields, answer } => {
                let (api, version) = (*api, *version);
                let fields = self.resolved(fields)?;
                (call(api, version, &step.connection, &fields)?, Asked::Call { api, version }, *answer)
            }
        };
        let connection = self.connection(&step.connection)?;
        if awaited != Awaited::Never {
            connection.unanswered.push_back(asked);
        }
        // A broker that has hung up already says so again when it is listened to.
        connection.socket.send(&framed(&frame))?;
        match awaited {
            Awaited::Now => self.receive(&step.connection),
            Awaited::Later | Awaited::Never => Ok(Value::Null),
        }
    }

    fn connection(&mut self, name: &str) -> Result<&mut Connection> {
        if !self.connections.contains_key(name) {
            let socket = RawConnection::open(self.port)?;
            let connection = Connection { socket, unanswered: VecDeque::new() };
            self.connections.insert(name.to_owned(), connection);
        }
        self.connections.get_mut(name).context("it is open")
    }

    fn receive(&mut self, name: &str) -> Result<Value> {
        let connection = self.connection(name)?;
        let asked = connection.unanswered.pop_front().context("nothing was asked")?;
        let ended = match connection.socket.receive() {
            Ok(Answer::Frame(frame)) => return answer(asked, &frame),
            Ok(Answer::Closed) => "closed",
            Err(_) => "no answer",
        };
        self.connections.remove(name);
        Ok(Value::Text(ended.to_owned()))
    }

    /// The fields with what was noted in its places.
    fn resolved(&self, fields: &Fields) -> Result<Fields> {
        fields.iter().map(|(name, value)| Ok((name.clone(), self.resolve(value)?))).collect()
    }

    fn resolve(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::Noted(name) => {
                self.noted.get(name).cloned().with_context(|| format!("nothing is noted as {name}"))?
            }
            Value::List(elements) => {
                Value::List(elements.iter().map(|element| self.resolve(element)).collect::<Result<_>>()?)
            }
            Value::Struct(fields) => Value::Struct(self.resolved(fields)?),
            other => other.clone(),
        })
    }
}

fn raw(fields: &Fields) -> Result<Vec<u8>> {
    match find(fields, "bytes") {
        Some(Value::Bytes(bytes)) => Ok(bytes.clone()),
        _ => anyhow::bail!("a frame is given in `bytes`"),
    }
}

/// A request's frame. A version that is not defined is written as the next one that is.
fn call(api: ApiKey, version: i16, client_id: &str, fields: &Fields) -> Result<Vec<u8>> {
    let message = Message::named(&format!("{api}Request")).context("it is defined")?;
    let written_as = version.clamp(*message.versions.start(), *message.versions.end());
    let mut frame = Vec::new();
    frame.extend((api as i16).to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend(CORRELATION_ID.to_be_bytes());
    frame.extend((client_id.len() as i16).to_be_bytes());
    frame.extend(client_id.as_bytes());
    if request_header_version(api, version) >= 2 {
        frame.push(0);
    }
    frame.extend(encode::message(message, written_as, fields)?);
    Ok(frame)
}

fn answer(asked: Asked, frame: &[u8]) -> Result<Value> {
    let Asked::Call { api, version } = asked else { return Ok(Value::Bytes(frame.to_owned())) };
    let message = Message::named(&format!("{api}Response")).context("it is defined")?;
    if !message.versions.contains(&version) {
        return Ok(Value::Bytes(frame.to_owned()));
    }
    ensure!(frame.get(..4) == Some(&CORRELATION_ID.to_be_bytes()), "the answer to another call");
    let has_tags = response_header_version(api, version) >= 1;
    let body = if has_tags { 5 } else { 4 };
    ensure!(!has_tags || frame.get(4) == Some(&0), "tags in the header of a response");
    decode::message(message, version, &frame[body..])
}
