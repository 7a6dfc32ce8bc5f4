"""Prometheus's own query interface."""

import json
import urllib.parse
import urllib.request

from .steps import Failed

UNDER_REPLICATED = "sum(kafka_server_replicamanager_underreplicatedpartitions)"
ALERT = "UnderReplicatedPartitions"


class Prometheus:
    def __init__(self, port):
        self.base = f"http://localhost:{port}/api/v1/"

    def get(self, path, **parameters):
        url = self.base + path + "?" + urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, expression):
        """Of an expression of one series; None where there is none."""
        result = self.get("query", query=expression)["result"]
        return float(result[0]["value"][1]) if result else None

    def under_replicated(self):
        return self.value(UNDER_REPLICATED)

    def alert(self, name=ALERT):
        """inactive, pending or firing."""
        rules = [rule for group in self.get("rules", type="alert")["groups"] for rule in group["rules"]]
        states = [rule["state"] for rule in rules if rule["name"] == name]
        if len(states) != 1:
            raise Failed(f"{len(states)} alerts are called {name}")
        return states[0]

    def targets_down(self):
        """Of those that it scrapes, whom it does not reach."""
        targets = self.get("targets", state="active")["activeTargets"]
        return [target["labels"]["instance"] for target in targets if target["health"] != "up"]
