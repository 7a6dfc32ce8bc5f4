//! Ranges, read in pages that all belong to one revision.

use bytes::Bytes;
use etcd_client::{GetOptions, KvClient};

use super::error::within;
use super::{ANSWER_BYTES_MAX, CALL_TIMEOUT};
use crate::store::{Found, KeyRange, KeyValue, LeaseId, StoreError};

/// Keys of one page. Larger pages gain nothing; a page must stay below [`ANSWER_BYTES_MAX`].
const PAGE_KEYS: i64 = 10_000;

pub(super) async fn range(kv: KvClient, range: KeyRange) -> Result<Found, StoreError> {
    let kv = kv.max_decoding_message_size(ANSWER_BYTES_MAX);
    let mut found = Found::default();
    let mut start = range.start;
    loop {
        let options = GetOptions::new().with_range(range.end.clone()).with_limit(PAGE_KEYS);
        // The first page is read linearizably at the newest revision, the others as of the same one.
        let options = options.with_revision(found.revision);
        let call = || {
            let (mut kv, start, options) = (kv.clone(), start.clone(), options.clone());
            async move { kv.get(start, Some(options)).await }
        };
        let mut page = within(CALL_TIMEOUT, call).await?;
        if found.revision == 0 {
            found.revision = page.header().map_or(0, |header| header.revision());
        }
        let more = page.more();
        found.entries.extend(page.take_kvs().iter().map(key_value));
        let Some(last) = found.entries.last().filter(|_| more) else { return Ok(found) };
        start = [&last.key[..], &[0]].concat();
    }
}

pub(super) fn key_value(entry: &etcd_client::KeyValue) -> KeyValue {
    KeyValue {
        key: Bytes::copy_from_slice(entry.key()),
        value: Bytes::copy_from_slice(entry.value()),
        create_revision: entry.create_revision(),
        mod_revision: entry.mod_revision(),
        lease: LeaseId(entry.lease()),
    }
}
