"""Makes the images that the manifests name, as archives that `ctr image import` takes: without an engine, and without a registry.

    images.py PARTS OUT     PARTS has etcd and pause; our own binaries are those of MILENA_BINARIES, or target/release

An image that a Docker engine has built is taken instead of one of ours where MILENA_IMAGE names its archive (`docker save`).
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAUSE = "milena.test/pause:1"
BINARIES = ("milena", "milena-broker", "milena-controller")


def main() -> None:
    parts, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    write(out / "pause.tar", PAUSE, {"pause": parts / "pause"}, ["/pause"])
    etcd = named_in_manifests("quay.io/coreos/etcd")
    write(out / "etcd.tar", etcd, {"usr/local/bin/etcd": parts / "etcd"}, ["/usr/local/bin/etcd"])
    archive = out / "milena.tar"
    # It may be a link of an earlier run, and what it leads to is not ours.
    archive.unlink(missing_ok=True)
    if given := os.environ.get("MILENA_IMAGE"):
        archive.symlink_to(Path(given).resolve())
    else:
        write(archive, named_in_manifests("milena"), with_libraries(), ["milena-broker"])


def named_in_manifests(name: str) -> str:
    texts = [path.read_text() for path in (ROOT / "deploy/kubernetes/base").rglob("statefulset.yaml")]
    images = {line.split()[-1] for text in texts for line in text.splitlines() if f"image: {name}:" in line}
    (image,) = images
    return image


def with_libraries() -> dict[str, Path]:
    """Our binaries, and what of the system they load."""
    folder = Path(os.environ.get("MILENA_BINARIES", ROOT / "target/release"))
    files = {f"usr/local/bin/{name}": folder / name for name in BINARIES}
    for binary in list(files.values()):
        listed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
        paths = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
        files |= {path.lstrip("/"): Path(path) for path in paths}
    return files


def write(archive: Path, name: str, files: dict[str, Path], command: list[str]) -> None:
    layer = layer_of(files)
    layer_id = hashlib.sha256(layer).hexdigest()
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
        "os": "linux",
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": command, "User": "10001:10001"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_id}"]},
    }
    config_text = json.dumps(config).encode()
    config_name = hashlib.sha256(config_text).hexdigest() + ".json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [f"{layer_id}.tar"]}]
    with tarfile.open(archive, "w") as tar:
        add(tar, config_name, config_text)
        add(tar, f"{layer_id}.tar", layer)
        add(tar, "manifest.json", json.dumps(manifest).encode())


def layer_of(files: dict[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, source in sorted(files.items()):
            add(tar, path, source.read_bytes(), mode=0o755)
    return buffer.getvalue()


def add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    main()
