"""watch: what a change costs, what rest costs, what waits and what does not."""

import json
import os
import signal
import time

import pytest
from consul import free_ports
from gate import Gate
from program import NAME
from watching import scene, until

__all__ = ["scene"]

A, B, C, D = (f"192.0.2.{n}" for n in range(1, 5))


def kinds(calls):
    return [c.kind for c in calls]


# -- start

def test_a_first_start_adds_what_is_listed(scene):
    site, watch = scene.started(A, B)
    assert kinds(scene.calls()) == ["zones", "list", "batch-post"]
    line = watch.find("synced")[0]
    assert (line["service"], line["created"], line["wanted"]) == (site.service, "2", "2")
    scene.quiet(1.5)


def test_a_start_on_right_records_writes_nothing(scene):
    site = scene.site(A, B, records=[A, B])
    scene.watch(site).wait_for("in sync")
    assert kinds(scene.calls()) == ["zones", "list"]
    scene.quiet(0.5)


def test_cloudflare_is_down_at_the_start(scene, start_cloudflare):
    port, = free_ports(1)
    dead = start_cloudflare(port=port)
    dead.stop()
    site = scene.site(A)
    watch = scene.watch(site, cloudflare=dead)
    watch.wait_for("retrying", n=2)
    assert not watch.is_over()
    cf = site.cf = start_cloudflare(port=port)
    cf.credentials.add_token(dead.token)
    site.mark = cf.mark()
    site.settle(seconds=15)
    site.add(B)


def test_consul_is_down_at_the_start(scene):
    site = scene.site(A, records=[B])
    with Gate(scene.consul.port) as gate:
        gate.close()
        watch = scene.watch(site, consul=gate)
        watch.wait_for("consul does not answer")
        scene.quiet(0.7)
        assert not watch.is_over()
        gate.open()
        site.settle(seconds=15)
        assert watch.find("consul answers again")
        site.add(C)
        site.settle()
        watch.stop()


# -- a change

def test_a_change_is_two_writes_and_no_listing(scene):
    site, _ = scene.started(A, B)
    since = len(scene.calls())
    site.add(C)
    site.settle()
    assert kinds(scene.calls(since)) == ["batch-post"]
    since = len(scene.calls())
    site.remove(A)
    site.settle()
    assert kinds(scene.calls(since)) == ["batch-delete"]
    scene.quiet(0.3)


def test_addresses_change_places(scene):
    site, _ = scene.started(A, B, args=["--grace", "1"])
    since = len(scene.calls())
    site.remove(A)
    site.add(C)
    site.settle([A, B, C])
    site.settle()
    assert kinds(scene.calls(since)) == ["batch-post", "batch-delete"]


def test_many_changes_in_a_row_stay_right(scene):
    """What is remembered of the records is what is there, however they were written."""
    site, _ = scene.started(A)
    for n in range(5, 15):
        site.add(f"192.0.2.{n}")
        if n % 3 == 0:
            site.remove(f"192.0.2.{n - 1}")
    site.settle(seconds=40)
    assert kinds(scene.calls()).count("list") == 1


def test_changes_during_a_write_become_one(scene):
    site, _ = scene.started(A)
    scene.cf.fault("delay", kind="batch-post", seconds=1.5)
    since = len(scene.calls())
    site.add(B)
    until(lambda: scene.calls(since))
    for n in range(10, 30):
        site.add(f"192.0.2.{n}")
    site.settle()
    assert kinds(scene.calls(since)) == ["batch-post"] * 2


# -- grace

def blip(scene, site, seconds):
    site.remove(B)
    time.sleep(seconds)
    site.add(B)


def test_a_blip_of_50_ms_writes_nothing(scene):
    site, _ = scene.started(A, B, args=["--grace", "1"])
    since = len(scene.calls())
    blip(scene, site, 0.05)
    scene.quiet(1.5)
    assert not scene.calls(since)


def test_a_longer_blip_writes_nothing_with_a_longer_grace(scene):
    """Registrars take up to 6 s."""
    seconds = 6 if os.environ.get("SLOW") else 2
    site, _ = scene.started(A, B, args=["--grace", str(seconds + 1)])
    since = len(scene.calls())
    blip(scene, site, seconds)
    scene.quiet(1.5)
    assert not scene.calls(since)


@pytest.mark.parametrize("how", ["critical", "vanished"])
def test_who_is_gone_leaves_after_the_grace(scene, how):
    site, _ = scene.started(A, B, args=["--grace", "2"])
    began = time.monotonic()
    if how == "critical":
        site.set(B, "critical")
    else:
        site.remove(B)
    site.settle([A])
    assert 2.0 <= time.monotonic() - began < 3.0


def test_grace_does_not_delay_an_addition(scene):
    site, _ = scene.started(A, B, args=["--grace", "60"])
    site.remove(B)
    time.sleep(0.2)
    site.add(C)
    site.settle([A, B, C], seconds=2)
    site.add(B)
    scene.quiet(0.3)


def test_the_second_to_go_has_a_grace_of_its_own(scene):
    site, _ = scene.started(A, B, C, args=["--grace", "2"])
    first = time.monotonic()
    site.remove(B)
    time.sleep(1)
    second = time.monotonic()
    site.remove(C)
    site.settle([A, C])
    assert 2.0 <= time.monotonic() - first < 2.9
    site.settle([A])
    assert 2.0 <= time.monotonic() - second < 2.9


@pytest.mark.parametrize("check", ["_node_maintenance", "_service_maintenance:"])
def test_maintenance_leaves_at_once(scene, check):
    site, _ = scene.started(A, B, args=["--grace", "60"])
    id = f"{site.service}-{B}"
    check += id if check.endswith(":") else ""
    states = {**site.states, B: "maintenance"}
    site.change(states, lambda: scene.consul.add(
        site.service, B, checks={"service:" + id: "passing", check: "critical"}))
    site.settle([A], seconds=2)


def test_warning_leaves_or_stays_as_told(scene):
    site, watch = scene.started(A, B)
    site.set(B, "warning")
    site.settle([A])
    watch.stop()
    watch = scene.watch(site, "--include-warning")
    site.settle([A, B])
    watch.stop()
    site.set(B, "passing")


# -- held states

def test_an_empty_service_keeps_its_records(scene):
    site, watch = scene.started(A, B)
    site.remove(A)
    site.settle()
    site.remove(B)
    assert watch.wait_for("held")["held"] == "1"
    scene.quiet(1)
    assert site.contents() == [B]
    site.add(C)  # and when there is one again, the old one goes
    site.settle()


def test_an_empty_service_has_its_records_removed_if_told(scene):
    site, _ = scene.started(A, B, args=["--on-empty", "remove"])
    site.on_empty = "remove"
    site.remove(A)
    site.remove(B)
    site.settle([])
    site.add(C)
    site.settle()


def test_an_empty_service_falls_back(scene):
    site, _ = scene.started(A, B, args=["--on-empty", "fallback=192.0.2.250"])
    site.remove(A)
    site.remove(B)
    site.settle(["192.0.2.250"])
    site.add(A)
    site.settle()


def test_the_floor_is_kept(scene):
    site, watch = scene.started(A, B, C, args=["--min-records", "2"])
    for address in (A, B):
        site.remove(address)
    watch.wait_for("held")
    assert len(site.contents()) == 2 and C in site.contents()
    assert not site.breaches(floor=2)
    site.add(D)


# -- resync

def test_a_resync_puts_back_what_others_changed(scene):
    site, watch = scene.started(A, B, args=["--resync", "10"])
    scene.cf.remove(site.name, content=A)
    scene.cf.seed(site.name, "A", D)
    site.settle(seconds=13)
    line, = watch.find("drift: somebody else changed the records")
    assert (line["to_create"], line["to_delete"]) == ("1", "1")
    site.add(D)
    site.settle()
    assert len(watch.find("drift: somebody else changed the records")) == 1


def test_what_others_changed_does_no_harm_to_a_change(scene):
    """A deletes record that another hand deleted before, a record that another hand added."""
    site, _ = scene.started(A, B)
    scene.cf.remove(site.name, content=B)
    scene.cf.seed(site.name, "A", C)
    site.remove(B)
    site.add(C)
    time.sleep(1)  # the records are right by chance at first
    site.settle()


# -- rest

def test_check_output_that_changes_all_the_time_costs_next_to_nothing(scene):
    site, watch = scene.started(A, B)
    id = f"{site.service}-{A}"
    node = f"node-{id}".replace(".", "-")
    since, cpu, began = len(scene.calls()), watch.cpu_seconds(), time.monotonic()
    for n in range(40):
        scene.consul.put("/v1/catalog/register", {
            "Node": node, "Address": "10.0.0.1", "SkipNodeUpdate": True,
            "Check": {"Node": node, "CheckID": "service:" + id, "Name": "x", "ServiceID": id,
                      "Status": "passing", "Output": f"load {n}"}})
        time.sleep(0.1)
    seconds = time.monotonic() - began
    assert not scene.calls(since)
    assert watch.cpu_seconds() - cpu <= 0.01 * seconds
    assert not watch.find("held") and len(watch.find("synced")) == 1


def test_at_rest_it_takes_no_time_and_little_memory(scene):
    _, watch = scene.started(A, B, env={"DNSBUDDY_REGISTER_AS": "none"})
    cpu = watch.cpu_seconds()
    scene.quiet(3)
    assert watch.cpu_seconds() - cpu <= 0.01
    assert watch.memory_kb("VmRSS") <= 1024, watch.memory_kb("VmRSS")


# -- many records

def test_records_of_one_service_share_a_watch(scene, start_cloudflare, tmp_path):
    cf = scene.cf = start_cloudflare(["example.com", "example.net"])
    sites = [scene.site(A, B, name="www.example.com")]
    sites += [scene.site(name=name, service=sites[0].service)
              for name in ("api.example.com", "www.example.net")]
    text = json.dumps({"records": [{"service": s.service, "record": s.name} for s in sites]})
    scene.watch(env={"DNSBUDDY_CONFIG": text})
    for site in sites[1:]:
        site.states, site.past = sites[0].states, sites[0].past
    for site in sites:
        site.settle()
    since = len(cf.calls())
    sites[0].add(C)
    for site in sites[1:]:
        site.states = sites[0].states
        site.settle()
    sites[0].settle()
    assert kinds(cf.calls(since=since)) == ["batch-post"] * 2  # one for each zone


def test_usage_is_wrong_before_anything_starts(scene):
    site = scene.site(A, records=[A])
    for args, code in ((["--grace", "x"], 64), (["--resync", "1"], 64), (["--json"], 64)):
        run = scene.start("watch", *args, site.service, NAME, cloudflare=scene.cf,
                          consul=scene.consul)
        run.wait().expect(code)
    assert not scene.calls()


def test_sigint_is_a_stop_too(scene):
    _, watch = scene.started(A)
    watch.stop(signal.SIGINT)
