"""The project: docker-compose and docker, on containers and volumes of its own."""

import json
import os

from .steps import Failed, check, run

PROJECT = "milena-compose-test"
# COMPOSE="docker compose" runs it by v2.
COMPOSE = os.environ.get("COMPOSE", "docker-compose").split()
BROKERS = ("broker-1", "broker-2", "broker-3")
CONTROLLERS = ("controller-1", "controller-2")
ETCD = ("etcd-1", "etcd-2", "etcd-3")


class Project:
    """`prefix` stands before each port of the host."""

    def __init__(self, prefix=""):
        self.prefix = prefix

    def port(self, port):
        return int(f"{self.prefix}{port}")

    def bootstrap(self):
        return ",".join(f"localhost:{self.port(port)}" for port in (9092, 9093, 9094))

    def compose(self, *arguments, limit_s=120):
        environment = dict(os.environ, PORT_PREFIX=self.prefix)
        return run(*COMPOSE, "--project-name", PROJECT, *arguments, limit_s=limit_s, env=environment)

    def container(self, service):
        """Its id, whether it runs or not."""
        found = run("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label=com.docker.compose.project={PROJECT}",
                    "--filter", f"label=com.docker.compose.service={service}").split()
        check(len(found) == 1, f"{service} has {len(found)} containers")
        return found[0]

    def state(self, service):
        return inspect(self.container(service))["State"]

    def logs(self, service):
        return self.compose("logs", "--no-color", service)

    def execute(self, service, *command, limit_s=60):
        return run("docker", "exec", self.container(service), *command, limit_s=limit_s)

    def healthy(self, *services):
        """True once each says so; the first that doesn't is named."""
        for service in services:
            health = self.state(service)["Health"]["Status"]
            if health != "healthy":
                raise Failed(f"{service} is {health}")
        return True


def inspect(name):
    return json.loads(run("docker", "inspect", name))[0]
