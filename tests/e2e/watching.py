"""`dnsbuddy watch` under test: runs of it, services whose listing over time is known, and a check
of every write against what was listed when it came.

A module of tests imports the fixture `scene`:

    from watching import scene  # noqa: F401

    def test_it(scene):
        site = scene.site("192.0.2.1")
        scene.watch(site)
        site.settle()
        site.add("192.0.2.2")

At its end every watch is asked to stop, has to go with code 0 within a second, and every site has to
have the records that are wanted and a past without a breach.
"""

import os
import signal
import time
from pathlib import Path

import pytest
from cloudflare.invariants import OURS, pairs
from program import NAME, Running, environment, parse_logfmt

SLACK = 0.25  # seconds that an answer of Consul may be old when a write that rests on it comes


def until(condition, seconds=10.0, say="it did not come to that"):
    """Wait until condition() is true, and return what it returned."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < end, say() if callable(say) else say
        time.sleep(0.005)


class Watch:
    """A `dnsbuddy watch` under way."""

    def __init__(self, run):
        self.run, self.pid = run, run.pid
        self.ended = False

    def text(self):
        """What it logged so far."""
        return self.run.logged()

    @property
    def logs(self):
        return [parse_logfmt(line) for line in self.text().splitlines(True) if line.endswith("\n")
                for line in [line[:-1]]]

    def find(self, message, **fields):
        return [line for line in self.logs if line["msg"] == message
                and all(line.get(k) == str(v) for k, v in fields.items())]

    def wait_for(self, message, n=1, seconds=10.0, **fields):
        """The nth line with this message."""
        until(lambda: len(self.find(message, **fields)) >= n or self.is_over(), seconds,
              lambda: f"no {n} lines {message!r} {fields}:\n{self.text()[-4000:]}")
        assert len(self.find(message, **fields)) >= n, self.text()
        return self.find(message, **fields)[n - 1]

    def is_over(self):
        return self.run.process.poll() is not None

    def send(self, number):
        os.kill(self.pid, number)

    def hup(self):
        """Have it read its configuration again, and wait until it says what came of it."""
        before = len(self.reloads())
        self.send(signal.SIGHUP)
        until(lambda: len(self.reloads()) > before, say=self.text)

    def reloads(self):
        return [line for line in self.logs if line["msg"].startswith("configuration")]

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kb(self, what):
        """VmRSS, VmHWM..."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(what + ":"))

    def files_n(self):
        if os.getuid() != 0:
            pytest.skip("what files a program has that is not dumpable, root alone may see")
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def kill(self):
        self.send(signal.SIGKILL)
        self.ended = True
        self.run.process.wait(5)

    def stop(self, number=signal.SIGTERM, within=1.0):
        """Ask it to go: code 0 within a second. Returns how long it took."""
        assert not self.is_over(), f"it ended by itself:\n{self.text()}"
        self.wait_for("watching")  # before that it may not have come to catch a signal
        self.ended, began = True, time.monotonic()
        self.send(number)
        try:
            code = self.run.process.wait(within + 2)
        except Exception:
            raise AssertionError(f"still there {within + 2} s after its signal:\n{self.text()}")
        took = time.monotonic() - began
        assert code == 0, f"exit code {code}\n{self.text()}"
        assert took < within, f"{took:.2f} s to stop\n{self.text()}"
        return took


class Site:
    """A service with the record that follows it. Knows what was wanted at any time."""

    def __init__(self, scene, name, service, on_empty="keep"):
        self.cf, self.consul = scene.cf, scene.consul
        self.name, self.service, self.on_empty = name, service, on_empty
        self.states = {}
        self.past = [(0.0, frozenset())]  # (from then on, what was wanted for sure)
        self.mark = self.cf.mark()
        self.slack = SLACK
        self.owner = None
        self.checked = True

    # -- what changes in Consul

    def _listed(self, states):
        return frozenset(a for a, s in states.items() if s == "passing")

    def change(self, states, act):
        """act() makes Consul list this; in between only what both have is wanted for sure."""
        old, new = self._listed(self.states), self._listed(states)
        self.past.append((time.monotonic(), old & new))
        act()
        self.past.append((time.monotonic(), new))
        self.states = dict(states)

    def set(self, address, state="passing", **more):
        self.change({**self.states, address: state},
                    lambda: self.consul.add(self.service, address, state, **more))

    add = set

    def remove(self, address):
        states = {a: s for a, s in self.states.items() if a != address}
        self.change(states, lambda: self.consul.remove(self.service, address))

    @property
    def wanted(self):
        return sorted(self._listed(self.states))

    # -- what came of it

    def contents(self):
        return sorted(r.content for r in self.cf.records(self.name) if r.type in OURS and
                      (not self.owner or f"owner={self.owner}" in (r.comment or "").split()))

    def settle(self, wanted=None, seconds=10.0):
        """Until the records are what is wanted."""
        wanted = self.wanted if wanted is None else sorted(wanted)
        until(lambda: self.contents() == wanted, seconds,
              lambda: f"{self.name}: {self.contents()}, not {wanted}")

    def wanted_at(self, t):
        """What was listed all the time from SLACK before t on."""
        current = [w for at, w in self.past if at <= t - self.slack][-1:]
        return frozenset.intersection(*current, *(w for at, w in self.past if t - self.slack < at <= t))

    def has(self, snapshot):
        return sorted((r.type, r.content) for r in snapshot.of(self.name, OURS) if
                      not self.owner or f"owner={self.owner}" in (r.comment or "").split())

    def breaches(self, floor=1):
        """I1, I2, I3 at every write since the beginning."""
        out, snapshots = [], self.cf.journal.snapshots[self.mark:]
        for before, after in zip(snapshots, snapshots[1:]):
            had, has = self.has(before), self.has(after)
            if after.call is None or had == has:
                continue
            want = pairs(self.wanted_at(after.call.t))
            gone, missing = set(had) - set(has), want - set(had)
            where = f"at {after.call!r}: {had} -> {has}, listed {sorted(want)}"
            if gone and missing:
                out.append(f"I1: removed {sorted(gone)} while {sorted(missing)} was missing {where}")
            if gone & want:
                out.append(f"I3: removed {sorted(gone & want)} {where}")
            if len(has) < min(floor, len(had)) and self.on_empty != "remove":
                out.append(f"I2: {len(has)} left {where}")
        return out

    def check(self):
        found = self.breaches()
        assert not found, "\n".join(found)


class Scene:
    """A stand-in, a Consul, sites and watches."""

    def __init__(self, consul, cloudflare, start):
        self.consul, self.cf, self.start = consul, cloudflare, start
        self.sites, self.watches = [], []

    def site(self, *addresses, name=NAME, records=(), service=None, **more):
        """A service with these instances, and these records at its name."""
        for content in records:
            self.cf.seed(name, "A", content)
        site = Site(self, name, service or self.consul.new_name(), **more)
        for address in addresses:
            site.add(address)
        self.sites.append(site)
        return site

    def watch(self, site=None, *args, consul=None, cloudflare=None, env=None, **keys):
        """Run it on a site, or with the arguments alone. Not registered in Consul by default."""
        named = [site.service, site.name] if site else []
        run = self.start("watch", *args, *named, cloudflare=cloudflare or self.cf,
                         consul=consul or self.consul, timeout=600,
                         env={"DNSBUDDY_REGISTER_AS": "none", "DNSBUDDY_GRACE": 0, **(env or {})}, **keys)
        self.watches.append(Watch(run))
        return self.watches[-1]

    def started(self, *addresses, args=(), **more):
        """A site and a watch that has brought its records in step."""
        site = self.site(*addresses)
        watch = self.watch(site, *args, **more)
        watch.wait_for("synced" if addresses else "in sync")
        site.settle()
        return site, watch

    def calls(self, since=0):
        return self.cf.calls(since=since)

    def quiet(self, seconds):
        """No call of the API for so long."""
        since = len(self.cf.calls())
        time.sleep(seconds)
        assert not self.cf.calls(since=since), self.cf.calls(since=since)

    def rest(self, seconds):
        """Until there was no call of the API for so long."""
        def is_quiet():
            since = len(self.cf.calls())
            time.sleep(seconds)
            return not self.cf.calls(since=since)
        until(is_quiet)

    def finish(self):
        for site in self.sites:
            if site.checked:
                site.settle()
        for watch in self.watches:
            if not watch.ended:
                watch.stop()
        for site in self.sites:
            site.check()
            if site.checked:
                assert site.contents() == site.wanted


@pytest.fixture
def scene(request, consul, cloudflare, start):
    made = Scene(consul, cloudflare, start)
    failed_before = request.session.testsfailed
    yield made
    if request.session.testsfailed == failed_before:
        made.finish()


def plain_run(*args, **keys):
    """A run outside of fixtures, for those who need another executable."""
    return Running(args, environment(**keys))
