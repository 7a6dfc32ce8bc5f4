"""confluent-kafka under the commands of commands.py.

usage: confluent_client.py BOOTSTRAP
"""

import sys

from commands import PATIENCE_SECONDS, Members, decoded, headers_of, received, refusal, serve
from confluent_kafka import Consumer, Producer

BATCH = 500


class Client(Members):
    def __init__(self, bootstrap):
        super().__init__()
        self.common = {"bootstrap.servers": bootstrap}

    def produce(self, codec, records):
        offsets = [None] * len(records)

        def delivered(at):
            def note(error, message):
                assert error is None, error
                offsets[at] = message.offset()
            return note

        producer = Producer({**self.common, "compression.type": codec, "linger.ms": 20})
        for at, record in enumerate(records):
            producer.produce(
                record["topic"],
                decoded(record["value"]),
                decoded(record["key"]),
                partition=record["partition"],
                timestamp=record["timestamp"],
                headers=headers_of(record),
                on_delivery=delivered(at),
            )
            producer.poll(0)
        left = producer.flush(PATIENCE_SECONDS)
        assert left == 0, f"{left} records are left in the queue"
        return {"offsets": offsets}

    def consume(self, topics, count):
        consumer = self.consumer("confluent-reads-all", "range", "beginning")
        consumer.subscribe(topics)
        read = []
        while len(read) < count:
            # It waits for as many as are asked for.
            messages = consumer.consume(min(BATCH, count - len(read)), timeout=PATIENCE_SECONDS)
            assert messages, f"only {len(read)} of {count} records came"
            read += map(as_received, messages)
        consumer.close()
        return {"records": read}

    def consumer(self, group, assignor, reset):
        return Consumer({
            **self.common,
            "group.id": group,
            "partition.assignment.strategy": assignor,
            "auto.offset.reset": reset,
            "heartbeat.interval.ms": 300,
        })

    def join(self, group, topic, assignor):
        return super().join(group, lambda: Member(self.consumer(group, assignor, "earliest"), topic))

    def transaction(self, id, topic):
        def attempt():
            producer = Producer({**self.common, "transactional.id": id})
            producer.init_transactions(PATIENCE_SECONDS)
            producer.begin_transaction()
            producer.produce(topic, b"in a transaction")
            producer.commit_transaction(PATIENCE_SECONDS)
        return refusal(attempt)


class Member:
    def __init__(self, consumer, topic):
        self.consumer = consumer
        consumer.subscribe([topic])

    def poll(self):
        messages = self.consumer.consume(BATCH, timeout=0.05)
        assert all(message.error() is None for message in messages), messages[0].error()
        return [(message.partition(), message.offset()) for message in messages]

    def owned(self):
        return [at.partition for at in self.consumer.assignment()]

    def close(self):
        self.consumer.close()


def as_received(message):
    assert message.error() is None, message.error()
    return received(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        message.headers(),
    )


serve(Client(sys.argv[1]))
