//! The registration: a key of this broker under a lease of its own, kept alive, and made again whenever it is lost.
//!
//! Invariant: the key is only ever created where none is (its create revision is the broker epoch); a key of our own past
//! is deleted first, and only as it was read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metadata::keys::Key;
use metadata::keys::broker_registration::{BrokerRegistration, NO_CLEAN_SHUTDOWN};
use metadata::store::{Compare, LeaseId, Operation, StoreError, TxnOutcome, get};
use protocol::types::{BrokerId, Uuid};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::ControllerLink;
use super::backoff::Backoff;
use super::claim::{Claim, claim};

/// Where Linux says which boot this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// How much longer than a whole lease an id is waited for: the store may have started anew and refilled the lease.
const PATIENCE: f64 = 1.5;

/// A registration that stands, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The key's create revision: the broker epoch.
    pub epoch: i64,
    pub lease: LeaseId,
}

/// The id belongs to another process that lives.
#[derive(Debug, thiserror::Error)]
#[error(
    "broker id {broker_id} is registered by another process, reached at {address}; it was held for {held:?} and is not given up: choose another node.id, or stop that process"
)]
pub struct RegistrationRefused {
    pub broker_id: BrokerId,
    pub address: String,
    pub held: Duration,
}

enum Attempt {
    Registered(Registration),
    Held {
        address: String,
    },
    /// The key changed between the look and the write.
    Raced,
}

impl ControllerLink {
    /// Keeps the registration standing; ends only where the id is another's.
    pub(super) async fn stay_registered(&self) -> RegistrationRefused {
        loop {
            let registration = match self.register().await {
                Ok(registration) => registration,
                Err(refused) => return refused,
            };
            let (broker, epoch) = (self.identity.broker_id, registration.epoch);
            tracing::info!(%broker, epoch, "registered");
            self.registration.send_replace(Some(registration.clone()));
            self.keep(&registration).await;
            tracing::warn!(%broker, epoch, "the registration is lost; registering again");
            self.registration.send_replace(None);
        }
    }

    async fn register(&self) -> Result<Registration, RegistrationRefused> {
        let (mut backoff, mut failing, mut held_since) = (Backoff::new(), false, None);
        loop {
            match self.try_register().await {
                Ok(Attempt::Registered(registration)) => return Ok(registration),
                Ok(Attempt::Raced) => {}
                Ok(Attempt::Held { address }) => self.await_id(address, &mut held_since)?,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(broker = %self.identity.broker_id, "cannot register, trying on: {error}");
                    }
                }
            }
            backoff.sleep().await;
        }
    }

    /// Bears with a holder for as long as its lease may outlive it.
    fn await_id(&self, address: String, held_since: &mut Option<Instant>) -> Result<(), RegistrationRefused> {
        let broker_id = self.identity.broker_id;
        if held_since.is_none() {
            tracing::warn!(broker = %broker_id, "the id is registered by {address}; waiting for its lease to end");
        }
        let held = held_since.get_or_insert_with(Instant::now).elapsed();
        match held > self.lease.timeout.mul_f64(PATIENCE) {
            true => Err(RegistrationRefused { broker_id, address, held }),
            false => Ok(()),
        }
    }

    async fn try_register(&self) -> Result<Attempt, StoreError> {
        let key = Key::Broker(self.identity.broker_id).path(&self.prefix);
        if let Some(standing) = get(&*self.store, key.clone()).await? {
            let theirs =
                BrokerRegistration::decode(self.identity.broker_id, &standing.value).unwrap_or_default();
            match claim(&self.identity, Some(&theirs)) {
                Claim::Held { address } => return Ok(Attempt::Held { address }),
                Claim::Vacant | Claim::Replace => {}
            }
            let unchanged = vec![Compare::ModRevision(key.clone(), standing.mod_revision)];
            let deletion = vec![Operation::Delete { key: key.clone() }];
            if let TxnOutcome::Refused(_) = self.store.txn(unchanged, deletion).await? {
                return Ok(Attempt::Raced);
            }
        }
        self.create(key).await
    }

    async fn create(&self, key: Vec<u8>) -> Result<Attempt, StoreError> {
        let (lease, _) = self.store.lease_grant(self.lease.timeout).await?;
        let vacant = vec![Compare::CreateRevision(key.clone(), 0)];
        let put = vec![Operation::Put { key, value: self.record().encode(), lease }];
        match self.store.txn(vacant, put).await? {
            TxnOutcome::Applied(epoch) => Ok(Attempt::Registered(Registration { epoch, lease })),
            TxnOutcome::Refused(_) => {
                self.store.lease_revoke(lease).await?;
                Ok(Attempt::Raced)
            }
        }
    }

    /// What stands in the key.
    fn record(&self) -> BrokerRegistration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        BrokerRegistration {
            inter_broker_listener: self.identity.inter_broker_listener.clone(),
            rack: self.identity.rack.clone(),
            incarnation: self.identity.incarnation,
            clean_shutdown_epoch: self.identity.clean_shutdown_epoch.unwrap_or(NO_CLEAN_SHUTDOWN),
            boot_id: self.boot_id.clone(),
            log_dirs: self.identity.log_dirs.clone(),
            ..BrokerRegistration::new(&self.identity.endpoints, now.as_millis() as i64)
        }
    }

    /// Keeps the lease alive; returns once the registration is lost.
    async fn keep(&self, registration: &Registration) {
        let mut heartbeats = interval(self.lease.heartbeat_interval);
        heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut failing, mut doubted) = (false, false);
        loop {
            tokio::select! {
                _ = heartbeats.tick() => {}
                () = self.registration_doubted.notified() => doubted = true,
            }
            let stands = self.renew(registration, doubted).await;
            // A doubt that could not be settled is settled with a later heartbeat.
            doubted &= stands.is_err();
            match stands {
                Ok(true) => {
                    if std::mem::replace(&mut failing, false) {
                        tracing::info!("the metadata store answers again");
                    }
                }
                Ok(false) => return,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!("cannot keep the registration alive, trying on: {error}");
                    }
                }
            }
        }
    }

    /// Keeps the lease alive, and where that is in doubt looks whether the key is there as well.
    async fn renew(&self, registration: &Registration, doubted: bool) -> Result<bool, StoreError> {
        Ok(self.keep_alive(registration).await? && (!doubted || self.stands(registration).await?))
    }

    async fn keep_alive(&self, registration: &Registration) -> Result<bool, StoreError> {
        match self.store.lease_keepalive(registration.lease).await {
            Ok(_) => Ok(true),
            Err(StoreError::LeaseGone) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the key is still the one that we made.
    async fn stands(&self, registration: &Registration) -> Result<bool, StoreError> {
        let key = Key::Broker(self.identity.broker_id).path(&self.prefix);
        let standing = get(&*self.store, key).await?;
        Ok(standing.is_some_and(|standing| standing.create_revision == registration.epoch))
    }
}

/// Which boot of the kernel this is. Where that cannot be known it is one that never was: the page cache of whoever ran
/// before then counts as lost.
pub(super) fn boot_id() -> String {
    match std::fs::read_to_string(BOOT_ID) {
        Ok(id) => id.trim().to_owned(),
        Err(error) => {
            tracing::warn!("{BOOT_ID}: {error}; a killed process is taken for one that lost its page cache");
            Uuid::random().map_or_else(|_| String::new(), |id| id.to_string())
        }
    }
}
