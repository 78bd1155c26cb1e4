"""A real Consul: one dev agent on free ports, and what tests ask of its HTTP API."""

import ctypes
import itertools
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from certificates import Authority
from program import ROOT

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PR_SET_PDEATHSIG = 1
STARTS = 3  # a port may be gone between finding and using it


def find_binary():
    path = os.environ.get("CONSUL_BIN", ROOT / "build/consul/usr/bin/consul")
    return os.path.abspath(path)


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Consul:
    """An agent, from construction to stop(). `config` is merged into its configuration."""

    def __init__(self, folder, token=None, https=False, config=None):
        self.folder, self.token, self.config = Path(folder), token, config or {}
        self.folder.mkdir(parents=True, exist_ok=True)
        self.https = https
        self.names = (f"web-{n}" for n in itertools.count(1))
        self.child = None
        for left in reversed(range(STARTS)):
            self._start()
            if self._wait():
                return
            self.stop()
            assert left, f"Consul did not start:\n{self.log()[-3000:]}"

    def choose_ports(self):
        """HTTP, HTTPS, server, serf."""
        return free_ports(4)

    def _start(self):
        self.port, self.tls_port, server, serf = self.choose_ports()
        ports = {"http": self.port, "https": self.tls_port if self.https else -1, "dns": -1,
                 "grpc": -1, "server": server, "serf_lan": serf, "serf_wan": -1}
        config = {"ports": ports, "disable_update_check": True, "log_level": "warn",
                  "limits": {"http_max_conns_per_client": 1000}, **self.config}
        (self.folder / "agent.json").write_text(json.dumps(config))
        libc = ctypes.CDLL(None)
        with open(self.folder / "agent.log", "ab") as log:
            self.child = subprocess.Popen(
                [find_binary(), "agent", "-dev", "-node=agent", "-bind=127.0.0.1",
                 "-client=127.0.0.1", f"-data-dir={self.folder / 'data'}",
                 f"-config-file={self.folder / 'agent.json'}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"HOME": str(self.folder)},
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))

    def _wait(self, seconds=20.0):
        """Ready when there is a leader and the agent is in its catalog."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.child.poll() is None:
            try:
                if self.get("/v1/status/leader") and self.get("/v1/health/node/agent"):
                    return True
            except (OSError, ValueError):
                pass
            time.sleep(0.05)
        return False

    def stop(self):
        if self.child:
            self.child.kill()
            self.child.wait()
            self.child = None

    def log(self):
        return (self.folder / "agent.log").read_text(errors="replace")

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def call(self, method, path, body=None):
        headers = {"X-Consul-Token": self.token} if self.token else {}
        request = urllib.request.Request(
            f"http://{self.address}{path}", method=method, headers=headers,
            data=None if body is None else json.dumps(body).encode())
        with DIRECT.open(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def get(self, path):
        return self.call("GET", path)

    def put(self, path, body=None):
        return self.call("PUT", path, body)

    # -- the catalog: instances on nodes of their own, there at once

    def new_name(self):
        return next(self.names)

    def service(self, *addresses, **more):
        """A service of a name of its own with one passing instance per address."""
        name = self.new_name()
        for address in addresses:
            self.add(name, address, **more)
        return name

    def add(self, service, address, status="passing", *, id=None, node=None, tags=(), tagged=None,
            node_address="10.0.0.1", checks=None):
        """Add or change an instance; `checks`: {CheckID: status} in place of one of `status`."""
        id = id or f"{service}-{address or 'none'}"
        node = node or f"node-{id}".replace(":", "-").replace(".", "-")
        checks = {"service:" + id: status} if checks is None else checks
        self.put("/v1/catalog/register", {
            "Node": node, "Address": node_address,
            "Service": {"ID": id, "Service": service, "Address": address, "Port": 80,
                        "Tags": list(tags),
                        "TaggedAddresses": {k: {"Address": v, "Port": 80}
                                            for k, v in (tagged or {}).items()}},
            "Checks": [{"Node": node, "CheckID": check, "Name": check, "Status": state,
                        "ServiceID": "" if check.startswith(("_node", "serf")) else id}
                       for check, state in checks.items()]})
        return node

    def remove(self, service, address, id=None):
        id = id or f"{service}-{address}"
        node = f"node-{id}".replace(":", "-").replace(".", "-")
        self.put("/v1/catalog/deregister", {"Node": node})

    def add_many(self, service, addresses):
        """Thousands of instances, in transactions."""
        node = f"node-{service}"
        self.put("/v1/catalog/register", {"Node": node, "Address": "10.0.0.1"})
        operations = [{"Service": {"Verb": "set", "Node": node, "Service": {
            "ID": f"{service}-{n}", "Service": service, "Address": address, "Port": 80}}}
            for n, address in enumerate(addresses)]
        for at in range(0, len(operations), 64):
            self.put("/v1/txn", operations[at:at + 64])

    # -- the agent's own services, as a registrator makes them

    def register(self, service, address, id=None):
        """Register with the agent, with a TTL check that passes; returns once it is listed."""
        id = id or f"{service}-{address}"
        self.put("/v1/agent/service/register", {
            "ID": id, "Name": service, "Address": address, "Port": 80,
            "Check": {"CheckID": "service:" + id, "TTL": "1h", "Status": "passing"}})
        self.until(lambda: id in self.states(service))
        return id

    def states(self, service):
        """{service id: {CheckID: status}} as the health endpoint has it."""
        return {i["Service"]["ID"]: {c["CheckID"]: c["Status"] for c in i["Checks"]}
                for i in self.get(f"/v1/health/service/{service}?consistent")}

    def until(self, condition, seconds=15.0):
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "Consul did not come to the expected state"
            time.sleep(0.01)


class TlsConsul(Consul):
    """An agent over https alone, as run sees it: `address` is that, `env` names its root."""

    def __init__(self, folder):
        folder.mkdir()
        authority = Authority(folder, "consul-ca")
        pair = authority.issue("consul", "DNS:localhost,IP:127.0.0.1")
        super().__init__(folder / "agent", https=True, config={
            "ca_file": str(authority.pair.cert), "cert_file": str(pair.chain), "key_file": str(pair.key)})
        self.env = {"CONSUL_CACERT": str(authority.pair.cert), "CONSUL_HTTP_ADDR": f"https://localhost:{self.tls_port}"}
