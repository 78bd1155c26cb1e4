"""README's pictures (docs/pictures) show what the program prints and serves today. `make pictures` makes them anew."""

import random
import re
import struct
import sys
import zlib
import xml.etree.ElementTree as ElementTree

import pytest
from program import ROOT

sys.path.append(str(ROOT / "tests/pictures"))

from drawing import roles, terminal
from png import SIGNATURE, chunk, rows_of, text_of, with_text
from scene import PLAN, Scene

FOLDER = ROOT / "docs/pictures"
BYTES_MAX = 60_000
STALE = "docs/pictures/{} is stale: make pictures"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with Scene(tmp_path_factory.mktemp("pictures")) as made:
        yield made


@pytest.fixture(scope="module")
def planned(scene):
    return scene.plan()


@pytest.fixture(scope="module")
def watched(scene, planned):
    scene.watch()
    return scene


def words_of(name):
    """Each text of a drawing."""
    tree = ElementTree.parse(FOLDER / name)
    return [node.text for node in tree.iter("{http://www.w3.org/2000/svg}text")]


def test_plan_prints_what_its_picture_shows(planned):
    command, *lines = words_of("plan.svg")
    assert command == "$ dnsbuddy " + " ".join(PLAN)
    assert lines == re.sub(r"\x1b\[\d*m", "", planned).splitlines(), STALE.format("plan.svg")
    assert (FOLDER / "plan.svg").read_text() == terminal(command.removeprefix("$ "), planned), STALE.format("plan.svg")


def test_the_page_is_as_its_picture_shows_it(watched):
    shown = text_of((FOLDER / "page.png").read_bytes())
    assert shown.splitlines() == watched.page().splitlines(), STALE.format("page.png")


def test_the_roles_are_commands_and_paths_that_there_are(watched, run):
    assert (FOLDER / "roles.svg").read_text() == roles(), STALE.format("roles.svg")
    text = " ".join(words_of("roles.svg"))
    listed = re.findall(r"^  dnsbuddy (\w+)", run("help").expect(0).out, re.M)
    named = re.findall(r"dnsbuddy (\w+)", text)
    assert len(named) == 3 and set(named) <= set(listed)
    paths = re.findall(r"/\w+", text)
    assert paths and all(watched.get(path) for path in paths)


def test_they_are_small_and_readme_shows_each():
    readme = (ROOT / "README.md").read_text()
    names = sorted(p.name for p in FOLDER.iterdir())
    assert names == sorted(re.findall(r"!\[[^\]]{20,}\]\(docs/pictures/([\w.]+)\)", readme))
    for name in names:
        assert (FOLDER / name).stat().st_size <= BYTES_MAX, name


def test_a_picture_that_carries_a_text_is_the_same_picture():
    data = (FOLDER / "page.png").read_bytes()
    again = with_text(data, "Ü" * 3000)
    assert text_of(again) == "Ü" * 3000
    assert with_text(again, text_of(data)) == data


def test_a_picture_is_read_whatever_filters_its_rows_have():
    """PNG (RFC 2083) chapter 6: each row may be less than its left, upper, mean or nearest neighbour."""
    dice, width = random.Random(1), 7
    rows = [bytes(dice.choices((0, 90, 200, 255), k=3 * width)) for _ in range(10)]
    packed = b""
    for n, row in enumerate(rows):
        above = rows[n - 1] if n else bytes(3 * width)
        packed += bytes([n % 5])
        for i, x in enumerate(row):
            a, b, c = (row[i - 3] if i > 2 else 0), above[i], (above[i - 3] if i > 2 else 0)
            p = a + b - c
            paeth = a if abs(p - a) <= min(abs(p - b), abs(p - c)) else b if abs(p - b) <= abs(p - c) else c
            packed += bytes([(x - (0, a, b, (a + b) // 2, paeth)[n % 5]) & 255])
    data = (SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(packed)) + chunk(b"IEND", b""))
    assert rows_of(data) == (width, rows)
