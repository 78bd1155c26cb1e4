"""plan: its text, its JSON (docs/plan.schema.json), its exit codes. It writes nothing, ever."""

import json
import os
import pty
import select
import time

import jsonschema
import pytest
from fake_consul import Reply, instance
from program import NAME, ROOT

SCHEMA = json.loads((ROOT / "docs/plan.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def ips(*last):
    return [f"192.0.2.{n}" for n in last]


@pytest.fixture
def scene(fake, cloudflare):
    """One of everything: to create, to update, to delete for three reasons, a duplicate, kept."""
    fake.instances = [
        instance("192.0.2.1"), instance("192.0.2.2"), instance("192.0.2.3"),
        instance("192.0.2.4", "critical"), instance("192.0.2.5", "warning"), instance(""),
        instance("192.0.2.6", checks={"_service_maintenance:web-192.0.2.6": "critical"})]
    for n, id in (1, "a"), (2, "b"), (4, "d"), (5, "e"), (6, "f"), (9, "9"):
        cloudflare.seed(NAME, "A", f"192.0.2.{n}", id=id * 32, ttl=300 if n == 2 else 60)
    yield {"consul": fake, "cloudflare": cloudflare}
    assert not cloudflare.writes(), "a plan has written"


@pytest.fixture
def plan(run, scene):
    def go(*flags, code=0, service="web", record=NAME, **env):
        args = [a for a in (*flags, service, record) if a is not None]
        return run("plan", *args, **scene, env=env).expect(code)
    return go


def load_all(done):
    data = json.loads(done.out)
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
              for e in VALIDATOR.iter_errors(data)]
    assert not errors, errors
    return data


def load(done):
    return load_all(done)["records"]


def contents(ops):
    return [op["content"] for op in ops]


TEXT = """\
www.example.com: service web, 7 instances: 4 passing, 1 warning, 1 critical, 1 maintenance; \
3 wanted, 6 records there
  left out, without a usable address: 1 (web-: no address; with node after the others, \
as --address service,node, its node's)
  + A     192.0.2.3        ttl 60
  ~ A     192.0.2.2        ttl 300 -> 60
  - A     192.0.2.6        maintenance
  - A     192.0.2.9        vanished
  - A     192.0.2.4        critical
  - A     192.0.2.5        warning
  1 to create, 1 to update, 4 to delete, 0 held, 1 kept
"""


def test_text(plan):
    done = plan()
    assert done.out == TEXT and done.err == ""


def test_text_without_a_change(plan, scene):
    scene["consul"].instances = [instance(a) for a in ips(1, 2, 4, 5, 6, 9)]
    scene["cloudflare"].remove(content="192.0.2.2")
    scene["cloudflare"].seed(NAME, "A", "192.0.2.2")
    assert plan().out.splitlines()[1:] == ["  in sync: nothing to do"]


def test_json(plan, scene):
    record, = load(plan("--json"))
    assert record["zone_id"] == scene["cloudflare"].zone_id()
    assert record["instances"] == {
        "listed": 7, "wanted": 3, "without_address": 1, "passing": 4, "warning": 1, "critical": 1,
        "maintenance": 1}
    assert record["create"] == [
        {"type": "A", "content": "192.0.2.3", "ttl": 60, "proxied": False}]
    update, = record["update"]
    assert update["id"] == "b" * 32 and (update["ttl"], update["from"]["ttl"]) == (60, 300)
    assert [(op["content"], op["id"], op["reason"]) for op in record["delete"]] == [
        ("192.0.2.6", "f" * 32, "maintenance"), ("192.0.2.9", "9" * 32, "vanished"),
        ("192.0.2.4", "d" * 32, "critical"), ("192.0.2.5", "e" * 32, "warning")]
    assert (record["held"], record["held_reason"], record["kept"]) == ([], None, 1)


def test_json_of_what_is_held(plan, scene):
    scene["consul"].consistent = Reply(headers={"X-Consul-KnownLeader": "false"})
    record, = load(plan("--json", code=3))
    assert contents(record["create"]) == ips(3) and record["delete"] == []
    assert len(record["held"]) == 4 and "no leader" in record["held_reason"]
    text = plan(code=3).out
    assert "  = A     192.0.2.9        vanished, held\n" in text
    assert "  held: Consul has no leader" in text


def test_json_of_a_cname_and_duplicates(plan, scene):
    scene["consul"].instances = [instance("origin.example.net")]
    record, = load(plan("--json"))
    assert [op["type"] for op in record["create"]] == ["CNAME"] and len(record["delete"]) == 6
    scene["consul"].instances = [instance("192.0.2.1")]
    scene["cloudflare"].seed(NAME, "A", "192.0.2.1", id="ab" * 16)
    record, = load(plan("--json"))
    assert [(op["id"], op["reason"]) for op in record["delete"]][0] == ("ab" * 16, "duplicate")
    assert record["instances"]["wanted"] == 1


def test_proxied_is_said_of_each(plan, scene):
    cf = scene["cloudflare"]
    for n, address in ("7", "198.51.100.7"), ("8", "198.51.100.8"):
        cf.seed(NAME, "A", address, id=n * 32, ttl=1, proxied=True)
    out = plan("--proxied", "true").out
    assert "  + A     192.0.2.3        ttl 1  proxied\n" in out
    assert "  ~ A     192.0.2.2        ttl 300 -> 1  unproxied -> proxied\n" in out
    assert "  - A     198.51.100.7     vanished  proxied\n" in out
    removed = load(plan("--json", "--proxied", "true"))[0]["delete"]
    assert [r["proxied"] for r in removed if r["content"].startswith("198")] == [True, True]


def test_json_of_an_ipv6_update_from_proxied(plan, scene):
    scene["cloudflare"].seed(NAME, "AAAA", "2001:db8::1", ttl=1, proxied=True)
    scene["consul"].instances = [instance("2001:db8:0::1")]
    record, = load(plan("--json", "--proxied", "false"))
    update, = record["update"]
    assert update["content"] == "2001:db8::1" and update["from"]["proxied"] is True


def test_json_of_several_records_one_failing(plan):
    text = json.dumps({"records": [{"service": "web", "record": NAME},
                                   {"service": "web", "record": "www.example.org"},
                                   {"service": "we\"b\\", "record": "*.example.com"}]})
    done = plan("--json", service=None, record=None, code=78, DNSBUDDY_CONFIG=text)
    first, second, third = load(done)
    assert len(first["create"]) == 1 and third["name"] == "*.example.com"
    assert third["service"] == "we\"b\\" and len(third["create"]) == 3
    assert second["error"]["kind"] == "config" and "no zone" in second["error"]["message"]
    assert [line["name"] for line in done.find("failed")] == ["www.example.org"]


@pytest.mark.parametrize("do, kind, code", [
    ("rate", "busy", 1), ("status", "retry", 1), ("error", "refused", 1)])
def test_json_of_failures(plan, scene, do, kind, code):
    scene["cloudflare"].fault(do, kind="list", times=0)
    record, = load(plan("--json", code=code))
    assert record["error"]["kind"] == kind
    assert len(scene["cloudflare"].calls("list")) == 1, "who waits for a plan is a person"


def test_the_schema_refuses_what_is_wrong(plan):
    """The other half of the contract: a strict schema, checked against spoilt plans."""
    data = json.loads(plan("--json").out)
    jsonschema.Draft7Validator.check_schema(SCHEMA)

    def spoil(change):
        copy = json.loads(json.dumps(data))
        change(copy["records"][0])
        return copy
    for change in (
            lambda r: r.pop("kept"), lambda r: r.update(extra=1), lambda r: r.update(kept=-1),
            lambda r: r["create"][0].update(type="TXT"), lambda r: r["create"][0].update(ttl="60"),
            lambda r: r["delete"][0].update(reason="because"), lambda r: r["delete"][0].pop("id"),
            lambda r: r["update"][0].pop("from"), lambda r: r.update(name="WWW.example.com"),
            lambda r: r.update(error={"kind": "retry", "message": "x"})):
        assert list(VALIDATOR.iter_errors(spoil(change)))


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_detailed_exitcode(plan, scene, flags):
    plan(*flags, code=0)
    plan("--detailed-exitcode", *flags, code=2)
    scene["cloudflare"].fault("status", kind="list")
    plan("--detailed-exitcode", *flags, code=1)
    scene["consul"].instances = []
    plan("--detailed-exitcode", *flags, code=3)  # nothing to do, all held
    for address in ips(1, 2, 4, 5, 6, 9):
        scene["consul"].instances.append(instance(address))
    plan("--detailed-exitcode", "--ttl", "300", *flags, code=2)
    scene["cloudflare"].remove()
    scene["consul"].instances = []
    plan("--detailed-exitcode", *flags, code=0)


def test_a_failure_outweighs_changes_and_they_what_is_held(plan, scene):
    def go(*records, code):
        text = json.dumps({"records": [{"service": s, "record": r} for s, r in records]})
        plan("--detailed-exitcode", service=None, record=None, code=code, DNSBUDDY_CONFIG=text)
    scene["consul"].script = lambda request: (
        Reply(body=[]) if request.path.endswith("/empty") else None)
    scene["cloudflare"].seed("b.example.com", "A", "192.0.2.9")
    go(("empty", "b.example.com"), code=3)
    go(("empty", "b.example.com"), ("web", NAME), code=2)
    go(("web", NAME), ("web", "a.example.org"), ("empty", "b.example.com"), code=78)


# -- colours

def on_terminal(start, scene, *flags, **env):
    """What plan writes to a terminal."""
    parent, child = pty.openpty()
    env = {"TERM": "xterm", **env}
    running = start("plan", *flags, "web", NAME, **scene, env=env, stdout=child)
    os.close(child)
    out, until = b"", time.monotonic() + 10
    while time.monotonic() < until and select.select([parent], [], [], 10)[0]:
        try:
            data = os.read(parent, 65536)
        except OSError:
            break  # the other end is closed
        out += data
    os.close(parent)
    running.wait().expect(0)
    return out.decode().replace("\r\n", "\n")


def test_colour_on_a_terminal(start, scene):
    out = on_terminal(start, scene)
    assert "\033[32m  + A     192.0.2.3        ttl 60\033[0m\n" in out
    assert "\033[31m  - A     192.0.2.9        vanished\033[0m\n" in out


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": None}, {"TERM": "dumb"}])
def test_no_colour(start, scene, env):
    assert on_terminal(start, scene, **env) == TEXT


def test_an_empty_no_color_is_none(start, scene):
    assert "\033[" in on_terminal(start, scene, NO_COLOR="")
