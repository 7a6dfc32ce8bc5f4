//! What an expression in Prometheus's language names: metrics, with the labels that are asked of each, and the labels by which
//! it groups or joins. Enough of a lexer for that; whether the expression is sound is Prometheus's to say.

use std::collections::BTreeSet;

/// The metrics and labels of one expression.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Each metric with the labels in its braces.
    pub metrics: Vec<(String, BTreeSet<String>)>,
    /// Labels after `by`, `on` and the like, which some metric of the expression must have.
    pub groupings: BTreeSet<String>,
}

/// Words before a list of labels.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// Words that are neither metrics nor functions.
const WORDS: [&str; 22] = [
    "and",
    "or",
    "unless",
    "offset",
    "bool",
    "inf",
    "nan",
    "sum",
    "min",
    "max",
    "avg",
    "count",
    "topk",
    "bottomk",
    "quantile",
    "stddev",
    "stdvar",
    "group",
    "count_values",
    "start",
    "end",
    "atan2",
];

/// Everything that an expression names.
pub(super) fn named(expression: &str) -> Named {
    let mut named = Named::default();
    let tokens = tokens(expression);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let next = tokens.get(at).map_or("", String::as_str);
        match token.as_str() {
            "[" => at += tokens[at..].iter().take_while(|token| *token != "]").count() + 1,
            word if BEFORE_LABELS.contains(&word) && next == "(" => {
                let (labels, length) = until(&tokens[at + 1..], ")");
                named.groupings.extend(labels.into_iter().filter(|label| is_name(label)).map(str::to_owned));
                at += length + 1;
            }
            word if is_name(word) && !is_word(word) && next == "{" => {
                let (inside, length) = until(&tokens[at + 1..], "}");
                named.metrics.push((word.to_owned(), matched_labels(&inside)));
                at += length + 1;
            }
            word if is_name(word) && !is_word(word) && next != "(" => {
                named.metrics.push((word.to_owned(), BTreeSet::new()));
            }
            _ => {}
        }
    }
    named
}

fn is_word(word: &str) -> bool {
    WORDS.contains(&word.to_lowercase().as_str()) || BEFORE_LABELS.contains(&word)
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_' || first == ':')
}

/// The tokens before `end`, and how many there are with it.
fn until<'a>(tokens: &'a [String], end: &str) -> (Vec<&'a str>, usize) {
    let inside: Vec<_> = tokens.iter().take_while(|token| *token != end).map(String::as_str).collect();
    let length = inside.len() + 1;
    (inside, length)
}

/// The names before `=`, `!` (of `!=`, `!~`).
fn matched_labels(inside: &[&str]) -> BTreeSet<String> {
    let pairs = inside.windows(2).filter(|pair| is_name(pair[0]) && matches!(pair[1], "=" | "!"));
    pairs.map(|pair| pair[0].to_owned()).collect()
}

/// Names, numbers with their units, and single signs; texts in quotes and variables are left out.
fn tokens(expression: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = expression.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            '"' | '\'' => {
                while let Some(letter) = rest.next().filter(|letter| *letter != first) {
                    // What stands behind a backslash does not end the text.
                    if letter == '\\' {
                        rest.next();
                    }
                }
            }
            _ if first.is_whitespace() => {}
            _ if first.is_ascii_alphanumeric() || first == '_' || first == ':' => {
                let mut word = String::from(first);
                while let Some(letter) = rest.next_if(|c| c.is_ascii_alphanumeric() || "_:.".contains(*c)) {
                    word.push(letter);
                }
                tokens.push(word);
            }
            sign => tokens.push(sign.to_string()),
        }
    }
    tokens
}

#[test]
fn the_metrics_and_labels_of_an_expression_are_found() {
    #[track_caller]
    fn check(expression: &str, metrics: &[(&str, &[&str])], groupings: &[&str]) {
        let set = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
        let expected = Named {
            metrics: metrics.iter().map(|(name, labels)| ((*name).to_owned(), set(labels))).collect(),
            groupings: set(groupings),
        };
        assert_eq!(named(expression), expected, "{expression}");
    }
    check("sum(a_total) > 0", &[("a_total", &[])], &[]);
    check(
        "sum by (x, le) (rate(a_bucket{y=\"b{c}\", z!~\".*\"}[5m])) / 1e3",
        &[("a_bucket", &["y", "z"])],
        &["le", "x"],
    );
    check(
        "a:b:c offset 5m < on () group_left () max(d{e=\"$f\"}) and absent(g)",
        &[("a:b:c", &[]), ("d", &["e"]), ("g", &[])],
        &[],
    );
    check("topk(5, up == 0 unless ignoring (x) ALERTS)", &[("up", &[]), ("ALERTS", &[])], &["x"]);
}
