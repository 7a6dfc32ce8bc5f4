//! A `server.properties` in the shape that Apache Kafka 4.3.1 ships, KRaft's keys included, starts a Milena broker.

use anyhow::{Result, ensure};
use e2e::daemons::Milena;
use e2e::etcd::Etcd;
use e2e::scratch::Scratch;
use e2e::server::{Subject, subject};
use e2e::{kcat, ports};

/// The keys of Apache Kafka's own file, with ports and a folder of the test's.
fn server_properties(port: u16, controller: u16, folder: &str) -> String {
    let listeners = |host: &str| format!("PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}");
    let fixed = "\
        controller.listener.names=CONTROLLER\n\
        inter.broker.listener.name=PLAINTEXT\n\
        listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,\\\n    \
        SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n\
        num.network.threads=3\nnum.io.threads=8\nsocket.send.buffer.bytes=102400\n\
        socket.receive.buffer.bytes=102400\nsocket.request.max.bytes=104857600\n\
        num.partitions=1\nnum.recovery.threads.per.data.dir=2\noffsets.topic.replication.factor=1\n\
        share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
        transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
        #log.flush.interval.messages=10000\n#log.flush.interval.ms=1000\n\
        log.retention.hours=168\n#log.retention.bytes=1073741824\n#log.segment.bytes=1073741824\n\
        log.retention.check.interval.ms=300000\n";
    format!(
        "# See the documentation of each key.\n\n############################# Server Basics\n\n\
         process.roles=broker,controller\nnode.id=1\n\
         controller.quorum.bootstrap.servers=localhost:{controller}\n\
         listeners={}\nadvertised.listeners={}\nlog.dirs={folder}\n{fixed}",
        listeners(""),
        listeners("localhost")
    )
}

#[test]
fn the_server_properties_of_apache_kafka_start_a_broker() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut scratch = Scratch::new("server-properties")?;
    let etcd = Etcd::start(&scratch)?;
    let mut controller = Milena::controller(&scratch, &etcd, 100)?;
    let mut broker = Milena::broker(&scratch, &etcd, 1)?;
    let folder = scratch.path().join("kraft-combined-logs").display().to_string();
    broker.set(&server_properties(broker.port, ports::free(1)?, &folder))?;
    controller.start()?;
    broker.start()?;
    let lines = ["one".to_owned(), "two".to_owned()];
    kcat::produce(&broker.bootstrap(), "first", &["-p", "0"], &lines)?;
    ensure!(kcat::consume(&broker.bootstrap(), "first", "beginning", &[])? == lines, "they are read again");
    let log = broker.log()?;
    for idle in ["process.roles", "controller.quorum.bootstrap.servers", "num.io.threads"] {
        let warned = log.lines().any(|line| line.contains(idle) && line.contains("has no effect"));
        ensure!(warned, "{idle} is not warned of: {log}");
    }
    let unknown = log.lines().any(|line| line.contains("no such key is known"));
    ensure!(!unknown, "every key of Apache Kafka is known: {log}");
    scratch.discard();
    Ok(())
}
