"""Sends records one by one, with pauses, and reads them in a rack; prints the median of how long each took, in ms.

usage: near_consumer.py BOOTSTRAP TOPIC RACK RECORDS
"""

import statistics
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition

PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 30

bootstrap, topic, rack, records = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
consumer = Consumer({
    "bootstrap.servers": bootstrap,
    "group.id": "near",
    "client.rack": rack,
    "enable.auto.commit": False,
    "fetch.wait.max.ms": 500,
})
consumer.assign([TopicPartition(topic, 0, 0)])
# The leader sends it away before there is anything to read.
assert consumer.poll(3) is None
producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 0})
delays = []
for number in range(records):
    time.sleep(PAUSE_SECONDS)
    began = time.monotonic()
    producer.produce(topic, str(number))
    producer.poll(0)
    message = consumer.poll(PATIENCE_SECONDS)
    assert message is not None and message.error() is None, f"no record {number}"
    assert message.value() == str(number).encode(), message.value()
    delays.append((time.monotonic() - began) * 1000)
    producer.flush()
print(round(statistics.median(delays), 1))
consumer.close()
