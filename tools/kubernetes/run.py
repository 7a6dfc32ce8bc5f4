"""Brings the node up, and goes through the checks in order. Started by ./test, inside namespaces of its own."""

import argparse
import importlib
import sys
import time
from pathlib import Path

from checks.cluster import Cluster
from node.layout import Layout
from node.node import Node
from node.processes import Failed

CHECKS = (
    "first_start", "from_a_pod", "overlays", "pod_deleted", "evicted", "rolling_update", "etcd_member_away", "from_outside",
    "scaled", "all_killed", "laptop", "zones",
)


def main() -> int:
    arguments = parse()
    layout = Layout(parts=arguments.parts, scratch=arguments.scratch)
    images = sorted(arguments.images.glob("*.tar"))
    began = time.monotonic()
    try:
        with Node(layout, images) as node:
            print(f"a node of Kubernetes is ready after {time.monotonic() - began:.1f} s", flush=True)
            go_through(arguments.checks or CHECKS, Cluster(node))
    except Failed as failed:
        print(f"FAILED: {failed}", flush=True)
        return 1
    return 0


def go_through(names: tuple[str, ...], cluster: Cluster) -> None:
    began = time.monotonic()
    for name in names:
        print(f"  {name}", flush=True)
        importlib.import_module(f"checks.{name}").check(cluster)
    print(f"{len(names)} passed, 0 failed, in {time.monotonic() - began:.0f} s", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("parts", "images", "scratch"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"all of them unless named: {', '.join(CHECKS)}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
