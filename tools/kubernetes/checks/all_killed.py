"""The node loses its power, but for the node itself: every process of every pod is killed at the same moment, brokers,
controllers and etcd. Nobody helps: all come back, with new addresses and the old volumes, and every acknowledged record is there."""

import time

from checks.cluster import Cluster, require
from checks.load import Load
from node.processes import wait_until


def check(cluster: Cluster) -> None:
    with Load(cluster, "killed") as load:
        time.sleep(2)
    before = addresses(cluster)
    began = time.monotonic()
    killed = cluster.kill_every_process()
    wait_until("somebody notices", lambda: not cluster.all_ready(len(before)), 30)
    cluster.await_ready(len(before), timeout_s=240)
    cluster.say(f"{killed} processes of {len(before)} pods killed at once, all ready again after {time.monotonic() - began:.1f} s")
    require(not before & addresses(cluster), "a pod has an address of before: the names were not put to the test")
    wait_until("nothing is under-replicated", lambda: cluster.under_replicated() == 0, 60)
    cluster.say(load.verify())


def addresses(cluster: Cluster) -> set[str]:
    return {pod["status"]["podIP"] for pod in cluster.pods()}
