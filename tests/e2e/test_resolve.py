"""The program's own resolver, in the binary that is shipped, against a real name server.

Each run has a root directory of its own, with /etc/resolv.conf and /etc/hosts of the test, and
PowerDNS listens on port 53 of a loopback address: both take root. tests/unit/net/dns/test_resolve*.c
has what a well-behaved server does not do.
"""

import ctypes
import os
import random
import re
import shutil
import sqlite3
import subprocess

import pytest
from cloudflare.dns import PowerDNS, available
from cloudflare.store import PDNS_SCHEMA
from fake_consul import instance
from program import NAME, binary

ALIASES = 9  # of a chain; its answer is past 512 bytes and comes over TCP
ADDR_NO_RANDOMIZE = 0x40000
LIBC = ctypes.CDLL(None)


class Port53(PowerDNS):
    """On the port that /etc/resolv.conf cannot change."""

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = 53
        self._spawn()
        assert self._wait(), self.log()[-2000:]
        return self


def fill(database):
    long = "a" * 60
    records = [("consul.example", "A", "127.0.0.1"), ("consul.example", "AAAA", "::1"),
               ("empty.example", "TXT", '"nothing"'), ("alias.example", "CNAME", "consul.example"),
               ("consul.svc.example", "A", "127.0.0.1")]
    records += [(f"{long}{i}.{long}.example", "CNAME", f"{long}{i + 1}.{long}.example")
                for i in range(ALIASES - 1)]
    records += [(f"{long}{ALIASES - 1}.{long}.example", "A", "127.0.0.1")]
    db = sqlite3.connect(database)
    db.executescript(PDNS_SCHEMA.read_text())
    db.execute("INSERT INTO domains (id, name, type) VALUES (1, 'example', 'NATIVE')")
    soa = "a.example b.example 1 3600 600 86400 60"
    db.executemany("INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES (1, ?, ?, ?, 60, 1)",
                   [("example", "SOA", soa), *records])
    db.commit()
    db.close()
    return f"{long}0.{long}.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """(PowerDNS, the name with the long chain)"""
    folder = tmp_path_factory.mktemp("resolve")
    if not available() or not PDNS_SCHEMA.exists():
        pytest.skip("pdns_server is not installed")
    if os.geteuid():
        pytest.skip("port 53 and chroot take root")
    chain = fill(folder / "zone.db")
    host = f"127.83.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
    dns = Port53(folder / "zone.db", folder / "pdns", host).start()
    yield dns, chain
    dns.stop()


def libraries(program):
    """Files that it needs to start; none for a static one."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"/\S+", done.stdout)


@pytest.fixture
def sync(run, fake, cloudflare, server, tmp_path):
    """sync(name, conf=, hosts=): a sync whose Consul is called by that name."""
    fake.instances = [instance("192.0.2.1")]
    cloudflare_host = cloudflare.env()["CF_API_URL"]
    assert "127.0.0.1" in cloudflare_host or "localhost" in cloudflare_host
    root = tmp_path / "root"

    def put(file, to):
        (root / to.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, root / to.lstrip("/"))

    def enter():
        os.chroot(root)
        os.chdir("/")
        LIBC.personality(ADDR_NO_RANDOMIZE)  # as scripts/test.sh does, for AddressSanitizer

    def go(name, conf=None, hosts="", asan=False):
        put(binary(asan), "/dnsbuddy")
        put(cloudflare.ca_file, "/ca.pem")
        for file in libraries(binary(asan)):
            put(file, file)
        for folder in ("etc", "proc/self"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        # Where AddressSanitizer reads its options. It would look for leaks in the real /proc.
        (root / "proc/self/environ").write_text("ASAN_OPTIONS=detect_leaks=0\0")
        (root / "etc/hosts").write_text(hosts)
        (root / "etc/resolv.conf").write_text(conf or f"nameserver {server[0].host}\n")
        port = fake.address.rpartition(":")[2]
        return run("sync", "web", NAME, cloudflare=cloudflare, executable="/dnsbuddy", preexec=enter,
                   env={"CONSUL_HTTP_ADDR": f"{name}:{port}", "SSL_CERT_FILE": "/ca.pem", "DNSBUDDY_RETRY_FOR": "0"})
    return go


@pytest.mark.parametrize("name", ["consul.example", "consul.example.", "CONSUL.Example", "alias.example"])
def test_names(sync, cloudflare, name):
    sync(name).expect(0)
    assert cloudflare.contents(NAME) == ["192.0.2.1"]


def test_truncated_answers_come_over_tcp(sync, server):
    dig = server[0].dig(server[1], "A", "+ignore", "+noedns")
    assert len(dig) < ALIASES, "the answer is not truncated"
    sync(server[1]).expect(0)


def test_search_list_as_kubernetes_has_it(sync, server):
    conf = f"search ns.svc.example svc.example example\nnameserver {server[0].host}\noptions ndots:5\n"
    sync("consul", conf).expect(0)
    sync("consul.svc", conf).expect(0)
    sync("consul.svc.example", conf).expect(0)


def test_hosts_file(sync):
    sync("box", hosts="127.0.0.1 other BOX # and no more\n").expect(0)
    sync("localhost", conf="nameserver 127.83.0.254\n").expect(0)
    sync("box", hosts="0.0.0.0 ad.example # none\n" * 100000 + "127.0.0.1" + " x" * 10000 + "\tbox\r\n").expect(0)


def test_the_next_server(sync, server):
    """Nobody is at the first."""
    sync("consul.example", f"nameserver 127.83.0.254\nnameserver {server[0].host}\n").expect(0)


@pytest.mark.parametrize(("name", "words"), [
    ("nosuch.example", "resolver: no such name"),
    ("empty.example", "resolver: the name has no address"),
    ("www.elsewhere.test", "(REFUSED)"),
])
def test_failures(sync, cloudflare, name, words):
    done = sync(name).expect(1)
    assert words in done.err
    assert not cloudflare.writes()


def test_nobody_to_ask(sync):
    assert "resolver 127.83.0.254: Connection refused" in sync(
        "consul.example", "nameserver 127.83.0.254\n").expect(1).err


def test_under_the_sanitizers(sync, server):
    sync(server[1], asan=True).expect(0)
