//! The clients' files: a line an event, as the scripts under `torture/python` write them.
//!
//! A client that was killed leaves half a line at most, at the end; its part then is not whole.

use anyhow::{Context, Result, bail};

use super::{Ack, GroupMember, Place, Producing, Read, Reading, Step, StepKind, Value};

/// The part of producer number `producer`.
pub fn producing(producer: u16, text: &str) -> Result<Producing> {
    let mut part = Producing { producer, ..Producing::default() };
    for line in whole_lines(text) {
        producer_line(&mut part, line).with_context(|| format!("producer {producer} wrote '{line}'"))?;
    }
    Ok(part)
}

fn producer_line(part: &mut Producing, line: &str) -> Result<()> {
    let mut words = Words::of(line);
    match words.text()? {
        "ack" => {
            let (at_ms, value) = (words.number()?, value_of(part.producer, &mut words)?);
            let offset = Some(words.number::<i64>()?).filter(|offset| *offset >= 0);
            part.acks.push(Ack { at_ms, value, offset });
        }
        "failed" => {
            words.text()?;
            part.failed.push(value_of(part.producer, &mut words)?);
        }
        "sent" => {
            part.sent.insert(words.number()?, words.number()?);
        }
        "error" => part.errors.push(line.to_owned()),
        "done" => part.is_whole = true,
        _ => bail!("no event of a producer"),
    }
    Ok(())
}

fn value_of(producer: u16, words: &mut Words<'_>) -> Result<Value> {
    Ok(Value { producer, partition: words.number()?, number: words.number()? })
}

/// The part of a consumer of every partition.
pub fn reading(reader: &str, text: &str) -> Result<Reading> {
    let member = group_member(reader, text)?;
    if let Some(step) = member.steps.first() {
        bail!("{reader} is in no group, but says {step:?}");
    }
    Ok(member.reading)
}

/// The part of a member of the group.
pub fn group_member(name: &str, text: &str) -> Result<GroupMember> {
    let mut member = GroupMember::default();
    member.reading.reader = name.to_owned();
    for line in whole_lines(text) {
        member_line(&mut member, line).with_context(|| format!("{name} wrote '{line}'"))?;
    }
    Ok(member)
}

fn member_line(member: &mut GroupMember, line: &str) -> Result<()> {
    let mut words = Words::of(line);
    let what = match words.text()? {
        "read" => {
            let (poll, place) = (words.number()?, place(&mut words)?);
            member.reading.reads.push(Read { poll, place, value: words.text().ok().and_then(value) });
            return Ok(());
        }
        "error" => {
            member.reading.errors.push(line.to_owned());
            return Ok(());
        }
        "done" => {
            member.reading.is_whole = true;
            return Ok(());
        }
        "start" => StepKind::Start,
        "try" => StepKind::Try,
        "commit" => StepKind::Commit,
        _ => bail!("no event of a consumer"),
    };
    member.steps.push(Step { at_ms: words.number()?, what, place: place(&mut words)? });
    Ok(())
}

fn place(words: &mut Words<'_>) -> Result<Place> {
    Ok(Place { partition: words.number()?, offset: words.number()? })
}

fn value(text: &str) -> Option<Value> {
    let mut parts = text.split('.');
    let mut next = || parts.next();
    let value = Value {
        producer: next()?.parse().ok()?,
        partition: next()?.parse().ok()?,
        number: next()?.parse().ok()?,
    };
    next().is_none().then_some(value)
}

fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'))
}

struct Words<'a>(std::str::SplitAsciiWhitespace<'a>);

impl<'a> Words<'a> {
    fn of(line: &'a str) -> Words<'a> {
        Words(line.split_ascii_whitespace())
    }

    fn text(&mut self) -> Result<&'a str> {
        self.0.next().context("a word is missing")
    }

    fn number<N: std::str::FromStr<Err = std::num::ParseIntError>>(&mut self) -> Result<N> {
        Ok(self.text()?.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_producers_lines_become_its_part() -> Result<()> {
        let part = producing(
            3,
            "ack 17 0 4 900\nack 18 1 0 -1001\nfailed 19 1 1 _MSG_TIMED_OUT\nerror 20 _FATAL why\nsent 0 5\ndone\nack 1",
        )?;
        let value = |partition, number| Value { producer: 3, partition, number };
        assert_eq!(
            part.acks,
            [
                Ack { at_ms: 17, value: value(0, 4), offset: Some(900) },
                Ack { at_ms: 18, value: value(1, 0), offset: None }
            ]
        );
        assert_eq!((part.failed, part.sent), (vec![value(1, 1)], [(0, 5)].into()));
        assert_eq!((part.errors.len(), part.is_whole), (1, true));
        Ok(())
    }

    #[test]
    fn a_consumers_lines_become_its_part() -> Result<()> {
        let member =
            group_member("member", "start 5 1 7\nread 2 1 7 0.1.9\nread 2 1 8 gibberish\ntry 6 1 8\n")?;
        let place = |offset| Place { partition: 1, offset };
        let value = Some(Value { producer: 0, partition: 1, number: 9 });
        assert_eq!(
            member.reading.reads,
            [Read { poll: 2, place: place(7), value }, Read { poll: 2, place: place(8), value: None }]
        );
        assert_eq!(
            member.steps,
            [
                Step { at_ms: 5, what: StepKind::Start, place: place(7) },
                Step { at_ms: 6, what: StepKind::Try, place: place(8) }
            ]
        );
        assert!(!member.reading.is_whole);
        assert!(reading("reader", "commit 1 1 1\n").is_err());
        assert!(producing(0, "read 1 1 1 1\n").is_err());
        Ok(())
    }
}
