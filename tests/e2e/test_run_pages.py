"""What `dnsbuddy run` shows of itself: /health and /metrics, and `dnsbuddy health`, which asks it."""

import http.client
import shutil
import signal
import subprocess

import pytest
from consul import free_ports
from program import binary
from running import Healthy, events, need_pid_1, script, shim, tells
from test_listen import Answer
from watching import until

__all__ = ["events", "script", "shim", "tells"]


@pytest.fixture
def port():
    return free_ports(1)[0]


@pytest.fixture
def ask(port):
    def go(path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return Answer(answer.status, dict(answer.getheaders()), text)
    return go


@pytest.fixture
def listening(shim, port, ask):
    """listening(*flags): a run whose pages are there."""
    def begin(*flags, **keys):
        one = shim("--listen", f"127.0.0.1:{port}", *flags, **keys)

        def answers():
            try:
                return ask("/health")
            except OSError:
                return None
        until(answers, say=one.text)
        return one
    return begin


def test_health(listening, ask, run, port):
    with Healthy() as healthy:
        one = listening("--check", healthy.url, "--port", "80")
        until(lambda: ask("/health").json["services"][0].get("registered"), say=one.text)
        one.until_state("passing")
        answer = ask("/health")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
        told = answer.json
        assert (told["healthy"], told["unhealthy"], told["reasons"]) == (True, 0, [])
        assert (told["application"], told["stopping"], told["backends"]) == ("running", False, [])
        service, = told["services"]
        assert (service["name"], service["id"], service["address"], service["port"]) == (one.service, one.id, "192.0.2.1", 80)
        assert service["passing"] and not service["maintenance"] and "200" in service["output"]
        run("health", "--listen", f"127.0.0.1:{port}").expect(0)
        # Maintenance is no ill: who restarts what leaves in order would cut its clients off.
        one.send(signal.SIGUSR1)
        until(lambda: ask("/health").json["services"][0]["maintenance"], say=one.text)
        assert ask("/health").status == 200
        healthy.status = 503
        until(lambda: ask("/health").status == 503, say=one.text)
        reason, = ask("/health").json["reasons"]
        assert reason.startswith(f"{one.service}: its check fails: ") and "503" in reason
        done = run("health", "--listen", f"127.0.0.1:{port}").expect(1)
        assert done.err == f"dnsbuddy health: unhealthy: {reason}\n"
        assert one.stop() == 143


def test_no_result_for_a_ttl_is_an_ill(listening, ask, script):
    one = listening("--check", f"exec:{script('sleep 60')}", "--timeout", "50", "--ttl", "2")
    assert ask("/health").status == 200
    until(lambda: ask("/health").status == 503, say=one.text)
    assert ask("/health").json["reasons"][0].startswith(f"{one.service}: no result of its check for ")
    assert one.stop() == 143


def test_as_healthcheck_of_its_container(shim):
    """PID 1, no --listen: it is found by itself."""
    need_pid_1()
    with Healthy() as healthy:
        one = shim("--check", healthy.url, pid_1=True)

        def health():
            return subprocess.run(["nsenter", "--pid", f"--target={one.pid}", binary(), "health"], env={"PATH": "/usr/bin"},
                                  text=True, capture_output=True, check=False)
        until(lambda: health().returncode == 0, say=one.text)
        healthy.status = 500
        until(lambda: health().returncode == 1, say=one.text)
        assert health().stderr.startswith(f"dnsbuddy health: unhealthy: {one.service}: its check fails: ")
        assert one.stop() == 143


def test_metrics(listening, ask):
    with Healthy() as healthy:
        one = listening("--check", healthy.url)
        at = f'{{service="{one.service}",id="{one.id}"}}'
        for counter in "service_heartbeats_total", "check_runs_total":
            until(lambda c=counter: ask("/metrics").samples().get(f"dnsbuddy_{c}{at}", 0) >= 2, say=one.text)
        answer = ask("/metrics")
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        samples = answer.samples()
        for name, value in (("service_registered", 1), ("service_registrations_total", 1), ("check_passing", 1),
                            ("service_maintenance", 0), ("check_failures_total", 0), ("service_call_failures_total", 0)):
            assert samples[f"dnsbuddy_{name}{at}"] == value, name
        assert 0 <= samples[f"dnsbuddy_check_duration_seconds{at}"] < 5
        assert samples["dnsbuddy_application_running"] == samples["dnsbuddy_healthy"] == 1
        assert samples["dnsbuddy_stopping"] == 0
        one.consul.put(f"/v1/agent/service/deregister/{one.id}")
        until(lambda: ask("/metrics").samples()[f"dnsbuddy_service_registrations_total{at}"] == 2, say=one.text)
        healthy.status = 500
        until(lambda: ask("/metrics").samples()[f"dnsbuddy_check_passing{at}"] == 0, say=one.text)
        assert ask("/metrics").samples()[f"dnsbuddy_check_failures_total{at}"] >= 1
        assert one.stop() == 143


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_is_silent(listening, ask):
    with Healthy() as healthy:
        one = listening("--check", healthy.url)
        until(lambda: "check_duration_seconds{" in ask("/metrics").text, say=one.text)
        done = subprocess.run(["promtool", "check", "metrics"], input=ask("/metrics").text, capture_output=True, text=True,
                              check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert one.stop() == 143


def test_a_drain_is_shown(listening, ask):
    one = listening("--drain", "2")
    one.until_state("passing")
    assert "drain" not in ask("/health").json
    one.send(signal.SIGTERM)
    until(lambda: ask("/health").json.get("drain"), say=one.text)
    told, samples = ask("/health").json, ask("/metrics").samples()
    assert told["stopping"] and told["application"] == "running" and told["healthy"]
    states = [key for key, value in samples.items() if key.startswith("dnsbuddy_drain_state{") and value]
    assert len(states) == 1 and samples["dnsbuddy_stopping"] == 1
    assert one.wait() == 143


def test_there_is_no_other_page(listening, ask):
    one = listening()
    for path in ("/", "/status", "/health/", "/v3/ping"):
        assert ask(path).status == 404, path
    assert one.stop() == 143
