//! `milena ready`: asks a broker or controller whether it is ready, and ends with 0 if it is. For health checks, so that an
//! image needs no HTTP client beside it.
//!
//! The whole conversation has one deadline, and of the answer no more than a bounded part is read.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;

use crate::output;

/// The most of an answer that is read.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Asks a broker or controller whether it is ready; ends with 0 if it is, else says why not.
#[derive(Args, Debug)]
pub struct ReadyArguments {
    /// What to ask: /readyz on the metrics listener, or /healthz (the process lives).
    #[arg(long, default_value = "http://127.0.0.1:9404/readyz")]
    url: Url,
    /// How long the answer may take.
    #[arg(long, value_name = "MS", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    timeout_ms: u64,
}

/// `http://host:port/path`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Url {
    /// Host and port.
    authority: String,
    /// From its slash on.
    path: String,
}

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Url, Self::Err> {
        const WRONG: &str = "http://HOST:PORT/PATH is expected";
        let rest = text.strip_prefix("http://").ok_or(WRONG)?;
        let (authority, path) = rest.split_at(rest.find('/').ok_or(WRONG)?);
        let port = authority.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic());
        match port {
            Some(Ok(1..)) if is_plain => Ok(Url { authority: authority.to_owned(), path: path.to_owned() }),
            _ => Err(WRONG),
        }
    }
}

/// Prints what the process says of itself; an error unless it is ready.
pub fn run(arguments: &ReadyArguments) -> anyhow::Result<()> {
    let Url { authority, path } = &arguments.url;
    let deadline = Instant::now() + Duration::from_millis(arguments.timeout_ms);
    let answer = ask(&arguments.url, deadline).with_context(|| format!("no answer from {authority}"))?;
    let (status, body) = parts(&answer).with_context(|| format!("{authority} does not speak HTTP"))?;
    if status != 200 {
        bail!("{path} of {authority} says {status}: {}", body.trim());
    }
    output::print(body)
}

fn ask(url: &Url, deadline: Instant) -> io::Result<String> {
    let mut stream = connect(&url.authority, deadline)?;
    stream.set_write_timeout(Some(left(deadline)?))?;
    let request =
        format!("GET {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", url.path, url.authority);
    stream.write_all(request.as_bytes())?;
    read_all(&mut stream, deadline)
}

/// The first address of the name at which somebody listens.
fn connect(authority: &str, deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    for address in authority.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// All up to the end of the connection.
fn read_all(stream: &mut TcpStream, deadline: Instant) -> io::Result<String> {
    let (mut answer, mut chunk) = (Vec::new(), [0; 4096]);
    while (answer.len() as u64) < ANSWER_BYTES_MAX {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&chunk[..read]),
            // What the system calls a read that ran out of time.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// The status and the body of an answer.
fn parts(answer: &str) -> Option<(u16, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    Some((status.parse().ok()?, body))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What `milena ready` makes of a listener that answers so.
    fn ready(answer: &'static str) -> anyhow::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let url = format!("http://{}/readyz", listener.local_addr().expect("is bound"));
        let listening = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("accepts");
            let mut request = [0; 1024];
            let read = stream.read(&mut request).expect("reads");
            stream.write_all(answer.as_bytes()).expect("writes");
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        let said = run(&ReadyArguments { url: url.parse().expect("a url"), timeout_ms: 5_000 });
        let request = listening.join().expect("nothing failed there");
        assert!(request.starts_with("GET /readyz HTTP/1.1\r\nhost: 127.0.0.1:"), "{request}");
        said
    }

    #[test]
    fn only_200_is_ready_and_the_reason_is_told() {
        ready("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nready\n").expect("is ready");
        let refused = ready("HTTP/1.1 503 Service Unavailable\r\n\r\nlogs are still being opened\n");
        let refused = refused.expect_err("is not ready").to_string();
        assert!(refused.ends_with("says 503: logs are still being opened"), "{refused}");
        assert!(ready("SSH-2.0-x\r\n\r\n").is_err());
    }

    #[test]
    fn nobody_there_and_nobody_who_answers_are_errors() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let url: Url =
            format!("http://{}/readyz", listener.local_addr().expect("is bound")).parse().expect("a url");
        let silent = run(&ReadyArguments { url: url.clone(), timeout_ms: 50 });
        assert!(silent.is_err(), "it never answers");
        drop(listener);
        let refused = run(&ReadyArguments { url, timeout_ms: 5_000 }).expect_err("nobody listens");
        assert!(refused.to_string().starts_with("no answer from 127.0.0.1:"), "{refused}");
    }

    #[test]
    fn a_url_names_a_port_and_a_path() {
        let url: Url = "http://[::1]:9404/readyz".parse().expect("is one");
        assert_eq!((url.authority.as_str(), url.path.as_str()), ("[::1]:9404", "/readyz"));
        for wrong in ["https://a:1/", "http://a/", "http://a:1", "http://a:0/", "http://a:1/x y", "a:1"] {
            assert!(wrong.parse::<Url>().is_err(), "{wrong}");
        }
    }
}
