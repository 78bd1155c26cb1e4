"""drain and what it sees of the machine: the zone's own name servers, the clients that are connected. Takes root."""

import contextlib
import ctypes
import os
import random
import socket
import sqlite3
import subprocess
import sys
import time

import pytest
from cloudflare.dns import PowerDNS, available
from cloudflare.store import PDNS_SCHEMA
from program import NAME
from test_drain import until

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 4096, 16384, 1 << 18
TTL = 3

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="takes root")


class Port53(PowerDNS):
    """One of the zone's two servers, each with records of its own, as before they have agreed."""

    def __init__(self, folder, host, hosts):
        folder.mkdir()
        super().__init__(folder / "zone.db", folder / "pdns", host)
        rows = [("example.com", "SOA", "a.example.com b.example.com 1 3600 600 86400 60")]
        rows += [("example.com", "NS", f"ns{n}.example.com") for n in range(len(hosts))]
        rows += [(f"ns{n}.example.com", "A", address) for n, address in enumerate(hosts)]
        rows += [(NAME, "A", "192.0.2.1"), (NAME, "A", "192.0.2.2")]
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            db.executescript(PDNS_SCHEMA.read_text())
            db.execute("INSERT INTO domains (id, name, type) VALUES (1, 'example.com', 'NATIVE')")
            db.executemany(f"INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES (1, ?, ?, ?, {TTL}, 1)", rows)
            db.commit()

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = 53
        self._spawn()
        assert self._wait(), self.log()[-2000:]
        return self

    def forget(self, address):
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            db.execute("DELETE FROM records WHERE content = ?", (address,))
            db.commit()
        return time.monotonic()


@pytest.fixture
def servers(tmp_path):
    if not available() or not PDNS_SCHEMA.exists():
        pytest.skip("pdns_server is not installed")
    net = f"127.84.{random.randrange(1, 255)}"
    hosts = [f"{net}.{n}" for n in (1, 2)]
    started = []
    try:
        for n, host in enumerate(hosts):
            started.append(Port53(tmp_path / f"ns{n}", host, hosts))
            started[-1].start()
        (tmp_path / "resolv.conf").write_text(f"nameserver {hosts[0]}\n")
        yield started
    finally:
        for server in started:
            server.stop()


@pytest.fixture
def enter(tmp_path):
    """In a file system where the system's name server is the test's."""
    def go():
        assert not LIBC.unshare(CLONE_NEWNS) and not LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        assert not LIBC.mount(str(tmp_path / "resolv.conf").encode(), b"/etc/resolv.conf", None, MS_BIND, None)
    return go


def states(consul, service, id):
    return consul.states(service).get(id, {})


def test_the_zones_own_servers(consul, start, servers, enter):
    """The second one is late: the TTL counts from there."""
    service = consul.new_name()
    first, _ = (consul.register(service, f"192.0.2.{n}") for n in (1, 2))
    run = start("drain", "--id", first, "--record", NAME, consul=consul, preexec=enter)
    until(lambda: f"_service_maintenance:{first}" in states(consul, service, first))
    servers[0].forget("192.0.2.1")
    time.sleep(2)
    gone = servers[1].forget("192.0.2.1")
    done = run.wait().expect(0)
    assert TTL <= time.monotonic() - gone < TTL + 6
    assert "192.0.2.1 is still answered by ns" in done.err


def test_no_zone_holds_the_name(consul, start, servers, enter):
    """Told before anything is done."""
    service = consul.new_name()
    first, _ = (consul.register(service, f"192.0.2.{n}") for n in (1, 2))
    done = start("drain", "--id", first, "--record", "www.elsewhere.test", consul=consul, preexec=enter).wait().expect(1)
    assert "who answers for www.elsewhere.test: name server 127.84." in done.err and "(REFUSED)" in done.err
    assert f"_service_maintenance:{first}" not in states(consul, service, first)


CLIENT = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def far():
    """(our address, a command's words in front of it to run it on the other side of a wire)"""
    name, net = f"dbt{os.getpid()}", f"10.84.{random.randrange(1, 255)}"

    def ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True)
    try:
        ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no network of its own may be made here")
    try:
        ip("link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b", "netns", name)
        ip("addr", "add", f"{net}.1/24", "dev", f"{name}a")
        ip("link", "set", f"{name}a", "up")
        ip("-n", name, "addr", "add", f"{net}.2/24", "dev", f"{name}b")
        ip("-n", name, "link", "set", f"{name}b", "up")
        yield f"{net}.1", ["ip", "netns", "exec", name]
    finally:
        ip("netns", "del", name)


def test_clients_are_waited_for(consul, start, far):
    """One across a wire counts, one of this machine does not."""
    address, across = far
    service, id = consul.new_name(), None
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        id = f"{service}-{socket.gethostname()}"
        consul.put("/v1/agent/service/register", {"ID": id, "Name": service, "Address": address, "Port": port})
        consul.register(service, "192.0.2.2")
        until(lambda: id in consul.states(service))
        near = socket.create_connection((address, port))
        client = subprocess.Popen([*across, sys.executable, "-c", CLIENT, address, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            client.stdout.readline()
            run = start("drain", "--service", service, "--drain", "1", "--drain-idle", "2", consul=consul)
            time.sleep(4)
            assert run.process.poll() is None
            client.stdin.close()
            client.wait(5)
            held, _ = server.accept()
            held.close()
            other, _ = server.accept()
            gone = time.monotonic()
            other.close()
            run.wait().expect(0)
            assert 2 <= time.monotonic() - gone < 6
        finally:
            client.kill()
            client.wait()
            near.close()
            consul.put(f"/v1/agent/service/deregister/{id}")


def test_clients_of_another_host_cannot_be_seen(consul, start):
    service = consul.new_name()
    first, _ = (consul.register(service, f"192.0.2.{n}") for n in (1, 2))
    done = start("drain", "--id", first, "--drain", "1", "--drain-idle", "60", consul=consul).wait().expect(0)
    assert "clients are not waited for: the instance is not of this host" in done.err
