"""The node from start to end."""

import os
import signal
from pathlib import Path
from typing import Any

from node import control_plane, network, runtime, volumes, workers
from node.control_plane import kubectl
from node.layout import NODE_NAME, Layout
from node.processes import Processes, wait_until


class Node:
    """A context: inside it the cluster serves, after it nothing of it runs."""

    def __init__(self, layout: Layout, images: list[Path]) -> None:
        self.parts, self.scratch = layout.parts, layout.scratch
        self._layout = layout
        self._images = images
        self._processes = Processes(layout)

    def __enter__(self) -> "Node":
        try:
            self._start()
        except BaseException:
            self._processes.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # The pods go with the namespace of processes.
        self._processes.stop()

    def kubectl(self, *arguments: str, **how: Any) -> str:
        self._processes.check()
        return kubectl(self._layout, *arguments, **how)

    def kill_every_pod(self) -> int:
        """Every process of every pod, sandboxes too, which then begin anew with other addresses; how many there were."""
        processes = workers.processes_of_pods()
        for process in processes:
            os.kill(process, signal.SIGKILL)
        return len(processes)

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
