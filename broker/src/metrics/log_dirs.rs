//! `kafka_log_logmanager_*`: which log directories are in service.

use std::path::Path;
use std::sync::LazyLock;

use prometheus::{IntGauge, IntGaugeVec, Opts};

use super::registered;

struct Gauges {
    offline: Option<IntGauge>,
    is_offline: Option<IntGaugeVec>,
}

static GAUGES: LazyLock<Gauges> = LazyLock::new(|| {
    let (count, each) =
        ("kafka_log_logmanager_offlinelogdirectorycount", "kafka_log_logmanager_logdirectoryoffline");
    let help = "1 if the log directory is out of service";
    Gauges {
        offline: registered(IntGauge::new(count, "Log directories that are out of service")),
        is_offline: registered(IntGaugeVec::new(Opts::new(each, help), &["logDirectory"])),
    }
});

/// One broker's part in the gauges; taken back when it is dropped.
#[derive(Debug, Default)]
pub struct LogDirGauges {
    offline: i64,
    shown: Vec<String>,
}

impl LogDirGauges {
    /// Shows these directories, and whether each is online, instead of those shown before.
    pub fn show<'a>(&mut self, dirs: impl Iterator<Item = (&'a Path, bool)>) {
        self.clear();
        for (path, is_online) in dirs {
            let path = path.display().to_string();
            if let Some(each) = &GAUGES.is_offline {
                each.with_label_values(&[&path]).set(i64::from(!is_online));
            }
            self.offline += i64::from(!is_online);
            self.shown.push(path);
        }
        if let Some(count) = &GAUGES.offline {
            count.add(self.offline);
        }
    }

    fn clear(&mut self) {
        if let Some(count) = &GAUGES.offline {
            count.sub(std::mem::take(&mut self.offline));
        }
        for path in self.shown.drain(..) {
            if let Some(each) = &GAUGES.is_offline {
                // It is gone either way.
                let _ = each.remove_label_values(&[&path]);
            }
        }
    }
}

impl Drop for LogDirGauges {
    fn drop(&mut self) {
        self.clear();
    }
}
