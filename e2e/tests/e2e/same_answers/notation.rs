//! How values are written in a script:
//!
//! ```text
//! null  true  -12  "text"  "text" * 1000  hex"00 ff"  $noted  [1, 2]  {name: "a", count: 3}
//! ```

use anyhow::{Context, Result, bail, ensure};

use super::value::Value;

/// The value that `text` is, all of it.
pub fn value(text: &str) -> Result<Value> {
    let mut reader = Reader { rest: text };
    let value = reader.value().with_context(|| format!("in '{text}'"))?;
    ensure!(reader.blank().is_empty(), "'{}' is too much in '{text}'", reader.rest);
    Ok(value)
}

/// Whether all brackets in `text` are closed, so that a value may end here.
pub fn is_whole(text: &str) -> bool {
    let (mut depth, mut in_text) = (0, false);
    for sign in text.chars() {
        match sign {
            '"' => in_text = !in_text,
            '[' | '{' if !in_text => depth += 1,
            ']' | '}' if !in_text => depth -= 1,
            _ => {}
        }
    }
    depth <= 0
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Skips blanks; what is left.
    fn blank(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    fn takes(&mut self, sign: char) -> bool {
        let rest = self.blank().strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn word(&mut self) -> &'a str {
        let rest = self.blank();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        word
    }

    /// What stands before the next quotation mark, which is skipped.
    fn quoted(&mut self) -> Result<&'a str> {
        let (text, rest) = self.rest.split_once('"').context("a quotation mark is missing")?;
        self.rest = rest;
        Ok(text)
    }

    fn value(&mut self) -> Result<Value> {
        if self.takes('[') {
            return self.list();
        }
        if self.takes('{') {
            return self.fields();
        }
        if self.takes('$') {
            return Ok(Value::Noted(self.word().to_owned()));
        }
        if self.takes('"') {
            return self.text();
        }
        match self.word() {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "hex" => self.hex(),
            word => Ok(Value::Int(word.parse().with_context(|| format!("'{word}' is no value"))?)),
        }
    }

    fn list(&mut self) -> Result<Value> {
        let mut elements = Vec::new();
        while !self.takes(']') {
            elements.push(self.value()?);
            ensure!(self.takes(',') || self.blank().starts_with(']'), "a list goes wrong at '{}'", self.rest);
        }
        Ok(Value::List(elements))
    }

    fn fields(&mut self) -> Result<Value> {
        let mut fields = Vec::new();
        while !self.takes('}') {
            let name = self.word().to_owned();
            ensure!(!name.is_empty() && self.takes(':'), "'name:' is expected at '{}'", self.rest);
            fields.push((name, self.value()?));
            ensure!(self.takes(',') || self.blank().starts_with('}'), "fields go wrong at '{}'", self.rest);
        }
        Ok(Value::Struct(fields))
    }

    /// A text behind its first mark, and how often it is repeated.
    fn text(&mut self) -> Result<Value> {
        let text = self.quoted()?;
        let times = if self.takes('*') { self.word().parse()? } else { 1 };
        Ok(Value::Text(text.repeat(times)))
    }

    fn hex(&mut self) -> Result<Value> {
        ensure!(self.takes('"'), "hex\"..\" is expected");
        let digits: Vec<char> = self.quoted()?.chars().filter(|c| !c.is_whitespace()).collect();
        let byte = |pair: &[char]| match pair {
            [high, low] => Ok(u8::from_str_radix(&format!("{high}{low}"), 16)?),
            _ => bail!("half a byte"),
        };
        Ok(Value::Bytes(digits.chunks(2).map(byte).collect::<Result<_>>()?))
    }
}

#[test]
fn values_read_back_as_they_are_printed() {
    for text in [
        "null",
        "[1, -2, true]",
        "{name: \"a b\", noted: $id, parts: [{index: 0}], empty: []}",
        "{nothing: null}",
    ] {
        assert_eq!(value(text).expect(text).to_string(), text);
    }
    assert_eq!(value("\"ab\" * 2").expect("a text"), Value::Text("abab".into()));
    assert_eq!(value("hex\"00 ff\"").expect("bytes"), Value::Bytes(vec![0, 255]));
    assert!(value("[1 2]").is_err() && value("{a 1}").is_err() && value("1 2").is_err());
    assert!(is_whole("[{a: \"[\"}]") && !is_whole("[{a: 1}"));
}
