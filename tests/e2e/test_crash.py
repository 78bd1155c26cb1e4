"""I5: killed at any call, or two at once: the next sync converges, and no rule is broken."""

import os
import signal
import threading

import pytest
from fake_consul import instance
from program import NAME

OLD, NEW = 250, 230  # enough for several batches of each kind
CALLS = ["zones", "list", "batch-post", "batch-post", "batch-delete", "batch-delete"]


def old_and_new():
    old = [f"198.51.100.{n}" for n in range(1, 251)]
    return old[:OLD], [old[0], *(f"203.0.113.{n}" for n in range(1, NEW + 1))]


@pytest.fixture
def scene(fake, start_cloudflare):
    old, new = old_and_new()
    cf = start_cloudflare(content_total=0)
    cf.seed_many([{"name": NAME, "type": "A", "content": a} for a in old])
    fake.instances = [instance(a) for a in new]
    return {"consul": fake, "cloudflare": cf}


class Killer:
    """Kills the run it is given, from within a server's thread."""

    def __init__(self):
        self.known, self.run = threading.Event(), None

    def aim(self, run):
        self.run = run
        self.known.set()
        return run

    def __call__(self, *_):
        assert self.known.wait(10)
        os.kill(self.run.pid, signal.SIGKILL)


def converge(run, scene, mark):
    _, new = old_and_new()
    cf = scene["cloudflare"]
    run("sync", "web", NAME, **scene).expect(0)
    cf.check_invariants(NAME, new, since=mark)
    since = len(cf.calls())
    run("sync", "web", NAME, **scene).expect(0)
    assert not cf.writes(since)


@pytest.mark.parametrize("effect", ["before", "after", "sent"])
@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_killed_at_a_call_of_cloudflare(start, run, scene, number, effect):
    """before: the call does nothing; after: it is done, its answer lost; sent: on its way."""
    cf, killer = scene["cloudflare"], Killer()
    mark = cf.mark()
    cf.fault("hook", nth=number, **{effect: killer})
    if effect == "before":
        cf.fault("reset", nth=number)
    done = killer.aim(start("sync", "web", NAME, **scene)).wait()
    # After "sent" the program may be quick enough for one call more, or to end.
    assert done.code == -signal.SIGKILL or (effect == "sent" and done.code == 0)
    assert [c.kind for c in cf.calls()][:number] == CALLS[:number]
    cf.check_invariants(NAME, old_and_new()[1], since=mark, final=False)
    converge(run, scene, mark)


@pytest.mark.parametrize("number", [1, 2])
def test_killed_at_a_call_of_consul(start, run, scene, number):
    cf, killer, fake = scene["cloudflare"], Killer(), scene["consul"]
    mark = cf.mark()
    fake.script = lambda request: killer() if len(fake.requests) == number else None
    killer.aim(start("sync", "web", NAME, **scene)).wait()
    assert not cf.writes()
    converge(run, scene, mark)


def test_killed_again_and_again(start, run, scene):
    """Each run gets one call further than the last; all of them together do the work."""
    cf = scene["cloudflare"]
    mark = cf.mark()
    for number in range(1, 9):
        killer = Killer()
        cf.faults.clear()
        cf.fault("hook", nth=number, after=killer)
        killer.aim(start("sync", "web", NAME, **scene)).wait()
    cf.faults.clear()
    converge(run, scene, mark)


def meet_after_listing(cloudflare, n):
    """Each of n runs gets its first listing when all have asked: they collide for certain."""
    barrier = threading.Barrier(n)

    def wait(_):
        try:
            barrier.wait(5)
        except threading.BrokenBarrierError:
            pass  # one of them did not come so far: the test will tell
    cloudflare.fault("hook", kind="list", times=n, after=wait)


@pytest.mark.parametrize("n", range(12))
def test_two_at_once(start, fake, cloudflare, n):
    """As two hosts that both watch, or a handler that is called twice."""
    address = "192.0.2.{}".format
    have = [address(i) for i in range(10) if (n * 7 + i) % 3]
    want = [address(i + 4) for i in range(n % 5 + 2)]
    for content in have:
        cloudflare.seed(NAME, "A", content)
    fake.instances = [instance(a) for a in want]
    meet_after_listing(cloudflare, 2)
    mark = cloudflare.mark()
    runs = [start("sync", "web", NAME, cloudflare=cloudflare, consul=fake) for _ in range(2)]
    for run in runs:
        run.wait().expect(0)
    cloudflare.check_invariants(NAME, want, since=mark)


def test_ten_at_once(start, fake, cloudflare):
    for n in range(1, 30):
        cloudflare.seed(NAME, "A", f"192.0.2.{n}")
    want = [f"192.0.2.{n}" for n in range(20, 60)]
    meet_after_listing(cloudflare, 10)
    fake.instances = [instance(a) for a in want]
    mark = cloudflare.mark()
    runs = [start("sync", "web", NAME, cloudflare=cloudflare, consul=fake) for _ in range(10)]
    for run in runs:
        run.wait().expect(0)
    cloudflare.check_invariants(NAME, want, since=mark)
