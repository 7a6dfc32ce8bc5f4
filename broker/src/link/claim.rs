//! Whether an id may be taken that another registration may hold: pure.
//!
//! A registration that shares a log directory with us is that of a process which is gone: we hold the directory's
//! exclusive lock, which it must have held. Any other is alive until its lease ends.

use metadata::keys::broker_registration::BrokerRegistration;

use super::Identity;

/// What to do about the key of our id.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody holds it.
    Vacant,
    /// Its holder is our own past.
    Replace,
    /// Another process holds it; here is where it is reached.
    Held { address: String },
}

/// Judges the registration that stands under our id.
pub fn claim(ours: &Identity, standing: Option<&BrokerRegistration>) -> Claim {
    let Some(theirs) = standing else { return Claim::Vacant };
    let same_process = theirs.incarnation == ours.incarnation;
    let same_directory = theirs.log_dirs.iter().any(|dir| ours.log_dirs.contains(dir));
    match same_process || same_directory {
        true => Claim::Replace,
        false => Claim::Held { address: theirs.endpoints.join(", ") },
    }
}

#[cfg(test)]
mod tests {
    use metadata::image::Endpoint;
    use protocol::types::{BrokerId, Uuid};

    use super::*;

    fn ours() -> Identity {
        Identity {
            broker_id: BrokerId(1),
            incarnation: Uuid([1; 16]),
            endpoints: Vec::new(),
            inter_broker_listener: "PLAINTEXT".into(),
            rack: None,
            log_dirs: vec![Uuid([7; 16])],
            clean_shutdown_epoch: None,
        }
    }

    fn theirs(incarnation: u8, log_dir: u8) -> BrokerRegistration {
        let endpoint = Endpoint {
            listener: "PLAINTEXT".into(),
            host: "other".into(),
            port: 9092,
            security_protocol: "PLAINTEXT".into(),
        };
        let mut registration = BrokerRegistration::new(&[endpoint], 0);
        registration.incarnation = Uuid([incarnation; 16]);
        registration.log_dirs = vec![Uuid([log_dir; 16])];
        registration
    }

    fn check(standing: Option<BrokerRegistration>, expected: Claim) {
        assert_eq!(claim(&ours(), standing.as_ref()), expected);
    }

    #[test]
    fn an_id_that_nobody_holds_is_taken() {
        check(None, Claim::Vacant);
    }

    #[test]
    fn our_own_registration_of_an_unknown_outcome_is_replaced() {
        check(Some(theirs(1, 9)), Claim::Replace);
    }

    #[test]
    fn a_dead_process_of_the_same_directories_is_replaced() {
        check(Some(theirs(2, 7)), Claim::Replace);
    }

    #[test]
    fn a_living_process_is_named_by_its_address() {
        check(Some(theirs(2, 9)), Claim::Held { address: "PLAINTEXT://other:9092".into() });
    }
}
