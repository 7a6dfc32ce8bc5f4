"""Groups that commit one offset after the other, whatever happens to their coordinators, and then ask for them again.

Prints "committed N" as commits are acknowledged. When the file STOP is there it ends: every commit that was acknowledged,
or a later one that was tried, must be found. Prints "found N".

usage: group_commits.py BOOTSTRAP TOPIC GROUPS STOP
"""

import os
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

PATIENCE_SECONDS = 60

bootstrap, topic, groups, stop = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
lock = threading.Lock()
acknowledged = 0
failures = []


def consumer(group, **more):
    return Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "reconnect.backoff.max.ms": 500,
        "retry.backoff.ms": 20,
        **more,
    })


def count():
    global acknowledged
    with lock:
        acknowledged += 1
        if acknowledged % 100 == 0:
            print("committed", acknowledged, flush=True)


def stopped():
    return bool(failures) or os.path.exists(stop)


def commit(member, offset):
    """Whether the commit was acknowledged; a retriable refusal is none."""
    try:
        outcome = member.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    except KafkaException as error:
        assert error.args[0].retriable() or not error.args[0].fatal(), error
        return False
    assert all(at.error is None for at in outcome), outcome
    return True


def look_again(group, least, most):
    member = consumer(group)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            found = member.committed([TopicPartition(topic, 0)], timeout=10)[0]
            if found.error is None:
                break
        except KafkaException:
            pass
        assert time.monotonic() < deadline, f"{group} can't be asked"
        time.sleep(0.1)
    member.close()
    assert least <= found.offset <= most, f"{group}: {found.offset} is found, {least} was acknowledged, {most} tried"


def simple(group):
    """A group without members: only commits."""
    member, offset, least = consumer(group), 0, -1001
    while not stopped():
        offset += 1
        if commit(member, offset):
            least = offset
            count()
    member.close()
    look_again(group, least, offset)


def subscribed(group):
    """A group with a member, whose heartbeats and generation must survive too; it reads what it commits."""
    member, most, least = consumer(group, **{"session.timeout.ms": 10_000, "heartbeat.interval.ms": 500}), -1001, -1001
    member.subscribe([topic])
    while not stopped():
        message = member.poll(0.1)
        if message is None or message.error() is not None:
            continue
        most = max(most, message.offset() + 1)
        if commit(member, message.offset() + 1):
            least = message.offset() + 1
            count()
    member.close()
    look_again(group, least, max(most, least))


def feed():
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 1, "retry.backoff.ms": 20})
    while not stopped():
        producer.produce(topic, b"a record", partition=0)
        producer.poll(0.005)
    producer.flush(PATIENCE_SECONDS)


def guarded(work, *arguments):
    def run():
        try:
            work(*arguments)
        except BaseException as error:
            failures.append(f"{arguments}: {error!r}")
    thread = threading.Thread(target=run)
    thread.start()
    return thread


threads = [guarded(simple, f"simple-{at}") for at in range(groups)]
threads += [guarded(subscribed, f"subscribed-{at}") for at in range(2)]
threads += [guarded(feed)]
for thread in threads:
    thread.join()
assert not failures, "\n".join(failures)
print("found", acknowledged, flush=True)
