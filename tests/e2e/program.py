"""Runs the binary under test in an environment made from scratch, and reads what it says."""

import json
import os
import re
import subprocess
import tempfile
import threading
import time
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
NAME = "www.example.com"
PAIR = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=]+)(?: |$)')


def binary(asan=False):
    default = ROOT / "build" / ("asan/dnsbuddy" if asan else "dnsbuddy")
    return os.path.abspath(os.environ.get("DNSBUDDY_ASAN" if asan else "DNSBUDDY", default))


def parse_logfmt(line):
    """One line as a dict; ValueError if it is no logfmt."""
    out, at = {}, 0
    while at < len(line):
        match = PAIR.match(line, at)
        if not match:
            raise ValueError(f"no logfmt at byte {at}: {line!r}")
        key, value = match.groups()
        out[key] = json.loads(value) if value.startswith('"') else value
        at = match.end()
    return out


class Result:
    """A run that is over. `peak_kb` is VmHWM as last seen, if it was watched."""

    def __init__(self, args, code, out, err, seconds, peak_kb):
        self.args_given, self.code, self.out, self.err = args, code, out, err
        self.seconds, self.peak_kb = seconds, peak_kb

    @cached_property
    def logs(self):
        return [parse_logfmt(line) for line in self.err.splitlines()]

    def messages(self):
        return [line["msg"] for line in self.logs]

    def find(self, message):
        """The log lines with this message."""
        return [line for line in self.logs if line["msg"] == message]

    @property
    def last(self):
        return self.logs[-1]

    @property
    def json(self):
        return json.loads(self.out)

    def expect(self, code=0):
        """Assert the exit code; returns self."""
        assert self.code == code, f"exit code {self.code}, not {code}\n{self!r}"
        return self

    def check_peak(self, limit_kb):
        """Assert the peak of a run with watch_memory; one may be over before it was looked at."""
        assert self.peak_kb <= limit_kb and (self.peak_kb or self.seconds < 0.2), (
            f"{self.peak_kb} kB\n{self!r}")

    def __repr__(self):
        return (f"dnsbuddy {' '.join(self.args_given)} -> {self.code} in {self.seconds:.2f} s\n"
                f"{self.out}{self.err}")


class Running:
    """A run under way. Ended by its id when it takes longer than `timeout` seconds."""

    def __init__(self, args, env, timeout=30.0, asan=False, argv0=None, watch_memory=False,
                 stdin=subprocess.DEVNULL, stdout=None, stderr=None, cwd=None, preexec=None,
                 executable=None, keep=()):
        self.args = [str(a) for a in args]
        self.files = [tempfile.TemporaryFile() for _ in range(2)]
        self.started, self.peak_kb = time.monotonic(), 0
        program = executable or binary(asan)
        self.process = subprocess.Popen(
            [argv0 or program, *self.args], executable=program, env=env, cwd=cwd,
            stdin=stdin, preexec_fn=preexec, pass_fds=keep,
            stdout=self.files[0] if stdout is None else stdout,
            stderr=self.files[1] if stderr is None else stderr)
        self.pid = self.process.pid
        self.timeout = timeout
        self.over = threading.Event()
        self.watcher = threading.Thread(target=self._watch_memory) if watch_memory else None
        if self.watcher:
            self.watcher.start()

    def _watch_memory(self):
        """ru_maxrss would hold the peak of the Python that forked; VmHWM is the program's own."""
        while not self.over.is_set():
            try:
                status = Path(f"/proc/{self.pid}/status").read_text()
            except OSError:
                return
            found = re.search(r"^Name:\s*dnsbuddy.*^VmHWM:\s*(\d+) kB", status, re.M | re.S)
            if found:
                self.peak_kb = max(self.peak_kb, int(found[1]))
            time.sleep(0.0005)

    def kill(self):
        self.process.kill()

    def logged(self):
        """What it logged so far: its file's offset is the child's, so it is not moved."""
        fd, at, out = self.files[1].fileno(), 0, b""
        while piece := os.pread(fd, 1 << 20, at):
            at, out = at + len(piece), out + piece
        return out.decode(errors="backslashreplace")

    def wait(self):
        timed_out = False
        try:
            self.process.wait(self.timeout - (time.monotonic() - self.started))
        except subprocess.TimeoutExpired:
            timed_out = True
            self.process.kill()
            self.process.wait()
        self.over.set()
        if self.watcher:
            self.watcher.join()
        texts = []
        for file in self.files:
            file.seek(0)
            texts.append(file.read().decode(errors="backslashreplace"))
            file.close()
        result = Result(self.args, self.process.returncode, *texts,
                        time.monotonic() - self.started, self.peak_kb)
        assert not timed_out, f"still running after {self.timeout} s\n{result!r}"
        return result


def environment(cloudflare=None, consul=None, **more):
    """Only what is said here; None takes a variable away."""
    env = {"PATH": "/nonexistent"}
    if cloudflare is not None:
        env |= cloudflare.env()
    if consul is not None:
        env["CONSUL_HTTP_ADDR"] = consul.address
    env |= {k: str(v) for k, v in more.items() if v is not None}
    return {k: v for k, v in env.items() if more.get(k, "") is not None}


class Setting(NamedTuple):
    flag: str | None
    names: tuple  # in the environment
    is_secret: bool  # each name has a _FILE form, too


@cache
def settings_of_help(topic="settings"):
    """All settings, as `dnsbuddy help settings` lists them; with a topic, those of `dnsbuddy help TOPIC`."""
    text = subprocess.run([binary(), "help", topic], env={}, capture_output=True, text=True, check=True).stdout
    text = text.partition("\nSettings:")[2].partition("\nExit codes:")[0]
    out = []
    for first in re.findall(r"^  (\S.*)\n {6}\S", text, re.M):
        flag = re.split(r"[ []", first)[0] if first.startswith("--") else None
        listed = first.rpartition("   ")[2]
        names = listed.removesuffix(" (or with _FILE)").replace("else ", "").split(", ")
        assert all(re.fullmatch(r"\w+", n) for n in names), f"no names of variables: {listed}"
        out.append(Setting(flag, tuple(names), listed.endswith("_FILE)")))
    assert out, "help lists no settings"
    return out


def variables():
    """Every environment variable that the program reads."""
    return {name + end for s in settings_of_help() for name in s.names
            for end in (("", "_FILE") if s.is_secret else ("",))}
