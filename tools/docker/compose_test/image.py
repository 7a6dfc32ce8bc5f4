"""What the image promises: its size, its labels, its user, a root that can't be written, and that it says when it is ready."""

from .compose import BROKERS, CONTROLLERS, ETCD, inspect
from .steps import Step, check, run, until

IMAGE, BASE = "milena:dev", "debian:bookworm-slim"
MB_OVER_BASE_MAX = 40


def check_image():
    with Step("image") as step:
        image = inspect(IMAGE)
        over_base = (image["Size"] - inspect(BASE)["Size"]) / 1_000_000
        step.note(f"{over_base:.1f} MB over its base")
        check(over_base <= MB_OVER_BASE_MAX, f"the image has {over_base:.1f} MB over its base")
        check(image["Config"]["User"] == "10001:10001", f"it runs as {image['Config']['User']}")
        for label in ("title", "version", "revision", "licenses"):
            check(f"org.opencontainers.image.{label}" in image["Config"]["Labels"], f"it has no label {label}")


def check_containers(project):
    with Step("every health check passes"):
        until("health", 60, lambda: project.healthy(*ETCD, *CONTROLLERS, *BROKERS))
    with Step("no root, no root file system to write to, and /readyz by a command"):
        check(project.execute("broker-1", "id", "-u").strip() == "10001", "broker-1 runs as another user")
        check(inspect(project.container("broker-1"))["HostConfig"]["ReadonlyRootfs"], "the root can be written")
        check(project.execute("broker-1", "milena", "ready").strip() == "ready", "broker-1 is not ready")
        refused = run("docker", "run", "--rm", IMAGE, "sh", "-c", "milena ready || echo unready")
        check(refused.strip() == "unready", f"nobody is ready there: {refused}")
    check_environment()


def check_environment():
    """Without a file the environment says all; a JVM's variables are no keys, and unknown keys are warned of."""
    with Step("the environment alone, with variables of Apache's image"):
        said = run("docker", "run", "--rm", "--env", "KAFKA_NODE_ID=1", "--env", "MILENA_METADATA_STORE=embedded",
                   "--env", "KAFKA_HEAP_OPTS=-Xmx1G", "--env", "KAFKA_LOG4J_OPTS=x", "--env", "KAFKA_BANANA=1", IMAGE,
                   "sh", "-c", "milena-broker 2>&1 || true")
        check("banana" in said, f"no word of an unknown key: {said}")
        check("heap" not in said and "log4j" not in said, f"a JVM's variables are taken for keys: {said}")
        check("metadata.store=embedded" in said, f"the environment was not read: {said}")
