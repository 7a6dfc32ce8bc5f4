//! The keys of a Java client, as far as they mean anything here: time-outs, retries, the client's name.
//!
//! Keys that only tune a Java client change nothing and are taken without a word. Keys that nobody knows are warned of.
//! What would make the connection a safer one than we can make it is refused.

use std::time::Duration;

use anyhow::{Result, bail};
use client::ClusterConfig;
use node::properties::{BadValue, Properties};

/// Keys that are used here.
const USED: [&str; 9] = [
    "bootstrap.servers",
    "client.id",
    "default.api.timeout.ms",
    "request.timeout.ms",
    "retries",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "security.protocol",
    "socket.connection.setup.timeout.ms",
];

/// Keys of Kafka's admin client that tune what this client does not have.
const WITHOUT_EFFECT: [&str; 20] = [
    "auto.include.jmx.reporter",
    "bootstrap.resolve.timeout.ms",
    "client.dns.lookup",
    "config.providers",
    "connections.max.idle.ms",
    "enable.metrics.push",
    "metadata.cluster.check.enable",
    "metadata.max.age.ms",
    "metadata.recovery.rebootstrap.trigger.ms",
    "metadata.recovery.strategy",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "receive.buffer.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "security.providers",
    "send.buffer.bytes",
    "socket.connection.setup.timeout.max.ms",
];

/// What secures a connection; without effect on one that is not secured, as with Kafka's clients.
const OF_SECURITY: [&str; 2] = ["sasl.", "ssl."];

/// Sets what the file says; the warnings.
pub fn apply(properties: &Properties, config: &mut ClusterConfig) -> Result<Vec<String>> {
    refuse_security(properties)?;
    if let Some(id) = properties.get("client.id").filter(|id| !id.is_empty()) {
        config.connection.client_id = id.to_owned();
    }
    set(&mut config.connection.request_timeout, millis(properties, "request.timeout.ms")?);
    set(&mut config.connection.connect_timeout, millis(properties, "socket.connection.setup.timeout.ms")?);
    set(&mut config.retry.time_max, millis(properties, "default.api.timeout.ms")?);
    set(&mut config.retry.backoff, millis(properties, "retry.backoff.ms")?);
    set(&mut config.retry.backoff_max, millis(properties, "retry.backoff.max.ms")?);
    if let Some(retries) = number(properties, "retries")? {
        config.retry.attempts_max = retries.saturating_add(1);
    }
    let both = properties.get("default.api.timeout.ms").is_some();
    if both && config.retry.time_max < config.connection.request_timeout {
        return Err(properties.refuse("default.api.timeout.ms", "request.timeout.ms or more").into());
    }
    Ok(unknown(properties))
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// As many milliseconds as Kafka lets such a key have.
fn millis(properties: &Properties, key: &str) -> Result<Option<Duration>, BadValue> {
    Ok(number(properties, key)?.map(|ms| Duration::from_millis(u64::from(ms))))
}

fn number(properties: &Properties, key: &str) -> Result<Option<u32>, BadValue> {
    const ALLOWED: &str = "a number from 0 to 2147483647";
    match properties.parse::<u32>(key, ALLOWED)? {
        Some(number) if number > i32::MAX as u32 => Err(properties.refuse(key, ALLOWED)),
        number => Ok(number),
    }
}

fn refuse_security(properties: &Properties) -> Result<()> {
    match properties.get("security.protocol").map(str::to_ascii_uppercase).as_deref() {
        None | Some("PLAINTEXT") => Ok(()),
        Some(protocol @ ("SSL" | "SASL_PLAINTEXT" | "SASL_SSL")) => {
            bail!(
                "security.protocol={protocol}: milena speaks PLAINTEXT only so far, without TLS and without SASL"
            )
        }
        Some(_) => Err(properties.refuse("security.protocol", "PLAINTEXT").into()),
    }
}

fn unknown(properties: &Properties) -> Vec<String> {
    let unknown = properties.iter().filter(|(key, _)| !is_known(key));
    let warning =
        |key, origin| format!("key {key} from {origin} is none of an admin client, and is passed over");
    unknown.map(|(key, value)| warning(key, &value.origin)).collect()
}

fn is_known(key: &str) -> bool {
    USED.contains(&key)
        || WITHOUT_EFFECT.contains(&key)
        || OF_SECURITY.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use node::properties::Origin;

    use super::*;

    fn applied(entries: &[(&str, &str)]) -> Result<(ClusterConfig, Vec<String>)> {
        let mut properties = Properties::default();
        for (key, value) in entries {
            properties.set(*key, *value, Origin::Default);
        }
        let mut config = ClusterConfig::new("localhost:9092");
        let warnings = apply(&properties, &mut config)?;
        Ok((config, warnings))
    }

    #[test]
    fn time_outs_retries_and_the_name_are_taken() {
        let entries = [
            ("client.id", "ops"),
            ("request.timeout.ms", "5000"),
            ("default.api.timeout.ms", "20000"),
            ("retries", "0"),
            ("retry.backoff.ms", "7"),
            ("security.protocol", "plaintext"),
            ("sasl.mechanism", "PLAIN"),
            ("metrics.num.samples", "2"),
        ];
        let (config, warnings) = applied(&entries).expect("all of it is in order");
        assert_eq!(config.connection.client_id, "ops");
        assert_eq!(config.connection.request_timeout, Duration::from_secs(5));
        assert_eq!(config.retry.time_max, Duration::from_secs(20));
        assert_eq!((config.retry.attempts_max, config.retry.backoff), (1, Duration::from_millis(7)));
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name() {
        let refused = |entries: &[(&str, &str)]| applied(entries).expect_err("refused").to_string();
        assert!(refused(&[("security.protocol", "SASL_SSL")]).contains("without SASL"));
        assert!(refused(&[("security.protocol", "magic")]).contains("PLAINTEXT is allowed"));
        assert!(refused(&[("retries", "-1")]).contains("key retries: value '-1'"));
        assert!(refused(&[("request.timeout.ms", "3000000000")]).contains("2147483647"));
        let shorter = [("default.api.timeout.ms", "10"), ("request.timeout.ms", "20")];
        assert!(refused(&shorter).contains("request.timeout.ms or more"));
    }

    #[test]
    fn a_key_that_nobody_knows_is_warned_of() {
        let (_, warnings) = applied(&[("bootstrp.servers", "a:1")]).expect("a warning is no error");
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("bootstrp.servers"), "{warnings:?}");
    }
}
