//! An error and what caused it, in one line. Many a message names its cause already, and says it once all the same.

use std::error::Error;

/// The error's message and behind it, where it does not name them, those of its causes.
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !line.ends_with(&message) {
            line.push_str(": ");
            line.push_str(&message);
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Failure(&'static str, Option<Box<Failure>>);

    impl fmt::Display for Failure {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Failure {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &(dyn Error + 'static))
        }
    }

    #[test]
    fn a_cause_is_named_once() {
        let cause = || Some(Box::new(Failure("in use", None)));
        assert_eq!(one_line(&Failure("can't bind: in use", cause())), "can't bind: in use");
        assert_eq!(one_line(&Failure("can't bind", cause())), "can't bind: in use");
        let context = Failure("no start", Some(Box::new(Failure("can't bind: in use", cause()))));
        assert_eq!(one_line(&context), "no start: can't bind: in use");
    }
}
