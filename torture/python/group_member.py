"""A member of a consumer group that commits what it has read.

The history goes to FILE, a line an event: `read POLL PARTITION OFFSET VALUE`; `start MS PARTITION OFFSET`, the first
record after an assignment, with the assignment's time; `try MS PARTITION OFFSET` before a commit; `commit MS PARTITION
OFFSET` after it has succeeded; `error MS TEXT`; and at the end `done`. Prints `ready` once it may be told to stop.
SIGTERM ends it with a last commit.

usage: group_member.py BOOTSTRAP TOPIC GROUP FILE
"""

import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from common import NEWS, QUICK, Stop, consumer_failed, now_ms, value_of

COMMIT_SECONDS = 0.5

bootstrap, topic, group, path = sys.argv[1:]
history = open(path, "w", encoding="ascii")
failed = consumer_failed(history, NEWS | {KafkaError._MAX_POLL_EXCEEDED})
# By partition: when it was assigned, until its first record came.
fresh = {}
positions = {}


def commit(consumer):
    """Commits every position; a refusal is the group's right, and the next owner reads again."""
    tried = dict(positions)
    if not tried:
        return
    for partition, offset in tried.items():
        history.write(f"try {now_ms()} {partition} {offset}\n")
    history.flush()
    try:
        at = [TopicPartition(topic, partition, offset) for partition, offset in tried.items()]
        committed = consumer.commit(offsets=at, asynchronous=False)
    except KafkaException:
        return
    for each in committed:
        if each.error is None:
            history.write(f"commit {now_ms()} {each.partition} {each.offset}\n")


def assigned(_, given):
    at = now_ms()
    for each in given:
        fresh[each.partition] = at
        positions.pop(each.partition, None)


def revoked(consumer, taken):
    commit(consumer)
    lost(consumer, taken)


def lost(_, taken):
    for each in taken:
        fresh.pop(each.partition, None)
        positions.pop(each.partition, None)


stop = Stop()
consumer = Consumer({
    "bootstrap.servers": bootstrap,
    "group.id": group,
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "session.timeout.ms": 10_000,
    "fetch.wait.max.ms": 100,
    "error_cb": failed,
} | QUICK)
consumer.subscribe([topic], on_assign=assigned, on_revoke=revoked, on_lost=lost)
poll = 0
next_commit = time.monotonic()
print("ready", flush=True)
while not stop.asked:
    # One at a time: no record of an assignment is seen after the callback that took the partition away.
    message = consumer.poll(0.1)
    poll += 1
    if message is not None and message.error():
        failed(message.error())
    elif message is not None:
        partition, offset = message.partition(), message.offset()
        if partition in fresh:
            history.write(f"start {fresh.pop(partition)} {partition} {offset}\n")
        history.write(f"read {poll} {partition} {offset} {value_of(message)}\n")
        positions[partition] = offset + 1
    if time.monotonic() >= next_commit:
        commit(consumer)
        history.flush()
        next_commit = time.monotonic() + COMMIT_SECONDS
commit(consumer)
consumer.close()
history.write("done\n")
history.close()
