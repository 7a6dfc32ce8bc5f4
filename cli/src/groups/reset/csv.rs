//! Plans as CSV, as Kafka's tool writes and reads them: `topic,partition,offset`, or with the group before it. There is no
//! header. Pure.
//!
//! A field that holds a comma, a quote or the end of a line stands in quotes, with its own quotes doubled.

use std::collections::BTreeMap;

use client::TopicPartition;

/// The offsets of each group.
pub type Plans = BTreeMap<String, BTreeMap<TopicPartition, i64>>;

/// A line that is none of a plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: '{text}' is not {expected}")]
pub struct BadLine {
    line: usize,
    text: String,
    expected: &'static str,
}

/// Reads plans for these groups. Lines without a group are for the only one.
pub fn parse(text: &str, groups: &[String]) -> Result<Plans, BadLine> {
    let mut plans = Plans::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let expected = match groups {
            [_] => "TOPIC,PARTITION,OFFSET or GROUP,TOPIC,PARTITION,OFFSET",
            _ => "GROUP,TOPIC,PARTITION,OFFSET, which many groups need",
        };
        let bad = || BadLine { line: index + 1, text: line.to_owned(), expected };
        let fields = fields(line).ok_or_else(bad)?;
        let (group, partition, offset) = match (&fields[..], groups) {
            ([topic, partition, offset], [group]) => entry(group, topic, partition, offset),
            ([group, topic, partition, offset], _) => entry(group, topic, partition, offset),
            _ => None,
        }
        .ok_or_else(bad)?;
        plans.entry(group).or_default().insert(partition, offset);
    }
    Ok(plans)
}

fn entry(group: &str, topic: &str, partition: &str, offset: &str) -> Option<(String, TopicPartition, i64)> {
    let partition = crate::arguments::partition(partition)?;
    let offset = offset.trim().parse().ok().filter(|offset| *offset >= 0)?;
    Some((group.to_owned(), TopicPartition::new(topic, partition), offset))
}

/// The fields of a line; `None` where a quote is open at its end, or closes in the middle of a field.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(fields),
        }
    }
}

/// What stands before the closing quote, and what behind it.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, after)),
        }
    }
}

/// One line of a plan; the group stands before it where there are several.
pub fn line(group: Option<&str>, at: &TopicPartition, offset: i64) -> String {
    let group = group.map(|group| format!("{},", quoted(group))).unwrap_or_default();
    format!("{group}{},{},{offset}\n", quoted(&at.topic), at.partition)
}

fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_written_reads_back() {
        let (at, other) = (TopicPartition::new("orders", 3), TopicPartition::new("o.2", 0));
        let odd = "a \"group\", indeed";
        let text = line(Some(odd), &at, 7) + &line(Some("g"), &other, 0);
        assert_eq!(text, "\"a \"\"group\"\", indeed\",orders,3,7\ng,o.2,0,0\n");
        let plans = parse(&text, &groups(&[odd, "g"])).expect("it is a plan");
        assert_eq!(plans[odd][&at], 7);
        assert_eq!(plans["g"][&other], 0);
    }

    #[test]
    fn lines_without_a_group_are_for_the_only_one() {
        let plans = parse("\"a-topic-whose-name-is-long\",0,5\r\n\n", &groups(&["g"])).expect("it is a plan");
        assert_eq!(plans["g"][&TopicPartition::new("a-topic-whose-name-is-long", 0)], 5);
        let refused = parse("t,0,5", &groups(&["g", "h"])).expect_err("whose is it?");
        assert_eq!(refused.line, 1);
    }

    #[test]
    fn what_is_no_plan_is_refused_by_its_line() {
        for wrong in ["t,0", "t,x,5", "t,-1,5", "t,0,-5", "\"t,0,5", "\"t\"x,0,5", "g,t,0,5,6", "t,0,5,"] {
            let refused = parse(&format!("t,0,1\n{wrong}\n"), &groups(&["g"])).expect_err(wrong);
            assert_eq!(refused.line, 2, "{wrong}");
        }
    }
}
