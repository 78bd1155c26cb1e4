#!/usr/bin/python3
"""many.py: what hundreds of names cost `dnsbuddy watch`, beside the program of an earlier commit; for run.py, or alone.

README.md here says what each figure is. Consul is a real one with its default limits (but for the program from before, which
needs a connection for each service); Cloudflare is the stand-in, and a call's moment is when that has read the whole request.

    MANY_NAMES=250 MANY_SIZES="1 10 100 1024"   how many; of others than these there are no budgets
    many.py [--quick] [life|right|zones|size|rest|before]...   some cases alone; figures as JSON
"""

import json
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from scene import ROOT, ZONE, Scene
from fleet import Fleet, connections, names_in_step
from program import binary
from watch import Background, Process, percentiles, until

BEFORE = Path(os.environ.get("BUILD", ROOT / "build"), "before/dnsbuddy").resolve()
NAMES = int(os.environ.get("MANY_NAMES", 250))
LARGE_ZONE = 3500  # records of a zone, ours among them
ZONES, ZONE_NAMES = 20, 50
SIZES = tuple(map(int, os.environ.get("MANY_SIZES", "1 10 100 1024").split()))
BURST, BURST_SEC = 50, 0.1
UNLIMITED = {"limits": {"http_max_conns_per_client": 2000}}

BUDGET = {"create_calls": 8, "create_sec": 3, "right_calls": 3, "right_sec": 1, "resync_calls": 1, "writes": 4, "burst_p99_ms": 100,
          "name_kib": 16, "all_kib": 16 * 1024, "one_kib": 1024, "connections": 64, "p99_ms": {NAMES: 50, 1024: 1000},
          "one_p50_ms": 5, "cpu_sec_per_hour": 1}


class Plan:
    """How much of everything."""

    def __init__(self, quick):
        self.quick = quick
        self.changes = 8 if quick else 100
        self.idle_sec = 5 if quick else 330  # longer than the default of --resync, with its jitter
        self.resyncs, self.resync_sec = (1, 6) if quick else (3, 15)
        self.before_names, self.before_resync_sec = (40, 15) if quick else (190, 60)


# ---- what the stand-in saw ------------------------------------------------------------------------------------------------

class Journal:
    """What the stand-in has written down, read as it grows."""

    def __init__(self, scene):
        self.file = open(scene.ready["journal"], encoding="utf-8")
        self.calls, self.changes, self.rest = {}, [], ""

    def read(self):
        text = self.rest + self.file.read()
        *lines, self.rest = text.split("\n")
        for line in lines:
            event = json.loads(line)
            if event["event"] == "call":
                self.calls[event["n"]] = event
            elif event["event"] == "records" and event["call"]:
                self.changes.append(event)
        return self

    def since(self, moment):
        """Calls that came after it."""
        return [c for c in self.calls.values() if c["t"] >= moment]

    def find(self, fleet, changes):
        """When the call came that made each of these true, less when it began, ms; None where there is none yet."""
        self.read()
        by_name = {}
        for event in self.changes:
            for name in event["names"]:
                by_name.setdefault(name, []).append(event)
        out = []
        for began, i, is_there in changes:
            name, address = fleet.names[i], fleet.moving[i]
            for event in by_name.get(name, ()):
                if event["t"] > began and event["call"] in self.calls and is_there == any(
                        r["content"] == address and r["name"] == name for r in event["records"]):
                    out.append((self.calls[event["call"]]["t"] - began) * 1e3)
                    break
            else:
                return None
        return out


def kinds_of(calls):
    out = {}
    for call in calls:
        kind = call["kind"].partition("-")[0]
        out[kind] = out.get(kind, 0) + 1
    return out


# ---- a watch of many ------------------------------------------------------------------------------------------------------

class Many:
    """A watch of a fleet, from its start on."""

    def __init__(self, scene, program, fleet, folder, journal, **more):
        self.scene, self.fleet, self.journal = scene, fleet, journal
        self.log = Path(folder, f"{fleet.kind}.log")
        env = scene.environment_of(None) | {"DNSBUDDY_CONFIG": str(fleet.config(folder)), "DNSBUDDY_LOG_FORMAT": "logfmt",
                                            "DNSBUDDY_GRACE": "0"} | more
        del env["CF_ZONE_ID"]
        self.began = time.monotonic()
        self.process = Process([program, "watch"], env, self.log)

    def settle(self, seconds=400):
        """Until each name has been brought in step, and all is quiet: seconds until then, calls by kind."""
        def in_step():
            if self.process.child.poll() is not None:
                sys.exit(f"bench: watch ended:\n{self.log.read_text(errors='replace')[-2000:]}")
            return names_in_step(self.log.read_text(errors="replace")) >= self.fleet.n

        until(in_step, f"{self.fleet.n} names in step", seconds, self.log)
        self.right_sec = time.monotonic() - self.began
        self.quiet(1.5)
        calls = self.journal.read().since(self.began)
        written = [e["t"] for e in self.journal.changes if e["t"] >= self.began]
        return {"names": self.fleet.n, "calls": len(calls), "kinds": kinds_of(calls),
                "until_right_sec": round(written[-1] - self.began if written else self.right_sec, 2),
                "consul_connections": connections(self.process.pid, self.scene.consul.port)}

    def quiet(self, seconds):
        """Until no call came for so long."""
        n, at = -1, 0.0
        while time.monotonic() - at < seconds:
            now = len(self.journal.read().calls)
            if now != n:
                n, at = now, time.monotonic()
            time.sleep(0.1)

    def memory(self):
        return {"rest_kib": self.process.memory_kib("VmRSS"), "peak_kib": self.process.memory_kib("VmHWM"),
                "anonymous_kib": self.process.memory_kib("RssAnon")}

    def idle(self, seconds):
        cpu = self.process.cpu_seconds()
        time.sleep(seconds)
        return round((self.process.cpu_seconds() - cpu) / seconds * 3600, 2)

    def found(self, changes):
        """The latencies of these changes, once all are there."""
        out = []
        until(lambda: out.append(self.journal.find(self.fleet, changes)) or out[-1], "the calls of all changes", 120, self.log)
        return out[-1]

    def latency(self, n):
        """One name after the other: its instance that moves comes; later it goes. None waits for the one before."""
        out, step = {}, max(1, self.fleet.n // n)
        order = [(i * step * 7) % self.fleet.n for i in range(n)]
        order = list(dict.fromkeys(order)) if self.fleet.n > 1 else [0]
        ways = {"added_ms": [], "removed_ms": []}
        if self.fleet.n == 1:
            for k in range(n):
                changes = [self.fleet.change(0)]
                ways["added_ms" if k % 2 == 0 else "removed_ms"] += self.found(changes)
                time.sleep(0.5)
        else:
            for way in ways:
                changes = []
                for i in order:
                    changes.append(self.fleet.change(i))
                    time.sleep(0.3)
                ways[way] = self.found(changes)
        for way, values in ways.items():
            out[way] = percentiles(values)
        return out

    def burst(self):
        """BURST names change within BURST_SEC: added, then removed; each with the writes it took."""
        out = {}
        for way in ("added", "removed"):
            self.quiet(2)
            since = time.monotonic()
            changes = self.fleet.burst(BURST, BURST_SEC)
            values = self.found(changes)
            self.quiet(1)
            calls = self.journal.read().since(since)
            kinds = kinds_of(calls)
            out[way] = {"changes": len(changes), "writes": sum(n for k, n in kinds.items() if k not in ("zones", "list", "zone")),
                        "kinds": kinds, "api_call_ms": percentiles(values),
                        "took_ms": round((max(c[0] for c in changes) - min(c[0] for c in changes)) * 1e3)}
        return out

    def resyncs(self, n, period_sec):
        """Over n resyncs: the most calls of one, and the CPU that one takes."""
        begin, cpu = time.monotonic(), self.process.cpu_seconds()
        time.sleep(n * period_sec * 1.12 + 1)
        took, cpu = time.monotonic() - begin, self.process.cpu_seconds() - cpu
        times = sorted(c["t"] for c in self.journal.read().since(begin))
        groups = []
        for t in times:
            if not groups or t - groups[-1][-1] > 2 or t - groups[-1][0] > period_sec:
                groups.append([])
            groups[-1].append(t)
        kinds = kinds_of(self.journal.since(begin))
        return {"resyncs": len(groups), "calls": max(map(len, groups), default=0), "kinds": kinds,
                "cpu_ms": round(cpu * 1e3 / max(1, len(groups)), 2), "seconds": round(took, 1)}

    def stop(self):
        return self.process.stop()


@contextmanager
def watched(scene, program, kind, n, folder, journal, seeded=True, zones=(ZONE,), **more):
    fleet = Fleet(scene.consul, kind, n, zones, connections=4)
    if seeded:
        scene.control("POST", "/records", fleet.records())
    many = Many(scene, program, fleet, folder, journal, **more)
    yield many
    many.stop()
    fleet.close()
    scene.control("DELETE", "/records")


# ---- the cases ------------------------------------------------------------------------------------------------------------

def life(scene, program, folder, journal, plan, n):
    """From nothing: all to be created; single changes, many at once."""
    with watched(scene, program, "life", n, folder, journal, seeded=False) as many:
        out = {"create": many.settle()}
        out["memory"] = many.memory()
        out["latency"] = many.latency(plan.changes)
        out["burst"] = many.burst() if n >= BURST else None
        out["after"] = many.memory()
    return out


def rest(scene, program, folder, journal, plan, n):
    """All right, and nothing to do: CPU, from when every service has been read for the last time."""
    with watched(scene, program, "rest", n, folder, journal) as many:
        many.settle()
        time.sleep(5 if plan.quick else 30)
        return {"idle_cpu_sec_per_hour": many.idle(plan.idle_sec), "idle_sec": plan.idle_sec, "memory": many.memory()}


def right(scene, program, folder, journal, plan, n):
    """All right at the start, in a large zone; then resyncs."""
    foreign = [{"name": f"other-{i}.{ZONE}", "type": "A", "content": "203.0.113.9", "ttl": 300} for i in range(LARGE_ZONE - n)]
    scene.control("POST", "/records", foreign)
    # A call for each name would not fit into the time of many.
    period_sec, times = (plan.before_resync_sec, 1) if program == BEFORE else (plan.resync_sec, plan.resyncs)
    with watched(scene, program, "right", n, folder, journal, DNSBUDDY_RESYNC=str(period_sec)) as many:
        return {"records": LARGE_ZONE, "start": many.settle(), "resync": many.resyncs(times, period_sec), "memory": many.memory()}


def size(scene, program, folder, journal, plan, n):
    """All right at the start: memory and connections at rest, single changes."""
    with watched(scene, program, f"size{n}", n, folder, journal) as many:
        out = {"start": many.settle(), "memory": many.memory()}
        if n in (1, 1024):
            out["latency"] = many.latency(plan.changes)
            out["after"] = many.memory()
    return out


def zones(scene, program, folder, journal, _, names):
    """Many zones, all to be created."""
    with watched(scene, program, "zones", len(names) * ZONE_NAMES, folder, journal, seeded=False, zones=names) as many:
        return {"zones": len(names), "create": many.settle(), "memory": many.memory()}


def elsewhere(folder, plan, program, wants, of, say):
    """What has scenes of its own."""
    out = {"before": None}
    if wants("zones"):
        say(f"watch: {ZONES} zones of {ZONE_NAMES} names, all to be created")
        names = [f"z{i}.example.net" for i in range(ZONES)]
        with Scene(folder / "zones", consul={}, zones=names) as scene:
            scene.control("POST", "/settings", {"strict": False})
            out["zones"] = of(scene, zones, program, names)
    if wants("before") and os.access(BEFORE, os.X_OK):
        with Scene(folder / "before", consul=UNLIMITED) as scene:
            scene.control("POST", "/settings", {"strict": False})
            say(f"watch: the program from before, {plan.before_names} names")
            names_n = plan.before_names
            out["before"] = {"names": names_n, "life": of(scene, life, BEFORE, names_n), "right": of(scene, right, BEFORE, names_n)}
            out["before"]["sizes"] = {str(n): of(scene, size, BEFORE, n) for n in SIZES if n <= 100}
            if not plan.quick:
                out["before"]["rest"] = of(scene, rest, BEFORE, 100)
    return out


def measure(folder, quick, only=()):
    """Everything, as a dict; None where it was not measured."""
    folder, plan = Path(folder), Plan(quick)
    program, out = Path(binary()), {"names": NAMES}

    def say(text):
        print(f"  BENCH   {text}", file=sys.stderr)

    def wants(key):
        return not only or key in only

    def of(scene, run, *args):
        journal = Journal(scene)
        return run(scene, args[0], folder, journal, plan, *args[1:])

    with Scene(folder / "many", consul={}) as scene:
        scene.control("POST", "/settings", {"strict": False})
        if wants("life"):
            say(f"watch: {NAMES} names, all to be created; changes")
            out["life"] = of(scene, life, program, NAMES)
        if wants("right"):
            say(f"watch: {NAMES} names that are right, in a zone of {LARGE_ZONE:,} records")
            out["right"] = of(scene, right, program, NAMES)
        if wants("size"):
            out["sizes"] = {}
            for n in SIZES:
                say(f"watch: {n:,} names")
                out["sizes"][str(n)] = of(scene, size, program, n)
        # While what follows is measured with a Consul and a stand-in of its own.
        idle = Background(lambda: of(scene, rest, program, NAMES)) if wants("rest") else None
        out |= elsewhere(folder, plan, program, wants, of, say)
        if idle:
            say(f"watch: {NAMES} names at rest")
            out["rest"] = idle.result()
    return out


# ---- what came of it ------------------------------------------------------------------------------------------------------

def look(tree, *path):
    for key in path:
        if tree is None:
            return None
        tree = tree.get(key)
    return tree


def per_name(result):
    """KiB resident for each name past the first, between the fewest and the most measured."""
    sizes = {int(n): look(v, "memory", "rest_kib") for n, v in (look(result, "sizes") or {}).items()}
    if len(sizes) < 2:
        return None
    least, most = min(sizes), max(sizes)
    return round((sizes[most] - sizes[least]) / (most - least), 1)


def rows(result):
    """(what, the path's figure now, before, allowed): the table."""
    before = result.get("before")
    their = look(before, "names")

    def both(what, allowed, *path):
        return what, look(result, *path), look(before, *path), allowed

    n = result["names"]
    yield both(f"start, {n} names, all to be created: API calls", BUDGET["create_calls"], "life", "create", "calls")
    yield both(f"start, {n} names, all to be created: seconds until right", BUDGET["create_sec"], "life", "create", "until_right_sec")
    yield both(f"start, {n} names already right: API calls", BUDGET["right_calls"], "right", "start", "calls")
    yield both(f"start, {n} names already right: seconds", BUDGET["right_sec"], "right", "start", "until_right_sec")
    yield both(f"resync, {n} names in a zone of {LARGE_ZONE:,} records: API calls", BUDGET["resync_calls"], "right", "resync", "calls")
    for way in ("added", "removed"):
        text = f"{BURST} names change within {BURST_SEC * 1e3:.0f} ms, {way}"
        yield both(f"{text}: writes", BUDGET["writes"], "life", "burst", way, "writes")
        yield both(f"{text}: ms to the API call, p99", BUDGET["burst_p99_ms"] if way == "added" else None,
                   "life", "burst", way, "api_call_ms", "p99")
    yield both(f"{ZONES} zones of {ZONE_NAMES} names, all to be created: API calls", 4 * ZONES, "zones", "create", "calls")
    yield both("resident, one name, KiB", BUDGET["one_kib"], "sizes", "1", "memory", "rest_kib")
    yield "resident for each further name and its service, KiB", per_name(result), per_name(before), BUDGET["name_kib"]
    yield both("resident, 1,024 names, KiB", BUDGET["all_kib"], "sizes", "1024", "memory", "rest_kib")
    yield both("peak, 1,024 names, KiB", None, "sizes", "1024", "memory", "peak_kib")
    yield both("connections to Consul, 1,024 services", BUDGET["connections"], "sizes", "1024", "start", "consul_connections")
    yield both(f"connections to Consul, {n} services", BUDGET["connections"], "life", "create", "consul_connections")
    yield both("change to API call, 1 service: ms, median", BUDGET["one_p50_ms"], "sizes", "1", "latency", "added_ms", "p50")
    for count, path in ((1, ("sizes", "1")), (n, ("life",)), (1024, ("sizes", "1024"))):
        for way in ("added", "removed"):
            plural = "s" if count > 1 else ""
            yield both(f"change to API call, {count:,} service{plural}, {way}: ms, p99", BUDGET["p99_ms"].get(count) if way == "added" else None,
                       *path, "latency", f"{way}_ms", "p99")
    yield both(f"CPU seconds an hour at rest, {n} names", BUDGET["cpu_sec_per_hour"], "rest", "idle_cpu_sec_per_hour")
    assert their is None or their <= n


def budgets(result):
    """As run.py has them: (text, found, allowed)."""
    return [(what, found, allowed) for what, found, _, allowed in rows(result) if allowed is not None]


def figure(value):
    return "-" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"


def show(result):
    before = result.get("before")
    columns = "  {:<78}{:>10}{:>10}{:>10}"
    print("\n" + columns.format("many names", "now", "before", "at most").strip())
    for what, now, then, allowed in rows(result):
        print(columns.format(what, figure(now), figure(then), figure(allowed)))
    if before:
        print(f"  before: the program of an earlier commit, with {before['names']} names, and a Consul without a limit of connections")
    else:
        print("  before: not measured, as the history has no such commit (scripts/before.sh)")


def main():
    import tempfile
    words = [a for a in sys.argv[1:] if not a.startswith("-")]
    with tempfile.TemporaryDirectory(prefix="dnsbuddy-many-") as folder:
        result = measure(folder, "--quick" in sys.argv[1:], words)
    print(json.dumps(result, indent=1))
    show(result)


if __name__ == "__main__":
    main()
