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

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from program import Running, environment
from test_binary import check_file, readelf

ARCH, PROGRAM = os.environ["CROSS_ARCH"], os.environ["CROSS_PROGRAM"]
MACHINES = {"amd64": "X86-64", "arm64": "AArch64", "armhf": "ARM", "i386": "Intel 80386"}
IS_32_BIT = ARCH in ("armhf", "i386")
NAMES = 1024
# What a program of 32 bit has on a kernel of 32 bit.
ADDRESSES = 3 << 30
NOWHERE = {"CLOUDFLARE_API_TOKEN": "t" * 40, "CONSUL_HTTP_ADDR": "127.0.0.1:1", "CF_API_URL": "http://127.0.0.1:1"}


def test_the_file():
    check_file(PROGRAM)
    assert re.search(rf"Machine: +(Advanced Micro Devices )?{MACHINES[ARCH]}$", readelf("-h", program=PROGRAM), re.M)
    if ARCH == "armhf":
        assert "Tag_ABI_VFP_args: VFP registers" in readelf("-A", program=PROGRAM)


def test_a_thousand_names_have_room(tmp_path):
    """All their addresses, and those of as many services, in what a program of this architecture has."""
    file = tmp_path / "records.json"
    file.write_text(json.dumps({"records": [{"service": f"s{n}", "record": f"n{n}.example.com"} for n in range(NAMES)]}))
    limit = {"QEMU_RESERVED_VA": str(ADDRESSES)} if IS_32_BIT else {}
    run = Running(["watch", "--config", file], environment(**NOWHERE, **limit))
    end = time.monotonic() + 30
    while "msg=watching" not in run.logged() and run.process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    run.process.send_signal(signal.SIGTERM)
    done = run.wait().expect(0)
    assert done.find("watching")[0]["records"] == str(NAMES)
    plan = Running(["plan", "--config", file], environment(**NOWHERE, **limit)).wait()
    assert "no memory" not in plan.err and plan.out.count("connect") >= 1, plan


def test_a_clock_past_32_bits():
    """Seconds since the start that 32 bits cannot count: deadlines are where they were."""
    later = ["unshare", "--time", "--boottime", "5000000000", "--monotonic", "5000000000"]
    if not shutil.which("unshare") or subprocess.run([*later, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespace of clocks may be made here")
    run = Running([*later[1:], os.environ["DNSBUDDY"], "sync", "--retry-for", "3", "s", "www.example.com"],
                  environment(**NOWHERE), executable=shutil.which("unshare"))
    done = run.wait().expect(1)
    assert 2 <= done.seconds < 15 and done.find("retrying"), done
