"""kafka-python under the commands of commands.py.

usage: kafka_python_client.py BOOTSTRAP
"""

import sys

from commands import PATIENCE_SECONDS, Members, decoded, headers_of, received, refusal, serve
from kafka import KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}


class Client(Members):
    def __init__(self, bootstrap):
        super().__init__()
        self.common = {"bootstrap_servers": bootstrap.split(",")}

    def produce(self, codec, records):
        codec = None if codec == "none" else codec
        producer = KafkaProducer(**self.common, compression_type=codec, linger_ms=20)
        sent = [
            producer.send(
                record["topic"],
                value=decoded(record["value"]),
                key=decoded(record["key"]),
                headers=headers_of(record),
                partition=record["partition"],
                timestamp_ms=record["timestamp"],
            )
            for record in records
        ]
        producer.flush(PATIENCE_SECONDS)
        offsets = [future.get(PATIENCE_SECONDS).offset for future in sent]
        producer.close()
        return {"offsets": offsets}

    def consume(self, topics, count):
        consumer = KafkaConsumer(*topics, **self.common, auto_offset_reset="earliest", group_id=None)
        read = []
        while len(read) < count:
            batches = consumer.poll(PATIENCE_SECONDS * 1000)
            assert batches, f"only {len(read)} of {count} records came"
            read += [as_received(record) for batch in batches.values() for record in batch]
        consumer.close()
        return {"records": read}

    def join(self, group, topic, assignor):
        return super().join(group, lambda: Member(KafkaConsumer(
            topic,
            **self.common,
            group_id=group,
            partition_assignment_strategy=[ASSIGNORS[assignor]],
            auto_offset_reset="earliest",
            heartbeat_interval_ms=300,
        )))

    def transaction(self, id, topic):
        def attempt():
            producer = KafkaProducer(**self.common, transactional_id=id)
            try:
                producer.init_transactions()
                producer.begin_transaction()
                producer.send(topic, b"in a transaction")
                producer.commit_transaction()
            finally:
                producer.close(timeout=1)
        return refusal(attempt)


class Member:
    def __init__(self, consumer):
        self.consumer = consumer

    def poll(self):
        batches = self.consumer.poll(50)
        return [(record.partition, record.offset) for batch in batches.values() for record in batch]

    def owned(self):
        return [at.partition for at in self.consumer.assignment()]

    def close(self):
        self.consumer.close()


def as_received(record):
    return received(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        record.headers,
    )


serve(Client(sys.argv[1]))
