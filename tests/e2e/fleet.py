"""Hundreds of services in a real Consul, each with a record of its own: for test_many.py, and for the bench."""

import http.client
import json
import os
import re
import socket
import threading
import time
from pathlib import Path

NODES = 16
TTL = 60
FOLD = 8  # of a round so many names have a line each, before one tells the rest


class Direct:
    """A connection to Consul that stays."""

    def __init__(self, consul):
        self.http = http.client.HTTPConnection(consul.address)
        self.http.connect()
        self.http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def put(self, path, body):
        self.http.request("PUT", path, json.dumps(body))
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"Consul: {answer.status} to {path}: {text[:200]}")

    def close(self):
        self.http.close()


class Fleet:
    """n services with an instance each that stays, and one that may come and go; each has a name of its own."""

    def __init__(self, consul, kind, n, zones=("example.com",), tags=(), connections=2):
        self.consul, self.kind, self.n, self.tags = consul, kind, n, list(tags)
        self.services = [f"{kind}-{i}" for i in range(n)]
        self.names = [f"{kind}-{i}.{zones[i % len(zones)]}" for i in range(n)]
        self.staying = [f"198.18.{i >> 8}.{i & 255}" for i in range(n)]
        self.moving = [f"198.19.{i >> 8}.{i & 255}" for i in range(n)]
        self.nodes = [f"node-{kind}-{k}" for k in range(min(NODES, n))]
        self.is_there = [False] * n
        self.direct = [Direct(consul) for _ in range(connections)]
        for node in self.nodes:
            self.put("/v1/catalog/register", {"Node": node, "Address": "10.0.0.1", "Check": {
                "Node": node, "CheckID": "nodeHealth", "Name": "Node", "Status": "passing"}})
        for at in range(0, n, 32):
            self.put("/v1/txn", [op for i in range(at, min(n, at + 32)) for op in self.listed(i, self.staying[i])])

    def put(self, path, body):
        self.direct[0].put(path, body)

    def node_of(self, i):
        return self.nodes[i % len(self.nodes)]

    def listed(self, i, address, tags=None):
        """The operations that list this instance of the i-th service, passing."""
        node, service, key = self.node_of(i), self.services[i], f"{self.services[i]}-{address}"
        return [{"Service": {"Verb": "set", "Node": node, "Service": {
                    "ID": key, "Service": service, "Address": address, "Port": 80, "Tags": self.tags if tags is None else tags}}},
                {"Check": {"Verb": "set", "Check": {"Node": node, "CheckID": key, "Name": key, "ServiceID": key,
                                                    "ServiceName": service, "Status": "passing"}}}]

    def list(self, i, address, tags=None):
        self.put("/v1/txn", self.listed(i, address, tags))

    def drop(self, i, address, direct=None):
        (direct or self.direct[0]).put("/v1/catalog/deregister", {"Node": self.node_of(i), "ServiceID": f"{self.services[i]}-{address}"})

    def config(self, folder, **more):
        """A configuration file with all of them, and these settings."""
        path = Path(folder, f"{self.kind}.json")
        path.write_text(json.dumps({"ttl": TTL, **more, "records": [
            {"service": s, "record": name} for s, name in zip(self.services, self.names)]}))
        return path

    def records(self):
        """The records that are wanted for the instances that stay, as the stand-in takes them."""
        return [{"name": name, "type": "A", "content": c, "ttl": TTL} for name, c in zip(self.names, self.staying)]

    def change(self, i, direct=None):
        """The instance that moves comes, or goes. Returns (moment before, i, whether it is there)."""
        direct, self.is_there[i] = direct or self.direct[0], not self.is_there[i]
        began = time.monotonic()
        if self.is_there[i]:
            direct.put("/v1/txn", self.listed(i, self.moving[i]))
        else:
            self.drop(i, self.moving[i], direct)
        return began, i, self.is_there[i]

    def burst(self, n, seconds):
        """n names change, evenly within so many seconds."""
        changes, start = [], time.monotonic() + 0.05

        def run(k):
            for at in range(k, n, len(self.direct)):
                time.sleep(max(0.0, start + at / n * seconds - time.monotonic()))
                changes.append(self.change(at, self.direct[k]))

        threads = [threading.Thread(target=run, args=(k,)) for k in range(len(self.direct))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(changes) == n
        return changes

    def close(self):
        """Nothing of it is left in Consul."""
        for node in self.nodes:
            self.put("/v1/catalog/deregister", {"Node": node})
        for direct in self.direct:
            direct.close()


def connections(pid, port):
    """How many this process has to a port of this host: of /proc/net/tcp those whose inode it has open."""
    mine = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            mine.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass  # closed meanwhile
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(1 for r in rows if r[2].endswith(f":{port:04X}") and r[3] in ("01", "02") and f"socket:[{r[9]}]" in mine)


def names_in_step(text):
    """Of how many names a log (logfmt) says that they have been brought in step; each is said once at the start."""
    told = [int(n) for n in re.findall(r'^.* msg="zone synced" .*\bnames=(\d+)', text, re.M)]
    return len(re.findall(r'^.* msg=(?:"in sync"|synced) ', text, re.M)) + sum(told) - FOLD * len(told)
