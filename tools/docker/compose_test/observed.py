"""Clients on the host and inside, and the death of a broker as Prometheus tells it."""

from . import clients
from .prometheus import Prometheus
from .steps import Failed, Step, check, until

# The alert waits for two minutes, and is looked at every ten seconds.
ALERT_S_MAX = 200
BULK = 20_000


def check_clients(project):
    with Step(f"{BULK} records from the host, read through each listener and from inside"):
        clients.produce(project.bootstrap(), "bulk", range(BULK))
        for port in (9092, 9093, 9094):
            clients.check_holds(f"localhost:{project.port(port)}", "bulk", BULK)
        inside = project.execute("broker-3", "milena", "consume", "bulk", "--bootstrap-server", "broker-1:19092")
        check(len(inside.split()) == BULK, f"inside {len(inside.split())} records are read")


def check_death(project):
    prometheus = Prometheus(project.port(9090))
    with Step("Prometheus reaches all, and nothing is under-replicated"):
        until("all targets to be up", 60, lambda: not down(prometheus))
        until("0 under-replicated partitions", 60, lambda: prometheus.under_replicated() == 0)
        until("the alert to be inactive", 60, lambda: prometheus.alert() == "inactive")
    load = clients.Load(project.bootstrap(), "load")
    until("the topic to take records", 30, lambda: load.sent > 100)
    kill(project, prometheus)
    revive(project, prometheus)
    with Step("nothing is lost") as step:
        count = load.stop()
        clients.check_holds(project.bootstrap(), "load", count)
        clients.check_holds(project.bootstrap(), "bulk", BULK)
        step.note(f"{count} records under load, each acknowledged and there once")


def down(prometheus):
    unreached = prometheus.targets_down()
    if unreached:
        raise Failed(f"not reached: {', '.join(unreached)}")
    return unreached


def kill(project, prometheus):
    with Step("kill -9 of broker-2 under load: UnderReplicatedPartitions > 0") as step:
        project.compose("kill", "broker-2")
        found = until("it", 60, lambda: prometheus.targets_down() == ["broker-2:9404"] and prometheus.under_replicated())
        step.note(f"{found:.0f}")
    with Step("its alert fires"):
        until("the alert to fire", ALERT_S_MAX, lambda: prometheus.alert() == "firing", pause_s=1)


def revive(project, prometheus):
    with Step("broker-2 started again: UnderReplicatedPartitions is 0"):
        project.compose("up", "--detach", "broker-2")
        until("it", 60, lambda: not down(prometheus) and prometheus.under_replicated() == 0)
    with Step("its alert resolves"):
        until("the alert to resolve", 60, lambda: prometheus.alert() == "inactive", pause_s=1)
