"""The health checks of `dnsbuddy run`: HTTP, TCP and commands, that pass, fail, hang, flood, fork; and heartbeats, which wait for
none of them."""

import os
import socket
import ssl
import subprocess
import threading
import time

import pytest
from certificates import Authority
from consul import free_ports
from running import SLEEP, Follow, Healthy, command_of, descendants, either, events, process_state, script, shim, tells
from watching import until

__all__ = ["either", "events", "script", "shim", "tells"]


def output(one):
    return (one.check() or {}).get("Output", "")


def until_output(one, text, state):
    until(lambda: text in output(one) and one.check()["Status"] == state, 15, lambda: f"{one.check()}\n{one.text()}")


# -- HTTP

@pytest.mark.parametrize("status, state", [(200, "passing"), (204, "passing"), (299, "passing"), (301, "critical"), (404, "critical"),
                                           (500, "critical")])
def test_only_2xx_passes(shim, status, state):
    with Healthy(status) as healthy:
        healthy.headers = {"Location": healthy.url}
        one = shim("--check", healthy.url + "?a=b&c")
        until_output(one, str(status), state)
        assert healthy.requests[0][1] == "/health.txt?a=b&c"


def test_one_that_answers_too_late(shim):
    with Healthy() as healthy:
        healthy.delay = 1.5
        one = shim("--check", healthy.url, "--timeout", "1", "--interval", "2")
        one.until_state("critical")
        until(lambda: output(one) and "200" not in output(one))
        healthy.delay = 0
        until_output(one, "200", "passing")


def test_nobody_listens_and_then_somebody_does(shim):
    port = free_ports(1)[0]
    one = shim("--check", f"tcp://localhost:{port}")
    until_output(one, "refused", "critical")
    with socket.create_server(("127.0.0.1", port)):
        one.until_state("passing")
    one.until_state("critical")


def test_looked_at_each_interval(shim):
    """From start to start, however long it takes; and one at a time."""
    with Healthy() as healthy:
        healthy.delay = 0.5
        one = shim("--check", healthy.url)
        one.until_state("passing")
        until(lambda: len(healthy.requests) >= 4, 10)
        times = [t for t, _ in healthy.requests]
        gaps = [b - a for a, b in zip(times, times[1:])]
        assert all(0.9 < gap < 1.6 for gap in gaps), gaps


def test_over_a_unix_socket(shim, tmp_path):
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(8)

        def serve():
            while True:
                try:
                    guest, _ = server.accept()
                except OSError:
                    return
                with guest:
                    guest.recv(4096)
                    guest.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        threading.Thread(target=serve, daemon=True).start()
        one = shim("--check", f"unix://{path}")
        until_output(one, "200", "passing")


def test_over_tls(shim, tmp_path):
    """Verified: by the roots that are given, else not at all."""
    authority = Authority(tmp_path, "ca")
    pair = authority.issue("app", "DNS:localhost,IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.chain, pair.key)
    with Healthy() as healthy:
        healthy.server.socket = context.wrap_socket(healthy.server.socket, server_side=True)
        url = healthy.url.replace("http://127.0.0.1", "https://localhost")
        good = shim("--check", url, env={"SSL_CERT_FILE": authority.pair.cert})
        bad = shim("--check", url)
        until_output(good, "200", "passing")
        until_output(bad, "trusted roots", "critical")


def test_a_server_that_never_ends_its_answer(shim):
    """No more is read than is looked at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            while True:
                try:
                    guest, _ = server.accept()
                    guest.recv(4096)
                    guest.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    while True:
                        guest.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                except OSError:
                    if server.fileno() < 0:
                        return
        threading.Thread(target=serve, daemon=True).start()
        one = shim("--check", f"http://127.0.0.1:{server.getsockname()[1]}/", "--timeout", "1")
        until(lambda: one.check(), say=one.text)
        time.sleep(2.5)
        assert one.cpu_seconds() < 0.5 and one.memory_kb("VmHWM") < 2048


# -- a command

def test_its_last_line_is_the_output(either, script):
    path = script("printf 'one\\ntwo\\n\\n  \\n'; printf 'lots' >&2; exit 1")
    one = either("--check", f"exec:{path}")
    until(lambda: one.check() and one.check()["Status"] == "critical" and output(one) in ("two", "lots"), say=lambda: one.check())


def test_words_and_no_shell(either, script, events):
    path = script(f'printf "[%s]" "$@" >{events.path}.args')
    one = either("--check", f"exec:{path}  a   $HOME; *")
    one.until_state("passing")
    assert open(f"{events.path}.args").read() == "[a][$HOME;][*]"


@pytest.mark.parametrize("command, text", [("/nonexistent/check", "/nonexistent/check"), ("/etc/passwd", "/etc/passwd"),
                                           ("kill", ""), ("false", "")])
def test_one_that_fails(either, script, command, text):
    if command == "kill":
        command = script("kill -9 $$")
    one = either("--check", f"exec:{command}")
    until(lambda: one.check() and one.check()["Status"] == "critical" and output(one) and text in output(one),
          say=lambda: f"{one.check()}\n{one.text()}")
    assert one.stop() == 143


def test_one_that_hangs_is_killed_with_its_group(either, consul, script):
    """Heartbeats go on beside it, and tell that it fails; and nothing of it is left."""
    path = script("sleep 600 & sleep 600 & wait; wait")
    one = either("--check", f"exec:{path}", "--timeout", "1", "--interval", "2", "--ttl", "4")
    until(lambda: output(one), 10, one.text)
    assert one.check()["Status"] == "critical"
    pids = until(lambda: [p for p in descendants(one.pid) if command_of(p) == SLEEP and p != one.app_pid()])
    until(lambda: not [p for p in pids if process_state(p) not in (None, "Z")], 5)
    assert not one.is_over() and len(descendants(one.pid)) < 8
    assert one.stop() == 143


def test_heartbeats_do_not_wait_for_a_slow_one(shim, consul, script, events):
    """It takes longer than the TTL, and passes."""
    path = script(f"[ -e {events.path}.slow ] && sleep 3.5; exit 0")
    one = shim("--check", f"exec:{path}", "--timeout", "8", "--ttl", "2")
    one.until_state("passing")
    follow = Follow(consul, one.service)
    open(f"{events.path}.slow", "w").close()
    time.sleep(4.5)
    assert [s[one.id][0] for s in follow.stop()] == ["passing"]


@pytest.mark.parametrize("text, state", [
    ("yes flood & wait", "critical"), ("cat /dev/zero", "critical"), ("yes flood | head -c 3000000; echo; echo fine", "passing"),
    ("head -c 3000000 /dev/zero; echo; echo fine", "passing"), ("exec >&- 2>&-; sleep 0.1; exit 0", "passing")])
def test_one_that_floods_its_output(shim, script, text, state):
    """Nobody waits: neither it for us nor we for it, and memory stays as it is."""
    one = shim("--check", f"exec:{script(text)}", "--timeout", "3", "--interval", "4", "--ttl", "9")
    until(lambda: one.check() and (one.check()["Status"] == "passing" or output(one)), 15, one.text)
    until(lambda: one.check()["Status"] == state and ("fine" not in text or output(one) == "fine"), 15, lambda: one.check())
    assert one.memory_kb("VmHWM") < 2048 and len(output(one)) < 1000
    assert one.stop() == 143


def test_an_output_of_any_bytes(shim, script):
    """Clean text and valid JSON come of it."""
    path = script(r"""printf '\033[1m\000\377\200 x " \\ y'; exit 1""")
    one = shim("--check", f"exec:{path}")
    until(lambda: " y" in output(one), say=lambda: f"{one.check()}\n{one.text()}")
    assert "\x1b" not in output(one) and "\0" not in output(one)


def test_a_daemon_that_it_leaves_in_its_group_is_killed(either, script):
    """Its output kept open, too: nobody waits for that."""
    long = ["sleep", f"7{os.getpid()}"]  # of this test alone, whoever its parent is by now
    path = script(f"{' '.join(long)} &\necho started\nexit 0")
    one = either("--check", f"exec:{path}")
    until_output(one, "started", "passing")
    time.sleep(2.2)
    assert len([p for p in os.listdir("/proc") if p.isdigit() and command_of(p) == long]) <= 1
    assert one.stop() == 143
    until(lambda: not [p for p in os.listdir("/proc") if p.isdigit() and command_of(p) == long])


def test_double_forks_leave_no_zombie(either, script):
    """Orphans of each check end while the next ones run; as PID 1 they are ours to reap."""
    path = script("( ( sleep 0.3 & ) & )\nsleep 0.05 & exec sleep 0.1")
    one = either("--check", f"exec:{path}", "--ttl", "3")
    one.until_state("passing")
    first, longest, end = {}, 0, time.monotonic() + 2.2
    while (now := time.monotonic()) < end:
        first = {pid: first.get(pid, now) for pid in one.zombies()}
        longest = max(longest, *(now - seen for seen in first.values()), 0)
        time.sleep(0.01)
    assert longest < 0.5 and len(first) <= 2 and one.state() == "passing"
    assert one.stop() == 143


def test_a_daemon_of_its_own_session_is_let_be(shim, script, events):
    """What a check starts on purpose for good, as PID 1: it is reaped when it ends."""
    path = script(f"[ -e {events.path}.once ] || {{ : >{events.path}.once; setsid sleep 2.5 </dev/null >/dev/null 2>&1 & sleep 0.3; }}\nexit 0")
    one = shim("--check", f"exec:{path}", pid_1=True)
    one.until_state("passing")
    pid, = until(lambda: [p for p in descendants(one.pid) if command_of(p) == ["sleep", "2.5"]])
    until(lambda: process_state(pid) is None, 10)
    assert not one.zombies()


def test_what_it_is_given(shim, script, events):
    """No input, no terminal, a group of its own, no descriptor of ours."""
    path = script(f"{{ ls -l /proc/self/fd; cut -d' ' -f5 /proc/self/stat; echo $$; cat; }} >{events.path}.new 2>&1\n"
                  f"mv {events.path}.new {events.path}.given")
    one = shim("--check", f"exec:{path}")
    one.until_state("passing")
    lines = open(f"{events.path}.given").read().splitlines()
    fds = [line.split()[-3:] for line in lines if " -> " in line]
    assert fds[0][0] == "0" and fds[0][2] == "/dev/null"
    assert {fd[0] for fd in fds} <= {"0", "1", "2", "3"}, fds
    assert lines[-1] == lines[-2]


def test_a_check_of_the_application_itself(shim):
    """The article's: a static file from the server that is run."""
    port = free_ports(1)[0]
    one = shim("--port", port, "--check", f"http://localhost:{port}/", "--timeout", "1", app=["/usr/bin/python3", "-m", "http.server", str(port)],
               cwd="/usr/share/doc/bash")
    one.until_state("passing", seconds=20)
    subprocess.run(["kill", "-STOP", str(one.app_pid())], check=True)
    one.until_state("critical", seconds=20)
    subprocess.run(["kill", "-CONT", str(one.app_pid())], check=True)
    one.until_state("passing", seconds=20)
