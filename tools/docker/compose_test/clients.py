"""kcat on the host: what a user's client sees through the published ports."""

import subprocess
import threading
import time

from .steps import check, run, until

# A broker that is killed may take its connections with it; nothing may be given up for that.
PATIENT = ("-X", "acks=all", "-X", "enable.idempotence=true", "-X", "message.timeout.ms=60000", "-X", "socket.timeout.ms=5000")


def brokers(port):
    """How many brokers the one at this port names."""
    listed = run("kcat", "-b", f"localhost:{port}", "-L", "-m", "5", limit_s=10)
    return sum(1 for line in listed.splitlines() if line.startswith("  broker "))


def produce(bootstrap, topic, lines):
    text = "".join(f"{line}\n" for line in lines)
    run("kcat", "-b", bootstrap, "-P", "-t", topic, *PATIENT, stdin=text)


def consume(bootstrap, topic):
    """All values of the topic, in order of their numbers."""
    read = run("kcat", "-b", bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q")
    return sorted(int(line) for line in read.split())


def check_holds(bootstrap, topic, count):
    """Each of 0, 1, … is there once."""
    until(f"{topic} to be read whole", 30, lambda: len(consume(bootstrap, topic)) >= count)
    read = consume(bootstrap, topic)
    missing = sorted(set(range(count)) - set(read))
    check(not missing, f"{topic}: {len(missing)} of {count} are lost, from {missing[:1]} on")
    check(len(read) == count, f"{topic}: {len(read) - count} are there twice")


class Load:
    """Numbers, produced at a steady rate until it is stopped."""

    RATE = 200

    def __init__(self, bootstrap, topic):
        self.sent, self.stopping = 0, threading.Event()
        self.kcat = subprocess.Popen(["kcat", "-b", bootstrap, "-P", "-t", topic, "-E", *PATIENT],
                                     stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.feeder = threading.Thread(target=self.feed, daemon=True)
        self.feeder.start()

    def feed(self):
        while not self.stopping.is_set():
            self.kcat.stdin.write(f"{self.sent}\n")
            self.kcat.stdin.flush()
            self.sent += 1
            time.sleep(1 / self.RATE)

    def stop(self):
        """How many were sent, every one of them acknowledged."""
        self.stopping.set()
        self.feeder.join()
        _, said = self.kcat.communicate(timeout=90)
        check(self.kcat.returncode == 0, f"kcat ended with {self.kcat.returncode}: {said[-1000:]}")
        return self.sent
