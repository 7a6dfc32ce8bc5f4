"""Reads so many records as a member of a group (none: only asks), commits them, and prints the committed offset of each partition.

usage: commit.py BOOTSTRAP TOPIC PARTITIONS GROUP RECORDS
"""

import sys

from confluent_kafka import Consumer, TopicPartition

bootstrap, topic, partitions, group, records = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
consumer = Consumer({
    "bootstrap.servers": bootstrap,
    "group.id": group,
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
})
consumer.subscribe([topic])
read = 0
while read < records:
    messages = consumer.consume(records - read, timeout=30)
    assert messages, f"only {read} records came"
    assert all(message.error() is None for message in messages)
    read += len(messages)
    consumer.commit(asynchronous=False)
all_partitions = [TopicPartition(topic, partition) for partition in range(partitions)]
print(*(at.offset for at in consumer.committed(all_partitions, timeout=30)))
consumer.close()
