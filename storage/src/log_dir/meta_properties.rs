//! `meta.properties`: which cluster and which broker a log directory belongs to, and its own identity.
//!
//! Kafka's version 1 is written; version 0, of ZooKeeper's days, is read too.

use std::collections::HashMap;
use std::fs;

use protocol::types::{BrokerId, Uuid};

use super::{LogDir, LogDirError};
use crate::durable::write_atomically;
use crate::failure::IoFailure;

const FILE_NAME: &str = "meta.properties";

/// The identity that a log directory was given when it was formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaProperties {
    pub cluster_id: String,
    pub node_id: BrokerId,
    /// `None` in directories that an older Kafka formatted.
    pub directory_id: Option<Uuid>,
}

impl LogDir {
    /// What the directory says of itself; `None` if it was never formatted.
    pub fn read_meta_properties(&self) -> Result<Option<MetaProperties>, LogDirError> {
        let path = self.path.join(FILE_NAME);
        match fs::read_to_string(&path) {
            Ok(text) => match MetaProperties::parse(&text) {
                Ok(properties) => Ok(Some(properties)),
                Err(reason) => Err(LogDirError::MalformedMetaProperties { path, reason }),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(IoFailure { action: "read", path, source }.into()),
        }
    }

    /// Formats the directory.
    pub fn write_meta_properties(&self, properties: &MetaProperties) -> Result<(), IoFailure> {
        write_atomically(&self.path.join(FILE_NAME), properties.to_text().as_bytes())
    }
}

impl MetaProperties {
    fn parse(text: &str) -> Result<MetaProperties, String> {
        let properties = parse_properties(text);
        let required = |key: &str| properties.get(key).ok_or_else(|| format!("{key} is missing"));
        let node_id_key = match required("version")?.as_str() {
            "1" => "node.id",
            "0" => "broker.id",
            other => return Err(format!("version is {other}, 0 or 1 is expected")),
        };
        let node_id = required(node_id_key)?;
        let directory_id = properties.get("directory.id").map(|id| id.parse::<Uuid>()).transpose();
        Ok(MetaProperties {
            cluster_id: required("cluster.id")?.clone(),
            node_id: BrokerId(
                node_id.parse().map_err(|_| format!("{node_id_key} '{node_id}' is no number"))?,
            ),
            directory_id: directory_id.map_err(|error| error.to_string())?,
        })
    }

    fn to_text(&self) -> String {
        let mut text = format!("#\ncluster.id={}\n", escape(&self.cluster_id));
        if let Some(id) = self.directory_id {
            text += &format!("directory.id={id}\n");
        }
        text + &format!("node.id={}\nversion=1\n", self.node_id)
    }
}

/// The subset of Java's property syntax that Java itself writes: no continued lines, no unicode escapes.
fn parse_properties(text: &str) -> HashMap<String, String> {
    let meaningful = |line: &&str| !line.is_empty() && !line.starts_with(['#', '!']);
    text.lines()
        .map(str::trim)
        .filter(meaningful)
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), unescape(value.trim())))
        .collect()
}

fn unescape(value: &str) -> String {
    let mut escaped = false;
    value
        .chars()
        .filter(|&c| {
            escaped = c == '\\' && !escaped;
            !escaped
        })
        .collect()
}

fn escape(value: &str) -> String {
    value
        .chars()
        .flat_map(|c| matches!(c, '=' | ':' | '#' | '!' | '\\').then_some('\\').into_iter().chain([c]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apache_kafka_wrote_is_understood() {
        let text = "#\n#Sun Nov 22 10:00:00 UTC 2026\ncluster.id=8rV0a\\=x\ndirectory.id=OXAv0VjmSHWQQ2pr2pRLkg\nnode.id=3\nversion=1\n";
        let expected = MetaProperties {
            cluster_id: "8rV0a=x".into(),
            node_id: BrokerId(3),
            directory_id: Some("OXAv0VjmSHWQQ2pr2pRLkg".parse().unwrap()),
        };
        assert_eq!(MetaProperties::parse(text).unwrap(), expected);
        assert_eq!(MetaProperties::parse(&expected.to_text()).unwrap(), expected);
        let old = MetaProperties::parse("version=0\nbroker.id=7\ncluster.id=c\n").unwrap();
        assert_eq!((old.node_id, old.directory_id), (BrokerId(7), None));
    }

    #[test]
    fn a_directory_keeps_its_identity_and_a_damaged_one_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let log_dir = LogDir::open(directory.path()).unwrap();
        assert_eq!(log_dir.read_meta_properties().unwrap(), None);
        let properties = MetaProperties { cluster_id: "c".into(), node_id: BrokerId(1), directory_id: None };
        log_dir.write_meta_properties(&properties).unwrap();
        assert_eq!(log_dir.read_meta_properties().unwrap(), Some(properties));
        fs::write(directory.path().join(FILE_NAME), "version=1\ncluster.id=c\n").unwrap();
        let refusal = log_dir.read_meta_properties().unwrap_err().to_string();
        assert!(refusal.ends_with("node.id is missing"), "{refusal}");
    }

    #[test]
    fn a_second_owner_is_refused_until_the_first_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let first = LogDir::open(directory.path()).unwrap();
        assert!(matches!(LogDir::open(directory.path()), Err(LogDirError::Locked { .. })));
        drop(first);
        LogDir::open(directory.path()).unwrap();
    }
}
