"""A member of etcd is away, its name with it: nobody feels it. Then it comes back with its volume."""

import time

from checks.cluster import Cluster, require
from checks.load import Load

AWAY_S = 20
TOPICS = 10
ERRORS = "milena_metadata_store_errors_total"
CALLS = "milena_metadata_store_request_duration_seconds_count"
# Each member has its share of the calls: a third of them would fail. A busy machine may be late with a few.
FAILED_SHARE_MAX = 0.1


def check(cluster: Cluster) -> None:
    with Load(cluster, "member-away") as load:
        cluster.kubectl("scale", "statefulset/etcd", "--replicas=2")
        cluster.kubectl("wait", "--for=delete", "pod/etcd-2", "--timeout=60s")
        before = counted(cluster)
        began = time.monotonic()
        for number in range(TOPICS):
            cluster.create_topic(f"member-away-{number}", 3)
        created_s = time.monotonic() - began
        time.sleep(AWAY_S)
        counts = counted(cluster)
        calls, failed = (int(counts[name] - before[name]) for name in (CALLS, ERRORS))
        cluster.kubectl("scale", "statefulset/etcd", "--replicas=3")
        cluster.kubectl("rollout", "status", "statefulset/etcd", "--timeout=120s")
    cluster.say(f"{TOPICS} topics created in {created_s:.1f} s; {failed} of {calls} calls to etcd failed")
    require(failed <= calls * FAILED_SHARE_MAX, "calls failed though there was a quorum")
    cluster.say(load.verify())


def counted(cluster: Cluster) -> dict[str, float]:
    pods = cluster.pods("controller") + cluster.pods("broker")
    return {name: sum(cluster.metric(pod, name) for pod in pods) for name in (CALLS, ERRORS)}
