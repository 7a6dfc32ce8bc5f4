"""A pod of another namespace writes records and reads them again, with the command line that is in the image."""

from checks.cluster import BOOTSTRAP, Cluster, require

IMAGE = "milena:dev"
RECORDS = 1000


def check(cluster: Cluster) -> None:
    cluster.create_topic("numbers", 3)
    records = [f"record {number}" for number in range(RECORDS)]
    in_a_pod(cluster, "milena", "produce", "--bootstrap-server", BOOTSTRAP, "numbers", text="\n".join(records) + "\n")
    read = in_a_pod(cluster, "milena", "consume", "--bootstrap-server", BOOTSTRAP, "numbers").splitlines()
    require(sorted(read) == sorted(records), f"{len(read)} records were read, {RECORDS} written")
    cluster.say(f"{RECORDS} records written by one pod and read by another")


def in_a_pod(cluster: Cluster, *command: str, text: str | None = None) -> str:
    stdin = ["--stdin"] if text else []
    run = ["run", "client", f"--image={IMAGE}", "--restart=Never", "--quiet", "--attach", "--rm", *stdin]
    return cluster.kubectl("--namespace=default", *run, "--command", "--", *command, text=text)
