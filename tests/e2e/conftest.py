import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SHOWN = 6000  # bytes of a log
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parents[1] / "scripts/manual")]

from cloudflare.plugin import authority, cloudflare, cloudflare_dns, start_cloudflare
from consul import Consul
from fake_consul import FakeConsul
from program import Running, environment

__all__ = ["authority", "cloudflare", "cloudflare_dns", "start_cloudflare"]


@pytest.fixture(scope="session")
def consul(tmp_path_factory):
    """The agent of all tests of a run; each test has services of its own names."""
    agent = Consul(tmp_path_factory.mktemp("consul"))
    yield agent
    agent.stop()


@pytest.fixture(scope="session")
def manual(tmp_path_factory):
    """The folder into which scripts/manual/ wrote man/ and completions/."""
    folder = tmp_path_factory.mktemp("manual")
    subprocess.run([sys.executable, "-B", HERE.parents[1] / "scripts/manual/make.py", folder], check=True)
    return folder


@pytest.fixture
def start_fake():
    """start_fake(**arguments of FakeConsul): as many as a test wants."""
    fakes = []

    def begin(*args, **keys):
        fakes.append(FakeConsul(*args, **keys))
        return fakes[-1]

    yield begin
    for fake in fakes:
        fake.stop()


@pytest.fixture
def fake(start_fake):
    """A scripted Consul."""
    return start_fake()


@pytest.fixture
def start(request):
    """start(*args, cloudflare=, consul=, env={}, **of Running): a run under way.

    Its environment holds nothing but what is said: cloudflare and consul name the parts it finds.
    Of a test that fails, what it logged last is shown.
    """
    runs = []
    failed_before = request.session.testsfailed

    def begin(*args, cloudflare=None, consul=None, env=None, **keys):
        runs.append(Running(args, environment(cloudflare, consul, **(env or {})), **keys))
        return runs[-1]

    yield begin
    for run in runs:
        if request.session.testsfailed > failed_before and not run.files[1].closed:
            print(*run.args, run.logged()[-SHOWN:], sep="\n")
        if run.process.poll() is None:
            run.kill()
            run.process.wait()


@pytest.fixture
def run(start):
    """As start(), to the end: a Result."""
    return lambda *args, **keys: start(*args, **keys).wait()
