//! A process that answers each line on its stdin with a line on its stdout.
//!
//! Invariant: it does not outlive the value that stands for it. It ends with its stdin, that is with the test at the latest.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// The process, and what it says.
#[derive(Debug)]
pub struct Dialogue {
    child: Child,
    questions: ChildStdin,
    answers: Receiver<String>,
}

impl Dialogue {
    /// Starts it; where its stderr goes is the command's.
    pub fn start(command: &mut Command) -> Result<Dialogue> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let questions = child.stdin.take().context("stdin is piped")?;
        let answers = lines(child.stdout.take().context("stdout is piped")?);
        Ok(Dialogue { child, questions, answers })
    }

    /// Its answer to this line, for which it is given so long.
    pub fn ask(&mut self, line: &str, limit: Duration) -> Result<String> {
        self.questions.write_all(line.as_bytes())?;
        self.questions.write_all(b"\n")?;
        self.questions.flush()?;
        self.answers.recv_timeout(limit).with_context(|| format!("no answer within {limit:?}"))
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody may want to know any more.
            let _ = sender.send(line);
        }
    });
    receiver
}
