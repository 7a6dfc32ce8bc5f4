//! Safety rule 7: whether a broker that returns may keep its places in ISRs and ELRs. Pure.
//!
//! A broker that lost its page cache may lack records that it acknowledged. Its memberships survive a new broker epoch only
//! if its process lived on, or was shut down cleanly, or died while the kernel and all its disks lived on.

use metadata::keys::admitted_broker::AdmittedBroker;
use metadata::keys::broker_registration::{BrokerRegistration, NO_CLEAN_SHUTDOWN};

/// The verdict, with its reason for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    SameProcess,
    CleanShutdown,
    /// A killed process loses no pages.
    SameBoot,
    /// Never admitted before: no ISR names it.
    New,
    /// Its pages may be lost: out of every ISR and ELR.
    Lost,
}

impl Trust {
    pub fn keeps_memberships(self) -> bool {
        self != Trust::Lost
    }
}

/// Judges a registration by what was known when the broker was admitted last.
pub fn judge(admitted: Option<&AdmittedBroker>, registration: &BrokerRegistration) -> Trust {
    let Some(admitted) = admitted else { return Trust::New };
    if registration.incarnation == admitted.incarnation && !admitted.incarnation.is_zero() {
        return Trust::SameProcess;
    }
    let clean_epoch = registration.clean_shutdown_epoch;
    if clean_epoch != NO_CLEAN_SHUTDOWN && clean_epoch == admitted.epoch {
        return Trust::CleanShutdown;
    }
    let same_boot = !admitted.boot_id.is_empty() && registration.boot_id == admitted.boot_id;
    let all_dirs_are_there = admitted.log_dirs.iter().all(|dir| registration.log_dirs.contains(dir));
    match same_boot && all_dirs_are_there {
        true => Trust::SameBoot,
        false => Trust::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::types::Uuid;

    const DIR: Uuid = Uuid([1; 16]);

    fn admitted() -> AdmittedBroker {
        AdmittedBroker {
            epoch: 7,
            incarnation: Uuid([5; 16]),
            boot_id: "boot".into(),
            log_dirs: vec![DIR],
            fenced: true,
        }
    }

    fn registration(
        incarnation: u8,
        clean_shutdown_epoch: i64,
        boot_id: &str,
        log_dirs: &[Uuid],
    ) -> BrokerRegistration {
        BrokerRegistration {
            incarnation: Uuid([incarnation; 16]),
            clean_shutdown_epoch,
            boot_id: boot_id.into(),
            log_dirs: log_dirs.to_vec(),
            ..BrokerRegistration::default()
        }
    }

    fn check(registration: BrokerRegistration, expected: Trust) {
        assert_eq!(judge(Some(&admitted()), &registration), expected);
    }

    #[test]
    fn memberships_survive_what_loses_no_pages() {
        check(registration(5, -1, "other", &[]), Trust::SameProcess);
        check(registration(6, 7, "other", &[DIR]), Trust::CleanShutdown);
        check(registration(6, -1, "boot", &[DIR, Uuid([2; 16])]), Trust::SameBoot);
        assert_eq!(judge(None, &registration(6, -1, "boot", &[])), Trust::New);
    }

    #[test]
    fn memberships_end_where_pages_may_be_lost() {
        check(registration(6, -1, "other", &[DIR]), Trust::Lost);
        check(registration(6, 6, "other", &[DIR]), Trust::Lost);
        check(registration(6, -1, "boot", &[Uuid([2; 16])]), Trust::Lost);
    }
}
