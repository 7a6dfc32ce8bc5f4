//! Kafka's error codes: their numbers, their names, whether a client may try again, and what to say of them.
//!
//! Which error an operation answers with is for the operation: each domain error has its own map to these.

use std::fmt;

macro_rules! error_codes {
    ($($(#[$attribute:meta])* $variant:ident = $code:literal, $name:ident, $again:ident, $message:literal;)*) => {
        /// What a response says of how its request went.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(#[doc = $message] $(#[$attribute])* $variant = $code,)*
        }

        impl ErrorCode {
            /// All of them, ordered by number.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// Kafka's name for it, like `NOT_LEADER_OR_FOLLOWER`.
            pub fn name(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => stringify!($name),)*
                }
            }

            /// A sentence for people.
            pub fn message(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => $message,)*
                }
            }

            /// Whether a client tries the same request again.
            pub fn is_retriable(self) -> bool {
                match self {
                    $(ErrorCode::$variant => error_codes!(@ $again),)*
                }
            }
        }
    };
    (@ retriable) => { true };
    (@ final) => { false };
}

impl ErrorCode {
    /// The error of this number; one that is not known here is an unknown error.
    pub fn from_code(code: i16) -> ErrorCode {
        let found = ErrorCode::ALL.binary_search_by_key(&code, |error| error.code());
        found.map_or(ErrorCode::UnknownServerError, |at| ErrorCode::ALL[at])
    }

    pub fn code(self) -> i16 {
        self as i16
    }

    pub fn is_error(self) -> bool {
        self != ErrorCode::None
    }
}

impl From<ErrorCode> for i16 {
    fn from(error: ErrorCode) -> i16 {
        error.code()
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.message())
    }
}

error_codes! {
    UnknownServerError = -1, UNKNOWN_SERVER_ERROR, final,
        "The broker met an error that it did not expect.";
    #[default]
    None = 0, NONE, final,
        "No error.";
    OffsetOutOfRange = 1, OFFSET_OUT_OF_RANGE, final,
        "The offset lies outside the partition's log.";
    CorruptMessage = 2, CORRUPT_MESSAGE, retriable,
        "A record fails its CRC, its size or its topic's rules.";
    UnknownTopicOrPartition = 3, UNKNOWN_TOPIC_OR_PARTITION, retriable,
        "This broker does not host the partition.";
    InvalidFetchSize = 4, INVALID_FETCH_SIZE, final,
        "The fetch size is invalid.";
    LeaderNotAvailable = 5, LEADER_NOT_AVAILABLE, retriable,
        "The partition has no leader at the moment.";
    NotLeaderOrFollower = 6, NOT_LEADER_OR_FOLLOWER, retriable,
        "This broker is not the leader, or not a replica, of the partition.";
    RequestTimedOut = 7, REQUEST_TIMED_OUT, retriable,
        "The request took longer than it may.";
    BrokerNotAvailable = 8, BROKER_NOT_AVAILABLE, final,
        "The broker is not available.";
    ReplicaNotAvailable = 9, REPLICA_NOT_AVAILABLE, retriable,
        "The replica is not available.";
    MessageTooLarge = 10, MESSAGE_TOO_LARGE, final,
        "The batch is larger than max.message.bytes allows.";
    StaleControllerEpoch = 11, STALE_CONTROLLER_EPOCH, final,
        "The controller moved to another node.";
    OffsetMetadataTooLarge = 12, OFFSET_METADATA_TOO_LARGE, final,
        "The metadata beside the offset is too large.";
    NetworkException = 13, NETWORK_EXCEPTION, retriable,
        "The connection ended before the response came.";
    CoordinatorLoadInProgress = 14, COORDINATOR_LOAD_IN_PROGRESS, retriable,
        "The coordinator is still loading.";
    CoordinatorNotAvailable = 15, COORDINATOR_NOT_AVAILABLE, retriable,
        "The coordinator is not available.";
    NotCoordinator = 16, NOT_COORDINATOR, retriable,
        "This broker is not the coordinator.";
    InvalidTopicException = 17, INVALID_TOPIC_EXCEPTION, final,
        "The topic's name is invalid, or the topic is not for this use.";
    RecordListTooLarge = 18, RECORD_LIST_TOO_LARGE, final,
        "The batch is larger than a segment.";
    NotEnoughReplicas = 19, NOT_ENOUGH_REPLICAS, retriable,
        "Fewer replicas are in sync than min.insync.replicas asks for; nothing was written.";
    NotEnoughReplicasAfterAppend = 20, NOT_ENOUGH_REPLICAS_AFTER_APPEND, retriable,
        "It was written, but to fewer in-sync replicas than min.insync.replicas asks for.";
    InvalidRequiredAcks = 21, INVALID_REQUIRED_ACKS, final,
        "acks must be -1, 0 or 1.";
    IllegalGeneration = 22, ILLEGAL_GENERATION, final,
        "The group is in another generation.";
    InconsistentGroupProtocol = 23, INCONSISTENT_GROUP_PROTOCOL, final,
        "The member's protocols do not fit those of the group.";
    InvalidGroupId = 24, INVALID_GROUP_ID, final,
        "The group id is invalid.";
    UnknownMemberId = 25, UNKNOWN_MEMBER_ID, final,
        "The coordinator does not know the member.";
    InvalidSessionTimeout = 26, INVALID_SESSION_TIMEOUT, final,
        "The session timeout is outside what group.min.session.timeout.ms and group.max.session.timeout.ms allow.";
    RebalanceInProgress = 27, REBALANCE_IN_PROGRESS, final,
        "The group rebalances: join again.";
    InvalidCommitOffsetSize = 28, INVALID_COMMIT_OFFSET_SIZE, final,
        "The size of the committed offsets is invalid.";
    TopicAuthorizationFailed = 29, TOPIC_AUTHORIZATION_FAILED, final,
        "Not authorized for the topic.";
    GroupAuthorizationFailed = 30, GROUP_AUTHORIZATION_FAILED, final,
        "Not authorized for the group.";
    ClusterAuthorizationFailed = 31, CLUSTER_AUTHORIZATION_FAILED, final,
        "Not authorized for the cluster.";
    InvalidTimestamp = 32, INVALID_TIMESTAMP, final,
        "The timestamp of a record is outside what the topic accepts.";
    UnsupportedSaslMechanism = 33, UNSUPPORTED_SASL_MECHANISM, final,
        "The broker does not offer this SASL mechanism.";
    IllegalSaslState = 34, ILLEGAL_SASL_STATE, final,
        "The request does not fit the state of the SASL exchange.";
    UnsupportedVersion = 35, UNSUPPORTED_VERSION, final,
        "This version of the API is not supported.";
    TopicAlreadyExists = 36, TOPIC_ALREADY_EXISTS, final,
        "A topic of this name exists.";
    InvalidPartitions = 37, INVALID_PARTITIONS, final,
        "The number of partitions is invalid.";
    InvalidReplicationFactor = 38, INVALID_REPLICATION_FACTOR, final,
        "The replication factor is below 1 or above the number of brokers.";
    InvalidReplicaAssignment = 39, INVALID_REPLICA_ASSIGNMENT, final,
        "The assignment of replicas is invalid.";
    InvalidConfig = 40, INVALID_CONFIG, final,
        "The configuration is invalid.";
    NotController = 41, NOT_CONTROLLER, retriable,
        "This node is not the controller.";
    InvalidRequest = 42, INVALID_REQUEST, final,
        "The request contradicts itself or cannot be understood.";
    UnsupportedForMessageFormat = 43, UNSUPPORTED_FOR_MESSAGE_FORMAT, final,
        "The message format of the broker does not support the request.";
    PolicyViolation = 44, POLICY_VIOLATION, final,
        "The request violates a policy.";
    OutOfOrderSequenceNumber = 45, OUT_OF_ORDER_SEQUENCE_NUMBER, final,
        "The producer's sequence number does not follow the last one.";
    DuplicateSequenceNumber = 46, DUPLICATE_SEQUENCE_NUMBER, final,
        "The producer's sequence number was seen before.";
    InvalidProducerEpoch = 47, INVALID_PRODUCER_EPOCH, final,
        "The producer's epoch is old.";
    InvalidTxnState = 48, INVALID_TXN_STATE, final,
        "The transaction's state does not allow the operation.";
    InvalidProducerIdMapping = 49, INVALID_PRODUCER_ID_MAPPING, final,
        "The producer id is not the one of its transactional id.";
    InvalidTransactionTimeout = 50, INVALID_TRANSACTION_TIMEOUT, final,
        "The transaction timeout is above transaction.max.timeout.ms.";
    ConcurrentTransactions = 51, CONCURRENT_TRANSACTIONS, retriable,
        "Another operation on the transaction is under way.";
    TransactionCoordinatorFenced = 52, TRANSACTION_COORDINATOR_FENCED, final,
        "The transaction coordinator is no longer the current one.";
    TransactionalIdAuthorizationFailed = 53, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, final,
        "Not authorized for the transactional id.";
    SecurityDisabled = 54, SECURITY_DISABLED, final,
        "Security is not switched on.";
    OperationNotAttempted = 55, OPERATION_NOT_ATTEMPTED, final,
        "Not attempted, since another part of the request failed.";
    KafkaStorageError = 56, KAFKA_STORAGE_ERROR, retriable,
        "The log directory failed.";
    LogDirNotFound = 57, LOG_DIR_NOT_FOUND, final,
        "The broker has no such log directory.";
    SaslAuthenticationFailed = 58, SASL_AUTHENTICATION_FAILED, final,
        "SASL authentication failed.";
    UnknownProducerId = 59, UNKNOWN_PRODUCER_ID, final,
        "The broker no longer knows the producer id in this partition.";
    ReassignmentInProgress = 60, REASSIGNMENT_IN_PROGRESS, final,
        "The partition's replicas are being moved.";
    DelegationTokenAuthDisabled = 61, DELEGATION_TOKEN_AUTH_DISABLED, final,
        "Delegation tokens are not switched on.";
    DelegationTokenNotFound = 62, DELEGATION_TOKEN_NOT_FOUND, final,
        "There is no such delegation token.";
    DelegationTokenOwnerMismatch = 63, DELEGATION_TOKEN_OWNER_MISMATCH, final,
        "The principal neither owns the token nor may renew it.";
    DelegationTokenRequestNotAllowed = 64, DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, final,
        "Delegation tokens are not for a connection that was authenticated like this one.";
    DelegationTokenAuthorizationFailed = 65, DELEGATION_TOKEN_AUTHORIZATION_FAILED, final,
        "Not authorized for the delegation token.";
    DelegationTokenExpired = 66, DELEGATION_TOKEN_EXPIRED, final,
        "The delegation token has expired.";
    InvalidPrincipalType = 67, INVALID_PRINCIPAL_TYPE, final,
        "This type of principal is not supported.";
    NonEmptyGroup = 68, NON_EMPTY_GROUP, final,
        "The group has members.";
    GroupIdNotFound = 69, GROUP_ID_NOT_FOUND, final,
        "There is no such group.";
    FetchSessionIdNotFound = 70, FETCH_SESSION_ID_NOT_FOUND, retriable,
        "There is no such fetch session.";
    InvalidFetchSessionEpoch = 71, INVALID_FETCH_SESSION_EPOCH, retriable,
        "The epoch of the fetch session is not the one expected.";
    ListenerNotFound = 72, LISTENER_NOT_FOUND, retriable,
        "The leader has no listener like the one asked.";
    TopicDeletionDisabled = 73, TOPIC_DELETION_DISABLED, final,
        "delete.topic.enable is off.";
    FencedLeaderEpoch = 74, FENCED_LEADER_EPOCH, retriable,
        "The leader epoch is older than the broker's.";
    UnknownLeaderEpoch = 75, UNKNOWN_LEADER_EPOCH, retriable,
        "The leader epoch is newer than the broker's.";
    UnsupportedCompressionType = 76, UNSUPPORTED_COMPRESSION_TYPE, final,
        "This version of the request does not know the compression of the records.";
    StaleBrokerEpoch = 77, STALE_BROKER_EPOCH, final,
        "The broker has registered anew since.";
    OffsetNotAvailable = 78, OFFSET_NOT_AVAILABLE, retriable,
        "The high watermark has not yet reached the new leader's epoch.";
    MemberIdRequired = 79, MEMBER_ID_REQUIRED, final,
        "Join again with the member id of this response.";
    PreferredLeaderNotAvailable = 80, PREFERRED_LEADER_NOT_AVAILABLE, retriable,
        "The preferred leader is not available.";
    GroupMaxSizeReached = 81, GROUP_MAX_SIZE_REACHED, final,
        "The group has as many members as it may.";
    FencedInstanceId = 82, FENCED_INSTANCE_ID, final,
        "Another member joined with the same group.instance.id.";
    EligibleLeadersNotAvailable = 83, ELIGIBLE_LEADERS_NOT_AVAILABLE, retriable,
        "No replica that may lead the partition is available.";
    ElectionNotNeeded = 84, ELECTION_NOT_NEEDED, retriable,
        "The partition has the leader that it should have.";
    NoReassignmentInProgress = 85, NO_REASSIGNMENT_IN_PROGRESS, final,
        "The partition's replicas are not being moved.";
    GroupSubscribedToTopic = 86, GROUP_SUBSCRIBED_TO_TOPIC, final,
        "The group is subscribed to the topic, so its offsets stay.";
    InvalidRecord = 87, INVALID_RECORD, final,
        "A record violates what the broker or the topic demands.";
    UnstableOffsetCommit = 88, UNSTABLE_OFFSET_COMMIT, retriable,
        "A transaction with offsets of the partition is still open.";
    ThrottlingQuotaExceeded = 89, THROTTLING_QUOTA_EXCEEDED, retriable,
        "The quota is exceeded.";
    ProducerFenced = 90, PRODUCER_FENCED, final,
        "A newer producer has the same transactional id.";
    ResourceNotFound = 91, RESOURCE_NOT_FOUND, final,
        "The resource does not exist.";
    DuplicateResource = 92, DUPLICATE_RESOURCE, final,
        "The request names a resource twice.";
    UnacceptableCredential = 93, UNACCEPTABLE_CREDENTIAL, final,
        "The credential does not meet the demands.";
    InconsistentVoterSet = 94, INCONSISTENT_VOTER_SET, final,
        "The voter sets differ.";
    InvalidUpdateVersion = 95, INVALID_UPDATE_VERSION, final,
        "The version of the update is invalid.";
    FeatureUpdateFailed = 96, FEATURE_UPDATE_FAILED, final,
        "The features could not be updated.";
    PrincipalDeserializationFailure = 97, PRINCIPAL_DESERIALIZATION_FAILURE, final,
        "The principal of the forwarded request cannot be read.";
    SnapshotNotFound = 98, SNAPSHOT_NOT_FOUND, final,
        "There is no such snapshot.";
    PositionOutOfRange = 99, POSITION_OUT_OF_RANGE, final,
        "The position lies outside the snapshot.";
    UnknownTopicId = 100, UNKNOWN_TOPIC_ID, retriable,
        "This broker hosts no topic of this id.";
    DuplicateBrokerRegistration = 101, DUPLICATE_BROKER_REGISTRATION, final,
        "Another broker that lives has this id.";
    BrokerIdNotRegistered = 102, BROKER_ID_NOT_REGISTERED, final,
        "No broker of this id is registered.";
    InconsistentTopicId = 103, INCONSISTENT_TOPIC_ID, retriable,
        "The topic's id is another.";
    InconsistentClusterId = 104, INCONSISTENT_CLUSTER_ID, final,
        "This is another cluster.";
    TransactionalIdNotFound = 105, TRANSACTIONAL_ID_NOT_FOUND, final,
        "There is no such transactional id.";
    FetchSessionTopicIdError = 106, FETCH_SESSION_TOPIC_ID_ERROR, retriable,
        "The fetch session mixes topic ids and names.";
    IneligibleReplica = 107, INELIGIBLE_REPLICA, final,
        "The new ISR holds a replica that may not be in it.";
    NewLeaderElected = 108, NEW_LEADER_ELECTED, final,
        "The partition was changed, and its leader with it.";
    OffsetMovedToTieredStorage = 109, OFFSET_MOVED_TO_TIERED_STORAGE, final,
        "The offset is in tiered storage.";
    FencedMemberEpoch = 110, FENCED_MEMBER_EPOCH, final,
        "The member was fenced: it gives up its partitions and joins again.";
    UnreleasedInstanceId = 111, UNRELEASED_INSTANCE_ID, final,
        "Another member still has this group.instance.id.";
    UnsupportedAssignor = 112, UNSUPPORTED_ASSIGNOR, final,
        "The group does not support the assignor.";
    StaleMemberEpoch = 113, STALE_MEMBER_EPOCH, final,
        "The member epoch is old: fetch the new one and try again.";
    MismatchedEndpointType = 114, MISMATCHED_ENDPOINT_TYPE, final,
        "The request is not for this type of endpoint.";
    UnsupportedEndpointType = 115, UNSUPPORTED_ENDPOINT_TYPE, final,
        "This type of endpoint is not supported.";
    UnknownControllerId = 116, UNKNOWN_CONTROLLER_ID, final,
        "No controller has this id.";
    UnknownSubscriptionId = 117, UNKNOWN_SUBSCRIPTION_ID, final,
        "The telemetry subscription is unknown or old.";
    TelemetryTooLarge = 118, TELEMETRY_TOO_LARGE, final,
        "The telemetry is larger than the broker accepts.";
    InvalidRegistration = 119, INVALID_REGISTRATION, final,
        "The controller refuses the registration.";
    TransactionAbortable = 120, TRANSACTION_ABORTABLE, final,
        "The transaction cannot commit: abort it and go on.";
    InvalidRecordState = 121, INVALID_RECORD_STATE, final,
        "The record's delivery is in a state that cannot be acknowledged like this.";
    ShareSessionNotFound = 122, SHARE_SESSION_NOT_FOUND, retriable,
        "There is no such share session.";
    InvalidShareSessionEpoch = 123, INVALID_SHARE_SESSION_EPOCH, retriable,
        "The epoch of the share session is not the one expected.";
    FencedStateEpoch = 124, FENCED_STATE_EPOCH, final,
        "The state epoch is not the coordinator's.";
    InvalidVoterKey = 125, INVALID_VOTER_KEY, final,
        "The voter's key is another.";
    DuplicateVoter = 126, DUPLICATE_VOTER, final,
        "The voter is in the set.";
    VoterNotFound = 127, VOTER_NOT_FOUND, final,
        "The voter is not in the set.";
    InvalidRegularExpression = 128, INVALID_REGULAR_EXPRESSION, final,
        "The regular expression is invalid.";
    RebootstrapRequired = 129, REBOOTSTRAP_REQUIRED, final,
        "The client knows another cluster: start again from bootstrap.servers.";
    StreamsInvalidTopology = 130, STREAMS_INVALID_TOPOLOGY, final,
        "The topology is invalid.";
    StreamsInvalidTopologyEpoch = 131, STREAMS_INVALID_TOPOLOGY_EPOCH, final,
        "The topology's epoch is invalid.";
    StreamsTopologyFenced = 132, STREAMS_TOPOLOGY_FENCED, final,
        "The topology's epoch is old.";
    ShareSessionLimitReached = 133, SHARE_SESSION_LIMIT_REACHED, retriable,
        "There are as many share sessions as there may be.";
    GroupDeletionFailed = 134, GROUP_DELETION_FAILED, final,
        "The group was not deleted; its message says why.";
    StreamsTopologyDescriptionUpdateFailed = 135, STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED, final,
        "The topology's description was not taken; the message says why.";
    ControllerIdNotRegistered = 136, CONTROLLER_ID_NOT_REGISTERED, final,
        "No controller of this id is registered.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_number() {
        for error in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_code(error.code()), *error);
        }
    }

    #[test]
    fn a_code_from_the_future_is_an_unknown_error() {
        assert_eq!(ErrorCode::from_code(9_999), ErrorCode::UnknownServerError);
    }
}
