"""SIGINT and SIGTERM end every command, wherever it waits, also as PID 1; and what of the process
nobody may see."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest
from fake_consul import Reply, instance
from program import NAME, binary
from test_watch_crash import as_pid_1

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture(params=["plain", "PID 1"])
def begin(request, start):
    """begin(command...): the run, and the pid to send a signal to."""
    def go(*args, env=None, **keys):
        env = {"CLOUDFLARE_API_TOKEN": "token", **(env or {})}
        if request.param == "plain":
            run = start(*args, env=env, **keys)
            return run, run.pid
        unshare = shutil.which("unshare")
        if not unshare or subprocess.run(as_pid_1("true"), capture_output=True, check=False).returncode:
            pytest.skip("no namespace of processes may be made here")
        run = start(*as_pid_1(binary(), *args)[1:], executable=unshare, env=env, **keys)
        for _ in range(500):
            children = open(f"/proc/{run.pid}/task/{run.pid}/children").read().split()
            if children and "dnsbuddy" in open(f"/proc/{children[0]}/comm").read():
                return run, int(children[0])
            time.sleep(0.01)
        raise AssertionError("unshare started nothing")
    return go


def ends(run, pid, number):
    time.sleep(0.2)
    began = time.monotonic()
    os.kill(pid, number)
    assert run.wait().code == CODES[number] and time.monotonic() - began < 1


@pytest.fixture
def silent():
    """A server that takes connections and bytes, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("command", ["sync", "plan"])
def test_while_it_waits_for_an_answer(begin, silent, command, number):
    ends(*begin(command, "--consul", f"127.0.0.1:{silent.getsockname()[1]}", "web", NAME), number)


@pytest.mark.parametrize("number", CODES)
def test_between_two_tries(begin, fake, number):
    fake.plain = Reply(500)
    run, pid = begin("sync", "--retry-for", "600", "web", NAME, consul=fake)
    while len(fake.requests) < 3:
        time.sleep(0.05)
    ends(run, pid, number)


@pytest.mark.parametrize("number", CODES)
def test_while_it_connects(begin, number):
    """The queue of a server that accepts nobody is full: connecting takes until the time-out."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        guests = []
        for _ in range(4):
            guests.append(socket.socket())
            guests[-1].setblocking(False)
            guests[-1].connect_ex(server.getsockname())
        ends(*begin("sync", "--consul", f"127.0.0.1:{server.getsockname()[1]}", "web", NAME), number)
        for guest in guests:
            guest.close()


@pytest.mark.parametrize("number", CODES)
def test_while_health_asks(begin, silent, number):
    ends(*begin("health", "--listen", f"127.0.0.1:{silent.getsockname()[1]}"), number)


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("command", ["plan", "watch"])
@pytest.mark.parametrize("setting", ["DNSBUDDY_CONFIG", "CLOUDFLARE_API_TOKEN_FILE", "SSL_CERT_FILE"])
def test_while_it_waits_for_a_file(begin, tmp_path, command, number, setting):
    """A FIFO that nobody writes to."""
    os.mkfifo(tmp_path / "fifo")
    token = None if setting == "CLOUDFLARE_API_TOKEN_FILE" else "token"
    ends(*begin(command, "web", NAME, env={setting: tmp_path / "fifo", "CLOUDFLARE_API_TOKEN": token}), number)


def test_while_nobody_reads_its_output(begin, fake, cloudflare):
    """Its results fill a pipe."""
    fake.instances = [instance(f"198.51.100.{n}") for n in range(250)]
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    run, pid = begin("plan", "web", NAME, consul=fake, env=cloudflare.env(), stdout=writer)
    ends(run, pid, signal.SIGTERM)
    os.close(reader)
    os.close(writer)


def test_with_signals_blocked(start, silent):
    """As who started it had them."""
    def block():
        signal.pthread_sigmask(signal.SIG_BLOCK, CODES)
    run = start("sync", "--consul", f"127.0.0.1:{silent.getsockname()[1]}", "web", NAME,
                env={"CLOUDFLARE_API_TOKEN": "token"}, preexec=block)
    ends(run, run.pid, signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT])
def test_other_signals_do_what_they_always_do(start, silent, number):
    run = start("sync", "--consul", f"127.0.0.1:{silent.getsockname()[1]}", "web", NAME,
                env={"CLOUDFLARE_API_TOKEN": "token"})
    time.sleep(0.2)
    os.kill(run.pid, number)
    assert run.wait().code == -number


def test_a_request_that_is_under_way_is_called_off(start, silent):
    """The connection is reset: nothing that is still to be sent follows."""
    run = start("sync", "--consul", f"127.0.0.1:{silent.getsockname()[1]}", "web", NAME,
                env={"CLOUDFLARE_API_TOKEN": "token"})
    guest, _ = silent.accept()
    assert guest.recv(3) == b"GET"
    ends(run, run.pid, signal.SIGTERM)
    with pytest.raises(ConnectionResetError):
        while guest.recv(65536):
            pass
    guest.close()


def test_a_connection_of_who_started_it_is_left_alone(start, silent):
    ours, theirs = socket.create_connection(silent.getsockname()), silent.accept()[0]
    silent_port = silent.getsockname()[1]

    def inherit():
        os.set_inheritable(ours.fileno(), True)
    # subprocess closes what it is not told of: a shell's exec keeps it.
    run = start("sync", "--consul", f"127.0.0.1:{silent_port}", "web", NAME,
                env={"CLOUDFLARE_API_TOKEN": "token"}, preexec=inherit, keep=(ours.fileno(),))
    guest, _ = silent.accept()
    ends(run, run.pid, signal.SIGTERM)
    guest.close()
    ours.close()
    assert theirs.recv(1) == b""
    theirs.close()


# -- secrets in memory

def test_no_core(start, silent):
    """Not even with a limit that allows it; the hard one stays for what run starts."""
    def allow():
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    run = start("sync", "--consul", f"127.0.0.1:{silent.getsockname()[1]}", "web", NAME,
                env={"CLOUDFLARE_API_TOKEN": "token"}, preexec=allow)
    guest, _ = silent.accept()
    limits = open(f"/proc/{run.pid}/limits").read()
    assert [line.split()[4] for line in limits.splitlines() if line.startswith("Max core")] == ["0"]
    os.kill(run.pid, signal.SIGQUIT)
    status = os.waitpid(run.pid, 0)[1]
    assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status)
    run.process.returncode = -signal.SIGQUIT
    guest.close()


@pytest.mark.skipif(os.getuid() != 0, reason="takes root to become somebody else")
def test_others_of_its_user_see_no_memory(start, silent):
    def nobody():
        os.setgid(65534)
        os.setuid(65534)
    run = start("sync", "--consul", f"127.0.0.1:{silent.getsockname()[1]}", "web", NAME,
                env={"CLOUDFLARE_API_TOKEN": "token"}, preexec=nobody)
    guest, _ = silent.accept()
    done = subprocess.run(["cat", f"/proc/{run.pid}/environ"], capture_output=True, check=False, preexec_fn=nobody)
    assert done.returncode and not done.stdout
    guest.close()
    run.kill()


@pytest.mark.skipif(os.getuid() != 0, reason="takes root to become somebody else")
@pytest.mark.parametrize("path", ["/dev/stdin", "/proc/self/fd/0", "/dev/fd/0"])
def test_it_reads_its_own_files_all_the_same(fake, path):
    """A token that comes by a pipe, which the shell makes, as somebody who is not root."""
    fake.plain = Reply(404)
    command = f"printf token | {binary()} plan --consul {fake.address} web {NAME}"
    done = subprocess.run(["/bin/sh", "-c", command], env={"CLOUDFLARE_API_TOKEN_FILE": path}, text=True,
                          capture_output=True, check=False, user=65534, group=65534, extra_groups=[])
    assert done.returncode == 1 and "HTTP 404" in done.stderr and fake.requests
