"""watch killed at every call of a change, stopped in every phase, started again."""

import os
import shutil
import signal
import subprocess
import threading
import time

import pytest
from blocking import BlockingConsul
from gate import Gate
from program import NAME, binary
from watching import Watch, scene, until

__all__ = ["scene"]

A, B, C, D, E = (f"192.0.2.{n}" for n in range(1, 6))
CALLS = ["zones", "list", "batch-post", "batch-delete"]


class Killer:
    """Kills the watch it is given, from within a server's thread."""

    def __init__(self):
        self.known, self.watch = threading.Event(), None

    def aim(self, watch):
        self.watch = watch
        self.known.set()

    def __call__(self, *_):
        assert self.known.wait(10)
        os.kill(self.watch.pid, signal.SIGKILL)
        self.watch.ended = True


@pytest.mark.parametrize("effect", ["before", "after", "sent"])
@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_killed_at_a_call_of_its_start(scene, number, effect):
    killer = Killer()
    site = scene.site(A, C, D, records=[A, B, E])
    scene.cf.fault("hook", nth=number, **{effect: killer})
    if effect == "before":
        scene.cf.fault("reset", nth=number)
    watch = scene.watch(site)
    killer.aim(watch)
    watch.run.process.wait(10)
    assert [c.kind for c in scene.calls()][:number] == CALLS[:number]
    scene.watch(site)
    site.settle()


@pytest.mark.parametrize("effect", ["before", "after", "sent"])
@pytest.mark.parametrize("kind", ["batch-post", "batch-delete"])
def test_killed_at_a_call_of_a_change(scene, kind, effect):
    killer = Killer()
    site, watch = scene.started(A, B, args=["--grace", "1"])
    killer.aim(watch)
    scene.cf.fault("hook", kind=kind, **{effect: killer})
    if effect == "before":
        scene.cf.fault("reset", kind=kind)
    site.remove(B)
    site.add(C)
    watch.run.process.wait(10)
    scene.watch(site)
    site.settle()


def test_killed_again_and_again_while_things_change(scene):
    site = scene.site(A)
    for n in range(8):
        watch = scene.watch(site)
        site.add(f"192.0.2.{n + 10}")
        if n:
            site.remove(f"192.0.2.{n + 9}")
        time.sleep(0.01 * n)
        watch.kill()
    scene.watch(site)
    site.settle()


# -- stopped

def stop_with_backlog(scene, watch):
    took = watch.stop()
    since = len(scene.calls())
    time.sleep(0.3)
    assert not scene.calls(since)
    return took


def test_stopped_before_consul_answers(scene):
    with Gate(scene.consul.port) as gate:
        gate.freeze()
        site = scene.site(A, records=[A])
        watch = scene.watch(site, consul=gate)
        time.sleep(0.3)
        stop_with_backlog(scene, watch)


@pytest.mark.parametrize("kind", ["connect", *CALLS])
def test_stopped_while_a_call_hangs(scene, kind):
    site = scene.site(A, records=[B])
    fault = scene.cf.fault("hang", kind=kind)
    watch = scene.watch(site)
    until(lambda: fault.hits)
    assert stop_with_backlog(scene, watch) > 0.4  # it gives it a chance
    scene.cf.faults.clear()
    scene.watch(site)


@pytest.mark.parametrize("kind", CALLS)
def test_stopped_while_a_call_takes_its_time(scene, kind):
    """It is finished, and nothing after it is begun."""
    site = scene.site(A, records=[B])
    fault = scene.cf.fault("delay", kind=kind, seconds=0.3)
    watch = scene.watch(site)
    until(lambda: fault.hits)
    stop_with_backlog(scene, watch)
    assert [c.kind for c in scene.calls()] == CALLS[:CALLS.index(kind) + 1]
    assert scene.calls()[-1].sent
    scene.watch(site)


def test_stopped_while_it_waits_to_try_again(scene):
    site = scene.site(A, records=[A])
    scene.cf.fault("status", status=503, times=0)
    watch = scene.watch(site)
    watch.wait_for("retrying", n=2)
    assert stop_with_backlog(scene, watch) < 0.3


def test_stopped_in_the_grace(scene):
    site, watch = scene.started(A, B, args=["--grace", "60"])
    site.remove(B)
    time.sleep(0.3)
    assert stop_with_backlog(scene, watch) < 0.3
    scene.watch(site)


def test_a_second_signal_ends_at_once(scene):
    site = scene.site(A, records=[B])
    fault = scene.cf.fault("hang", kind="list")
    watch = scene.watch(site)
    until(lambda: fault.hits)
    watch.send(signal.SIGTERM)
    watch.wait_for("stopping")
    assert watch.stop() < 0.2
    scene.cf.faults.clear()
    scene.watch(site)


def test_signals_it_does_not_know_of_do_nothing(scene):
    site, watch = scene.started(A)
    for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT):
        watch.send(number)
    site.add(B)
    site.settle()


def test_frozen_for_a_while(scene):
    """Nothing that it decided before is done after."""
    site, watch = scene.started(A, B, args=["--grace", "1"])
    site.remove(B)
    time.sleep(0.2)
    watch.send(signal.SIGSTOP)
    time.sleep(2)
    site.add(B)
    site.add(C)
    watch.send(signal.SIGCONT)
    site.settle()
    scene.quiet(0.5)


# -- PID 1

def as_pid_1(*command):
    # "unchanged": only /proc, which --mount-proc makes private by itself; in a chroot / is no mount point to make so.
    return ["unshare", "--fork", "--pid", "--mount-proc", "--propagation", "unchanged", "--kill-child", *command]


def test_as_pid_1(scene):
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run(as_pid_1("true"), capture_output=True, check=False).returncode:
        pytest.skip("no namespace of processes may be made here")
    site = scene.site(A)
    outer = scene.start(*as_pid_1(binary(), "watch", site.service, NAME)[1:], executable=unshare,
                        cloudflare=scene.cf, consul=scene.consul, timeout=60,
                        env={"DNSBUDDY_REGISTER_AS": "none", "DNSBUDDY_GRACE": 0})
    watch = Watch(outer)
    watch.wait_for("synced")
    site.add(B)
    site.settle()
    children = open(f"/proc/{outer.pid}/task/{outer.pid}/children").read().split()
    inner, = map(int, children)
    began = time.monotonic()
    os.kill(inner, signal.SIGTERM)
    assert outer.process.wait(3) == 0 and time.monotonic() - began < 1
    assert watch.find("stopping", pid=1) and watch.find("stopped")


# -- descriptors

def test_connections_that_break_leave_no_descriptor_behind(scene):
    fake = scene.consul = BlockingConsul()
    fake.new_name = lambda: "web"
    site, watch = scene.started(A)
    before = watch.files_n()
    for n in range(10, 13):
        scene.cf.listener.drop()
        scene.cf.fault("lost", kind="write")
        site.add(f"192.0.2.{n}")
        site.settle()
    until(lambda: watch.files_n() <= before + 2)
    watch.stop()
    fake.stop()
