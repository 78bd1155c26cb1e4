"""Two copies of watch: with --lock one writes, without it they still do no harm; owners share a name."""

import os
import signal
import time

import pytest
from cluster import Cluster
from gate import Gate
from program import NAME
from watching import SLACK, scene, until

__all__ = ["scene"]

A, B, C, D, E = (f"192.0.2.{n}" for n in range(1, 6))
SLOW = pytest.mark.skipif(not os.environ.get("SLOW"), reason="takes minutes: set SLOW=1")
LOCK_DELAY = 30


def holder(scene, key):
    """The session that holds the lock, or None."""
    try:
        entry, = scene.consul.get(f"/v1/kv/{key}?consistent")
    except OSError:
        return None
    return entry.get("Session")


def pair(scene, site, key="service/test/leader", **more):
    """The one that leads, and the one that follows."""
    key = f"{key}-{site.service}"
    leader = scene.watch(site, f"--lock={key}", **more)
    leader.wait_for("leading")
    site.settle()
    follower = scene.watch(site, f"--lock={key}")
    until(lambda: len(scene.consul.get("/v1/agent/self")) and holder(scene, key))
    return leader, follower, key


def test_only_one_writes(scene):
    site = scene.site(A)
    leader, follower, _ = pair(scene, site)
    for address in (B, C):
        site.add(address)
        site.settle()
    site.remove(A)
    site.settle()
    time.sleep(0.3)
    assert not follower.find("leading") and not follower.find("record created")
    assert len(leader.find("record created")) == 3
    assert {c.connection for c in scene.calls()} == {scene.calls()[0].connection}


def test_the_default_key_is_of_the_names(scene):
    """Two of one name share it, also when one of them names the zone; another name has another."""
    site, other = scene.site(A), scene.site(B, name="api.example.com")
    leader = scene.watch(site, "--lock")
    key = leader.wait_for("leading")["lock"]
    assert key.startswith(f"service/dnsbuddy/{NAME}-") and key.endswith("/leader")
    follower = scene.watch(site, "--lock", "--zone", "example.com")
    assert follower.wait_for("following")["lock"] == key
    assert follower.find("following")[0]["session"] == holder(scene, key)
    site.settle()
    apart = scene.watch(other, "--lock")
    assert apart.wait_for("leading")["lock"] != key
    other.settle()
    assert not follower.find("leading")


def test_at_the_leaders_sigterm_the_other_takes_over_within_a_second(scene):
    site = scene.site(A)
    leader, follower, key = pair(scene, site)
    began = time.monotonic()
    leader.stop()
    until(lambda: follower.find("leading"))
    assert time.monotonic() - began < 1
    follower.wait_for("in sync")
    since = len(scene.calls())
    site.add(B)
    site.settle()
    assert [c.kind for c in scene.calls(since)] == ["batch-post"]
    third = scene.watch(site, f"--lock={key}")
    time.sleep(0.3)
    assert not third.find("leading")


def test_what_changed_between_leaders_is_seen_to(scene):
    site = scene.site(A, B)
    leader, follower, key = pair(scene, site)
    scene.cf.seed(NAME, "A", D)
    leader.stop()
    site.settle()
    assert not follower.find("drift: somebody else changed the records")


def test_who_stops_leaves_no_session_behind(scene):
    def ours():
        return [s for s in scene.consul.get("/v1/session/list") if s["Name"] == "dnsbuddy"]
    before = len(ours())
    site = scene.site(A)
    leader, follower, _ = pair(scene, site)
    follower.stop()
    leader.stop()
    assert len(ours()) == before


def test_a_session_that_is_destroyed_by_hand_ends_the_writing(scene):
    site = scene.site(A)
    leader, follower, key = pair(scene, site)
    follower.stop()
    scene.consul.put(f"/v1/session/destroy/{holder(scene, key)}")
    leader.wait_for("not leading any more", seconds=1)
    site.add(B)
    scene.quiet(1)
    assert not holder(scene, key)  # and the delay holds for who had it, too
    site.checked = False


def test_a_key_that_is_deleted_or_released_by_hand(scene):
    """One of them leads on, and the other one learns it at once: there is one that writes."""
    site = scene.site(A)
    leader, follower, key = pair(scene, site)
    for n, path in enumerate((f"DELETE /v1/kv/{key}", f"PUT /v1/kv/{key}?release={{}}"), 1):
        scene.consul.call(*path.format(holder(scene, key)).split())
        lost = [w for w in (leader, follower) if w.find("leading")][-1]
        until(lambda: len(leader.find("not leading any more") + follower.find("not leading any more")) >= n, 1,
              lambda: leader.text() + follower.text())
        until(lambda: holder(scene, key), 3)
        until(lambda: len(leader.find("leading") + follower.find("leading")) >= n + 1, 3)
        assert lost.find("not leading any more")
        time.sleep(0.5)
        leading = [w for w in (leader, follower)
                   if len(w.find("leading")) > len(w.find("not leading any more"))]
        assert len(leading) == 1
    site.add(B)
    site.settle()


def test_a_follower_waits_as_long_as_consul_keeps_the_lock_of_the_dead(scene):
    site = scene.site(A)
    leader, follower, key = pair(scene, site)
    leader.kill()
    site.add(B)
    scene.quiet(1.5)
    assert not follower.find("leading")
    cpu = follower.cpu_seconds()
    time.sleep(1)
    assert follower.cpu_seconds() - cpu <= 0.02
    site.checked = False


def test_the_lock_of_servers_that_are_not_in_dev_mode(scene, tmp_path):
    """They write the same answers in other white space."""
    with Cluster(tmp_path) as cluster:
        scene.consul = cluster.servers[0]
        site = scene.site(service="web")
        site.add(A)
        leader, follower, _ = pair(scene, site)
        leader.stop()
        follower.wait_for("leading", seconds=2)
        site.add(B)
        site.settle()
        follower.stop()


@SLOW
def test_a_follower_takes_over_from_the_dead(scene):
    site = scene.site(A)
    leader, follower, key = pair(scene, site)
    leader.kill()
    site.add(B)
    began = time.monotonic()
    follower.wait_for("leading", seconds=2 * 30 + LOCK_DELAY + 5)
    assert time.monotonic() - began > LOCK_DELAY
    site.settle()


def test_the_leader_cannot_reach_consul_and_stops_writing_in_time(scene):
    """It fences itself by its own clock: at the latest 25 s after its last renewal."""
    if not os.environ.get("SLOW"):
        pytest.skip("takes half a minute: set SLOW=1; tests/unit/watch/test_leader.c does it in no time")
    site = scene.site(A)
    with Gate(scene.consul.port) as gate:
        leader = scene.watch(site, "--lock=service/test/fenced", consul=gate)
        leader.wait_for("leading")
        site.settle()
        gate.freeze()
        leader.wait_for("not leading any more", seconds=26)
        gate.freeze(False)
        leader.wait_for("leading", n=2, seconds=30)
        site.add(B)
        site.settle()
        leader.stop()


@SLOW
def test_a_leader_that_was_frozen_does_not_write_before_it_has_the_lock_again(scene):
    site = scene.site(A, B)
    leader, follower, key = pair(scene, site)
    leader.send(signal.SIGSTOP)
    frozen = time.monotonic()
    scene.consul.put(f"/v1/session/destroy/{holder(scene, key)}")
    site.remove(B)  # work is waiting for it
    site.add(C)
    follower.wait_for("leading", seconds=LOCK_DELAY + 10)
    assert time.monotonic() - frozen > 25
    site.settle()
    site.add(D)
    site.settle()
    since = len(scene.calls())
    leader.send(signal.SIGCONT)
    leader.wait_for("not leading any more")
    scene.quiet(2)
    site.add(E)
    site.settle()
    assert not leader.find("record created", content=C)
    assert not leader.find("record deleted", content=B)
    assert {c.connection for c in scene.calls(since)} == {scene.calls()[-1].connection}


def test_a_leader_frozen_for_less_goes_on(scene):
    site = scene.site(A)
    leader, follower, _ = pair(scene, site)
    leader.send(signal.SIGSTOP)
    site.add(B)
    time.sleep(1)
    leader.send(signal.SIGCONT)
    site.settle()
    assert not follower.find("leading") and not leader.find("not leading any more")


def test_the_lock_rests_while_the_outcome_of_a_call_is_unknown(scene):
    """The session ends, and nobody leads before the lock-delay is over."""
    site = scene.site(A, records=[A])
    leader, follower, key = pair(scene, site)
    session = holder(scene, key)
    fault = scene.cf.fault("hang", kind="write")
    site.add(B)
    until(lambda: fault.hits)
    leader.stop()
    assert not scene.consul.get(f"/v1/session/info/{session}")
    assert not holder(scene, key)
    time.sleep(1.5)
    assert not follower.find("leading")
    assert "not given" in follower.wait_for("cannot take the lock, retrying")["error"]
    if os.environ.get("SLOW"):
        follower.wait_for("leading", seconds=LOCK_DELAY)
        site.settle()
    else:
        site.checked = False


# -- without a lock

def test_two_without_a_lock_do_no_harm(scene):
    """Each works on what it listed; the other's writes surprise it."""
    site = scene.site(A, B)
    site.slack = SLACK + 0.5
    watches = [scene.watch(site, "--grace", str(n)) for n in (0, 1)]
    site.settle()
    for n in range(10, 22):
        site.add(f"192.0.2.{n}")
        if n % 2:
            site.remove(f"192.0.2.{n - 1}")
        time.sleep(0.15)
    site.settle(seconds=30)
    time.sleep(1.5)
    site.settle()
    assert all(w.logs for w in watches)


def test_two_of_one_pace_without_a_lock(scene):
    site = scene.site(A, B)
    site.slack = SLACK + 0.5
    for _ in range(2):
        scene.watch(site)
    site.settle()
    for n in range(10, 13):
        site.set(f"192.0.2.{n}")
        site.remove(f"192.0.2.{n - 1}" if n > 10 else A)
        site.settle(seconds=30)
    time.sleep(0.5)


# -- owners

def test_two_owners_share_a_name(scene):
    one, two = (scene.site(*addresses) for addresses in ([A, B], [C]))
    scene.cf.seed(NAME, "A", E, comment="of nobody")
    for site, owner in ((one, "east"), (two, "west")):
        site.owner = owner
        scene.watch(site, "--owner", owner)
        site.settle()
    two.add(D)
    one.remove(A)
    for site in (one, two):
        site.settle()
    time.sleep(0.3)
    assert scene.cf.contents(NAME) == [B, C, D, E]
