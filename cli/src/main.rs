//! The command line: one subcommand, one folder. Each takes its arguments, speaks to the cluster through `client`, and
//! prints tables or JSON; what goes wrong is printed here, once, with what to do about it.

mod api_versions;
mod arguments;
mod cluster;
mod completion;
mod configs;
mod connect;
mod consume;
mod dev;
mod dump_log;
mod groups;
mod log_dirs;
mod outcomes;
mod output;
mod produce;
mod progress;
mod ready;
mod records;
mod remedy;
mod time;
mod topics;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Kafka, translated into Rust.
#[derive(Parser)]
#[command(name = "milena", version, about, propagate_version = true)]
struct Milena {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Dev(dev::DevArguments),
    #[command(subcommand)]
    Topics(topics::TopicsCommand),
    #[command(subcommand)]
    Groups(groups::GroupsCommand),
    #[command(subcommand)]
    Configs(configs::ConfigsCommand),
    #[command(subcommand)]
    Records(records::RecordsCommand),
    Cluster(cluster::ClusterArguments),
    LogDirs(log_dirs::LogDirsArguments),
    ApiVersions(api_versions::ApiVersionsArguments),
    Produce(produce::ProduceArguments),
    Consume(consume::ConsumeArguments),
    DumpLog(dump_log::DumpLogArguments),
    Ready(ready::ReadyArguments),
    Completion(completion::CompletionArguments),
}

fn main() -> ExitCode {
    match run(Milena::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            remedy::explain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Topics(command) => block_on(topics::run(command)),
        Command::Groups(command) => block_on(groups::run(command)),
        Command::Configs(command) => block_on(configs::run(command)),
        Command::Records(command) => block_on(records::run(command)),
        Command::Cluster(arguments) => block_on(cluster::run(arguments)),
        Command::LogDirs(arguments) => block_on(log_dirs::run(arguments)),
        Command::ApiVersions(arguments) => block_on(api_versions::run(arguments)),
        Command::Produce(arguments) => block_on(produce::run(arguments)),
        Command::Consume(arguments) => block_on(consume::run(arguments)),
        Command::DumpLog(arguments) => dump_log::run(&arguments),
        Command::Ready(arguments) => ready::run(&arguments),
        Command::Completion(arguments) => completion::run(&arguments, Milena::command()),
    }
}

fn block_on(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(command);
    // A thread that waits for a line on the terminal would hold the process back.
    runtime.shutdown_background();
    outcome
}
