"""The overlay that gives access from outside: brokers roll to it, and a client that knows only the node's address and a port
writes and reads."""

from checks.cluster import CALL_S, MANIFESTS, Cluster, require
from node.layout import NODE_ADDRESS
from node.processes import run

BOOTSTRAP = f"{NODE_ADDRESS}:31099"
RECORDS = 1000


def check(cluster: Cluster) -> None:
    cluster.applied(MANIFESTS / "overlays/external-access")
    cluster.kubectl("rollout", "status", "statefulset/broker", "--timeout=300s", timeout_s=310)
    brokers = cluster.admin(BOOTSTRAP).list_topics(timeout=CALL_S).brokers.values()
    cluster.say(f"outside, brokers are at {sorted(f'{it.host}:{it.port}' for it in brokers)}")
    require({it.host for it in brokers} == {NODE_ADDRESS}, "brokers name another address than the node's")
    cluster.create_topic("outside", 6)
    records = [f"record {number}" for number in range(RECORDS)]
    run("kcat", "-b", BOOTSTRAP, "-P", "-t", "outside", text="\n".join(records) + "\n")
    read = run("kcat", "-b", BOOTSTRAP, "-C", "-t", "outside", "-e", "-q").splitlines()
    require(sorted(read) == sorted(records), f"{len(read)} records were read, {RECORDS} written")
    cluster.say(f"{RECORDS} records written and read through the NodePorts")
