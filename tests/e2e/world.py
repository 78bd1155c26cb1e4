"""A network of a test's own, as a container has it: interfaces, names, and what runs in it."""

import ctypes
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from consul import Consul
from watching import until

PREPARE = """
set -e
ip link set lo up
ip link add eth0 type veth peer name end0
ip link add eth1 type veth peer name end1
ip addr add 10.20.30.40/24 dev eth0
ip addr add 203.0.113.7/24 dev eth1
for i in eth0 end0 eth1 end1; do ip link set $i up; done
mount -t tmpfs none /opt && mkdir /opt/containerbuddy && cp -r "$1"/. /opt/containerbuddy
mount --bind "$2" /etc/hosts
touch "$3"
exec sleep 600
"""
CLONE_NEWNET = 0x40000000


class World:
    """A network and a file system of their own, in which inside(function) runs, and commands by enter().

    There are eth0 (10.20.30.40), eth1 (203.0.113.7), the name consul for 127.0.0.1, and in /opt/containerbuddy `files`: of each name
    the text, or the path of a file.
    """

    def __init__(self, folder, files):
        folder.mkdir(exist_ok=True)
        (folder / "opt").mkdir()
        for name, source in files.items():
            if source.startswith("/"):
                shutil.copy(source, folder / "opt" / name)
            else:
                (folder / "opt" / name).write_text(source)
        (folder / "hosts").write_text("127.0.0.1 localhost consul\n")
        self.process = subprocess.Popen(["unshare", "--net", "--mount", "sh", "-c", PREPARE, "sh", folder / "opt", folder / "hosts",
                                         folder / "ready"], stderr=subprocess.PIPE)
        until(lambda: (folder / "ready").exists() or self.process.poll() is not None)
        if self.process.poll() is not None:
            pytest.skip(f"no network of its own may be made here: {self.process.stderr.read().decode().strip()}")
        self.pool = ThreadPoolExecutor(1, initializer=self._go_in)

    def enter(self, *words):
        return ["nsenter", f"--target={self.process.pid}", "--net", "--mount", *words]

    def _go_in(self):
        with open(f"/proc/{self.process.pid}/ns/net", "rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

    def inside(self, function):
        """In a thread within the network; threads and processes that it starts stay there, as long as this does."""
        return self.pool.submit(function).result(60)

    def stop(self):
        self.pool.shutdown()
        self.process.kill()
        self.process.wait()


class Consul8500(Consul):
    """On the port of all examples."""

    def choose_ports(self):
        return 8500, *super().choose_ports()[1:]


@pytest.fixture
def make_world(tmp_path):
    """make_world(files): a World that goes with the test."""
    if os.getuid() != 0:
        pytest.skip("takes root to make a namespace of networks")
    made = []

    def begin(files=None):
        made.append(World(tmp_path / f"world-{len(made)}", files or {}))
        return made[-1]

    yield begin
    for world in made:
        world.stop()
