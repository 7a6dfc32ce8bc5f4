"""`kubectl apply -k deploy/kubernetes/base`, and everything becomes ready."""

import time

from checks.cluster import CALL_S, MANIFESTS, Cluster, require

PODS = 3 + 2 + 3


def check(cluster: Cluster) -> None:
    began = time.monotonic()
    said = cluster.applied(MANIFESTS / "base")
    cluster.await_ready(PODS, timeout_s=180)
    cluster.say(f"{PODS} pods were ready {time.monotonic() - began:.1f} s after apply began")
    require("arning" not in said, said)
    restarts = sum(status["restartCount"] for pod in cluster.pods() for status in pod["status"]["containerStatuses"])
    require(restarts == 0, f"{restarts} restarts of containers")
    metadata = cluster.admin().list_topics(timeout=CALL_S)
    cluster.say(f"brokers: {sorted(metadata.brokers)}")
    require(set(metadata.brokers) == {0, 1, 2}, "brokers 0, 1 and 2 are expected")
