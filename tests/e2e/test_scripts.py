"""README's two scripts and tests/bench, as a user runs them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import readme
from consul import find_binary, free_ports
from program import NAME, ROOT, binary, variables

BENCH = ROOT / "tests/bench"
# The commands of README.md.
DEMO, TEST = (ROOT / b.text.strip() for b in readme.read_blocks((ROOT / "README.md").read_text())
              if b.text.startswith("scripts/"))


def settings(**more):
    """For a script: PATH, where things are, and nothing else of the caller's."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DNSBUDDY": binary(),
            "CONSUL_BIN": find_binary(), "PYTHON": sys.executable} | {k: str(v) for k, v in more.items()}


@pytest.fixture
def short_path():
    """pytest's own folders have names too long for the sockets made in them."""
    with tempfile.TemporaryDirectory(prefix="db-", dir="/tmp") as folder:
        yield Path(folder)


def run(argv, env, timeout=60.0, code=0):
    done = subprocess.run([str(a) for a in argv], env=env, cwd="/", stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False)
    assert done.returncode == code, done.stdout
    return done.stdout


def demo(tmp_path, code=0, **more):
    return run([DEMO], settings(TMPDIR=tmp_path, **more), code=code)


def processes(word):
    """Pids of processes with this word in their command line."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in line.read_bytes():
                found.append(int(line.parent.name))
        except OSError:
            pass
    return found


def nothing_left(tmp_path):
    until = time.monotonic() + 5
    while processes(str(tmp_path)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not processes(str(tmp_path)) and not list(tmp_path.iterdir())


# -- a machine with nothing on it

@pytest.fixture
def bare(tmp_path):
    """bare(script, uid, code): on a machine whose apt-get "installs" a make that prints its arguments and fails with 9.

    Nothing but what is in its PATH is run, so nothing of the real machine is changed.
    """
    programs, log = tmp_path / "bin", tmp_path / "apt.log"
    programs.mkdir()
    for tool in ("awk", "basename", "cat", "dirname", "env", "flock", "ls", "mktemp", "tail", "tr"):
        (programs / tool).symlink_to(shutil.which(tool))

    def add(path, text):
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    add(tmp_path / "make", 'echo make "$@"; exit 9')
    add(programs / "apt-get", f'echo "$*" >>{log}; case $* in *install*) {shutil.which("cp")} {tmp_path}/make {programs} ;; esac')
    add(programs / "dpkg-query", f'[ ! -e {programs}/make ] || printf "%s installed\\n" "$@"')
    add(programs / "tee", "cat >/dev/null")
    for name in ("chmod", "rm", "find", "systemctl", "update-rc.d"):
        add(programs / name, ":")

    def go(script, uid, code):
        add(programs / "id", f"echo {uid}")
        out = run([script], {"PATH": programs, "TMPDIR": tmp_path}, code=code)
        return out, log.read_text() if log.exists() else ""
    return go


@pytest.mark.parametrize("script, targets", [(DEMO, "demo"), (TEST, "all asan unit build/asan/sim build/sim/sim")])
def test_what_is_missing_is_installed_make_included(bare, script, targets):
    out, apt = bare(script, 0, code=9)
    assert re.search(r"install .* make .* pdns-server ", apt)
    assert out.splitlines()[-1] == f"make {targets}"
    again, _ = bare(script, 0, code=9)
    assert again == f"make {targets}\n"


@pytest.mark.parametrize("script", [DEMO, TEST])
def test_without_root_the_line_to_type_is_printed(bare, script):
    out, apt = bare(script, 1000, code=1)
    assert re.search(r"As root:\n\n    apt-get update && apt-get install .* make ", out) and not apt


def test_two_targets_that_miss_the_same_install_it_once(tmp_path):
    log = tmp_path / "apt.log"
    path = programs(tmp_path, id="echo 0", dpkg_query=f'[ ! -e {log} ] || printf "%s installed\\n" "$@"',
                    apt_get=f"sleep 0.5; echo install >>{log}", find=":", systemctl=":", update_rc_d=":")
    both = [subprocess.Popen([ROOT / "scripts/deps.sh", "build"], env=settings(PATH=path, TMPDIR=tmp_path)) for _ in range(2)]
    assert [one.wait(20) for one in both] == [0, 0] and log.read_text() == "install\n"


# -- another architecture

ARCHES = ["amd64", "arm64", "armhf", "i386"]


@pytest.mark.parametrize("word", ["vax", "arm64 vax", "ARM64"])
def test_an_architecture_that_is_none(tmp_path, word):
    out = run(["make", "-C", ROOT, f"ARCH={word}", f"BUILD={tmp_path}"], settings(), code=2)
    assert f"ARCH={word}: there is {' '.join(ARCHES)}" in out and not list(tmp_path.iterdir())


def programs(folder, **texts):
    """A PATH on which these shell scripts come first; a _ is a -."""
    for name, text in texts.items():
        path = folder / name.replace("_", "-")
        path.unlink(missing_ok=True)  # it may be a link to this machine's own
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("arch, machine, code", [
    ("arm64", "x86_64-linux-gnu", 2), ("amd64", "aarch64-linux-gnu", 2), ("armhf", "aarch64-linux-gnu", 2),
    ("i386", "x86_64-linux-gnu", 2), ("amd64", "x86_64-linux-musl", 0), ("arm64", "aarch64-unknown-linux-musl", 0),
    ("armhf", "armv7l-linux-musleabihf", 0), ("i386", "i586-linux-musl", 0)])
def test_a_named_compiler_is_one_for_the_architecture(tmp_path, arch, machine, code):
    path = programs(tmp_path, my_cc=f'[ "$*" != -dumpmachine ] || echo {machine}')
    out = run(["make", "-C", ROOT, f"ARCH={arch}", "help"], settings(PATH=path, CC="my-cc"), code=code)
    assert (f"ARCH={arch}: CC=my-cc compiles for {machine}" in out) == (code != 0), out


def test_what_links_for_another_architecture_is_its_own_compiler():
    """Not the compiler that this machine's musl-gcc was told of."""
    here = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    arch, compiler = ("amd64", "x86_64-linux-gnu-gcc") if here == "arm64" else ("arm64", "aarch64-linux-gnu-gcc")
    out = run(["make", "-C", ROOT, f"ARCH={arch}", "-p", "-n", "help"], settings(REALGCC="gcc-of-musl-gcc"))
    assert re.findall(r"^REALGCC := (.*)$", out, re.M) == [compiler]
    out = run(["make", "-C", ROOT, "-p", "-n", "help"], settings(REALGCC="gcc-of-musl-gcc"))
    assert re.findall(r"^REALGCC = (.*)$", out, re.M) == ["gcc-of-musl-gcc"]


OF_A_USER = {"id": "echo 1000", "sudo": "exit 1", "apt_get": "exit 1"}


@pytest.fixture
def without_compilers(tmp_path):
    """A PATH for a user who is not root, on a machine that has everything but other architectures' compilers."""
    return programs(tmp_path, dpkg_query=f'{shutil.which("dpkg-query")} "$@" | grep -v "^gcc-.*-linux-gnu"', **OF_A_USER)


@pytest.mark.parametrize("arch, package", [("arm64", "gcc-aarch64-linux-gnu"), ("armhf", "gcc-arm-linux-gnueabihf"),
                                           ("i386", "gcc-i686-linux-gnu"), ("amd64", "gcc-x86-64-linux-gnu")])
def test_without_its_compiler_the_line_to_type_is_printed(without_compilers, arch, package):
    here = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    if arch == here:
        pytest.skip("this machine's own")
    # What is compiled first of all for it: musl has to be there for anything, and the compiler before that.
    program = "build/third_party/musl/" + arch + "/version"
    out = run(["make", "-C", ROOT, f"ARCH={arch}", program], settings(PATH=without_compilers), code=2)
    assert re.search(rf"As root:\n\n    apt-get update && apt-get install .* {package}\n", out), out


def test_all_that_another_architecture_needs_is_in_one_line(tmp_path):
    here = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    arch, package = ("amd64", "gcc-x86-64-linux-gnu") if here == "arm64" else ("arm64", "gcc-aarch64-linux-gnu")
    path = programs(tmp_path, dpkg_query="exit 1", **OF_A_USER)
    out = run(["make", "-C", ROOT, f"ARCH={arch}"], settings(PATH=path, BUILD=tmp_path / "build"), code=2)
    line, = re.findall(r"apt-get install .*", out)
    assert " musl-dev " in line and line.endswith(f" {package}")


@pytest.mark.parametrize("target, packages", [
    ("cross", "musl-dev gcc-arm-linux-gnueabihf"), ("image-index", "musl-dev gcc-arm-linux-gnueabihf skopeo qemu-user-static"),
    ("dist", "musl-dev gcc-arm-linux-gnueabihf lintian"), ("install", "musl-dev python3"), ("cover", "musl-dev libcmocka-dev gcovr"),
    ("test-cross", "musl-dev gcc-arm-linux-gnueabihf libcmocka-dev qemu-user-static")])
def test_all_that_a_target_needs_is_in_the_first_line(tmp_path, target, packages):
    """On a machine with make and nothing else, of which nothing is said but that."""
    only = tmp_path / "bin"
    only.mkdir()
    for tool in ("make", "sh", "cat", "dirname", "mkdir", "awk", "dpkg", "flock", "git", "stat", "env", "tr"):
        (only / tool).symlink_to(shutil.which(tool))
    programs(only, dpkg_query="exit 1", nproc="echo 1", **OF_A_USER)
    out = run(["make", "-C", ROOT, target], settings(PATH=str(only), BUILD=tmp_path / "build"), code=2)
    lines = re.findall(r"apt-get install (.*)", out)
    assert len(lines) == 1 and set(packages.split()) <= set(lines[0].split()), out
    assert "gcc: No such file" not in out


@pytest.mark.parametrize("compiler, tools, musl", [("{}-linux-gnu-gcc", "{}-linux-gnu-", True), ("{}-linux-musl-gcc", "{}-linux-musl-", False),
                                                   ("/opt/x/bin/{}-y-gcc", "/opt/x/bin/{}-y-", False), ("my-cc", "", False)])
def test_a_named_compiler_has_its_tools_beside_it(tmp_path, compiler, tools, musl):
    """Debian's own takes Debian's musl, named or not; another one's is its own."""
    here = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    arch, cpu = ("amd64", "x86_64") if here == "arm64" else ("arm64", "aarch64")
    out = run(["make", "-C", ROOT, f"ARCH={arch}", f"CC={compiler.format(cpu)}", f"BUILD={tmp_path}", "-p", "-n", "help"], settings())
    value = lambda name: re.findall(rf"^{name} :?= (.*)$", out, re.M)[-1].replace("$(TOOLS)", tools.format(cpu))
    assert [value(name) for name in ("AR", "STRIP", "OBJCOPY")] == [tools.format(cpu) + tool for tool in ("gcc-ar", "strip", "objcopy")]
    assert ("-nostdlib" in value("release_LINK"), value("MUSL_CC").count("-nostdinc") and musl) == (musl, int(musl)), out


def test_a_folder_with_a_space_in_its_name(tmp_path):
    folder = tmp_path / "my projects"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    for argv in (["-C", folder], ["-C", ROOT, f"BUILD={folder}"], ["-C", ROOT, "BUILD="]):
        out = run(["make", *argv], settings(), code=2)
        assert "has a space in it" in out and len(out.splitlines()) < 4, out
    assert [path.name for path in folder.iterdir()] == ["Makefile"]


@pytest.fixture
def musl(tmp_path):
    """musl(version, deb): musl.sh for arm64, where this machine's musl-dev has this version and the mirror this file."""
    made = tmp_path / "made"
    (made / "DEBIAN").mkdir(parents=True)
    (made / "DEBIAN/control").write_text("Package: musl-dev\nVersion: 9.9-1\nArchitecture: arm64\nMaintainer: n\nDescription: d\n")
    (made / "rcrt1.o").write_text("")
    subprocess.run(["dpkg-deb", "-b", made, tmp_path / "good.deb"], check=True, capture_output=True)
    (tmp_path / "bin").mkdir()

    def go(version, deb="none.deb", code=0):
        # Installed for two architectures: dpkg-query tells both, unless it is asked for one.
        path = programs(tmp_path / "bin", dpkg_query=f"case $* in *musl-dev:*) ;; *) printf '{version}' ;; esac; printf '{version}'", apt_get=f"""
            case "$*" in
            indextargets*) echo "TARGET|http://deb.example.org/debian|bookworm|main" ;;
            *" download "*) cp {tmp_path}/{deb} ./musl-dev_{version}_arm64.deb ;;
            esac""")
        return run([ROOT / "third_party/musl.sh", "arm64"], code=code,
                   env={"PATH": path, "BUILD": tmp_path / "build", "DNSBUDDY_CACHE": tmp_path / "cache"})
    (tmp_path / "cache").mkdir()
    go.out, go.cache, go.good = tmp_path / "build/third_party/musl/arm64", tmp_path / "cache", tmp_path / "good.deb"
    return go


def test_a_musl_that_is_not_debians_stops_the_build(musl):
    shutil.copy(musl.good, musl.cache / "musl-dev_1.2.3-1_arm64.deb")
    assert "musl 1.2.3-1, arm64: wrong checksum" in musl("1.2.3-1", code=1) and not musl.out.exists()
    # Nothing installed: that version is taken.
    assert "musl 1.2.3-1, arm64: wrong checksum" in musl("", code=1) and not musl.out.exists()


def test_a_kept_musl_of_another_version_is_the_one_that_was_fetched(musl):
    kept = musl.cache / "musl-dev_9.9-1_arm64.deb"
    kept.write_text("put there by nobody knows whom")
    musl("9.9-1", deb="good.deb")  # it is fetched again
    assert kept.read_bytes() == musl.good.read_bytes() and (musl.out / "rcrt1.o").exists()
    shutil.rmtree(musl.out)
    musl("9.9-1")  # it is not fetched again
    shutil.rmtree(musl.out)
    kept.write_bytes(kept.read_bytes() + b"!")
    assert "musl 9.9-1, arm64: wrong checksum" in musl("9.9-1", code=1) and not musl.out.exists()


def test_where_the_mirror_has_another_musl_the_way_out_is_named(musl):
    out = musl("9.9-1", code=1)
    assert "cannot fetch arm64's musl-dev 9.9-1" in out and "apt-get install --only-upgrade musl-dev" in out


# -- the sum

UNIT_RUN = """
[ RUN      ] test_one
[       OK ] test_one
[ RUN      ] test_ip6
{}
[  SKIPPED ] test_ip6
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] test_ip6
"""
PYTEST_RUN = """
SKIPPED [2] tests/e2e/test_a.py:3: no namespace: EPERM (1)
SKIPPED [3] tests/e2e/test_a.py:77: takes minutes: set SLOW=1
SKIPPED [1] tests/cloudflare/test_b.py:5: no namespace: EPERM (1)
7 passed, 6 skipped in 0.12s
"""


def test_the_reasons_of_what_was_skipped_come_before_the_sum(tmp_path):
    said = {"test_a": UNIT_RUN.format(""), "test_b": UNIT_RUN.format("skipped: no IPv6 here"), "python": PYTEST_RUN}
    for name, text in said.items():
        (tmp_path / name).write_text(f"#!/bin/sh\ncat <<'.'{text}.\n")
        (tmp_path / name).chmod(0o755)
    out = run([TEST, "all", tmp_path / "test_a", tmp_path / "test_b"],
              settings(BUILD=tmp_path / "build", PYTHON=tmp_path / "python"))
    head, _, tail = out.rpartition("Skipped:\n")
    assert head and tail.splitlines()[-1] == "9 passed, 0 failed, 8 skipped"
    assert sorted(tail.splitlines()[:-1]) == [
        "  1  no IPv6 here", "  1  test_a: test_ip6", "  3  no namespace: EPERM (1)", "  3  takes minutes: set SLOW=1"]


def test_a_named_test_that_is_not_there_is_a_failure(tmp_path):
    out = run([TEST, "all"], settings(BUILD=tmp_path, E2E="tests/e2e/test_nothing.py tests/e2e/test_src_readme.py"), code=1)
    assert out.splitlines()[-1] == "0 passed, 1 failed" and "tests/e2e/test_nothing.py" in out


# -- the demo


def test_demo_shows_each_answer_of_dig_and_cleans_up(short_path):
    out = demo(short_path)
    answers = re.findall(r"\$ dig [^\n]*\n((?:  [0-9.]+\n)+)", out)
    assert [sorted(a.split()) for a in answers][:3] == [
        ["192.0.2.1"], ["192.0.2.1", "192.0.2.2", "192.0.2.3"], ["192.0.2.1", "192.0.2.3"]]
    assert "192.0.2.4" in out and "+ A     192.0.2.4" not in out
    assert not re.search(r"cfut_\w", out), "the token was shown"
    nothing_left(short_path)


def test_demo_takes_nothing_of_the_callers_environment(short_path):
    """Nor of Consul's CLI, curl and the shell."""
    nonsense = dict.fromkeys(variables() | {"CONSUL_CAPATH", "CONSUL_GRPC_ADDR", "http_proxy", "HTTP_PROXY", "name"}, "?")
    assert {"DNSBUDDY_GRACE", "CF_API_KEY_FILE", "no_proxy", "CONSUL_PORT_8500_TCP_ADDR"} < set(nonsense)
    demo(short_path, **nonsense)
    nothing_left(short_path)


def test_demo_fails_with_the_reason_when_dns_is_wrong(short_path):
    lazy = short_path / "bin" / "dnsbuddy"
    lazy.parent.mkdir()
    lazy.write_text(f'#!/bin/sh\n[ "$1" != sync ] || exit 0\nexec {binary()} "$@"\n')
    lazy.chmod(0o755)
    (short_path / "tmp").mkdir()
    out = demo(short_path / "tmp", code=1, DNSBUDDY=lazy)
    assert "error: DNS answers ''; it should be '192.0.2.1'" in out
    nothing_left(short_path / "tmp")


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_demo_cleans_up_when_interrupted(short_path, number, code):
    child = subprocess.Popen([DEMO], env=settings(TMPDIR=short_path, DEMO_KEEP=1), text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True,
                             # Who runs us in the background may have had SIGINT ignored, and that is inherited.
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    for line in child.stdout:
        if line.startswith("1. "):
            break
    os.killpg(child.pid, number)  # as a terminal does
    child.communicate(timeout=20)
    assert child.returncode == code
    nothing_left(short_path)


def test_demo_is_kept_up_until_stopped(short_path):
    out = demo(short_path, DEMO_KEEP=1)
    folder, = short_path.iterdir()
    try:
        ui = re.search(r"Consul UI +(http://\S+/ui)", out)[1]
        assert "Consul" in run(["curl", "-fsSL", "--noproxy", "*", ui + "/"], settings())
        dig = re.search(r"records +(dig \S.*)", out)[1].split()
        assert sorted(run(dig, settings()).split()) == ["192.0.2.1", "192.0.2.3"]
        again = f". {folder}/env && {binary()} plan nginx {NAME} 60"
        assert "in sync" in run(["sh", "-euc", again], settings())
        watch = re.search(r"its page +(.*)", out)[1].replace(":8080", f":{free_ports(1)[0]}").replace("; ", "; exec timeout 20 ")
        with subprocess.Popen(["sh", "-euc", watch], env=settings(), stderr=subprocess.PIPE, text=True) as child:
            assert any('"in sync"' in line for line in child.stderr)
            child.terminate()
    finally:
        run([re.search(r"stop it all +(\S+)", out)[1]], settings())
    nothing_left(short_path)


# -- the bench


def test_bench_measures_every_case(tmp_path):
    out = run([sys.executable, BENCH / "run.py", "--quick"],
              settings(BUILD=tmp_path, MANY_NAMES=60, MANY_SIZES="1 60"), timeout=300)
    result = json.loads((tmp_path / "bench.json").read_text())
    assert list(result["cases"]) == ["nothing", "nothing_zone_id", "new_3", "replaced_1", "new_200", "listed_1000"]
    for case in result["cases"].values():
        assert case["title"] in out
        for tool in ("dnsbuddy", "script"):
            figures = case[tool]
            assert figures["wall_ms"]["median"] > 0 and figures["cpu_ms"]["median"] > 0
            assert figures["api_calls"] >= figures["api_connections"] >= 1 and figures["consul_reads"] >= 1
        # One connection per curl process, one for all of dnsbuddy's calls: so the counts are right.
        assert case["script"]["api_connections"] == case["script"]["api_calls"]
        assert case["dnsbuddy"]["api_connections"] == 1
    assert result["cases"]["replaced_1"]["dnsbuddy"]["api_writes"] == 2
    assert result["binary"]["bytes"] == os.path.getsize(binary())
    check_watch_figures(result["watch"])
    # Times are left to `make bench`: other tests may be using the machine.
    missed = [b["what"] for b in result["budgets"] if b["met"] is False]
    assert not [w for w in missed if not re.search(r"\btime\b|bytes|\bms\b|[Ss]econds", w)]
    assert result["many"]["life"]["burst"]["added"]["writes"] <= 4 and result["many"]["before"] is None


def check_watch_figures(watch):
    for way, at_least in {"dnsbuddy": 32, "poll": 10, "consul_watch": 12}.items():
        figures = watch["ways"][way]
        assert figures["changes"] == at_least and figures["cpu_ms_per_change"] > 0
        # The API is called before DNS has it, and not before the change was made.
        assert 0 < figures["api_call_ms"]["min"] and figures["api_call_ms"]["p50"] < figures["in_dns_ms"]["p50"]
        assert figures["added_ms"]["p50"] > 0 and figures["api_call_ms"]["p99"] <= figures["api_call_ms"]["max"]
    assert watch["ways"]["dnsbuddy"]["api_calls_per_change"] == 1
    assert watch["ways"]["poll"]["api_calls_per_change"] == watch["ways"]["consul_watch"]["api_calls_per_change"] == 3
    assert watch["ways"]["dnsbuddy"]["after_changes"] == 32 + 16 * 50
    assert watch["rest"]["dnsbuddy"]["rest_kib"] < watch["rest"]["consul_watch"]["rest_kib"]
    closing = watch["reconnects"]
    # Each service's one waiting query, and little else.
    assert closing["consul_connections"] >= 1000 and closing["names"] < closing["files_before"] < closing["names"] + 10
    assert closing["api_connections"] >= 1  # one listing for all of them


def test_bench_fails_when_a_program_does_not_do_its_job(tmp_path):
    out = run([sys.executable, BENCH / "run.py"], settings(RUNS=1, BUILD=tmp_path, DNSBUDDY="/bin/true"), code=1)
    assert "bench: dnsbuddy, 3 new: exit code 0, 0 of 3 records" in out


def test_memory_is_that_of_the_program_and_its_children():
    def peak(megabytes, shell=""):
        code = f"b = bytearray({megabytes} << 20)"
        line = [sys.executable, "-c", code]
        argv = ["sh", "-c", f"{sys.executable} -c '{code}' {shell}; exit 3"] if shell else line
        done = subprocess.run([sys.executable, BENCH / "memory.py", *argv], capture_output=True, text=True, check=False)
        if "does not allow ptrace" in done.stderr:
            pytest.skip("no ptrace here")
        return json.loads(done.stdout)

    assert 50 << 10 < peak(50)["largest_kib"] < 80 << 10
    both = peak(40, "| sleep 1")
    assert both["code"] == 3 and both["largest_kib"] > 40 << 10 and both["sum_kib"] > both["largest_kib"]


def script(cloudflare, consul, service, code=0):
    env = {"PATH": os.environ["PATH"], "CONSUL_HTTP_ADDR": consul.address, "CF_ROOT_DOMAIN": "example.com",
           "CF_API_TOKEN": cloudflare.token} | cloudflare.env()
    return run(["bash", BENCH / "update-dns.sh", service, NAME, "60"], env, code=code)


def test_the_script_does_the_job_properly(start_cloudflare, consul):
    """Else the comparison would mean nothing."""
    cloudflare = start_cloudflare(user_agent="", max_per_page=2)
    for n, address in enumerate(["192.0.2.1", "192.0.2.7", "192.0.2.8", "192.0.2.9"]):
        cloudflare.seed(NAME, "A", address, id=f"{9 - n:032x}")
    cloudflare.seed(NAME, "A", "192.0.2.1")  # twice there
    service = consul.service("192.0.2.1", "192.0.2.2", "", "192.0.2.3")
    consul.add(service, "192.0.2.99", status="critical")
    script(cloudflare, consul, service)
    cloudflare.check_invariants(NAME, wanted=["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    assert [c.kind for c in cloudflare.writes()] == ["batch-post", "batch-delete"]
    script(cloudflare, consul, service)
    assert len(cloudflare.writes()) == 2
    script(cloudflare, consul, consul.new_name(), code=1)  # nobody there
    assert len(cloudflare.writes()) == 2


def test_the_script_removes_nothing_when_adding_failed(start_cloudflare, consul):
    cloudflare = start_cloudflare(user_agent="")
    cloudflare.seed(NAME, "A", "192.0.2.9")
    cloudflare.fault("error", kind="batch-post", code=10000, message="refused")
    out = script(cloudflare, consul, consul.service("192.0.2.1"), code=1)
    assert "refused" in out and cloudflare.contents(NAME) == ["192.0.2.9"]
