"""What is measured against: a real Consul and the stand-in for Cloudflare's API, each a process of its own."""

import ipaddress
import json
import os
import re
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from consul import Consul

ZONE = "example.com"
NAME = "www.example.com"
TTL = 60
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
FINISHED = re.compile(r"Request finished: method=GET url=\S*/v1/health/service/\S* from=(\S+) ")


def addresses(n):
    """n of the addresses that are set aside for measurements (RFC 2544)."""
    first = int(ipaddress.ip_address("198.18.0.1"))
    return [str(ipaddress.ip_address(first + i)) for i in range(n)]


@dataclass
class Case:
    key: str
    title: str
    wanted: list  # addresses that Consul lists
    have: list  # addresses that are in DNS before the run
    zone_known: bool = False

    @property
    def service(self):
        return f"web-{len(self.wanted)}"


def cases():
    three = addresses(3)
    return [
        Case("nothing", "nothing to do", three, three),
        Case("nothing_zone_id", "nothing to do, zone id given", three, three, zone_known=True),
        Case("new_3", "3 new", three, []),
        Case("replaced_1", "1 of 3 replaced", three, [*three[:2], "198.18.255.9"]),
        Case("new_200", "200 new", addresses(200), []),
        Case("listed_1000", "1,000 instances listed, nothing to do", addresses(1000), addresses(1000)),
    ]


class Scene:
    """
    A context manager; everything it starts ends with it. With `dns` the records are served with PowerDNS; `consul` is
    what Consul's configuration says besides: {}: its own defaults, of limits too.
    """

    def __init__(self, folder, dns=False, consul=None, zones=(ZONE,)):
        self.folder, self.dns, self.zones = Path(folder), dns, zones
        self.config = {} if dns else {"log_level": "debug"}
        if consul is not None:
            self.config = {"limits": {}} | consul
        self.consul = self.api = None

    def __enter__(self):
        # Its log at this level has a line per request: run.py counts them.
        self.consul = Consul(self.folder / "consul", config=self.config)
        self.api = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, str(ROOT / "tests/cloudflare/standin.py"),
             "--dir", str(self.folder / "api"), *(f"--zone={zone}" for zone in self.zones), "--set", 'user_agent=""',
             "--set", "record_quota=100000", "--set", "content_total=0", *(["--dns"] if self.dns else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.api.stdout.readline() or "null")
        if self.ready is None:
            raise RuntimeError("the stand-in for Cloudflare did not start")
        return self

    def __exit__(self, *_):
        if self.api:
            self.api.terminate()
            self.api.wait()
        if self.consul:
            self.consul.stop()

    def control(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.ready["control"] + path, method=method, data=data)
        with DIRECT.open(request, timeout=30) as answer:
            return json.load(answer)

    def environment(self, case):
        """The same for both programs, and nothing of the caller's but PATH."""
        return self.environment_of(None if case.zone_known else ZONE)

    def environment_of(self, zone):
        """With the zone's name; None: with its id."""
        named = {"CF_ROOT_DOMAIN": zone} if zone else {"CF_ZONE_ID": self.ready["zones"][self.zones[0]]}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C",
                "CONSUL_HTTP_ADDR": self.consul.address, "CF_API_URL": self.ready["url"],
                "CF_API_TOKEN": self.ready["token"], "SSL_CERT_FILE": self.ready["ca_file"], **named}

    def list_in_consul(self, service, wanted):
        """
        Each instance with a check of its own, as a registrator makes it, and one of the node. That is not named serfHealth: once
        a minute Consul takes away nodes with a check of that name which are no members of the cluster.
        """
        node = f"node-{service}"
        self.consul.put("/v1/catalog/register", {
            "Node": node, "Address": "10.0.0.1",
            "Check": {"Node": node, "CheckID": "nodeHealth", "Name": "Serf Health Status", "Status": "passing",
                      "Output": "Agent alive and reachable"}})
        operations = []
        for n, address in enumerate(wanted):
            key = f"{service}-{n:012x}"
            operations.append({"Service": {"Verb": "set", "Node": node, "Service": {
                "ID": key, "Service": service, "Address": address, "Port": 80}}})
            operations.append({"Check": {"Verb": "set", "Check": {
                "Node": node, "CheckID": key, "Name": key, "ServiceID": key, "ServiceName": service,
                "Status": "passing", "Notes": f"TTL for {service} set by containerbuddy", "Output": "ok"}}})
        for at in range(0, len(operations), 64):
            self.consul.put("/v1/txn", operations[at:at + 64])

    def set_records(self, contents):
        self.control("DELETE", "/records")
        if contents:
            self.control("POST", "/records", [{"name": NAME, "type": "A", "content": c, "ttl": TTL} for c in contents])

    def contents(self):
        return sorted(r["content"] for r in self.control("GET", f"/records?name={NAME}"))

    def counters(self):
        """What both servers have seen so far."""
        stats = self.control("GET", "/stats")
        reads = FINISHED.findall(self.consul.log())
        return {"api_calls": sum(stats["calls"].values()), "api_writes": stats["writes"],
                "api_connections": stats["connections"], "violations": stats["violations"],
                "consul_reads": len(reads), "consul_connections": len(set(reads))}
