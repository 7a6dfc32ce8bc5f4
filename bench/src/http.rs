//! The HTTP that health checks and etcd's gateway need: one request, one answer, one connection.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

const PATIENCE: Duration = Duration::from_secs(2);

/// Whether `GET path` is answered with 200.
pub fn is_ok(port: u16, path: &str) -> bool {
    exchange(port, &format!("GET {path} HTTP/1.0\r\n\r\n")).is_ok_and(|(status, _)| status == 200)
}

/// The body that answers a JSON body.
pub fn post(port: u16, path: &str, body: &str) -> Result<String> {
    let request = format!("POST {path} HTTP/1.0\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (status, answer) = exchange(port, &request)?;
    anyhow::ensure!(status == 200, "{path} answers {status}: {answer}");
    Ok(answer)
}

fn exchange(port: u16, request: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, body.to_owned()))
}
