//! What the active controller asks for and does not wait for: it decides nothing, and may take its time.

use std::sync::Arc;

use metadata::image::Endpoint;
use metadata::store::{LeaseId, MetadataStore};
use protocol::types::BrokerId;

use crate::dial::dial;
use crate::event::Event;

/// One such errand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Find out whether anybody listens where this broker did; ends with [`Event::Dialled`].
    Dial { broker: BrokerId, epoch: i64, endpoint: Endpoint },
    /// End the lease of a key that is deleted already.
    Revoke(LeaseId),
}

impl Aside {
    /// Does it; the event that comes of it, if there is one.
    pub async fn carry_out(self, store: Arc<dyn MetadataStore>) -> Option<Event> {
        match self {
            Aside::Dial { broker, epoch, endpoint } => {
                let outcome = dial(&endpoint.host, endpoint.port).await;
                Some(Event::Dialled { broker, epoch, outcome })
            }
            Aside::Revoke(lease) => {
                // Where this fails the lease ends by itself.
                let _ = store.lease_revoke(lease).await;
                None
            }
        }
    }
}
