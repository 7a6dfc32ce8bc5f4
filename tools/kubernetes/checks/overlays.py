"""Every overlay is taken by the API server without a warning, the operator's with its own definitions."""

from checks.cluster import MANIFESTS, Cluster, require


def check(cluster: Cluster) -> None:
    for definition in cluster.definitions():
        cluster.kubectl("apply", "--server-side", "--filename", str(definition))
    for overlay in sorted((MANIFESTS / "overlays").iterdir()):
        said = cluster.applied(overlay, "--dry-run=server")
        require("arning" not in said, f"{overlay.name}: {said}")
        cluster.say(f"{overlay.name}: {said.count('(server dry run)')} objects")
