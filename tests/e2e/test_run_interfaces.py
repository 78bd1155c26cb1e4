"""Which address `dnsbuddy run` registers, in a network of its own, and what it does when that changes."""

import shutil
import subprocess

import pytest
from program import binary
from running import PATHS, events, script, shim, tells
from watching import until
from world import Consul8500, make_world

__all__ = ["events", "make_world", "script", "shim", "tells"]


@pytest.fixture
def world(make_world, tmp_path):
    """With a Consul at 127.0.0.1:8500; listed(service) is the address it has of it."""
    made = make_world()
    made.consul = made.inside(lambda: Consul8500(tmp_path / "consul"))

    def listed(name):
        entries = made.inside(lambda: made.consul.get(f"/v1/health/service/{name}"))
        return [e["Service"]["Address"] for e in entries if {c["Status"] for c in e["Checks"]} == {"passing"}]
    made.listed = listed
    made.ip = lambda *words: subprocess.run(made.enter("ip", *words), check=True)
    yield made
    made.consul.stop()


@pytest.fixture
def inside(world, shim):
    """inside(*flags): a run in that network; .run with the service `web`."""
    def begin(*flags, service="web"):
        words = world.enter(binary(), "run", "--service", service, "--interval", "1", "--ttl", "5", *flags, "--", "sleep", "600")
        return shim(words=words[1:], named=False, app=None, executable=shutil.which("nsenter"), argv0="nsenter",
                    env={"PATH": PATHS, "CONSUL_HTTP_ADDR": None})
    return begin


RULES = {
    "": "203.0.113.7", "public": "203.0.113.7", "eth0": "10.20.30.40", "eth0:inet": "10.20.30.40", "eth1[0]": "203.0.113.7",
    "inet": "10.20.30.40", "10.0.0.0/8": "10.20.30.40", "203.0.0.0/8,eth0": "203.0.113.7", "eth9,eth0": "10.20.30.40",
    "static:198.51.100.3": "198.51.100.3", "lo": "127.0.0.1",
}


def test_the_rules(world, inside):
    """All of them at once."""
    runs = {}
    for n, rule in enumerate(RULES):
        runs[f"web-{n}"] = inside(*(("--interface", rule) if rule else ()), service=f"web-{n}")
    for name, wanted in zip(runs, RULES.values()):
        until(lambda: world.listed(name) == [wanted], say=lambda: f"{name}: {world.listed(name)}, not {wanted}\n{runs[name].text()}")


def test_an_address_that_changes_is_registered_anew(world, inside):
    """By DHCP, as it were; the old one is gone with it."""
    one = inside("--interface", "eth1")
    until(lambda: world.listed("web") == ["203.0.113.7"], say=one.text)
    world.ip("addr", "add", "203.0.113.9/32", "dev", "eth1")
    world.ip("addr", "del", "203.0.113.7/24", "dev", "eth1")
    until(lambda: world.listed("web")[-1:] == ["203.0.113.9"], say=one.text)
    assert one.stop() == 143 and world.listed("web") == []


def test_a_card_that_comes_and_goes(world, inside):
    """Better by the list: taken as soon as it is there. None left: the last one stays, and a warning."""
    one = inside("--interface", "eth5,eth0")
    until(lambda: world.listed("web") == ["10.20.30.40"], say=one.text)
    world.ip("link", "add", "eth5", "type", "veth", "peer", "name", "end5")
    world.ip("addr", "add", "198.51.100.5/24", "dev", "eth5")
    world.ip("link", "set", "end5", "up")
    world.ip("link", "set", "eth5", "up")
    until(lambda: world.listed("web") == ["198.51.100.5"], say=one.text)
    world.ip("link", "del", "eth5")
    until(lambda: world.listed("web") == ["10.20.30.40"], say=one.text)
    world.ip("addr", "flush", "dev", "eth0")
    until(lambda: [line for line in one.logs if line["level"] == "warn"], say=one.text)
    assert world.listed("web") == ["10.20.30.40"] and not one.is_over()
    assert one.stop() == 143
