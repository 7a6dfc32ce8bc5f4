//! From race to race: standing by, winning, reading, serving, and the end of a term.

use std::sync::Arc;
use std::time::Duration;

use controller::active::{Active, Aside};
use controller::election_of_controller::{Claim, Race, Standing, await_vacancy, evict, race};
use controller::event::Event;
use controller::term::{Doubt, Term};
use metadata::keys::controller_key::ActiveController;
use metadata::store::{MetadataStore, WatchMessage};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::{Controller, HeldLease, Stage, incarnation};
use crate::job::{job, poll};
use crate::store::PREFIX;

/// Before a race or a reading is tried again.
const BACKOFF: Duration = Duration::from_millis(100);

impl Controller {
    /// One step forward; `false` where there is none to make now.
    pub(super) fn advance(&mut self, now: Duration) -> bool {
        let stage = std::mem::replace(&mut self.stage, Stage::Waiting(now + BACKOFF));
        let (stage, moved) = match stage {
            Stage::Waiting(until) if until > now => (Stage::Waiting(until), false),
            Stage::Waiting(_) => (self.race(), true),
            Stage::Racing(mut racing) => match poll(&mut racing) {
                None => (Stage::Racing(racing), false),
                Some(Ok(Race::Won(claim))) => (self.win(claim), true),
                Some(Ok(Race::Lost(standing))) => (self.stand_by(standing), true),
                Some(Ok(Race::Close) | Err(_)) => (Stage::Waiting(now + BACKOFF), false),
            },
            Stage::StandingBy(standing, mut vacancy) => match poll(&mut vacancy) {
                None => (Stage::StandingBy(standing, vacancy), false),
                Some(Ok(true)) => (self.race(), true),
                Some(Ok(false) | Err(_)) => (Stage::Waiting(now + BACKOFF), false),
            },
            Stage::Evicting(mut evicting) => match poll(&mut evicting) {
                None => (Stage::Evicting(evicting), false),
                Some(_) => (Stage::Waiting(now), true),
            },
            Stage::Doubting(until, active) => self.read_when_due(until, active, now),
            Stage::Reading(mut reading) => match poll(&mut reading) {
                None => (Stage::Reading(reading), false),
                Some((active, outcome)) => (self.have_read(active, outcome, now), true),
            },
            Stage::Serving(active, watch) => self.serve(active, watch, now),
            Stage::Handling(mut handling, watch) => match poll(&mut handling) {
                None => (Stage::Handling(handling, watch), false),
                Some((mut active, outcome)) => {
                    self.begin_asides(&mut active);
                    match outcome {
                        Ok(None) => (Stage::Serving(active, watch), true),
                        Ok(Some(_)) => (self.resign(now), false),
                        Err(_) => (Stage::Doubting(now + BACKOFF, active), false),
                    }
                }
            },
        };
        self.stage = stage;
        moved
    }

    fn race(&self) -> Stage {
        let (store, me) = (Arc::clone(&self.store), self.me());
        Stage::Racing(job(async move { race(&*store, PREFIX, &me).await }))
    }

    fn me(&self) -> ActiveController {
        ActiveController {
            id: self.id as i32,
            endpoint: format!("http://controller:{}", self.id),
            incarnation: incarnation(self.id, self.process),
            ..ActiveController::default()
        }
    }

    fn stand_by(&self, standing: Standing) -> Stage {
        let (store, from) = (Arc::clone(&self.store), standing.revision + 1);
        Stage::StandingBy(standing, job(async move { await_vacancy(&*store, PREFIX, from).await }))
    }

    /// The one that it stands by for was dialled and is dead.
    pub fn evict_rival(&mut self) {
        if let Stage::StandingBy(standing, _) = &self.stage {
            let (store, gone) = (Arc::clone(&self.store), standing.clone());
            self.stage = Stage::Evicting(job(async move { evict(&*store, PREFIX, &gone).await }));
        }
    }

    fn win(&mut self, claim: Claim) -> Stage {
        let term = Term {
            id: self.id as i32,
            store: self.store.clone(),
            prefix: PREFIX.to_owned(),
            config: self.config.clone(),
            claim,
        };
        let active = Box::new(Active::new(term.clone()));
        self.held = Some((term, HeldLease::keep(self.store.clone(), &claim)));
        Stage::Doubting(Duration::ZERO, active)
    }

    /// Reads only what cannot be another's by now.
    fn read_when_due(&self, until: Duration, active: Box<Active>, now: Duration) -> (Stage, bool) {
        match &self.held {
            Some((term, lease)) if until <= now && !lease.is_doubtful() => (read(term.clone(), active), true),
            _ => (Stage::Doubting(until, active), false),
        }
    }

    fn have_read(
        &mut self,
        mut active: Box<Active>,
        outcome: Result<mpsc::Receiver<WatchMessage>, Doubt>,
        now: Duration,
    ) -> Stage {
        self.begin_asides(&mut active);
        match outcome {
            Ok(watch) => Stage::Serving(active, watch),
            Err(Doubt::Deposed) => self.resign(now),
            Err(_) => Stage::Doubting(now + BACKOFF, active),
        }
    }

    /// Registrations before what counts on them, as the loop of the active controller has it.
    fn serve(
        &mut self,
        mut active: Box<Active>,
        mut watch: mpsc::Receiver<WatchMessage>,
        now: Duration,
    ) -> (Stage, bool) {
        if self.held.as_ref().is_none_or(|(_, lease)| lease.is_doubtful()) {
            return (Stage::Doubting(now, active), false);
        }
        let registrations = match watch.try_recv() {
            Ok(message) => Some(Event::Registrations(Some(message))),
            Err(TryRecvError::Disconnected) => Some(Event::Registrations(None)),
            Err(TryRecvError::Empty) => None,
        };
        let is_due = active.next_deadline().is_some_and(|due| due <= tokio::time::Instant::now());
        let timer = || is_due.then_some(Event::Timer);
        let Some(event) = registrations.or_else(|| self.events.pop_front()).or_else(timer) else {
            return (Stage::Serving(active, watch), false);
        };
        let handling = async move {
            let outcome = active.handle(event).await;
            (active, outcome)
        };
        (Stage::Handling(job(handling), watch), true)
    }

    fn begin_asides(&mut self, active: &mut Active) {
        for aside in active.take_asides() {
            match aside {
                Aside::Dial { broker, epoch, .. } => self.dials.push((broker, epoch)),
                aside => {
                    let carried_out = aside.carry_out(self.store.clone());
                    self.farewells.push(job(async move { drop(carried_out.await) }));
                }
            }
        }
    }

    /// The term is over.
    fn resign(&mut self, now: Duration) -> Stage {
        self.events.clear();
        if let Some((Term { claim, .. }, _)) = self.held.take() {
            let store = Arc::clone(&self.store);
            self.farewells.push(job(async move {
                // Where the lease has ended there is nothing to revoke.
                let _ = store.lease_revoke(claim.lease).await;
            }));
        }
        Stage::Waiting(now + BACKOFF)
    }

    /// Its lease is kept beside, whatever else it waits for.
    pub(super) fn keep_lease(&mut self, now: Duration) {
        self.farewells.retain_mut(|farewell| poll(farewell).is_none());
        if self.held.as_mut().is_some_and(|(_, lease)| !lease.go_on()) {
            self.stage = self.resign(now);
        }
    }
}

fn read(term: Term, mut active: Box<Active>) -> Stage {
    Stage::Reading(job(async move {
        let outcome = term.read(&mut active).await;
        (active, outcome)
    }))
}
