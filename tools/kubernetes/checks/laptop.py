"""The overlay for laptops, from nothing: one of each, and it serves."""

import time

from checks.cluster import MANIFESTS, Cluster
from checks.from_a_pod import through_pods

PODS = 3


def check(cluster: Cluster) -> None:
    cluster.delete_everything()
    began = time.monotonic()
    cluster.applied(MANIFESTS / "overlays/laptop")
    cluster.await_ready(PODS, timeout_s=120)
    cluster.say(f"{PODS} pods were ready {time.monotonic() - began:.1f} s after apply began")
    through_pods(cluster, "made-by-the-first-record")
