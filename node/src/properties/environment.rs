//! Environment variables as keys, named as Apache Kafka's container image names them: `KAFKA_LOG_DIRS` is `log.dirs`.
//!
//! `_` stands for a dot, `__` for an underscore, `___` for a dash. `MILENA_` does as `KAFKA_` does and wins over it.
//! Values are taken as they are, without the escapes of a file. Variables that are meant for a JVM are passed over.

use std::ffi::{OsStr, OsString};

use super::PropertiesError;

/// Prefixes in the order in which they are read; the later wins.
const PREFIXES: [&str; 2] = ["KAFKA_", "MILENA_"];

/// Variables that carry a prefix and are no key: those of the JVM and its start scripts, and our own log filter.
const NO_KEYS: [&str; 14] = [
    "KAFKA_DEBUG",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_HEAP_OPTS",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_OPTS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_VERSION",
    crate::logging::FILTER_VARIABLE,
];

/// A variable that sets a key.
pub(super) struct Variable {
    pub name: String,
    pub key: String,
    pub value: String,
}

/// Those of the variables that set a key, in the order in which they are to be set.
pub(super) fn properties<N: Into<OsString>, V: Into<OsString>>(
    variables: impl IntoIterator<Item = (N, V)>,
) -> Result<Vec<Variable>, PropertiesError> {
    let mut found = Vec::new();
    for (name, value) in variables {
        let (name, value) = (name.into(), value.into());
        if let Some((rank, key)) = key_of(&name) {
            let name = name.to_string_lossy().into_owned();
            let value = value.into_string().map_err(|_| PropertiesError::NotUtf8 { name: name.clone() })?;
            found.push((rank, Variable { name, key, value }));
        }
    }
    found.sort_by(|(rank, one), (other_rank, other)| (rank, &one.name).cmp(&(other_rank, &other.name)));
    Ok(found.into_iter().map(|(_, variable)| variable).collect())
}

/// The rank of the variable's prefix, and its key.
fn key_of(name: &OsStr) -> Option<(usize, String)> {
    let name = name.to_str().filter(|name| !NO_KEYS.contains(name))?;
    let (rank, rest) =
        PREFIXES.iter().enumerate().find_map(|(rank, prefix)| Some((rank, name.strip_prefix(prefix)?)))?;
    (!rest.is_empty()).then(|| (rank, key_from(rest)))
}

/// In a run of underscores each three are a dash, then two are an underscore, then one is a dot.
fn key_from(rest: &str) -> String {
    rest.to_lowercase().replace("___", "-").replace("__", "\0").replace('_', ".").replace('\0', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, key: Option<&str>) {
        assert_eq!(key_of(OsStr::new(name)).map(|(_, key)| key).as_deref(), key, "{name}");
    }

    #[test]
    fn names_are_read_as_the_container_image_reads_them() {
        check("KAFKA_LOG_DIRS", Some("log.dirs"));
        check("KAFKA_NODE_ID", Some("node.id"));
        check("MILENA_METADATA_ENDPOINTS", Some("metadata.endpoints"));
        check("KAFKA_LISTENER_NAME_A__B_SSL_KEY", Some("listener.name.a_b.ssl.key"));
        check("KAFKA_LISTENER_NAME_SCRAM___SHA_X", Some("listener.name.scram-sha.x"));
        check("KAFKA_A____B", Some("a-.b"));
        check("KAFKA_A_____B", Some("a-_b"));
    }

    #[test]
    fn what_is_meant_for_others_is_no_key() {
        for name in NO_KEYS {
            check(name, None);
        }
        for name in ["PATH", "KAFKA_", "KAFKA", "kafka_node_id", "CLUSTER_ID"] {
            check(name, None);
        }
    }

    #[test]
    fn our_own_prefix_wins() {
        let variables = [("MILENA_NODE_ID", "2"), ("KAFKA_NODE_ID", "1")];
        let found = properties(variables).expect("all are UTF-8");
        let values: Vec<_> = found.iter().map(|found| (found.key.as_str(), found.value.as_str())).collect();
        assert_eq!(values, [("node.id", "1"), ("node.id", "2")]);
    }

    #[test]
    fn a_value_that_is_no_utf_8_is_refused_by_name() {
        use std::os::unix::ffi::OsStringExt;
        let bad = OsString::from_vec(vec![0xff]);
        let refused = properties([("KAFKA_LOG_DIRS", bad.clone())]).err().expect("no UTF-8");
        assert!(matches!(refused, PropertiesError::NotUtf8 { name } if name == "KAFKA_LOG_DIRS"));
        assert!(properties([("OTHER", bad)]).is_ok());
    }
}
