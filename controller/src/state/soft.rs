//! What the store does not hold: it lives as long as the term, and is carried over when the state is read anew.

use protocol::types::BrokerId;

use super::State;

impl State {
    /// Takes over what an earlier reading of the same term knew beside the store. What a broker told counts only for as long
    /// as its registration is the same. Who is connected is for the owner of the streams to say.
    pub fn inherit(&mut self, earlier: &State) {
        let stays = |id: &BrokerId| {
            let registered = earlier.registrations.get(id);
            registered.is_some_and(|registered| self.is_registered(*id, registered.epoch))
        };
        let shutting_down = earlier.shutting_down.iter().copied().filter(stays).collect();
        let offline = earlier.offline_replicas.iter().filter(|(id, _)| stays(id));
        let offline = offline.map(|(id, replicas)| (*id, replicas.clone())).collect();
        (self.shutting_down, self.offline_replicas) = (shutting_down, offline);
    }
}
