//! Groups, as their coordinators know them: listed, described, their offsets read, set and deleted, they themselves deleted.
//!
//! * `listing`: which groups there are.
//! * `description`: state and members of one, of either protocol.
//! * `offsets`: what a group has committed.
//!
//! Each call goes to the broker that coordinates the group, and again while that moves or loads.

mod description;
mod listing;
mod offsets;

use protocol::ErrorCode;
use protocol::messages::DeleteGroupsRequest;
use protocol::wire::{Request, Str};

pub use description::{GroupDescription, GroupMember};
pub use listing::GroupListing;
pub use offsets::CommittedOffset;

use crate::{Admin, Error, Lane};

impl Admin {
    /// Deletes a group, with all that it has committed. It must have no members.
    pub async fn delete_group(&self, group: &str) -> Result<(), Error> {
        let request = DeleteGroupsRequest { groups_names: vec![Str::from(group)] };
        self.on_coordinator(group, &request, i16::MAX, |answer| {
            answer.results.iter().try_for_each(|deleted| {
                let message = deleted.error_message.as_deref();
                Error::check("DeleteGroups", named(group), deleted.error_code, message)
            })
        })
        .await
    }

    /// Asks a group's coordinator, in a version of `highest` at most, and reads its answer.
    async fn on_coordinator<R: Request, T>(
        &self,
        group: &str,
        request: &R,
        highest: i16,
        read: impl Fn(R::Response) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut backoff = self.cluster().config().retry.start();
        loop {
            match self.ask_coordinator(group, request, highest).await.and_then(&read) {
                Err(error) if is_of_the_coordinator(&error) && backoff.wait().await => {}
                outcome => return outcome,
            }
        }
    }

    async fn ask_coordinator<R: Request>(
        &self,
        group: &str,
        request: &R,
        highest: i16,
    ) -> Result<R::Response, Error> {
        let coordinator = self.cluster().group_coordinator(group).await?;
        let connection = self.cluster().broker(coordinator, Lane::Requests).await?;
        Ok(connection.send_up_to(request, highest).await?)
    }
}

/// Whether somebody else coordinates the group by now, or will soon.
fn is_of_the_coordinator(error: &Error) -> bool {
    match error {
        Error::Connection(error) => error.is_retriable(),
        Error::Refused { code, .. } => matches!(
            code,
            ErrorCode::CoordinatorLoadInProgress
                | ErrorCode::CoordinatorNotAvailable
                | ErrorCode::NotCoordinator
        ),
        _ => false,
    }
}

fn named(group: &str) -> String {
    format!("group '{group}'")
}
