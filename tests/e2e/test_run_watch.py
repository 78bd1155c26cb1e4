"""`dnsbuddy run` and `dnsbuddy watch` together: what the one says in Consul is what the other brings into DNS."""

import signal
import time

import pytest
from running import events, script, shim, tells
from watching import scene, until

__all__ = ["events", "scene", "script", "shim", "tells"]

A, B = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def pair(scene, shim):
    """pair(*flags): the site of a service with one instance that stays, B, followed by a watch, and a run at A that is in DNS."""
    def begin(*flags, grace=0, **keys):
        site = scene.site(B)
        site.slack = 60  # what is listed is told by a run here, not by the site
        watch = scene.watch(site, "--grace", str(grace))
        site.settle()
        one = shim("--interface", f"static:{A}", "--service", site.service, *flags, named=False, service=site.service, **keys)
        until(lambda: site.contents() == [A, B], say=one.text)
        return site, watch, one
    return begin


def test_a_drain_is_no_death(pair, events):
    """Maintenance takes the record away at once, though one that dies stays for the grace; and back it comes."""
    site, watch, one = pair("--interval", "1", "--ttl", "5", "--drain", "1", grace=60, app=events.app())
    for _ in range(2):
        began = time.monotonic()
        one.send(signal.SIGUSR1)
        until(lambda: site.contents() == [B], say=lambda: f"{one.entries()}\n{one.text()}\n{watch.text()}")
        assert time.monotonic() - began < 3
        one.send(signal.SIGUSR1)
        site.settle([A, B])
    assert one.stop() == 7
    site.settle([B])


def test_a_drained_stop_leaves_dns_before_the_application_ends(pair, events, tells):
    site, watch, one = pair("--drain", "2", app=events.app(), grace=60)
    one.send(signal.SIGTERM)
    site.settle([B], seconds=1.9)
    assert "app TERM" not in events.all()
    assert one.wait() == 7
    site.settle([B])


def test_a_death_stays_for_the_grace(pair):
    site, watch, one = pair("--interval", "1", "--ttl", "2", grace=2)
    began = time.monotonic()
    one.end()
    site.settle([B], seconds=15)
    assert time.monotonic() - began > 2.5


def test_a_reload_does_not_touch_dns(pair, scene):
    site, watch, one = pair("--interval", "1", "--ttl", "5")
    since = len(scene.calls())
    for _ in range(20):
        one.send(signal.SIGHUP)
        time.sleep(0.03)
    time.sleep(0.5)
    assert not scene.calls(since) and site.contents() == [A, B]
    assert one.stop() == 143
    site.settle([B])


def test_consul_forgets_it_and_dns_does_not(pair, scene):
    """Registered again within a heartbeat, well before the grace is over."""
    site, watch, one = pair("--interval", "1", "--ttl", "2", grace=5)
    since = len(scene.cf.writes())
    scene.consul.put(f"/v1/agent/service/deregister/{one.id}")
    one.until_state("passing", seconds=5)
    time.sleep(0.5)
    assert site.contents() == [A, B] and len(scene.cf.writes()) == since
    assert one.stop() == 143
    site.settle([B], seconds=15)
