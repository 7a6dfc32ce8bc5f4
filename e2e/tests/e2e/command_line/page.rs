//! A page of documentation as a script: its `console` blocks hold commands and what they print.
//!
//! What no two runs have in common is made the same before it is compared: ids, times, checksums, sizes of disks, and how
//! wide the columns of a table are.

/// A command, and what the page says that it prints.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<'a> {
    pub command: &'a str,
    pub printed: Vec<&'a str>,
}

/// Every step, in order.
pub fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match (inside, line.strip_prefix("$ ")) {
            (false, _) => inside = line == "```console",
            (true, Some(command)) => steps.push(Step { command, printed: Vec::new() }),
            (true, None) if line == "```" => inside = false,
            (true, None) => {
                if let Some(step) = steps.last_mut() {
                    step.printed.push(line);
                }
            }
        }
    }
    steps
}

/// A line as it is compared.
pub fn comparable(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut comparable = Vec::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        let sizes = ["KiB", "MiB", "GiB", "TiB"];
        let is_size = |at: usize| words.get(at).is_some_and(|unit| sizes.contains(unit));
        comparable.push(match word {
            _ if is_size(at + 1) || is_size(at) => "SIZE".to_owned(),
            _ if at > 0 && words[at - 1] == "crc:" => "CRC".to_owned(),
            word => word.split_inclusive([':', ',', '(', '[']).map(part).collect(),
        });
    }
    comparable.join(" ")
}

/// A part of a word, with the separator behind it.
fn part(part: &str) -> String {
    let text = part.trim_end_matches([':', ',', '(', '[', '.']);
    let separator = &part[text.len()..];
    let replaced = match text {
        text if uuid_at(text).is_some() => &text[..uuid_at(text).unwrap_or(0)],
        text if is_time(text) => "TIME",
        text if text.len() == 22 && text.bytes().all(is_base64) => "ID",
        text => text,
    };
    format!("{replaced}{separator}")
}

/// Where a word ends in 8-4-4-4-12 hexadecimal digits, they begin here.
fn uuid_at(word: &str) -> Option<usize> {
    const LENGTH: usize = 36;
    let begin = word.len().checked_sub(LENGTH)?;
    let groups = word.get(begin..)?.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12]).then_some(begin)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Milliseconds since 1970, of this century.
fn is_time(word: &str) -> bool {
    word.len() == 13 && word.bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn commands_are_read_with_what_they_print() {
    let page = "text\n$ no\n```console\n$ one\na\nb\n$ two\n```\n$ no\n```text\n$ no\n```\n";
    let one = Step { command: "one", printed: vec!["a", "b"] };
    assert_eq!(steps(page), [one, Step { command: "two", printed: Vec::new() }]);
}

#[test]
fn what_differs_from_run_to_run_is_made_the_same() {
    let id = "milena-01234567-89ab-cdef-0123-456789abcdef";
    assert_eq!(comparable(&format!("g  {id}   2")), "g milena- 2");
    assert_eq!(comparable("TopicId: AAAAAAAAAAAAAAAAAAAAAA\tx: 1"), "TopicId: ID x: 1");
    assert_eq!(comparable("1  dir  345 B  0   32 GiB  252 GiB"), "1 dir 345 B 0 SIZE SIZE SIZE SIZE");
    assert_eq!(comparable("CreateTime: 1795341600000 crc: 7 x"), "CreateTime: TIME crc: CRC x");
    assert_eq!(comparable("{\"timestamp\":1795341600000,\"a\":1}"), "{\"timestamp\":TIME,\"a\":1}");
}
