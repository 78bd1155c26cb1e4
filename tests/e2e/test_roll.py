"""examples/roll.sh: what it does in which order, and that it stops nothing after a failure. With a fake Docker; tests/rolling has
a real one, and the load."""

import os
import shutil
import signal
import subprocess
import time

import pytest
from program import ROOT

# What it is called as says what it is. $STATE/run has a file for each container that runs, with its service in it; the calls
# go to $STATE/calls. FAIL is what fails.
FAKE = r"""#!/bin/bash
me=${0##*/} all="${0##*/} $*"
echo "$all" >>"$STATE/calls"
case $all in
"docker version") ;;
"docker compose version") [ -n "${PLUGIN:-}" ] ;;
*"compose "*"config -q") [ "${FAIL:-}" != config ] || { echo "no such file" >&2; exit 1; } ;;
*"compose "*"ps -q "*) grep -lx "${*: -1}" "$STATE"/run/* 2>/dev/null | xargs -r -n 1 basename ;;
*"compose "*"port consul 8500") echo 0.0.0.0:18500 ;;
*"compose "*"--scale nginx="*)
	want=${all#*--scale nginx=} want=${want%% *}
	have=$(grep -lx nginx "$STATE"/run/* | wc -l) n=$(cat "$STATE/next")
	for ((; have < want; have++, n++)); do echo nginx >"$STATE/run/nginx_$n"; done
	echo "$n" >"$STATE/next"
	;;
"docker inspect -f {{if .State.Running}}"*) echo "${*: -1}" ;;
"docker inspect -f {{.State.Running}}"*)
	if [ "${FAIL:-}" = ended ] && [ "${*: -1}" = nginx_4 ]; then echo false; else echo true; fi
	;;
"docker inspect -f {{slice .Name 1}}"*) echo "${*: -1}" ;;
"docker inspect -f {{.Config.Hostname}}"*) echo "host-${*: -1}" ;;
"docker inspect -f {{range .Config.Env}}"*) printf '%s\n' RECORD=www.example.com "TTL=${TTL-30}" DNSBUDDY_SERVICE=web ;;
"docker exec watcher_1 /dnsbuddy plan --detailed-exitcode") [ "${FAIL:-}" != plan ] || exit 2 ;;
"docker exec "*" drain --undo") ;;
"docker exec "*" drain "*)
	case ${FAIL:-} in
	drain) echo "cloudflare: refused" >&2; exit 1 ;;
	hang) touch "$STATE/hangs"; exec /bin/sleep 60 9>&- ;;
	esac
	;;
"docker stop "* | "docker rm "*) [ "$1" = stop ] || rm "$STATE/run/${*: -1}" ;;
curl*) [ "${FAIL:-}" != unhealthy ] || [[ $all != *host-nginx_4* ]] || exit 22 ;;
sleep*) [ "$1" != 0.5 ] || exec /bin/sleep 0.05 ;;
*) echo "fake docker: $all" >&2; exit 99 ;;
esac
"""


class Roll:
    def __init__(self, folder):
        self.folder, self.state = folder, folder / "state"
        (self.state / "run").mkdir(parents=True)
        (self.state / "calls").touch()
        (self.state / "next").write_text("4")
        for n in (1, 2, 3):
            (self.state / f"run/nginx_{n}").write_text("nginx\n")
        (self.state / "run/watcher_1").write_text("cloudflare\n")
        (folder / "bin").mkdir()
        for name in ("docker", "docker-compose", "curl", "sleep"):
            (folder / "bin" / name).write_text(FAKE)
            (folder / "bin" / name).chmod(0o755)
        for name in ("roll.sh", "asking.sh"):
            shutil.copy(ROOT / "examples" / name, folder)

    def start(self, *args, **env):
        return subprocess.Popen(
            [self.folder / "roll.sh", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
            env={"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "STATE": str(self.state),
                 "WAIT_SECONDS": "1", **env})

    def run(self, *args, code=0, **env):
        process = self.start(*args, **env)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == code, out
        return out

    def remove(self, container):
        (self.state / "run" / container).unlink()

    @property
    def containers(self):
        return sorted(p.name for p in (self.state / "run").iterdir())

    def calls(self, *parts):
        """Those that contain one of these."""
        return [call for call in (self.state / "calls").read_text().splitlines()
                if any(part in call for part in parts)]


@pytest.fixture
def roll(tmp_path):
    return Roll(tmp_path)


def test_each_is_replaced_only_when_its_successor_is_in_dns(roll):
    out = roll.run()
    assert "every container of nginx is a new one" in out
    assert roll.containers == ["nginx_4", "nginx_5", "nginx_6", "watcher_1"]
    expected = []
    for old, new in ((1, 4), (2, 5), (3, 6)):
        expected += [
            "docker-compose up -d --no-deps --no-recreate --scale nginx=4 nginx",
            "http://127.0.0.1:18500/v1/agent/health/service/id/web-host-nginx_%d" % new,
            "plan --detailed-exitcode", "sleep 32",
            "http://127.0.0.1:18500/v1/agent/health/service/id/web-host-nginx_%d" % new,
            f"docker exec nginx_{old} /dnsbuddy drain --record www.example.com --timeout 1",
            f"docker stop -t 1 nginx_{old}", f"docker rm -v nginx_{old}"]
    found = roll.calls("--scale", "curl", "plan", "sleep", "drain", "docker stop", "docker rm")
    assert len(found) == len(expected)
    assert all(part in call for part, call in zip(expected, found)), found


def test_an_automatic_ttl_is_300_seconds(roll):
    roll.run(TTL="1")
    assert roll.calls("sleep") == ["sleep 302"] * 3


def test_without_a_ttl_it_is_60_seconds(roll):
    roll.run(TTL="")
    assert roll.calls("sleep") == ["sleep 62"] * 3


def test_options_go_to_compose_and_its_plugin_comes_first(roll):
    roll.run("-f", "x.yml", "-p", "pre", PLUGIN="1")
    assert not roll.calls("docker-compose")
    used = roll.calls("docker compose ")
    assert used[0] == "docker compose version"
    assert all(call.startswith("docker compose -f x.yml -p pre ") for call in used[1:])


@pytest.mark.parametrize("fail, says", [
    ("unhealthy", "nginx_4 is not healthy in Consul after 1 s"),
    ("ended", "nginx_4 has ended"),
    ("plan", "www.example.com has no record for nginx_4 after 1 s"),
])
def test_nothing_is_drained_when_the_new_one_does_not_come(roll, fail, says):
    out = roll.run(code=1, FAIL=fail)
    assert f"roll.sh: error: {says}" in out
    assert not roll.calls("drain", "docker stop", "docker rm")
    assert len(roll.calls("--scale")) == 1


def test_what_cannot_be_drained_serves_on(roll):
    out = roll.run(code=1, FAIL="drain")
    assert "cloudflare: refused" in out and "nginx_1 could not be drained" in out
    assert roll.calls("drain")[-1] == "docker exec nginx_1 /dnsbuddy drain --undo"
    assert not roll.calls("docker stop", "docker rm") and len(roll.calls("--scale")) == 1


def test_ended_during_a_drain_the_old_one_serves_on(roll):
    process = roll.start(FAIL="hang")
    until = time.monotonic() + 20
    while not (roll.state / "hangs").exists():
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    # A shell looks at its signals when its child has ended, so a terminal sends Ctrl-C to both.
    subprocess.run(["pkill", "-P", str(process.pid)], check=True)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 143, out
    assert roll.calls("drain")[-1] == "docker exec nginx_1 /dnsbuddy drain --undo"
    assert not roll.calls("docker stop", "docker rm")


@pytest.mark.parametrize("gone, says", [
    (["nginx_1", "nginx_2", "nginx_3"], "no container of nginx runs"),
    (["watcher_1"], "no container of cloudflare runs"),
])
def test_what_has_to_run(roll, gone, says):
    for container in gone:
        roll.remove(container)
    assert says in roll.run(code=1)
    assert not roll.calls("--scale")


def test_a_compose_file_that_is_wrong_is_told(roll):
    assert "roll.sh: error: no such file" in roll.run(code=1, FAIL="config")


def test_two_at_once_are_refused(roll):
    first = roll.start(FAIL="hang")
    until = time.monotonic() + 20
    while not (roll.state / "hangs").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert "another roll.sh runs" in roll.run(code=1)
    subprocess.run(["pkill", "-P", str(first.pid)], check=True)
    first.communicate(timeout=20)


def test_help_and_usage(roll):
    assert "replace every container of a service" in roll.run("-h")
    assert "-f FILE" in roll.run("-x", code=64)
    assert "-f FILE" in roll.run("nginx", "more", code=64)
