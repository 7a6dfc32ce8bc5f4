"""An idempotent producer of numbered values that never gives up: to each partition its own numbers, from 0 on.

A value begins with `PRODUCER.PARTITION.NUMBER.`; what follows is padding. The history goes to FILE, a line an event:
`ack MS PARTITION NUMBER OFFSET`, `failed MS PARTITION NUMBER ERROR`, `error MS TEXT`, and at the end `sent PARTITION
COUNT` and `done`. Prints `ready` once it may be told to stop. SIGTERM ends it: it waits for what is in the air.

usage: producer.py BOOTSTRAP TOPIC PARTITIONS PRODUCER RATE FILE
"""

import random
import sys
import time

from confluent_kafka import Producer

from common import QUICK, Stop, now_ms, write_error

IN_FLIGHT_MAX = 1_000
FLUSH_SECONDS_MAX = 120
PADDING_MAX = 200
# One value in so many is a large one.
LARGE_EVERY = 200
LARGE_BYTES = 10_000
CODECS = ("none", "lz4", "zstd")

bootstrap, topic, partitions, name, rate, path = sys.argv[1:]
partitions, name, rate = int(partitions), int(name), float(rate)
history = open(path, "w", encoding="ascii")


def delivered(number):
    def write(error, message):
        if error is None:
            # A broker that knows a batch already may no longer know where it lies.
            offset = -1 if message.offset() is None else message.offset()
            history.write(f"ack {now_ms()} {message.partition()} {number} {offset}\n")
        else:
            history.write(f"failed {now_ms()} {message.partition()} {number} {error.name()}\n")
    return write


def failed(error):
    if error.fatal():
        write_error(history, error)


stop = Stop()
producer = Producer({
    "bootstrap.servers": bootstrap,
    "enable.idempotence": True,
    "acks": "all",
    "compression.type": CODECS[name % len(CODECS)],
    "linger.ms": 2,
    "batch.num.messages": 20,
    "retry.backoff.max.ms": 200,
    # Nothing that was sent is ever given up.
    "message.timeout.ms": 0,
    "error_cb": failed,
} | QUICK)
random.seed(name)
padding = "x" * LARGE_BYTES
counts = [0] * partitions
total = 0
began = time.monotonic()
print("ready", flush=True)
while not stop.asked:
    due = int((time.monotonic() - began) * rate) - total
    for _ in range(max(0, min(due, IN_FLIGHT_MAX - len(producer)))):
        partition = random.randrange(partitions)
        number = counts[partition]
        size = LARGE_BYTES if total % LARGE_EVERY == 0 else random.randrange(PADDING_MAX)
        value = f"{name}.{partition}.{number}.{padding[:size]}"
        producer.produce(topic, value, partition=partition, on_delivery=delivered(number))
        counts[partition] += 1
        total += 1
    if len(producer) >= IN_FLIGHT_MAX:
        # What could not be sent in time is not made up for.
        began = time.monotonic() - total / rate
    producer.poll(0.01)
    history.flush()
if producer.flush(FLUSH_SECONDS_MAX) != 0:
    history.write(f"error {now_ms()} records are still unacknowledged after {FLUSH_SECONDS_MAX} s\n")
for partition, count in enumerate(counts):
    history.write(f"sent {partition} {count}\n")
history.write("done\n")
history.close()
