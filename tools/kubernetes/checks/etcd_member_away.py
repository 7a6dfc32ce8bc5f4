"""A member of etcd is away, its name with it: nobody feels it. Then it comes back with its volume."""

import time

from checks.cluster import Cluster, require
from checks.load import Load

AWAY_S = 20
TOPICS = 10
ERRORS = "milena_metadata_store_errors_total"
EPOCH = "milena_controller_epoch"


def check(cluster: Cluster) -> None:
    epoch = controller_epoch(cluster)
    with Load(cluster, "member-away") as load:
        cluster.kubectl("scale", "statefulset/etcd", "--replicas=2")
        cluster.kubectl("wait", "--for=delete", "pod/etcd-2", "--timeout=60s")
        before = errors(cluster)
        began = time.monotonic()
        for number in range(TOPICS):
            cluster.create_topic(f"member-away-{number}", 3)
        created_s = time.monotonic() - began
        time.sleep(AWAY_S)
        failed = errors(cluster) - before
        cluster.kubectl("scale", "statefulset/etcd", "--replicas=3")
        cluster.kubectl("rollout", "status", "statefulset/etcd", "--timeout=120s")
    cluster.say(f"{TOPICS} topics created in {created_s:.1f} s; in {AWAY_S} s {failed:.0f} calls to etcd failed")
    require(failed == 0, "calls failed though there was a quorum")
    require(controller_epoch(cluster) == epoch, "the controller lost its place")
    cluster.say(load.verify())


def errors(cluster: Cluster) -> float:
    pods = cluster.pods("controller") + cluster.pods("broker")
    return sum(cluster.metric(pod, ERRORS) for pod in pods)


def controller_epoch(cluster: Cluster) -> float:
    return max(cluster.metric(pod, EPOCH) for pod in cluster.pods("controller"))
