//! Which names a topic may have, in Kafka's words, and which collide: metrics once could not tell '.' from '_'.

use storage::{MAX_TOPIC_NAME_BYTES, is_topic_name};

/// What is wrong with a name.
pub(super) fn invalid(name: &str) -> Option<String> {
    let reason = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." | ".." => format!("'{name}' is not allowed"),
        _ if name.chars().count() > MAX_TOPIC_NAME_BYTES => {
            format!("the length of '{name}' is longer than the max allowed length {MAX_TOPIC_NAME_BYTES}")
        }
        _ if !is_topic_name(name) => {
            format!(
                "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
            )
        }
        _ => return None,
    };
    Some(format!("Topic name is invalid: {reason}"))
}

/// The first of these names that differs from `name` in dots and underscores alone.
pub(super) fn colliding<'a>(name: &str, mut others: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if !name.contains(['.', '_']) {
        return None;
    }
    let unified = name.replace('.', "_");
    others.find(|other| other.len() == name.len() && other.replace('.', "_") == unified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_in_kafkas_words() {
        let check = |name: &str, expected: Option<&str>| {
            let expected = expected.map(|reason| format!("Topic name is invalid: {reason}"));
            assert_eq!(invalid(name), expected);
        };
        check("a.B_c-9", None);
        check("", Some("the empty string is not allowed"));
        check("..", Some("'..' is not allowed"));
        check(
            "a/b",
            Some("'a/b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"),
        );
        let long = "a".repeat(250);
        check(&long, Some(&format!("the length of '{long}' is longer than the max allowed length 249")));
        check(&long[1..], None);
    }

    #[test]
    fn dots_and_underscores_collide() {
        let others = ["a_b", "a.c", "ab"];
        assert_eq!(colliding("a.b", others.into_iter()), Some("a_b"));
        assert_eq!(colliding("a_d", others.into_iter()), None);
        assert_eq!(colliding("ab", others.into_iter()), None);
    }
}
