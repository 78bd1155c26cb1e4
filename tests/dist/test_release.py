"""The files of `make dist`, which are in DIST (default build/dist): what is in them, and whether they belong together."""

import gzip
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
import released
from program import ROOT
from released import VERSION

DIST = Path(os.environ.get("DIST", ROOT / "build/dist"))
ARCHS = (os.environ.get("DIST_ARCHS") or "amd64 arm64 armhf i386").split()
PROGRAMS = {arch: DIST / f"dnsbuddy-{VERSION}-linux-{arch}" for arch in ARCHS}
EPOCH = int(subprocess.run([ROOT / "packaging/epoch.sh"], capture_output=True, text=True, check=True).stdout)
DEBS = {arch: DIST / f"dnsbuddy_{VERSION}_{arch}.deb" for arch in ARCHS}


def test_nothing_is_missing_and_nothing_is_there_beside_it():
    names = {path.name for path in [*PROGRAMS.values(), *DEBS.values()]}
    names |= {f"dnsbuddy-{VERSION}{end}" for end in (".tar.xz", ".cdx.json", ".copyright", "-oci.tar")}
    assert {path.name for path in DIST.iterdir()} == names | {"SHA256SUMS"}
    sums = dict(line.split("  ")[::-1] for line in (DIST / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: released.sha256((DIST / name).read_bytes()) for name in names}
    assert list(sums) == sorted(sums)


@pytest.mark.parametrize("arch", ARCHS)
def test_program(arch):
    released.check_program(PROGRAMS[arch], arch)
    assert PROGRAMS[arch].stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("arch", ARCHS)
def test_package(arch):
    files = released.check_deb(DEBS[arch], arch, EPOCH, PROGRAMS[arch])
    released.check_unit(files["usr/lib/systemd/system/dnsbuddy.service"].decode(),
                        (ROOT / "examples/systemd/dnsbuddy.service").read_text())
    assert files["usr/share/doc/dnsbuddy/copyright"] == (DIST / f"dnsbuddy-{VERSION}.copyright").read_bytes()
    changelog = gzip.decompress(files["usr/share/doc/dnsbuddy/changelog.gz"]).decode()
    released.check_changelog(changelog)
    done = subprocess.run(["dpkg-parsechangelog", "-l-", "-STimestamp"], input=changelog, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(EPOCH) and not done.stderr


def test_packages_differ_in_the_program_alone():
    contents = [released.members(released.out_of("dpkg-deb", "--fsys-tarfile", deb)) for deb in DEBS.values()]
    same = [{name: data for name, (_, data) in files.items() if name != "usr/bin/dnsbuddy"} for files in contents]
    assert all(files == same[0] for files in same)


def test_list_of_parts():
    bom = json.loads((DIST / f"dnsbuddy-{VERSION}.cdx.json").read_text())
    released.check_sbom(bom)
    released.check_sbom_of(bom, list(PROGRAMS.values()), None)
    # Each architecture has its compiler's libgcc.
    named = [p["value"].split() for c in bom["components"] if c["name"] == "libgcc" for p in c["properties"]]
    assert sorted(sum(named, [])) == sorted(ARCHS)


def test_images(tmp_path):
    with tarfile.open(DIST / f"dnsbuddy-{VERSION}-oci.tar") as tar:
        tar.extractall(tmp_path, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(tmp_path)
    released.check_oci(tmp_path, PROGRAMS)


def test_no_path_of_the_machine_that_built_it():
    here = [str(ROOT).encode(), str(DIST).encode(), b"dist.work"]
    for path in DIST.iterdir():
        data = path.read_bytes()
        if path.suffix == ".deb":
            data = b"".join(d for _, d in released.members(released.out_of("dpkg-deb", "--fsys-tarfile", path)).values())
        assert not [word for word in here if word in data], path


def test_the_source_tarball_is_what_is_here():
    with tarfile.open(DIST / f"dnsbuddy-{VERSION}.tar.xz") as tar:
        texts = {m.name.partition("/")[2]: tar.extractfile(m).read() for m in tar if m.isfile()}
    assert texts["VERSION"].decode().strip() == VERSION and len(texts) > 100
    assert texts["packaging/deb.sh"] == (ROOT / "packaging/deb.sh").read_bytes()
