//! Reads a definition file into the model, and cuts every version range to what encloses it.
//!
//! Whether the parts fit together (known structs, free tags, fitting defaults) is [`crate::check`]'s.

use std::path::Path;
use std::slice;

use crate::lexer::{self, Line, Token};
use crate::model::{Definition, Field, Kind, Message, Mistake, Scalar, Struct, Type, Versions};

/// What is wrong, and in which line.
type Result<T> = std::result::Result<T, (usize, String)>;

pub fn definition(file: &Path, text: &str) -> std::result::Result<Definition, Mistake> {
    let mistake = |(line, why)| Mistake { file: file.to_owned(), line, why };
    let lines = lexer::lines(text).map_err(mistake)?;
    let mut lines = lines.iter().peekable();
    let (name, kind) = declaration(&mut lines).map_err(mistake)?;
    if let Some(extra) = lines.next() {
        return Err(mistake((extra.number, "nothing more is expected here".to_owned())));
    }
    Ok(Definition { file: file.to_owned(), about: lexer::opening_comment(text), name, kind })
}

type Lines<'a> = std::iter::Peekable<slice::Iter<'a, Line<'a>>>;

/// The words of one line, taken one by one.
struct Words<'a> {
    line: usize,
    tokens: &'a [Token<'a>],
}

impl<'a> Words<'a> {
    fn of(line: &'a Line<'a>) -> Words<'a> {
        Words { line: line.number, tokens: &line.tokens }
    }

    fn fail<T>(&self, why: impl Into<String>) -> Result<T> {
        Err((self.line, why.into()))
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    fn word(&mut self, what: &str) -> Result<&'a str> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            _ => self.fail(format!("{what} is expected")),
        }
    }

    fn takes(&mut self, token: Token<'_>) -> bool {
        let taken = self.tokens.first() == Some(&token);
        if taken {
            self.tokens = &self.tokens[1..];
        }
        taken
    }

    fn sign(&mut self, sign: char) -> Result<()> {
        if self.takes(Token::Sign(sign)) { Ok(()) } else { self.fail(format!("'{sign}' is expected")) }
    }

    fn number<N: std::str::FromStr>(&mut self, what: &str) -> Result<N> {
        let word = self.word(what)?;
        word.parse().or_else(|_| self.fail(format!("'{word}' is not {what}")))
    }

    fn end(&self) -> Result<()> {
        match self.tokens.first() {
            None => Ok(()),
            Some(Token::Word(word)) => self.fail(format!("'{word}' is not expected here")),
            Some(Token::Sign(sign)) => self.fail(format!("'{sign}' is not expected here")),
        }
    }
}

fn declaration(lines: &mut Lines<'_>) -> Result<(String, Kind)> {
    let first = lines.next().ok_or((1, "the file says nothing".to_owned()))?;
    let mut words = Words::of(first);
    let kind = words.word("api, record or message")?;
    let name = words.word("a name")?.to_owned();
    if kind == "message" {
        let message = message(name.clone(), words, lines)?;
        return Ok((name, Kind::Data(message)));
    }
    words.sign('=')?;
    let number = words.number("a number")?;
    words.end()?;
    let mut part = |opening: &str, suffix: &str| section(opening, format!("{name}{suffix}"), lines);
    let kind = match kind {
        "api" => Kind::Api {
            key: number,
            request: part("request", "Request")?,
            response: part("response", "Response")?,
        },
        "record" => Kind::Record { number, key: part("key", "Key")?, value: part("value", "Value")? },
        other => return words.fail(format!("'{other}' is none of api, record and message")),
    };
    Ok((name, kind))
}

/// `request 3-13, flexible 9+`, and the fields below it.
fn section(opening: &str, name: String, lines: &mut Lines<'_>) -> Result<Message> {
    let line = lines.next().ok_or((1, format!("the file has no {opening}")))?;
    let mut words = Words::of(line);
    if words.word(opening)? != opening || line.depth != 0 {
        return words.fail(format!("{opening} is expected"));
    }
    message(name, words, lines)
}

/// The rest of a message's opening line, from its versions on, and what is below it.
fn message(name: String, mut words: Words<'_>, lines: &mut Lines<'_>) -> Result<Message> {
    let line = words.line;
    let versions = versions(words.word("versions")?, i16::MAX).filter(|range| range.last < i16::MAX);
    let Some(versions) = versions else { return words.fail("a range of versions like 3-13 is expected") };
    let mut message = Message {
        name: name.clone(),
        versions,
        flexible_from: None,
        latest_unstable: false,
        structs: vec![],
    };
    while words.takes(Token::Sign(',')) {
        match words.word("flexible or latest unstable")? {
            "flexible" => message.flexible_from = Some(open_range(&mut words, versions)?.first),
            "latest" if words.takes(Token::Word("unstable")) => message.latest_unstable = true,
            other => return words.fail(format!("'{other}' is neither flexible nor latest unstable")),
        }
    }
    words.end()?;
    message.structs.push(Struct { name, line, versions, fields: vec![] });
    let fields = fields(1, versions, lines, &mut message.structs)?;
    message.structs[0].fields = fields;
    while let Some(line) = lines.next_if(|line| line.depth == 1) {
        common_struct(line, versions, lines, &mut message.structs)?;
    }
    Ok(message)
}

/// `struct TaskIds 1+`, and the fields below it.
fn common_struct(
    line: &Line<'_>,
    within: Versions,
    lines: &mut Lines<'_>,
    structs: &mut Vec<Struct>,
) -> Result<()> {
    let mut words = Words::of(line);
    if words.word("a field or a struct")? != "struct" {
        return words.fail("a field like `name: type`, or a struct, is expected");
    }
    let name = words.word("a name")?.to_owned();
    let versions = optional_range(&mut words, within)?;
    words.end()?;
    let fields = fields(2, versions, lines, structs)?;
    structs.push(Struct { name, line: line.number, versions, fields });
    Ok(())
}

/// The fields at `depth`; what is defined inside them goes to `structs`.
fn fields(
    depth: usize,
    within: Versions,
    lines: &mut Lines<'_>,
    structs: &mut Vec<Struct>,
) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    while let Some(line) =
        lines.next_if(|line| line.depth == depth && line.tokens.get(1) == Some(&Token::Sign(':')))
    {
        let field = field(Words::of(line), within)?;
        if lines.peek().is_some_and(|next| next.depth == depth + 1) {
            let Some(name) = field.of.struct_name() else {
                return Err((line.number, format!("{} has no fields of its own", field.name)));
            };
            let (name, place) = (name.to_owned(), structs.len());
            structs.push(Struct { name, line: line.number, versions: field.versions, fields: vec![] });
            let inner = self::fields(depth + 1, field.versions, lines, structs)?;
            structs[place].fields = inner;
        }
        fields.push(field);
    }
    match lines.peek() {
        Some(line) if line.depth > depth || (line.depth == depth && depth > 1) => Err((
            line.number,
            "a field like `name: type` is expected, one step deeper than its struct".to_owned(),
        )),
        _ => Ok(fields),
    }
}

/// `name: type? 3+ = default nullable 5+ tag 0 ignorable key rigid`
fn field(mut words: Words<'_>, within: Versions) -> Result<Field> {
    let line = words.line;
    let name = words.word("a name")?.to_owned();
    words.sign(':')?;
    let of = type_of(&mut words)?;
    let always_nullable = words.takes(Token::Sign('?'));
    let versions = optional_range(&mut words, within)?;
    let nullable = always_nullable.then_some(versions);
    let default =
        if words.takes(Token::Sign('=')) { Some(words.word("a default")?.to_owned()) } else { None };
    let (ignorable, key, rigid) = (false, false, false);
    let mut field = Field { name, line, of, versions, nullable, default, tag: None, ignorable, key, rigid };
    while !words.tokens.is_empty() {
        match words.word("nullable, tag, ignorable, key or rigid")? {
            "nullable" => field.nullable = Some(range(&mut words, versions)?),
            "tag" => field.tag = Some(words.number("a tag")?),
            "ignorable" => field.ignorable = true,
            "key" => field.key = true,
            "rigid" => field.rigid = true,
            other => return words.fail(format!("'{other}' is not expected here")),
        }
    }
    Ok(field)
}

fn type_of(words: &mut Words<'_>) -> Result<Type> {
    if words.takes(Token::Sign('[')) {
        let element = type_of(words)?;
        words.sign(']')?;
        return Ok(Type::Array(Box::new(element)));
    }
    let word = words.word("a type")?;
    match Scalar::named(word) {
        Some(scalar) => Ok(Type::Scalar(scalar)),
        None if word.starts_with(|c: char| c.is_ascii_uppercase()) => Ok(Type::Struct(word.to_owned())),
        None => words.fail(format!("'{word}' is no type; structs begin with a capital")),
    }
}

/// A range if the next word is one, else all of `within`.
fn optional_range(words: &mut Words<'_>, within: Versions) -> Result<Versions> {
    match words.tokens.first() {
        Some(Token::Word(word)) if word.starts_with(|c: char| c.is_ascii_digit()) => range(words, within),
        _ => Ok(within),
    }
}

/// A range like `9+`, which is what flexible versions are.
fn open_range(words: &mut Words<'_>, within: Versions) -> Result<Versions> {
    let range = range(words, within)?;
    if range.last == within.last { Ok(range) } else { words.fail("a range like 9+ is expected") }
}

fn range(words: &mut Words<'_>, within: Versions) -> Result<Versions> {
    let word = words.word("versions")?;
    let Some(range) = versions(word, within.last) else {
        return words.fail(format!("'{word}' is no range like 3, 3-12 or 9+"));
    };
    if within.holds(range) {
        return Ok(range);
    }
    words.fail(format!("versions {word} are not within {}-{}", within.first, within.last))
}

/// Reads `3`, `3-12` or `9+`; the last runs up to `highest`, or is 9 alone where that is less.
fn versions(word: &str, highest: i16) -> Option<Versions> {
    let (first, last) = match (word.strip_suffix('+'), word.split_once('-')) {
        (Some(first), _) => (first.parse().ok()?, highest.max(first.parse().ok()?)),
        (None, Some((first, last))) => (first.parse().ok()?, last.parse().ok()?),
        (None, None) => (word.parse().ok()?, word.parse().ok()?),
    };
    (0 <= first && first <= last).then_some(Versions { first, last })
}
