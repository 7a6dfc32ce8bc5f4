//! Whether anybody listens at an address: a connection that is opened and closed again, nothing more.
//!
//! A refusal is taken for a sign of death on which safety never rests: a firewall or a closing listener refuses too
//! (design §2).

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::failure_detector::Dialled;

/// How long a dial may take; it is answered in a round trip, or on its first retransmission.
const DIAL_TIME_MAX: Duration = Duration::from_millis(1500);
/// For so long an accepted connection is watched: the kernel accepts for a process that it is just ending, and then resets.
const RESET_WITHIN: Duration = Duration::from_millis(30);
/// Connections that are reset at once before it is believed that someone lives and wants none.
const RESETS_MAX: usize = 10;
/// Between two of them.
const RESET_PAUSE: Duration = Duration::from_millis(3);

/// Opens a connection.
pub async fn dial(host: &str, port: u16) -> Dialled {
    for _ in 0..RESETS_MAX {
        match timeout(DIAL_TIME_MAX, TcpStream::connect((host, port))).await {
            Ok(Ok(stream)) if is_our_own(&stream) => return Dialled::Refused,
            Ok(Ok(stream)) => {
                if stays_open(stream).await {
                    return Dialled::Accepted;
                }
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                return Dialled::Refused;
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Ok(Err(_)) | Err(_) => return Dialled::Unanswered,
        }
        sleep(RESET_PAUSE).await;
    }
    Dialled::Accepted
}

/// On one machine a connection can meet itself, where the kernel picks the dialled port for our own end: nobody listens then.
fn is_our_own(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(ours), Ok(theirs)) if ours == theirs)
}

async fn stays_open(mut stream: TcpStream) -> bool {
    let mut byte = [0];
    match timeout(RESET_WITHIN, stream.read(&mut byte)).await {
        Err(_) => true,
        Ok(read) => read.is_ok_and(|bytes| bytes > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_listener_accepts_though_nobody_takes_its_connections_and_a_closed_one_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(dial("127.0.0.1", port).await, Dialled::Accepted);
        drop(listener);
        assert_eq!(dial("127.0.0.1", port).await, Dialled::Refused);
    }

    #[tokio::test]
    async fn a_listener_that_closes_while_it_is_dialled_refuses_in_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let dialling = tokio::spawn(async move { dial("127.0.0.1", port).await });
        let accepted = listener.accept().await.unwrap();
        drop((accepted, listener));
        assert_eq!(dialling.await.unwrap(), Dialled::Refused);
    }

    #[tokio::test]
    async fn a_name_that_leads_nowhere_proves_nothing() {
        assert_eq!(dial("no-such-host.invalid", 9092).await, Dialled::Unanswered);
    }
}
