"""The overlay of three zones, from nothing: a broker in each, the replicas of a partition in different ones, and the update from pod
to pod. There is one node, so all three StatefulSets are told to take it for theirs."""

import json
import time
from pathlib import Path

from checks.cluster import MANIFESTS, Cluster, require
from checks.load import Load
from checks.watching import UNDER_MIN_ISR, Watching

PODS = 3 + 2 + 3
RACKS = {0: "zone-a", 100: "zone-b", 200: "zone-c"}
OF_A_ZONE = "/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions/0"


def check(cluster: Cluster) -> None:
    cluster.delete_everything()
    began = time.monotonic()
    cluster.applied(on_one_node(cluster.scratch))
    cluster.await_ready(PODS, timeout_s=180)
    cluster.say(f"{PODS} pods were ready {time.monotonic() - began:.1f} s after apply began")
    racks = {pod_id(pod): rack(cluster, pod) for pod in cluster.pods("broker")}
    require(racks == RACKS, f"brokers and racks are {racks}")
    with Load(cluster, "zones") as load, Watching(cluster, below=UNDER_MIN_ISR) as seen:
        for pod in cluster.kubectl("get", "pods", "-l", "app.kubernetes.io/component=broker", "-o", "name").split():
            cluster.kubectl("delete", pod)
            cluster.kubectl("wait", "--for=create", "--timeout=60s", pod)
            cluster.kubectl("wait", "--for=condition=Ready", "--timeout=600s", pod, timeout_s=610)
    require(seen.largest["below"] == 0, f"up to {seen.largest['below']} partitions were below min.insync.replicas")
    cluster.say(f"brokers of {', '.join(RACKS.values())} replaced one by one, none below min.insync.replicas")
    cluster.say(load.verify())


def on_one_node(scratch: Path) -> Path:
    folder = scratch / "zones-on-one-node"
    folder.mkdir()
    any_zone = [{"op": "replace", "path": f"{OF_A_ZONE}/operator", "value": "Exists"}, {"op": "remove", "path": f"{OF_A_ZONE}/values"}]
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        # Relative, as kustomize wants it.
        "resources": [str(Path("../" * len(scratch.parts)) / (MANIFESTS / "overlays/zones").relative_to("/"))],
        "patches": [{"target": {"kind": "StatefulSet", "labelSelector": "milena/zone"}, "patch": json.dumps(any_zone)}],
    }
    (folder / "kustomization.yaml").write_text(json.dumps(kustomization))
    return folder


def pod_id(pod: dict) -> int:
    return int(pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"])


def rack(cluster: Cluster, pod: dict) -> str:
    page = cluster.kubectl("exec", pod["metadata"]["name"], "--", "milena", "cluster", "--output", "json")
    return {broker["id"]: broker["rack"] for broker in json.loads(page)["brokers"]}[pod_id(pod)]
