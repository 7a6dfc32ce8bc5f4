"""A consumer group that grows and shrinks while records flow: one owner a partition, and every record is read.

usage: group_rebalance.py BOOTSTRAP TOPIC ASSIGNOR
"""

import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS = 6
PATIENCE_SECONDS = 60

bootstrap, topic, assignor = sys.argv[1:4]
group = f"{topic}-{assignor}"
producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 1})
seen = set()
sent = 0


def send():
    """One more record to each partition."""
    global sent
    for partition in range(PARTITIONS):
        producer.produce(topic, f"{partition}-{sent}", partition=partition)
    sent += 1
    producer.poll(0)


def member():
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "partition.assignment.strategy": assignor,
        "auto.offset.reset": "earliest",
        "auto.commit.interval.ms": 100,
        "heartbeat.interval.ms": 500,
    })
    consumer.subscribe([topic])
    return consumer


def poll(consumer):
    """Reads what is there now; the client commits it by itself."""
    for message in consumer.consume(200, timeout=0.1):
        assert message.error() is None, message.error()
        seen.add(message.value().decode())


def owned(consumer):
    return {partition.partition for partition in consumer.assignment()}


def until_owned(consumers, sizes):
    """Sends and polls until each consumer owns as many partitions as its size says, and no two the same."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        send()
        for consumer in consumers:
            poll(consumer)
        owners = [owned(consumer) for consumer in consumers]
        if [len(owner) for owner in owners] == sizes and set().union(*owners) == set(range(PARTITIONS)):
            return
    raise AssertionError(f"{[owned(consumer) for consumer in consumers]}, sizes {sizes} were expected")


admin = AdminClient({"bootstrap.servers": bootstrap})
admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(30)
one = member()
until_owned([one], [6])
two = member()
until_owned([one, two], [3, 3])
two.close()
until_owned([one], [6])

assert producer.flush(30) == 0
expected = {f"{partition}-{number}" for partition in range(PARTITIONS) for number in range(sent)}
deadline = time.monotonic() + PATIENCE_SECONDS
while not expected <= seen and time.monotonic() < deadline:
    poll(one)
assert seen == expected, f"{len(expected - seen)} records were not read"
partitions = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
committed = []
while committed != [sent] * PARTITIONS and time.monotonic() < deadline:
    poll(one)
    committed = [at.offset for at in one.committed(partitions, timeout=30)]
assert committed == [sent] * PARTITIONS, committed
one.close()
print("ok")
