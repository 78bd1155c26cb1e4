"""`dnsbuddy run` and its application: how it starts, what it is given, how it ends. As PID 1 and not."""

import concurrent.futures
import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest
from consul import free_ports
from program import binary, environment
from running import ADDRESS, PATHS, PID_1, children, descendants, either, events, need_pid_1, process_state, script, shim, tells
from test_secrets import KEY, SECRETS
from watching import until

__all__ = ["either", "events", "script", "shim", "tells"]


@pytest.fixture
def nowhere():
    """A Consul that is not there."""
    class Nowhere:
        address = f"127.0.0.1:{free_ports(1)[0]}"
    return Nowhere


# -- how it ends

# 128 + n for a signal, as a shell has it; 126 and 127 are an application's own here.
ENDS = [*((f"exit {n}", n) for n in (0, 1, 2, 3, 7, 42, 63, 64, 77, 78, 125, 126, 127, 128, 137, 200, 254, 255)),
        *((f"kill -{n} $$", 128 + n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31))]
assert len(ENDS) + 9 == 50


@pytest.mark.parametrize("where", ["plain", "PID 1"])
def test_exit_codes(where, consul, nowhere):
    """50 ends in each: the code is passed on exactly, whether or not there is a Consul."""
    head = [] if where == "plain" else PID_1
    if head:
        need_pid_1()

    def end(job):
        n, (text, code) = job
        env = environment(consul=nowhere if n % 2 else consul, PATH=PATHS)
        command = ["sh", "-c", text] if text else ["/nonexistent/program"] if code == 127 else ["/etc/passwd"]
        done = subprocess.run([*head, binary(), "run", "--service", f"code-{where[0]}-{n}", "--interface", "static:192.0.2.1", "--",
                               *command], env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
        got = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return [] if got == code else [f"{text}: {got}, not {code}: {done.stderr.decode()}"]

    jobs = [*ENDS, *[("", 127)] * 2, *[("", 126)] * 2, *[("exit 7", 7)] * 5]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        wrong = sum(pool.map(end, enumerate(jobs)), [])
    assert not wrong, "\n".join(wrong)
    assert not [s for s in consul.get("/v1/agent/services") if s.startswith(f"code-{where[0]}-")]


@pytest.mark.parametrize("what, code, why", [
    ("/nonexistent/program", 127, "No such file"), ("nonexistent-program", 127, "nonexistent-program"),
    ("/etc/passwd", 126, "Permission denied"), ("/etc", 126, "/etc"), ("script", 126, "script"), ("interpreter", 127, "interpreter")])
def test_an_application_that_cannot_start(either, tmp_path, what, code, why):
    """The reason in one line; of a name without a slash PATH decides."""
    (tmp_path / "script").write_text("exit 3\n")
    (tmp_path / "interpreter").write_text("#!/nonexistent/sh\n")
    (tmp_path / "interpreter").chmod(0o755)
    one = either(app=[what], env={"PATH": f"/nonexistent:{tmp_path}"})
    assert one.wait() == code, one.text()
    assert [line for line in one.text().splitlines() if why in line], one.text()
    assert one.entries() == []


@pytest.mark.parametrize("hook", [(), ("--pre-start", "true")], ids=["none", "pre-start"])
def test_no_descriptor_is_left_to_start_it_with(nowhere, hook):
    """It ends, with 126, wherever it runs out of them."""
    def end(n):
        return subprocess.run([binary(), "run", "--service", "a", "--interface", "static:" + ADDRESS, *hook, "--", "true"], timeout=20,
                              env=environment(consul=nowhere, PATH=PATHS), capture_output=True, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))).returncode
    codes = [end(n) for n in range(4, 14)]
    assert 126 in codes and codes[-1] == 0, codes


def test_one_that_ends_at_once_leaves_nothing_in_consul(either, tells, events):
    for _ in range(5):
        one = either("--post-stop", tells("post-stop"), app=["sh", "-c", "exit 7"])
        assert one.wait() == 7 and one.entries() == []
    assert events.all() == ["post-stop"] * 5


def test_one_that_ends_by_itself_is_taken_out_at_once(either, tells, events, script):
    """No drain, no pre-stop: there is nothing left to spare."""
    app = script(f"while [ ! -e {events.path}.go ]; do sleep 0.05; done; exit 9")
    one = either("--drain", "60", "--pre-stop", tells("pre-stop"), "--post-stop", tells("post-stop"), app=[app])
    one.until_state("passing")
    began = time.monotonic()
    open(f"{events.path}.go", "w").close()
    assert one.wait() == 9 and time.monotonic() - began < 3
    assert one.entries() == [] and events.all() == ["post-stop"]


@pytest.mark.parametrize("code", [0, 4])
def test_hooks_do_not_change_its_code(either, tells, code):
    one = either("--pre-start", tells("pre-start"), "--pre-stop", tells("pre-stop", f"exit {code}"),
                 "--post-stop", tells("post-stop", f"exit {code}"), app=["sh", "-c", "trap 'exit 7' TERM; sleep 60 & wait"])
    one.until_state("passing")
    assert one.stop() == 7


@pytest.mark.parametrize("hook, code", [("exit 5", 5), ("kill -9 $$", 137), (None, 127)])
def test_a_pre_start_that_fails_ends_it(either, tells, events, code, hook):
    """With its code, and before the application."""
    path = tells("pre-start", hook) if hook else "/nonexistent"
    one = either("--pre-start", path, app=events.app())
    assert one.wait() == code, one.text()
    assert "app start" not in events.all() and one.entries() == []


def test_a_pre_start_comes_first(either, tells, events):
    one = either("--pre-start", tells("pre-start", "sleep 0.5"), app=events.app())
    events.wait_for("app start")
    assert one.stop() == 7
    assert events.all()[:2] == ["pre-start", "app start"]


@pytest.mark.parametrize("pid_1", [False, True])
def test_what_it_left_behind_goes_with_it(shim, pid_1):
    """A process of the application's group, once that has ended."""
    one = shim(app=["sh", "-c", "trap '' HUP; sleep 600 & exit 0"], pid_1=pid_1)
    pids = until(lambda: [p for p in descendants(one.pid or 0) if p != one.pid] or one.is_over() and ["over"])
    assert one.wait() == 0
    until(lambda: pids == ["over"] or not [p for p in pids if process_state(p) not in (None, "Z")])


# -- what it is given

def test_its_files_are_ours(either):
    """Its input and outputs byte for byte, and no descriptor beside them."""
    data = bytes(range(256)) * 4096
    reader, writer = os.pipe()
    one = either(app=["sh", "-c", "ls /proc/self/fd >&2; cat"], stdin=reader)
    os.close(reader)
    with open(writer, "wb") as f:
        f.write(data)
    assert one.wait() == 0
    one.run.files[0].seek(0)
    assert one.run.files[0].read() == data
    fds = [line for line in one.text().splitlines() if line.isdigit()]
    assert fds in (["0", "1", "2", "3"], ["0", "1", "2"]), fds  # 3: of ls itself


WORLD = ("cat /proc/self/limits; grep -E '^(SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt)' /proc/self/status; umask; pwd; "
         "echo \"$0\" \"$@\"; cat /proc/self/oom_score_adj; grep -E '^(NoNewPrivs|Seccomp|Groups|Uid)' /proc/self/status")


def a_quiet_world():
    """Some limits, signals that are ignored and blocked."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (4096 if hard == resource.RLIM_INFINITY else hard, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 300))
    for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGTERM, signal.SIGRTMIN])
    os.umask(0o123)


def a_usual_world():
    for number in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("world", [a_quiet_world, a_usual_world])
@pytest.mark.parametrize("pid_1", [False, True])
def test_limits_and_signals_are_as_we_got_them(shim, tmp_path, world, pid_1):
    argv = ["sh", "-c", WORLD, "x y", "", "*", "$HOME"]
    alone = subprocess.run([*PID_1, *argv] if pid_1 else argv, env={"PATH": PATHS}, cwd=tmp_path, preexec_fn=world, check=False,
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
    one = shim(app=argv, preexec=world, cwd=tmp_path, pid_1=pid_1)
    assert one.wait() == 0
    assert one.out() == alone.stdout


def test_no_secret_is_in_its_environment(either, nowhere, script):
    """Nor in that of a check or a hook, nor in argv; all else is passed on."""
    show = script("env >&2")
    env = {**SECRETS, **KEY, "CONSUL_HTTP_TOKEN_FILE": None, "MINE": "a=b=c", "EMPTY": "", "CLOUDFLARE_API_TOKEN": "cfut_0123"}
    one = either("--pre-start", show, "--check", f"exec:{show}", "--post-stop", show, consul=nowhere, app=["sh", "-c", "sleep 0.3; env"],
                 env=env)
    assert one.wait() == 0
    for text in (one.out(), one.text()):
        assert "MINE=a=b=c" in text and "EMPTY=\n" in text and f"PATH={PATHS}" in text
        found = [s for s in [*SECRETS.values(), *KEY.values(), "cfut_0123", "alohomora"] if s in text]
        assert not found, text
    kept = either(consul=nowhere, app=["env"], env={**env, "DNSBUDDY_KEEP_SECRETS": "true"})
    assert kept.wait() == 0 and SECRETS["CONSUL_HTTP_TOKEN"] in kept.out()


def test_no_secret_is_in_consul_or_a_log(shim, consul, script):
    token = SECRETS["CONSUL_HTTP_TOKEN"]
    echo = script(f"echo my token is {token}; exit 1")
    one = shim("--check", f"exec:{echo}", "--log-level", "debug", env={"CONSUL_HTTP_TOKEN": "", "CONSUL_HTTP_AUTH": f"x:{token}"})
    until(lambda: "my token is" in (one.check() or {}).get("Output", ""), say=one.text)
    assert token not in json.dumps(consul.get("/v1/agent/checks")) + json.dumps(one.entries()) + one.text()
    assert token not in open(f"/proc/{one.pid}/cmdline").read()


# -- who reads what we write

def fill(writer):
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)


def test_a_log_that_nobody_reads_stops_nothing(shim, script, events):
    """Its stderr is a full pipe: heartbeats go on, and the application is still stopped."""
    reader, writer = os.pipe()
    fill(writer)
    flip = script(f"[ -e {events.path}.bad ] && exit 1; exit 0")
    one = shim("--check", f"exec:{flip}", "--log-level", "debug", stderr=writer, app=["sh", "-c", "exec sleep 600 2>/dev/null"])
    os.close(writer)
    for state in ("passing", "critical", "passing"):
        one.until_state(state, seconds=20)
        if state == "passing":
            open(f"{events.path}.bad", "w").close()
        else:
            os.unlink(f"{events.path}.bad")
    assert one.stop() == 143
    assert one.entries() == []
    os.close(reader)


def test_an_application_whose_output_nobody_reads(shim):
    """It waits; we do not."""
    reader, writer = os.pipe()
    fill(writer)
    one = shim(stdout=writer, app=["sh", "-c", "echo hello; exit 1"])
    os.close(writer)
    one.until_state("passing")
    assert one.stop() == 143
    os.close(reader)


def test_outputs_that_are_closed(shim, consul):
    """What writes there is told so, and nothing else comes of it."""
    one = shim(app=["sh", "-c", "exit 7"],
               preexec=lambda: [os.close(fd) for fd in (0, 1, 2)])
    assert one.wait() == 7


# -- without one

def test_without_an_application_it_stays(either):
    one = either(app=None)
    one.until_state("passing")
    began = time.monotonic()
    assert one.stop() == 0 and time.monotonic() - began < 1.5
    assert one.entries() == []


# -- what is wrong is told before the application starts

WRONG = [
    ("ttl", "CHECK_TTL", "x", "ttl"), ("interval", "INTERVAL", "0", "interval"), ("ttl", "CHECK_TTL", "1", "ttl"),
    ("check", "CHECK", "ftp://localhost/", "check"), ("check", "CHECK", "tcp://localhost", "check"), ("check", "CHECK", "exec:", "check"),
    ("port", "APP_PORT", "70000", "port"), ("interface", "INTERFACE", "eth*", "eth*"), ("meta", "META", "x", "meta"),
    ("drain", "DRAIN", "soon", "drain"), ("stop-timeout", "STOP_TIMEOUT", "-1.5", "stop"), ("tags", "TAGS", "a\nb", "tags"),
]


@pytest.mark.parametrize("flag, variable, value, text", WRONG)
def test_a_wrong_setting(shim, events, flag, variable, value, text):
    """64 for a flag, 78 for a variable, as with every command; nothing starts."""
    for words, env, code in (([f"--{flag}", value], {}, 64), ([], {f"DNSBUDDY_{variable}": value}, 78)):
        others = [w for f, w in (("interface", f"static:{ADDRESS}"), ("service", "wrong")) if f != flag for w in (f"--{f}", w)]
        one = shim(*others, *words, named=False, env=env, app=events.app())
        assert one.wait() == code, one.text()
        assert text in one.text() and len(one.text().splitlines()) == 1 and events.all() == [], one.text()


@pytest.mark.parametrize("words, code, text", [
    (["--interval", "10", "--ttl", "10"], 64, "ttl"), (["--interface", "eth9"], 78, "eth9"),
    (["--config", "/nonexistent.json"], 78, "/nonexistent.json")])
def test_settings_that_do_not_fit(shim, events, words, code, text):
    one = shim(*words, app=events.app())
    assert one.wait() == code, one.text()
    assert text in one.text() and events.all() == []


def test_without_a_service(shim, events):
    one = shim("--interface", f"static:{ADDRESS}", named=False, app=events.app())
    assert one.wait() == 78 and "service" in one.text() and events.all() == []


@pytest.mark.parametrize("words", [["--record", "www.example.com"], ["--grace", "1"], ["--nonsense"], ["nginx"]])
def test_wrong_usage(shim, events, words):
    one = shim(*words, app=events.app())
    assert one.wait() == 64, one.text()
    assert events.all() == []


def test_wrong_in_a_file_it_is_told_with_its_line(shim, events, tmp_path):
    file = tmp_path / "c.json"
    file.write_text('{\n "service": "web",\n "interface": ["static:192.0.2.1"],\n "chekc": "tcp://localhost:1"\n}\n')
    one = shim("--config", file, named=False, app=events.app())
    assert one.wait() == 78 and events.all() == []
    assert f"{file}" in one.text() and "line 4" in one.text() and "chekc" in one.text(), one.text()


@pytest.mark.parametrize("rules", ["public,eth0,inet", "eth0", "inet6", "10.0.0.0/8"])
def test_a_container_without_any_interface(events, rules):
    """It says that there is none, and starts nothing."""
    if os.getuid() != 0:
        pytest.skip("takes root to make a namespace of networks")

    done = subprocess.run(["unshare", "-n", binary(), "run", "--service", "lonely", "--interface", rules, "--", *events.app()],
                          env={"PATH": PATHS}, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 78 and events.all() == [], done
    assert "interface" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_container_without_any_interface_and_an_address_that_is_given(events):
    """Consul cannot be reached, which ends nothing."""
    if os.getuid() != 0:
        pytest.skip("takes root to make a namespace of networks")
    done = subprocess.run(["unshare", "-n", binary(), "run", "--service", "lonely", "--interface", "static:192.0.2.1", "--",
                           "sh", "-c", "sleep 0.5; exit 7"],
                          env={"PATH": PATHS}, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 7, done


def test_the_list_of_interfaces_is_in_the_error(shim):
    one = shim("--interface", "eth9,10.254.254.0/30")
    assert one.wait() == 78
    assert "lo 127.0.0.1" in one.text(), one.text()


# -- as PID 1

def test_10_000_orphans(shim, events):
    """Ten at a time a thousand lose their parent and end."""
    code = ("import os\n"
            "for _ in range(10):\n"
            " if os.fork() == 0:\n"
            "  r, w = os.pipe()\n"
            "  for _ in range(1000):\n"
            "   if os.fork() == 0:\n"
            "    os.close(w); os.read(r, 1); os._exit(3)\n"
            "  os._exit(0)\n"
            " os.wait()\n"
            f"open({str(events.path) + '.done'!r}, 'w').close()\n"
            "import signal; signal.pause()\n")
    one = shim(app=[sys.executable, "-ISc", code], pid_1=True)
    until(lambda: os.path.exists(f"{events.path}.done"), 60)
    until(lambda: len(children(one.pid)) == 1, 20, lambda: len(children(one.pid)))
    one.until_state("passing")
    assert one.cpu_seconds() < 3 and one.memory_kb("VmRSS") < 1024
    assert one.stop() == 143
