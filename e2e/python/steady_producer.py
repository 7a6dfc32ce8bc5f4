"""An idempotent producer that lives through the death of its broker: the numbers from 0 on, in order, to each partition.

Prints `acknowledged N` as it goes and `done N` when all are.

usage: steady_producer.py BOOTSTRAP TOPIC PARTITIONS RECORDS
"""

import sys

from confluent_kafka import Producer

REPORT_EVERY = 500
IN_FLIGHT_MAX = 2_000

bootstrap, topic, partitions, records = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
acknowledged = 0


def delivered(error, message):
    global acknowledged
    assert error is None, error
    acknowledged += 1
    if acknowledged % REPORT_EVERY == 0:
        print("acknowledged", acknowledged, flush=True)


producer = Producer({
    "bootstrap.servers": bootstrap,
    "enable.idempotence": True,
    "linger.ms": 1,
    "batch.num.messages": 50,
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 200,
    "message.timeout.ms": 120_000,
    # What the client says of the broker's deaths is no news.
    "log_level": 0,
})
for number in range(records):
    producer.produce(topic, str(number), partition=number % partitions, on_delivery=delivered)
    producer.poll(0)
    while len(producer) > IN_FLIGHT_MAX:
        producer.poll(0.05)
assert producer.flush(120) == 0, "records are left in the queue"
print("done", acknowledged, flush=True)
