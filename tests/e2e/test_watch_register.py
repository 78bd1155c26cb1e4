"""watch registers itself in Consul: a check that says in one line how it is."""

import re
import shutil
import socket
import subprocess
import time

import pytest
from consul import Consul
from gate import Gate
from program import NAME, binary
from test_watch_crash import as_pid_1
from watching import Watch, scene, until

__all__ = ["scene"]

A, B = "192.0.2.1", "192.0.2.2"


def entries(consul, name):
    return consul.get(f"/v1/health/service/{name}?consistent")


def check_of(consul, name):
    """Its check as the agent knows it; an output that changes alone comes to the catalog late."""
    found = [c for c in consul.get("/v1/agent/checks").values() if c["ServiceName"] == name]
    return found[0] if len(found) == 1 else None


def output(consul, name):
    return (check_of(consul, name) or {}).get("Output", "")


def test_the_check_says_in_one_line_how_it_is(scene):
    site, watch = scene.started(A, env={"DNSBUDDY_REGISTER_AS": None})
    until(lambda: output(scene.consul, "cloudflare") == "1 record: 1 in sync")
    check = check_of(scene.consul, "cloudflare")
    assert check["Status"] == "passing" and check["Type"] == "ttl"
    assert re.fullmatch(rf"cloudflare-{re.escape(socket.gethostname())}-[0-9a-f]{{8}}", check["ServiceID"])
    watch.stop()
    assert entries(scene.consul, "cloudflare") == []


def test_trouble_is_in_it(scene):
    site, watch = scene.started(A, env={"DNSBUDDY_REGISTER_AS": "buddy"}, args=["--unhealthy-after", "2"])
    scene.cf.fault("status", status=503, times=0)
    site.add(B)
    until(lambda: "1 failing" in output(scene.consul, "buddy"))
    assert "HTTP 503" in output(scene.consul, "buddy")
    until(lambda: check_of(scene.consul, "buddy")["Status"] == "critical", seconds=6)
    assert scene.cf.token not in output(scene.consul, "buddy")
    scene.cf.faults.clear()
    site.settle(seconds=15)
    until(lambda: check_of(scene.consul, "buddy")["Status"] == "passing")


def test_what_is_held_is_in_it(scene):
    site, watch = scene.started(A, env={"DNSBUDDY_REGISTER_AS": "held"})
    site.remove(A)
    until(lambda: "1 held" in output(scene.consul, "held"))
    assert "--on-empty" in output(scene.consul, "held")
    assert check_of(scene.consul, "held")["Status"] == "passing"
    site.add(A)


@pytest.mark.parametrize("name", ["none"])
def test_not_registered_if_told(scene, name):
    _, watch = scene.started(A, env={"DNSBUDDY_REGISTER_AS": name})
    time.sleep(0.5)
    assert not [s for s in scene.consul.get("/v1/agent/services") if s.startswith(("cloudflare-", "none-", "-"))]


def test_two_copies_on_one_host_are_two(scene):
    """Both PID 1, as in two containers with the host's network and name."""
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run(as_pid_1("true"), capture_output=True, check=False).returncode:
        pytest.skip("no namespace of processes may be made here")
    site = scene.site(A)
    for _ in range(2):
        run = scene.start(*as_pid_1(binary(), "watch", "--register-as", "twins", site.service, NAME)[1:],
                          executable=unshare, cloudflare=scene.cf, consul=scene.consul, timeout=60)
        Watch(run).wait_for("watching")
    until(lambda: len(entries(scene.consul, "twins")) == 2)
    ids = {e["Service"]["ID"] for e in entries(scene.consul, "twins")}
    assert len(ids) == 2
    site.settle()
    run.kill()  # its successor is another, and so is the other copy
    time.sleep(0.2)
    assert {e["Service"]["ID"] for e in entries(scene.consul, "twins")} == ids


def test_it_comes_back_after_consul_lost_it(scene, tmp_path):
    first = scene.consul = Consul(tmp_path / "1")
    with Gate(first.port) as gate:
        site, watch = scene.started(A, env={"DNSBUDDY_REGISTER_AS": None}, consul=gate)
        until(lambda: entries(first, "cloudflare"))
        first.stop()
        gate.cut()
        second = site.consul = Consul(tmp_path / "2")
        gate.to = second.port
        site.add(A)
        until(lambda: entries(second, "cloudflare"), seconds=25)
        site.settle()
        watch.stop()
        assert entries(second, "cloudflare") == []
        second.stop()


def test_a_consul_that_refuses_it_keeps_nobody_from_the_work(scene, tmp_path):
    """No right to register; a warning, once."""
    acl = {"acl": {"enabled": True, "default_policy": "deny", "tokens": {"master": "root"}}}
    consul = scene.consul = Consul(tmp_path / "acl", token="root", config=acl)
    policy = {"Name": "read", "Rules": 'service_prefix "" { policy = "read" } '
                                       'node_prefix "" { policy = "read" }'}
    consul.put("/v1/acl/policy", policy)
    token = consul.put("/v1/acl/token", {"Policies": [{"Name": "read"}]})["SecretID"]
    site, watch = scene.started(A, env={"DNSBUDDY_REGISTER_AS": None, "CONSUL_HTTP_TOKEN": token})
    watch.wait_for("not registered in Consul")
    site.add(B)
    site.settle()
    assert len(watch.find("not registered in Consul")) == 1
    assert token not in watch.text()
    watch.stop()
    consul.stop()


def test_the_service_itself_does_not_disturb_what_it_watches(scene):
    """Its reports change the index of its own service only."""
    site, watch = scene.started(A, env={"DNSBUDDY_REGISTER_AS": "self"})
    since, cpu = len(scene.calls()), watch.cpu_seconds()
    time.sleep(2)
    assert watch.cpu_seconds() - cpu <= 0.02 and not scene.calls(since)
