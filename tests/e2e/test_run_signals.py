"""`dnsbuddy run` and signals: which go to the application, the order in which it stops, SIGTERM at any moment, SIGHUP and
SIGUSR1. The order of the calls is that of a proxy before Consul."""

import json
import os
import random
import signal
import time

import pytest
from consul import free_ports
from gate import Gate
from running import (ADDRESS, HOST, SLEEP, Follow, Healthy, Recorder, can_be_pid_1, children, command_of, descendants, either,
                     events, need_pid_1, process_state, script, shim, tells)
from watching import until

__all__ = ["either", "events", "script", "shim", "tells"]

ORDER = ("maintenance on", "maintenance off", "pre-stop", "app TERM", "app end", "deregister", "post-stop")
# What it keeps for itself, what cannot be caught, what job control has.
OURS = {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP, signal.SIGCHLD}
JOBS = {signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCONT}


@pytest.fixture
def recorder(consul, events):
    with Recorder(consul.port, events) as made:
        yield made


@pytest.fixture
def hooked(shim, events, tells, recorder, consul):
    """hooked(*flags): a run with all hooks and the proxy, whose application has started and is registered; as PID 1 if it can be."""
    def begin(*flags, app=None, state="passing", pre_stop="", post_stop="", pid_1=can_be_pid_1(), **keys):
        one = shim("--pre-stop", tells("pre-stop", pre_stop), "--post-stop", tells("post-stop", post_stop), *flags,
                   app=app or events.app(), pid_1=pid_1, consul=recorder, real=consul, **keys)
        events.wait_for("app start")
        if state:
            one.until_state(state)
        return one
    return begin


def test_all_others_go_to_the_application(either, events):
    one = either(app=events.app())
    events.wait_for("app start")
    numbers = sorted(n for n in signal.valid_signals() - OURS - JOBS)
    assert signal.SIGWINCH in numbers and signal.SIGUSR2 in numbers and signal.SIGQUIT in numbers and signal.SIGRTMAX in numbers

    def name(number):
        try:
            return "app " + signal.Signals(number).name.removeprefix("SIG")
        except ValueError:
            return f"app {number}"
    for number in numbers:
        one.send(number)
        until(lambda n=name(number): n in events.all(), say=lambda: f"{number} was not passed on: {events.all()}")
    assert sorted(events.all()[1:]) == sorted(name(n) for n in numbers)
    assert one.stop() == 7


@pytest.mark.parametrize("pid_1", [False, True])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_order_of_a_stop(hooked, events, number, pid_1):
    one = hooked(pid_1=pid_1)
    assert one.stop(number) == 7
    assert events.all(*ORDER) == ["maintenance on", "pre-stop", "app TERM", "app end", "deregister", "post-stop"]
    assert one.entries() == []


def test_the_order_of_a_drained_stop(hooked, events, consul):
    """In maintenance for as long as it drains, and no longer passing for who asks Consul."""
    one = hooked("--drain", "2")
    one.send(signal.SIGTERM)
    events.wait_for("maintenance on")
    one.until_state("maintenance", seconds=1.5)
    assert "app TERM" not in events.all()
    assert one.wait() == 7
    assert events.all(*ORDER) == ["maintenance on", "pre-stop", "app TERM", "app end", "deregister", "post-stop"]
    times = dict((what, t) for t, what in events.timed())
    assert 1.9 < times["pre-stop"] - times["maintenance on"] < 4


def test_heartbeats_go_on_while_it_drains(hooked, recorder, events):
    one = hooked("--drain", "3", "--ttl", "2")
    one.send(signal.SIGTERM)
    events.wait_for("maintenance on")
    states = set()
    while "pre-stop" not in events.all():
        entry = one.entry()
        states |= {c["Status"] for c in entry["Checks"] if c["CheckID"].startswith("service:")} if entry else {"gone"}
        time.sleep(0.1)
    assert states == {"passing"}
    assert one.wait() == 7


def test_a_second_signal_skips_the_drain(hooked, events):
    one = hooked("--drain", "300")
    one.send(signal.SIGTERM)
    events.wait_for("maintenance on")
    time.sleep(0.3)
    began = time.monotonic()
    assert one.stop() == 7 and time.monotonic() - began < 3
    assert events.all(*ORDER) == ["maintenance on", "pre-stop", "app TERM", "app end", "deregister", "post-stop"]


def test_a_second_signal_ends_a_pre_stop(hooked, events):
    """All of it: its children, too."""
    one = hooked(pre_stop="sleep 600 & wait")
    one.send(signal.SIGTERM)
    events.wait_for("pre-stop")
    pids = until(lambda: [p for p in descendants(one.pid) if command_of(p) == SLEEP])
    began = time.monotonic()
    assert one.stop() == 7 and time.monotonic() - began < 5
    assert events.all(*ORDER) == ["maintenance on", "pre-stop", "app TERM", "app end", "deregister", "post-stop"]
    until(lambda: not [p for p in pids if process_state(p) not in (None, "Z")])


@pytest.mark.parametrize("seconds", [1, 0])
def test_an_application_that_does_not_end_is_killed(hooked, events, seconds):
    one = hooked("--stop-timeout", seconds, app=events.app(7, "stay"))
    began = time.monotonic()
    assert one.stop() == 137
    assert seconds - 0.1 < time.monotonic() - began < seconds + 4
    assert events.all("deregister", "post-stop") == ["deregister", "post-stop"]


def test_its_group_is_killed_with_it(shim, events, script):
    """An application that leaves its children: none outlives the stop."""
    app = script("trap '' TERM\nsleep 600 &\nsleep 600 &\nwait\nwait\nsleep 600")
    one = shim("--stop-timeout", "1", app=[app])
    pids = until(lambda: [p for p in descendants(one.pid) if command_of(p) == SLEEP] if len(descendants(one.pid)) > 2 else None)
    assert one.stop() == 137
    until(lambda: not [p for p in pids if process_state(p) not in (None, "Z")])


def test_one_that_takes_its_time_is_waited_for(hooked, events):
    one = hooked("--stop-timeout", "10", app=events.app(7, "late"))
    assert one.stop() == 7
    assert events.all("app TERM", "app end", "deregister") == ["app TERM", "app end", "deregister"]


def test_hooks_that_hang_do_not_hold_it_up_for_good(hooked, events):
    """post-stop has a limit, too; a further signal does not wait for it."""
    one = hooked(post_stop="sleep 600")
    one.send(signal.SIGTERM)
    events.wait_for("post-stop")
    one.send(signal.SIGTERM)
    assert one.wait(20) == 7


# -- SIGTERM at any moment

def test_during_the_pre_start(either, tells, events):
    """It ends, and no application starts."""
    one = either("--pre-start", tells("pre-start", "sleep 600"), app=events.app())
    events.wait_for("pre-start")
    began = time.monotonic()
    code = one.stop()
    assert code in (143, 0) and time.monotonic() - began < 6
    assert "app start" not in events.all() and one.entries() == []


def test_before_the_first_registration(shim, consul, events, tells):
    """Consul takes the connection and says nothing."""
    with Gate(consul.port) as gate:
        gate.freeze()
        one = shim("--pre-stop", tells("pre-stop"), consul=gate, real=consul, app=events.app())
        events.wait_for("app start")
        began = time.monotonic()
        assert one.stop() == 7 and time.monotonic() - began < 7
        assert events.all("pre-stop", "app TERM", "app end") == ["pre-stop", "app TERM", "app end"]


@pytest.mark.parametrize("answered", [False, True])
def test_during_the_first_registration(shim, consul, recorder, events, answered):
    """Consul has taken it, or will: it is not left behind."""
    def slow(call):
        if call.what == "register":
            time.sleep(0.5)
    recorder.script = slow
    one = shim(consul=recorder, real=consul, app=events.app())
    events.wait_for("register")
    if answered:
        one.until_state("passing")
    assert one.stop() == 7
    time.sleep(0.6)
    assert one.entries() == []


@pytest.mark.parametrize("delay_ms", [0, 1, 3, 5, 8, 21, 60])
def test_right_after_its_start(either, events, delay_ms):
    """Whatever it has come to: it ends, and nothing is left."""
    one = either(app=SLEEP)
    time.sleep(delay_ms / 1000)
    if one.pid:
        one.send(signal.SIGTERM)
    # Before it catches signals who started us decides; as PID 1 nobody: then it ends with the next.
    if one.is_pid_1:
        time.sleep(0.3)
        if not one.is_over():
            one.send(signal.SIGTERM)
    assert one.wait() in (143, 0)
    assert one.entries() == []


@pytest.mark.parametrize("check", ["exec", "http", "tcp"])
def test_during_a_check(shim, events, script, check):
    """A command, a request, a connection that hangs."""
    with Healthy() as healthy:
        healthy.delay = 600
        path = script("sleep 600 & wait")
        text = {"exec": f"exec:{path}", "http": healthy.url, "tcp": "tcp://192.0.2.254:9"}[check]
        one = shim("--check", text, "--timeout", "30", "--interval", "30", "--ttl", "60", app=events.app(), pid_1=check == "exec" and can_be_pid_1())
        one.until_state("critical")
        pids = until(lambda: [p for p in descendants(one.pid) if command_of(p) == SLEEP]) if check == "exec" else []
        began = time.monotonic()
        assert one.stop() == 7 and time.monotonic() - began < 3
        until(lambda: not [p for p in pids if process_state(p) not in (None, "Z")])
        assert one.entries() == []


def test_while_consul_does_not_answer(shim, consul, events, tells):
    """Each call of the stop has its limit."""
    with Gate(consul.port) as gate:
        one = shim("--pre-stop", tells("pre-stop"), "--post-stop", tells("post-stop"), consul=gate, real=consul, app=events.app())
        one.until_state("passing")
        gate.freeze()
        began = time.monotonic()
        assert one.stop() == 7 and time.monotonic() - began < 8
        assert events.all() == ["app start", "pre-stop", "app TERM", "app end", "post-stop"]
        gate.freeze(False)
        consul.put(f"/v1/agent/service/deregister/{one.id}")


# -- SIGUSR1

def test_usr1_toggles_maintenance(shim, consul, recorder, events):
    one = shim(consul=recorder, real=consul, app=events.app())
    one.until_state("passing")
    for _ in range(2):
        one.send(signal.SIGUSR1)
        one.until_state("maintenance")
        checks = {c["CheckID"]: c["Status"] for c in one.entry()["Checks"]}
        assert checks[f"_service_maintenance:{one.id}"] == "critical" and checks[f"service:{one.id}"] == "passing"
        one.send(signal.SIGUSR1)
        one.until_state("passing")
    assert events.all("deregister", "app USR1") == []
    assert one.stop() == 7


def test_maintenance_lasts_when_consul_forgets_it(shim, consul):
    """The state lost while in maintenance: it is in maintenance again, and never passing in between."""
    one = shim()
    one.until_state("passing")
    one.send(signal.SIGUSR1)
    one.until_state("maintenance")
    follow = Follow(consul, one.service)
    consul.put(f"/v1/agent/service/deregister/{one.id}")
    until(lambda: len(follow.seen) >= 2 and follow.seen[-1].get(one.id, "")[:1] == ("maintenance",), 20, lambda: follow.seen)
    states = [s[one.id][0] if one.id in s else None for s in follow.stop()]
    assert "passing" not in states, states
    one.send(signal.SIGUSR1)
    one.until_state("passing")


def test_a_former_life_in_maintenance_is_over(shim):
    """Killed while it drained; a container with its name starts again."""
    one = shim("--drain", "60", service="phoenix")
    one.until_state("passing")
    one.send(signal.SIGTERM)
    one.until_state("maintenance")
    one.end()
    again = shim(service="phoenix")
    again.until_state("passing")


# -- SIGHUP

def test_hup_reads_the_configuration_again(shim, consul, events, tmp_path):
    """Tags, port and meta: in one call, and Consul never sees it gone or critical."""
    file = tmp_path / "c.json"

    def write(**more):
        file.write_text(json.dumps({"service": "reloaded", "interface": [f"static:{ADDRESS}"], "interval": 1, "check_ttl": 5, **more}))
    write(tags=["one"], app_port=80)
    with Recorder(consul.port) as recorder:
        one = shim("--config", file, named=False, service="reloaded", consul=recorder, real=consul, app=events.app())
        one.until_state("passing")
        follow = Follow(consul, "reloaded")
        write(tags=["two", "three"], app_port=8080, meta={"version": "2"})
        one.send(signal.SIGHUP)
        until(lambda: one.entry()["Service"]["Port"] == 8080, say=one.text)
        entry = one.entry()["Service"]
        assert entry["Tags"] == ["two", "three"] and entry["Meta"] == {"version": "2"}
        seen = follow.stop()
        assert [s.get(one.id, (None,))[0] for s in seen] == ["passing"] * len(seen), seen
        assert len({c.body for c in recorder.of("register")}) == 2 and not recorder.of("deregister")
        assert "app HUP" not in events.all()
        assert one.stop() == 7


@pytest.mark.parametrize("text", ["{", '{"service": "kept", "interface": ["eth9"]}', '{"service": "kept", "bogus": 1}'])
def test_a_configuration_that_is_wrong_changes_nothing(shim, events, tmp_path, text):
    file = tmp_path / "c.json"
    good = json.dumps({"service": "kept", "interface": [f"static:{ADDRESS}"], "interval": 1, "check_ttl": 5})
    file.write_text(good)
    one = shim("--config", file, named=False, service="kept", app=events.app())
    one.until_state("passing")
    file.write_text(text)
    one.send(signal.SIGHUP)
    until(lambda: [line for line in one.logs if line["level"] in ("error", "warn")], say=one.text)
    assert one.state() == "passing" and not one.is_over()
    file.write_text(good)
    one.send(signal.SIGHUP)
    time.sleep(0.3)
    assert one.stop() == 7, one.text()


def test_hup_without_a_change_writes_nothing(shim, consul, events):
    with Recorder(consul.port) as recorder:
        one = shim("--interval", "1", consul=recorder, real=consul, app=events.app())
        one.until_state("passing")
        for n in range(1, 4):
            one.send(signal.SIGHUP)
            until(lambda: one.text().count("configuration read again") == n, say=one.text)
        until(lambda: len(recorder.of("heartbeat")) > 2, say=one.text)
        assert len(recorder.of("register")) <= 2  # once more for the output of the first check


def test_hup_that_comes_to_nothing_is_told(shim, events, tells):
    one = shim("--pre-start", tells("pre-start", "sleep 1"), app=events.app())
    until(lambda: "pre-start" in events.all(), say=one.text)
    one.send(signal.SIGHUP)
    until(lambda: "configuration not read again" in one.text() and "it begins" in one.text(), say=one.text)
    one.until_state("passing")
    assert one.stop() == 7


def test_hup_does_not_lose_the_stop(shim, consul, events, tells):
    """Their bug: after a reload the application never got its SIGTERM."""
    one = shim("--pre-stop", tells("pre-stop"), app=events.app())
    one.until_state("passing")
    one.send(signal.SIGHUP)
    time.sleep(0.3)
    assert one.stop() == 7
    assert events.all() == ["app start", "pre-stop", "app TERM", "app end"]


def test_300_hups(shim, consul, script, events):
    """At random moments of up to 30 ms: it stays registered and passing, checks go on, and none is lost. As PID 1 and not."""
    need_pid_1()
    dice, path = random.Random(8), script("exit 0")
    runs = [shim("--check", f"exec:{path}", app=events.app(), pid_1=pid_1) for pid_1 in (False, True)]
    for one in runs:
        one.until_state("passing")
    events.wait_for("app start", 2)
    follows = [Follow(consul, one.service) for one in runs]
    for _ in range(300):
        for one in runs:
            one.send(signal.SIGHUP)
        time.sleep(dice.uniform(0, 0.03))
    time.sleep(1.1)
    for one, follow in zip(runs, follows):
        assert {s.get(one.id, (None,))[0] for s in follow.stop()} == {"passing"}, follow.seen
        assert not one.zombies() and len(children(one.pid)) <= 2
        assert one.stop() == 7 and "app HUP" not in events.all()


def test_hups_and_checks_lose_no_exit_code(either, script):
    """The application ends while checks and reloads are under way."""
    path = script("exit 0")
    for n in range(5):
        one = either("--check", f"exec:{path}", app=["sh", "-c", f"sleep 0.{n}; exit {40 + n}"])
        while not one.is_over():
            try:
                if one.pid:
                    one.send(signal.SIGHUP)
            except ProcessLookupError:
                pass
            time.sleep(0.005)
        assert one.wait() in (40 + n, 129)  # 129: before it caught signals, and not as PID 1


# -- the whole of it stopped for a while

def test_frozen_for_longer_than_the_ttl(either, consul, events):
    """All of its processes: Consul calls it critical, and then it goes on by itself."""
    one = either("--ttl", "2", app=events.app())
    one.until_state("passing")
    pids = [one.pid, *descendants(one.pid)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    one.until_state("critical", seconds=20)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    one.until_state("passing", seconds=5)
    assert one.stop() == 7


def test_frozen_while_consul_forgets_it(shim, consul, events):
    one = shim("--ttl", "2", app=events.app())
    one.until_state("passing")
    pids = [one.pid, *descendants(one.pid)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    consul.put(f"/v1/agent/service/deregister/{one.id}")
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    one.until_state("passing", seconds=5)
    assert one.stop() == 7


def test_a_stop_while_it_is_frozen_comes_when_it_goes_on(shim, events):
    one = shim(app=events.app())
    one.until_state("passing")
    one.send(signal.SIGSTOP)
    one.send(signal.SIGTERM)
    time.sleep(0.2)
    assert not one.is_over()
    one.send(signal.SIGCONT)
    assert one.wait() == 7


def test_no_port_of_ours_is_taken(shim):
    """Two with the same free port to serve: nothing of ours listens there."""
    port = free_ports(1)[0]
    one, two = shim("--port", port), shim("--port", port)
    one.until_state("passing")
    two.until_state("passing")
    assert one.entry()["Service"]["Port"] == port and one.id != two.id and one.id.endswith(HOST)
