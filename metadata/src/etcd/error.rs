//! What etcd's errors mean for the caller. Whatever does not say that nothing was done leaves the outcome unknown.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use etcd_client::Error;
use tonic::ConnectError;

use crate::store::StoreError;

/// gRPC status codes, by number; etcd-client does not export tonic's type.
mod code {
    pub const INVALID_ARGUMENT: i32 = 3;
    pub const NOT_FOUND: i32 = 5;
    pub const RESOURCE_EXHAUSTED: i32 = 8;
    pub const FAILED_PRECONDITION: i32 = 9;
    pub const OUT_OF_RANGE: i32 = 11;
    pub const UNAUTHENTICATED: i32 = 16;
    pub const PERMISSION_DENIED: i32 = 7;
}

/// How often a call may be made that did not leave. The client gives each member its share of the calls, those that are away
/// too: without another try every third call would fail for as long as one of three is.
const TRIES_MAX: u32 = 8;

/// A call with a time limit, whatever layer it hangs in. One that never left, for its member is away, is made again to another.
pub(super) async fn within<T, C: Future<Output = Result<T, Error>>>(
    limit: Duration,
    mut call: impl FnMut() -> C,
) -> Result<T, StoreError> {
    let tries = async {
        for _ in 1..TRIES_MAX {
            match call().await {
                Err(error) if never_left(&error) => {}
                outcome => return outcome,
            }
        }
        call().await
    };
    match tokio::time::timeout(limit, tries).await {
        Ok(answer) => answer.map_err(from_client),
        Err(_) => Err(StoreError::Unavailable { reason: format!("no answer within {limit:?}") }),
    }
}

/// Whether there was not even a connection: then nothing was done, whatever was asked.
fn never_left(error: &Error) -> bool {
    let Error::GRpcStatus(status) = error else { return false };
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

pub(super) fn from_client(error: Error) -> StoreError {
    match error {
        Error::GRpcStatus(status) => from_status(status.code().into(), status.message().to_owned()),
        Error::LeaseKeepAliveError(reason) if reason == "lease not found" => StoreError::LeaseGone,
        Error::InvalidArgs(reason) => StoreError::Invalid { reason },
        Error::InvalidUri(reason) => StoreError::Invalid { reason: reason.to_string() },
        other => StoreError::Unavailable { reason: other.to_string() },
    }
}

fn from_status(code: i32, reason: String) -> StoreError {
    match code {
        code::NOT_FOUND if reason.contains("lease not found") => StoreError::LeaseGone,
        code::OUT_OF_RANGE if reason.contains("compacted") => StoreError::Compacted { before: 0 },
        code::RESOURCE_EXHAUSTED if reason.contains("space exceeded") => StoreError::NoSpace { reason },
        code::INVALID_ARGUMENT
        | code::NOT_FOUND
        | code::FAILED_PRECONDITION
        | code::OUT_OF_RANGE
        | code::PERMISSION_DENIED
        | code::UNAUTHENTICATED => StoreError::Invalid { reason },
        _ => StoreError::Unavailable { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_definite_answer_says_that_nothing_was_done() {
        let of = |code, reason: &str| from_status(code, reason.to_owned());
        assert_eq!(of(5, "etcdserver: requested lease not found"), StoreError::LeaseGone);
        let full = "etcdserver: mvcc: database space exceeded";
        assert_eq!(of(8, full), StoreError::NoSpace { reason: full.to_owned() });
        assert!(matches!(of(3, "etcdserver: duplicate key given"), StoreError::Invalid { .. }));
        for unknown in [2, 4, 8, 13, 14] {
            assert!(matches!(of(unknown, "h2 protocol error"), StoreError::Unavailable { .. }));
        }
    }
}
