"""An idempotent producer of librdkafka: every record is delivered once, in order, without a gap.

usage: idempotent_producer.py BOOTSTRAP TOPIC PARTITIONS RECORDS
"""

import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

bootstrap, topic, partitions, records = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def produce():
    """The offsets that were acknowledged, by partition."""
    offsets = {partition: [] for partition in range(partitions)}

    def delivered(error, message):
        assert error is None, error
        offsets[message.partition()].append(message.offset())

    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 1})
    for number in range(records):
        producer.produce(topic, str(number), partition=number % partitions, on_delivery=delivered)
        producer.poll(0)
    assert producer.flush(60) == 0, "records are left in the queue"
    return offsets


def consume():
    """The values that are there, by partition."""
    values = {partition: [] for partition in range(partitions)}
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    for message in consumer.consume(records, timeout=60):
        assert message.error() is None, message.error()
        values[message.partition()].append(int(message.value()))
    consumer.close()
    return values


admin = AdminClient({"bootstrap.servers": bootstrap})
admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(30)
acknowledged = produce()
read = consume()
for partition in range(partitions):
    expected = list(range(partition, records, partitions))
    assert acknowledged[partition] == list(range(len(expected))), f"offsets of partition {partition}"
    assert read[partition] == expected, f"records of partition {partition}"
print("ok")
