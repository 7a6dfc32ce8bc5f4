//! `milena groups describe`: how far a group has come, who is in it, and what it is doing.
//!
//! * `offsets`, `members`, `state`: one view each.

mod members;
mod offsets;
mod state;

use clap::Args;
use client::{Admin, GroupDescription};

use super::GroupNames;
use crate::arguments::Output;
use crate::connect::Connect;
use crate::outcomes::Outcomes;
use crate::output::say;

/// Describe groups: offsets and lag of each partition, or members, or state.
#[derive(Args)]
pub struct DescribeArguments {
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    groups: GroupNames,
    #[command(flatten)]
    view: View,
    /// More columns: leader epochs, what each member reads, epochs of the group.
    #[arg(short, long)]
    verbose: bool,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What is shown; the offsets if nothing is said.
#[derive(Args, Clone, Copy)]
#[group(multiple = false)]
struct View {
    /// What is committed of each partition, how far that lies behind its end, and who reads it.
    #[arg(long)]
    offsets: bool,
    /// Who is in the group.
    #[arg(long)]
    members: bool,
    /// What the group is doing, and who coordinates it.
    #[arg(long)]
    state: bool,
}

pub async fn run(arguments: DescribeArguments) -> anyhow::Result<()> {
    let admin = arguments.connect.admin().await?;
    let mut outcomes = Outcomes::default();
    for name in arguments.groups.of(&admin).await? {
        let described = admin.describe_group(&name).await;
        outcomes.add(name, described);
    }
    let described: Vec<_> = outcomes.successes().map(|(_, group)| group).collect();
    show(&admin, &described, &arguments).await?;
    described.into_iter().for_each(note);
    outcomes.end("groups could not be described")
}

async fn show(
    admin: &Admin,
    groups: &[&GroupDescription],
    arguments: &DescribeArguments,
) -> anyhow::Result<()> {
    let (view, verbose, output) = (arguments.view, arguments.verbose, arguments.output);
    if view.members {
        members::show(groups, verbose, output)
    } else if view.state {
        state::show(groups, verbose, output)
    } else {
        offsets::show(&offsets::rows(admin, groups).await?, verbose, output)
    }
}

/// What one should know of a group before one trusts its table.
fn note(group: &GroupDescription) {
    let id = &group.group_id;
    if group.is_empty() {
        say(format!("note: group '{id}' has no active members"));
    } else if group.is_rebalancing() {
        say(format!("warning: group '{id}' is rebalancing"));
    }
}
