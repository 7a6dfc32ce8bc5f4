//! Which version to speak: the highest that both sides know.
//!
//! ApiVersions itself is asked at the highest version that we know. A broker that does not know it answers with a
//! version 0 body, error 35, and the range that it does know (KIP-511); then it is asked again within that range.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::wire::{Request, Str};

use super::ConnectionError;
use super::frame::Peer;

const SOFTWARE_NAME: Str = Str::from_static("milena");
const SOFTWARE_VERSION: Str = Str::from_static(env!("CARGO_PKG_VERSION"));
/// Behind the correlation id; every version of the response begins with its error code.
const ERROR_CODE: std::ops::Range<usize> = 4..6;

/// What one broker serves.
#[derive(Debug)]
pub struct Versions {
    served: BTreeMap<i16, RangeInclusive<i16>>,
}

/// Asks a fresh connection what its broker serves.
pub async fn negotiate(peer: &Peer<'_>) -> Result<Versions, ConnectionError> {
    let newest = *spoken::<ApiVersionsRequest>().end();
    let first = ask(peer, newest).await?;
    if first.error_code != ErrorCode::UnsupportedVersion.code() {
        return Versions::of(&first, peer.address);
    }
    let known = Versions::collect(&first).choose::<ApiVersionsRequest>(peer.address).unwrap_or(0);
    Versions::of(&ask(peer, known).await?, peer.address)
}

async fn ask(peer: &Peer<'_>, version: i16) -> Result<ApiVersionsResponse, ConnectionError> {
    let request = ApiVersionsRequest {
        client_software_name: SOFTWARE_NAME,
        client_software_version: SOFTWARE_VERSION,
        ..Default::default()
    };
    let answer = peer.exchange(&request, version).await?;
    let version = if is_refused_version(&answer) { 0 } else { version };
    peer.decode::<ApiVersionsRequest>(answer, version)
}

fn is_refused_version(answer: &Bytes) -> bool {
    answer.get(ERROR_CODE) == Some(&ErrorCode::UnsupportedVersion.code().to_be_bytes())
}

/// The versions of `R` that this client sends: of those that it can encode, the ones that Apache Kafka serves.
fn spoken<R: Request>() -> RangeInclusive<i16> {
    R::KEY.served_versions().unwrap_or(R::VERSIONS)
}

impl Versions {
    fn of(response: &ApiVersionsResponse, address: &str) -> Result<Versions, ConnectionError> {
        match response.error_code {
            0 => Ok(Versions::collect(response)),
            code => Err(ConnectionError::VersionsRefused { address: address.to_owned(), code }),
        }
    }

    fn collect(response: &ApiVersionsResponse) -> Versions {
        let served = response.api_keys.iter().map(|api| (api.api_key, api.min_version..=api.max_version));
        Versions { served: served.collect() }
    }

    /// The highest version of `R` that both sides know.
    pub fn choose<R: Request>(&self, address: &str) -> Result<i16, ConnectionError> {
        let (api, address) = (R::KEY.name(), address.to_owned());
        let Some(theirs) = self.served.get(&(R::KEY as i16)).cloned() else {
            return Err(ConnectionError::ApiNotServed { api, address });
        };
        let ours = spoken::<R>();
        let highest = *ours.end().min(theirs.end());
        if highest < *ours.start().max(theirs.start()) {
            return Err(ConnectionError::Version { api, address, ours, theirs });
        }
        Ok(highest)
    }

    /// Every key that the broker serves, with its range.
    pub fn iter(&self) -> impl Iterator<Item = (i16, RangeInclusive<i16>)> {
        self.served.iter().map(|(key, range)| (*key, range.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::messages::FetchRequest;

    fn serving(range: RangeInclusive<i16>) -> Versions {
        Versions { served: BTreeMap::from([(1, range)]) }
    }

    #[test]
    fn the_highest_common_version_is_chosen() {
        assert_eq!(serving(0..=11).choose::<FetchRequest>("b").ok(), Some(11));
        assert_eq!(serving(0..=99).choose::<FetchRequest>("b").ok(), Some(*spoken::<FetchRequest>().end()));
    }

    #[test]
    fn ranges_that_do_not_meet_are_an_error_that_names_both() {
        let refused = serving(90..=99).choose::<FetchRequest>("broker:9092").expect_err("no common version");
        assert!(refused.to_string().contains("90-99"), "{refused}");
        let absent = Versions { served: BTreeMap::new() }.choose::<FetchRequest>("b");
        assert!(matches!(absent, Err(ConnectionError::ApiNotServed { .. })));
    }
}
