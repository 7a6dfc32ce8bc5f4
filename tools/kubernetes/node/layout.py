"""Where everything is: addresses, which are the same in each run since the network is the node's own, and files."""

from dataclasses import dataclass
from pathlib import Path

# The node's address, on an interface that leads nowhere: API server, DNS and NodePorts are reached at it.
NODE_ADDRESS = "10.250.0.1"
NODE_NAME = "node"
POD_NETWORK = "10.244.0.0/24"
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVER = f"https://{NODE_ADDRESS}:6443"
CLUSTER_DOMAIN = "cluster.local"
# The only one who speaks to the API server, allowed everything.
TOKEN = "of-nobody-else"
CGROUP = "milena-kubernetes"


@dataclass(frozen=True)
class Layout:
    """`parts` holds the programs that build-parts made, `scratch` all that a run writes."""

    parts: Path
    scratch: Path

    def part(self, name: str) -> str:
        return str(self.parts / name)

    def folder(self, name: str) -> Path:
        path = self.scratch / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name: str, text: str) -> Path:
        path = self.folder("config") / name
        path.write_text(text)
        return path

    @property
    def kubeconfig(self) -> Path:
        return self.scratch / "config" / "kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        return Path("/run/containerd/containerd.sock")
