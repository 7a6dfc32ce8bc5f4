//! The text of a Java properties file, read to the letter of `java.util.Properties.load`.
//!
//! Bytes are ISO-8859-1. A natural line ends with `\n`, `\r` or `\r\n`; one that ends with an odd number of backslashes
//! goes on in the next, whose leading blanks are dropped. `#` and `!` begin a comment, which never goes on. A key ends
//! at the first blank, `=` or `:` that no backslash precedes. `\t \n \r \f` and `\uXXXX` are escapes; before any other
//! character a backslash vanishes. Which of two entries with one key wins is for the caller.

/// One key and its value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub key: String,
    pub value: String,
    /// The natural line where it begins, from 1.
    pub line: usize,
}

/// What Java would refuse, or what no UTF-8 text can hold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct SyntaxError {
    pub line: usize,
    pub what: &'static str,
}

/// Every entry in the order of the file.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Entry>, SyntaxError> {
    logical_lines(bytes).into_iter().map(entry).collect()
}

/// A line with its continuations, without comments, leading blanks and the backslashes that joined it.
struct LogicalLine {
    line: usize,
    bytes: Vec<u8>,
}

fn logical_lines(bytes: &[u8]) -> Vec<LogicalLine> {
    let mut lines = Vec::new();
    let mut open = LogicalLine { line: 1, bytes: Vec::new() };
    for (index, natural) in natural_lines(bytes).into_iter().enumerate() {
        let natural = &natural[count(natural, is_blank)..];
        if open.bytes.is_empty() {
            open.line = index + 1;
        }
        if open.bytes.is_empty() && matches!(natural.first(), Some(b'#' | b'!')) {
            continue;
        }
        let backslashes = natural.iter().rev().take_while(|byte| **byte == b'\\').count();
        let goes_on = backslashes % 2 == 1;
        open.bytes.extend_from_slice(&natural[..natural.len() - usize::from(goes_on)]);
        if !goes_on && !open.bytes.is_empty() {
            let next = LogicalLine { line: index + 2, bytes: Vec::new() };
            lines.push(std::mem::replace(&mut open, next));
        }
    }
    // The end of the file ends a line that meant to go on.
    if !open.bytes.is_empty() {
        lines.push(open);
    }
    lines
}

fn natural_lines(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    while !bytes.is_empty() {
        let end = count(bytes, |byte| !matches!(byte, b'\n' | b'\r'));
        let terminator = match &bytes[end..] {
            [] => 0,
            [b'\r', b'\n', ..] => 2,
            _ => 1,
        };
        lines.push(&bytes[..end]);
        bytes = &bytes[end + terminator..];
    }
    lines
}

fn entry(logical: LogicalLine) -> Result<Entry, SyntaxError> {
    let LogicalLine { line, bytes } = logical;
    let (key, rest) = bytes.split_at(key_length(&bytes));
    let mut value = &rest[count(rest, is_blank)..];
    if let [b'=' | b':', after @ ..] = value {
        value = &after[count(after, is_blank)..];
    }
    let fail = |what| SyntaxError { line, what };
    Ok(Entry { key: unescape(key).map_err(fail)?, value: unescape(value).map_err(fail)?, line })
}

fn key_length(line: &[u8]) -> usize {
    let mut escaped = false;
    count(line, |byte| {
        let ends = !escaped && (is_blank(byte) || matches!(byte, b'=' | b':'));
        escaped = byte == b'\\' && !escaped;
        !ends
    })
}

/// Java's strings are UTF-16, so escapes are undone in it and a pair of `\u` escapes can name one character.
fn unescape(bytes: &[u8]) -> Result<String, &'static str> {
    let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter().copied();
    while let Some(byte) = bytes.next() {
        let unit = match byte {
            b'\\' => match bytes.next() {
                Some(b'u') => four_hex_digits(&mut bytes)?,
                Some(letter) => u16::from(control_of(letter)),
                None => break,
            },
            plain => u16::from(plain),
        };
        units.push(unit);
    }
    String::from_utf16(&units).map_err(|_| "an escaped surrogate stands alone")
}

fn four_hex_digits(bytes: &mut impl Iterator<Item = u8>) -> Result<u16, &'static str> {
    (0..4).try_fold(0, |unit, _| {
        let digit = bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let digit = digit.ok_or("\\u is followed by four hexadecimal digits")?;
        Ok((unit << 4) | digit as u16)
    })
}

/// What a backslash makes of the letter after it.
fn control_of(letter: u8) -> u8 {
    match letter {
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        b'f' => 0x0c,
        other => other,
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0c)
}

/// How many bytes from the first are such as `holds` says.
fn count(bytes: &[u8], mut holds: impl FnMut(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !holds(*byte)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let entries = parse(text.as_bytes()).expect("parses");
        let read: Vec<_> = entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str())).collect();
        assert_eq!(read, expected, "{text:?}");
    }

    #[test]
    fn a_key_ends_at_equals_colon_or_blank() {
        check(
            "a=1\nb:2\nc 3\nd = 4\ne\t:\t5\nf",
            &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5"), ("f", "")],
        );
        check("a==1\nb=:2\nc = = 3\n=4\n", &[("a", "=1"), ("b", ":2"), ("c", "= 3"), ("", "4")]);
        check(r"a\=b\:c\ d=1", &[("a=b:c d", "1")]);
    }

    #[test]
    fn trailing_blanks_belong_to_the_value() {
        check("a = 1  \t\n", &[("a", "1  \t")]);
    }

    #[test]
    fn comments_and_blank_lines_are_nothing() {
        check(
            "# a=1\n  ! b=2\n\n \t\x0c\nc=3 # no comment\n# goes on \\\nd=4",
            &[("c", "3 # no comment"), ("d", "4")],
        );
    }

    #[test]
    fn an_odd_number_of_backslashes_joins_lines() {
        check("a=1,\\\n   2,\\\r\n\t3\nb=4\\\\\nc=5", &[("a", "1,2,3"), ("b", "4\\"), ("c", "5")]);
        check("a=1\\\n\nb=2", &[("a", "1"), ("b", "2")]);
        check("a=1\\\n# no comment", &[("a", "1# no comment")]);
        check("a=1\\", &[("a", "1")]);
        check("ke\\\n  y=1", &[("key", "1")]);
    }

    #[test]
    fn a_lone_joining_backslash_is_an_empty_line() {
        check("\\\n# a comment\na=1", &[("a", "1")]);
        check("a=1\n\\", &[("a", "1")]);
    }

    #[test]
    fn every_line_ending_counts() {
        let entries = parse(b"a=1\r\rb=2\r\n\r\nc=3\nd=\\\n4\ne=5").expect("parses");
        let lines: Vec<_> = entries.iter().map(|entry| (entry.key.as_str(), entry.line)).collect();
        assert_eq!(lines, [("a", 1), ("b", 3), ("c", 5), ("d", 6), ("e", 8)]);
    }

    #[test]
    fn escapes_are_undone() {
        check(r"a=\t\n\r\f\q\\\u0041\u00e9", &[("a", "\t\n\r\x0cq\\A\u{e9}")]);
        check(r"a=\ud83d\ude00", &[("a", "\u{1f600}")]);
        check(r"\u0061=\u003d", &[("a", "=")]);
    }

    #[test]
    fn bytes_are_latin_1() {
        let entries = parse(b"a=\xe9\xff").expect("parses");
        assert_eq!(entries[0].value, "\u{e9}\u{ff}");
    }

    #[test]
    fn what_java_refuses_is_refused_with_its_line() {
        for text in [r"x\u12", "\\u12g4=1", r"a=\u"] {
            let error = parse(format!("ok=1\n{text}\n").as_bytes()).expect_err(text);
            assert_eq!((error.line, error.what), (2, "\\u is followed by four hexadecimal digits"), "{text}");
        }
        let error = parse(br"a=\ud83d").expect_err("half a pair");
        assert_eq!(error.what, "an escaped surrogate stands alone");
    }
}
