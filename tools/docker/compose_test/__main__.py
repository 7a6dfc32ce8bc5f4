"""The scenario, from images to `down`. Run by tools/docker/test-compose, which sees to engine and images."""

import os

from . import image, observed, restarts
from .compose import Project
from .steps import Failed, fail, say


def main():
    project = Project(os.environ.get("PORT_PREFIX", ""))
    project.compose("--profile", "example", "down", "--volumes", "--remove-orphans")
    try:
        image.check_image()
        restarts.check_up(project)
        image.check_containers(project)
        observed.check_clients(project)
        observed.check_death(project)
        restarts.check_second_up(project)
        restarts.check_stop(project)
        restarts.check_example(project)
        restarts.check_down_and_up(project)
    except Failed as error:
        for service in ("controller-1", "broker-1", "broker-2", "broker-3"):
            print(f"--- {service}\n{project.logs(service)[-3000:]}")
        fail(error)
    finally:
        project.compose("--profile", "example", "down", "--volumes", "--remove-orphans")
    say("all of it held")


main()
