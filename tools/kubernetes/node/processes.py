"""Long-running programs: each with a log of its own, each ended by whoever started it."""

import subprocess
import time
from collections.abc import Callable

from node.layout import Layout

STOP_S = 10


class Failed(Exception):
    """What was waited for did not come, or a program said no."""


class Processes:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._running: dict[str, subprocess.Popen] = {}

    def start(self, name: str, *command: str) -> None:
        log = (self._layout.folder("logs") / f"{name}.log").open("ab")
        self._running[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self._layout.scratch
        )

    def check(self) -> None:
        """None of them may end by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise Failed(f"{name} ended with {process.returncode}:\n{self._last_words(name)}")

    def stop(self) -> None:
        for name in reversed(list(self._running)):
            process = self._running.pop(name)
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _last_words(self, name: str) -> str:
        lines = (self._layout.folder("logs") / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-5:])


def run(*command: str, text: str | None = None, timeout_s: float = 120, with_warnings: bool = False) -> str:
    """Runs a program to its end; its output, with what it wrote beside it where that is asked for."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=timeout_s)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout + done.stderr if with_warnings else done.stdout


def wait_until(what: str, holds: Callable[[], bool], timeout_s: float, pause_s: float = 0.2) -> float:
    """Waits until it holds, and tells after how many seconds it did. A question that fails is asked again."""
    began, last = time.monotonic(), ""
    while time.monotonic() - began < timeout_s:
        try:
            if holds():
                return time.monotonic() - began
        except (Failed, OSError, subprocess.TimeoutExpired) as error:
            last = f"; last: {error}"
        time.sleep(pause_s)
    raise Failed(f"after {timeout_s} s still not: {what}{last}")
