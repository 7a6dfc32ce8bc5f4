"""The node from start to end."""

from pathlib import Path
from typing import Any

from node import control_plane, network, runtime, volumes, workers
from node.control_plane import kubectl
from node.layout import NODE_NAME, Layout
from node.processes import Failed, Processes, wait_until


class Node:
    """A context: inside it the cluster serves, after it nothing of it runs."""

    def __init__(self, layout: Layout, images: list[Path]) -> None:
        self.parts = layout.parts
        self._layout = layout
        self._images = images
        self._processes = Processes(layout)

    def __enter__(self) -> "Node":
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def kubectl(self, *arguments: str, **how: Any) -> str:
        self._processes.check()
        return kubectl(self._layout, *arguments, **how)

    def _start(self) -> None:
        network.prepare(self._layout)
        runtime.start(self._layout, self._processes)
        for image in self._images:
            runtime.import_image(self._layout, image)
        control_plane.start(self._layout, self._processes)
        workers.start(self._layout, self._processes)
        wait_until("the node is ready", self._is_ready, 60)
        self.kubectl("apply", "-f", "-", text=volumes.manifests(self._layout))

    def _is_ready(self) -> bool:
        ready = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
        return self.kubectl("get", "node", NODE_NAME, "-o", ready) == "True"

    def _stop(self) -> None:
        """Pods first, while there is somebody to end them; then the programs."""
        try:
            self.kubectl("delete", "pods", "--all", "--all-namespaces", "--grace-period=1", "--force", "--wait=false", timeout_s=30)
        except Failed:
            pass
        self._processes.stop()
