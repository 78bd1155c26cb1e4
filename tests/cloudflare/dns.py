"""PowerDNS on the stand-in's database, so that dig shows what the world would see."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAM = "pdns_server"


def available():
    return _program() is not None and shutil.which("setpriv") is not None


def _program():
    return shutil.which(PROGRAM, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class PowerDNS:
    """A child of ours, UDP and TCP, on a free loopback port unless told another; every cache is off.

    It is told to die with the thread that started it, so start it from the main one.
    """

    def __init__(self, database, folder, host="127.0.0.1", port=0):
        self.database, self.folder, self.host = Path(database), Path(folder), host
        self.child = None
        self.wanted, self.port = port, None

    def start(self):
        if not available():
            raise RuntimeError(f"{PROGRAM} or setpriv is missing (pdns-server, util-linux)")
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(5):  # the port may be gone between finding and using it
            self.port = self.wanted or free_port(self.host)
            self._spawn()
            if self._wait():
                return self
            self.stop()
        raise RuntimeError(f"{PROGRAM} did not start:\n{self.log()[-2000:]}")

    def _spawn(self):
        options = {
            "config-dir": self.folder, "socket-dir": self.folder, "daemon": "no", "guardian": "no",
            "launch": "gsqlite3", "gsqlite3-database": self.database,
            "gsqlite3-pragma-synchronous": 0, "local-address": self.host, "local-port": self.port,
            "cache-ttl": 0, "query-cache-ttl": 0, "negquery-cache-ttl": 0,
            "zone-cache-refresh-interval": 0, "zone-metadata-cache-ttl": 0,
            "distributor-threads": 1, "receiver-threads": 1, "disable-syslog": "yes",
            "security-poll-suffix": "",
            "version-string": "anonymous", "expand-alias": "no",
        }
        with open(self.folder / "pdns.log", "ab") as log:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", _program()]
                + [f"--{name}={value}" for name, value in options.items()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _wait(self, seconds=10.0):
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.child.poll() is None:
            if answers(self.host, self.port):
                return self.child.poll() is None
            time.sleep(0.02)
        return False

    @property
    def pid(self):
        return self.child.pid if self.child else None

    def log(self):
        path = self.folder / "pdns.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        if self.child is None:
            return
        self.child.terminate()
        try:
            self.child.wait(3)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child = None

    def dig(self, name, kind="A", *more):
        """The lines of `dig +short`, sorted."""
        done = subprocess.run(
            ["dig", f"@{self.host}", "-p", str(self.port), name, kind, "+short", "+tries=2",
             "+time=2", *more], capture_output=True, text=True, check=True)
        return sorted(done.stdout.split("\n"))[1:] if done.stdout else []


def free_port(host):
    """A port free for both UDP and TCP at this moment."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind((host, 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind((host, port))
            except OSError:
                continue
            return port


def answers(host, port):
    """Whether something there answers DNS: a query for the root's SOA, any rcode will do."""
    query = b"\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.1)
        try:
            udp.sendto(query, (host, port))
            return udp.recv(512)[:2] == query[:2]
        except OSError:
            return False
