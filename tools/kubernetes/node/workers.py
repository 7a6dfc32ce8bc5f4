"""What runs on every node: kubelet and kube-proxy; and the cluster's DNS, here a process of the node."""

import json
from pathlib import Path

from node.layout import CGROUP, CLUSTER_DOMAIN, NODE_ADDRESS, NODE_NAME, POD_NETWORK, Layout
from node.processes import Processes

KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    "cgroupDriver": "cgroupfs",
    "cgroupRoot": f"/{CGROUP}",
    "failCgroupV1": False,
    "failSwapOn": False,
    "enforceNodeAllocatable": [],
    # The disk belongs to the machine, and how full it is says nothing about this cluster.
    "evictionHard": {},
    "imageGCHighThresholdPercent": 100,
    "imageGCLowThresholdPercent": 99,
    "clusterDNS": [NODE_ADDRESS],
    "clusterDomain": CLUSTER_DOMAIN,
    "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
}

PROXY = {
    "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
    "kind": "KubeProxyConfiguration",
    "mode": "iptables",
    "clusterCIDR": POD_NETWORK,
    "hostnameOverride": NODE_NAME,
    "nodePortAddresses": ["primary"],
    # These belong to the machine.
    "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
}

# As kubeadm writes it.
CORE_FILE = """\
.:53 {{
    bind {address}
    errors
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }}
    cache 30 {{
        disable success {domain}
        disable denial {domain}
    }}
    loop
}}
"""


def start(layout: Layout, processes: Processes) -> None:
    for controller in _cgroups():
        controller.mkdir(exist_ok=True)
    _start_kubelet(layout, processes)
    proxy = PROXY | {"clientConnection": {"kubeconfig": str(layout.kubeconfig)}}
    processes.start("kube-proxy", layout.part("kube-proxy"), f"--config={layout.write('proxy.json', json.dumps(proxy))}")
    core_file = CORE_FILE.format(address=NODE_ADDRESS, domain=CLUSTER_DOMAIN, kubeconfig=layout.kubeconfig)
    processes.start("coredns", layout.part("coredns"), "-conf", str(layout.write("Corefile", core_file)))


def _start_kubelet(layout: Layout, processes: Processes) -> None:
    config = KUBELET | {
        "podLogsDir": str(layout.folder("pod-logs")),
        "resolvConf": str(layout.write("no-resolv.conf", "")),
        "volumePluginDir": str(layout.folder("volume-plugins")),
    }
    processes.start(
        "kubelet", layout.part("kubelet"), f"--config={layout.write('kubelet.json', json.dumps(config))}",
        f"--kubeconfig={layout.kubeconfig}", f"--hostname-override={NODE_NAME}", f"--node-ip={NODE_ADDRESS}",
        f"--root-dir={layout.folder('kubelet')}", f"--cert-dir={layout.folder('kubelet-certificates')}",
        f"--node-labels=topology.kubernetes.io/zone=zone-a",
    )


def processes_of_pods() -> list[int]:
    """As the kernel counts them, in this namespace of processes."""
    listed = [path.read_text().split() for path in _cgroups()[0].rglob("cgroup.procs")]
    # One of another namespace would be 0.
    return sorted({int(process) for processes in listed for process in processes} - {0})


def _cgroups() -> list[Path]:
    """The folder of this cluster in every hierarchy; ../test removes them once nothing runs in them any more."""
    top = Path("/sys/fs/cgroup")
    if (top / "cgroup.controllers").exists():
        return [top / CGROUP]
    hierarchies = {child.resolve() for child in top.iterdir() if (child / "cgroup.procs").exists()}
    return [hierarchy / CGROUP for hierarchy in sorted(hierarchies)]
