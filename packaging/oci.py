#!/usr/bin/python3
"""oci.py DIR ARCH=BINARY...: images of these programs as an OCI layout in DIR, behind one index tagged with VERSION.

Each image is what Dockerfile.scratch makes: the program alone, with the user, entry point and health check that it names.
The times are SOURCE_DATE_EPOCH: the same programs, the same bytes.
"""
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import Path

import parts

# Debian's names of processors, and the registry's.
PLATFORMS = {
    "amd64": {"architecture": "amd64", "os": "linux"},
    "arm64": {"architecture": "arm64", "os": "linux", "variant": "v8"},
    "armhf": {"architecture": "arm", "os": "linux", "variant": "v7"},
    "i386": {"architecture": "386", "os": "linux"},
}
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
NANOSECONDS = {"s": 10**9, "m": 60 * 10**9}


class Layout:
    """A folder of blobs, each named by its sum."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "blobs/sha256").mkdir(parents=True)
        (folder / "oci-layout").write_bytes(encoded({"imageLayoutVersion": "1.0.0"}))

    def add(self, media_type, data, **more):
        """Keep it; returns its descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)} | more

    def add_json(self, media_type, value, **more):
        return self.add(media_type, encoded(value), **more)


def encoded(value):
    return json.dumps(value, separators=(",", ":")).encode()


def of_dockerfile():
    """The part of an image's configuration that Dockerfile.scratch sets in its last stage."""
    text = parts.read(parts.ROOT / "Dockerfile.scratch").replace("\\\n", " ")
    last = text[text.rindex("\nFROM "):]
    check = re.search(r"^HEALTHCHECK (.*) CMD (\[.*\])$", last, re.M)
    options = dict(re.findall(r"--([a-z-]+)=(\w+)", check[1]))
    time = lambda name: int(options[name][:-1]) * NANOSECONDS[options[name][-1]]
    return {
        "User": re.search(r"^USER (\S+)$", last, re.M)[1],
        "Entrypoint": json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", last, re.M)[1]),
        "WorkingDir": "/",
        "Healthcheck": {"Test": ["CMD", *json.loads(check[2])], "Interval": time("interval"), "Timeout": time("timeout"),
                        "StartPeriod": time("start-period")},
    }


def layer_of(binary, epoch):
    """The one file of the image, as a tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("dnsbuddy")
        member.size, member.mode, member.mtime = len(binary), 0o755, epoch
        tar.addfile(member, io.BytesIO(binary))
    return out.getvalue()


def image(layout, arch, binary, epoch, notes):
    """One image; returns the descriptor of its manifest."""
    platform = PLATFORMS[arch]
    tar = layer_of(binary, epoch)
    layer = layout.add(LAYER, gzip.compress(tar, 9, mtime=0))
    created = notes["org.opencontainers.image.created"]
    config = layout.add_json(CONFIG, {
        "created": created, **platform, "config": of_dockerfile() | {"Labels": notes},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]},
        "history": [{"created": created, "created_by": "Dockerfile.scratch"}],
    })
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer], "annotations": notes}
    return layout.add_json(MANIFEST, manifest, platform=platform)


def replaceable(folder):
    """Nothing is there, or nothing is in it, or a layout of before: all else is somebody's."""
    return not folder.exists() or folder.is_dir() and ((folder / "oci-layout").is_file() or not any(folder.iterdir()))


def main(folder, programs):
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    project = parts.project()
    notes = {
        "org.opencontainers.image.created": datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "org.opencontainers.image.title": project.name,
        "org.opencontainers.image.version": project.version,
        "org.opencontainers.image.description": project.description,
        "org.opencontainers.image.licenses": project.licence,
    }
    new = folder.with_name(folder.name + ".new")
    for path in (folder, new):
        if not replaceable(path):
            parts.die(f"{path} is there, and is no OCI layout that could be replaced")
    shutil.rmtree(new, ignore_errors=True)
    layout = Layout(new)
    manifests = [image(layout, arch, Path(binary).read_bytes(), epoch, notes) for arch, binary in programs]
    index = layout.add_json(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests, "annotations": notes},
                            annotations={"org.opencontainers.image.ref.name": project.version})
    (new / "index.json").write_bytes(encoded({"schemaVersion": 2, "mediaType": INDEX, "manifests": [index]}))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        parts.die("which folder, and which programs? ARCH=BINARY")
    pairs = [argument.split("=", 1) for argument in sys.argv[2:]]
    unknown = [arch for arch, _ in pairs if arch not in PLATFORMS]
    if unknown:
        parts.die(f"no such architecture: {' '.join(unknown)}; there are {' '.join(PLATFORMS)}")
    main(Path(sys.argv[1]), pairs)
