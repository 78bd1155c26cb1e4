"""The program of another architecture, by qemu-user: what differs from one architecture to the next."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "e2e")]

from program import Running, environment
from released import check_program
from test_binary import check_closed, check_file, readelf

ARCH, PROGRAM = os.environ["CROSS_ARCH"], os.environ["CROSS_PROGRAM"]
IS_32_BIT = ARCH in ("armhf", "i386")
NAMES = 1024
# On a kernel of 32 bit a program has 3 GB of addresses, and a PIE of i386 lies in their midst: half of them.
ADDRESSES = 3 << 29
NOWHERE = {"CLOUDFLARE_API_TOKEN": "t" * 40, "CONSUL_HTTP_ADDR": "127.0.0.1:1", "CF_API_URL": "https://127.0.0.1:1"}


def test_the_file():
    check_file(PROGRAM)
    check_program(PROGRAM, ARCH)
    if ARCH == "armhf":
        assert "Tag_ABI_VFP_args: VFP registers" in readelf("-A", program=PROGRAM)


def test_a_thousand_names_have_room(tmp_path):
    """All their addresses, and those of as many services, in what a program of this architecture has; and what was
    relocated is closed."""
    file = tmp_path / "records.json"
    file.write_text(json.dumps({"records": [{"service": f"s{n}", "record": f"n{n}.example.com"} for n in range(NAMES)]}))
    run = Running(["watch", "--config", file], environment(**NOWHERE))
    end = time.monotonic() + 30
    while "msg=watching" not in run.logged() and run.process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert f"msg=watching records={NAMES}" in run.logged(), run.logged()
    # Qemu maps the program's file where the program is, with the rights that it has.
    check_closed(run.pid, PROGRAM)
    # Qemu's own are among them.
    sizes = [int(b, 16) - int(a, 16) for a, b in re.findall(r"^(\w+)-(\w+) rw-p", Path(f"/proc/{run.pid}/maps").read_text(), re.M)]
    run.process.send_signal(signal.SIGTERM)
    run.wait().expect(0)
    assert 100 << 20 < sum(sizes) and (sum(sizes) < ADDRESSES or not IS_32_BIT), sum(sizes)


def test_a_clock_past_32_bits():
    """Seconds since the start that 32 bits cannot count: deadlines are where they were."""
    later = ["unshare", "--time", "--fork", "--boottime", "4400000000", "--monotonic", "4400000000"]
    if not shutil.which("unshare") or subprocess.run([*later, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespace of clocks may be made here")
    run = Running([*later[1:], os.environ["DNSBUDDY"], "sync", "--retry-for", "3", "s", "www.example.com"],
                  environment(**NOWHERE), executable=shutil.which("unshare"))
    done = run.wait().expect(1)
    assert done.find("retrying") and done.seconds < 15, done
