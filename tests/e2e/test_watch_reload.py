"""watch and SIGHUP: another configuration, a bad one, other secrets, a hundred in a row."""

import json
import os
import signal
import time

import pytest
from watching import scene, until

__all__ = ["scene"]

A, B, C, D, E = (f"192.0.2.{n}" for n in range(1, 6))


class File:
    """A configuration file of several sites."""

    def __init__(self, path):
        self.path = path

    def write(self, *sites, **more):
        entries = [{"service": s.service, "record": s.name, **getattr(s, "more", {})}
                   for s in sites]
        self.path.write_text(json.dumps({"records": entries, **more}, indent=1))


@pytest.fixture
def file(tmp_path):
    return File(tmp_path / "dnsbuddy.json")


def two_sites(scene, **more):
    sites = [scene.site(A, B, name=f"w{n}.example.com") for n in range(2)]
    sites[1].more = more
    return sites


def drop(file, one, two):
    """one alone is left: nothing is wanted at the other's name."""
    file.write(one)
    two.past.append((time.monotonic(), frozenset()))


def begin(scene, file, *sites):
    file.write(*sites)
    watch = scene.watch(None, "--config", file.path)
    for site in sites:
        site.settle()
    until(lambda: len(watch.find("synced")) == len(sites))
    return watch


def test_a_new_record_is_added(scene, file):
    one, two = two_sites(scene)
    watch = begin(scene, file, one)
    file.write(one, two)
    watch.hup()
    two.settle()
    for site in (one, two):
        site.add(C)
        site.settle()


@pytest.mark.parametrize("variable", ["DNSBUDDY_CONFIG", "CF_API_TOKEN_FILE"])
def test_a_file_that_nobody_writes_to_stops_nothing(scene, file, tmp_path, variable):
    """In its place is a FIFO: it is given up in a second, and the old configuration stays."""
    site = scene.site(A, B, name="w0.example.com")
    file.write(site)
    token = tmp_path / "token"
    token.write_text(scene.cf.token)
    watch = scene.watch(None, env={"DNSBUDDY_CONFIG": file.path, "CLOUDFLARE_API_TOKEN": None, "CF_API_TOKEN_FILE": token})
    site.settle()
    path = {"DNSBUDDY_CONFIG": file.path, "CF_API_TOKEN_FILE": token}[variable]
    path.unlink()
    os.mkfifo(path)
    for _ in range(2):
        began = time.monotonic()
        watch.hup()
        site.add(C)
        site.settle()
        site.remove(C)
        site.settle()
        assert time.monotonic() - began < 4
    until(lambda: len(watch.find("configuration not taken, the old one stays")) == 2)
    for line in watch.find("configuration not taken, the old one stays"):
        assert "timed out" in line["error"]


def test_a_dropped_record_is_left_alone(scene, file):
    one, two = two_sites(scene)
    watch = begin(scene, file, one, two)
    file.write(one)
    watch.hup()
    two.add(C)
    one.add(C)
    one.settle()
    time.sleep(0.5)
    assert two.contents() == [A, B]
    two.checked = False


@pytest.mark.parametrize("grace", [0, 1])
def test_a_dropped_record_is_removed_if_told(scene, file, grace):
    one, two = two_sites(scene, on_drop="remove", grace=grace)
    two.on_empty, two.checked = "remove", False
    scene.cf.seed(two.name, "TXT", "of another")
    watch = begin(scene, file, one, two)
    drop(file, one, two)
    watch.hup()
    two.settle([])
    one.add(C)
    one.settle()
    scene.quiet(0.3)
    assert [r.type for r in scene.cf.records(two.name)] == ["TXT"]


def test_a_dropped_record_that_cannot_be_removed_yet_is_seen_through(scene, file):
    one, two = two_sites(scene, on_drop="remove")
    two.on_empty, two.checked = "remove", False
    watch = begin(scene, file, one, two)
    scene.cf.fault("status", status=503, contains="deletes", times=2)
    drop(file, one, two)
    watch.hup()
    watch.hup()  # it was dropped before
    two.settle([], seconds=15)


def test_a_record_that_comes_back_before_it_is_removed(scene, file):
    one, two = two_sites(scene, on_drop="remove")
    watch = begin(scene, file, one, two)
    scene.cf.fault("status", status=503, kind="write", times=1)
    file.write(one)
    watch.hup()
    watch.wait_for("retrying")
    file.write(one, two)
    watch.hup()
    time.sleep(2)
    two.settle()


def test_other_settings_of_a_record(scene, file):
    one, two = two_sites(scene)
    watch = begin(scene, file, one, two)
    file.write(one, two, ttl=300)
    watch.hup()
    until(lambda: {r.ttl for r in scene.cf.records(one.name) + scene.cf.records(two.name)} == {300})


@pytest.mark.parametrize("text, where", [
    ('{"records": [\n  {"service": "x", "recrd": "a.example.com"}\n]}', ("recrd", "line 2")),
    ('{"records": [\n  {"service": "x"\n', ("3",)),
    ('{"records": [{"service": "x", "record": "a.example.com", "ttl": 7}]}', ("ttl",)),
    ("", ()),
])
def test_a_bad_file_is_told_and_the_old_one_stays(scene, file, text, where):
    one, two = two_sites(scene)
    watch = begin(scene, file, one, two)
    since = len(scene.calls())
    file.path.write_text(text)
    watch.hup()
    line, = watch.find("configuration not taken, the old one stays")
    assert all(part in line["error"] for part in (*where, "dnsbuddy.json")), line
    assert not scene.calls(since)
    one.add(C)
    one.settle()
    two.remove(A)
    two.settle()
    file.write(one)
    watch.hup()
    assert watch.find("configuration read again")


def with_token_file(scene, file, path, *sites):
    """A watch whose token is in a file of its own."""
    path.write_text(scene.cf.token)
    file.write(*sites)
    watch = scene.watch(None, "--config", file.path, env={
        "CLOUDFLARE_API_TOKEN": None, "CLOUDFLARE_API_TOKEN_FILE": path})
    for site in sites:
        site.settle()
    until(lambda: len(watch.find("synced")) == len(sites))
    return watch


def tokens_of(calls):
    return {c.header("authorization").removeprefix("Bearer ") for c in calls}


def test_of_a_refused_file_nothing_is_taken(scene, file, tmp_path):
    one, two = two_sites(scene)
    watch = with_token_file(scene, file, tmp_path / "token", one)
    (tmp_path / "token").write_text(new := scene.cf.add_token())
    file.write(one, two, log_level="error", ttl=7)
    since = len(scene.calls())
    watch.hup()
    assert watch.find("configuration not taken, the old one stays")
    one.add(C)
    one.settle()
    until(lambda: len(watch.find("record created", content=C)) == 1)  # level info, as before
    assert tokens_of(scene.calls(since)) == {scene.cf.token}
    assert new not in watch.text()
    two.checked = False


def test_refused_credentials_take_other_credentials_alone(scene, file, tmp_path):
    """Whoever edits the file is not done before SIGHUP."""
    one, two = two_sites(scene)
    watch = with_token_file(scene, file, tmp_path / "token", one)
    file.write(one, two, log_level="error", ttl=300)
    scene.cf.credentials.tokens.clear()
    (tmp_path / "token").write_text(scene.cf.add_token())
    one.add(C)
    one.settle()
    assert watch.find("credentials read again")
    until(lambda: len(watch.find("record created", content=C)) == 1)
    assert {r.ttl for r in scene.cf.records(one.name)} == {60} and not scene.cf.records(two.name)
    watch.send(signal.SIGHUP)
    two.settle()
    until(lambda: {r.ttl for r in scene.cf.records(one.name)} == {300})


def test_what_takes_a_restart_is_named(scene, file):
    one = scene.site(A)
    watch = begin(scene, file, one)
    file.write(one, consul="192.0.2.99:8500", lock="a/key", consul_tls_server_name="x", resync=200)
    watch.hup()
    line, = watch.find("not taken: it takes a restart")
    assert line["settings"] == "consul_tls_server_name, lock"  # --consul is in the environment
    one.add(B)
    one.settle()
    watch.hup()
    assert len(watch.find("not taken: it takes a restart")) == 2
    file.write(one)
    watch.hup()
    assert len(watch.find("not taken: it takes a restart")) == 2


def test_other_settings_of_the_program(scene, file):
    one = scene.site(A)
    file.write(one)
    watch = scene.watch(None, "--config", file.path, env={"DNSBUDDY_REGISTER_AS": None})
    one.settle()
    until(lambda: scene.consul.get("/v1/health/service/cloudflare"))
    file.write(one, register_as="dns", log_level="debug", resync=5)
    watch.hup()
    until(lambda: scene.consul.get("/v1/health/service/dns"))
    assert not scene.consul.get("/v1/health/service/cloudflare?consistent")
    since = len(scene.calls())
    until(lambda: scene.calls(since), seconds=8)
    file.write(one, register_as="none")
    watch.hup()
    until(lambda: not scene.consul.get("/v1/health/service/dns?consistent"))


def test_no_file_any_more(scene, file):
    one = scene.site(A)
    watch = begin(scene, file, one)
    file.path.unlink()
    watch.hup()
    assert watch.find("configuration not taken, the old one stays")
    one.add(C)
    one.settle()


def test_secrets_are_read_again(scene, file, tmp_path):
    path = tmp_path / "token"
    path.write_text(scene.cf.token)
    site, watch = scene.started(A, env={"CLOUDFLARE_API_TOKEN": None,
                                        "CLOUDFLARE_API_TOKEN_FILE": path})
    new = scene.cf.add_token()
    path.write_text(new + "\n")
    watch.hup()
    since = len(scene.calls())
    site.add(B)
    site.settle()
    assert {c.header("authorization") for c in scene.calls(since)} == {f"Bearer {new}"}
    assert new not in watch.text()


def test_the_secret_before_is_masked_too(scene, tmp_path):
    """A peer may still echo what it was sent before the reload."""
    path = tmp_path / "token"
    path.write_text(old := scene.cf.token)
    site, watch = scene.started(A, env={"CLOUDFLARE_API_TOKEN": None, "CLOUDFLARE_API_TOKEN_FILE": path})
    path.write_text(scene.cf.add_token())
    watch.hup()
    scene.cf.fault("status", kind="batch-post", status=400, times=1, body={
        "success": False, "result": None, "messages": [], "errors": [{"code": 1000, "message": f"you sent {old}"}]})
    site.add(B)
    site.settle()
    assert watch.find("batch refused, listing again") and "you sent ***" in watch.text()
    assert old not in watch.text()


def test_a_hundred_in_a_row(scene, file):
    one, two = two_sites(scene)
    watch = begin(scene, file, one, two)
    for _ in range(2):  # a second configuration needs its room once
        watch.hup()
    kb, files = watch.memory_kb("VmRSS"), watch.files_n()
    for n in range(100):
        file.write(*((one, two) if n % 2 else (one,)))
        watch.send(signal.SIGHUP)
        time.sleep(0.005)
    file.write(one, two)
    watch.hup()
    one.add(C)
    two.remove(A)
    for site in (one, two):
        site.settle(seconds=15)
    assert watch.memory_kb("VmRSS") <= kb + 64
    until(lambda: watch.files_n() <= files + 4)
    assert len(scene.calls()) < 400


def test_during_a_write(scene, file):
    one, two = two_sites(scene)
    watch = begin(scene, file, one, two)
    fault = scene.cf.fault("delay", kind="write", seconds=0.5)
    one.add(C)
    until(lambda: fault.hits)
    watch.hup()
    two.add(D)
    for site in (one, two):
        site.settle()
    time.sleep(0.6)


def test_while_cloudflare_is_down(scene, file):
    one, two = two_sites(scene)
    watch = begin(scene, file, one, two)
    scene.cf.fault("status", status=503, times=0)
    one.add(C)
    watch.wait_for("retrying")
    watch.hup()
    watch.wait_for("retrying", n=2)
    scene.cf.faults.clear()
    one.settle(seconds=15)
