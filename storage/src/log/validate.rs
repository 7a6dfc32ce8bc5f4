//! What a client's records go through before they are appended, outside of the partition's lock: checks, and the
//! changes that the topic asks for. Whatever needs no unpacking is not unpacked.

use bytes::Bytes;
use protocol::records::{
    BatchBuilder, BatchHeader, Compression, DECOMPRESSED_BYTES_MAX, InvalidBatch, RecordBatch, RecordRules,
    TimestampType, batches, validate_produce_batch, validate_produce_records,
};

use super::LogConfig;

/// Checks the records of a produce request and returns them as they are to be appended.
pub fn prepare_for_append(
    records: &Bytes,
    config: &LogConfig,
    now_ms: i64,
) -> Result<Vec<RecordBatch>, InvalidBatch> {
    batches(records).map(|batch| prepare(batch?, config, now_ms)).collect()
}

fn prepare(batch: RecordBatch, config: &LogConfig, now_ms: i64) -> Result<RecordBatch, InvalidBatch> {
    validate_produce_batch(&batch, config.max_message_bytes)?;
    let rules = rules(config, now_ms);
    let recompress = config.compression.filter(|wanted| *wanted != batch.header.compression());
    if recompress.is_some() || must_be_walked(&batch.header, config, &rules) {
        validate_produce_records(&batch, &rules)?;
    }
    let mut prepared = match recompress {
        Some(compression) => repack(&batch, compression, config)?,
        None => batch,
    };
    if config.timestamp_type == TimestampType::LogAppendTime {
        prepared.stamp_log_append_time(now_ms);
    }
    Ok(prepared)
}

/// The time of a record is only judged where its producer gave it.
fn rules(config: &LogConfig, now_ms: i64) -> RecordRules {
    let judged = config.timestamp_type == TimestampType::CreateTime;
    let bound = |limit: Option<std::time::Duration>| {
        limit.filter(|_| judged).map(|limit| i64::try_from(limit.as_millis()).unwrap_or(i64::MAX))
    };
    RecordRules {
        compacted: config.cleanup_policy.compact,
        timestamp_earliest: bound(config.timestamp_before_max)
            .map_or(i64::MIN, |ms| now_ms.saturating_sub(ms)),
        timestamp_latest: bound(config.timestamp_after_max).map_or(i64::MAX, |ms| now_ms.saturating_add(ms)),
        decompressed_bytes_max: DECOMPRESSED_BYTES_MAX,
    }
}

/// A header says the latest of its records' times, and nothing of their keys or of the earliest. Records that are not
/// compressed are always walked over: it costs next to nothing, and a checksum says only that they are as they were sent.
fn must_be_walked(header: &BatchHeader, config: &LogConfig, rules: &RecordRules) -> bool {
    let uncompressed = header.compression() == Compression::None;
    let too_late = header.max_timestamp > rules.timestamp_latest;
    uncompressed || config.cleanup_policy.compact || too_late || rules.timestamp_earliest > i64::MIN
}

fn repack(
    batch: &RecordBatch,
    compression: Compression,
    config: &LogConfig,
) -> Result<RecordBatch, InvalidBatch> {
    let header = &batch.header;
    let mut builder = BatchBuilder::new(compression).compression_level(config.compression_level).producer(
        header.producer_id,
        header.producer_epoch,
        header.base_sequence,
    );
    if header.is_transactional() {
        builder = builder.transactional();
    }
    for record in batch.records(DECOMPRESSED_BYTES_MAX)? {
        let record = record?;
        builder.append(record.timestamp, record.key.as_deref(), record.value.as_deref(), &record.headers);
    }
    let repacked = RecordBatch::parse(&builder.build()?)?;
    match repacked.size_in_bytes() <= config.max_message_bytes {
        true => Ok(repacked),
        false => {
            Err(InvalidBatch::TooLarge { size: repacked.size_in_bytes(), max: config.max_message_bytes })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::CleanupPolicy;
    use protocol::records::InvalidRecord;

    const NOW_MS: i64 = 10_000_000;

    fn records(compression: Compression) -> Bytes {
        let mut builder = BatchBuilder::new(compression).producer(7, 1, 40).transactional();
        builder.append(NOW_MS - 10, Some(b"k"), Some(&[b'v'; 500]), &[]);
        builder.append(NOW_MS - 20, None, Some(b"w"), &[]);
        builder.build().unwrap()
    }

    fn prepare_one(config: &LogConfig, compression: Compression) -> Result<RecordBatch, InvalidBatch> {
        let prepared = prepare_for_append(&records(compression), config, NOW_MS)?;
        Ok(prepared.into_iter().next().unwrap())
    }

    #[test]
    fn a_batch_is_kept_as_it_came_by_default() {
        let prepared = prepare_one(&LogConfig::default(), Compression::Lz4).unwrap();
        assert_eq!(prepared.to_bytes(), records(Compression::Lz4));
    }

    #[test]
    fn a_batch_is_repacked_where_the_topic_says_how() {
        let config = LogConfig { compression: Some(Compression::Zstd), ..LogConfig::default() };
        let prepared = prepare_one(&config, Compression::None).unwrap();
        assert_eq!(prepared.header.compression(), Compression::Zstd);
        assert!(prepared.size_in_bytes() < records(Compression::None).len() && prepared.verify_crc().is_ok());
        let came = RecordBatch::parse(&records(Compression::None)).unwrap();
        let all =
            |batch: &RecordBatch| batch.records(1 << 20).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(all(&prepared), all(&came));
        let identity =
            |header: &BatchHeader| (header.producer_id, header.base_sequence, header.is_transactional());
        assert_eq!(identity(&prepared.header), identity(&came.header));
    }

    #[test]
    fn log_append_time_replaces_the_producer_s() {
        let config = LogConfig {
            timestamp_type: TimestampType::LogAppendTime,
            timestamp_before_max: Some(std::time::Duration::ZERO),
            ..LogConfig::default()
        };
        let prepared = prepare_one(&config, Compression::None).unwrap();
        assert_eq!((prepared.header.max_timestamp, prepared.verify_crc()), (NOW_MS, Ok(())));
    }

    #[test]
    fn records_that_the_topic_forbids_are_named() {
        let compact = CleanupPolicy { delete: false, compact: true };
        let config = LogConfig { cleanup_policy: compact, ..LogConfig::default() };
        let refused = prepare_one(&config, Compression::Gzip);
        assert_eq!(refused, Err(InvalidBatch::Records(vec![InvalidRecord::NullKey { index: 1 }])));
        let ms = std::time::Duration::from_millis;
        let config = LogConfig { timestamp_before_max: Some(ms(15)), ..LogConfig::default() };
        assert!(matches!(prepare_one(&config, Compression::None), Err(InvalidBatch::Records(_))));
        let late = prepare_for_append(&records(Compression::None), &LogConfig::default(), NOW_MS - 3_700_000);
        assert!(matches!(late, Err(InvalidBatch::Records(_))));
        let config = LogConfig { max_message_bytes: 100, ..LogConfig::default() };
        assert!(matches!(prepare_one(&config, Compression::None), Err(InvalidBatch::TooLarge { .. })));
    }
}
