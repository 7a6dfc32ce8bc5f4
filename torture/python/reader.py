"""A consumer that is assigned every partition and reads from the first record on.

The history goes to FILE, a line an event: `read POLL PARTITION OFFSET VALUE` (the value without its padding), `error MS
TEXT`, and at the end `done`. Prints `ready` once it may be told to stop. SIGTERM ends it: it first reads on to the end
that each partition has then.

usage: reader.py BOOTSTRAP TOPIC PARTITIONS FILE [RACK]
"""

import signal
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

RECORDS_PER_POLL_MAX = 500
END_SECONDS_MAX = 90
# What is no fault of the cluster's, but the news of one that the reader survives.
NEWS = {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE}

bootstrap, topic, partitions, path = sys.argv[1:5]
rack = sys.argv[5] if len(sys.argv) > 5 else ""
partitions = int(partitions)
history = open(path, "w", encoding="ascii")
stopping = False


def stop(*_):
    global stopping
    stopping = True


def now_ms():
    return time.time_ns() // 1_000_000


def failed(error):
    if error.fatal() or error.code() not in NEWS:
        history.write(f"error {now_ms()} {error.name()} {error.str()}\n")


def ends(consumer):
    """The end of each partition; None while one cannot be told."""
    try:
        at = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=5) for p in range(partitions)]
        return [high for _, high in at]
    except KafkaException:
        return None


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, signal.SIG_IGN)
consumer = Consumer({
    "bootstrap.servers": bootstrap,
    "group.id": "none",
    "enable.auto.commit": False,
    # There is no record below the first, and none may be missed: any reset is an error.
    "auto.offset.reset": "error",
    "fetch.wait.max.ms": 100,
    "retry.backoff.ms": 20,
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 200,
    "topic.metadata.refresh.fast.interval.ms": 50,
    "socket.timeout.ms": 10_000,
    "socket.connection.setup.timeout.ms": 3_000,
    "client.rack": rack,
    "error_cb": failed,
    "log_level": 0,
})
consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(partitions)])
positions = [0] * partitions
targets = None
deadline = None
poll = 0
print("ready", flush=True)
while True:
    messages = consumer.consume(RECORDS_PER_POLL_MAX, timeout=0.1)
    poll += 1
    for message in messages:
        if message.error():
            failed(message.error())
            continue
        value = message.value().rsplit(b".", 1)[0].decode("ascii", "replace")
        history.write(f"read {poll} {message.partition()} {message.offset()} {value}\n")
        positions[message.partition()] = message.offset() + 1
    if messages:
        history.flush()
    if not stopping:
        continue
    deadline = deadline or time.monotonic() + END_SECONDS_MAX
    targets = targets or ends(consumer)
    if targets and all(at >= end for at, end in zip(positions, targets)):
        break
    if time.monotonic() > deadline:
        history.write(f"error {now_ms()} is at {positions} of {targets} after {END_SECONDS_MAX} s\n")
        break
consumer.close()
history.write("done\n")
history.close()
