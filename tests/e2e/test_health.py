"""`dnsbuddy health` finds the watch of its container by itself, however that was configured.

A container here is a namespace of processes: the network is the same for all, as with Docker's host
networking, so each test is by itself whatever else runs on the machine.
"""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from consul import free_ports
from program import NAME, binary
from test_watch_crash import as_pid_1
from watching import Watch, scene, until

__all__ = ["scene"]

A, B = "192.0.2.1", "192.0.2.2"

pytestmark = pytest.mark.skipif(
    not shutil.which("nsenter") or subprocess.run(as_pid_1("true"), capture_output=True, check=False).returncode != 0,
    reason="no namespace of processes may be made here")


class Container:
    """A watch as PID 1."""

    def __init__(self, scene, *args, env=None, user=None):
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        self.run = scene.start(*as_pid_1(*become, binary(), "watch", *args)[1:], executable=shutil.which("unshare"),
                               cloudflare=scene.cf, consul=scene.consul, timeout=120,
                               env={"PATH": os.environ["PATH"], **(env or {})})
        self.watch = Watch(self.run)
        self.watch.wait_for("watching")
        self.pid, = map(int, open(f"/proc/{self.run.pid}/task/{self.run.pid}/children").read().split())

    def exec(self, *args, env=None, user=None):
        """As docker exec."""
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        return subprocess.run(["nsenter", "--pid", f"--target={self.pid}", *become, binary(), *args], text=True,
                              env={"PATH": os.environ["PATH"], **(env or {})}, capture_output=True, check=False)

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        assert self.run.wait().code == 0


@pytest.fixture
def contain(scene):
    """contain(*args): a container whose watch goes with the test."""
    made = []

    def begin(*args, **keys):
        made.append(Container(scene, "--register-as", "none", "--grace", "0", *args, **keys))
        return made[-1]

    yield begin
    for container in made:
        if container.run.process.poll() is None:
            os.kill(container.pid, signal.SIGCONT)
            container.stop()


def ends(done, code, text=""):
    assert (done.returncode, done.stdout) == (code, "") and text in done.stderr, done
    assert len(done.stderr.splitlines()) == (code != 0)


@pytest.mark.parametrize("how", ["flags", "environment", "file", "nothing of health's"])
def test_however_watch_was_configured(scene, contain, tmp_path, how):
    site, port = scene.site(A), free_ports(1)[0]
    file = tmp_path / "c.json"
    file.write_text(json.dumps({"service": site.service, "record": NAME, "listen": f"127.0.0.1:{port}"}))
    args, env = {
        "flags": (("--listen", f"127.0.0.1:{port}", site.service, NAME), {}),
        "environment": ((), {"SERVICE": site.service, "RECORD": NAME}),
        "file": (("--config", str(file)), {}),
        "nothing of health's": ((site.service, NAME), {}),
    }[how]
    container = contain(*args, env=env)
    site.settle()
    ends(container.exec("health"), 0)
    # Settings that are not its own, and wrong.
    ends(container.exec("health", env={"TTL": "x", "DNSBUDDY_CONFIG": "/nowhere", "CONSUL_HTTP_ADDR": "?"}), 0)


def test_unhealthy_says_why(scene, contain):
    site = scene.site(A)
    container = contain("--unhealthy-after", "1", site.service, NAME)
    site.settle()
    scene.cf.fault("status", status=503, times=0)
    site.add(B)
    until(lambda: container.exec("health").returncode == 1)
    ends(container.exec("health"), 1, f"dnsbuddy health: unhealthy: {NAME}: ")
    scene.cf.faults.clear()
    site.settle(seconds=20)
    until(lambda: container.exec("health").returncode == 0)


def test_each_copy_is_its_own_container_s(scene, contain):
    """Two copies in one network, both PID 1, and one hangs."""
    first, second = scene.site(A), scene.site(B, name="api.example.com")
    one, two = contain(first.service, NAME), contain(second.service, "api.example.com")
    first.settle()
    second.settle()
    os.kill(one.pid, signal.SIGSTOP)
    ends(two.exec("health"), 0)
    began = time.monotonic()
    ends(one.exec("health"), 1, "no answer from watch or run at ")
    assert time.monotonic() - began < 3  # the image's HEALTHCHECK has a time-out of 3 s
    os.kill(one.pid, signal.SIGCONT)
    ends(one.exec("health"), 0)
    two.stop()
    ends(one.exec("health"), 0)


def test_of_several_in_one_container_each_must_be_well(scene, contain):
    site, port = scene.site(A), free_ports(1)[0]
    container = contain(site.service, NAME)
    site.settle()
    env = {"PATH": os.environ["PATH"], "CLOUDFLARE_API_TOKEN": "x"}
    other = subprocess.Popen(["nsenter", "--pid", f"--target={container.pid}", binary(), "watch", "--register-as", "none",
                              "--consul", f"127.0.0.1:{port}", "--unhealthy-after", "1", "x", "other.example.com"],
                             env=env, stderr=subprocess.DEVNULL)
    until(lambda: "other.example.com" in container.exec("health").stderr)
    ends(container.exec("health"), 1, "unhealthy: other.example.com: ")
    child, = map(int, open(f"/proc/{other.pid}/task/{other.pid}/children").read().split())
    os.kill(child, signal.SIGTERM)
    other.wait(5)
    ends(container.exec("health"), 0)


def test_without_a_watch(scene, contain):
    """Another's in the same network is not ours; --listen is asked where it is set, though."""
    site, port = scene.site(A), free_ports(1)[0]
    contain("--listen", f"127.0.0.1:{port}", site.service, NAME)
    site.settle()

    def elsewhere(*args, **env):
        return subprocess.run(as_pid_1(binary(), "health", *args), env=env, text=True, capture_output=True, check=False)
    ends(elsewhere(), 1, "dnsbuddy health: no watch or run of this user is here")
    ends(elsewhere("--listen", f"127.0.0.1:{port}"), 0)
    ends(elsewhere(DNSBUDDY_CONFIG=json.dumps({"listen": f"127.0.0.1:{port}"})), 0)


def test_with_a_flag_it_asks_there_alone(scene, contain):
    site, port = scene.site(A), free_ports(1)[0]
    container = contain(site.service, NAME)
    site.settle()
    ends(container.exec("health", "--listen", f"127.0.0.1:{port}"), 1, f"at 127.0.0.1 port {port}: ")


@pytest.mark.skipif(os.getuid() != 0, reason="takes root to become somebody else")
def test_users(scene, contain):
    """Nobody believes nobody, and everybody root."""
    nobody, other, site = 65534, 65533, scene.site(A)
    container = contain("--timeout", "60", site.service, NAME, user=nobody, env={"SSL_CERT_FILE": None})
    ends(container.exec("health", user=nobody), 0)
    ends(container.exec("health", user=other), 1, "no watch or run of this user")
    site.checked = False
    container.stop()
    container = contain(site.service, NAME)
    site.settle()
    ends(container.exec("health", user=nobody), 0)


def sockets():
    """Of all watches of this network, whosoever they are."""
    return {line.split()[-1] for line in open("/proc/net/unix", encoding="utf-8") if "@dnsbuddy/" in line}


def test_others_of_the_network_get_no_answer(scene, contain):
    """Neither a copy's health nor anybody else in another namespace of processes."""
    site, before = scene.site(A), sockets()
    container = contain(site.service, NAME)
    site.settle()
    name, = sockets() - before
    script = ("import socket\ns = socket.socket(socket.AF_UNIX)\ns.settimeout(5)\n"
              f"s.connect('\\0' + {name[1:]!r})\n"
              "try: s.sendall(b'GET /health HTTP/1.0\\r\\n\\r\\n'); print(len(s.recv(99)))\nexcept OSError: print(0)")
    inside = subprocess.run(["nsenter", "--pid", f"--target={container.pid}", "/usr/bin/python3", "-c", script],
                            text=True, capture_output=True, check=True)
    outside = subprocess.run(as_pid_1("/usr/bin/python3", "-c", script), text=True, capture_output=True, check=True)
    assert int(inside.stdout) > 0 and int(outside.stdout) == 0
