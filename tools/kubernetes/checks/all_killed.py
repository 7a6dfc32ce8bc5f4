"""Every pod of the cluster is killed at once, brokers, controllers and etcd, and nobody helps: all come back, with new
addresses and the old volumes, and every acknowledged record is there."""

import time

from checks.cluster import Cluster, require
from checks.load import Load
from node.processes import wait_until


def check(cluster: Cluster) -> None:
    with Load(cluster, "killed") as load:
        time.sleep(2)
    pods = cluster.pods()
    addresses = {pod["status"]["podIP"] for pod in pods}
    began = time.monotonic()
    cluster.kubectl("delete", "pods", "--all", "--grace-period=0", "--force")
    cluster.await_ready(len(pods), timeout_s=240)
    cluster.say(f"{len(pods)} pods killed at once, all ready again after {time.monotonic() - began:.1f} s")
    moved = sum(pod["status"]["podIP"] not in addresses for pod in cluster.pods())
    require(moved == len(pods), f"{len(pods) - moved} pods have an address of before: the names were not put to the test")
    wait_until("nothing is under-replicated", lambda: cluster.under_replicated() == 0, 60)
    cluster.say(load.verify())
