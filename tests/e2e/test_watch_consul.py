"""watch and a Consul that restarts, elects, goes back in time, or says too little to remove by."""

import os
import time

import pytest
from blocking import BlockingConsul
from cluster import Cluster
from consul import Consul
from fake_consul import Reply
from gate import Gate
from watching import Scene, scene, until

__all__ = ["scene"]

A, B, C, D, E = (f"192.0.2.{n}" for n in range(1, 6))


@pytest.fixture
def blocking(cloudflare, start, request):
    """A scene whose Consul is scripted."""
    fake = BlockingConsul()
    fake.new_name = lambda: "web"
    made = Scene(fake, cloudflare, start)
    failed_before = request.session.testsfailed
    yield made
    if request.session.testsfailed == failed_before:
        made.finish()
    fake.stop()


# -- it goes and comes back

def test_consul_restarts_and_has_forgotten_all(scene, tmp_path):
    """An empty answer with a leader is evidence, yet --on-empty keep keeps the records. Once the
    first instance is back, the others are gone by all that Consul says: they leave after the grace
    and return with their registration. Who cannot have that sets --grace or --min-records."""
    first = scene.consul = Consul(tmp_path / "1")
    with Gate(first.port) as gate:
        site = scene.site(A, B, C)
        watch = scene.watch(site, "--grace", "2", consul=gate)
        site.settle()
        first.stop()
        gate.cut()
        watch.wait_for("consul does not answer")
        scene.quiet(0.5)
        second = site.consul = Consul(tmp_path / "2")
        gate.to = second.port
        site.change({}, lambda: None)
        watch.wait_for("held", held=3, seconds=20)
        assert site.contents() == [A, B, C]
        site.add(A)
        site.add(B)  # within the grace: C alone leaves
        site.settle()
        site.add(C)
        site.settle()
        watch.stop()
        second.stop()


def test_consul_is_away_for_a_while(scene):
    site = scene.site(A, B)
    with Gate(scene.consul.port) as gate:
        watch = scene.watch(site, consul=gate)
        site.settle()
        gate.close()
        watch.wait_for("consul does not answer")
        site.remove(A)
        site.add(C)
        scene.quiet(0.5)
        assert site.contents() == [A, B]
        gate.open()
        site.settle(seconds=15)
        assert len(watch.find("consul does not answer")) == 1
        watch.stop()


def test_the_leader_of_three_servers_dies(scene, tmp_path):
    with Cluster(tmp_path) as cluster:
        leader = cluster.leader()
        other = scene.consul = next(s for s in cluster.servers if s is not leader)
        site = Scene.site(scene, service="web")
        site.consul = other
        for address in (A, B):
            site.add(address)
        watch = scene.watch(site, consul=other)
        site.settle()
        cluster.kill(leader)
        assert cluster.leader() is not leader
        cluster.until(lambda: other.get("/v1/health/service/web?consistent") is not None)
        site.remove(A)
        site.add(C)
        site.settle(seconds=25)
        watch.stop()


# -- the index

def wait_for_query(fake, index, since, seconds=5):
    until(lambda: any(r.query.get("index") == index for r in fake.blocking()[since:]), seconds,
          lambda: str([r.target for r in fake.blocking()[since:]]))


def test_an_index_that_went_back_is_forgotten(blocking):
    fake = blocking.consul
    site, _ = blocking.started(A, B)
    wait_for_query(fake, str(fake.index), 0)
    since = len(fake.blocking())
    site.change({A: "passing"}, lambda: fake.set({A: "passing"}, index=3))
    site.settle()
    wait_for_query(fake, None, since)
    wait_for_query(fake, "3", since)
    site.add(C)
    site.settle()


@pytest.mark.parametrize("index", ["0", "x"])
def test_an_index_of_0_or_none_is_no_busy_loop(blocking, index):
    fake = blocking.consul
    fake.index_header = index
    site, watch = blocking.started(A, B)
    fake.index = 1  # what is asked with when there is none
    since, cpu = len(fake.blocking()), watch.cpu_seconds()
    time.sleep(2.5)
    assert len(fake.blocking()) - since <= 4
    assert watch.cpu_seconds() - cpu <= 0.03
    assert all(int(r.query.get("index", 1)) >= 1 for r in fake.blocking())


def test_after_an_error_all_is_read_anew(blocking):
    fake = blocking.consul
    site, watch = blocking.started(A)
    wait_for_query(fake, str(fake.index), 0)
    script, fake.fake.script = fake.fake.script, lambda r: Reply(500, b"rpc error")
    with fake.changed:
        fake.index += 1
        fake.changed.notify_all()
    watch.wait_for("consul does not answer")
    fake.fake.script = script
    since = len(fake.blocking())
    site.add(B)
    site.settle()
    assert "index" not in fake.blocking()[since].query


def test_reads_are_at_most_one_a_second_under_churn(blocking):
    fake = blocking.consul
    site, watch = blocking.started(A)
    since, began = len(fake.blocking()), time.monotonic()
    while time.monotonic() - began < 3:
        with fake.changed:  # a new index, the same content
            fake.index += 1
            fake.changed.notify_all()
        time.sleep(0.01)
    assert len(fake.blocking()) - since <= 2 + 3
    assert len(blocking.calls()) == 3


# -- the pace

def test_a_deploy_that_waits_for_each_step(scene):
    """Each step comes as soon as the one before is done; tests/bench has the percentiles."""
    steps = 40 if os.environ.get("SLOW") else 14
    site, _ = scene.started(A, B, args=["--grace", "0"])
    began = time.monotonic()
    for n in range(steps):
        site.remove(C) if n % 2 else site.add(C)
        site.settle(seconds=5)
    assert time.monotonic() - began < steps * 0.3  # it took a second for each, and two and four


def test_news_after_a_chattering_check_is_late_by_a_second_at_most(blocking):
    fake = blocking.consul
    site, _ = blocking.started(A)
    for _ in range(60):
        with fake.changed:
            fake.index += 1
            fake.changed.notify_all()
        time.sleep(0.05)
    site.add(B)
    site.settle(seconds=1.5)
    assert len(blocking.calls()) == 4


# -- a proxy on the way that gives up on a silent connection

@pytest.mark.parametrize("end", [Reply(504, b"upstream request timeout"), Reply(502, b""), Reply(do="eof"), Reply(do="reset")],
                         ids=["504", "502", "eof", "reset"])
def test_a_silence_that_is_cut_is_no_news(blocking, end):
    fake = blocking.consul
    wait = fake.fake.script
    cuts = []

    def cut(request):
        if request.query.get("index") != str(fake.index):
            return wait(request)
        with fake.changed:
            fake.changed.wait(2.4)  # the client itself asks again within the first two seconds
        if request.query["index"] != str(fake.index):
            return wait(request)
        cuts.append(time.monotonic())
        return end

    site, watch = blocking.started(A, B, args=["--wait", "4"])
    fake.fake.script = cut
    since = len(fake.blocking())
    site.add(C)
    site.settle()
    index = str(fake.index)
    until(lambda: len(cuts) == 2, 8)
    until(lambda: [r.query.get("index") for r in fake.blocking()[since:]].count(index) >= 2, 1)
    began = time.monotonic()
    site.add(D)
    site.settle()
    assert time.monotonic() - began < 1
    assert not watch.find("consul does not answer")
    asked = fake.blocking()[since:]
    assert {r.query["wait"] for r in asked if "index" in r.query} == {"4s"}
    assert len(asked) <= 9  # it is asked again at once, yet no more than that


def test_the_wait_fits_a_proxy(blocking):
    fake = blocking.consul
    blocking.started(A)
    until(lambda: any("index" in r.query for r in fake.blocking()))
    assert {r.query["wait"] for r in fake.blocking() if "index" in r.query} == {"45s"}


# -- evidence

GAPS = {
    "no leader": {"X-Consul-KnownLeader": "false"},
    "silent on leader": {"X-Consul-KnownLeader": None},
    "stale": {"X-Consul-Effective-Consistency": "stale"},
    "old": {"X-Consul-LastContact": "60000"},
    "acl": {"X-Consul-Results-Filtered-By-ACLs": "true"},
    "age": {"Age": "3"},
    "x-cache": {"X-Cache": "HIT"},
}


@pytest.mark.parametrize("gap", GAPS)
def test_additions_are_made_and_removals_held(blocking, gap):
    fake = blocking.consul
    site, watch = blocking.started(A, B)
    fake.headers = GAPS[gap]
    site.remove(B)
    assert watch.wait_for("held")["held"] == "1"
    time.sleep(0.3)
    site.add(C)
    site.settle([A, B, C], seconds=2.5)
    fake.headers = {}
    site.add(D)
    site.settle(seconds=5)


def test_an_addition_does_not_wait_for_evidence_however_long_that_is_missing(blocking):
    fake = blocking.consul
    site, watch = blocking.started(A, B)
    fake.headers = GAPS["stale"]
    site.remove(B)
    watch.wait_for("held")
    until(lambda: sum(r.is_consistent for r in fake.requests) >= 4)  # the backoff has grown
    site.add(C)
    site.settle([A, B, C], seconds=1.5)
    fake.headers = {}
    site.add(D)
    site.settle(seconds=15)


def test_evidence_that_comes_back_by_itself_removes(blocking):
    fake = blocking.consul
    site, watch = blocking.started(A, B)
    fake.consistent_headers = GAPS["no leader"]
    site.remove(B)
    watch.wait_for("held")
    blocking.quiet(0.5)
    fake.consistent_headers = {}
    site.settle(seconds=5)


@pytest.mark.parametrize("reply", [Reply(500, b"No cluster leader"), Reply(403, b"denied"),
                                   Reply(do="reset"), Reply(do="truncate")])
def test_the_consistent_read_fails(blocking, reply):
    fake = blocking.consul
    site, watch = blocking.started(A, B)
    fake.consistent_reply = reply
    site.change({A: "passing", C: "passing"}, lambda: fake.set({A: "passing", C: "passing"}))
    assert watch.wait_for("held")["why"] == "the consistent read of Consul failed"
    site.settle([A, B, C])
    fake.consistent_reply = None
    site.settle()


def test_an_empty_answer_under_default_deny_without_a_token_is_no_evidence(blocking):
    fake = blocking.consul
    site, watch = blocking.started(A, args=["--on-empty", "remove"])
    site.on_empty = "remove"
    fake.headers = {"X-Consul-Default-ACL-Policy": "deny"}
    site.remove(A)
    assert "ACL policy is deny" in watch.wait_for("held")["why"]
    blocking.quiet(0.5)
    site.add(A)


def test_a_filtered_answer_becomes_whole(blocking):
    """The token's rights are repaired: the answer is as long as before, and evidence again."""
    fake = blocking.consul
    site, watch = blocking.started(A, B)
    fake.headers = GAPS["acl"]
    site.remove(B)
    watch.wait_for("held")
    fake.headers = {}
    fake.set(fake.states)  # Consul answers anew, with the same instances
    site.settle(seconds=5)


def test_a_slow_addition_makes_the_removal_be_thought_over(blocking):
    """Who is to go after it is back before the API has answered."""
    fake = blocking.consul
    site, watch = blocking.started(A, B)
    blocking.cf.fault("delay", kind="batch-post", contains=C, seconds=3)
    site.change({A: "passing", C: "passing"}, lambda: fake.set({A: "passing", C: "passing"}))
    until(lambda: any(C.encode() in c.body for c in blocking.calls()))
    time.sleep(0.5)
    site.add(B)
    site.settle()
    blocking.quiet(0.5)
    assert not watch.find("record deleted")
