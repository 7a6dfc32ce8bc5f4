//! A Rust file's lines as the rules need them: code without comments, and without the tests at its end.

/// The lines of code outside comments and tests, each with its number from 1.
pub(super) fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = text.lines().zip(1..).take_while(|(line, _)| line.trim() != "#[cfg(test)]");
    code.map(|(line, number)| (number, without_comment(line))).filter(|(_, line)| !line.trim().is_empty())
}

fn without_comment(line: &str) -> &str {
    line.find("//").filter(|at| !line[..*at].ends_with(':')).map_or(line, |at| &line[..at])
}

/// Whether the file is a test itself: one that `#[cfg(test)] mod tests;` names, or below a `tests` folder.
pub(super) fn is_test(path: &str) -> bool {
    path.split('/').any(|segment| matches!(segment, "tests" | "tests.rs" | "e2e"))
}

/// Whether `word` stands in `line` with nothing of a name around it.
pub(super) fn names(line: &str, word: &str) -> bool {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_name) && !line[at + word.len()..].starts_with(is_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_tests_are_no_code() {
        let text = "//! Top.\nuse a; // why\n\nlet url = \"http://x\";\n#[cfg(test)]\nmod tests {}\n";
        let lines: Vec<_> = code_lines(text).collect();
        assert_eq!(lines, [(2, "use a; "), (4, "let url = \"http://x\";")]);
    }

    #[test]
    fn words_are_whole() {
        assert!(names("use tokio::net;", "tokio") && names("std::fs::read", "std::fs"));
        assert!(!names("use tokio_stream;", "tokio") && !names("std::fsync", "std::fs"));
    }
}
