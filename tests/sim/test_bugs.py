"""The simulated world bites: some of its bugs are found here, and the table of all is of those that are there."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PATCHES = sorted((ROOT / "tests/sim/bugs").glob("*.patch"))
DOCUMENT = (ROOT / "docs/simulation.md").read_text()
TABLE = DOCUMENT.partition("<!-- bugs: made by make sim-bugs -->")[2].partition("<!-- bugs: end -->")[0]

# Found within seconds, each by another rule.
QUICK = ["delete-first", "believe-empty", "foreign-adopted", "lost-write-repeated"]


def test_the_table_is_of_the_patches_that_are_there():
    assert re.findall(r"^\| `([a-z0-9-]+)` \|", TABLE, re.M) == [p.stem for p in PATCHES]
    assert len(PATCHES) >= 15


@pytest.mark.parametrize("patch", PATCHES, ids=lambda p: p.stem)
def test_it_applies(patch, tmp_path):
    files = re.findall(r"^--- a/(\S+)", patch.read_text(), re.M)
    assert files
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    done = subprocess.run(["patch", "-p1", "--batch", "--fuzz=3", "--no-backup-if-mismatch", "-d", tmp_path, "-i", patch],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout


def test_some_are_found():
    """What `make sim-bugs` does with all."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "BUILD"))}
    build = os.path.relpath(os.environ.get("BUILD", "build"), ROOT)
    done = subprocess.run(["make", "-s", "sim-bugs", f"BUILD={build}", "BUGS=" + " ".join(QUICK)], cwd=ROOT, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{len(QUICK)} of {len(QUICK)} bugs found" in done.stdout
