"""shim.py: the figures of `dnsbuddy run`, beside tini around the same child; for run.py.

README.md here says what each figure is.
"""

import http.client
import json
import os
import random
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from scene import ROOT, ZONE, Scene
from watch import PATIENCE_SEC, Process, dns_query, percentiles, until, watching

sys.path.insert(0, str(ROOT / "tests/e2e"))

from consul import TlsConsul, free_ports
from program import binary
from recorder import Healthy, Recorder

ADDRESS = "198.18.0.1"
SLEEP = ["sleep", "3600"]
BUDGET = {"rest_kib": 512, "rest_tls_kib": 1024, "added_ms": 5, "cpu_sec_per_hour": 0.5}

# An application that can answer after so many seconds: it writes the moment into a file, and serves.
LATE = """
import os, socket, sys, time
after, port, path = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
time.sleep(after)
server = socket.create_server(("127.0.0.1", port))
with open(path + ".new", "w") as f: f.write(repr(time.monotonic()))
os.rename(path + ".new", path)
while True:
    guest, _ = server.accept()
    with guest:
        guest.recv(4096)
        guest.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
"""


class Plan:
    """How much of everything."""

    def __init__(self, quick):
        self.starts = 20 if quick else 200
        self.idle_sec = 20 if quick else 120
        self.late = 4 if quick else 12
        self.intervals = (1,) if quick else (1, 10)


def run_of(service, *flags):
    return [binary(), "run", "--service", service, "--interface", f"static:{ADDRESS}", *map(str, flags), "--"]


def environment(consul, **more):
    return {"PATH": os.environ["PATH"], "CONSUL_HTTP_ADDR": consul, "DNSBUDDY_LOG_FORMAT": "logfmt", **more}


# ---- from exec to the child's first instruction ---------------------------------------------------------------------------

def compiled(folder):
    """first.c as a static program."""
    out = folder / "first"
    compiler = "musl-gcc" if shutil.which("musl-gcc") else "cc"
    subprocess.run([compiler, "-O2", "-static", "-o", out, ROOT / "tests/bench/first.c"], check=True)
    return str(out)


def start_ms(argv, env, log):
    """From just before the program is started to the child's first instruction."""
    reader, writer = os.pipe()
    with open(log, "wb") as err, open(os.devnull, "rb") as null:
        files = [(os.POSIX_SPAWN_DUP2, null.fileno(), 0), (os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)]
        began = time.monotonic_ns()
        pid = os.posix_spawnp(argv[0], argv, env, file_actions=files)
    os.close(writer)
    said = os.read(reader, 8)
    os.close(reader)
    _, status = os.waitpid(pid, 0)
    if len(said) != 8 or status:
        sys.exit(f"bench: {argv[0]}: status {status}\n{Path(log).read_text(errors='replace')[-1000:]}")
    return (struct.unpack("q", said)[0] - began) / 1e6


def added(ways, env, starts, log):
    """Milliseconds that each way takes longer than the child alone: medians of pairs, the ways in turns."""
    taken = {key: [] for key in ways}
    for n in range(starts):
        for key in list(ways) if n % 2 == 0 else list(ways)[::-1]:
            taken[key].append(start_ms(ways[key], env[key], log))
    out = {}
    for key in ways:
        if key != "alone":
            more = [a - b for a, b in zip(taken[key], taken["alone"])]
            out[key] = {"median": round(statistics.median(more), 3), "p99": percentiles(more)["p99"]}
    return out | {"alone_ms": round(statistics.median(taken["alone"]), 3)}


# ---- at rest --------------------------------------------------------------------------------------------------------------

def settled(consul, service, log):
    """Registered and passing."""
    def is_passing():
        entries = consul.get(f"/v1/health/service/{service}")
        return entries and all(c["Status"] == "passing" for c in entries[0]["Checks"])
    until(is_passing, f"{service} passing in Consul", log=log)


def at_rest(scene, tls, folder, plan):
    """run with its defaults and a check by HTTP, tini beside it: memory, CPU, calls to Consul."""
    with Healthy() as healthy, Recorder(scene.consul.port) as recorder:
        logs = {key: folder / f"{key}.log" for key in ("run", "tls", "tini")}
        check = ["--check", healthy.url]
        run = Process([*run_of("rest", *check), *SLEEP], environment(recorder.address), logs["run"])
        over_tls = Process([*run_of("rest-tls", *check), *SLEEP], environment(tls.address, **tls.env), logs["tls"])
        tini = Process(["tini", "--", *SLEEP], {"PATH": os.environ["PATH"]}, logs["tini"])
        processes = {"run": run, "tls": over_tls, "tini": tini}
        settled(scene.consul, "rest", logs["run"])
        settled(tls, "rest-tls", logs["tls"])
        time.sleep(2)
        before, calls = {key: p.cpu_seconds() for key, p in processes.items()}, len(recorder.calls)
        time.sleep(plan.idle_sec)
        out = {"seconds": plan.idle_sec,
               "consul_calls_per_hour": round((len(recorder.calls) - calls) / plan.idle_sec * 3600)}
        for key, process in processes.items():
            out[key] = {"rest_kib": process.memory_kib("VmRSS"), "peak_kib": process.memory_kib("VmHWM"),
                        "cpu_sec_per_hour": round((process.cpu_seconds() - before[key]) / plan.idle_sec * 3600, 3)}
        for process in processes.values():
            process.stop()
        return out


# ---- from being able to answer to Consul, and to DNS ------------------------------------------------------------------------

class Late:
    """An application that can answer after a while; when Consul had it as passing, and DNS its address."""

    def __init__(self, scene, folder, n, interval, after_sec):
        self.scene, self.service, self.name = scene, f"late-{interval}-{n}", f"late-{interval}-{n}.{ZONE}"
        self.address, self.moment, self.interval = f"198.19.{interval}.{n + 1}", folder / f"late-{interval}-{n}", interval
        self.after_sec, self.log = after_sec, folder / f"late-{interval}-{n}.log"
        self.process = self.wanted = self.in_dns = self.error = None

    def begin(self, port):
        app = [sys.executable, "-ISc", LATE, str(self.after_sec), str(port), str(self.moment)]
        argv = [binary(), "run", "--service", self.service, "--interface", f"static:{self.address}", "--interval", str(self.interval),
                "--check", f"http://127.0.0.1:{port}/", "--", *app]
        self.process = Process(argv, environment(self.scene.consul.address), self.log)
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        try:
            self.wanted = self._passing()
            self.in_dns = self._shown()
        except (OSError, ValueError, http.client.HTTPException) as e:
            self.error = e

    def _passing(self):
        hop, index = http.client.HTTPConnection(self.scene.consul.address, timeout=PATIENCE_SEC), 0
        end = time.monotonic() + PATIENCE_SEC
        while time.monotonic() < end:
            hop.request("GET", f"/v1/health/service/{self.service}?passing&index={index}&wait=5s")
            answer = hop.getresponse()
            if json.loads(answer.read()):
                hop.close()
                return time.monotonic()
            index = int(answer.headers["X-Consul-Index"])
        raise OSError(f"{self.service} did not come to be passing")

    def _shown(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
            dns.connect((self.scene.ready["dns"]["host"], self.scene.ready["dns"]["port"]))
            dns.settimeout(2)
            end = time.monotonic() + PATIENCE_SEC
            while time.monotonic() < end:
                dns.send(dns_query(self.name))
                if socket.inet_aton(self.address) in dns.recv(4096):
                    return time.monotonic()
                time.sleep(0.001)
        raise OSError(f"{self.name} did not come into DNS")

    def result(self):
        self.thread.join(2 * PATIENCE_SEC)
        self.process.stop()
        if self.error or self.in_dns is None:
            sys.exit(f"bench: {self.error}\n{self.log.read_text(errors='replace')[-2000:]}")
        return (self.wanted - float(self.moment.read_text())) * 1e3, (self.in_dns - self.wanted) * 1e3


def wanted_after(scene, folder, plan):
    """Applications that can answer at moments evenly over the interval, followed by a watch."""
    dice, out, to_dns = random.Random(5), {}, []
    lates = {interval: [Late(scene, folder, n, interval, 0.2 + interval * (n + dice.random()) / plan.late) for n in range(plan.late)]
             for interval in plan.intervals}
    every = [late for many in lates.values() for late in many]
    records = [{"service": late.service, "record": late.name} for late in every]
    scene.control("POST", "/settings", {"strict": False})
    with watching(scene, records, folder / "late.log"):
        time.sleep(1)
        for late, port in zip(every, free_ports(len(every))):
            late.begin(port)
        for interval, many in lates.items():
            taken = [late.result() for late in many]
            out[f"interval_{interval}"] = percentiles([a for a, _ in taken])
            to_dns += [b for _, b in taken]
    return {"answer_to_wanted_ms": out, "wanted_to_dns_ms": percentiles(to_dns)}


# ---- all of it --------------------------------------------------------------------------------------------------------------

def measure(scene, folder, quick):
    """Everything, as a dict."""
    folder = Path(folder) / "shim"
    folder.mkdir()
    plan = Plan(quick)
    first, log = compiled(folder), folder / "start.log"
    tls = TlsConsul(folder / "tls")
    print("  BENCH   run: the start, beside tini's", file=sys.stderr)
    head = run_of("start")
    ways = {"alone": [first], "run": [*head, first], "run_tls": [*run_of("start-tls"), first], "tini": ["tini", "--", first]}
    env = {key: environment(scene.consul.address) for key in ways} | {"run_tls": environment(tls.address, **tls.env)}
    out = {"starts": plan.starts, "added_ms": added(ways, env, plan.starts, log)}
    print("  BENCH   run: at rest", file=sys.stderr)
    out["rest"] = at_rest(scene, tls, folder, plan)
    tls.stop()
    print("  BENCH   run: from an application that can answer to Consul and to DNS", file=sys.stderr)
    with Scene(folder / "dns", dns=True) as following:
        out |= wanted_after(following, folder, plan)
    return out


def budgets(result):
    """As run.py has them: (text, found, allowed)."""
    rest, more = result["rest"], result["added_ms"]
    return [
        ("run: added before the child's first instruction, ms, median", more["run"]["median"], BUDGET["added_ms"]),
        ("run, Consul over TLS: the same", more["run_tls"]["median"], BUDGET["added_ms"]),
        ("run at rest: memory, KiB", rest["run"]["rest_kib"], BUDGET["rest_kib"]),
        ("run at rest, Consul over TLS: memory, KiB", rest["tls"]["rest_kib"], BUDGET["rest_tls_kib"]),
        ("run at rest: CPU, seconds an hour", rest["run"]["cpu_sec_per_hour"], BUDGET["cpu_sec_per_hour"]),
        ("run at rest, Consul over TLS: CPU, seconds an hour", rest["tls"]["cpu_sec_per_hour"], BUDGET["cpu_sec_per_hour"]),
    ]


def show(result):
    more, rest = result["added_ms"], result["rest"]
    columns = "{:<28}{:>12}{:>10}{:>12}{:>10}{:>16}"
    print("\n" + columns.format("around one child", "added ms", "p99", "rest KiB", "peak", "CPU s per hour"))
    for title, start, still in (("dnsbuddy run", "run", "run"), ("  with Consul over TLS", "run_tls", "tls"), ("tini", "tini", "tini")):
        one, kept = more[start], rest[still]
        print(columns.format("  " + title, one["median"], one["p99"], f"{kept['rest_kib']:,}", f"{kept['peak_kib']:,}",
                             kept["cpu_sec_per_hour"]))
    print(f"  medians of {result['starts']} pairs with the child alone, which takes {more['alone_ms']} ms; at rest {rest['seconds']} s, "
          f"a check each 10 s;\n  calls to Consul an hour: {rest['consul_calls_per_hour']:,}")
    for key, one in result["answer_to_wanted_ms"].items():
        print(f"  an application that can answer is wanted in Consul after {one['p50']} ms, at most {one['max']}, with an interval of "
              f"{key.removeprefix('interval_')} s")
    print("  and from there it is in DNS after {p50} ms, at most {max}".format(**result["wanted_to_dns_ms"]))
