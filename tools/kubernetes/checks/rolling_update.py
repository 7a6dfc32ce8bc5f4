"""All brokers, controllers and members of etcd are replaced, one kind after the other, under load: nothing is lost, and no
partition is ever below min.insync.replicas."""

import time

from checks.cluster import Cluster, require
from checks.load import Load
from checks.watching import UNDER_MIN_ISR, UNDER_REPLICATED, Watching

KINDS = ("broker", "controller", "etcd")


def check(cluster: Cluster) -> None:
    with Load(cluster, "rolled") as load, Watching(cluster, below=UNDER_MIN_ISR, lag=UNDER_REPLICATED) as seen:
        for kind in KINDS:
            began = time.monotonic()
            cluster.kubectl("rollout", "restart", f"statefulset/{kind}")
            cluster.kubectl("rollout", "status", f"statefulset/{kind}", "--timeout=300s", timeout_s=310)
            cluster.say(f"{kind}: every pod replaced in {time.monotonic() - began:.1f} s")
    require(seen.largest["lag"] > 0, "UnderReplicatedPartitions was never above 0: nothing was rolled")
    require(seen.largest["below"] == 0, f"up to {seen.largest['below']} partitions were below min.insync.replicas")
    cluster.say("no partition was ever below min.insync.replicas")
    cluster.say(load.verify())
