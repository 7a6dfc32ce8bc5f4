"""Steps that are printed with their times, and waits with deadlines. Whatever fails ends the run with a line that says what."""

import subprocess
import sys
import time

BEGAN = time.monotonic()


class Failed(Exception):
    """Something that must hold does not."""


def check(holds, what):
    if not holds:
        raise Failed(what)


def say(text):
    print(f"{time.monotonic() - BEGAN:7.1f} s  {text}", flush=True)


class Step:
    """`with Step("what"):` prints it with the seconds that it took; `note` adds what was found."""

    def __init__(self, what):
        self.what, self.notes = what, []

    def note(self, text):
        self.notes.append(text)

    def seconds(self):
        return time.monotonic() - self.began

    def __enter__(self):
        self.began = time.monotonic()
        return self

    def __exit__(self, kind, _error, _trace):
        self.took = self.seconds()
        outcome = "".join(f": {note}" for note in self.notes) if kind is None else ": FAILED"
        say(f"{self.what}{outcome} ({self.took:.1f} s)")


def until(what, limit_s, look, pause_s=0.2):
    """What `look` returns once it is true; it may raise meanwhile. Fails with the last reason after so many seconds."""
    deadline, last = time.monotonic() + limit_s, None
    while time.monotonic() < deadline:
        try:
            found = look()
            if found:
                return found
            last = found
        except (Failed, OSError, ValueError) as error:
            last = error
        time.sleep(pause_s)
    raise Failed(f"{what}: not within {limit_s} s ({last})")


def run(*command, stdin=None, limit_s=120, env=None):
    """The stdout of a command that ends well; it fails with what it said otherwise."""
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=limit_s, env=env, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(command)}: not within {limit_s} s") from error
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def fail(error):
    print(f"FAILED: {error}", file=sys.stderr)
    sys.exit(1)
