"""aiokafka under the commands of commands.py. Its event loop runs in a thread of its own.

usage: aiokafka_client.py BOOTSTRAP
"""

import asyncio
import sys
import threading

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from commands import PATIENCE_SECONDS, Members, decoded, headers_of, received, refusal, serve

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
}

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


def run(coroutine):
    """The outcome of a coroutine, which runs in the loop's thread."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(2 * PATIENCE_SECONDS)


class Client(Members):
    def __init__(self, bootstrap):
        super().__init__()
        self.common = {"bootstrap_servers": bootstrap}

    def produce(self, codec, records):
        return {"offsets": run(self.send_all(None if codec == "none" else codec, records))}

    async def send_all(self, codec, records):
        async with AIOKafkaProducer(**self.common, compression_type=codec, linger_ms=20) as producer:
            sent = [
                await producer.send(
                    record["topic"],
                    value=decoded(record["value"]),
                    key=decoded(record["key"]),
                    partition=record["partition"],
                    timestamp_ms=record["timestamp"],
                    headers=headers_of(record),
                )
                for record in records
            ]
            return [(await future).offset for future in sent]

    def consume(self, topics, count):
        return {"records": run(self.read_all(topics, count))}

    async def read_all(self, topics, count):
        async with AIOKafkaConsumer(*topics, **self.common, auto_offset_reset="earliest") as consumer:
            read = []
            while len(read) < count:
                batches = await consumer.getmany(timeout_ms=PATIENCE_SECONDS * 1000)
                assert batches, f"only {len(read)} of {count} records came"
                read += [as_received(record) for batch in batches.values() for record in batch]
            return read

    def join(self, group, topic, assignor):
        return super().join(group, lambda: Member(self.common, group, topic, ASSIGNORS[assignor]))

    def transaction(self, id, topic):
        return refusal(lambda: run(self.try_transaction(id, topic)))

    async def try_transaction(self, id, topic):
        async with AIOKafkaProducer(**self.common, transactional_id=id) as producer:
            async with producer.transaction():
                await producer.send_and_wait(topic, b"in a transaction")


class Member:
    def __init__(self, common, group, topic, assignor):
        async def start():
            self.consumer = AIOKafkaConsumer(
                topic,
                **common,
                group_id=group,
                partition_assignment_strategy=[assignor],
                auto_offset_reset="earliest",
                heartbeat_interval_ms=300,
            )
            await self.consumer.start()
        run(start())

    def poll(self):
        batches = run(self.consumer.getmany(timeout_ms=50))
        return [(record.partition, record.offset) for batch in batches.values() for record in batch]

    def owned(self):
        return [at.partition for at in self.consumer.assignment()]

    def close(self):
        run(self.consumer.stop())


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
