//! The one HTTP request that the tests make, and what they read from its answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::wait;

/// Status and body of `GET path` on a port of loopback.
pub fn get(port: u16, path: &str) -> Result<(u16, String)> {
    get_from("127.0.0.1", port, path, wait::PATIENCE)
}

/// The same of another host, an address, which may take `limit` to be reached and to say the next word.
pub fn get_from(host: &str, port: u16, path: &str, limit: Duration) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&format!("{host}:{port}").parse()?, limit)?;
    stream.set_read_timeout(Some(limit))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, body.to_owned()))
}

/// The value of a series on `/metrics`, named with its labels as it is printed; `None` if it is not there.
pub fn metric(port: u16, series: &str) -> Result<Option<f64>> {
    value(&metrics(port)?, series)
}

/// The same, on a page of metrics.
pub fn value(page: &str, series: &str) -> Result<Option<f64>> {
    let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.map(|value| value.trim().parse().with_context(|| format!("{series} {value}"))).transpose()
}

/// The sum of a metric over all its labels; `None` if it is not there. A total that has a breakdown by topic beside it
/// counts twice.
pub fn metric_sum(port: u16, name: &str) -> Result<Option<f64>> {
    let page = metrics(port)?;
    let is_series = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
    let values =
        page.lines().filter(is_series).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    Ok(values.reduce(|sum, value| sum + value))
}

fn metrics(port: u16) -> Result<String> {
    let (status, page) = get(port, "/metrics")?;
    ensure!(status == 200, "/metrics answers {status}");
    Ok(page)
}
