"""watch.py: the figures of `dnsbuddy watch`, beside the two other ways to have a handler follow Consul; for run.py.

README.md here says what each figure is. Services, Consul, the API's stand-in and DNS are real processes on loopback; the
changes are made here, and here is asked when DNS has them.
"""

import http.client
import json
import os
import random
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from closing import ClosingConsul
from scene import ROOT, TTL, ZONE, Scene, addresses
from consul import find_binary
from fleet import names_in_step
from program import binary

SCRIPT = ROOT / "tests/bench/update-dns.sh"
POLL_SEC = 5.0  # as the article's containerbuddy.json has it
PERIOD_SEC = 2.2  # between two changes of one service: 16 services stay within the calls that the API allows
STEPS = 40  # of a deploy that waits for each
CHURN_PERIOD_SEC = 0.5
MANY = 10_000
NAMES = 16  # services whose Consul closes every connection; so few have a query each
BULK = 25  # instances that come, or go, at once
PATIENCE_SEC = 60

BUDGET = {"rest_kib": 1024, "peak_many_kib": 3 * 1024, "api_call_ms": 5, "writes": 2, "step_p99_ms": 150,
          "churn_p99_ms": 500, "churn_cpu_percent": 2, "noise_cpu_percent": 1}


class Plan:
    """How much of everything."""

    def __init__(self, quick):
        self.quick = quick
        self.sites, self.rounds = 16, 2 if quick else 13
        self.poll_sites = 10 if quick else 12
        self.told_sites, self.told_rounds = 4, 3 if quick else 5
        self.idle_sec = 20 if quick else 60
        self.churn_sec = 10 if quick else 120
        self.reconnects = 1000 if quick else 10_000


# ---- processes ----------------------------------------------------------------------------------------------------------

class Process:
    """A child, until stop()."""

    def __init__(self, argv, env, log):
        self.log = Path(log)
        with open(log, "wb") as out:
            self.child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, argv)], env=env, stdout=out, stderr=out,
                                          stdin=subprocess.DEVNULL)
        self.pid = self.child.pid

    def cpu_seconds(self):
        """Its own, to the nanosecond (clock_getcpuclockid(3)), and of the children it has waited for, to the tick."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return time.clock_gettime((~self.pid << 3) | 2) + (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self, what):
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(what + ":"))

    def files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self):
        if self.child.poll() is not None:
            sys.exit(f"bench: a process ended by itself:\n{self.log.read_text(errors='replace')[-2000:]}")
        self.child.terminate()
        return self.child.wait(10)


def until(condition, what, seconds=PATIENCE_SEC, log=None):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            said = Path(log).read_text(errors="replace")[-2000:] if log else ""
            sys.exit(f"bench: not within {seconds} s: {what}\n{said}")
        time.sleep(0.05)


def last_line(log):
    with open(log, "rb") as f:
        f.seek(max(0, os.path.getsize(log) - 1000))
        return f.read().decode(errors="replace")


@contextmanager
def watching(scene, records, log, zone=ZONE, **more):
    """`dnsbuddy watch` with so many records [{service, record}]."""
    env = scene.environment_of(zone) | {
        "DNSBUDDY_CONFIG": json.dumps({"ttl": TTL, "records": records}), "DNSBUDDY_LOG_FORMAT": "logfmt", "DNSBUDDY_GRACE": "0"} | more
    process = Process([binary(), "watch"], env, log)
    yield process
    code = process.stop()
    if code:
        sys.exit(f"bench: watch ended with {code}:\n{Path(log).read_text(errors='replace')[-2000:]}")


# ---- one change, seen ---------------------------------------------------------------------------------------------------

def dns_query(name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01"


class Site:
    """A service with two instances that stay and one that comes and goes, and the record that follows it."""

    def __init__(self, scene, kind, n):
        self.scene, self.service, self.name = scene, f"{kind}-{n}", f"{kind}-{n}.{ZONE}"
        self.staying = addresses(2)
        self.address = f"198.19.{n}.1"
        self.is_there = False
        self.seen = []  # of changes: dicts of t, address, is_there; visible_ms
        scene.list_in_consul(self.service, self.staying)
        scene.control("POST", "/records", [{"name": self.name, "type": "A", "content": c, "ttl": TTL} for c in self.staying])
        self.consul = http.client.HTTPConnection(scene.consul.address)
        self.consul.connect()
        self.consul.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.dns.connect((scene.ready["dns"]["host"], scene.ready["dns"]["port"]))
        self.dns.settimeout(2)
        self.rdata = struct.pack("!H", 4) + socket.inet_aton(self.address)
        self.query = dns_query(self.name)

    def close(self):
        self.consul.close()
        self.dns.close()

    def put(self, path, body):
        self.consul.request("PUT", path, json.dumps(body))
        answer = self.consul.getresponse()
        if answer.read() and answer.status != 200:
            raise RuntimeError(f"Consul: {answer.status} to {path}")

    def in_dns(self):
        self.dns.send(self.query)
        return self.rdata in self.dns.recv(4096)

    def change(self, pause_sec):
        """The instance comes, or goes; wait until DNS shows it."""
        node, key = f"node-{self.service}", f"{self.service}-moving"
        self.is_there = not self.is_there
        began = time.monotonic()
        if self.is_there:
            self.put("/v1/catalog/register", {
                "Node": node, "SkipNodeUpdate": True,
                "Service": {"ID": key, "Service": self.service, "Address": self.address, "Port": 80},
                "Check": {"Node": node, "CheckID": key, "Name": key, "ServiceID": key, "Status": "passing"}})
        else:
            self.put("/v1/catalog/deregister", {"Node": node, "ServiceID": key})
        while self.in_dns() != self.is_there:
            if time.monotonic() - began > PATIENCE_SEC:
                raise RuntimeError(f"{self.name} was not changed within {PATIENCE_SEC} s")
            time.sleep(pause_sec)
        self.seen.append({"t": began, "address": self.address, "is_there": self.is_there,
                          "visible_ms": (time.monotonic() - began) * 1e3})

    def bulk(self, come):
        """Many instances at once come, or go."""
        node, verb = f"node-{self.service}", "set" if come else "delete"
        moving = [f"{self.address.rpartition('.')[0]}.{n}" for n in range(100, 100 + BULK)]
        self.put("/v1/txn", [{"Service": {"Verb": verb, "Node": node, "Service": {
            "ID": f"{self.service}-{a}", "Service": self.service, "Address": a, "Port": 80}}} for a in moving])
        return sorted(self.staying + (moving if come else []) + ([self.address] if self.is_there else []))

    def contents(self):
        return sorted(r["content"] for r in self.scene.control("GET", f"/records?name={self.name}"))


def in_turns(sites, rounds, pause_sec, period_sec=PERIOD_SEC, delays=None):
    """Each site's changes a period apart, the sites' evenly between; or each after a delay of its own. In threads, as one may wait."""
    failed, start = [], time.monotonic() + 0.1

    def run(n, site):
        try:
            for r in range(rounds):
                at = start + (delays[n] if delays else (r + n / len(sites)) * period_sec)
                time.sleep(max(0.0, at - time.monotonic()))
                site.change(pause_sec)
        except (OSError, RuntimeError, http.client.HTTPException) as e:
            failed.append(e)

    threads = [threading.Thread(target=run, args=item, daemon=True) for item in enumerate(sites)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit(f"bench: {failed[0]}")


def read_journal(scene):
    """The stand-in's journal: ({call number: moment}, [events that changed records])."""
    calls, changes = {}, []
    with open(scene.ready["journal"], encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if event["event"] == "call":
                calls[event["n"]] = event["t"]
            elif event["event"] == "records" and event["call"]:
                changes.append(event)
    return calls, changes


def percentiles(values):
    values = sorted(values)
    cut = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 99
    return {"p50": round(statistics.median(values), 2), "p99": round(cut[98], 2), "min": round(values[0], 2),
            "max": round(values[-1], 2)}


def latencies(scene, sites):
    """From the changes of these sites to the calls that made them true, and to DNS.

    DNS may show a record before the journal has its line.
    """
    for _ in range(50):
        try:
            return read_latencies(scene, sites)
        except (StopIteration, KeyError):
            time.sleep(0.1)
    return read_latencies(scene, sites)


def read_latencies(scene, sites):
    calls, changes = read_journal(scene)
    by_name = {}
    for event in changes:
        for name in event["names"]:
            by_name.setdefault(name, []).append(event)
    call_ms, added_ms, removed_ms, visible_ms = [], [], [], []
    for site in sites:
        for change in site.seen:
            event = next(e for e in by_name[site.name] if e["t"] > change["t"] and change["is_there"] == any(
                r["content"] == change["address"] and r["name"] == site.name for r in e["records"]))
            call_ms.append((calls[event["call"]] - change["t"]) * 1e3)
            (added_ms if change["is_there"] else removed_ms).append(call_ms[-1])
            visible_ms.append(change["visible_ms"])
    return {"changes": len(call_ms), "api_call_ms": percentiles(call_ms), "added_ms": percentiles(added_ms),
            "removed_ms": percentiles(removed_ms) if removed_ms else None, "in_dns_ms": percentiles(visible_ms)}


def calls_so_far(scene):
    return sum(scene.control("GET", "/stats")["calls"].values())


@contextmanager
def sites_of(scene, kind, n):
    sites = [Site(scene, kind, i) for i in range(n)]
    yield sites
    for site in sites:
        site.close()


# ---- the three that follow ----------------------------------------------------------------------------------------------

def follow_by_watch(scene, plan, log):
    """dnsbuddy watch."""
    with sites_of(scene, "watch", plan.sites) as sites, watching(
            scene, [{"service": s.service, "record": s.name} for s in sites], log) as process:
        until(lambda: names_in_step(log.read_text()) >= len(sites), "the start of watch", log=log)
        time.sleep(0.5)
        rest, cpu, calls = process.memory_kib("VmRSS"), process.cpu_seconds(), calls_so_far(scene)
        in_turns(sites, plan.rounds, 0.001)
        out = latencies(scene, sites)
        out["cpu_ms_per_change"] = round((process.cpu_seconds() - cpu) * 1e3 / out["changes"], 2)
        out["api_calls_per_change"] = round((calls_so_far(scene) - calls) / out["changes"], 2)
        changed = out["changes"]
        for come in (True, False):
            wanted = [(site, site.bulk(come)) for site in sites]
            changed += len(sites) * BULK
            until(lambda: all(site.contents() == those for site, those in wanted), "records after many changes", log=log)
        out |= {"rest_kib": rest, "after_changes_kib": process.memory_kib("VmRSS"), "after_changes": changed}
    return out


def poll(site, env, phase, stop, cpu, log):
    """As Containerbuddy does it: read, compare, and when it is another list run the handler, to its end."""
    target, last = f"/v1/health/service/{site.service}?passing", None
    at = time.monotonic() + phase
    while not stop.wait(max(0.0, at - time.monotonic())):
        listed = sorted(i["Service"]["Address"] for i in site.scene.consul.get(target))
        if last not in (None, listed):
            with open(log, "ab") as out:
                pid = subprocess.Popen(["bash", str(SCRIPT), site.service, site.name, str(TTL)], env=env, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=out).pid
            _, _, usage = os.wait4(pid, 0)
            cpu.append(usage.ru_utime + usage.ru_stime)
        last, at = listed, at + POLL_SEC


def follow_by_poll(scene, plan, log):
    """update-dns.sh, polled as Containerbuddy does."""
    dice, stop, cpu = random.Random(3), threading.Event(), []
    env = scene.environment_of(ZONE)
    with sites_of(scene, "poll", plan.poll_sites) as sites:
        pollers = [threading.Thread(target=poll, args=(s, env, n * POLL_SEC / len(sites), stop, cpu, log), daemon=True)
                   for n, s in enumerate(sites)]
        for poller in pollers:
            poller.start()
        time.sleep(POLL_SEC)
        calls = calls_so_far(scene)
        # Anywhere in the time between two polls, evenly: a few drawn by lot would not be.
        after = [(n + dice.random()) * POLL_SEC / len(sites) for n in range(len(sites))]
        in_turns(sites, 1, 0.005, delays=[n * POLL_SEC / len(sites) + a for n, a in enumerate(dice.sample(after, len(after)))])
        stop.set()
        for poller in pollers:
            poller.join()
        out = latencies(scene, sites)
    return out | {"cpu_ms_per_change": round(sum(cpu) * 1e3 / out["changes"], 2),
                  "api_calls_per_change": round((calls_so_far(scene) - calls) / out["changes"], 2)}


def follow_by_consul_watch(scene, plan, log):
    """update-dns.sh, run by consul watch."""
    env = scene.environment_of(ZONE)
    with sites_of(scene, "told", plan.told_sites) as sites:
        calls = calls_so_far(scene)
        watches = [Process([find_binary(), "watch", "-type=service", f"-service={s.service}", "bash", SCRIPT, s.service, s.name,
                            TTL], env, f"{log}-{s.service}") for s in sites]
        # Each runs its handler once at the start: a zone look-up and a listing.
        until(lambda: calls_so_far(scene) >= calls + 2 * len(sites), "the start of consul watch", log=watches[0].log)
        time.sleep(0.5)
        cpu, calls = sum(w.cpu_seconds() for w in watches), calls_so_far(scene)
        in_turns(sites, plan.told_rounds, 0.005)
        time.sleep(0.3)  # the last handlers end
        cpu = sum(w.cpu_seconds() for w in watches) - cpu
        for watch in watches:
            watch.stop()
        out = latencies(scene, sites)
    return out | {"cpu_ms_per_change": round(cpu * 1e3 / out["changes"], 2),
                  "api_calls_per_change": round((calls_so_far(scene) - calls) / out["changes"], 2)}


# ---- the pace: a deploy that waits, a service that churns, one that only chatters -------------------------------------------

@contextmanager
def followed(scene, kind, log):
    """A site, and a watch of its own that has settled."""
    with sites_of(scene, kind, 1) as (site,), watching(scene, [{"service": site.service, "record": site.name}], log) as process:
        until(lambda: "msg=\"in sync\"" in log.read_text(), "the start of watch", log=log)
        time.sleep(0.5)
        yield site, process


def in_sequence(scene, log):
    """A deploy of many steps, each begun when DNS shows the one before."""
    with followed(scene, "deploy", log) as (site, _):
        for _ in range(STEPS):
            site.change(0.001)
        return latencies(scene, [site])


def churn(scene, seconds, log):
    """Two changes a second."""
    with followed(scene, "churn", log) as (site, process):
        cpu, began = process.cpu_seconds(), time.monotonic()
        in_turns([site], int(seconds / CHURN_PERIOD_SEC), 0.001, CHURN_PERIOD_SEC)
        took = time.monotonic() - began
        return latencies(scene, [site]) | {"seconds": round(took, 1),
                                           "cpu_percent": round((process.cpu_seconds() - cpu) / took * 100, 3)}


def chatter(scene, seconds, log):
    """A check whose output is another each second, and nothing to do."""
    with followed(scene, "chatter", log) as (site, process):
        node, key = f"node-{site.service}", f"{site.service}-{0:012x}"
        cpu, began, since = process.cpu_seconds(), time.monotonic(), len(read_journal(scene)[0])
        for n in range(int(seconds)):
            time.sleep(max(0.0, began + n - time.monotonic()))
            site.put("/v1/catalog/register", {"Node": node, "SkipNodeUpdate": True, "Check": {
                "Node": node, "CheckID": key, "Name": key, "ServiceID": key, "Status": "passing", "Output": f"{n} requests"}})
        took = time.monotonic() - began
        calls = [c for c in scene.control("GET", f"/calls?since={since}") if site.name in json.dumps([c["query"], c["body"]])]
        return {"seconds": round(took, 1), "api_calls": len(calls),
                "cpu_percent": round((process.cpu_seconds() - cpu) / took * 100, 3)}


# ---- at rest, with many, with connections that do not last -----------------------------------------------------------------

class Rest:
    """dnsbuddy watch as README.md runs it, and consul watch, with nothing to do: measured over so many seconds, from begin()."""

    def __init__(self, scene, folder, plan):
        self.scene, self.plan = scene, plan
        service, name = "rest", f"rest.{ZONE}"
        scene.list_in_consul(service, addresses(3))
        scene.control("POST", "/records", [{"name": name, "type": "A", "content": c, "ttl": TTL} for c in addresses(3)])
        env = scene.environment_of(ZONE)
        log = folder / "rest.log"
        port = free_port()
        self.ours = Process([binary(), "watch", service, name, TTL],
                            env | {"DNSBUDDY_LISTEN": f"127.0.0.1:{port}", "DNSBUDDY_LOG_FORMAT": "logfmt"}, log)
        self.theirs = Process([find_binary(), "watch", "-type=service", f"-service={service}", "true"], env, folder / "told.log")
        until(lambda: "msg=\"in sync\"" in log.read_text(), "the start of watch", log=log)
        time.sleep(1)
        self.since = calls_so_far(scene)
        self.figures = Background(self._measure)

    def _measure(self):
        both = {"dnsbuddy": self.ours, "consul_watch": self.theirs}
        before = {key: p.cpu_seconds() for key, p in both.items()}
        time.sleep(self.plan.idle_sec)
        out = {}
        for key, p in both.items():
            cpu = (p.cpu_seconds() - before[key]) / self.plan.idle_sec * 3600
            out[key] = {"rest_kib": p.memory_kib("VmRSS"), "peak_kib": p.memory_kib("VmHWM"), "cpu_sec_per_hour": round(cpu, 2)}
        return out

    def finish(self):
        out = self.figures.result()
        calls = [c for c in self.scene.control("GET", f"/calls?since={self.since}") if "rest." in json.dumps([c["query"], c["body"]])]
        for process in (self.ours, self.theirs):
            process.stop()
        return out | {"seconds": self.plan.idle_sec, "api_calls": len(calls)}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def peak_of_many(scene, log):
    """VmHWM of a watch with so many instances, whose records are there already, and then one more."""
    service, name = f"web-{MANY}", f"many.{ZONE}"
    scene.list_in_consul(service, addresses(MANY))
    scene.control("POST", "/records", [{"name": name, "type": "A", "content": c, "ttl": TTL} for c in addresses(MANY)])
    with watching(scene, [{"service": service, "record": name}], log) as process:
        until(lambda: f"wanted={MANY} created=0" in last_line(log), f"{MANY} records", log=log)
        scene.consul.add(service, "198.19.255.1")
        until(lambda: f"wanted={MANY + 1} created=1" in last_line(log), "one record more", log=log)
        peak = process.memory_kib("VmHWM")
    scene.control("DELETE", f"/records?name={name}")
    return peak


def reconnect(scene, plan, log):
    """File descriptors of a watch whose Consul and whose API close each connection after one answer: at rest, before and after."""
    address, = addresses(1)
    names = [f"closing-{n}.{ZONE}" for n in range(NAMES)]
    scene.control("POST", "/records", [{"name": n, "type": "A", "content": address, "ttl": TTL} for n in names])
    scene.control("POST", "/settings", {"requests_per_connection": 1})
    consul, api = ClosingConsul(address), scene.control("GET", "/stats")["connections"]
    consul.hold(True)
    records = [{"service": f"closing-{n}", "record": name} for n, name in enumerate(names)]
    with watching(scene, records, log, zone=None, CONSUL_HTTP_ADDR=consul.address, DNSBUDDY_REGISTER_AS="none") as process:
        def files_at_rest():
            until(lambda: consul.held == NAMES, "every service being waited for", log=log)
            time.sleep(0.5)
            return process.files()

        until(lambda: names_in_step(log.read_text()) == NAMES, "the start of watch", log=log)
        out = {"names": NAMES, "files_before": files_at_rest()}
        began = time.monotonic()
        consul.hold(False)
        until(lambda: consul.connections >= plan.reconnects, "so many connections", 4 * PATIENCE_SEC, log)
        out |= {"seconds": round(time.monotonic() - began, 1), "consul_connections": consul.connections}
        consul.hold(True)
        out |= {"files_after": files_at_rest(), "rest_kib": process.memory_kib("VmRSS")}
    consul.stop()
    out["api_connections"] = scene.control("GET", "/stats")["connections"] - api
    scene.control("POST", "/settings", {"requests_per_connection": 0})
    return out


class Background:
    """Something measured beside something else. result() waits for it, and ends as it ended."""

    def __init__(self, what):
        self.thread = threading.Thread(target=self._run, args=(what,), daemon=True)
        self.made = self.error = None
        self.thread.start()

    def _run(self, what):
        try:
            self.made = what()
        except BaseException as e:  # sys.exit, too
            self.error = e

    def result(self):
        self.thread.join()
        if self.error:
            raise self.error
        return self.made


# ---- all of it ----------------------------------------------------------------------------------------------------------

def measure(scene, folder, quick):
    """Everything, as a dict; `scene` is that of run.py, whose Consul is left alone while something is at rest."""
    folder = Path(folder)
    plan, out = Plan(quick), {}

    def log(name):
        return folder / f"{name}.log"

    def say(text):
        print(f"  BENCH   {text}", file=sys.stderr)

    if not quick:
        say(f"watch: {MANY:,} instances")
        out["peak_many_kib"] = peak_of_many(scene, log("many"))
    rest = Rest(scene, folder, plan)
    with Scene(folder / "dns", dns=True) as following:
        following.control("POST", "/settings", {"strict": False})
        say("watch: changes in Consul, seen in DNS")
        out["ways"] = {"dnsbuddy": follow_by_watch(following, plan, log("watch"))}
        say("watch: a deploy that waits for each step; then two changes a second, and a check that chatters")
        out["pace"] = {"steps": in_sequence(following, log("deploy"))}
        quiet = Background(lambda: chatter(following, plan.churn_sec, log("chatter")))
        out["pace"] |= {"churn": churn(following, plan.churn_sec, log("churn")), "chatter": quiet.result()}
        closing = Background(lambda: reconnect(scene, plan, log("closing")))
        say("watch: the same by polling and by consul watch; meanwhile connections that do not last")
        out["ways"]["poll"] = follow_by_poll(following, plan, log("poll"))
        out["ways"]["consul_watch"] = follow_by_consul_watch(following, plan, log("told"))
    out["reconnects"], out["rest"] = closing.result(), rest.finish()
    return out


def budgets(result):
    """As run.py has them: (text, found, allowed)."""
    rest, ways, pace = result["rest"], result["ways"], result["pace"]
    return [
        ("watch at rest: memory, KiB", rest["dnsbuddy"]["rest_kib"], BUDGET["rest_kib"]),
        (f"watch: peak memory at {MANY:,} instances, KiB", result.get("peak_many_kib"), BUDGET["peak_many_kib"]),
        (f"watch at rest for {rest['seconds']} s: API calls", rest["api_calls"], 0),
        ("watch: time from a change in Consul to the API call, ms, median", ways["dnsbuddy"]["api_call_ms"]["p50"],
         BUDGET["api_call_ms"]),
        (f"watch: a deploy of {STEPS} steps: ms to the API call, p99", pace["steps"]["api_call_ms"]["p99"], BUDGET["step_p99_ms"]),
        ("watch: two changes a second: ms to the API call, p99", pace["churn"]["api_call_ms"]["p99"], BUDGET["churn_p99_ms"]),
        ("watch: two changes a second: CPU, %", pace["churn"]["cpu_percent"], BUDGET["churn_cpu_percent"]),
        ("watch: a check's output changes each second: API calls", pace["chatter"]["api_calls"], 0),
        ("watch: a check's output changes each second: CPU, %", pace["chatter"]["cpu_percent"], BUDGET["noise_cpu_percent"]),
        ("watch: API calls for a change", ways["dnsbuddy"]["api_calls_per_change"], BUDGET["writes"]),
        (f"watch: descriptors open after {result['reconnects']['consul_connections']:,} connections",
         result["reconnects"]["files_after"], result["reconnects"]["files_before"]),
    ]


TITLES = {"dnsbuddy": "dnsbuddy watch", "poll": f"script, polled every {POLL_SEC:.0f} s", "consul_watch": "script, by consul watch"}


def show(result):
    columns = "{:<26}{:>8}{:>14}{:>10}{:>14}{:>10}{:>8}{:>12}"
    print("\n" + columns.format("a change in Consul", "changes", "API call ms", "p99", "in DNS ms", "p99", "calls", "CPU ms"))
    for key, way in result["ways"].items():
        print(columns.format("  " + TITLES[key], way["changes"], *(f"{way[what][p]:,.1f}" for what in ("api_call_ms", "in_dns_ms")
                                                                   for p in ("p50", "p99")),
                             f"{way['api_calls_per_change']:.1f}", f"{way['cpu_ms_per_change']:,.1f}"))
    ours, rest, closing = result["ways"]["dnsbuddy"], result["rest"], result["reconnects"]
    print(f"  median and 99th percentile from sending the change to Consul; watch: {ours['added_ms']['p50']} ms to add, "
          f"{ours['removed_ms']['p50']} to remove")
    for key, text in (("steps", f"a deploy of {STEPS} steps, each waiting for DNS"), ("churn", "two changes a second")):
        one = result["pace"][key]
        print(f"  {text}: API call {one['api_call_ms']['p50']} ms, p99 {one['api_call_ms']['p99']}; in DNS "
              f"{one['in_dns_ms']['p50']}, p99 {one['in_dns_ms']['p99']}")
    print("  CPU of the latter over {seconds:.0f} s: {cpu_percent} %".format(**result["pace"]["churn"])
          + "; of a check that chatters: {cpu_percent} %, API calls: {api_calls}".format(**result["pace"]["chatter"]))
    print(f"\nat rest, {rest['seconds']} s")
    for key in ("dnsbuddy", "consul_watch"):
        one = rest[key]
        print(f"  {key.replace('_', ' ').replace('dnsbuddy', 'dnsbuddy watch'):<16}{one['rest_kib']:>8,} KiB, at most "
              f"{one['peak_kib']:,}; CPU {one['cpu_sec_per_hour']} s per hour")
    print(f"  {ours['rest_kib']:,} KiB with {Plan(False).sites} records; after {ours['after_changes']:,} changes "
          f"{ours['after_changes_kib']:,}; peak at {MANY:,} instances "
          + (f"{result['peak_many_kib']:,}" if result.get("peak_many_kib") else "not measured"))
    print(f"  {closing['consul_connections']:,} connections to Consul and {closing['api_connections']:,} to the API, each closed after "
          f"one answer, in {closing['seconds']:.0f} s:\n  {closing['files_before']} descriptors open before, {closing['files_after']} after, "
          f"for {closing['names']} services")
