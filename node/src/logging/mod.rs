//! What the process says of itself: one line an event on stderr, as text or as JSON.
//!
//! The filter is that of `MILENA_LOG`, else of `RUST_LOG`, else of the level that the configuration names. A bare level
//! speaks of our own crates; those that carry HTTP and gRPC say only warnings until a directive names them. While the
//! process runs [`levels`] change it.

mod level;
mod levels;
mod one_line;

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::properties::{BadValue, Properties};
use one_line::OneLine;

pub use level::Level;
pub use levels::{Levels, ROOT_LOGGER};

/// The environment variable whose filter goes before every other.
pub const FILTER_VARIABLE: &str = "MILENA_LOG";

/// The level, or tracing's directives; `info` unless it is set.
pub const LEVEL_KEY: &str = "logging.level";

/// `text` or `json`; `text` unless it is set.
pub const FORMAT_KEY: &str = "logging.format";

/// Crates of others that speak much at debug.
const QUIET: &str =
    "h2=warn,hyper=warn,hyper_util=warn,tonic=warn,tower=warn,axum=warn,etcd_client=warn,mio=warn";

const LEVELS: &str = "a level (error, warn, info, debug, trace) or a list of target=level";

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

/// Where to log and how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggingConfig {
    pub format: Format,
    /// A level, or tracing's directives: `info`, `debug`, `info,broker::group=trace`.
    pub level: String,
}

/// Why logging cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    #[error(
        "log filter '{filter}': {source}; a level (error, warn, info, debug, trace) or target=level pairs are allowed"
    )]
    BadFilter { filter: String, source: tracing_subscriber::filter::ParseError },
    #[error("logging was begun twice")]
    Twice,
    #[error("the log filter is not replaced: {0}")]
    Reload(tracing_subscriber::reload::Error),
}

impl Default for LoggingConfig {
    fn default() -> Self {
        LoggingConfig { format: Format::Text, level: "info".to_owned() }
    }
}

impl LoggingConfig {
    /// What [`LEVEL_KEY`] and [`FORMAT_KEY`] say.
    pub fn from_properties(properties: &Properties) -> Result<LoggingConfig, BadValue> {
        let format = match properties.get(FORMAT_KEY) {
            None | Some("text") => Format::Text,
            Some("json") => Format::Json,
            Some(_) => return Err(properties.refuse(FORMAT_KEY, "text or json")),
        };
        let level = properties.get(LEVEL_KEY).unwrap_or("info");
        filter(level).map_err(|_| properties.refuse(LEVEL_KEY, LEVELS))?;
        Ok(LoggingConfig { format, level: level.to_owned() })
    }
}

static IN_FORCE: OnceLock<Levels> = OnceLock::new();

/// The levels of the process's loggers; none before logging has begun.
pub fn levels() -> Option<&'static Levels> {
    IN_FORCE.get()
}

/// Begins to log for the whole process; once.
pub fn begin(config: &LoggingConfig) -> Result<(), LoggingError> {
    let directives = chosen_directives(config, |name| std::env::var(name).ok());
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(&directives)?)
        .with_span_events(FmtSpan::NONE)
        .with_ansi(std::io::stderr().is_terminal());
    let (begun, levels) = match config.format {
        Format::Text => {
            let lines = lines.with_writer(|| OneLine(std::io::stderr())).with_filter_reloading();
            let handle = lines.reload_handle();
            (lines.try_init(), Levels::new(directives, Box::new(move |filter| handle.reload(filter))))
        }
        // An object a line: the event's own fields, and under `span` those of the request that it is about.
        Format::Json => {
            let lines = lines.json().flatten_event(true).with_span_list(false);
            let lines = lines.with_writer(std::io::stderr).with_filter_reloading();
            let handle = lines.reload_handle();
            (lines.try_init(), Levels::new(directives, Box::new(move |filter| handle.reload(filter))))
        }
    };
    begun.map_err(|_| LoggingError::Twice)?;
    IN_FORCE.set(levels).map_err(|_| LoggingError::Twice)
}

fn chosen_directives(config: &LoggingConfig, variable: impl Fn(&str) -> Option<String>) -> String {
    let set = |name| variable(name).filter(|directives| !directives.trim().is_empty());
    set(FILTER_VARIABLE).or_else(|| set("RUST_LOG")).unwrap_or_else(|| config.level.clone())
}

/// The quiet crates come first: what names one of them later replaces it.
fn filter(directives: &str) -> Result<EnvFilter, LoggingError> {
    let all = format!("{QUIET},{}", directives.to_lowercase());
    let bad = |source| LoggingError::BadFilter { filter: directives.to_owned(), source };
    EnvFilter::builder().parse(all).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(milena_log: &str, rust_log: &str, level: &str, expected: &str) {
        let config = LoggingConfig { level: level.to_owned(), ..LoggingConfig::default() };
        let variable = |name: &str| match name {
            FILTER_VARIABLE => Some(milena_log.to_owned()),
            "RUST_LOG" => Some(rust_log.to_owned()),
            _ => None,
        };
        assert_eq!(chosen_directives(&config, variable), expected);
    }

    #[test]
    fn the_environment_goes_before_the_configuration() {
        check("trace", "debug", "info", "trace");
        check("", "debug", "info", "debug");
        check("", " ", "info", "info");
    }

    #[test]
    fn other_crates_stay_quiet_until_they_are_named() {
        let quiet = filter("DEBUG").expect("a level").to_string();
        assert!(quiet.contains("h2=warn") && quiet.contains("debug"), "{quiet}");
        let loud = filter("info,h2=trace").expect("directives").to_string();
        assert!(loud.contains("h2=trace") && !loud.contains("h2=warn"), "{loud}");
    }

    #[test]
    fn keys_are_read_and_refused() {
        use crate::properties::Origin;
        let mut properties = Properties::default();
        assert_eq!(LoggingConfig::from_properties(&properties), Ok(LoggingConfig::default()));
        properties.set(FORMAT_KEY, "json", Origin::Override);
        properties.set(LEVEL_KEY, "warn,broker=debug", Origin::Override);
        let read = LoggingConfig::from_properties(&properties).expect("both are allowed");
        assert_eq!(read, LoggingConfig { format: Format::Json, level: "warn,broker=debug".to_owned() });
        properties.set(LEVEL_KEY, "broker=loud", Origin::Override);
        assert!(LoggingConfig::from_properties(&properties).is_err());
        properties.set(FORMAT_KEY, "xml", Origin::Override);
        let refused = LoggingConfig::from_properties(&properties).expect_err("no such format");
        assert!(refused.to_string().ends_with("value 'xml' from --override: text or json is allowed"));
    }

    #[test]
    fn a_filter_that_is_none_is_refused_with_what_is_allowed() {
        let error = filter("h2=loud").expect_err("no level");
        assert!(error.to_string().contains("target=level"), "{error}");
    }
}
