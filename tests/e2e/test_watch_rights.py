"""Which rights in Consul watch needs, and that it says which one is missing; keys that are not locks of ours."""

import base64
import http.client
import itertools
import json
import time

import pytest
from consul import Consul, free_ports
from program import ROOT
from watching import scene, until

__all__ = ["scene"]

A, B = "192.0.2.1", "192.0.2.2"
FLAGS = 0x2DDCCBC058A50C18  # of every lock of Consul's clients
NUMBERS = itertools.count()
RIGHTS = {
    "service": 'service_prefix "" { policy = "read" }',
    "node": 'node_prefix "" { policy = "read" }',
    "register": 'service "cloudflare" { policy = "write" }',
    "session": 'session_prefix "" { policy = "write" }',
    "key": 'key_prefix "service/test/" { policy = "write" }',
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A Consul where nothing is allowed that no token says."""
    acl = {"acl": {"enabled": True, "default_policy": "deny", "tokens": {"master": "root"}}}
    consul = Consul(tmp_path_factory.mktemp("acl"), token="root", config=acl)
    yield consul
    consul.stop()


@pytest.fixture
def token(guarded):
    def make(*rights):
        name = f"policy-{next(NUMBERS)}"
        guarded.put("/v1/acl/policy", {"Name": name, "Rules": "\n".join(rights)})
        return guarded.put("/v1/acl/token", {"Policies": [{"Name": name}]})["SecretID"]
    return make


class Health:
    def __init__(self):
        self.port = free_ports(1)[0]
        self.args = "--listen", f"127.0.0.1:{self.port}", "--unhealthy-after", "1"

    def ask(self, path="/health"):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""


def watch(scene, guarded, token, *args, key="service/test/rights"):
    scene.consul = guarded
    site = scene.site(A)
    health = Health()
    return site, health, scene.watch(site, f"--lock={key}-{site.service}", "--register-as=cloudflare",
                                     *health.args, *args,
                                     env={"DNSBUDDY_REGISTER_AS": None, "CONSUL_HTTP_TOKEN": token})


def test_the_readmes_rights_suffice(scene, guarded, token):
    rules = (ROOT / "README.md").read_text().partition("## Rights in Consul")[2].partition("```hcl\n")[2].partition("```")[0]
    assert rules
    site, health, run = watch(scene, guarded, token(rules), key="service/dnsbuddy/rights")
    run.wait_for("leading")
    site.settle()
    until(lambda: guarded.get("/v1/agent/services"))
    time.sleep(0.5)
    assert not [line for line in run.logs if line["level"] != "info"]
    assert health.ask()[0] == 200
    run.stop()
    assert not guarded.get("/v1/agent/services")


@pytest.mark.parametrize("missing, message, words", [
    ("session", "cannot take the lock, retrying", "create a session (session:write): HTTP 403"),
    ("key", "cannot take the lock, retrying", "read the key (key:read): HTTP 403"),
    ("register", "not registered in Consul", "HTTP 403"),
], ids=["session", "key", "register"])
def test_the_right_that_is_missing_is_named(scene, guarded, token, missing, message, words):
    rights = [rule for right, rule in RIGHTS.items() if right != missing]
    site, health, run = watch(scene, guarded, token(*rights))
    assert words in run.wait_for(message)["error"]
    if missing == "register":
        site.settle()
    else:
        check_unhealthy(health, words)
        assert len(run.find(message)) == 1
        site.checked = False
    run.stop()


def test_a_key_that_may_only_be_read(scene, guarded, token):
    read = RIGHTS["key"].replace("write", "read")
    site, health, run = watch(scene, guarded, token(*(RIGHTS | {"key": read}).values()))
    words = "acquire (key:write): HTTP 403"
    assert words in run.wait_for("cannot take the lock, retrying")["error"]
    check_unhealthy(health, words)
    site.checked = False
    time.sleep(3)
    assert len([s for s in guarded.get("/v1/session/list") if s["Name"].startswith("dnsbuddy")]) <= 1


def check_unhealthy(health, words):
    """After --unhealthy-after, everywhere."""
    until(lambda: health.ask()[0] == 503, 5)
    text = health.ask()[1]
    assert words in json.loads(text)["reasons"][0] and words in json.loads(text)["lock_error"]
    assert words in health.ask("/")[1]
    assert "dnsbuddy_healthy 0" in health.ask("/metrics")[1]
    assert "dnsbuddy_leaderless_seconds 0\n" not in health.ask("/metrics")[1]


@pytest.mark.parametrize("flags, value, is_held", [
    (0, "dnsbuddy somebody", False), (FLAGS, "somebody's", True), (FLAGS, "somebody's", False), (0, "", False),
    (FLAGS, "dnsbuddy " + "x" * 5000, True), (0, "x" * 70000, False)],
    ids=["flags", "value-held", "value", "empty", "long-held", "longer"])
def test_a_key_that_is_no_lock_of_ours(scene, flags, value, is_held):
    site, health = scene.site(A), Health()
    key = f"service/test/foreign-{site.service}"
    session = scene.consul.put("/v1/session/create", {"Name": "somebody's"})["ID"]
    query = f"acquire={session}&" if is_held else ""
    put_text(scene.consul, f"/v1/kv/{key}?{query}flags={flags}", value)
    run = scene.watch(site, f"--lock={key}", *health.args)
    assert "not a lock of ours" in run.wait_for("cannot take the lock, retrying")["error"]
    check_unhealthy(health, "not a lock of ours")
    entry, = scene.consul.get(f"/v1/kv/{key}")
    assert base64.b64decode(entry["Value"] or "").decode() == value and entry["Flags"] == flags
    assert entry.get("Session") == (session if is_held else None)
    run.stop()
    entry, = scene.consul.get(f"/v1/kv/{key}")
    assert base64.b64decode(entry["Value"] or "").decode() == value
    site.checked = False


def test_a_key_that_was_no_lock_of_ours_and_is_gone(scene):
    site = scene.site(A)
    key = f"service/test/foreign-{site.service}"
    put_text(scene.consul, f"/v1/kv/{key}", "somebody's")
    run = scene.watch(site, f"--lock={key}")
    run.wait_for("cannot take the lock, retrying")
    scene.consul.call("DELETE", f"/v1/kv/{key}")
    run.wait_for("leading", seconds=5)
    site.settle()


def put_text(consul, path, text):
    connection = http.client.HTTPConnection("127.0.0.1", consul.port, timeout=5)
    connection.request("PUT", path, body=text)
    assert connection.getresponse().status == 200
