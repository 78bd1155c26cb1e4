"""What README's pictures show: a service nginx that changes and an api that is gone, in a real Consul and the stand-in."""

import json
import os
import pty
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests")]

from cloudflare.server import Cloudflare
from consul import Consul, free_ports
from program import Running, binary, environment

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PLAN = ["plan", "nginx", "www.example.com"]
RECORDS = {"records": [{"service": "nginx", "record": "www.example.com"}, {"service": "api", "record": "api.example.com"}]}
SECONDS = 15.0


class Scene:
    """A context manager. First plan(), then watch(), which makes the records what plan said."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.consul = self.cloudflare = self.running = None

    def __enter__(self):
        self.consul = Consul(self.folder / "consul")
        self.cloudflare = Cloudflare(folder=self.folder / "api")
        for n, state in enumerate(("passing", "passing", "passing", "critical"), 1):
            self.consul.add("nginx", f"192.0.2.{n}", state)
        self.consul.add("api", "192.0.2.20", "critical")
        for address, ttl in (("192.0.2.1", 60), ("192.0.2.2", 300), ("192.0.2.4", 60), ("192.0.2.9", 60)):
            self.cloudflare.seed("www.example.com", "A", address, ttl=ttl)
        self.cloudflare.seed("api.example.com", "A", "192.0.2.20")
        return self

    def __exit__(self, *_):
        if self.running:
            self.running.kill()
            self.running.process.wait()
        if self.cloudflare:
            self.cloudflare.stop()
        if self.consul:
            self.consul.stop()

    def environment(self, **more):
        return environment(self.cloudflare, self.consul, **more)

    def plan(self):
        """What it prints on a terminal, colours included."""
        ours, theirs = pty.openpty()
        try:
            child = subprocess.run([binary(), *PLAN], env=self.environment(TERM="xterm"), stdin=subprocess.DEVNULL,
                                   stdout=theirs, stderr=subprocess.PIPE, timeout=SECONDS, check=False)
            assert child.returncode == 0, child.stderr.decode()
            text = os.read(ours, 1 << 16).decode()
        finally:
            os.close(theirs)
            os.close(ours)
        return text.replace("\r\n", "\n")

    def watch(self):
        """Start it, and wait until all is at rest. Returns where it listens."""
        file, listen = self.folder / "records.json", f"127.0.0.1:{free_ports(1)[0]}"
        file.write_text(json.dumps(RECORDS))
        self.running = Running(["watch", "--config", file, "--listen", listen], self.environment(
            DNSBUDDY_REGISTER_AS="none", DNSBUDDY_GRACE="0"), timeout=600)
        self.url, end = f"http://{listen}", time.monotonic() + SECONDS
        while not self._is_at_rest():
            assert time.monotonic() < end and self.running.process.poll() is None, self.running.logged()
            time.sleep(0.05)
        return self.url

    def _is_at_rest(self):
        try:
            text = self.get("/metrics")
        except OSError:
            return False
        return "\ndnsbuddy_records_in_sync 1\n" in text and "\ndnsbuddy_records_held 1\n" in text

    def get(self, path):
        with DIRECT.open(self.url + path, timeout=SECONDS) as answer:
            return answer.read().decode()

    def page(self):
        """Its HTML without what is another each time: times, ages, the version."""
        text = re.sub(r"<time.*?</time>", "<time></time>", self.get("/"))
        text = re.sub(r"(?<!TTL )\b\d+ (?:s|min)\b", "some time", text)
        return re.sub(r"dnsbuddy \d[\w.]*", "dnsbuddy", text)
