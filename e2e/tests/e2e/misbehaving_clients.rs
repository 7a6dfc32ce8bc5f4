//! Clients that break the rules harm nobody but themselves.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use e2e::frames::{Answer, RawConnection};
use e2e::kcat;
use e2e::server::Server;
use protocol::frame::encode_request;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::{FetchRequest, MetadataRequest};

/// How long the others' work may take meanwhile, on a busy machine too; alone it takes some tens of milliseconds.
const OTHERS_TIME_MAX: Duration = Duration::from_secs(15);

fn others_are_served(server: &Server) -> Result<()> {
    let began = Instant::now();
    let lines: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    kcat::produce(&server.bootstrap(), "others", &["-p", "0"], &lines)?;
    let read = kcat::consume(&server.bootstrap(), "others", "beginning", &["-c", "100"])?;
    ensure!(read == lines, "others read otherwise");
    ensure!(began.elapsed() < OTHERS_TIME_MAX, "the others waited {:?}", began.elapsed());
    Ok(())
}

#[test]
fn a_frame_with_an_impossible_length_ends_the_connection_at_once() -> Result<()> {
    let server = Server::with("lengths", &[("socket.request.max.bytes", "1000000")])?;
    let before = server.resident_bytes()?;
    for length in [i32::MAX, 1_000_001, -1, i32::MIN] {
        let mut connection = RawConnection::open(server.port())?;
        connection.send(&length.to_be_bytes())?;
        assert_eq!(connection.receive()?, Answer::Closed, "length {length}");
    }
    let grown = server.resident_bytes()?.saturating_sub(before);
    ensure!(!server.is_milena() || grown < 4 << 20, "a promised length took {grown} bytes");
    others_are_served(&server)?;
    server.done()
}

#[test]
fn peers_that_break_the_rules_by_the_hundred_do_not_fill_the_log() -> Result<()> {
    const PEERS: usize = 400;
    const LINES_MAX: usize = 50;
    let server = Server::start("log-lines")?;
    for _ in 0..PEERS {
        let mut connection = RawConnection::open(server.port())?;
        connection.send(&(-1i32).to_be_bytes())?;
        assert_eq!(connection.receive()?, Answer::Closed);
    }
    let lines = server.log().matches("connection closed").count();
    ensure!(!server.is_milena() || (1..LINES_MAX).contains(&lines), "{lines} lines for {PEERS} connections");
    server.done()
}

#[test]
fn half_frames_and_silence_hold_nobody_up() -> Result<()> {
    let server = Server::start("silence")?;
    let before = server.resident_bytes()?;
    // Apache Kafka makes room for what is promised, and its heap would not hold 250 such promises.
    let promised: i32 = if server.is_milena() { 100_000_000 } else { 100_000 };
    let mut silent = Vec::new();
    for number in 0..500 {
        let mut connection = RawConnection::open(server.port())?;
        if number % 2 == 0 {
            connection.send(&promised.to_be_bytes())?;
            connection.send(b"\0\x03\0\x01")?;
        }
        silent.push(connection);
    }
    others_are_served(&server)?;
    let grown = server.resident_bytes()?.saturating_sub(before);
    ensure!(!server.is_milena() || grown < 64 << 20, "500 silent connections took {grown} bytes");
    server.done()
}

#[test]
fn readers_that_never_read_hold_no_memory_of_others() -> Result<()> {
    let server = Server::start("slow-readers")?;
    let lines: Vec<String> = (0..20_000).map(|number| format!("{number} {}", "x".repeat(1_000))).collect();
    kcat::produce(&server.bootstrap(), "large", &["-p", "0"], &lines)?;
    let before = server.resident_bytes()?;
    let request = encode_request(11, 1, Some("slow".into()), &whole_partition("large"))?.bytes;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut connection = RawConnection::open(server.port())?;
        let pipelined: Bytes = std::iter::repeat_n(&request[..], 20).flatten().copied().collect();
        connection.send(&pipelined)?;
        slow.push(connection);
    }
    others_are_served(&server)?;
    let grown = server.resident_bytes()?.saturating_sub(before);
    ensure!(!server.is_milena() || grown < 32 << 20, "1,000 unread answers of 20 MB took {grown} bytes");
    let whole = slow[0].receive()?;
    ensure!(
        matches!(whole, Answer::Frame(body) if body.len() > 10_000_000),
        "a late reader gets no whole answer"
    );
    server.done()
}

fn whole_partition(topic: &str) -> FetchRequest {
    const BYTES: i32 = 50_000_000;
    let partition = FetchPartition { partition: 0, partition_max_bytes: BYTES, ..Default::default() };
    let topic = FetchTopic { topic: topic.into(), partitions: vec![partition], ..Default::default() };
    FetchRequest {
        max_bytes: BYTES,
        min_bytes: 1,
        max_wait_ms: 500,
        topics: vec![topic],
        ..Default::default()
    }
}

#[test]
fn a_flood_of_requests_leaves_the_threads_to_others_in_turn() -> Result<()> {
    let server = Server::with("flood", &[("num.partitions", "100")])?;
    kcat::produce(&server.bootstrap(), "wide", &["-p", "0"], &["record".to_owned()])?;
    let every_topic =
        encode_request(1, 1, None, &MetadataRequest { topics: None, ..Default::default() })?.bytes;
    let flood: Bytes = std::iter::repeat_n(&every_topic[..], 4_000).flatten().copied().collect();
    let mut flooding = Vec::new();
    for _ in 0..16 {
        let mut connection = RawConnection::open(server.port())?;
        connection.send(&flood)?;
        flooding.push(connection);
    }
    others_are_served(&server)?;
    server.done()
}

#[test]
fn answers_leave_in_the_order_of_their_requests() -> Result<()> {
    let server = Server::start("order")?;
    kcat::produce(&server.bootstrap(), "ordered", &["-p", "0"], &["record".to_owned()])?;
    let mut connection = RawConnection::open(server.port())?;
    // The first waits for records that never come; those behind it are ready at once.
    let mut waits = whole_partition("ordered");
    waits.topics[0].partitions[0].fetch_offset = 1;
    connection.send(&encode_request(11, 0, None, &waits)?.bytes)?;
    for correlation in 1..20 {
        connection.send(&encode_request(11, correlation, None, &whole_partition("ordered"))?.bytes)?;
    }
    for expected in 0..20i32 {
        let Answer::Frame(answer) = connection.receive()? else {
            anyhow::bail!("answer {expected} is missing")
        };
        assert_eq!(answer[..4], expected.to_be_bytes());
    }
    server.done()
}
