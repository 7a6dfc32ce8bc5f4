"""A broker's pod is deleted under load: others lead meanwhile, and it comes back with its volume."""

import time

from checks.cluster import Cluster, is_ready, require
from checks.load import Load
from checks.watching import UNDER_REPLICATED, Watching
from node.processes import wait_until

POD = "broker-1"
ID = 1


def check(cluster: Cluster) -> None:
    require(cluster.under_replicated() == 0, "partitions are under-replicated before anything was done")
    with Load(cluster, "deleted") as load, Watching(cluster, under_replicated=UNDER_REPLICATED) as seen:
        before, volume = pod(cluster), volume_of(cluster)
        led = [number for number, leader in cluster.leaders(load.topic).items() if leader == ID]
        require(bool(led), f"broker {ID} leads nothing of {load.topic}")
        began = time.monotonic()
        cluster.kubectl("delete", "pod", POD, "--wait=false")
        wait_until("others lead", lambda: ID not in cluster.leaders(load.topic).values(), 30)
        moved_s = time.monotonic() - began
        wait_until(f"{POD} is another pod, and ready", lambda: is_another(cluster, before), 120)
        back_s = time.monotonic() - began
        wait_until("nothing is under-replicated", lambda: cluster.under_replicated() == 0, 60)
    require(seen.largest["under_replicated"] > 0, "UnderReplicatedPartitions was never above 0")
    require(volume_of(cluster) == volume, "it has another volume")
    cluster.say(f"partitions {led} were led by others after {moved_s:.1f} s, {POD} was ready again after {back_s:.1f} s")
    cluster.say(f"UnderReplicatedPartitions 0 → {seen.largest['under_replicated']} → 0; the same volume, {volume}")
    cluster.say(load.verify())


def pod(cluster: Cluster) -> dict:
    (found,) = [it for it in cluster.pods("broker") if it["metadata"]["name"] == POD]
    return found


def is_another(cluster: Cluster, before: dict) -> bool:
    found = [it for it in cluster.pods("broker") if it["metadata"]["name"] == POD]
    return bool(found) and found[0]["metadata"]["uid"] != before["metadata"]["uid"] and is_ready(found[0])


def volume_of(cluster: Cluster) -> str:
    return cluster.kubectl("get", "persistentvolumeclaim", f"data-{POD}", "--output=jsonpath={.spec.volumeName}")
