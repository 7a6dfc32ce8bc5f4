"""The cluster as its user has it: kubectl, the pods' pages, and clients by the names that pods have for it."""

import json
import re
import urllib.request
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from node.node import Node
from node.processes import Failed, wait_until

MANIFESTS = Path(__file__).resolve().parents[3] / "deploy/kubernetes"
NAMESPACE = "milena"
BOOTSTRAP = f"kafka.{NAMESPACE}.svc:9092"
METRICS_PORT = 9404
ANSWER_S = 2
# For a call of an administrator: the machine may be busy with other things.
CALL_S = 60


class Cluster:
    def __init__(self, node: Node) -> None:
        self._node = node

    def say(self, text: str) -> None:
        print(f"    {text}", flush=True)

    def kubectl(self, *arguments: str, text: str | None = None, timeout_s: float = 120) -> str:
        return self._node.kubectl("--namespace", NAMESPACE, *arguments, text=text, timeout_s=timeout_s)

    def applied(self, kustomization: Path, *flags: str) -> str:
        """All that `kubectl apply -k` said, warnings too."""
        return self._node.kubectl("apply", "--kustomize", str(kustomization), *flags, with_warnings=True)

    def definitions(self) -> list[Path]:
        """The kinds of the Prometheus operator."""
        return sorted(self._node.parts.glob("monitoring.coreos.com_*.yaml"))

    def delete_everything(self) -> None:
        """The namespace, with all that is in it; the volumes stay, bound to claims that are gone."""
        self.kubectl("delete", "namespace", NAMESPACE, timeout_s=300)

    @property
    def scratch(self) -> Path:
        return self._node.scratch

    def kill_every_process(self) -> int:
        """Of every pod, at once."""
        return self._node.kill_every_pod()

    def pods(self, component: str | None = None) -> list[dict]:
        select = [f"--selector=app.kubernetes.io/component={component}"] if component else []
        return json.loads(self.kubectl("get", "pods", "--output=json", *select))["items"]

    def all_ready(self, count: int) -> bool:
        pods = self.pods()
        return len(pods) == count and all(is_ready(pod) for pod in pods)

    def await_ready(self, count: int, timeout_s: float) -> float:
        try:
            return wait_until(f"{count} pods are ready", lambda: self.all_ready(count), timeout_s)
        except Failed as failed:
            raise Failed(f"{failed}\n{self.kubectl('get', 'pods', '--output=wide')}") from failed

    def metric(self, pod: dict, name: str) -> float:
        """The sum of the series of that name on a pod's page."""
        address = f"http://{pod['status']['podIP']}:{METRICS_PORT}/metrics"
        with urllib.request.urlopen(address, timeout=ANSWER_S) as page:
            text = page.read().decode()
        values = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for value in values)

    def over_brokers(self, name: str) -> float:
        return sum(self.metric(pod, name) for pod in self.pods("broker") if pod["status"].get("podIP"))

    def under_replicated(self) -> int:
        return int(self.over_brokers("kafka_server_replicamanager_underreplicatedpartitions"))

    def admin(self, bootstrap: str = BOOTSTRAP) -> AdminClient:
        return AdminClient({"bootstrap.servers": bootstrap, "socket.timeout.ms": CALL_S * 1000, "log_level": 2})

    def create_topic(self, name: str, partitions: int) -> None:
        """As a client does: what the controller was interrupted at is asked again."""
        wait_until(f"topic {name} is created", lambda: self._is_created(NewTopic(name, partitions, replication_factor=3)), CALL_S)

    def _is_created(self, topic: NewTopic) -> bool:
        # What is asked goes with the client that asked.
        admin = self.admin()
        try:
            admin.create_topics([topic])[topic.topic].result(CALL_S)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return True
            raise Failed(str(error)) from error
        return True

    def leaders(self, topic: str) -> dict[int, int]:
        described = self.admin().list_topics(topic, timeout=CALL_S).topics[topic]
        return {number: partition.leader for number, partition in described.partitions.items()}

    def replicas(self, topic: str) -> set[int]:
        described = self.admin().list_topics(topic, timeout=CALL_S).topics[topic]
        return {replica for partition in described.partitions.values() for replica in partition.replicas}


def is_ready(pod: dict) -> bool:
    conditions = {it["type"]: it["status"] for it in pod["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)
