//! The project's own chores: `cargo xtask tidy`, `cargo xtask bench`, `cargo xtask sim`, `cargo xtask torture`,
//! `cargo xtask dashboards`, `cargo xtask configuration`, `cargo xtask release`.

mod bench;
mod configuration;
mod dashboards;
mod release;
mod sim;
mod tidy;
mod torture;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check the house rules: file openings, crate directions, purity, dead files and paths, lengths, versions
    Tidy,
    /// Measure Milena beside Apache Kafka and the raw limit; `--help` says what else
    #[command(disable_help_flag = true)]
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run whole clusters, simulated from `--seeds A..B`, and check the safety rules at every step; `--help` says what else
    #[command(disable_help_flag = true)]
    Sim {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Break a cluster on hosts of its own for `--minutes M` and judge what its clients saw; `--help` says what else
    #[command(disable_help_flag = true)]
    Torture {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Write deploy/grafana/dashboards anew, from their description in xtask/src/dashboards
    Dashboards,
    /// Write docs/configuration.md anew, from the table in metadata/src/configs
    Configuration,
    /// Build and pack what is installed: target/dist/milena-VERSION-ARCH-linux.tar.gz; `--help` says what else
    #[command(disable_help_flag = true)]
    Release {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Tidy => tidy::run(),
        Chore::Bench { arguments } => bench::run(&arguments),
        Chore::Sim { arguments } => sim::run(&arguments),
        Chore::Torture { arguments } => torture::run(&arguments),
        Chore::Dashboards => dashboards::run(),
        Chore::Configuration => configuration::run(),
        Chore::Release { arguments } => release::run(&arguments),
    }
}
