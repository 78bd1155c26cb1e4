"""`dnsbuddy run` and Consul: how it registers, what it does when Consul is away, restarted, replaced, or has lost it."""

import json
import time
from contextlib import ExitStack

import pytest
from consul import Consul, TlsConsul, free_ports
from gate import Gate
from running import ADDRESS, HOST, Durable, Follow, Healthy, Recorder, either, events, script, shim, tells
from watching import until

__all__ = ["either", "events", "script", "shim", "tells"]


@pytest.fixture
def recorder(consul):
    with Recorder(consul.port) as made:
        yield made


# -- registered

def test_one_call_with_all_of_it(shim, consul, recorder):
    """And with its check: never listed without one."""
    with Healthy() as healthy:
        healthy.delay = 0.3
        one = shim("--port", "8080", "--tags", "a,b", "--meta", "version=1.2,zone=x=y", "--ttl", "7", "--check", healthy.url,
                   consul=recorder, real=consul)
        one.until_state("passing")
    call, = recorder.of("register")
    body = json.loads(call.body)
    assert (body["ID"], body["Name"], body["Address"], body["Port"]) == (f"{one.service}-{HOST}", one.service, ADDRESS, 8080)
    assert body["Tags"] == ["a", "b"] and body["Meta"] == {"version": "1.2", "zone": "x=y"}
    assert body["Check"]["TTL"] == "7s" and body["Check"].get("Status", "critical") == "critical"
    assert "DeregisterCriticalServiceAfter" not in body["Check"]
    assert recorder.calls[0] is call
    entry = one.entry()
    assert entry["Service"]["Meta"] == {"version": "1.2", "zone": "x=y"} and len(entry["Checks"]) == 2


def test_critical_until_the_first_check_passes(shim, consul):
    with Healthy(503) as healthy:
        one = shim("--check", healthy.url)
        follow = Follow(consul, one.service)
        one.until_state("critical")
        healthy.status = 200
        one.until_state("passing")
        healthy.status = 503
        one.until_state("critical")
        states = [s[one.id][0] for s in follow.stop() if s]
    assert states == ["critical", "passing", "critical"]


def test_without_a_port_and_with_what_is_critical_for_long_taken_away(shim, consul, recorder):
    one = shim("--deregister-after", "90", consul=recorder, real=consul)
    one.until_state("passing")
    body = json.loads(recorder.of("register")[0].body)
    assert body.get("Port", 0) == 0 and body["Check"]["DeregisterCriticalServiceAfter"] in ("90s", "1m30s")


def test_the_names_from_the_environment(shim):
    port = free_ports(1)[0]
    one = shim(named=False, service="by-env", env={
        "DNSBUDDY_SERVICE": "by-env", "DNSBUDDY_APP_PORT": port, "DNSBUDDY_TAGS": "x", "DNSBUDDY_META": "k=v",
        "DNSBUDDY_INTERFACE": "static:2001:db8::7", "DNSBUDDY_INTERVAL": "1", "DNSBUDDY_CHECK_TTL": "5"})
    one.until_state("passing")
    service = one.entry()["Service"]
    assert (service["Address"], service["Port"], service["Tags"], service["Meta"]) == ("2001:db8::7", port, ["x"], {"k": "v"})


def test_what_kubernetes_injects_is_no_setting(shim):
    """A service of the name dnsbuddy there: DNSBUDDY_PORT=tcp://..."""
    one = shim(env={"DNSBUDDY_PORT": "tcp://10.0.0.1:80", "DNSBUDDY_SERVICE_HOST": "10.0.0.1", "DNSBUDDY_PORT_80_TCP": "tcp://10.0.0.1:80"})
    one.until_state("passing")
    assert one.entry()["Service"]["Port"] == 0


def test_calls_at_rest(shim, consul, recorder):
    """A heartbeat each half of the TTL, and next to nothing else; an output that stays the same wakes nobody."""
    with Healthy() as healthy:
        one = shim("--check", healthy.url, "--ttl", "2", consul=recorder, real=consul)
        one.until_state("passing")
        time.sleep(1.5)
        before, follow, began = len(recorder.calls), Follow(consul, one.service), time.monotonic()
        time.sleep(4)
        seconds = time.monotonic() - began
        calls = recorder.calls[before:]
        assert seconds - 2 <= len([c for c in calls if c.what == "heartbeat"]) <= seconds + 2
        assert len([c for c in calls if c.what != "heartbeat"]) <= 2, [c.what for c in calls]
        assert len(follow.stop()) == 1
        assert recorder.connections <= 3


def test_two_of_one_id(shim, consul):
    """Two of one name on one host: neither ends, each goes on, and the last one that goes leaves nothing."""
    one, two = shim(service="twins"), shim(service="twins")
    one.until_state("passing")
    time.sleep(1)
    assert one.stop() == 143
    two.until_state("passing", seconds=10)
    assert two.stop() == 143
    assert two.entries() == []


# -- away

def test_consul_is_down_at_the_start(either, events, tmp_path):
    """The application starts at once; registered when Consul comes."""
    port = free_ports(1)[0]
    with Gate(port) as gate:
        one = either(consul=gate, app=events.app())
        events.wait_for("app start", seconds=3)
        time.sleep(0.5)
        consul = one.consul = Consul(tmp_path / "late")
        gate.to = consul.port
        one.until_state("passing", seconds=20)
        assert one.stop() == 7 and one.entries() == []
        consul.stop()


def test_a_name_of_consul_that_does_not_resolve(shim, events):
    """Nor does its look-up hold up anything."""
    one = shim("--consul", "consul.invalid:8500", app=events.app())
    events.wait_for("app start", seconds=3)
    began = time.monotonic()
    assert one.stop() == 7 and time.monotonic() - began < 8


def test_it_says_once_that_consul_is_away(shim, consul):
    with Gate(consul.port) as gate:
        one = shim("--ttl", "2", consul=gate, real=consul)
        one.until_state("passing")
        before = len(one.logs)
        gate.close()
        time.sleep(3.5)
        said = one.logs[before:]
        assert 1 <= len(said) <= 2, said
        gate.open()
        one.until_state("passing", seconds=15)
        until(lambda: len(one.logs) > before + len(said), say=lambda: f"{said}\n{one.text()}")
        assert len(one.logs) <= before + len(said) + 3, one.logs[before:]
        assert one.stop() == 143


ANSWERS = [500, 403, 429, 301, (200, b"{"), (200, b"x" * 100_000), (400, b"Invalid")]


def test_whatever_it_answers_ends_nothing(shim, consul):
    """One run for each; when it comes to itself they are registered."""
    with ExitStack() as stack:
        recorders = [stack.enter_context(Recorder(consul.port)) for _ in ANSWERS]
        for recorder, answer in zip(recorders, ANSWERS):
            recorder.script = lambda call, answer=answer: answer
        runs = [shim("--ttl", "2", consul=recorder, real=consul) for recorder in recorders]
        until(lambda: all(len(r.calls) >= 2 for r in recorders), 20, lambda: [r.calls for r in recorders])
        assert not [one.text() for one in runs if one.is_over()]
        for recorder in recorders:
            recorder.script = None
        for one in runs:
            one.until_state("passing", seconds=40)
            assert one.stop() == 143


# -- it has lost us

def blips(shim, consul, lose, seconds=10.0):
    """What who waits for changes of the service sees of lose(), until it is passing again."""
    shim.until_state("passing")
    follow = Follow(consul, shim.service)
    lose()
    time.sleep(0.3)
    until(lambda: follow.seen and follow.seen[-1].get(shim.id, ("",))[0] == "passing", seconds,
          lambda: f"{follow.seen}\n{shim.text()}")
    return [s[shim.id][0] if shim.id in s else None for s in follow.stop()]


@pytest.mark.parametrize("what", ["service", "check"])
def test_deregistered_from_outside(shim, consul, what):
    """Registered again by itself, as it was: with its present state, not by way of critical."""
    one = shim("--ttl", "2", "--check", "exec:true")
    path = f"/v1/agent/service/deregister/{one.id}" if what == "service" else f"/v1/agent/check/deregister/service:{one.id}"
    assert "critical" not in blips(one, consul, lambda: consul.put(path))
    until(lambda: one.check() and one.check()["Status"] == "passing")


def test_set_critical_from_outside(shim, consul):
    one = shim("--ttl", "2")
    one.until_state("passing")
    consul.put(f"/v1/agent/check/fail/service:{one.id}")
    one.until_state("passing", seconds=5)


def test_overwritten_from_outside(shim, consul):
    """Another address under our id: the originals go on with heartbeats for that."""
    one = shim("--ttl", "2")
    one.until_state("passing")
    time.sleep(0.3)  # it has looked at what it is compared with from now on
    consul.put("/v1/agent/service/register", {"ID": one.id, "Name": one.service, "Address": "203.0.113.9", "Port": 1,
                                              "Check": {"CheckID": f"service:{one.id}", "TTL": "60s", "Status": "passing"}})
    until(lambda: one.entry()["Service"]["Address"] == ADDRESS, 20, lambda: one.entry())


def test_a_maintenance_of_somebody_else_is_left_alone(shim, consul):
    one = shim("--ttl", "2")
    one.until_state("passing")
    consul.put(f"/v1/agent/service/maintenance/{one.id}?enable=true&reason=operator")
    one.until_state("maintenance")
    time.sleep(2.5)
    assert one.state() == "maintenance"
    consul.put(f"/v1/agent/service/maintenance/{one.id}?enable=false")
    one.until_state("passing")


def test_consul_replaced_by_an_empty_one(shim, tmp_path, events):
    first = Consul(tmp_path / "1")
    with Gate(first.port) as gate:
        one = shim("--ttl", "2", consul=gate, real=first, app=events.app())
        one.until_state("passing")
        first.stop()
        gate.cut()
        second = one.consul = Consul(tmp_path / "2")
        gate.to = second.port
        one.until_state("passing", seconds=20)
        assert one.stop() == 7 and one.entries() == []
        second.stop()


def test_consul_restarted(shim, tmp_path):
    """It keeps its services; checks come back as critical, until the next heartbeat."""
    consul = Durable(tmp_path / "durable")
    one = shim("--ttl", "3", "--tags", "kept", consul=consul, real=consul)
    one.until_state("passing")
    consul.stop()
    time.sleep(1)
    consul.again()
    one.until_state("passing", seconds=20)
    assert one.entry()["Service"]["Tags"] == ["kept"]
    assert one.stop() == 143 and one.entries() == []
    consul.stop()


def test_a_token_without_the_right(shim, events, tmp_path):
    """Said once; nothing ends. With the right given later it is registered."""
    acl = {"acl": {"enabled": True, "default_policy": "deny", "tokens": {"master": "root"}}}
    consul = Consul(tmp_path / "acl", token="root", config=acl)
    policy = consul.put("/v1/acl/policy", {"Name": "p", "Rules": 'node_prefix "" { policy = "read" }'})
    token = consul.put("/v1/acl/token", {"Policies": [{"Name": "p"}]})["SecretID"]
    one = shim("--ttl", "2", consul=consul, real=consul, env={"CONSUL_HTTP_TOKEN": token}, app=events.app())
    events.wait_for("app start")
    until(lambda: "403" in one.text(), say=one.text)
    time.sleep(2)
    assert one.text().count("403") <= 2, one.text()
    consul.put(f"/v1/acl/policy/{policy['ID']}", {"Name": "p", "Rules": 'service_prefix "" { policy = "write" } '
                                                                        'node_prefix "" { policy = "read" }'})
    one.until_state("passing", seconds=70)
    assert token not in one.text()
    assert one.stop() == 7
    consul.stop()


# -- at rest

def test_it_rests_in_little_memory(shim, tmp_path):
    """Over plain HTTP, and where both Consul and what is checked are reached over TLS."""
    agent = TlsConsul(tmp_path / "agent")
    try:
        with Healthy() as healthy:
            check = agent.env["CONSUL_HTTP_ADDR"] + "/v1/status/leader"
            plain = shim("--check", healthy.url)
            over_tls = shim("--check", check, real=agent, env={**agent.env, "SSL_CERT_FILE": agent.env["CONSUL_CACERT"]})
            for one in (plain, over_tls):
                one.until_state("passing")
            time.sleep(3)  # some checks and reports
            for one, most_kb in ((plain, 512), (over_tls, 1024)):
                print(f"VmRSS {one.memory_kb('VmRSS')} kB")
                assert one.memory_kb("VmRSS") <= most_kb
    finally:
        agent.stop()
