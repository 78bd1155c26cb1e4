"""Writes that are given up: whoever asked for them is gone, or does not lead any more; they must not come true."""

import os
import signal
import time
from urllib.parse import urlsplit

import pytest
from gate import Gate
from watching import scene, until

__all__ = ["scene"]

A = "192.0.2.1"
MANY = [f"198.51.100.{n}" for n in range(1, 62)]  # with A one transaction in Consul; 10 kB in a batch


@pytest.fixture
def stalled(scene):
    """A way to Cloudflare that takes next to nothing once it is frozen."""
    with Gate(scene.cf.port, room=2048) as gate:
        scene.cf.forwarders.append(gate.port)
        yield gate


def through(scene, gate):
    return {"CF_API_URL": scene.cf.url.replace(str(urlsplit(scene.cf.url).port), str(gate.port), 1)}


def add_all(scene, site):
    site.change(site.states | {a: "passing" for a in MANY},
                lambda: scene.consul.add_many(site.service, MANY))


def written(scene, since):
    return [c for c in scene.calls(since) if c.kind not in ("list", "zones")]


@pytest.mark.parametrize("number, wait", [(signal.SIGTERM, 1.0), (signal.SIGKILL, 0.1)])
def test_watch_is_ended_while_a_batch_is_on_its_way(scene, stalled, number, wait):
    site = scene.site(A)
    watch = scene.watch(site, env=through(scene, stalled))
    site.settle()
    site.checked = False
    since = len(scene.calls())
    stalled.freeze()
    add_all(scene, site)
    time.sleep(0.5)
    watch.send(number)
    watch.ended = True
    watch.run.process.wait(3)
    stalled.freeze(False)
    time.sleep(1)
    assert not written(scene, since) and site.contents() == [A]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_sync_is_ended_while_a_batch_is_on_its_way(scene, stalled, start, number):
    site = scene.site(A, records=[A])
    add_all(scene, site)
    site.checked = False
    fault = scene.cf.fault("delay", kind="list", seconds=0.5)
    run = start("sync", site.service, site.name, cloudflare=scene.cf, consul=scene.consul,
                env=through(scene, stalled))
    until(lambda: fault.hits)
    stalled.freeze("up")
    time.sleep(1)
    os.kill(run.pid, number)
    run.process.wait(3)
    stalled.freeze(False)
    time.sleep(1)
    assert not written(scene, 0) and site.contents() == [A]
