"""A fourth broker: `kubectl scale`, and new topics have replicas there."""

import time

from checks.cluster import CALL_S, Cluster, require
from node.processes import wait_until


def check(cluster: Cluster) -> None:
    began, pods = time.monotonic(), len(cluster.pods())
    cluster.kubectl("scale", "statefulset/broker", "--replicas=4")
    cluster.await_ready(pods + 1, timeout_s=120)
    cluster.say(f"broker-3 was ready after {time.monotonic() - began:.1f} s")
    wait_until("clients see it", lambda: 3 in cluster.admin().list_topics(timeout=CALL_S).brokers, 30)
    cluster.create_topic("wide", 12)
    require(3 in cluster.replicas("wide"), "a new topic has no replica on broker 3")
    cluster.say("a new topic has replicas on it")
