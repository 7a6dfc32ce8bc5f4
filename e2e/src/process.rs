//! Processes: programs that run to their end, and daemons that serve until they are told or killed.
//!
//! Invariant: a process started here does not outlive the value that stands for it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait;

/// How much of a daemon's log a failed test shows.
const LINES_SHOWN: usize = 60;

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// As a shell would report it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// What it wrote to stdout, if it ended well.
    pub fn success(self) -> Result<String> {
        ensure!(self.code == 0, "exit code {}\n{}\n{}", self.code, self.stdout, self.stderr);
        Ok(self.stdout)
    }
}

/// Runs a program to its end with `stdin` as its input; one that takes longer than `limit` is killed.
pub fn run(command: &mut Command, stdin: &[u8], limit: Duration) -> Result<Output> {
    let (code, stdout, stderr) = run_for_bytes(command, stdin, limit)?;
    Ok(Output { code, stdout: String::from_utf8_lossy(&stdout).into_owned(), stderr })
}

/// The same for a program whose stdout is no text: its exit code, stdout and stderr.
pub fn run_for_bytes(command: &mut Command, stdin: &[u8], limit: Duration) -> Result<(i32, Vec<u8>, String)> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running(command.spawn().with_context(|| format!("cannot start {program}"))?);
    let (input, stdin) = (child.0.stdin.take(), stdin.to_owned());
    // A program may end without reading its input to the end; that is its right.
    let writer = thread::spawn(move || input.map(|mut input| input.write_all(&stdin)));
    let stdout = read_to_end(child.0.stdout.take());
    let stderr = read_to_end(child.0.stderr.take());
    let ended = child.wait(limit);
    if ended.is_err() {
        child.kill();
    }
    let _ = writer.join();
    let (stdout, stderr) = (stdout.join().unwrap_or_default(), text(stderr));
    let said = || format!("{program} said:\n{}\n{stderr}", String::from_utf8_lossy(&stdout));
    let code = code(ended.with_context(said)?);
    Ok((code, stdout, stderr))
}

fn read_to_end(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is still worth showing.
        let _ = stream.map(|mut stream| stream.read_to_end(&mut bytes));
        bytes
    })
}

fn text(bytes: thread::JoinHandle<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.join().unwrap_or_default()).into_owned()
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// A child that is killed with this value.
#[derive(Debug)]
struct Running(Child);

impl Running {
    fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        wait::until("the end of a process", limit, || Ok(self.0.try_wait()?))
    }

    fn kill(&mut self) {
        // It may have ended by itself already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A process that serves. Its stderr, and its stdout after the lines that were awaited, are in its log file.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Running,
    log: PathBuf,
    stdout: Receiver<String>,
}

impl Daemon {
    /// Starts it with its output appended to `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Daemon> {
        let file = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file.try_clone()?);
        let mut child = Running(command.spawn().with_context(|| format!("cannot start {name}"))?);
        let stdout = lines(child.0.stdout.take().context("stdout is piped")?, file);
        Ok(Daemon { name: name.to_owned(), child, log: log.to_owned(), stdout })
    }

    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// The rest of the first line on stdout that begins with `start`.
    pub fn await_line(&mut self, start: &str, limit: Duration) -> Result<String> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.stdout.recv_timeout(left) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(start) {
                        return Ok(rest.trim().to_owned());
                    }
                }
                Err(RecvTimeoutError::Timeout) => bail!("{}: no line '{start}…' within {limit:?}", self.name),
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait(wait::PATIENCE)?;
                    bail!(
                        "{} ended with {} before it said '{start}…'\n{}",
                        self.name,
                        code(status),
                        self.log_tail()
                    );
                }
            }
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(self.pid() as i32), signal)?)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.0.try_wait(), Ok(None))
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(&mut self, limit: Duration) -> Result<i32> {
        self.signal(Signal::SIGTERM)?;
        self.ended(limit)
    }

    /// How it ended, once it has.
    pub fn ended(&mut self, limit: Duration) -> Result<i32> {
        Ok(code(self.child.wait(limit).with_context(|| format!("{} does not end", self.name))?))
    }

    /// Bytes of memory it holds now.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024)
    }

    /// All that it logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines of what it logged.
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
    }
}

/// Hands on each line and keeps it in the log.
fn lines(stdout: impl Read + Send + 'static, mut log: File) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Neither a full disk nor a test that no longer listens is the daemon's fault.
            let _ = writeln!(log, "{line}");
            let _ = sender.send(line);
        }
    });
    receiver
}
