"""What a release has to be: checks of a .deb, a list of parts, a source tarball and an image index, for a quick test and for
that of the whole release (tests/dist)."""

import gzip
import hashlib
import io
import json
import re
import subprocess
import tarfile
from datetime import datetime, timezone
from pathlib import Path

import jsonschema
import readme
from program import ROOT

VERSION = (ROOT / "VERSION").read_text().strip()
# Debian's architecture: ELF's class and machine as readelf has them.
MACHINES = {"amd64": ("ELF64", "Advanced Micro Devices X86-64"), "arm64": ("ELF64", "AArch64"),
            "armhf": ("ELF32", "ARM"), "i386": ("ELF32", "Intel 80386")}
SPDX = {"MIT", "MPL-2.0", "GPL-3.0-or-later WITH GCC-exception-3.1"}
FILES = {
    "etc/dnsbuddy/dnsbuddy.env", "usr/bin/dnsbuddy", "usr/lib/systemd/system/dnsbuddy.service",
    "usr/share/bash-completion/completions/dnsbuddy", "usr/share/doc/dnsbuddy/README.Debian",
    "usr/share/doc/dnsbuddy/changelog.gz", "usr/share/doc/dnsbuddy/copyright",
    "usr/share/fish/vendor_completions.d/dnsbuddy.fish", "usr/share/lintian/overrides/dnsbuddy",
    "usr/share/man/man1/dnsbuddy.1.gz", "usr/share/man/man5/dnsbuddy.json.5.gz",
    "usr/share/zsh/vendor-completions/_dnsbuddy",
}


def out_of(*argv):
    return subprocess.run([str(a) for a in argv], capture_output=True, check=True).stdout


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def members(data):
    """{path: (TarInfo, bytes)} of a tar archive; paths without the leading ./"""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {m.name.removeprefix("./"): (m, tar.extractfile(m).read() if m.isfile() else b"") for m in tar}


def check_program(path, arch):
    """It is for this processor, needs no other file, and asks the loader for nothing."""
    head, segments = (out_of("readelf", "-W", option, path).decode() for option in ("-h", "-l"))
    elf_class, machine = MACHINES[arch]
    assert re.search(rf"Class: +{elf_class}$", head, re.M) and re.search(rf"Machine: +{machine}$", head, re.M), head
    assert "DYN" in re.search(r"Type: +(.*)", head)[1] and "INTERP" not in segments
    assert re.search(r"GNU_STACK .* RW ", segments)
    pages = {int(n, 16) for n in re.findall(r"LOAD .* (0x\w+)$", segments, re.M)}
    assert pages == {64 << 10 if arch.startswith("arm") else 4 << 10}  # kernels of ARM may have pages of 64 kB


# -- the package


def check_deb(path, arch, epoch, program):
    """Returns the files of it."""
    tree, control = members(out_of("dpkg-deb", "--fsys-tarfile", path)), members(out_of("dpkg-deb", "--ctrl-tarfile", path))
    files = {name for name, (m, _) in tree.items() if m.isfile()}
    assert files == FILES
    for name, (m, _) in {**tree, **control}.items():
        assert (m.uid, m.gid, m.uname, m.gname) == (0, 0, "root", "root"), name
        assert m.mtime == epoch, f"{name}: {m.mtime}"
        executable = m.isdir() or name in ("usr/bin/dnsbuddy", "preinst", "postinst", "prerm", "postrm")
        assert m.mode == (0o755 if executable else 0o644), f"{name}: {m.mode:o}"
    fields = dict(line.split(": ", 1) for line in control["control"][1].decode().splitlines() if not line.startswith(" "))
    assert (fields["Package"], fields["Version"], fields["Architecture"]) == ("dnsbuddy", VERSION, arch)
    # With Breaks or Conflicts, apt takes an older systemd off the machine to make room for it.
    assert not {"Depends", "Pre-Depends", "Recommends", "Breaks", "Conflicts"} & set(fields)
    assert int(fields["Installed-Size"]) * 1024 >= sum(m.size for m, _ in tree.values())
    assert control["conffiles"][1] == b"/etc/dnsbuddy/dnsbuddy.env\n"
    sums = {line[34:]: line[:32] for line in control["md5sums"][1].decode().splitlines()}
    assert sums == {name: hashlib.md5(tree[name][1]).hexdigest() for name in files if not name.startswith("etc/")}
    assert tree["usr/bin/dnsbuddy"][1] == Path(program).read_bytes()
    return {name: data for name, (_, data) in tree.items() if name in files}


def check_unit(unit, example):
    """The example's, but for the path and the lines on how to install it."""
    lines = [line for line in example.splitlines() if not line.startswith("#   ")]
    assert unit == "\n".join(lines).replace("/usr/local/bin/dnsbuddy", "/usr/bin/dnsbuddy") + "\n"
    assert "ExecStart=/usr/bin/dnsbuddy watch\n" in unit and "/usr/local" not in unit
    assert "ConditionPathExists=/etc/dnsbuddy/cloudflare-token\n" in unit
    assert "LoadCredential=cloudflare-token:/etc/dnsbuddy/cloudflare-token\n" in unit


def squeezed(text):
    """A licence's words: how its lines are broken does not matter."""
    return " ".join(re.sub(r"(?m)^ \.$|^[ *]+", " ", text).split())


def check_copyright(text, build):
    """All licences in full, from where they come from, with who holds the copyright."""
    words = squeezed(text)
    for path in (ROOT / "LICENSE", build / "third_party/bearssl/LICENSE.txt"):
        source = path.read_text()
        assert squeezed(source[source.index("Permission is hereby"):]) in words, path
        assert re.search(r"Copyright \(c\) (.*)", source)[1].strip() in text
    comment = re.match(r"/\*(.*?)\*/", (build / "third_party/jsmn/jsmn.h").read_text(), re.S)[1]
    assert squeezed(comment[comment.index("Permission is hereby"):]) in words
    assert re.search(r"Copyright \(c\) (.*)", comment)[1] in text
    for needed in ("musl", "Rich Felker", "/usr/share/common-licenses/MPL-2.0", "/usr/share/common-licenses/GPL-3",
                   "GCC Runtime Library Exception"):
        assert needed in text, needed
    # DEP 5: every paragraph but the first says of which files, and each licence that is named is explained.
    blocks = text.strip().split("\n\n")
    assert blocks[0].startswith("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n")
    named, explained = set(), set()
    for block in blocks[1:]:
        assert block.startswith(("Files:", "License:")), block[:60]
        name, body = re.search(r"^License: (\S[^\n]*)((?:\n .*)*)", block, re.M).groups()
        named.add(name)
        if body:
            explained.add(name)
    assert named == explained


def check_changelog(text):
    head, *_, end = text.strip().splitlines()
    assert head == f"dnsbuddy ({VERSION}) bookworm; urgency=medium"
    assert re.fullmatch(r" -- \S.* <\S+@\S+>  \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", end)
    assert re.search(r"^  \* \w", text, re.M) and max(map(len, text.splitlines())) <= 80


# -- the list of parts


def recipe_version(name):
    return re.search(r"^VERSION=(\S+)$", (ROOT / "third_party" / name).read_text(), re.M)[1]


def check_sbom(bom, recipes=None):
    """CycloneDX 1.5, and all of what third_party/README.md says is in the binary."""
    schema = json.loads((ROOT / "tests/e2e/cyclonedx.schema.json").read_text())
    jsonschema.validate(bom, schema, format_checker=jsonschema.FormatChecker())
    main = bom["metadata"]["component"]
    assert (main["name"], main["version"]) == ("dnsbuddy", VERSION)
    refs = [c["bom-ref"] for c in bom["components"] + main.get("components", [])] + [main["bom-ref"]]
    assert len(refs) == len(set(refs))
    graph = {d["ref"]: set(d.get("dependsOn", [])) for d in bom["dependencies"]}
    assert graph[main["bom-ref"]] == {c["bom-ref"] for c in bom["components"]} and set(graph) <= set(refs)
    for component in bom["components"] + [main]:
        for licence in component["licenses"]:
            assert licence.get("expression", licence.get("license", {}).get("id")) in SPDX
        assert component["version"] and component["version"] != "unknown" and component["supplier"]["name"]
    found = {c["name"]: c for c in bom["components"]}
    assert set(found) == {"BearSSL", "jsmn", "musl", "libgcc", "Mozilla root certificates"}
    text = json.dumps(bom)
    for value in re.findall(r"echo ([0-9a-f]{64}) ;;", (ROOT / "third_party/musl.sh").read_text()):
        assert value in text or found["musl"]["version"] != recipe_version("musl.sh"), value
    rows = [row for row in readme.read_table(recipes or (ROOT / "third_party/README.md").read_text(), "part") if "in the binary" in row[3]]
    assert len(rows) == 3
    for part, version, licence, _, _, sums in rows:
        component = found["Mozilla root certificates" if "root" in part else re.search(r"\[(\w+)\]", part)[1]]
        assert component["licenses"] == [{"license": {"id": licence}}]
        if re.fullmatch(r"[\d.]+", version):
            assert component["version"] == version
        for value in re.findall(r"\b[0-9a-f]{64}\b", sums):
            assert value in text, f"{part}: {value}"


def check_sbom_of(bom, programs, build):
    """Its files are these; the roots are those that were built in."""
    files = {c["name"]: c["hashes"][0]["content"] for c in bom["metadata"]["component"]["components"]}
    assert files == {p.name: sha256(p.read_bytes()) for p in programs}
    if build:
        header = (build / "gen/trust_anchors.h").read_text()
        roots = next(c for c in bom["components"] if c["type"] == "data")
        properties = {p["name"]: p["value"] for p in roots["properties"]}
        value = lambda name: re.search(rf"TRUST_ANCHORS_{name} (\d+)", header)[1]
        day = lambda name: datetime.fromtimestamp(int(value(name)), timezone.utc).strftime("%Y-%m-%d")
        assert properties == {"dnsbuddy:roots": value("N"), "dnsbuddy:roots-date": day("DATE_SEC"),
                              "dnsbuddy:roots-as-of": day("BUILT_SEC")}
        assert roots["hashes"] == [{"alg": "SHA-256", "content": sha256((build / "gen/trust_anchors.pem").read_bytes())}]


# -- the images


def check_oci(folder, programs):
    """programs: {architecture of Debian: file}. Every blob is what its name says, and none is there that nobody names."""
    blobs = {path.name: path.read_bytes() for path in (folder / "blobs/sha256").iterdir()}
    assert all(sha256(data) == name for name, data in blobs.items())
    used = set()

    def blob(descriptor):
        name = descriptor["digest"].removeprefix("sha256:")
        used.add(name)
        assert descriptor["size"] == len(blobs[name])
        return blobs[name]

    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    top, = json.loads((folder / "index.json").read_text())["manifests"]
    assert top["annotations"]["org.opencontainers.image.ref.name"] == VERSION
    index = json.loads(blob(top))
    assert index["mediaType"] == top["mediaType"] == "application/vnd.oci.image.index.v1+json"
    platforms = {"amd64": ("amd64", None), "arm64": ("arm64", "v8"), "armhf": ("arm", "v7"), "i386": ("386", None)}
    found = {(m["platform"]["architecture"], m["platform"].get("variant")): m for m in index["manifests"]}
    assert set(found) == {platforms[arch] for arch in programs}
    dockerfile = (ROOT / "Dockerfile.scratch").read_text()
    for arch, program in programs.items():
        manifest = json.loads(blob(found[platforms[arch]]))
        config, packed = json.loads(blob(manifest["config"])), blob(manifest["layers"][0])
        layer = gzip.decompress(packed)
        assert packed[4:8] == bytes(4), "gzip has a time in it"
        assert len(manifest["layers"]) == 1 and config["rootfs"]["diff_ids"] == [f"sha256:{sha256(layer)}"]
        assert (config["os"], config["architecture"], config.get("variant")) == ("linux", *platforms[arch])
        (name, (member, data)), = members(layer).items()
        assert (name, member.mode, member.uid, member.gid) == ("dnsbuddy", 0o755, 0, 0) and data == Path(program).read_bytes()
        run = config["config"]
        assert f"\nUSER {run['User']}\n" in dockerfile and f"\nENTRYPOINT {json.dumps(run['Entrypoint'])}\n" in dockerfile
        check = run["Healthcheck"]
        assert (f"HEALTHCHECK --interval={check['Interval'] // 10**9}s --timeout={check['Timeout'] // 10**9}s "
                f"--start-period={check['StartPeriod'] // 10**9}s CMD {json.dumps(check['Test'][1:])}\n") in dockerfile
        assert check["Test"][0] == "CMD" and config["config"]["Labels"]["org.opencontainers.image.version"] == VERSION
    assert used == set(blobs)
