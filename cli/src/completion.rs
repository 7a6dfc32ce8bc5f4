//! `milena completion`: what a shell needs to complete our command lines.

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::output::print;

/// Print the completions of a shell.
///
/// bash: `source <(milena completion bash)`; zsh: `milena completion zsh > "${fpath[1]}/_milena"`; fish:
/// `milena completion fish > ~/.config/fish/completions/milena.fish`.
#[derive(Args)]
pub struct CompletionArguments {
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(arguments: &CompletionArguments, mut command: Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut command, "milena", &mut script);
    print(&String::from_utf8(script)?)
}
