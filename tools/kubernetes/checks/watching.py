"""A gauge of all brokers, asked again and again: what its largest value was, and whether it came back to nothing."""

import threading
import time

from checks.cluster import Cluster

PAUSE_S = 0.25


class Watching:
    """A context over the sums of gauges. A broker that does not answer counts for nothing."""

    def __init__(self, cluster: Cluster, **gauges: str) -> None:
        self._cluster, self._gauges = cluster, gauges
        self.largest = {key: 0 for key in gauges}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watching":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            now = dict.fromkeys(self._gauges, 0)
            for pod in self._cluster.pods("broker"):
                for key, name in self._gauges.items():
                    now[key] += self._ask(pod, name)
            for key, value in now.items():
                self.largest[key] = max(self.largest[key], value)
            time.sleep(PAUSE_S)

    def _ask(self, pod: dict, name: str) -> int:
        try:
            return int(self._cluster.metric(pod, name))
        except (OSError, KeyError):
            return 0


UNDER_REPLICATED = "kafka_server_replicamanager_underreplicatedpartitions"
UNDER_MIN_ISR = "kafka_server_replicamanager_underminisrpartitioncount"
