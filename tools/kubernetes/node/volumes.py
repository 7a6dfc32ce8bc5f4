"""Volumes for claims: folders of this machine, as many as a run can ask for, bound when a pod needs one."""

import json

from node.layout import NODE_NAME, Layout

# Size and number: every claim of all checks together finds a volume of just its size.
VOLUMES = {"8Gi": 7, "20Gi": 8}
CLASS = "local"


def manifests(layout: Layout) -> str:
    items = [_storage_class()]
    for size, count in VOLUMES.items():
        for index in range(count):
            items.append(_volume(layout, f"local-{size.lower()}-{index}", size))
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def _storage_class() -> dict:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _volume(layout: Layout, name: str, size: str) -> dict:
    folder = layout.folder(f"volumes/{name}")
    # As the root of a fresh file system has it.
    (folder / "lost+found").mkdir(mode=0o700, exist_ok=True)
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE_NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": CLASS,
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
