"""The program as a file, and what becomes of it in memory: what is meant to be closed is closed."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from program import binary
from watching import scene

__all__ = ["scene"]

PAGE = os.sysconf("SC_PAGE_SIZE")


def readelf(*options, program=None):
    return subprocess.run(["readelf", "-W", *options, program or binary()], check=True, capture_output=True, text=True,
                          env={"LC_ALL": "C", "PATH": os.environ["PATH"]}).stdout


def segments(program=None):
    """[(type, address, size in memory, rights)]"""
    rows = re.findall(r"^  ([A-Z_]+) +0x\w+ (0x\w+) 0x\w+ 0x\w+ (0x\w+) ([R ][W ][E ]) 0x", readelf("-l", program=program), re.M)
    assert rows
    return [(kind, int(at, 16), int(size, 16), rights.replace(" ", "")) for kind, at, size, rights in rows]


def check_file(program=None):
    """It is static, position-independent, and nothing in it can be both written to and run."""
    kinds = [s[0] for s in segments(program)]
    assert re.search(r"Type: +DYN ", readelf("-h", program=program))
    assert "INTERP" not in kinds and "(NEEDED)" not in readelf("-d", program=program)
    assert re.search(r"\(FLAGS_1\) +Flags: NOW PIE", readelf("-d", program=program))
    assert kinds.count("GNU_RELRO") == 1
    rights = {kind: r for kind, _, _, r in segments(program)}
    assert rights["GNU_STACK"] == "RW"
    assert not [s for s in segments(program) if "W" in s[3] and "E" in s[3]]
    # Code and constants are apart: no load that is run has anything but code in it.
    assert [r for kind, _, _, r in segments(program) if kind == "LOAD"] == ["R", "RE", "R", "RW", "RW"]


def test_the_file():
    check_file()


def check_closed(pid, program=None):
    """Pointers to functions, and all else that only relocating changes, cannot be written to (full RELRO)."""
    maps = [(int(a, 16), int(b, 16), rights) for a, b, rights, path in
            re.findall(r"^(\w+)-(\w+) (\S+) \S+ \S+ \S+ +(\S+)$", Path(f"/proc/{pid}/maps").read_text(), re.M)
            if path == os.path.realpath(program or binary())]
    base = maps[0][0]

    def rights_at(address):
        return next(r for a, b, r in maps if a <= base + address < b)

    (start, size), = [(at, size) for kind, at, size, _ in segments(program) if kind == "GNU_RELRO"]
    assert size > PAGE / 8
    for page in range(start & -PAGE, start + size, PAGE):
        assert rights_at(page) == "r--p", maps
    written = [at for kind, at, _, rights in segments(program) if kind == "LOAD" and rights == "RW"]
    assert rights_at(written[-1]) == "rw-p"


def test_what_was_relocated_is_closed(scene):
    if os.getuid() != 0:
        pytest.skip("where what lies in a program that is not dumpable, root alone may see")
    _, watch = scene.started("192.0.2.1")
    check_closed(watch.pid)
