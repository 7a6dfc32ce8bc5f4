"""A consumer that is assigned every partition and reads from the first record on.

The history goes to FILE, a line an event: `read POLL PARTITION OFFSET VALUE` (the value without its padding), `error MS
TEXT`, and at the end `done`. Prints `ready` once it may be told to stop. SIGTERM ends it: it first reads on to the end
that each partition has then.

usage: reader.py BOOTSTRAP TOPIC PARTITIONS FILE [RACK]
"""

import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from common import QUICK, Stop, consumer_failed, now_ms, value_of

RECORDS_PER_POLL_MAX = 500
END_SECONDS_MAX = 90

bootstrap, topic, partitions, path = sys.argv[1:5]
rack = sys.argv[5] if len(sys.argv) > 5 else ""
partitions = int(partitions)
history = open(path, "w", encoding="ascii")
failed = consumer_failed(history)


def ends(consumer):
    """The end of each partition; None while one cannot be told."""
    try:
        at = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=5) for p in range(partitions)]
        return [high for _, high in at]
    except KafkaException:
        return None


stop = Stop()
consumer = Consumer({
    "bootstrap.servers": bootstrap,
    "group.id": "none",
    "enable.auto.commit": False,
    # There is no record below the first, and none may be missed: any reset is an error.
    "auto.offset.reset": "error",
    "fetch.wait.max.ms": 100,
    "client.rack": rack,
    "error_cb": failed,
} | QUICK)
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
        history.write(f"read {poll} {message.partition()} {message.offset()} {value_of(message)}\n")
        positions[message.partition()] = message.offset() + 1
    if messages:
        history.flush()
    if not stop.asked:
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
