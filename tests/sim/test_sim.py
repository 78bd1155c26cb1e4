"""Simulated days under the sanitizers; that a day can be repeated; that one that fails is made shorter."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
DAYS = 200


def make(*targets):
    """Build what a test needs; `make test` has done so before."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "BUILD"))}
    done = subprocess.run(["make", "-s", f"BUILD={os.path.relpath(BUILD, ROOT)}", *targets], cwd=ROOT, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout


def run(program, *args, code=0):
    done = subprocess.run([program, *args], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
    assert done.returncode == code, done.stdout[-20000:]
    return done.stdout


@pytest.fixture(scope="module")
def sim():
    make(os.path.relpath(BUILD, ROOT) + "/asan/sim")
    return BUILD / "asan/sim"


def test_days(sim):
    """Nothing breaks a rule, and there was something to check: not all is excused."""
    said = run(sim, "--seed", "1", "--days", str(DAYS), "--jobs", str(os.cpu_count() or 1))
    days, writes, removals, excused, rests = (
        int(n) for n in re.search(r"^(\d+) days in \d+ s: \d+ calls, (\d+) writes, (\d+) removals checked \(of (\d+) .*, (\d+) times",
                                  said, re.M).groups())
    assert days == DAYS and rests == 8 * DAYS
    assert writes > 20 * DAYS and removals > 15 * DAYS and excused < removals / 10


def test_a_day_can_be_repeated(sim):
    assert run(sim, "--seed", "5", "--trace") == run(sim, "--seed", "5", "--trace")
    assert run(sim, "--seed", "5", "--trace") != run(sim, "--seed", "6", "--trace")


def test_decisions_can_be_left_out(sim):
    """Without any a day is as quiet as its configuration."""
    said = run(sim, "--seed", "5", "--trace", "--only", "none")
    assert "record created" in said and "others:" not in said and "is gone" not in said
    assert "] kill" in run(sim, "--seed", "2", "--trace")


def test_a_day_that_fails_is_made_shorter():
    """And the command that is shown breaks the same rule."""
    make("sim-bugs", "BUGS=delete-first")
    said = run(BUILD / "sim/bugs/delete-first/sim", "--days", "50", code=1)
    first = re.search(r"^FAIL seed=(\d+) invariant=(\S+) ", said, re.M)
    all_n, needed_n = (int(n) for n in re.search(r"of (\d+) decisions (\d+) are needed", said).groups())
    assert needed_n < all_n
    again = shlex.split(re.search(r"again with: (.*)$", said, re.M).group(1))
    assert again[1:3] == ["--seed", first.group(1)]
    assert f"FAIL seed={first.group(1)} invariant={first.group(2)} " in run(*again, code=1)
