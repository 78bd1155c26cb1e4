"""drain: an instance is put into maintenance, and the command returns when it is safe to stop it.

What happens at which moment is told by unit tests with a clock of their own (tests/unit/core/test_drain.c); here are the real
Consul, the stand-in and its DNS.
"""

import os
import pty
import re
import select
import signal
import socket
import time

import pytest
from program import NAME
from recorder import Recorder

TTL = 2  # of records that the stand-in is given; the API itself takes no less than 30


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


class Pair:
    """A service with two instances of the agent's own, and their records."""

    def __init__(self, consul, cf, **record):
        self.consul, self.cf = consul, cf
        self.service = consul.new_name()
        self.ids = [consul.register(self.service, f"192.0.2.{n}") for n in (1, 2)]
        for n in (1, 2):
            cf.seed(NAME, "A", f"192.0.2.{n}", **{"ttl": TTL, **record})

    def is_maintained(self, n=0):
        return f"_service_maintenance:{self.ids[n]}" in self.consul.states(self.service)[self.ids[n]]

    def leave_dns(self):
        self.cf.remove(NAME, "A", "192.0.2.1")
        return time.monotonic()


@pytest.fixture
def pair(consul, cloudflare_dns):
    return Pair(consul, cloudflare_dns)


@pytest.fixture
def drain(start, consul):
    """drain(pair, *args): of its first instance, by the API."""
    def begin(pair, *args, id=True, env=None, **keys):
        words = ["drain", *(["--id", pair.ids[0]] if id else []), *args]
        return start(*words, consul=consul, cloudflare=pair.cf, env=env, **keys)
    return begin


@pytest.fixture
def drain_dns(start, consul):
    """The same by DNS: without credentials, and with the stand-in's server for resolver."""
    def begin(pair, *args, **keys):
        dns = pair.cf.dns
        return start("drain", "--id", pair.ids[0], "--resolver", f"{dns.host}:{dns.port}", *args, consul=consul, **keys)
    return begin


# -- the way of it

@pytest.mark.parametrize("how", ["api", "dns"])
def test_a_drain(pair, drain, drain_dns, how):
    run = (drain if how == "api" else drain_dns)(pair, "--record", NAME, "--settle", "1")
    until(pair.is_maintained)
    assert run.process.poll() is None
    assert not pair.is_maintained(1)
    gone = pair.leave_dns()
    done = run.wait().expect(0)
    assert done.out == f"{pair.ids[0]}: safe to stop\n"
    assert TTL <= time.monotonic() - gone < TTL + 6
    assert pair.is_maintained()
    assert f"{pair.ids[0]}: 192.0.2.1 is still answered by " in done.err
    assert bool(pair.cf.calls()) is (how == "api") and not pair.cf.writes()


def test_nothing_is_done_before_it_is_known_what_to_wait_for(pair, drain, cloudflare_dns):
    cloudflare_dns.fault("error", kind="list", status=403, code=10000, times=0)
    done = drain(pair, "--record", NAME).wait().expect(77)
    assert NAME in done.err and not pair.is_maintained()
    done = drain(pair, "--record", "www.example.org").wait().expect(78)
    assert "no zone" in done.err and not pair.is_maintained()


def test_a_proxied_name_settles(consul, cloudflare_dns, drain):
    pair = Pair(consul, cloudflare_dns, ttl=1, proxied=True)
    run = drain(pair, "--record", NAME, "--settle", "1")
    until(pair.is_maintained)
    gone = pair.leave_dns()
    run.wait().expect(0)
    assert 1 <= time.monotonic() - gone < 5


def test_the_api_is_away_meanwhile(pair, drain, cloudflare_dns):
    run = drain(pair, "--record", NAME, "--settle", "1")
    until(pair.is_maintained)
    cloudflare_dns.fault("status", status=503, kind="list", times=2)
    pair.leave_dns()
    run.wait().expect(0)
    assert len(cloudflare_dns.calls("list")) >= 4


def test_so_many_seconds(pair, drain_dns):
    begun = time.monotonic()
    done = drain_dns(pair, "--drain", "1").wait().expect(0)
    assert 1 <= time.monotonic() - begun < 5 and "safe to stop" in done.out
    assert pair.is_maintained()


def test_a_name_may_be_forced_to_dns(pair, drain):
    """Though there are credentials."""
    dns = pair.cf.dns
    run = drain(pair, "--drain", f"dns:{NAME}", "--resolver", f"{dns.host}:{dns.port}")
    until(pair.is_maintained)
    pair.leave_dns()
    run.wait().expect(0)
    assert not pair.cf.calls()


def test_an_address_that_never_was_there(pair, drain_dns):
    """Proxied, or of nobody here: not the TTL of the others."""
    pair.leave_dns()
    done = drain_dns(pair, "--record", NAME, "--settle", "1").wait().expect(0)
    assert "never was answered" in done.err


def test_twice_at_once(pair, drain):
    runs = [drain(pair, "--record", NAME, "--settle", "0") for _ in range(2)]
    until(pair.is_maintained)
    pair.leave_dns()
    for run in runs:
        assert "safe to stop" in run.wait().expect(0).out
    assert "safe to stop" in drain(pair, "--record", NAME, "--settle", "0").wait().expect(0).out


# -- what ends it otherwise

def test_it_takes_too_long(pair, drain, consul):
    done = drain(pair, "--record", NAME, "--timeout", "2").wait().expect(1)
    assert "not safe to stop after 2 s: 192.0.2.1 is still answered by Cloudflare" in done.err
    assert f"dnsbuddy drain --undo --id {pair.ids[0]}" in done.err
    assert not done.out and pair.is_maintained()
    assert "no longer in maintenance" in drain(pair, "--undo").wait().expect(0).out
    assert not pair.is_maintained()
    assert drain(pair, "--undo").wait().expect(0).out == f"{pair.ids[0]}: was not in maintenance\n"


@pytest.fixture
def drain_silent(start, consul):
    """By a resolver that does not answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = f"127.0.0.1:{silent.getsockname()[1]}"
        yield lambda pair, *args: start("drain", "--id", pair.ids[0], "--record", NAME, "--resolver", resolver, *args, consul=consul)


def test_it_takes_too_long_before_anything_is_done(pair, drain_silent):
    done = drain_silent(pair, "--timeout", "2").wait().expect(1)
    assert f"{pair.ids[0]} was not put into maintenance: not safe to stop after 2 s: looking at {NAME} before it leaves" in done.err
    assert "undo" not in done.err and not pair.is_maintained()


def test_one_that_is_in_maintenance_already_stays_there(pair, drain_silent, consul):
    consul.put(f"/v1/agent/service/maintenance/{pair.ids[0]}?enable=true")
    until(pair.is_maintained)
    assert f"stays in maintenance; to take it back: dnsbuddy drain --undo --id {pair.ids[0]}" in \
        drain_silent(pair, "--timeout", "1").wait().expect(1).err


@pytest.mark.parametrize("made, told", [(None, "{id} may be in maintenance; to take it back: dnsbuddy drain --undo --id {id}"),
                                        (403, "{id} was not put into maintenance: consul: PUT")], ids=["no answer", "refused"])
def test_maintenance_without_an_answer_and_refused(pair, start, consul, made, told):
    def answer(call):
        if call.what != "maintenance on":
            return None
        if not made:
            time.sleep(2)
        return made
    with Recorder(consul.port) as recorder:
        recorder.script = answer
        done = start("drain", "--id", pair.ids[0], "--drain", "1", consul=recorder, env={"DNSBUDDY_TIMEOUT": "1"}).wait()
    assert done.code == (77 if made else 1) and told.format(id=pair.ids[0]) in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal(pair, drain, number):
    run = drain(pair, "--record", NAME)
    until(pair.is_maintained)
    run.process.send_signal(number)
    done = run.wait().expect(128 + number)
    assert f"dnsbuddy drain --undo --id {pair.ids[0]}" in done.err
    assert pair.is_maintained()


def test_how_to_undo_names_the_consul_that_was_named(pair, start, consul, cloudflare_dns):
    run = start("drain", "--consul", consul.address, "--id", pair.ids[0], "--record", NAME, "--timeout", "1", cloudflare=cloudflare_dns)
    assert f"--undo --id {pair.ids[0]} --consul {consul.address}" in run.wait().expect(1).err


# -- the last one

def test_the_last_that_is_wanted_is_refused(pair, drain, consul):
    consul.put(f"/v1/agent/check/fail/service:{pair.ids[1]}")
    until(lambda: consul.states(pair.service)[pair.ids[1]]["service:" + pair.ids[1]] == "critical")
    done = drain(pair, "--record", NAME).wait().expect(3)
    assert f"{pair.ids[0]} is the last instance of {pair.service} that is wanted" in done.err and not pair.is_maintained()
    run = drain(pair, "--record", NAME, "--force", "--settle", "0")
    until(pair.is_maintained)
    pair.leave_dns()
    run.wait().expect(0)


@pytest.mark.parametrize("way", [["--record", NAME], ["--drain", "1"]], ids=["name", "seconds"])
def test_another_in_maintenance_is_nobody(pair, drain, consul, way):
    consul.put(f"/v1/agent/service/maintenance/{pair.ids[1]}?enable=true")
    until(lambda: pair.is_maintained(1))
    done = drain(pair, *way).wait().expect(3)
    assert f"{pair.ids[0]} is the last instance of {pair.service} that is wanted" in done.err and not pair.is_maintained()
    consul.put(f"/v1/agent/service/deregister/{pair.ids[1]}")
    drain(pair, *way).wait().expect(3)
    assert not pair.is_maintained()


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1"])
def test_seconds_are_waited_for_wherever_the_others_are(pair, drain, consul, address):
    """No name has to lose an address: one that no record could have is somebody, too."""
    consul.register(pair.service, address, id=f"{pair.service}-twin")
    consul.put(f"/v1/agent/service/deregister/{pair.ids[1]}")
    drain(pair, "--drain", "1").wait().expect(0)
    assert pair.is_maintained()


def test_another_at_the_same_address(pair, drain, consul):
    """It keeps the address in DNS, which knows no ports."""
    consul.register(pair.service, "192.0.2.1", id=f"{pair.service}-twin")
    done = drain(pair, "--record", NAME).wait().expect(3)
    assert "has the address 192.0.2.1, too" in done.err and not pair.is_maintained()
    consul.put(f"/v1/agent/service/deregister/{pair.ids[1]}")
    assert "has the address 192.0.2.1, too" in drain(pair, "--record", NAME).wait().expect(3).err


def test_a_name_that_does_not_exist(pair, drain_dns):
    """A typo, perhaps."""
    done = drain_dns(pair, "--drain", "dns:wwww.example.com").wait().expect(1)
    assert "wwww.example.com does not exist" in done.err and "--force" in done.err
    assert "was not put into maintenance" in done.err and not pair.is_maintained()
    run = drain_dns(pair, "--drain", "dns:wwww.example.com", "--force", "--settle", "0").wait().expect(0)
    assert "does not exist" in run.err and pair.is_maintained()


def test_one_that_is_not_wanted_is_not_the_last(pair, drain, consul):
    for n in (0, 1):
        consul.put(f"/v1/agent/check/fail/service:{pair.ids[n]}")
    until(lambda: consul.states(pair.service)[pair.ids[0]]["service:" + pair.ids[0]] == "critical")
    run = drain(pair, "--record", NAME, "--settle", "0")
    until(pair.is_maintained)
    pair.leave_dns()
    run.wait().expect(0)


# -- which one

def test_it_finds_its_own(consul, cloudflare_dns, drain):
    pair = Pair(consul, cloudflare_dns)
    pair.ids[0] = consul.register(pair.service, "192.0.2.1", id=f"{pair.service}-{socket.gethostname()}")
    consul.put(f"/v1/agent/service/deregister/{pair.service}-192.0.2.1")
    try:
        assert "--drain" in drain(pair, id=False).wait().expect(64).err
        run = drain(pair, "--record", NAME, "--settle", "0", id=False)
        until(pair.is_maintained)
        pair.leave_dns()
        assert run.wait().expect(0).out == f"{pair.ids[0]}: safe to stop\n"
        assert pair.ids[0] in drain(pair, "--undo", "--service", pair.service, id=False).wait().expect(0).out
        more = consul.register(pair.service, "192.0.2.9", id=f"more-{socket.gethostname()}")
        done = drain(pair, "--undo", id=False).wait().expect(78)
        assert f"--id {pair.ids[0]}" in done.err and f"--id {more}" in done.err
    finally:
        for id in (pair.ids[0], f"more-{socket.gethostname()}"):
            consul.put(f"/v1/agent/service/deregister/{id}")


def test_there_is_none(drain, pair):
    done = drain(pair, "--record", NAME, id=False).wait().expect(78)
    assert "no service with the id ...-HOSTNAME: name it by --id" in done.err
    done = drain(pair, "--record", NAME, "--id", "nobody", id=False).wait().expect(78)
    assert "no service with the id nobody: name it by --id and --service" in done.err
    done = drain(pair, "--record", NAME, "--id", "nobody", "--service", pair.service, id=False).wait().expect(78)
    assert "nor has the catalog" in done.err
    done = drain(pair, "--record", NAME, "--service", "other").wait().expect(78)
    assert f"is an instance of {pair.service}, not of other" in done.err


def test_another_agents(drain, pair, consul):
    """Its own agent alone can put it into maintenance."""
    node = consul.add(pair.service, "192.0.2.7", id="far-7", node_address="10.0.0.7")
    done = drain(pair, "--record", NAME, "--id", "far-7", "--service", pair.service, id=False).wait().expect(1)
    assert f"far-7 is registered with the agent of the node {node} (10.0.0.7): ask that one, by --consul" in done.err


def test_consul_is_just_starting(pair, start, consul):
    left = [503, 500, 503]
    with Recorder(consul.port) as recorder:
        recorder.script = lambda call: left.pop() if left else None
        start("drain", "--id", pair.ids[0], "--drain", "1", consul=recorder).wait().expect(0)
    assert not left and pair.is_maintained()


def test_consul_is_away(drain, pair):
    done = drain(pair, "--record", NAME, "--timeout", "1", env={"CONSUL_HTTP_ADDR": "127.0.0.1:1"}).wait().expect(1)
    assert "127.0.0.1:1" in done.err and "refused" in done.err


# -- how it shows

def test_plain_lines_are_few(pair, drain_dns):
    done = drain_dns(pair, "--record", NAME, "--timeout", "3").wait().expect(1)
    lines = [line for line in done.err.splitlines() if "is still answered" in line and "not safe" not in line]
    assert len(lines) <= 1 and "\r" not in done.err and "\x1b" not in done.err


def test_a_terminal_has_one_line(pair, start, consul):
    ours, theirs = pty.openpty()
    dns = pair.cf.dns
    run = start("drain", "--id", pair.ids[0], "--record", NAME, "--resolver", f"{dns.host}:{dns.port}", "--timeout", "3",
                consul=consul, env={"TERM": "xterm"}, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while run.process.poll() is None or select.select([ours], [], [], 0)[0]:
            if select.select([ours], [], [], 0.1)[0]:
                text += os.read(ours, 65536)
    except OSError:
        pass  # the other end is closed
    os.close(ours)
    assert run.wait().code == 1
    text = text.decode()
    drawn = [line for line in re.findall(r"\r\x1b\[K([^\r\n]*)", text) if not line.startswith("dnsbuddy")]
    assert len([line for line in drawn if "is still answered" in line]) >= 2
    assert all(len(line) < 80 for line in drawn)
    assert "not safe to stop after 3 s" in text.splitlines()[-2]


# -- the same at the stop of a run

@pytest.mark.parametrize("how", ["api", "dns"])
def test_a_run_is_drained(start, consul, cloudflare_dns, how):
    """The application goes on until it is safe to stop it."""
    service, dns = consul.new_name(), cloudflare_dns.dns
    cloudflare_dns.seed(NAME, "A", "192.0.2.1", ttl=TTL)
    consul.register(service, "192.0.2.2")
    words = ["--drain", f"{how}:{NAME}", "--settle", "1"] + (["--resolver", f"{dns.host}:{dns.port}"] if how == "dns" else [])
    run = start("run", "--service", service, "--interface", "static:192.0.2.1", *words, "--", "/bin/sleep", "60", consul=consul,
                cloudflare=cloudflare_dns if how == "api" else None)
    id = f"{service}-{socket.gethostname()}"
    until(lambda: consul.states(service).get(id, {}).get(f"service:{id}") == "passing")
    run.process.send_signal(signal.SIGTERM)
    until(lambda: f"_service_maintenance:{id}" in consul.states(service)[id])
    cloudflare_dns.remove(NAME, "A", "192.0.2.1")
    gone = time.monotonic()
    done = run.wait().expect(128 + signal.SIGTERM)
    assert TTL <= time.monotonic() - gone < TTL + 7
    assert done.find("drained") and id not in consul.states(service)
