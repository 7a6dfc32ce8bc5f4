//! The APIs: their keys, their versions, and which of them the cluster says that it serves.
//!
//! The reference is Apache Kafka 4.3.1, while the definitions know some versions of 4.4 that are not served yet. Which
//! APIs a broker answers at all is the broker's to say.

use std::fmt;
use std::ops::RangeInclusive;

/// A key that names no API.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no API with key {0}")]
pub struct UnknownApiKey(pub i16);

macro_rules! api_keys {
    ($($name:ident = $key:literal, versions $first:literal to $last:literal, flexible $flexible:expr,
        latest unstable $unstable:literal;)*) => {
        /// The APIs of the Kafka wire, but for those that only KRaft nodes speak.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ApiKey {
            $($name = $key,)*
        }

        impl ApiKey {
            /// All of them, ordered by key.
            pub const ALL: &[ApiKey] = &[$(ApiKey::$name,)*];

            pub fn name(self) -> &'static str {
                match self {
                    $(ApiKey::$name => stringify!($name),)*
                }
            }

            fn facts(self) -> Facts {
                match self {
                    $(ApiKey::$name => Facts {
                        first: $first,
                        last: $last,
                        flexible_from: $flexible,
                        latest_unstable: $unstable,
                    },)*
                }
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/api_keys.rs"));

/// What the definition of an API says of its versions.
struct Facts {
    first: i16,
    last: i16,
    flexible_from: i16,
    latest_unstable: bool,
}

impl ApiKey {
    /// Every version that can be encoded and decoded.
    pub fn valid_versions(self) -> RangeInclusive<i16> {
        let Facts { first, last, .. } = self.facts();
        first..=last
    }

    /// The versions that a request may have, or `None` if Apache Kafka 4.3.1 does not know the API.
    pub fn served_versions(self) -> Option<RangeInclusive<i16>> {
        let Facts { first, last, latest_unstable, .. } = self.facts();
        let last = match self {
            ApiKey::StreamsGroupTopologyDescriptionUpdate => return None,
            ApiKey::StreamsGroupHeartbeat | ApiKey::StreamsGroupDescribe => 0,
            ApiKey::DeleteGroups => 2,
            ApiKey::ApiVersions => 4,
            ApiKey::TxnOffsetCommit => 5,
            _ if latest_unstable => last - 1,
            _ => last,
        };
        Some(first..=last)
    }

    /// The versions that ApiVersions names. Produce begins at 0, though 0 to 2 are refused: librdkafka would not
    /// compress otherwise.
    pub fn advertised_versions(self) -> Option<RangeInclusive<i16>> {
        let served = self.served_versions()?;
        Some(if self == ApiKey::Produce { 0..=*served.end() } else { served })
    }

    /// Whether a request of this version may be decoded. The one place where versions are checked.
    pub fn serves(self, version: i16) -> bool {
        self.served_versions().is_some_and(|served| served.contains(&version))
    }
}

impl TryFrom<i16> for ApiKey {
    type Error = UnknownApiKey;
    fn try_from(key: i16) -> Result<ApiKey, UnknownApiKey> {
        let at = ApiKey::ALL.binary_search_by_key(&key, |api| *api as i16).map_err(|_| UnknownApiKey(key))?;
        Ok(ApiKey::ALL[at])
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The version of the header before a request.
pub fn request_header_version(key: ApiKey, version: i16) -> i16 {
    if version >= key.facts().flexible_from { 2 } else { 1 }
}

/// The version of the header before a response. ApiVersions always has 0, since a client that asks does not know yet
/// what the broker speaks.
pub fn response_header_version(key: ApiKey, version: i16) -> i16 {
    let flexible = version >= key.facts().flexible_from;
    if flexible && key != ApiKey::ApiVersions { 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_number() {
        for key in ApiKey::ALL {
            assert_eq!(ApiKey::try_from(*key as i16), Ok(*key));
        }
        assert_eq!(ApiKey::try_from(4), Err(UnknownApiKey(4)));
    }

    #[test]
    fn what_is_served_can_be_decoded() {
        for key in ApiKey::ALL {
            let valid = key.valid_versions();
            let Some(served) = key.served_versions() else { continue };
            assert!(valid.contains(served.start()) && valid.contains(served.end()), "{key}");
        }
    }

    #[test]
    fn versions_of_4_4_and_unstable_ones_are_not_served() {
        assert!(!ApiKey::InitProducerId.serves(6));
        assert!(!ApiKey::ApiVersions.serves(5));
        assert_eq!(ApiKey::StreamsGroupTopologyDescriptionUpdate.advertised_versions(), None);
    }

    #[test]
    fn produce_is_advertised_from_0_and_served_from_3() {
        assert_eq!(ApiKey::Produce.advertised_versions(), Some(0..=13));
        assert!(!ApiKey::Produce.serves(2) && ApiKey::Produce.serves(3));
    }

    #[test]
    fn headers_become_flexible_with_their_bodies_but_for_the_answer_of_api_versions() {
        assert_eq!(request_header_version(ApiKey::Metadata, 8), 1);
        assert_eq!(request_header_version(ApiKey::Metadata, 9), 2);
        assert_eq!(response_header_version(ApiKey::Metadata, 9), 1);
        assert_eq!(request_header_version(ApiKey::ApiVersions, 3), 2);
        assert_eq!(response_header_version(ApiKey::ApiVersions, 3), 0);
    }
}
