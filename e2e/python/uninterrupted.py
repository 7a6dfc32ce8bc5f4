"""A producer with nothing but default settings, to which nothing may happen: it notes how long each partition went without
an acknowledgement, and every error that reached it.

Prints `acknowledged N` as it goes; when the file STOP exists it ends and prints `partition N longest gap MS`,
`errors N` and, of those, what they were.

usage: uninterrupted.py BOOTSTRAP TOPIC PARTITIONS STOP [IDEMPOTENT]
"""

import os
import sys
import time

from confluent_kafka import Producer

ROUND_SECONDS = 0.005
REPORT_EVERY = 500

bootstrap, topic, partitions, stop = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
idempotent = len(sys.argv) > 5
acknowledged, errors = 0, []
last, longest, longest_at = {}, {}, {}


def delivered(error, message):
    global acknowledged
    if error is not None:
        errors.append(str(error))
        return
    acknowledged += 1
    now, partition = time.monotonic(), message.partition()
    gap = now - last.get(partition, now)
    if gap > longest.get(partition, 0):
        longest[partition], longest_at[partition] = gap, time.strftime("%H:%M:%S") + f"{time.time() % 1:.3f}"[1:]
    last[partition] = now
    if acknowledged % REPORT_EVERY == 0:
        print("acknowledged", acknowledged, flush=True)


configuration = {"bootstrap.servers": bootstrap, "enable.idempotence": idempotent, "log_level": 0}
producer = Producer(configuration)
number, began = 0, time.monotonic()
while not os.path.exists(stop):
    for partition in range(partitions):
        producer.produce(topic, str(number), partition=partition, on_delivery=delivered)
    number += 1
    due = began + number * ROUND_SECONDS
    producer.poll(0)
    while (left := due - time.monotonic()) > 0:
        producer.poll(left)
if (left := producer.flush(60)) > 0:
    errors.append(f"{left} records were never answered")
for partition in sorted(longest):
    print("partition", partition, "longest gap", round(longest[partition] * 1000), "at", longest_at[partition])
print("records", number, flush=True)
print("errors", len(errors), sorted(set(errors)), flush=True)
