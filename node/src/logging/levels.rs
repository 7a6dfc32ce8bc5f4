//! The levels of loggers, which may change while the process runs. What was changed goes before what the process began with,
//! and is gone with it.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Targets;

use super::level::Level;
use super::{LoggingError, QUIET, filter};

/// What Kafka calls the logger that speaks for all of which nothing else is said.
pub const ROOT_LOGGER: &str = "root";

/// Puts another filter in the place of the one that is at work.
type Reload = Box<dyn Fn(EnvFilter) -> Result<(), tracing_subscriber::reload::Error> + Send + Sync>;

/// The levels of the whole process.
pub struct Levels {
    directives: Mutex<Directives>,
    reload: Reload,
}

/// What the process began with, and what was changed since. Pure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Directives {
    begun_with: String,
    changed: BTreeMap<String, Level>,
}

impl Levels {
    pub(super) fn new(begun_with: String, reload: Reload) -> Levels {
        let directives = Directives { begun_with, changed: BTreeMap::new() };
        Levels { directives: Mutex::new(directives), reload }
    }

    /// What holds for a logger: its own level, or that of the nearest one above it.
    pub fn level_of(&self, logger: &str) -> Level {
        self.directives.lock().level_of(logger)
    }

    /// Gives loggers other levels, all of them or none; without one a logger has again what it had from the start.
    pub fn change(&self, changes: &[(String, Option<Level>)]) -> Result<(), LoggingError> {
        let mut directives = self.directives.lock();
        let changed = directives.with(changes);
        (self.reload)(filter(&changed.text())?).map_err(LoggingError::Reload)?;
        *directives = changed;
        Ok(())
    }
}

impl Directives {
    fn with(&self, changes: &[(String, Option<Level>)]) -> Directives {
        let mut changed = self.changed.clone();
        for (logger, level) in changes {
            match level {
                Some(level) => drop(changed.insert(logger.clone(), *level)),
                None => drop(changed.remove(logger)),
            }
        }
        Directives { begun_with: self.begun_with.clone(), changed }
    }

    /// All of it as tracing's directives: of two for one target the later holds.
    fn text(&self) -> String {
        let changed = self.changed.iter().map(|(logger, level)| match logger.as_str() {
            ROOT_LOGGER => level.filter().to_string(),
            logger => format!("{logger}={}", level.filter()),
        });
        std::iter::once(self.begun_with.clone()).chain(changed).collect::<Vec<_>>().join(",")
    }

    /// Directives about spans say nothing of a logger as such.
    fn level_of(&self, logger: &str) -> Level {
        let text = format!("{QUIET},{}", self.text().to_lowercase());
        let of_targets: Vec<&str> =
            text.split(',').filter(|directive| !directive.contains(['[', ']', '{', '}', '"'])).collect();
        let targets: Targets = of_targets.join(",").parse().unwrap_or_default();
        let target = if logger == ROOT_LOGGER { "" } else { logger };
        let enabled = |level: &Level| match level.filter().into_level() {
            Some(level) => targets.would_enable(target, &level),
            None => true,
        };
        Level::ALL.into_iter().rev().find(enabled).unwrap_or(Level::Fatal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directives(begun_with: &str, changes: &[(&str, Option<Level>)]) -> Directives {
        let changes: Vec<_> = changes.iter().map(|(logger, level)| (logger.to_string(), *level)).collect();
        Directives { begun_with: begun_with.to_owned(), changed: BTreeMap::new() }.with(&changes)
    }

    #[test]
    fn the_nearest_logger_above_holds() {
        let directives = directives("info,broker::group=trace,[request]=debug", &[]);
        assert_eq!(directives.level_of("broker::group::task"), Level::Trace);
        assert_eq!(directives.level_of("broker::net"), Level::Info);
        assert_eq!(directives.level_of("h2"), Level::Warn);
        assert_eq!(directives.level_of(ROOT_LOGGER), Level::Info);
    }

    #[test]
    fn what_was_changed_goes_before_what_was_there_and_may_be_taken_back() {
        let changed = directives(
            "info,broker=debug",
            &[("broker", Some(Level::Warn)), (ROOT_LOGGER, Some(Level::Fatal))],
        );
        assert_eq!(changed.text(), "info,broker=debug,broker=warn,off");
        assert_eq!(changed.level_of("broker::api"), Level::Warn);
        assert_eq!(changed.level_of("storage"), Level::Fatal);
        let back = changed.with(&[("broker".to_owned(), None), (ROOT_LOGGER.to_owned(), None)]);
        assert_eq!((back.level_of("broker"), back.level_of("storage")), (Level::Debug, Level::Info));
    }

    #[test]
    fn a_change_reaches_the_filter() {
        use std::sync::Arc;
        let seen = Arc::new(Mutex::new(String::new()));
        let noted = seen.clone();
        let levels = Levels::new(
            "info".to_owned(),
            Box::new(move |filter| {
                *noted.lock() = filter.to_string();
                Ok(())
            }),
        );
        levels.change(&[("broker::net".to_owned(), Some(Level::Debug))]).expect("is a filter");
        assert!(seen.lock().contains("broker::net=debug"), "{}", seen.lock());
        assert_eq!(levels.level_of("broker::net"), Level::Debug);
        assert!(levels.change(&[("no target!=".to_owned(), Some(Level::Debug))]).is_err());
        assert_eq!(levels.level_of("broker::net"), Level::Debug, "nothing has changed");
    }
}
