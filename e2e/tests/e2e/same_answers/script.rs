//! What is called: scripts of requests, read from `scripts/*.calls`.
//!
//! ```text
//! # What this call is about.
//! Metadata 0,4-13                     # once in each version; `all` is every one that Kafka serves
//!   topics: [{name: "made-by-$v"}]    # the request's fields; $v is the version
//!   until topics[0].error_code = 0    # called again until the answer says so (or one of [0, 3]): it takes a moment
//!   let id = topics[0].topic_id       # noted; $id stands for it from then on
//!
//! @other JoinGroup 9 later            # on a connection of its own; its answer is awaited by `@other receive`
//! Produce 9 silent                    # no answer is expected
//! Raw                                 # a frame as it is, in the field `bytes`
//!
//! ready orders 3                      # waits for the leaders of these partitions; $orders is the topic's id
//!
//! each 0,4,9                          # all up to `end` once for each, which is $v
//! end
//! ```

use std::collections::VecDeque;

use anyhow::{Context, Result, bail};
use protocol::ApiKey;

use super::notation;
use super::value::{Fields, Value};

/// One thing to do.
#[derive(Clone, Debug)]
pub struct Step {
    /// Script and line.
    pub place: String,
    /// What the comment above says.
    pub title: String,
    pub connection: String,
    pub action: Action,
    /// Names, and the paths in the answer by which they are found.
    pub notes: Vec<(String, String)>,
    /// A path in the answer, and what must stand there.
    pub until: Option<(String, Value)>,
}

#[derive(Clone, Debug)]
pub enum Action {
    Call { api: ApiKey, version: i16, fields: Fields, answer: Awaited },
    Raw(Fields),
    Receive,
}

/// When the answer to a call is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    Now,
    Later,
    Never,
}

/// The connection of calls that name none.
const MAIN: &str = "main";
/// The title of calls that wait for a topic's leaders.
const READY: &str = "Until a topic is led.";

/// The steps of a script.
pub fn steps(name: &str, text: &str) -> Result<Vec<Step>> {
    let mut lines: VecDeque<Line> = text
        .lines()
        .enumerate()
        .map(|(at, text)| Line { number: at + 1, text: text.trim_end().to_owned() })
        .collect();
    let mut steps = Vec::new();
    block(name, String::new(), &mut lines, &mut steps)?;
    Ok(steps)
}

#[derive(Clone)]
struct Line {
    number: usize,
    text: String,
}

/// The steps of some lines, of which those before the first comment have this title.
fn block(script: &str, title: String, lines: &mut VecDeque<Line>, steps: &mut Vec<Step>) -> Result<()> {
    let mut title = title;
    while let Some(line) = lines.pop_front() {
        let place = format!("{script}:{}", line.number);
        if let Some(comment) = line.text.strip_prefix('#') {
            title = title_of(comment, lines);
        } else if let Some(values) = line.text.strip_prefix("each ") {
            each(script, &title, values, lines, steps)?;
        } else if let Some(topic) = line.text.strip_prefix("ready ") {
            ready(&place, topic, steps).with_context(|| place.clone())?;
        } else if !line.text.is_empty() {
            let below = fields_below(lines);
            step(&place, &title, &line.text, &below, steps).with_context(|| place.clone())?;
        }
    }
    Ok(())
}

/// A comment goes on over the lines that follow.
fn title_of(first: &str, lines: &mut VecDeque<Line>) -> String {
    let mut title = first.trim().to_owned();
    while let Some(more) = lines.front().and_then(|line| line.text.strip_prefix('#')) {
        title = format!("{title} {}", more.trim());
        lines.pop_front();
    }
    title
}

fn each(
    script: &str,
    title: &str,
    values: &str,
    lines: &mut VecDeque<Line>,
    steps: &mut Vec<Step>,
) -> Result<()> {
    let end = lines.iter().position(|line| line.text == "end").context("`each` has no `end`")?;
    let inside: Vec<Line> = lines.drain(..=end).take(end).collect();
    for value in values.split(',') {
        let with = |line: &Line| Line { number: line.number, text: insert(&line.text, value.trim()) };
        block(script, title.to_owned(), &mut inside.iter().map(with).collect(), steps)?;
    }
    Ok(())
}

/// A broker may name a partition's leader before it leads.
fn ready(place: &str, topic: &str, steps: &mut Vec<Step>) -> Result<()> {
    let (name, partitions) = topic.split_once(' ').context("ready topic partitions")?;
    let named = [
        format!("topics: [{{name: \"{name}\"}}]"),
        "until topics[0].error_code = 0".to_owned(),
        format!("let {name} = topics[0].topic_id"),
    ];
    step(place, READY, "Metadata 12", &named, steps)?;
    for index in 0..partitions.parse::<i32>()? {
        let led = [
            "replica_id: -1".to_owned(),
            format!(
                "topics: [{{name: \"{name}\", partitions: [{{partition_index: {index}, timestamp: -1}}]}}]"
            ),
            "until topics[0].partitions[0].error_code = 0".to_owned(),
        ];
        step(place, READY, "ListOffsets 6", &led, steps)?;
    }
    Ok(())
}

/// The indented lines that follow, each with the lines that a value in it goes on over.
fn fields_below(lines: &mut VecDeque<Line>) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    while let Some(line) = lines.front().filter(|line| line.text.starts_with(' ')) {
        let more = line.text.trim();
        match fields.last_mut() {
            Some(open) if !notation::is_whole(open) => *open = format!("{open} {more}"),
            _ => fields.push(more.to_owned()),
        }
        lines.pop_front();
    }
    fields
}

fn insert(text: &str, version: &str) -> String {
    let mut parts = text.split("$v");
    let mut inserted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on = part.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        inserted.push_str(if goes_on { "$v" } else { version });
        inserted.push_str(part);
    }
    inserted
}

fn step(place: &str, title: &str, opening: &str, below: &[String], steps: &mut Vec<Step>) -> Result<()> {
    let mut words: VecDeque<&str> = opening.split_whitespace().collect();
    let connection = match words.front().and_then(|word| word.strip_prefix('@')) {
        Some(named) => words.pop_front().map(|_| named).unwrap_or(named),
        None => MAIN,
    };
    let base = |action| Step {
        place: place.to_owned(),
        title: title.to_owned(),
        connection: connection.to_owned(),
        action,
        notes: Vec::new(),
        until: None,
    };
    match words.pop_front().context("a line says what to do")? {
        "receive" => steps.push(with(base(Action::Receive), below)?),
        "Raw" => steps.push(with(base(Action::Raw(Vec::new())), below)?),
        name => {
            let api = *ApiKey::ALL.iter().find(|api| api.name() == name).context("no such API")?;
            let versions = versions(api, words.pop_front().context("versions are missing")?)?;
            let answer = match words.pop_front() {
                None => Awaited::Now,
                Some("later") => Awaited::Later,
                Some("silent") => Awaited::Never,
                Some(other) => bail!("'{other}' is neither later nor silent"),
            };
            for version in versions {
                let below: Vec<String> =
                    below.iter().map(|line| insert(line, &version.to_string())).collect();
                let call = Action::Call { api, version, fields: Vec::new(), answer };
                steps.push(with(base(call), &below)?);
            }
        }
    }
    Ok(())
}

/// `all`, `3`, `0,4,9`, `0-13`.
fn versions(api: ApiKey, text: &str) -> Result<Vec<i16>> {
    if text == "all" {
        return Ok(api.served_versions().context("Kafka does not serve it")?.collect());
    }
    let mut versions = Vec::new();
    for part in text.split(',') {
        match (part.parse(), part.split_once('-')) {
            (Ok(one), _) => versions.push(one),
            (_, Some((first, last))) => versions.extend(first.parse::<i16>()?..=last.parse()?),
            (Err(error), None) => return Err(error.into()),
        }
    }
    Ok(versions)
}

fn with(mut step: Step, below: &[String]) -> Result<Step> {
    for line in below {
        if let Some(note) = line.strip_prefix("let ") {
            let (name, path) = note.split_once('=').context("let name = path")?;
            step.notes.push((name.trim().to_owned(), path.trim().to_owned()));
        } else if let Some(until) = line.strip_prefix("until ") {
            let (path, value) = until.split_once('=').context("until path = value")?;
            step.until = Some((path.trim().to_owned(), notation::value(value)?));
        } else {
            let (name, value) = line.split_once(':').with_context(|| format!("'name: value', not {line}"))?;
            let (Action::Call { fields, .. } | Action::Raw(fields)) = &mut step.action else {
                bail!("what is received has no fields")
            };
            fields.push((name.trim().to_owned(), notation::value(value)?));
        }
    }
    Ok(step)
}

#[test]
fn a_script_becomes_steps() {
    let text = "# Names a topic.\n# By its name.\nMetadata 0,4-5\n  topics: [{name: \"t-$v\"},\n   {name: \"u\"}]\n\
                \x20 let id = topics[0].topic_id\n\neach 1,2\n@b Heartbeat $v later\n@b receive\nend\n";
    let steps = steps("s", text).expect("a script");
    let told: Vec<String> = steps
        .iter()
        .map(|step| match &step.action {
            Action::Call { api, version, .. } => {
                format!("{} {} {api} {version}", step.place, step.connection)
            }
            Action::Raw(_) | Action::Receive => format!("{} {}", step.place, step.connection),
        })
        .collect();
    let expected = [
        "s:3 main Metadata 0",
        "s:3 main Metadata 4",
        "s:3 main Metadata 5",
        "s:9 b Heartbeat 1",
        "s:10 b",
        "s:9 b Heartbeat 2",
        "s:10 b",
    ];
    assert_eq!(told, expected);
    assert_eq!(steps[1].title, "Names a topic. By its name.");
    let Action::Call { fields, .. } = &steps[1].action else { panic!("a call") };
    assert_eq!(fields[0].1.to_string(), "[{name: \"t-4\"}, {name: \"u\"}]");
    assert_eq!(steps[1].notes, [("id".to_owned(), "topics[0].topic_id".to_owned())]);
}
