"""SIGHUP and the services of a `run`: which come, stay and go, whatever Consul does meanwhile."""

import json
import os
import signal
import time

import pytest
from gate import Gate
from watching import until


@pytest.fixture
def reloadable(start, consul, tmp_path):
    """reloadable(): a run under Containerbuddy's configuration, with a gate before Consul; be(name=port, ...) makes it
    have these services."""
    file = tmp_path / "services.json"
    gate = Gate(consul.port)
    prefix = f"reload-{time.monotonic_ns()}-"

    def write(services):
        file.write_text(json.dumps({"consul": gate.address, "services": [
            {"name": prefix + name, "port": port, "poll": 1, "ttl": 5, "health": "/bin/true", "interfaces": "static:192.0.2.1"}
            for name, port in services.items()]}))

    class Reloadable:
        gate = None

        def be(self, **services):
            taken = self.n_taken()
            write(services)
            self.run.process.send_signal(signal.SIGHUP)
            until(lambda: self.n_taken() > taken, say="it was not taken")

        def n_taken(self):
            return self.log().count(b"configuration read again")

        def log(self):
            return os.pread(self.run.files[1].fileno(), 1 << 20, 0)

        def listed(self):
            found = {}
            for entry in consul.get("/v1/agent/services").values():
                if entry["Service"].startswith(prefix):
                    found[entry["Service"].removeprefix(prefix)] = entry["Port"]
            return found

    one = Reloadable()
    one.gate = gate
    write({"a": 1, "b": 2})
    one.run = start("-config", f"file://{file}", "sleep", "60", argv0="containerbuddy",
                    env={"PATH": "/usr/bin:/bin"})
    with gate:
        until(lambda: one.listed() == {"a": 1, "b": 2}, say="they are not there")
        yield one
        one.run.kill()


def test_they_come_and_go(reloadable):
    reloadable.be(b=22, c=3)
    until(lambda: reloadable.listed() == {"b": 22, "c": 3}, say="a has not left")
    reloadable.be(c=3, a=11)
    until(lambda: reloadable.listed() == {"c": 3, "a": 11}, say="it is not back")


def test_no_connection_stays_behind(reloadable):
    def fds():
        return len(os.listdir(f"/proc/{reloadable.run.process.pid}/fd"))
    before = fds()
    for i in range(8):
        reloadable.be(**{f"x{i}": 1})
        until(lambda name=f"x{i}": reloadable.listed() == {name: 1}, say="the one before has not left")
    assert fds() <= before + 2


def test_twice_while_consul_says_nothing(reloadable):
    """One that has not left yet is told from those that came after it, though its configuration is no more: nobody's
    leaving takes away what another has registered."""
    reloadable.gate.freeze()
    reloadable.be(b=22, c=3)
    reloadable.be(c=33, a=111)
    reloadable.gate.freeze(False)
    until(lambda: reloadable.listed() == {"c": 33, "a": 111}, seconds=25, say=lambda: str(reloadable.listed()))
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        assert reloadable.listed() == {"c": 33, "a": 111}
        time.sleep(0.02)
    assert b"does not know us" not in reloadable.log()
