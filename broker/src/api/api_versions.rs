//! ApiVersions: what is served, in which versions. The first request of every client, answered whatever its version.

use protocol::messages::api_versions_response::ApiVersion;
use protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::{ApiKey, ErrorCode};

use super::dispatch::SERVED;

/// From this version on a client names its software (KIP-511).
const CLIENT_SOFTWARE_SINCE: i16 = 3;

/// Answers with the table of what is served.
pub fn handle(request: &ApiVersionsRequest, version: i16) -> ApiVersionsResponse {
    let named = [&request.client_software_name, &request.client_software_version];
    if version >= CLIENT_SOFTWARE_SINCE && !named.iter().all(|name| is_software_name(name)) {
        return ApiVersionsResponse { error_code: ErrorCode::InvalidRequest.code(), ..Default::default() };
    }
    ApiVersionsResponse { api_keys: advertised(SERVED), finalized_features_epoch: 0, ..Default::default() }
}

/// Answers a version that is not served: in version 0, with the range of ApiVersions alone.
pub fn unsupported() -> ApiVersionsResponse {
    ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        api_keys: advertised(&[ApiKey::ApiVersions]),
        ..Default::default()
    }
}

fn advertised(served: &[ApiKey]) -> Vec<ApiVersion> {
    let mut served = served.to_vec();
    served.sort();
    let ranges = served.into_iter().filter_map(|key| Some((key, key.advertised_versions()?)));
    ranges
        .map(|(key, versions)| ApiVersion {
            api_key: key as i16,
            min_version: *versions.start(),
            max_version: *versions.end(),
        })
        .collect()
}

/// Letters and digits, with dots and dashes between them.
fn is_software_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    edge(name.chars().next()) && edge(name.chars().next_back()) && name.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_names_its_software_in_letters_digits_dots_and_dashes() {
        for name in ["apache-kafka-java", "4.3.1", "a"] {
            assert!(is_software_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "a b", "ü"] {
            assert!(!is_software_name(name), "{name}");
        }
    }

    /// What Apache Kafka 4.3.1 says of what is served here: key, first version, last version.
    const APACHE: [(i16, i16, i16); 31] = [
        (0, 0, 13),
        (1, 4, 18),
        (2, 1, 11),
        (3, 0, 13),
        (8, 2, 10),
        (9, 1, 10),
        (10, 0, 6),
        (11, 0, 9),
        (12, 0, 4),
        (13, 0, 5),
        (14, 0, 5),
        (15, 0, 6),
        (16, 0, 5),
        (18, 0, 4),
        (19, 2, 7),
        (20, 1, 6),
        (21, 0, 2),
        (22, 0, 5),
        (23, 2, 4),
        (32, 1, 4),
        (33, 0, 2),
        (35, 1, 5),
        (37, 0, 3),
        (42, 0, 2),
        (43, 0, 2),
        (44, 0, 1),
        (47, 0, 0),
        (60, 0, 2),
        (61, 0, 0),
        (74, 0, 1),
        (75, 0, 0),
    ];

    #[test]
    fn what_is_served_is_served_in_every_version_of_apache_kafka() {
        let served = advertised(SERVED).into_iter();
        let served: Vec<_> = served.map(|api| (api.api_key, api.min_version, api.max_version)).collect();
        assert_eq!(served, APACHE);
    }

    #[test]
    fn keys_are_listed_in_order_and_once() {
        let keys: Vec<i16> = advertised(SERVED).iter().map(|api| api.api_key).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    }
}
