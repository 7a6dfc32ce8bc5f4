"""The control plane: etcd, API server, controller manager, scheduler. One token may do everything, and nobody else anything."""

import json
from typing import Any

from node.layout import API_SERVER, NODE_ADDRESS, POD_NETWORK, SERVICE_NETWORK, TOKEN, Layout
from node.processes import Processes, run, wait_until


def start(layout: Layout, processes: Processes) -> None:
    _write_credentials(layout)
    processes.start(
        "etcd", layout.part("etcd"), f"--data-dir={layout.folder('etcd')}", "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379", "--listen-peer-urls=http://127.0.0.1:2380",
        # What the test's own control plane holds need not outlive it.
        "--unsafe-no-fsync",
    )
    config = layout.folder("config")
    processes.start(
        "kube-apiserver", layout.part("kube-apiserver"), "--etcd-servers=http://127.0.0.1:2379",
        f"--advertise-address={NODE_ADDRESS}", f"--service-cluster-ip-range={SERVICE_NETWORK}", f"--cert-dir={config}/certificates",
        f"--token-auth-file={config}/tokens.csv", "--authorization-mode=AlwaysAllow", "--anonymous-auth=false", "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={config}/service-account.key",
        f"--service-account-signing-key-file={config}/service-account.key",
    )
    wait_until("the API server is ready", lambda: kubectl(layout, "get", "--raw", "/readyz") == "ok", 120)
    kubeconfig = f"--kubeconfig={layout.kubeconfig}"
    processes.start(
        "kube-controller-manager", layout.part("kube-controller-manager"), kubeconfig, "--leader-elect=false",
        f"--service-account-private-key-file={config}/service-account.key", f"--cluster-cidr={POD_NETWORK}",
        "--bind-address=127.0.0.1",
    )
    processes.start(
        "kube-scheduler", layout.part("kube-scheduler"), kubeconfig, "--leader-elect=false", "--bind-address=127.0.0.1"
    )
    # The first pod needs it.
    wait_until("there is a service account", lambda: bool(kubectl(layout, "get", "serviceaccount", "default")), 60)


def kubectl(layout: Layout, *arguments: str, **how: Any) -> str:
    """`how` is that of `run`."""
    return run(layout.part("kubectl"), f"--kubeconfig={layout.kubeconfig}", *arguments, **how)


def _write_credentials(layout: Layout) -> None:
    layout.write("tokens.csv", f"{TOKEN},tester,1,system:masters\n")
    run("openssl", "genrsa", "-out", str(layout.folder("config") / "service-account.key"), "2048")
    cluster = {"name": "test", "cluster": {"server": API_SERVER, "insecure-skip-tls-verify": True}}
    context = {"name": "test", "context": {"cluster": "test", "user": "tester"}}
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [cluster], "contexts": [context], "users": [{"name": "tester", "user": {"token": TOKEN}}],
    }
    layout.kubeconfig.write_text(json.dumps(config, indent=2))
