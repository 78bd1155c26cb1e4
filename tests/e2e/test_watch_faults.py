"""watch and a Cloudflare that fails: down, busy, refusing, silent. Nothing but a signal ends it."""

import json
import time

import pytest
from blocking import BlockingConsul
from consul import free_ports
from fake_consul import Reply
from watching import scene, until

__all__ = ["scene"]

A, B, C, D, E = (f"192.0.2.{n}" for n in range(1, 6))


def config(sites, **more):
    records = [{"service": s.service, "record": s.name, **getattr(s, "more", {})} for s in sites]
    return json.dumps({"records": records, **more})


def several(scene, n, *addresses, args=()):
    """So many sites, kept by one watch."""
    sites = [scene.site(*addresses, name=f"w{i}.example.com") for i in range(n)]
    watch = scene.watch(None, *args, env={"DNSBUDDY_CONFIG": config(sites)})
    for site in sites:
        site.settle()
    until(lambda: len(watch.find("synced")) == n)
    return sites, watch


# -- down

def test_connections_are_refused_for_a_while(scene, start_cloudflare, tmp_path):
    port, = free_ports(1)
    where = {"port": port, "database": tmp_path / "records.sqlite3"}
    cf = scene.cf = start_cloudflare(**where)
    site, watch = scene.started(A, B)
    cf.stop()
    site.add(C)
    site.remove(A)
    watch.wait_for("retrying", n=2)
    again = start_cloudflare(**where)
    again.credentials.add_token(cf.token)
    site.cf = again
    site.mark = again.mark()
    site.settle(seconds=15)


@pytest.mark.parametrize("status", [500, 520])
def test_5xx_for_a_while(scene, status):
    site, watch = scene.started(A, B)
    fault = scene.cf.fault("status", status=status, times=0)
    site.add(C)
    site.remove(A)
    watch.wait_for("retrying", n=2)
    scene.cf.faults.clear()
    site.settle(seconds=15)
    assert fault.hits >= 2


@pytest.mark.parametrize("fault", [
    {"do": "reset", "kind": "connect"}, {"do": "reset", "kind": "write"},
    {"do": "truncate", "kind": "write", "where": "body"},
    {"do": "garbage", "kind": "write", "what": "binary"}, {"do": "lost", "kind": "write"},
    {"do": "garbage", "kind": "list", "what": "half"}, {"do": "lost", "kind": "batch-delete"},
    {"do": "close-after"}, {"do": "stale", "kind": "list"}])
def test_a_passing_fault(scene, fault):
    site, watch = scene.started(A, B)
    scene.cf.listener.drop()
    scene.cf.fault(**fault)
    site.add(C)
    site.remove(A)
    site.settle(seconds=10)
    scene.rest(0.3)  # when the last answer was lost, one more listing is yet to come


def test_an_answer_lost_after_the_write_is_listed_not_repeated(scene):
    site, watch = scene.started(A, B)
    scene.cf.fault("lost", kind="batch-post")
    since = len(scene.calls())
    site.add(C)
    site.settle()
    until(lambda: len(scene.calls(since)) >= 2)
    scene.quiet(0.5)
    assert [c.kind for c in scene.calls(since)] == ["batch-post", "list"]


# -- busy

def test_429_with_retry_after_is_obeyed(scene):
    site, watch = scene.started(A, B)
    scene.cf.fault("rate", kind="write", retry_after=3)
    since = len(scene.calls())
    site.add(C)
    watch.wait_for("retrying", kind="busy")
    site.add(D)  # nobody else may ask either
    site.settle(seconds=8)
    first, second = scene.calls(since)[:2]
    assert 2.9 <= second.t - first.t < 4.5


def test_429_without_retry_after_is_five_minutes_of_silence(scene):
    """And for all records, since the limit is the account's."""
    (one, two), watch = several(scene, 2, A)
    scene.cf.fault("rate", kind="write", retry_after=None, ratelimit=None)
    one.add(B)
    line = watch.wait_for("retrying", kind="busy")
    assert 290000 <= int(line["in_ms"]) <= 310000
    two.add(B)
    scene.quiet(3)
    one.checked = two.checked = False


def test_the_last_request_of_the_window_is_not_asked_for(scene):
    """Ratelimit: r=0 with an answer that is well."""
    site, _ = scene.started(A)
    scene.cf.settings.change(rate_limit=len(scene.calls()) + 1, rate_window_sec=4.0, rate_enforce=True)
    site.add(B)
    site.settle()
    since = len(scene.calls())
    site.add(C)
    scene.quiet(0.5)
    scene.cf.settings.change(rate_limit=1200)
    site.settle(seconds=8)
    assert len(scene.calls(since)) == 1


def test_what_waits_for_its_turn_is_thought_over_before_it_removes(scene):
    """A record's delete is due when the API is busy for a while. Meanwhile the instance is back."""
    (one, two), watch = several(scene, 2, A, B)
    scene.cf.fault("delay", kind="batch-post", contains=C, seconds=1.0)
    one.add(C)
    until(lambda: any(C.encode() in c.body for c in scene.calls()))
    one.remove(B)  # to be carried out after that slow addition
    scene.cf.fault("rate", kind="write", retry_after=4)
    two.add(D)
    watch.wait_for("retrying", kind="busy")
    one.settle([A, B, C])
    time.sleep(0.5)
    one.add(B)
    scene.quiet(1.5)
    for site in (one, two):
        site.settle(seconds=10)
    time.sleep(0.5)


# -- refused

def test_a_refused_token_slows_to_one_try_a_minute(scene):
    site, watch = scene.started(A)
    scene.cf.credentials.tokens.clear()
    site.add(B)
    assert 2000 <= int(watch.wait_for("retrying", kind="auth")["in_ms"]) <= 4000
    scene.quiet(1)
    until(lambda: len(watch.find("retrying")) == 2, 6)
    assert 4000 <= int(watch.find("retrying")[1]["in_ms"]) <= 8000
    scene.quiet(3)
    site.checked = False


def test_a_refusal_in_passing_is_over_in_seconds(scene):
    site, _ = scene.started(A)
    scene.cf.fault("error", kind="write", status=403, code=10000)
    site.add(B)
    site.settle(seconds=6)


def rotate(scene, path):
    scene.cf.credentials.tokens.clear()
    path.write_text(scene.cf.add_token() + "\n")


def test_a_rotated_token_is_read_again(scene, tmp_path):
    path = tmp_path / "token"
    path.write_text(scene.cf.token + "\n")
    site, watch = scene.started(A, env={"CLOUDFLARE_API_TOKEN": None,
                                        "CLOUDFLARE_API_TOKEN_FILE": path})
    rotate(scene, path)
    site.add(B)
    site.settle(seconds=5)
    watch.wait_for("credentials read again")
    assert "Bearer" not in watch.text() and path.read_text().strip() not in watch.text()


def test_a_rotated_token_of_consul_is_read_again(scene, tmp_path, start_cloudflare):
    fake = BlockingConsul()
    token = {"right": "one"}
    script = fake.fake.script

    def answer(request):
        if request.headers.get("x-consul-token") != token["right"]:
            return Reply(403, b"ACL not found")
        return script(request)
    fake.fake.script, fake.new_name, scene.consul = answer, lambda: "web", fake
    path = tmp_path / "token"
    path.write_text("one")
    site, watch = scene.started(A, env={"CONSUL_HTTP_TOKEN_FILE": path})
    token["right"] = "two"
    path.write_text("two")
    site.add(B)
    site.settle(seconds=8)
    watch.wait_for("credentials read again")
    watch.stop()
    fake.stop()


def test_a_zone_that_is_no_more_slows_to_one_try_a_minute_and_is_looked_for_again(scene):
    site, watch = scene.started(A)
    scene.cf.fault("error", kind="write", code=7003, status=404,
                   message="Could not route to /zones/x, perhaps your object identifier is invalid?")
    site.add(B)
    line = watch.wait_for("retrying")
    assert 55000 <= int(line["in_ms"]) <= 65000 and "7003" in line["error"]
    since = len(scene.calls())
    scene.quiet(1)
    watch.hup()
    site.settle()
    assert [c.kind for c in scene.calls(since)][:2] == ["zones", "list"]


def test_one_bad_record_does_not_stop_the_others(scene):
    """Neither the others of its name nor those of other names."""
    (one, two), watch = several(scene, 2, A)
    scene.cf.poison(C)
    one.change({A: "passing", B: "passing", C: "passing"}, lambda: [
        scene.consul.add(one.service, a) for a in (B, C)])
    one.settle([A, B], seconds=15)
    watch.wait_for("retrying")
    two.add(B)
    two.settle()
    one.remove(C)
    one.checked = False


def test_an_old_record_stays_while_a_new_one_is_refused(scene):
    site, watch = scene.started(A, B)
    scene.cf.poison(C)
    site.add(C)
    site.remove(A)
    watch.wait_for("retrying")
    time.sleep(0.5)
    assert site.contents() == [A, B]
    assert watch.find("record refused", content=C)
    site.checked = False


# -- silent

def test_a_hanging_call_delays_no_other_record(scene):
    (one, two), watch = several(scene, 2, A, args=["--timeout", "4"])
    scene.cf.fault("hang", kind="write", contains="w0.example.com")
    one.add(B)
    until(lambda: any(c.fault for c in scene.calls()))
    began = time.monotonic()
    for n in range(10, 13):
        two.add(f"192.0.2.{n}")
        two.settle(seconds=3)
    assert time.monotonic() - began < 3.5 and len(one.contents()) == 1
    one.settle(seconds=20)


def test_a_hanging_consul_read_delays_no_other_record(scene):
    """The consistent read before a removal hangs; the other record's additions are made."""
    fake = BlockingConsul()
    fake.new_name, scene.consul = lambda: "web", fake
    one = scene.site(A, B, name="w0.example.com")
    two = scene.site(name="w1.example.com")
    two.states, two.past = one.states, one.past
    watch = scene.watch(None, "--timeout", "3", env={"DNSBUDDY_CONFIG": config([one, two])})
    for site in (one, two):
        site.settle()
    fake.consistent_reply = Reply(do="hang")
    one.remove(B)
    time.sleep(0.5)
    fake.consistent_reply = None
    one.settle(seconds=10)
    two.states = one.states
    two.settle(seconds=10)
    watch.stop()
    fake.stop()
