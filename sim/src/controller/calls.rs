//! Calls of brokers beside their streams, from the request to the answer.

use controller::event::Event;
use proto::controller::{
    AlterIsrRequest, AlterIsrResponse, ControlledShutdownRequest, ControlledShutdownResponse,
};
use tokio::sync::oneshot;
use tonic::Status;

use super::{Controller, Said};
use crate::event::{Content, ProcessId};

type Answer<T> = oneshot::Receiver<Result<T, Status>>;

/// Calls that wait for their answers.
#[derive(Default)]
pub(super) struct Calls {
    alterations: Vec<(usize, ProcessId, u64, Answer<AlterIsrResponse>)>,
    shutdowns: Vec<(usize, ProcessId, Answer<ControlledShutdownResponse>)>,
}

impl Calls {
    /// Gives the answers that are there. A call that was dropped has none: nobody knows what became of it.
    pub(super) fn answer(&mut self, said: &mut Vec<Said>) {
        self.alterations.retain_mut(|(to, process, call, answer)| match answer.try_recv() {
            Ok(Ok(response)) => {
                let content =
                    Content::AlteredIsr { process: *process, call: *call, response: Some(response) };
                said.push(Said::Answers { to: *to, content });
                false
            }
            Err(oneshot::error::TryRecvError::Empty) => true,
            Ok(Err(_)) | Err(oneshot::error::TryRecvError::Closed) => false,
        });
        self.shutdowns.retain_mut(|(to, process, answer)| match answer.try_recv() {
            Ok(Ok(_)) => {
                said.push(Said::Answers { to: *to, content: Content::ShutDownGranted { process: *process } });
                false
            }
            Err(oneshot::error::TryRecvError::Empty) => true,
            Ok(Err(_)) | Err(oneshot::error::TryRecvError::Closed) => false,
        });
    }
}

impl Controller {
    /// A leader proposes. A standby says that it is none to ask.
    pub fn alter_isr(
        &mut self,
        from: usize,
        process: ProcessId,
        call: u64,
        request: AlterIsrRequest,
    ) -> Option<Content> {
        if self.held.is_none() {
            return Some(Content::AlteredIsr { process, call, response: None });
        }
        let (reply, answer) = oneshot::channel();
        self.calls.alterations.push((from, process, call, answer));
        self.events.push_back(Event::AlterIsr { request, reply });
        None
    }

    /// A broker asks to be relieved.
    pub fn shut_down(&mut self, from: usize, process: ProcessId, broker_epoch: i64) {
        if self.held.is_some() {
            let (reply, answer) = oneshot::channel();
            self.calls.shutdowns.push((from, process, answer));
            let request = ControlledShutdownRequest { broker_id: from as i32, broker_epoch };
            self.events.push_back(Event::ControlledShutdown { request, reply });
        }
    }
}
