"""`up`, `up` again, `stop`, `down` and `up`: what starts, what stays, and how fast."""

import contextlib
import os
import re
import socket

from . import clients
from .compose import BROKERS
from .observed import BULK
from .steps import Failed, Step, check, run, until

# A machine that does other things meanwhile may be given more.
UP_S_MAX = float(os.environ.get("UP_S_MAX", "10"))


def await_brokers(project):
    for port in (9092, 9093, 9094):
        until("three registered brokers", 60, lambda port=port: clients.brokers(project.port(port)) == 3, pause_s=0.05)


def check_up(project):
    with Step("up, to three registered brokers at each listener") as step:
        project.compose("up", "--detach")
        step.note(f"compose itself {step.seconds():.1f} s")
        await_brokers(project)
    check(step.took <= UP_S_MAX, f"up took {step.took:.1f} s, more than {UP_S_MAX}")


def check_second_up(project):
    with Step("up again changes nothing"):
        before = containers()
        project.compose("up", "--detach")
        check(containers() == before, "it made or removed containers")


def containers():
    return sorted(run("docker", "ps", "--quiet").split())


def check_stop(project):
    with Step("stop is a controlled shutdown") as step:
        project.compose("stop", "broker-3")
        code, log = project.state("broker-3")["ExitCode"], project.logs("broker-3")
        check(code == 0, f"exit code {code}")
        check("stopped" in log.splitlines()[-1], "it did not stop in order")
        handed_over = re.search(r"leads nothing any more took=(\S+)", log)
        check(handed_over, f"it stopped with leaderships: {log[-1000:]}")
        step.note(f"leads nothing after {handed_over[1]}, stopped after {step.seconds():.1f} s")
        project.compose("start", "broker-3")
        until("broker-3 to be ready", 60, lambda: project.healthy("broker-3"))


def check_example(project):
    with Step("the profile example: a producer's lines reach a consumer"):
        project.compose("--profile", "example", "up", "--detach")
        until("a line", 60, lambda: "line of" in project.logs("example-consumer"))
        project.compose("--profile", "example", "rm", "--stop", "--force", "example-producer", "example-consumer")


def free_prefix():
    """One under which nobody listens."""
    for prefix in "12345":
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in (9090, 9092, 9093, 9094):
                stack.enter_context(socket.create_server(("127.0.0.1", int(f"{prefix}{port}"))))
            return prefix
    raise Failed("no prefix has free ports")


def check_down_and_up(project):
    """With other ports the second time: the data and the identities are in the volumes."""
    with Step("down"):
        project.compose("down")
    project.prefix = free_prefix()
    with Step(f"up with PORT_PREFIX={project.prefix}") as step:
        project.compose("up", "--detach")
        await_brokers(project)
        until("all to be ready", 60, lambda: project.healthy(*BROKERS))
        step.note(f"at {project.bootstrap()}")
    with Step("everything is still there"):
        clients.check_holds(project.bootstrap(), "bulk", BULK)
        clients.produce(project.bootstrap(), "after", range(100))
        clients.check_holds(project.bootstrap(), "after", 100)
