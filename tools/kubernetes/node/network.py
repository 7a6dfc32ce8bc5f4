"""The node's network: a bridge that leads nowhere, routes by which the node reaches services, and pods on wires of their own.

Each pod has a point-to-point link, so that whatever goes from pod to pod is routed and seen by kube-proxy's rules.
"""

import json
from pathlib import Path

from node.layout import CLUSTER_DOMAIN, NODE_ADDRESS, POD_NETWORK, SERVICE_NETWORK, Layout
from node.processes import run

# Where the container network plugins of Debian are.
PLUGINS = "/usr/lib/cni"


def prepare(layout: Layout) -> None:
    _hide_the_machine(layout)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "node0", "type", "bridge")
    run("ip", "address", "add", f"{NODE_ADDRESS}/32", "dev", "node0")
    run("ip", "link", "set", "node0", "up")
    # Without a route a connection ends before kube-proxy's rules see it.
    run("ip", "route", "add", SERVICE_NETWORK, "dev", "node0")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    _write_plugins(layout)


def _hide_the_machine(layout: Layout) -> None:
    """What programs write at fixed places goes to memory that ends with the mount namespace."""
    run("mount", "--make-rshared", "/")
    for folder in ("/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", folder)
    # Programs on the node find pods and services by the names that pods have for them.
    names = layout.write("resolv.conf", f"nameserver {NODE_ADDRESS}\nsearch {CLUSTER_DOMAIN}\noptions ndots:5\n")
    run("mount", "--bind", str(names), "/etc/resolv.conf")


def _write_plugins(layout: Layout) -> None:
    wire = {
        "type": "ptp",
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": str(layout.folder("addresses")),
            "ranges": [[{"subnet": POD_NETWORK}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    plugins = {"cniVersion": "0.4.0", "name": "pods", "plugins": [wire]}
    (layout.folder("cni") / "10-pods.conflist").write_text(json.dumps(plugins, indent=2))
