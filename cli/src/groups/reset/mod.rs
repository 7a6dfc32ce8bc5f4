//! `milena groups reset-offsets`: sets what a group has committed, or shows what would be set.
//!
//! * `way`: to where. * `plan`: which offset that is, for one partition. Both pure.
//! * `prepare`: asks for all that a plan stands on.
//! * `csv`: plans as Kafka's tool writes and reads them. Pure.
//! * `show`: tables and JSON.

mod csv;
mod plan;
mod prepare;
mod show;
mod way;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use client::{Admin, TopicPartition};
use protocol::ErrorCode;

use super::GroupNames;
use crate::arguments::{Output, TopicScope, topic_scope};
use crate::connect::Connect;
use crate::outcomes::Outcomes;
use crate::output::say;
use plan::Target;
use way::{Choice, Way, WayArguments};

/// Set what groups without members have committed. Without --execute it is only shown.
#[derive(Args)]
pub struct ResetArguments {
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    groups: GroupNames,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    way: WayArguments,
    /// Do it.
    #[arg(long, conflicts_with = "dry_run")]
    execute: bool,
    /// Only show it, as without --execute.
    #[arg(long)]
    dry_run: bool,
    /// Print the plan as CSV, which --from-file reads.
    #[arg(long, conflicts_with = "output")]
    export: bool,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Which partitions are reset.
#[derive(Args)]
#[group(multiple = false)]
struct Scope {
    /// A topic, or some of its partitions; may be given again.
    #[arg(long = "topic", value_name = "TOPIC[:PARTITION,…]", value_parser = topic_scope)]
    topics: Vec<TopicScope>,
    /// Every partition for which the group has committed something.
    #[arg(long)]
    all_topics: bool,
}

/// The plan of one group.
struct Reset {
    group: String,
    targets: BTreeMap<TopicPartition, Target>,
}

pub async fn run(arguments: ResetArguments) -> Result<()> {
    let choice = arguments.way.choice()?;
    arguments.scope.check(&choice)?;
    let admin = arguments.connect.admin().await?;
    let groups = arguments.groups.of(&admin).await?;
    for group in &groups {
        check_inactive(&admin, group).await?;
    }
    let resets = match &choice {
        Choice::Way(way) => arguments.resets_by(way, &admin, groups).await?,
        Choice::File(path) => resets_from(path, &admin, groups).await?,
    };
    let outcomes = arguments.carry_out(&admin, &resets).await;
    let single = resets.len() == 1;
    if arguments.export {
        show::export(&resets, single)?;
    } else {
        show::show(&resets, arguments.output)?;
    }
    resets.iter().for_each(show::note);
    if !arguments.execute {
        say("note: nothing is changed yet; --execute does it");
    }
    outcomes.end("groups could not be reset")
}

impl ResetArguments {
    async fn resets_by(&self, way: &Way, admin: &Admin, groups: Vec<String>) -> Result<Vec<Reset>> {
        let mut resets = Vec::new();
        for group in groups {
            let targets = prepare::targets(admin, &group, &self.scope, way).await?;
            resets.push(Reset { group, targets });
        }
        Ok(resets)
    }

    async fn carry_out(&self, admin: &Admin, resets: &[Reset]) -> Outcomes<String, ()> {
        let mut outcomes = Outcomes::default();
        for reset in resets.iter().filter(|_| self.execute) {
            let offsets = reset.targets.iter().map(|(at, target)| (at.clone(), target.offset)).collect();
            outcomes.add(reset.group.clone(), admin.alter_committed_offsets(&reset.group, &offsets).await);
        }
        outcomes
    }
}

impl Scope {
    /// A file names its partitions itself; every other way needs some.
    fn check(&self, choice: &Choice) -> Result<()> {
        let given = self.all_topics || !self.topics.is_empty();
        match choice {
            Choice::File(_) if given => {
                bail!("--from-file names the partitions itself: leave out --topic and --all-topics")
            }
            Choice::Way(_) if !given => {
                bail!("say which partitions: --topic TOPIC, --topic TOPIC:0,1, or --all-topics")
            }
            _ => Ok(()),
        }
    }
}

/// Members would commit over what is set here.
async fn check_inactive(admin: &Admin, group: &str) -> Result<()> {
    match admin.describe_group(group).await {
        Ok(described) if described.is_empty() => Ok(()),
        Ok(described) => bail!(
            "the offsets of group '{group}' can be reset only while it has no members, and it is {}: stop its consumers \
             first; `milena groups describe {group} --members` shows them",
            described.state
        ),
        Err(error) if error.code() == Some(ErrorCode::GroupIdNotFound) => {
            say(format!("note: there is no group '{group}' yet; what is set for it makes one"));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn resets_from(path: &Path, admin: &Admin, groups: Vec<String>) -> Result<Vec<Reset>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let plans = csv::parse(&text, &groups).with_context(|| format!("{} is no plan", path.display()))?;
    let mut resets = Vec::new();
    for group in groups {
        let no_plan = || format!("{} has no plan for group '{group}'", path.display());
        let plan = plans.get(&group).with_context(no_plan)?;
        let targets = prepare::from_plan(admin, &group, plan).await?;
        resets.push(Reset { group, targets });
    }
    Ok(resets)
}
