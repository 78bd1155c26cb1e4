"""sync and plan with many names: cost by zone and not by name, and a fault stays with its name."""

import json
import os
import pty
import select
import time
from collections import Counter

import pytest
from fake_consul import Reply, instance
from program import NAME
from test_plan import load_all

MANY = 250


def name_of(i, zone="example.com"):
    return f"n{i:03}.{zone}"


def address(i):
    return f"203.0.{i // 250}.{i % 250 + 1}"


class Scene:
    """Services s000, s001... with one instance each, and a name for each."""

    def __init__(self, run, fake, cloudflare, n=MANY, zone="example.com"):
        self.run, self.consul, self.cf = run, fake, cloudflare
        self.listed = {}  # service: addresses
        self.records = []
        self.add(n, zone)
        fake.script = self.answer

    def add(self, n, zone):
        for i in range(len(self.records), len(self.records) + n):
            self.listed[f"s{i:03}"] = [address(i)]
            self.records.append({"service": f"s{i:03}", "record": name_of(i, zone)})

    def answer(self, request):
        service = request.path.rpartition("/")[2]
        if service not in self.listed:
            return None
        return Reply(body=[instance(a, id=f"{service}-{a}") for a in self.listed[service]])

    @property
    def env(self):
        return {"DNSBUDDY_CONFIG": json.dumps({"records": self.records}), "DNSBUDDY_RETRY_FOR": "0"}

    def go(self, command="sync", *flags, code=0, **env):
        return self.run(command, *flags, cloudflare=self.cf, consul=self.consul,
                        env={**self.env, **env}).expect(code)

    def seed(self, content=address, skip=()):
        self.cf.seed_many({"name": r["record"], "type": "A", "content": content(i)}
                          for i, r in enumerate(self.records) if i not in skip)

    def wrong(self):
        """The names whose records are not what Consul lists."""
        return [r["record"] for r in self.records
                if self.cf.contents(r["record"]) != sorted(self.listed[r["service"]])]

    def kinds(self, since=0):
        return Counter(c.kind for c in self.cf.calls(since=since))


@pytest.fixture
def scene(run, fake, cloudflare):
    return Scene(run, fake, cloudflare)


@pytest.fixture
def two_zones(run, fake, start_cloudflare):
    """Eight names in example.com, eight in example.org."""
    scene = Scene(run, fake, start_cloudflare(["example.com", "example.org"]), 8)
    scene.add(8, "example.org")
    return scene


# -- what it costs

def test_all_new(scene):
    done = scene.go()
    assert not scene.wrong()
    assert scene.kinds() == {"zones": 1, "list": 1, "batch-post": 2}
    assert len(scene.cf.connections) == 1 and len(scene.consul.requests) == MANY
    assert Counter(done.messages()) == {"record created": MANY, "synced": MANY}


def test_all_right(scene):
    scene.seed()
    done = scene.go()
    assert scene.kinds() == {"zones": 1, "list": 1}
    assert Counter(done.messages()) == {"in sync": MANY}


def test_all_moved(scene):
    """Every address is another: all that is new comes before anything that is old goes."""
    scene.seed(lambda i: f"198.51.100.{i % 250 + 1}")
    mark = scene.cf.mark()
    scene.go()
    assert not scene.wrong()
    kinds = [c.kind for c in scene.cf.calls()]
    assert kinds == ["zones", "list", "batch-post", "batch-post", "batch-delete", "batch-delete"]
    for i in (0, 1, MANY - 1):
        scene.cf.check_invariants(name_of(i), [address(i)], since=mark,
                                  also={r["record"] for r in scene.records})


def test_in_a_zone_of_3500_others(scene):
    scene.cf.seed_many({"name": f"x{n}.example.com", "type": "TXT" if n % 9 else "A",
                        "content": f"198.51.100.{n % 250}"} for n in range(3500 - MANY))
    scene.seed(skip=range(200, 250))
    before = {r.id for r in scene.cf.records()}
    scene.go()
    assert not scene.wrong() and before <= {r.id for r in scene.cf.records()}
    assert scene.kinds() == {"zones": 1, "list": 1, "batch-post": 1}


def test_twenty_zones_of_fifty_names(run, fake, start_cloudflare):
    zones = [f"z{n:02}.net" for n in range(20)]
    scene = Scene(run, fake, start_cloudflare(zones), 0)
    for zone in zones:
        scene.add(50, zone)
    scene.go()
    assert not scene.wrong()
    assert scene.kinds() == {"zones": 1, "list": 20, "batch-post": 20}


def test_small_pages(scene):
    """What is granted is less than what is asked for: the zone is read page by page, once."""
    scene.cf.settings.change(max_per_page=100)
    scene.cf.seed_many({"name": f"x{n}.example.com", "type": "TXT", "content": "x"}
                       for n in range(700))
    scene.seed(skip=(9,))
    scene.go()
    assert not scene.wrong()
    assert scene.kinds() == {"zones": 1, "list": 10, "batch-post": 1}


def test_pages_that_shift(scene):
    """Somebody else's record comes in front between two pages: the listing counts for nothing."""
    scene.cf.settings.change(max_per_page=100)
    scene.seed(lambda i: "198.51.100.1")
    scene.cf.fault("hook", kind="list", path="page=2",
                   before=lambda call: scene.cf.seed("a.example.com", "A", "198.51.100.2"))
    done = scene.go(DNSBUDDY_RETRY_FOR="20")
    assert not scene.wrong() and scene.cf.contents("a.example.com") == ["198.51.100.2"]
    assert done.find("retrying") and not done.find("failed")


def test_names_of_one_service_share_its_reads(scene):
    scene.records = [{"service": "s000", "record": name_of(i)} for i in range(20)]
    scene.seed()
    scene.listed["s000"] = ["203.0.0.1"]
    scene.go()
    assert not scene.wrong()
    assert [r.is_consistent for r in scene.consul.requests] == [False, True]


def test_two_owners_of_one_name(scene):
    scene.records = [{"service": f"s00{i}", "record": NAME, "owner": f"o{i}"} for i in range(2)]
    scene.cf.seed(NAME, "A", "198.51.100.1", comment="managed by dnsbuddy owner=o1")
    scene.cf.seed(NAME, "A", "198.51.100.2")
    scene.go()
    assert {r.content: r.comment for r in scene.cf.records(NAME)} == {
        address(0): "managed by dnsbuddy owner=o0", address(1): "managed by dnsbuddy owner=o1",
        "198.51.100.2": None}
    assert scene.kinds() == {"zones": 1, "list": 1, "batch-post": 1, "batch-delete": 1}


def test_zones_of_many_pages_are_looked_up_once(run, fake, start_cloudflare):
    zones = [f"z{n:03}.net" for n in range(120)]
    scene = Scene(run, fake, start_cloudflare(zones), 0)
    for zone in zones[::6]:
        scene.add(3, zone)
    scene.go()
    assert not scene.wrong()
    assert scene.kinds() == {"zones": 3, "list": 20, "batch-post": 20}


def test_an_account_of_a_thousand_zones(run, fake, start_cloudflare):
    """Its zones are read once where that takes no more calls than asking for each name."""
    scene = Scene(run, fake, start_cloudflare([f"z{n:03}.net" for n in range(1000)]), 0)
    for n in range(12):
        scene.add(1, f"z{n * 80:03}.net")
    scene.go()
    assert not scene.wrong()
    assert scene.kinds() == {"zones": 20, "list": 12, "batch-post": 12}


# -- what goes wrong

def test_one_bad_record(scene):
    """Its own name fails, with code and chain; every other one is right."""
    scene.cf.poison(name=name_of(7), message="no such record here")
    done = scene.go(code=1)
    assert scene.wrong() == [name_of(7)]
    failed, = done.find("failed")
    assert failed["name"] == name_of(7)
    assert "1004" in failed["error"] and "no such record here (code 9999)" in failed["error"]
    assert len(scene.cf.writes()) <= 24
    assert Counter(done.messages())["synced"] == MANY - 1


def test_bad_records_far_apart(scene):
    bad = [name_of(i) for i in (0, 100, 249)]
    for name in bad:
        scene.cf.poison(name=name)
    scene.seed(lambda i: "198.51.100.1")
    done = scene.go(code=1)
    assert {line["name"] for line in done.find("failed")} == set(bad)
    for i, record in enumerate(scene.records):
        # I1: nothing goes where something wanted cannot come
        want = ["198.51.100.1"] if record["record"] in bad else [address(i)]
        assert scene.cf.contents(record["record"]) == want


def test_an_odd_record_of_one_name(scene):
    """What the API lists at one name cannot be read: that one fails, and says why."""
    scene.cf.seed(name_of(3), "A", address(3), id="no-id")
    done = scene.go(code=1)
    failed, = done.find("failed")
    assert failed["name"] == name_of(3) and "without a good id" in failed["error"]
    assert set(scene.wrong()) <= {name_of(3)}


def test_a_token_that_loses_a_zone(two_zones):
    cf = two_zones.cf
    cf.add_token(cf.token, rights=("zone_read",), zone="example.org")
    done = two_zones.go(code=77)
    assert two_zones.wrong() == [name_of(i, "example.org") for i in range(8, 16)]
    assert {line["name"] for line in done.find("failed")} == set(two_zones.wrong())
    assert all("10000" in line["error"] for line in done.find("failed"))
    assert len(cf.calls()) <= 6


def test_a_token_that_does_not_see_a_zone(two_zones):
    two_zones.cf.add_token(two_zones.cf.token, rights=(), zone="example.org")
    done = two_zones.go(code=78)
    assert two_zones.wrong() == [name_of(i, "example.org") for i in range(8, 16)]
    for line in done.find("failed"):
        assert f"no zone that holds {line['name']}" in line["error"]
    assert two_zones.kinds()["zones"] == 1


def test_no_name_has_a_zone(run, fake, start_cloudflare):
    """Of all but the first that is known without a call, and told all the same."""
    scene = Scene(run, fake, start_cloudflare(["example.net"]), 20)
    done = scene.go(code=78)
    assert [line["name"] for line in done.find("failed")] == [r["record"] for r in scene.records]
    assert scene.kinds() == {"zones": 1}


def test_a_zone_that_vanishes(two_zones):
    cf = two_zones.cf
    zone_id = cf.zone_id("example.org")
    cf.fault("hook", kind="list", path=zone_id, before=lambda call: cf.remove_zone("example.org"))
    done = two_zones.go(code=77)
    assert two_zones.wrong() == [name_of(i, "example.org") for i in range(8, 16)]
    assert len(done.find("failed")) == 8 and len(cf.calls()) <= 6


def cut(scene, **keys):
    return scene.cf.fault("truncate", kind="list", where="body", **keys)


def test_a_listing_cut_in_the_middle(scene):
    """Half of the zone was listed: nothing is removed, nothing is believed to be missing."""
    scene.seed(lambda i: "198.51.100.1")
    before = scene.cf.records()
    cut(scene, times=0)
    done = scene.go(code=1)
    assert scene.cf.records() == before and not scene.cf.writes()
    assert len(done.find("failed")) == MANY


def test_a_listing_is_asked_for_again(scene):
    scene.seed(lambda i: "198.51.100.1")
    rule = cut(scene)
    scene.go(DNSBUDDY_RETRY_FOR="20")
    assert rule.hits == 1 and not scene.wrong()
    assert scene.kinds()["list"] == 2


def test_a_lost_answer_to_a_batch(scene):
    """What was written is found in the next listing, and not written twice."""
    scene.cf.fault("lost", kind="batch-post")
    scene.go(DNSBUDDY_RETRY_FOR="20")
    assert not scene.wrong() and len(scene.cf.records()) == MANY


def test_a_service_that_cannot_be_read(scene):
    scene.seed(lambda i: "198.51.100.1")

    def answer(request):
        return Reply(500) if request.path.endswith("/s005") else scene.answer(request)
    scene.consul.script = answer
    done = scene.go(code=1)
    assert scene.wrong() == [name_of(5)]
    assert [line["name"] for line in done.find("failed")] == [name_of(5)]


# -- plan

def expected_names(**more):
    return {"all": 0, "failed": 0, "held": 0, "changing": 0, "in_sync": 0, **more}


@pytest.fixture
def troubled(two_zones):
    """example.com: 8 names, one of them to change, one held; example.org cannot be listed."""
    two_zones.add(2, "example.com")
    two_zones.seed(lambda i: address(i), skip=(3,))
    two_zones.listed["s004"] = []
    two_zones.cf.fault("error", kind="list", path=two_zones.cf.zone_id("example.org"), times=0,
                       code=9999)
    return two_zones


def test_plan_by_zone(troubled):
    done = troubled.go("plan", code=1)
    lines = done.out.splitlines()
    assert lines[0] == "zone example.com: 10 names: 1 held, 1 to change, 8 in sync"
    assert lines[1].startswith(f"{name_of(4)}: service s004, 0 instances; 0 wanted, 1 record there")
    assert lines[2].startswith("  = A     ")
    assert any(line.startswith(f"{name_of(3)}: service s003") for line in lines)
    assert not any(line.startswith(name_of(0)) for line in lines), "what is in sync is folded"
    at = lines.index("zone example.org: 8 names: 8 failed")
    assert lines[at - 1] == "" and lines[at + 1] == f"{name_of(8, 'example.org')}: failed"
    assert lines[-2:] == ["in all, 2 zones, 18 names: 8 failed, 1 held, 1 to change, 8 in sync",
                          "  1 to create, 0 to update, 0 to delete, 1 held, 8 kept"]
    assert len(done.find("failed")) == 8
    assert not troubled.cf.writes()


def test_plan_of_few_names_shows_them_all(two_zones):
    del two_zones.records[8:]
    two_zones.seed()
    lines = two_zones.go("plan").out.splitlines()
    assert lines[0] == "zone example.com: 8 names: 8 in sync"
    assert lines.count("  in sync: nothing to do") == 8


def test_plan_of_many_in_sync_is_short(scene):
    scene.seed()
    assert scene.go("plan").out.splitlines() == [
        "zone example.com: 250 names: 250 in sync",
        "in all, 1 zone, 250 names: 250 in sync",
        "  0 to create, 0 to update, 0 to delete, 0 held, 250 kept"]


def test_plan_in_json(troubled):
    data = load_all(troubled.go("plan", "--json", code=1))
    assert [r["name"] for r in data["records"]] == [r["record"] for r in troubled.records]
    assert data["zones"] == [
        {"zone_id": troubled.cf.zone_id(), "zone": "example.com",
         "names": expected_names(all=10, held=1, changing=1, in_sync=8),
         "records": {"create": 1, "update": 0, "delete": 0, "held": 1, "kept": 8}},
        {"zone_id": troubled.cf.zone_id("example.org"), "zone": "example.org",
         "names": expected_names(all=8, failed=8),
         "records": {"create": 0, "update": 0, "delete": 0, "held": 0, "kept": 0}}]
    assert data["totals"]["names"] == expected_names(all=18, failed=8, held=1, changing=1, in_sync=8)
    assert data["totals"]["records"]["kept"] == 8


def test_plan_in_json_of_a_zone_that_is_not_known(two_zones):
    two_zones.cf.add_token(two_zones.cf.token, rights=(), zone="example.org")
    data = load_all(two_zones.go("plan", "--json", code=78))
    assert [(z["zone_id"], z["zone"]) for z in data["zones"]] == [
        (two_zones.cf.zone_id(), "example.com"), (None, None)]
    out = two_zones.go("plan", code=78).out
    assert "zone not known: 8 names: 8 failed\n" in out


def on_terminal(start, scene, slow):
    """What plan writes to a terminal on stderr; its result goes into a file."""
    parent, child = pty.openpty()
    if slow:
        scene.cf.fault("delay", kind="list", seconds=slow)
    running = start("plan", cloudflare=scene.cf, consul=scene.consul,
                    env={"TERM": "xterm", **scene.env}, stderr=child)
    os.close(child)
    seen, until = b"", time.monotonic() + 20
    while time.monotonic() < until and select.select([parent], [], [], 20)[0]:
        try:
            data = os.read(parent, 65536)
        except OSError:
            break
        seen += data
    os.close(parent)
    return running.wait().expect(0), seen.decode()


def test_a_slow_plan_shows_where_it_is(start, scene):
    done, seen = on_terminal(start, scene, slow=2.5)
    assert "plan: " in seen and "listing records, 250 of 250 names to go" in seen
    assert seen.endswith("\r\x1b[K") and "\n" not in seen
    assert "zone example.com" in done.out


def test_a_quick_plan_shows_nothing_of_that(start, scene):
    assert on_terminal(start, scene, slow=0)[1] == ""


def test_nothing_is_shown_without_a_terminal(scene):
    scene.cf.fault("delay", kind="list", seconds=1.5)
    assert scene.go("plan").err == ""
