#!/usr/bin/python3
"""Deploys under load: examples/roll.sh loses no request, whatever fails meanwhile, and what plain stopping costs.

`make test-rolling` runs it by with-engine.sh. The last line is the sum: `N passed, N failed`. Requests, events and answers go to
build/rolling/, with the plot of them and report.md. --publish also puts plot and report into docs/, if nothing failed.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import report  # noqa: E402
from scene import (  # noqa: E402
    NAME, RESOLVER, SERVICE, TTL, Failed, Scene, control, docker, published, wait_for)

RATE = 60  # requests a second
ROLL_SEC = 900  # a roll has to be over within
CHECK_TTL = 25  # seconds, as run's --ttl is by default
CLIENT_SEC = 5  # load.py gives up a request after
QUIET_SEC = 15  # without a failure: it is over


class Load:
    """load.py as a process of its own, and what it has written so far."""

    def __init__(self, folder):
        self.path = folder / "requests.tsv"
        self.log = open(folder / "load.log", "wb")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, Path(__file__).with_name("load.py"),
             "--resolver", "{}:{}".format(*RESOLVER), "--name", NAME, "--rate", str(RATE),
             "--out", self.path], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(CLIENT_SEC + 10)
        self.log.close()
        if code:
            raise Failed(f"load.py ended with {code}")

    def requests(self, since=0.0, until=float("inf")):
        """[(time, ms, address, result, answer)] of those that began then and have ended."""
        found = []
        for line in self.path.read_text().splitlines():
            began, took_ms, address, result, answer = line.split("\t")
            if since <= float(began) < until:
                found.append((float(began), float(took_ms), address, result, answer))
        return sorted(found)

    def failures(self, since=0.0, until=float("inf")):
        return [r for r in self.requests(since, until) if r[3] != "ok"]

    def wait_quiet(self, since, bound):
        """Until nothing has failed for QUIET_SEC; returns when the last failure ended, or `since`."""
        def last():
            return max([r[0] + r[1] / 1000 for r in self.failures(since)], default=since)

        wait_for("requests succeed again", bound, lambda: time.time() - last() > QUIET_SEC)
        return last()


class Test:
    def __init__(self, folder):
        self.folder = folder
        self.scene = self.load = None
        self.passed, self.failed = 0, 0
        self.phases = {}  # name: [begin, end]
        self.figures = {}
        self.troubles = []  # threads

    def check(self, what, holds, details=""):
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        print(f"  {'OK' if holds else 'FAIL':7} {what}", flush=True)
        if not holds and details:
            print(f"          {details}", flush=True)

    @contextlib.contextmanager
    def phase(self, name):
        self.scene.log("phase", name)
        self.phases[name] = [time.time(), None]
        yield
        self.phases[name][1] = time.time()

    # -- the parts

    def roll(self, name, troubles=()):
        """roll.sh; each trouble, one for each container, begins as a line of it has that word."""
        before, lines, troubles = self.scene.containers(), [], list(troubles)
        with self.phase(name):
            began = time.monotonic()
            roll = subprocess.Popen(
                ["timeout", str(ROLL_SEC), "./roll.sh"], cwd=self.scene.examples, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for line in roll.stdout:
                lines.append(line.rstrip())
                self.scene.log("roll", re.sub("^ *[0-9]+ s  ", "", line.rstrip()))
                if troubles and troubles[0][0] in line:
                    self._trouble(troubles.pop(0)[1])
            code = roll.wait()
            for thread in self.troubles:
                thread.join(60)
        after = self.scene.containers()
        self.check(f"{name}: roll.sh ends with 0, whatever failed meanwhile", code == 0 and not troubles, " | ".join(lines[-5:]))
        self.check(f"{name}: three others run, and are in DNS",
                   len(after) == 3 and not set(after) & set(before)
                   and sorted(after.values()) == published(), f"{before} {after} {published()}")
        self.figures[f"{name}: seconds"] = round(time.monotonic() - began)

    def _trouble(self, act):
        def run():
            try:
                act()
            except Exception as e:  # in a thread: it has to be seen
                self.check(f"trouble {act.__name__}", False, str(e))

        self.troubles.append(threading.Thread(target=run))
        self.troubles[-1].start()

    def roll_broken(self):
        """A new version that never gets healthy: roll.sh gives up, and everything is as it was."""
        before = self.scene.containers()
        (self.scene.examples / "broken.yml").write_text(
            f"services:\n  {SERVICE}:\n    environment:\n"
            "      DNSBUDDY_CHECK: http://localhost:81/\n")
        with self.phase("broken version"):
            roll = subprocess.run(
                ["timeout", str(ROLL_SEC), "./roll.sh"], cwd=self.scene.examples, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                check=False, env={**os.environ, "WAIT_SECONDS": "12",
                                  "COMPOSE_FILE": "docker-compose-standin.yml:broken.yml"})
        self.check("a broken version: roll.sh gives up, for it is not healthy",
                   roll.returncode == 1 and "is not healthy" in roll.stdout, roll.stdout)
        after = self.scene.containers()
        self.check("... and the three of before run on, and are in DNS",
                   set(before) < set(after) and sorted(before.values()) == published(),
                   f"{before} {after} {published()}")
        for container in set(after) - set(before):
            docker("rm", "-f", "-v", container)

    def judge_rolls(self, names):
        since, until = self.phases[names[0]][0], self.phases[names[-1]][1] + TTL
        time.sleep(max(0, until + CLIENT_SEC - time.time()))
        requests = self.load.requests(since, until)
        failures = [r for r in requests if r[3] != "ok"]
        self.figures["rolls: requests"] = len(requests)
        self.figures["rolls: failed"] = len(failures)
        self.figures["rolls: requests a second"] = round(len(requests) / (until - since), 1)
        self.figures["rolls: slowest, ms"] = round(max(r[1] for r in requests))
        self.check(f"{len(requests)} requests, at least 10,000, at least 50 a second",
                   len(requests) >= 10000 and len(requests) / (until - since) >= 50)
        self.check(f"{len(failures)} failed", not failures, str(failures[:5]))
        self.check("every container that was in DNS served some",
                   {r[2] for r in requests} >= {a for _, answer in self.scene.answers
                                                for a in answer})

    def kill_one(self):
        """Its host is gone, as Consul sees it: nothing deregisters, nothing starts it again."""
        victim, address = next(iter(self.scene.containers().items()))
        with self.phase("killed"):
            began = time.time()
            docker("kill", "-s", "KILL", victim)
            self.scene.log("trouble", f"{address} was killed with -9")
            self._until_gone("killed", began, address, CHECK_TTL + TTL)
        docker("rm", "-v", victim)
        self.scene.scale(3)
        self.scene.log("phase", "three again")
        time.sleep(TTL)

    def _until_gone(self, name, began, address, bound):
        wait_for(f"{address} leaves DNS", bound + 30, lambda: address not in published())
        left = time.time()
        last = self.load.wait_quiet(began, bound + 60)
        failures = self.load.failures(began, last + 1)
        self.figures[f"{name}: out of DNS after, s"] = round(left - began, 1)
        self.figures[f"{name}: last failed request began after, s"] = round(
            max((r[0] for r in failures), default=began) - began, 1)
        self.figures[f"{name}: requests"] = len(self.load.requests(began, last))
        self.figures[f"{name}: failed"] = len(failures)
        seconds = self.figures[f"{name}: last failed request began after, s"]
        self.check(f"{name}: clients saw errors for {seconds} s, at most {bound} + 5",
                   seconds <= bound + 5)

    def stop_drained(self):
        """docker stop of three at once, whose run drains by itself; three without a drain stay."""
        old = list(self.scene.containers())
        (self.scene.examples / "plain.yml").write_text(
            f"services:\n  {SERVICE}:\n    environment:\n      DNSBUDDY_DRAIN: none\n"
            "      DNSBUDDY_DRAIN_IDLE: ''\n")
        self.scene.compose_files.append("plain.yml")
        self.scene.scale(6)
        time.sleep(TTL + 2)
        with self.phase("drained stop"):
            began = time.time()
            docker("stop", "-t", "180", *old, timeout=240)
            self.figures["docker stop with a drain, three at once: seconds"] = round(
                time.time() - began)
            docker("rm", "-v", *old)
            time.sleep(TTL + CLIENT_SEC)
        requests, failures = self.load.requests(began), self.load.failures(began)
        self.figures["docker stop with a drain: requests"] = len(requests)
        self.figures["docker stop with a drain: failed"] = len(failures)
        self.check(f"docker stop with a drain: {len(failures)} of {len(requests)} failed",
                   not failures, str(failures[:5]))

    def stop_plainly(self):
        """As roll.sh, but the old one is stopped at once when the new one is in DNS: no drain."""
        with self.phase("plain stop"):
            began = time.time()
            for container, address in list(self.scene.containers().items()):
                self.scene.scale(4)
                self.scene.log("trouble", f"docker stop, {address}")
                docker("stop", "-t", "10", container)
                docker("rm", "-v", container)
                self.scene.wait_published()
                time.sleep(TTL + CLIENT_SEC)  # else the next one may get its address, and serve
            last = self.load.wait_quiet(began, 120)
            requests, failures = self.load.requests(began, last), self.load.failures(began)
        self.figures["docker stop without a drain, one after another: requests"] = len(requests)
        self.figures["docker stop without a drain: failed"] = len(failures)
        self.check(f"plain docker stop: {len(failures)} of {len(requests)} failed; so the load sees it",
                   failures)

    # -- all of it

    def run(self, only):
        with Scene() as self.scene:
            try:
                self.scene.start()
                self.scene.log("phase", "three in DNS")
                time.sleep(TTL + 2)
                self.load = Load(self.folder)
                time.sleep(10)
                if "rolls" in only:
                    scene = self.scene
                    self.roll("roll 1")
                    self.roll("roll 2", [("draining", scene.refuse_api),
                                         ("draining", scene.restart_consul),
                                         ("draining", scene.kill_watcher)])
                    self.roll_broken()
                    self.judge_rolls(["roll 1", "roll 2", "broken version"])
                if "kill" in only:
                    self.kill_one()
                if "stop" in only:
                    self.stop_drained()
                    self.stop_plainly()
                violations = control("/violations")
                self.check("none of the API's rules was broken", not violations, str(violations[:3]))
            finally:
                self._keep()
                if self.load:
                    self.load.stop()
        return self.failed == 0

    def _keep(self):
        """What is needed to see what happened."""
        with contextlib.suppress(Failed, subprocess.TimeoutExpired):
            (self.folder / "containers.log").write_text(
                self.scene.compose("logs", "--no-color", "--timestamps"))
        (self.folder / "timeline.json").write_text(json.dumps(
            {"events": self.scene.events, "answers": self.scene.answers, "phases": self.phases,
             "figures": self.figures}, indent=1))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--publish", action="store_true")
    p.add_argument("--only", default="rolls,kill,stop", help="parts of it")
    args = p.parse_args()
    tree = Path(os.environ["ENGINE_TREE"])
    folder = tree / os.environ.get("BUILD", "build") / "rolling"
    folder.mkdir(parents=True, exist_ok=True)
    test = Test(folder)
    try:
        test.run(args.only.split(","))
    except (Failed, OSError, subprocess.TimeoutExpired) as e:
        test.check("the test ran to its end", False, str(e))
    if test.load:
        report.make(folder)
        if args.publish and not test.failed:
            report.publish(folder, tree / "docs")
    print(f"{test.passed} passed, {test.failed} failed")
    sys.exit(test.failed > 0)


if __name__ == "__main__":
    main()
