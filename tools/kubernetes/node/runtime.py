"""containerd, and the images in it: there is no registry to pull from, so every image is imported."""

from pathlib import Path

from node.layout import Layout
from node.network import PLUGINS
from node.processes import Processes, run, wait_until

PAUSE_IMAGE = "milena.test/pause:1"

CONFIG = """\
version = 2
root = "{root}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Not every machine lets root raise a priority above that of whoever started it.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{cni}"
"""


def start(layout: Layout, processes: Processes) -> None:
    text = CONFIG.format(
        root=layout.folder("containerd"),
        socket=layout.containerd_socket,
        pause=PAUSE_IMAGE,
        plugins=PLUGINS,
        cni=layout.folder("cni"),
    )
    processes.start("containerd", "containerd", "--config", str(layout.write("containerd.toml", text)))
    wait_until("containerd answers", lambda: bool(_ctr(layout, "version")), 30)


def import_image(layout: Layout, archive: Path) -> None:
    _ctr(layout, "--namespace", "k8s.io", "image", "import", str(archive))


def _ctr(layout: Layout, *arguments: str) -> str:
    return run("ctr", "--address", str(layout.containerd_socket), *arguments)
