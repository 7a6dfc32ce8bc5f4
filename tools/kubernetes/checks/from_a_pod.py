"""A pod of another namespace writes records and reads them again, with the command line that is in the image; and a look at the
cluster from a broker's own pod."""

from checks.cluster import BOOTSTRAP, Cluster, require

IMAGE = "milena:dev"
RECORDS = 1000


def check(cluster: Cluster) -> None:
    cluster.create_topic("numbers", 3)
    through_pods(cluster, "numbers")
    page = cluster.kubectl("exec", "broker-0", "--", "milena", "cluster", "--metadata-endpoints", "http://etcd-0.etcd:2379")
    require("http://controller-" in page, f"the page names no controller: {page}")


def through_pods(cluster: Cluster, topic: str) -> None:
    records = [f"record {number}" for number in range(RECORDS)]
    in_a_pod(cluster, "milena", "produce", "--bootstrap-server", BOOTSTRAP, topic, text="\n".join(records) + "\n")
    read = in_a_pod(cluster, "milena", "consume", "--bootstrap-server", BOOTSTRAP, topic).splitlines()
    require(sorted(read) == sorted(records), f"{len(read)} records were read, {RECORDS} written")
    cluster.say(f"{RECORDS} records written by one pod and read by another")


def in_a_pod(cluster: Cluster, *command: str, text: str | None = None) -> str:
    stdin = ["--stdin"] if text else []
    run = ["run", "client", f"--image={IMAGE}", "--restart=Never", "--quiet", "--attach", "--rm", *stdin]
    return cluster.kubectl("--namespace=default", *run, "--", *command, text=text)
