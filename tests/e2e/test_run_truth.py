"""`dnsbuddy run` tells what is so: of a Consul that refuses or hangs, of a drain, of a check, of an address that is not there."""

import json
import time

import pytest
from running import Recorder, script, shim
from watching import until

__all__ = ["script", "shim"]


@pytest.fixture
def recorder(consul):
    with Recorder(consul.port) as made:
        yield made


def said(one, what):
    return [line for line in one.logs if line["msg"] == what]


def fields(one, what):
    line, = said(one, what)
    return line


# -- a stop that Consul does not hear of

def test_refused_at_the_stop(shim, consul, recorder):
    one = shim("--drain", "1", consul=recorder, real=consul)
    one.until_state("passing")
    recorder.script = lambda call: 403
    assert one.stop() == 143
    assert f"consul: maintenance of {one.id}: HTTP 403" in fields(one, "maintenance could not be set")["error"]
    assert fields(one, "stopping undrained")["level"] == "warn"
    assert f"consul: deregister {one.id}: HTTP 403" in fields(one, "not deregistered")["error"]
    assert not said(one, "drained") and not said(one, "deregistered")
    assert one.entry()


def test_no_answer_at_the_stop(shim, consul, recorder):
    one = shim("--drain", "1", consul=recorder, real=consul)
    one.until_state("passing")
    recorder.script = lambda call: time.sleep(20) or 500
    assert one.stop() == 143
    assert fields(one, "maintenance could not be set")["error"]
    assert said(one, "stopping undrained") and fields(one, "not deregistered")["error"]
    assert not said(one, "drained") and not said(one, "deregistered")


def test_heard_at_the_stop(shim):
    one = shim("--drain", "1")
    one.until_state("passing")
    assert one.stop() == 143
    assert said(one, "drained") and said(one, "deregistered")
    assert not [line for line in one.logs if line["level"] == "warn"]


def test_nobody_can_know_of_it(shim):
    """Nothing is asked, and nothing waited for."""
    one = shim("--drain", "30", "--consul", "127.0.0.1:1")
    until(lambda: said(one, "Consul cannot be told"), say=one.text)
    began = time.monotonic()
    assert one.stop() == 143 and time.monotonic() - began < 1.5
    assert not said(one, "draining") and not said(one, "deregistered") and not said(one, "not deregistered")


def test_a_fixed_drain_of_a_loopback_address(shim):
    one = shim("--drain", "2", "--interface", "static:127.0.0.1")
    one.until_state("passing")
    began = time.monotonic()
    assert one.stop() == 143 and time.monotonic() - began > 1.9
    assert said(one, "drained")


# -- checks

def test_the_first_failure_is_seen(shim):
    """In Consul's catalog at once, in the log within the first interval."""
    began = time.monotonic()
    one = shim("--check", "tcp://127.0.0.1:1", "--interval", "3")
    until(lambda: one.entry() and "refused" in "".join(c["Output"] for c in one.entry()["Checks"]), 2, one.entry)
    until(lambda: said(one, "unhealthy"), 3.5 - (time.monotonic() - began), one.text)
    assert "refused" in fields(one, "unhealthy")["output"]


@pytest.mark.parametrize("text", ["echo not fine; exit 1", "sleep 0.5; echo not fine; exit 1"])
def test_its_output_is_seen(shim, script, text):
    """Of a check that fails from the start, too: its state is the same as before."""
    one = shim("--check", "exec:" + script(text))
    until(lambda: one.entry() and any(c["Output"].endswith("fine") for c in one.entry()["Checks"]), 3, one.entry)
    assert len(said(one, "registered in Consul")) == 1


def test_a_check_that_floods_costs_little(shim):
    one = shim("--check", "exec:cat /dev/zero", "--timeout", "3", "--interval", "3")
    time.sleep(0.5)

    def cpu():
        with open(f"/proc/{one.pid}/stat", encoding="ascii") as f:
            return sum(map(int, f.read().rpartition(")")[2].split()[11:13])) / 100
    before = cpu()
    time.sleep(2)
    assert cpu() - before < 0.1


# -- maintenance

def test_an_operators_maintenance_survives_consuls_memory(shim, consul):
    one = shim("--ttl", "2")
    one.until_state("passing")
    consul.put(f"/v1/agent/service/maintenance/{one.id}?enable=true&reason=operator")
    one.until_state("maintenance")
    time.sleep(6)  # it is looked at after each five reports
    consul.put(f"/v1/agent/service/deregister/{one.id}")
    until(lambda: one.state() == "maintenance", 5, one.entry)
    assert "operator" in [c["Notes"] for c in one.entry()["Checks"]]
    consul.put(f"/v1/agent/service/maintenance/{one.id}?enable=false")
    one.until_state("passing")
    assert one.stop() == 143


# -- publicIp

def test_no_public_address(shim, consul):
    """As the article's nginx.json on one machine: it runs, and is registered without an address."""
    config = {"consul": consul.address, "services": [{"name": "publicly", "port": 80, "publicIp": True, "health": "true",
                                                      "poll": 1, "ttl": 5}]}
    one = shim("-config", json.dumps(config), named=False, service="publicly")
    one.until_state("passing")
    if said(one, "registered without an address"):  # else this machine has a public one
        assert one.entry()["Service"]["Address"] == ""
        assert "no address for public: there is " in fields(one, "registered without an address")["error"]
    assert one.stop() == 143
