//! Cuts a definition into lines of words and signs. Knows nothing of what they mean.
//!
//! `#` opens a comment; indentation is counted in steps of two blanks; a word is a run of letters, digits, `_`, `-`
//! and `+`, so `int32`, `-1`, `3-12` and `9+` are each one word.

/// A line that is neither blank nor only a comment.
#[derive(Debug)]
pub struct Line<'a> {
    pub number: usize,
    pub depth: usize,
    pub tokens: Vec<Token<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    Word(&'a str),
    Sign(char),
}

const SIGNS: &str = ":=[]?,";

/// The lines of `text`, or the number of the first bad one and what is wrong with it.
pub fn lines(text: &str) -> Result<Vec<Line<'_>>, (usize, String)> {
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        let content = line.split('#').next().unwrap_or_default();
        if content.trim().is_empty() {
            continue;
        }
        let blanks = content.len() - content.trim_start_matches(' ').len();
        if blanks % 2 != 0 {
            return Err((number, "indentation goes in steps of two blanks".to_owned()));
        }
        let tokens = tokens(content.trim()).map_err(|why| (number, why))?;
        lines.push(Line { number, depth: blanks / 2, tokens });
    }
    Ok(lines)
}

/// The comment lines that open `text`, without their signs.
pub fn opening_comment(text: &str) -> Vec<String> {
    text.lines().map_while(|line| line.strip_prefix('#')).map(|line| line.trim().to_owned()).collect()
}

fn tokens(mut rest: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    while let Some(next) = rest.chars().next() {
        let length = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
        if length > 0 {
            tokens.push(Token::Word(&rest[..length]));
        } else if SIGNS.contains(next) {
            tokens.push(Token::Sign(next));
        } else if next != ' ' {
            return Err(format!("'{next}' has no meaning here"));
        }
        rest = &rest[length.max(next.len_utf8())..];
    }
    Ok(tokens)
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+')
}
