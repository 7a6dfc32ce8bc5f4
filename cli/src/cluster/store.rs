//! Reads from the metadata store who controls the cluster and whom it admitted. It only ever reads.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use metadata::etcd::EtcdStore;
use metadata::keys::Key;
use metadata::keys::admitted_broker::AdmittedBroker;
use metadata::keys::controller_key::{ActiveController, decode_epoch};
use metadata::store::{Found, KeyRange, KeyValue, MetadataStore, StoreError};
use proto::controller::StandbysRequest;
use proto::controller::controller_client::ControllerClient;
use protocol::types::BrokerId;
use tonic::transport::Endpoint;

/// A controller that says nothing for so long is shown as silent.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The store, as its members showed it.
#[derive(Clone, Debug)]
pub struct StoreSeen {
    pub members: Vec<MemberSeen>,
    /// None: nobody is active, or no member answered.
    pub active: Option<ActiveController>,
    /// The id and endpoint of each that stands by; or why the active one did not say.
    pub standbys: Result<Vec<(i32, String)>, String>,
    /// How many controllers there were.
    pub controller_epoch: Option<i32>,
    /// By id, the registered and those that were admitted once.
    pub registrations: BTreeMap<BrokerId, RegistrationSeen>,
}

impl Default for StoreSeen {
    fn default() -> Self {
        StoreSeen {
            members: Vec::new(),
            active: None,
            standbys: Ok(Vec::new()),
            controller_epoch: None,
            registrations: BTreeMap::new(),
        }
    }
}

/// One member of etcd.
#[derive(Clone, Debug)]
pub struct MemberSeen {
    pub endpoint: String,
    /// The revision that it knows and the time that it took to say so; or why it said nothing.
    pub answer: Result<(i64, Duration), String>,
}

/// What the store holds of one broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegistrationSeen {
    /// The broker epoch: None where it is not registered.
    pub epoch: Option<i64>,
    /// The epoch that a controller admitted last.
    pub admitted: Option<i64>,
    /// Whether it was fenced since.
    pub fenced: bool,
}

/// Asks every member; none where no endpoint is given.
pub async fn look(endpoints: &[String], prefix: &str) -> Option<StoreSeen> {
    if endpoints.is_empty() {
        return None;
    }
    let mut seen = StoreSeen::default();
    for endpoint in endpoints {
        let began = Instant::now();
        let answer = read(endpoint, prefix).await;
        let took = began.elapsed();
        let answer = answer.map(|found| {
            seen = StoreSeen { members: std::mem::take(&mut seen.members), ..understand(&found, prefix) };
            (found.revision, took)
        });
        seen.members.push(MemberSeen {
            endpoint: endpoint.clone(),
            answer: answer.map_err(|error| error.to_string()),
        });
    }
    if let Some(active) = &seen.active {
        seen.standbys = standbys(active).await.map_err(|error| node::causes::one_line(error.as_ref()));
    }
    Some(seen)
}

/// Asks the active controller who stands by.
async fn standbys(active: &ActiveController) -> Result<Vec<(i32, String)>, anyhow::Error> {
    let endpoint = Endpoint::from_shared(active.endpoint.clone())?.connect_timeout(ANSWER_WITHIN);
    let channel = endpoint.timeout(ANSWER_WITHIN).connect().await?;
    let answer = ControllerClient::new(channel).standbys(StandbysRequest {}).await?.into_inner();
    Ok(answer.standbys.into_iter().map(|standby| (standby.controller_id, standby.endpoint)).collect())
}

/// The keys of brokers and controllers, as one member has them.
async fn read(endpoint: &str, prefix: &str) -> Result<Found, StoreError> {
    let store = EtcdStore::connect(std::slice::from_ref(&endpoint.to_owned())).await?;
    let mut found = store.range(KeyRange::prefix(format!("{prefix}/brokers/"))).await?;
    let controllers = store.range(KeyRange::prefix(format!("{prefix}/controller"))).await?;
    found.revision = found.revision.max(controllers.revision);
    found.entries.extend(controllers.entries);
    Ok(found)
}

/// What a key says that cannot be read is left out: another release wrote it.
fn understand(found: &Found, prefix: &str) -> StoreSeen {
    let mut seen = StoreSeen::default();
    for KeyValue { key, value, create_revision, .. } in &found.entries {
        match Key::parse(prefix, key) {
            Some(Key::Controller) => seen.active = ActiveController::decode(value).ok(),
            Some(Key::ControllerEpoch) => seen.controller_epoch = decode_epoch(value).ok(),
            Some(Key::Broker(id)) => {
                seen.registrations.entry(id).or_default().epoch = Some(*create_revision);
            }
            Some(Key::AdmittedBroker(id)) => {
                let Ok(admitted) = AdmittedBroker::decode(id, value) else { continue };
                let registration = seen.registrations.entry(id).or_default();
                (registration.admitted, registration.fenced) = (Some(admitted.epoch), admitted.fenced);
            }
            _ => {}
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &Key, value: Vec<u8>, create_revision: i64) -> KeyValue {
        KeyValue {
            key: key.path("/m").into(),
            value: value.into(),
            create_revision,
            mod_revision: create_revision,
            lease: Default::default(),
        }
    }

    #[test]
    fn keys_tell_who_is_active_registered_and_admitted() {
        let active = ActiveController { id: 7, epoch: 3, ..ActiveController::default() };
        let admitted = AdmittedBroker { epoch: 40, fenced: true, ..AdmittedBroker::default() };
        let entries = vec![
            entry(&Key::Controller, active.encode(), 30),
            entry(&Key::ControllerEpoch, b"3".to_vec(), 1),
            entry(&Key::Broker(BrokerId(1)), b"{}".to_vec(), 41),
            entry(&Key::AdmittedBroker(BrokerId(1)), admitted.encode(), 2),
            entry(&Key::Topic("t".into()), b"not ours to read".to_vec(), 5),
        ];
        let seen = understand(&Found { entries, revision: 50 }, "/m");
        assert_eq!(seen.active, Some(active));
        assert_eq!(seen.controller_epoch, Some(3));
        let expected = RegistrationSeen { epoch: Some(41), admitted: Some(40), fenced: true };
        assert_eq!(seen.registrations, BTreeMap::from([(BrokerId(1), expected)]));
    }
}
