"""Records that are written all the while, each with its number, and the proof that each acknowledged one is there, once."""

import threading
import time
from collections import Counter

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from checks.cluster import BOOTSTRAP, Cluster, require

RATE_PER_S = 400
PADDING = "x" * 150
# For the last records to be acknowledged.
FLUSH_S = 60
READ_S = 60


class Load:
    """A context: an idempotent producer with acks=all writes to a topic of its own."""

    def __init__(self, cluster: Cluster, topic: str, partitions: int = 6) -> None:
        self._cluster, self.topic, self._partitions = cluster, topic, partitions
        self._acknowledged: set[int] = set()
        self._errors: Counter[str] = Counter()
        self._last_ack, self.longest_gap_s = time.monotonic(), 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> "Load":
        self._cluster.create_topic(self.topic, self._partitions)
        self._thread.start()
        while not self._acknowledged:
            time.sleep(0.05)
        self.longest_gap_s = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def verify(self) -> str:
        """After the load: what is in the topic is what was acknowledged, each record once."""
        require(not self._errors, f"records were given up: {dict(self._errors)}")
        seen = Counter(self._read())
        lost = self._acknowledged - seen.keys()
        twice = [number for number, times in seen.items() if times > 1]
        require(not lost, f"{len(lost)} acknowledged records are lost, for example {sorted(lost)[:5]}")
        require(not twice, f"{len(twice)} records are there twice, for example {sorted(twice)[:5]}")
        return f"{len(self._acknowledged)} records acknowledged, all there once; longest time between two acks {self.longest_gap_s:.2f} s"

    def _write(self) -> None:
        producer = Producer({
            "bootstrap.servers": BOOTSTRAP, "acks": "all", "enable.idempotence": True, "linger.ms": 5,
            "reconnect.backoff.max.ms": 500, "log_level": 2,
        })
        began, number = time.monotonic(), 0
        while not self._stop.is_set():
            due = int((time.monotonic() - began) * RATE_PER_S)
            while number < due and len(producer) < RATE_PER_S * 30:
                producer.produce(self.topic, f"{number} {PADDING}", partition=number % self._partitions, on_delivery=self._acked(number))
                number += 1
            producer.poll(0.01)
        left = producer.flush(FLUSH_S)
        if left:
            self._errors["never acknowledged"] += left

    def _acked(self, number: int):
        def delivered(error, _message) -> None:
            now = time.monotonic()
            if error:
                self._errors[str(error)] += 1
                return
            self._acknowledged.add(number)
            self.longest_gap_s = max(self.longest_gap_s, now - self._last_ack)
            self._last_ack = now

        return delivered

    def _read(self):
        consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "verify", "enable.auto.commit": False, "log_level": 2})
        parts = [TopicPartition(self.topic, number, OFFSET_BEGINNING) for number in range(self._partitions)]
        ends = {part.partition: consumer.get_watermark_offsets(part, timeout=READ_S)[1] for part in parts}
        consumer.assign(parts)
        left, deadline = sum(ends.values()), time.monotonic() + READ_S
        while left > 0:
            require(time.monotonic() < deadline, f"{left} records could not be read in {READ_S} s")
            for message in consumer.consume(1000, timeout=1):
                if not message.error():
                    left -= 1
                    yield int(message.value().split()[0])
        consumer.close()
