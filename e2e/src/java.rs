//! Apache Kafka's own tools, run in one long-lived JVM.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::dialogue::Dialogue;
use crate::process::{self, Output};
use crate::{wait, workspace};

/// How long a tool may run.
const RUN_TIME_MAX: Duration = wait::PATIENCE.saturating_mul(3);

pub const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
pub const CONFIGS: &str = "kafka.admin.ConfigCommand";
pub const CONSOLE_PRODUCER: &str = "org.apache.kafka.tools.ConsoleProducer";
pub const CONSOLE_CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
pub const VERIFIABLE_PRODUCER: &str = "org.apache.kafka.tools.VerifiableProducer";
pub const VERIFIABLE_CONSUMER: &str = "org.apache.kafka.tools.VerifiableConsumer";
pub const GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
pub const DUMP_LOG: &str = "org.apache.kafka.tools.DumpLogSegments";

/// `java` with Apache Kafka's jars and our programs, for a process of its own.
pub fn command() -> Result<Command> {
    let jars = workspace::tool("kafka/libs", "tools/fetch-kafka")?;
    let build = &mut Command::new(workspace::root().join("tools/build-java-programs"));
    let programs = process::run(build, b"", wait::PATIENCE)?.success()?;
    let mut command = Command::new("java");
    command.args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]);
    command.arg(format!("{}/*:{}", jars.display(), programs.trim()));
    Ok(command)
}

/// Runs one tool's main with these arguments.
pub fn run(tool: &str, arguments: &[&str]) -> Result<Output> {
    run_with_input(tool, arguments, b"")
}

/// Runs one tool's main with these arguments and this stdin. Calls of one test process follow one another.
pub fn run_with_input(tool: &str, arguments: &[&str], stdin: &[u8]) -> Result<Output> {
    let mut place = driver();
    let driver = match place.take() {
        Some(driver) => driver,
        None => Driver::start()?,
    };
    // A driver that failed is not put back.
    let (driver, output) = driver.call(tool, arguments, stdin)?;
    *place = Some(driver);
    Ok(output)
}

fn driver() -> MutexGuard<'static, Option<Driver>> {
    static DRIVER: Mutex<Option<Driver>> = Mutex::new(None);
    DRIVER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The JVM.
struct Driver(Dialogue);

impl Driver {
    fn start() -> Result<Driver> {
        Ok(Driver(Dialogue::start(command()?.arg("Driver"))?))
    }

    fn call(mut self, tool: &str, arguments: &[&str], stdin: &[u8]) -> Result<(Driver, Output)> {
        let words = std::iter::once(tool).chain(arguments.iter().copied()).map(str::as_bytes);
        let call: Vec<String> = std::iter::once(stdin).chain(words).map(hex).collect();
        let answer = self.0.ask(&call.join(","), RUN_TIME_MAX).context(tool.to_owned())?;
        let output = parse(&answer).with_context(|| format!("the Java driver says '{answer}' to {tool}"))?;
        Ok((self, output))
    }
}

fn parse(answer: &str) -> Result<Output> {
    let mut parts = answer.split(',');
    let mut next = || parts.next().context("a part is missing");
    let code = next()?.parse()?;
    Ok(Output { code, stdout: text(next()?)?, stderr: text(next()?)? })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(hex: &str) -> Result<String> {
    let byte =
        |at: usize| u8::from_str_radix(hex.get(at..at + 2).context("half a byte")?, 16).context("no hex");
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect::<Result<_>>()?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
