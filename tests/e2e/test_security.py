"""SECURITY.md: every test that it names is there; and what no other file tests of what it says."""

import os
import re
import subprocess

import pytest
from program import ROOT

TEXT = (ROOT / "SECURITY.md").read_text()
NAMED = re.findall(r"`([a-z0-9_]+/[\w/.]+\.(?:py|c))::(\w+)`", TEXT)
PARTS = re.split(r"^### ", TEXT, flags=re.M)[1:]


def test_every_test_that_is_named_is_there():
    assert len(NAMED) > 50 and len(NAMED) == TEXT.count("::test_")
    for path, name in NAMED:
        file = ROOT / "tests" / path
        assert file.exists(), path
        pattern = rf"^def {name}\(" if path.endswith(".py") else rf"^static void {name}\(void \*\*state\)"
        assert re.search(pattern, file.read_text(), re.M), f"{path} has no {name}"
        if path.endswith(".c"):  # and is one of those that are run
            assert len(re.findall(rf"\b{name}\b", file.read_text())) > 1, f"{path} does not run {name}"


def test_each_part_has_tests_and_says_what_it_does_not_cover():
    assert len(PARTS) == 8
    for part in PARTS:
        title = part.partition("\n")[0]
        assert "::test_" in part, title
        assert "Not covered: " in part, title


def test_the_version_that_is_mended_is_this_one():
    major_minor = ".".join((ROOT / "VERSION").read_text().split(".")[:2])
    assert f"| {major_minor}.x | yes |" in TEXT


@pytest.mark.parametrize("script, variable", [("jsmn.sh", "JSMN_H"), ("bearssl.sh", "BEARSSL_TARBALL")])
def test_a_wrong_checksum_stops_the_build(tmp_path, script, variable):
    wrong = tmp_path / "wrong"
    wrong.write_text("/* not what it is called */\n")
    done = subprocess.run([ROOT / "third_party" / script], capture_output=True, text=True, timeout=60, check=False, env={
        "PATH": os.environ["PATH"], "BUILD": str(tmp_path / "build"), "DNSBUDDY_CACHE": str(tmp_path / "cache"), variable: str(wrong)})
    assert done.returncode and "wrong checksum" in done.stderr
    left = [p for p in (tmp_path / "build").rglob("*") if p.is_file() and p.suffix in (".mk", ".c") or p.name == "jsmn.h"]
    assert not left
