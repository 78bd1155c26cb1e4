"""src/README.md: its folders, files and layers are those that are there, its I1 to I9 all that are spoken of."""

import importlib.util
import re

import readme
from program import ROOT

SRC = ROOT / "src"
TEXT = (SRC / "README.md").read_text()
ROWS = readme.read_table(TEXT, "folder")
FILE = re.compile(r"`([a-z_/]+\.(?:c|h|def))`")
RULE = re.compile(r"\bI[1-9]\d*\b")


def names(cell):
    return [q.removesuffix(".c").rstrip("/") for q in re.findall(r"`([a-z_/.]+)`", cell)]


def chart():
    spec = importlib.util.spec_from_file_location("chart", ROOT / "scripts/lint-includes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.UNDER


def test_the_folders_and_their_layers_are_those_of_lint():
    table = {folder: set(names(row[2])) for row in ROWS[1:] for folder in names(row[0])}
    there = {folder for folder in chart() if folder == "main" or (SRC / folder).is_dir()}
    assert table == {folder: set(under) & there for folder, under in chart().items() if folder in there}


def test_the_files_are_there():
    for row in ROWS[1:]:
        for name in FILE.findall(" ".join(row[1:])):
            assert any((SRC / f / name).exists() for f in ["", *names(row[0])]), f"{row[0]}: {name}"
    for name in FILE.findall(TEXT.partition("## How it works")[2]):
        assert (SRC / name).exists(), name


def test_every_rule_that_is_spoken_of_is_defined():
    defined = re.findall(r"^- \*\*(I\d+) ", TEXT, re.M)
    assert defined == [f"I{n}" for n in range(1, len(defined) + 1)]
    files = [p for folder in (SRC, ROOT / "tests") for p in folder.rglob("*") if p.suffix in (".c", ".h", ".py")]
    spoken = {rule for path in files for rule in RULE.findall(path.read_text())}
    assert spoken == set(defined), spoken ^ set(defined)
