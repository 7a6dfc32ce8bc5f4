"""A node is drained of two brokers: the budget lets one go, and the other only once the first is back in the ISR."""

import json

from checks.cluster import NAMESPACE, Cluster, require
from node.processes import Failed, wait_until


def check(cluster: Cluster) -> None:
    pods = len(cluster.pods())
    evict(cluster, "broker-0")
    try:
        evict(cluster, "broker-2")
    except Failed as refused:
        require("disruption budget" in str(refused), str(refused))
    else:
        raise Failed("two brokers were evicted at once")
    waited_s = wait_until("the second may go", lambda: evict(cluster, "broker-2"), 120, pause_s=0.5)
    cluster.say(f"the second eviction was refused until {waited_s:.1f} s after the first")
    cluster.await_ready(pods, timeout_s=120)
    wait_until("nothing is under-replicated", lambda: cluster.under_replicated() == 0, 60)


def evict(cluster: Cluster, pod: str) -> bool:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    cluster.kubectl("create", "--raw", path, "--filename", "-", text=json.dumps(eviction))
    return True
