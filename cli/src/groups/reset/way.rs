//! The ways of resetting: to where a group's offsets are set.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::Args;

use crate::time::{duration_ms, timestamp_ms_or_utc};

/// One of these.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct WayArguments {
    /// To the first record that is there.
    #[arg(long)]
    to_earliest: bool,
    /// Behind the last record.
    #[arg(long)]
    to_latest: bool,
    /// To where it stands; behind the last record where nothing is committed.
    #[arg(long)]
    to_current: bool,
    /// To this offset.
    #[arg(long, value_name = "OFFSET", value_parser = clap::value_parser!(i64).range(0..))]
    to_offset: Option<i64>,
    /// So many records on, or back if it is negative.
    #[arg(long, value_name = "RECORDS", allow_negative_numbers = true)]
    shift_by: Option<i64>,
    /// To the first record of the last PnDTnHnMnS: PT1H is an hour ago.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    by_duration: Option<i64>,
    /// To the first record from this time on: 2026-11-22T10:00:00.000, of UTC if it says nothing else.
    #[arg(long, value_name = "TIME", value_parser = time)]
    to_datetime: Option<i64>,
    /// To the offsets of a CSV file: TOPIC,PARTITION,OFFSET, or GROUP,TOPIC,PARTITION,OFFSET.
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
}

/// To where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Earliest,
    Latest,
    Current,
    Offset(i64),
    Shift(i64),
    /// In milliseconds since 1970.
    Time(i64),
}

/// One way for all partitions, or a file with an offset for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Way(Way),
    File(PathBuf),
}

impl WayArguments {
    pub fn choice(&self) -> anyhow::Result<Choice> {
        let way = self.to_earliest.then_some(Way::Earliest);
        let way = way.or(self.to_latest.then_some(Way::Latest));
        let way = way.or(self.to_current.then_some(Way::Current));
        let way = way.or(self.to_offset.map(Way::Offset));
        let way = way.or(self.shift_by.map(Way::Shift));
        let way = way.or(self.by_duration.map(|ms| Way::Time(now_ms().saturating_sub(ms))));
        let way = way.or(self.to_datetime.map(Way::Time));
        let file = self.from_file.clone().map(Choice::File);
        way.map(Choice::Way)
            .or(file)
            .context("say to where: --to-earliest, --to-latest, --to-offset OFFSET, …")
    }
}

fn duration(text: &str) -> Result<i64, String> {
    duration_ms(text).ok_or_else(|| "a duration like PT1H30M or P7D is expected".to_owned())
}

fn time(text: &str) -> Result<i64, String> {
    timestamp_ms_or_utc(text).ok_or_else(|| {
        "a time like 2026-11-22T10:00:00.000 is expected, with Z or +01:00 if you like".to_owned()
    })
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
