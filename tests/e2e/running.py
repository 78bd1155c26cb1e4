"""`dnsbuddy run` under test: runs of it as PID 1 and not, an application that tells what comes to it, and a proxy before
Consul that keeps the order of the calls.

A module of tests imports the fixture `shim`:

    from running import shim

    def test_it(shim, consul):
        one = shim("--tags", "a,b", app=["sleep", "600"])
        one.until_state("passing")
        assert one.stop() == 143

At its end every run that is left is ended, and its application with it.
"""

import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from functools import cache
from pathlib import Path

import pytest
from consul import Consul, find_binary, free_ports
from program import binary, parse_logfmt
from recorder import Healthy, Recorder
from watching import Watch, until

__all__ = ["Healthy", "Recorder"]

APPLICATION = str(Path(__file__).resolve().parent / "application.py")
SLEEP = ["sleep", "600"]  # an application that SIGTERM ends: 143
ADDRESS = "192.0.2.1"
PATHS = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
NAMES = (f"app-{n}" for n in itertools.count(1))
HOST = socket.gethostname()
# "unchanged": only /proc, which --mount-proc makes private by itself; in a chroot / is no mount point to make so.
PID_1 = ["unshare", "--fork", "--pid", "--mount-proc", "--propagation", "unchanged", "--kill-child"]


@cache
def can_be_pid_1():
    return bool(shutil.which("unshare")) and not subprocess.run([*PID_1, "true"], capture_output=True, check=False).returncode


def need_pid_1():
    if not can_be_pid_1():
        pytest.skip("no namespace of processes may be made here")


# -- what happened, in one order

class Events:
    """A file to which the application, hooks and the proxy append lines `TIME WHAT`."""

    def __init__(self, path):
        self.path = Path(path)
        self.path.touch()

    def add(self, what):
        with open(self.path, "ab", 0) as f:
            f.write(f"{time.time():.6f} {what}\n".encode())

    def timed(self):
        """[(seconds since the epoch, what)] so far."""
        lines = self.path.read_text().split("\n")[:-1]
        return [(float(t), what) for t, _, what in (line.partition(" ") for line in lines)]

    def all(self, *wanted):
        """What happened; with `wanted`, of these alone."""
        return [what for _, what in self.timed() if not wanted or what in wanted]

    def wait_for(self, what, n=1, seconds=10.0):
        """The moment of the nth."""
        until(lambda: self.all().count(what) >= n, seconds, lambda: f"no {n} times {what!r} in {self.all()}")
        return [t for t, it in self.timed() if it == what][n - 1]

    def app(self, *words):
        """The command of application.py, which tells here."""
        return [APPLICATION, str(self.path), *map(str, words)]


# -- how Consul saw it over time

def aggregate(entry):
    """(state, address, port, tags) of an entry of /v1/health/service."""
    checks = {c["CheckID"]: c["Status"] for c in entry["Checks"]}
    service = entry["Service"]
    if any(c.startswith(("_node_maintenance", "_service_maintenance")) for c in checks):
        state = "maintenance"
    else:
        state = next((s for s in ("critical", "warning") if s in checks.values()), "passing")
    return state, service["Address"], service["Port"], tuple(service["Tags"] or ())


class Follow:
    """Blocking queries for a service: every listing that differs from the one before, as {id: aggregate()}."""

    def __init__(self, consul, service):
        self.consul, self.service, self.seen, self.error = consul, service, [], None
        self.ending = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        until(lambda: self.seen or self.error)

    def _run(self):
        index = 0
        hop = http.client.HTTPConnection("127.0.0.1", self.consul.port, timeout=60)
        try:
            while not self.ending:
                hop.request("GET", f"/v1/health/service/{self.service}?index={index}&wait=1s")
                answer = hop.getresponse()
                entries = self._decode(answer.read())
                index = int(answer.headers["X-Consul-Index"])
                if not self.seen or self.seen[-1] != entries:
                    self.seen.append(entries)
        except (OSError, ValueError, http.client.HTTPException) as e:
            self.error = e

    @staticmethod
    def _decode(text):
        return {e["Service"]["ID"]: aggregate(e) for e in json.loads(text)}

    def stop(self):
        self.ending = True
        self.thread.join()
        assert not self.error, self.error
        return self.seen


# -- one run

def descendants(pid):
    """The processes below it, whose ids are of this namespace."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [p for c in children for p in (int(c), *descendants(int(c)))]


def children(pid):
    return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def process_state(pid):
    """R, S, Z...; None: it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


class Shim(Watch):
    """A `dnsbuddy run` under way. `pid` is its own, outside of its namespace."""

    def __init__(self, run, consul, service, is_pid_1, app):
        super().__init__(run)
        self.consul, self.service, self.is_pid_1, self.command = consul, service, is_pid_1, app
        if is_pid_1:
            self.pid = self._inner()

    def _inner(self):
        """unshare's child, once it is dnsbuddy. None: it has been and gone."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for pid in descendants(self.run.pid):
                words = command_of(pid)
                if words and os.path.basename(words[0]) != "unshare":
                    return pid
            if self.run.process.poll() is not None:
                return None
            time.sleep(0.002)
        raise AssertionError("unshare started nothing")

    @property
    def id(self):
        return f"{self.service}-{HOST}"

    @property
    def logs(self):
        """Its own lines: what the application says goes to the same file."""
        out = []
        for line in self.text().split("\n")[:-1]:
            try:
                out.append(parse_logfmt(line))
            except ValueError:
                pass
        return [line for line in out if "msg" in line]

    def out(self):
        """What the application wrote to stdout so far."""
        fd, at, out = self.run.files[0].fileno(), 0, b""
        while piece := os.pread(fd, 1 << 20, at):
            at, out = at + len(piece), out + piece
        return out.decode(errors="backslashreplace")

    def app_pid(self):
        """The application's process."""
        def find():
            return next((p for p in children(self.pid) if command_of(p)[-len(self.command):] == self.command or
                         command_of(p)[-len(self.command) + 1:] == self.command[1:] != []), None)
        return until(find, say=lambda: f"no application: {[command_of(p) for p in children(self.pid)]}\n{self.text()}")

    def zombies(self):
        return [p for p in children(self.pid) if process_state(p) == "Z"]

    # -- in Consul

    def entries(self):
        return self.consul.get(f"/v1/health/service/{self.service}?consistent")

    def entry(self):
        """The one instance, or None."""
        found = [e for e in self.entries() if e["Service"]["ID"] == self.id]
        return found[0] if found else None

    def state(self):
        entry = self.entry()
        return aggregate(entry)[0] if entry else None

    def until_state(self, state, seconds=15.0):
        """passing, critical, warning, maintenance, None: not registered. When passing, application.py has started, too."""
        until(lambda: self.state() == state, seconds,
              lambda: f"{self.state()}, not {state}: {self.entries()}\n{self.text()[-3000:]}")
        if state == "passing" and self.command[:1] == [APPLICATION]:
            Events(self.command[1]).wait_for("app start")

    def check(self):
        """The TTL check as the agent has it: an output that changes alone comes to the catalog late."""
        return self.consul.get("/v1/agent/checks").get(f"service:{self.id}") or next(
            (c for c in self.consul.get("/v1/agent/checks").values() if c["ServiceID"] == self.id), None)

    # -- its end

    def wait(self, seconds=15.0):
        """Its exit code, as the shell would have it."""
        try:
            code = self.run.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there after {seconds} s:\n{self.text()[-3000:]}") from None
        self.ended = True
        return code if code >= 0 else 128 - code

    def stop(self, number=signal.SIGTERM, seconds=15.0):
        """Ask it to go; its exit code."""
        assert not self.is_over(), f"it ended by itself:\n{self.text()}"
        self.send(number)
        return self.wait(seconds)

    def end(self):
        """Whatever it does: it and all below it are gone after this."""
        left = descendants(self.run.pid) if self.run.process.poll() is None else []
        if self.run.process.poll() is None:
            self.run.process.kill()
            self.run.process.wait()
        for pid in left:
            if process_state(pid) not in (None, "Z"):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


@pytest.fixture
def shim(start, consul):
    """shim(*flags, app=command or None, pid_1=, consul=, service=, named=, env=, **of Running): a Shim.

    By default a service of a name of its own at ADDRESS, looked at each second, whose TTL is 5 s: for each flag that is not there. named=False: no flag of that; words: these in place of
    "run".
    """
    default, made = consul, []

    def begin(*flags, app=SLEEP, pid_1=False, consul=None, real=None, service=None, named=True, words=None, env=None, **keys):
        name = service or next(NAMES)
        words = list(words or ["run"])
        if named:
            given = {"--service": name, "--interface": f"static:{ADDRESS}", "--interval": "1", "--ttl": "5"}
            words += [word for flag, value in given.items() if flag not in flags for word in (flag, value)]
        words += [*map(str, flags), *(["--", *app] if app else [])]
        if pid_1:
            need_pid_1()
            keys["executable"] = shutil.which("unshare")
            words = [*PID_1[1:], binary(), *words]
        run = start(*words, consul=consul or default, timeout=keys.pop("timeout", 600),
                    env={"PATH": PATHS, "DNSBUDDY_LOG_FORMAT": "logfmt", **(env or {})}, **keys)
        made.append(Shim(run, real or (consul if isinstance(consul, Consul) else default), name, pid_1, list(app or ())))
        return made[-1]

    yield begin
    for one in made:
        one.end()


@pytest.fixture(params=["plain", "PID 1"])
def either(request, shim):
    """shim() as PID 1 and not."""
    return lambda *flags, **keys: shim(*flags, pid_1=request.param != "plain", **keys)


@pytest.fixture
def events(tmp_path):
    return Events(tmp_path / "events")


@pytest.fixture
def script(tmp_path):
    """script(text, name=): the path of an executable of this shell text."""
    names = (f"script-{n}" for n in itertools.count(1))

    def make(text, name=None):
        path = tmp_path / (name or next(names))
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)
    return make


@pytest.fixture
def tells(script, events):
    """tells(what, more=): the path of a hook that tells so in `events`, and then does more."""
    return lambda what, more="": script(f'echo "$(date +%s.%6N) {what}" >>{events.path}\n{more}')


class Durable(Consul):
    """A Consul that keeps its state when it is stopped and started again, on the same port."""

    def __init__(self, folder):
        self.ports = free_ports(3)
        super().__init__(folder)

    def _start(self):
        self.port, server, serf = self.ports
        (self.folder / "agent.json").write_text(json.dumps({
            "node_name": "agent", "server": True, "bootstrap_expect": 1, "bind_addr": "127.0.0.1", "client_addr": "127.0.0.1",
            "data_dir": str(self.folder / "data"), "disable_update_check": True, "log_level": "warn",
            "performance": {"raft_multiplier": 1},
            "ports": {"http": self.port, "dns": -1, "grpc": -1, "server": server, "serf_lan": serf, "serf_wan": -1}}))
        with open(self.folder / "agent.log", "ab") as log:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", find_binary(), "agent", f"-config-file={self.folder / 'agent.json'}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"HOME": str(self.folder)})

    def again(self):
        """Start it once more."""
        self._start()
        assert self._wait(40), self.log()[-3000:]
