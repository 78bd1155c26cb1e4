"""What dnsbuddy's binary is made of, for the list of parts (sbom.py) and the copyright file (copyright.py).

Nothing of it is typed here that is somewhere already: versions, checksums and licences are those of the recipes of
third_party/, licence texts those of the unpacked sources, and of what comes from packages, what dpkg says.
"""
import functools
import hashlib
import os
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
DEBIAN = "Debian"
ROOTS_PACKAGE = "ca-certificates"


class Part(NamedTuple):
    """One part. `licence` is an SPDX id or expression; `files` say where it is in a build, as patterns."""
    name: str
    kind: str  # of CycloneDX
    version: str
    licence: str
    holders: list  # "YEARS NAME", of its copyright
    text: str  # of its licence; empty: it is not with the sources
    supplier: str
    purl: str
    files: str
    description: str
    sha256: str = ""
    origins: tuple = ()  # (url, sha256), of what was fetched
    properties: tuple = ()  # (name, value)


def die(text):
    raise SystemExit(f"{Path(__file__).name}: error: {text}")


def read(path):
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as e:
        die(f"{e.filename}: {e.strerror}; is it built?")
        raise


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def recipe(name, root=ROOT):
    """The assignments of a recipe, and as LICENCE what its first lines say."""
    text = read(root / "third_party" / name)
    values = dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(\S+)$", text, re.M))
    values["LICENCE"] = re.search(r"\(licence: (\S+)\)", text)[1]
    return values


@functools.cache
def asked(name):
    """(version, source, the source's version) of an installed package; without dpkg or the package: empty."""
    try:
        out = subprocess.run(["dpkg-query", "-W", "-f", "${Version} ${source:Package} ${source:Version} ${db:Status-Status}\n", name],
                             capture_output=True, text=True, check=True).stdout.splitlines()[0].split()
    except (OSError, subprocess.CalledProcessError, IndexError):
        return ("", "", "")
    return tuple(out[:3]) if out[3:] == ["installed"] else ("", "", "")


def package(name):
    return asked(name)[0]


def purl_version(version):
    return version.replace("+", "%2B").replace(":", "%3A")


def holders_of(text):
    return [f"{years} {who.strip()}" for years, who in
            re.findall(r"^\W*Copyright (?:\(c\) )?([\d, -]+\d) +(.+)$", text, re.M | re.I)]


def text_of(comment):
    """The licence in a file: its first comment or the whole, without the comment's stars and the copyright line."""
    body = re.match(r"/\*(.*?)\*/", comment, re.S)
    lines = [re.sub(r"^ ?\* ?", "", line).rstrip() for line in (body[1] if body else comment).strip().splitlines()]
    start = next(i for i, line in enumerate(lines) if line.startswith("Permission is hereby granted"))
    return "\n".join(lines[start:]).strip()


def bearssl():
    of = recipe("bearssl.sh")
    text = read(BUILD / "third_party/bearssl/LICENSE.txt")
    holders = holders_of(text)
    debian = re.fullmatch(r"bearssl_(.+)\.orig\.tar\.xz", of["DEBIAN_FILE"])[1]
    return Part("BearSSL", "library", of["VERSION"], of["LICENCE"], holders, text_of(text),
                supplier=re.sub(r"^[\d, -]+| *<.*", "", holders[0]),
                purl=f"pkg:generic/bearssl@{of['VERSION']}?checksum=sha256:{of['UPSTREAM_SHA256']}&download_url="
                     + of["UPSTREAM_URL"].replace(":", "%3A").replace("/", "%2F"),
                files="build/third_party/bearssl/*", description="TLS", sha256=of["UPSTREAM_SHA256"],
                origins=((of["UPSTREAM_URL"], of["UPSTREAM_SHA256"]),
                         (f"pkg:deb/debian/bearssl@{purl_version(debian)}?arch=source", of["DEBIAN_SHA256"])))


def jsmn():
    of = recipe("jsmn.sh")
    header = BUILD / "third_party/jsmn/jsmn.h"
    text = read(header)
    if sha256(header) != of["SHA256"]:
        die(f"{header} is not what third_party/jsmn.sh fetches")
    holders = holders_of(text)
    owner, repository = of["UPSTREAM_URL"].split("/")[3:5]
    debian = re.fullmatch(r"libjsmn-dev_(.+)_all\.deb", of["DEB"])[1]
    return Part("jsmn", "library", of["VERSION"], of["LICENCE"], holders, text_of(text),
                supplier=re.sub(r"^[\d, -]+", "", holders[0]),
                purl=f"pkg:github/{owner}/{repository}@v{of['VERSION']}", files="build/third_party/jsmn/jsmn.h",
                description="JSON", sha256=of["SHA256"],
                origins=((of["UPSTREAM_URL"], of["SHA256"]),
                         (f"pkg:deb/debian/libjsmn-dev@{purl_version(debian)}", of["DEB_SHA256"])))


def musl():
    """The same version for every architecture: musl.sh fetches that of this machine's package for others."""
    of = recipe("musl.sh")
    version = package("musl-dev") or of["VERSION"]
    sums = re.findall(r"^\t(\w+)\) echo ([0-9a-f]{64}) ;;$", read(ROOT / "third_party/musl.sh"), re.M)
    path = Path("/usr/share/doc/musl-dev/copyright")
    return Part("musl", "library", version, of["LICENCE"], [], read(path) if path.exists() else "", DEBIAN,
                f"pkg:deb/debian/musl@{purl_version(version)}?arch=source", "musl/*", "C library: the functions that are called",
                origins=tuple((f"pkg:deb/debian/musl-dev@{purl_version(version)}?arch={arch}", sum_) for arch, sum_ in sums)
                if version == of["VERSION"] else ())


def libgcc():
    """What the compiler calls by itself: division of 64 bits on 32-bit processors, say. For each architecture of DIST_ARCHS
    (default: this machine's) it is its compiler's; those of one package are one part."""
    compiler = os.environ.get("REALGCC", "gcc")
    ask = lambda *command: subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    release = ask(compiler, "-dumpversion").split(".")[0]
    archs = os.environ.get("DIST_ARCHS", "").split()
    here = ask("dpkg", "--print-architecture") if archs else ""
    found = {}
    for arch in archs or [here]:
        found.setdefault(asked(f"libgcc-{release}-dev" + (f"-{arch}-cross" if arch != here else "")), []).append(arch)
    return [Part("libgcc", "library", version or ask(compiler, "-dumpfullversion"), "GPL-3.0-or-later WITH GCC-exception-3.1", [], "",
                 DEBIAN if version else "GNU",
                 f"pkg:deb/debian/{source}@{purl_version(of_source)}?arch=source" if version else "pkg:generic/gcc",
                 "gcc/*", "runtime library of the compiler: the functions that are called",
                 properties=(("dnsbuddy:architectures", " ".join(of)),) if archs else ())
            for (version, source, of_source), of in found.items()]


def roots():
    """The root certificates built in, with their own date and the day as of which those that had ended were left out."""
    header = read(BUILD / "gen/trust_anchors.h")
    number = lambda name: int(re.search(rf"^#define TRUST_ANCHORS_{name} (\d+)", header, re.M)[1])
    pem = sha256(BUILD / "gen/trust_anchors.pem")
    version = package(ROOTS_PACKAGE)
    if os.environ.get("CA_BUNDLE") or os.environ.get("CA_DIR"):
        version = ""
    day = lambda name: datetime.fromtimestamp(number(name), timezone.utc).strftime("%Y-%m-%d")
    return Part("Mozilla root certificates", "data", version or f"sha256-{pem[:16]}", "MPL-2.0", [], "",
                DEBIAN if version else "CA_BUNDLE",
                f"pkg:deb/debian/{ROOTS_PACKAGE}@{purl_version(version)}?arch=all" if version else f"pkg:generic/roots@{pem[:16]}",
                f"{ROOTS_PACKAGE}/*", f"trust anchors, of the package {ROOTS_PACKAGE}" if version else "trust anchors",
                sha256=pem, properties=(("dnsbuddy:roots", str(number("N"))), ("dnsbuddy:roots-date", day("DATE_SEC")),
                                        ("dnsbuddy:roots-as-of", day("BUILT_SEC"))))


def project():
    text = read(ROOT / "LICENSE")
    holders = holders_of(text)
    version = read(ROOT / "VERSION").strip()
    return Part("dnsbuddy", "application", version, "MIT", holders, text_of(text), re.sub(r"^[\d, -]+", "", holders[0]),
                f"pkg:generic/dnsbuddy@{purl_version(version)}", "*", "keeps Cloudflare DNS records in step with Consul services")


def parts():
    return [bearssl(), jsmn(), musl(), *libgcc(), roots()]
