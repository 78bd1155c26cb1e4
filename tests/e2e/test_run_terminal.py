"""`run` on a terminal: the application is in front of it, as without us, and job control goes on to work."""

import os
import pty
import select
import shutil
import signal
import subprocess
import time

import pytest
from program import binary
from test_watch_crash import as_pid_1

# Consul is away, which is nobody's business here.
ARGS = ["run", "--service", "t", "--consul", "127.0.0.1:1", "--interface", "static:192.0.2.1", "--log-level", "error", "--"]
ENV = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "TERM": "dumb", "PS1": "$ "}


class Terminal:
    """A command on a terminal of its own, which a person sits at."""

    def __init__(self, *command):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execve(shutil.which(command[0]) or command[0], command, ENV)

    def type(self, text):
        os.write(self.fd, text.encode())

    def _read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            got = os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return False
        self.seen += got.decode(errors="replace").replace("\r", "")
        return bool(got)

    def until(self, text, seconds=10):
        """Wait until it is shown, after what was waited for before."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end and self._read(0.1), f"no {text!r}: {self.seen!r}"
        self.seen = self.seen.partition(text)[2]

    def wait(self, seconds=10):
        end = time.monotonic() + seconds
        while self._read(0.05) and time.monotonic() < end:
            pass
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        raise AssertionError(f"still there: {self.seen!r}")

    def close(self):
        os.close(self.fd)
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def states(shell):
    """Of the processes that a shell has started itself."""
    children = open(f"/proc/{shell}/task/{shell}/children").read().split()
    return [open(f"/proc/{pid}/stat").read().rpartition(") ")[2][0] for pid in children]


@pytest.fixture
def sit():
    all_of_them = []

    def go(*command):
        all_of_them.append(Terminal(*command))
        return all_of_them[-1]
    yield go
    for one in all_of_them:
        one.close()


@pytest.fixture(params=["plain", "PID 1"])
def run(request, sit):
    """run(script): an application, as `docker run -it` has it."""
    def go(script):
        command = [binary(), *ARGS, "sh", "-c", script]
        if request.param == "plain":
            return sit(*command)
        if not shutil.which("unshare") or subprocess.run(as_pid_1("true"), capture_output=True, check=False).returncode:
            pytest.skip("no namespace of processes may be made here")
        return sit(*as_pid_1(*command))
    return go


def test_a_terminal_that_is_gone(sit, tmp_path):
    told = tmp_path / "told"
    one = sit(binary(), *ARGS, "sh", "-c", f"trap '' HUP; trap 'echo >{told}; exit' TERM; echo here; while :; do sleep 0.1; done")
    one.until("here")
    os.close(one.fd)
    one.fd = os.open("/dev/null", os.O_RDONLY)
    end = time.monotonic() + 10
    while not os.waitpid(one.pid, os.WNOHANG)[0]:
        assert time.monotonic() < end, "it stays without its terminal"
        time.sleep(0.02)
    one.pid = 0
    assert told.exists()


def test_it_reads_what_is_typed(run):
    one = run("echo up; read x; echo got $x; exit 4")
    one.until("up\n")
    one.type("hello\n")
    one.until("got hello\n")
    assert one.wait() == 4


def test_ctrl_c_is_for_it(run):
    one = run("trap 'echo caught; exit 5' INT; echo up; sleep 60 & wait; sleep 60")
    one.until("up\n")
    one.type("\x03")
    one.until("caught\n")
    assert one.wait() == 5


def test_ctrl_c_that_ends_it(run):
    one = run("echo up; exec sleep 60")
    one.until("up\n")
    one.type("\x03")
    assert one.wait() == 128 + signal.SIGINT


def test_it_sets_the_terminal(run):
    """Who is not in front is stopped for that."""
    one = run("stty -echo; echo up; read x; echo got $x; stty echo; exit 6")
    one.until("up\n")
    one.type("hidden\n")
    one.until("got hidden\n")
    assert one.wait() == 6


def test_ctrl_z_without_a_shell_does_nothing(run):
    one = run("echo up; read x; echo got $x; exit 7")
    one.until("up\n")
    one.type("\x1a")
    time.sleep(0.3)
    one.type("more\n")
    one.until("got more\n")
    assert one.wait() == 7


def test_a_shell_sees_it_stop_and_takes_it_back(sit):
    one = sit("bash", "--norc", "--noprofile", "-i")
    words = " ".join([binary(), *ARGS])
    one.type(f"{words} sh -c 'echo u\"\"p; read x; echo got $x; exit 8'\n")
    one.until("up\n")
    one.type("\x1a")
    one.until("Stopped")
    one.type("echo code=$?; fg\n")
    one.until(f"code={128 + signal.SIGTSTP}\n")
    one.until("exit 8'\n")
    one.type("hello\n")
    one.until("got hello\n")
    one.type("echo code=$?\n")
    one.until("code=8\n")
    one.type("exit\n")
    assert one.wait() == 0


def test_from_the_background_to_the_front(sit):
    """It wants to read before it may: stopped, as any job is, until it is brought to the front."""
    one = sit("bash", "--norc", "--noprofile", "-i")
    words = " ".join([binary(), *ARGS])
    one.type(f"{words} sh -c 'read x; echo got $x; exit 9' &\n")
    one.until("[1] ")
    end = time.monotonic() + 10
    while "T" not in states(one.pid):
        assert time.monotonic() < end
        time.sleep(0.05)
    one.type("fg\n")
    one.until("exit 9'\n")
    one.type("hello\n")
    one.until("got hello\n")
    one.type("echo code=$?\n")
    one.until("code=9\n")
    one.type("exit\n")
    assert one.wait() == 0


def test_the_terminal_goes_back_to_who_had_it(sit):
    """A shell without job control goes on reading."""
    one = sit("sh", "-c", f"{' '.join([binary(), *ARGS])} sh -c 'exit 3'; echo code=$?; read x; echo got $x")
    one.until("code=3\n")
    one.type("again\n")
    one.until("got again\n")
    assert one.wait() == 0
