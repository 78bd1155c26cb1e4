"""Hundreds of names in one `watch`: a real Consul with its default limits, and what the API is asked."""

import json
import time

import pytest
from consul import Consul
from fleet import Fleet, connections, names_in_step
from watching import Scene, until

NAMES, MOST, LARGE_ZONE = 250, 1024, 3500
CONNECTIONS = 64
MEMORY_KB = 12 * 1024
START_CALLS, RIGHT_CALLS = 8, 3
BATCH = 200


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """Consul as it comes: 200 connections of one client."""
    agent = Consul(tmp_path_factory.mktemp("limited"), config={"limits": {}})
    yield agent
    agent.stop()


class Many(Scene):
    """A fleet, the stand-in, and watches of all of it."""

    def __init__(self, consul, cloudflare, start, folder):
        super().__init__(consul, cloudflare, start)
        self.folder, self.fleets = folder, []

    def fleet(self, n, kind=None, **more):
        made = Fleet(self.consul, kind or self.consul.new_name(), n, **more)
        self.fleets.append(made)
        return made

    def follow(self, fleet, env=None, **more):
        return self.watch(None, "--config", fleet.config(self.folder, **more), env=env)

    def contents(self, fleet):
        """{name: contents} of the fleet's names, those without a record left out."""
        out, names = {}, set(fleet.names)
        for record in self.cf.records():
            if record.name in names:
                out.setdefault(record.name, []).append(record.content)
        return {name: sorted(those) for name, those in out.items()}

    def settle(self, fleet, other=(), seconds=60):
        """Until each name has the record of the instance that stays, but for {i: contents}."""
        wanted = {name: [content] for name, content in zip(fleet.names, fleet.staying)}
        wanted |= {fleet.names[i]: sorted(those) for i, those in dict(other).items()}
        wanted = {name: those for name, those in wanted.items() if those}

        def say():
            got = self.contents(fleet)
            wrong = [(n, got.get(n), wanted.get(n)) for n in fleet.names if got.get(n) != wanted.get(n)]
            return f"{len(wrong)} names are wrong: {wrong[:5]}\n{self.watches[-1].text()[-3000:]}"

        until(lambda: self.contents(fleet) == wanted, seconds, say)

    def foreign(self, n):
        self.cf.seed_many([{"name": f"other-{i}.example.com", "type": "A", "content": "203.0.113.9"} for i in range(n)])
        return self.others()

    def others(self):
        return [r for r in self.cf.records() if r.name.startswith("other-")]

    def kinds(self, since=0):
        return [c.kind for c in self.calls(since)]

    def finish(self):
        for watch in self.watches:
            if not watch.ended:
                watch.stop()


@pytest.fixture
def make_many(request, limited, start, tmp_path):
    """make_many(stand-in): a Many; at its end every watch stops well, and nothing is left in Consul."""
    made = []

    def begin(cf):
        made.append(Many(limited, cf, start, tmp_path))
        return made[-1]

    failed_before = request.session.testsfailed
    yield begin
    try:
        for many in made:
            if request.session.testsfailed == failed_before:
                many.finish()
    finally:
        for many in made:
            for fleet in many.fleets:
                fleet.close()


@pytest.fixture
def many(make_many, cloudflare):
    return make_many(cloudflare)


def test_250_services_and_each_change_of_one(many):
    """One goes, one comes, one tag moves to another instance: with few calls and few connections each is right."""
    fleet = many.fleet(NAMES, tags=["blue"])
    watch = many.follow(fleet, tag="blue")
    many.settle(fleet)
    many.rest(0.5)
    assert len(many.calls()) <= START_CALLS, many.kinds()
    assert connections(watch.pid, many.consul.port) <= CONNECTIONS
    assert many.consul.get("/v1/status/leader")  # others are let in

    since, right = len(many.calls()), {}
    fleet.list(7, fleet.moving[7])
    right[7] = [fleet.staying[7], fleet.moving[7]]
    many.settle(fleet, right)
    fleet.drop(7, fleet.staying[7])
    right[7] = [fleet.moving[7]]
    many.settle(fleet, right)
    fleet.list(249, fleet.moving[249])
    right[249] = [fleet.staying[249], fleet.moving[249]]
    many.settle(fleet, right)
    fleet.list(100, fleet.moving[100], tags=["blue"])
    fleet.list(100, fleet.staying[100], tags=["green"])
    right[100] = [fleet.moving[100]]
    many.settle(fleet, right)
    many.rest(0.5)
    # Each write alone; the tag's change is of one addition and one removal.
    assert len(many.calls(since)) == len(many.cf.writes(since)) <= 5, many.kinds(since)
    many.consul.put("/v1/catalog/deregister", {"Node": fleet.node_of(3), "ServiceID": f"{fleet.services[3]}-{fleet.staying[3]}"})
    watch.wait_for("held", name=fleet.names[3])
    assert many.contents(fleet)[fleet.names[3]] == [fleet.staying[3]]


def test_a_restart_with_all_right_asks_three_times_at_most(many):
    fleet = many.fleet(NAMES)
    many.cf.seed_many(fleet.records())
    others = many.foreign(LARGE_ZONE - NAMES)
    for _ in range(2):
        since = len(many.calls())
        watch = many.follow(fleet)
        until(lambda: names_in_step(watch.text()) == NAMES, 30, watch.text)
        many.rest(0.5)
        assert len(many.calls(since)) <= RIGHT_CALLS, many.kinds(since)
        assert not many.cf.writes(since)
        watch.stop()
    assert many.others() == others


def test_a_large_zone_of_others(many):
    """All to be created among 3,250 records of others, which stay as they are."""
    fleet = many.fleet(NAMES)
    others = many.foreign(LARGE_ZONE - NAMES)
    many.follow(fleet)
    many.settle(fleet)
    many.rest(0.5)
    assert len(many.calls()) <= START_CALLS, many.kinds()
    assert many.others() == others


def test_a_listing_that_breaks_off_removes_nothing(many):
    fleet = many.fleet(60)
    others = many.foreign(LARGE_ZONE - 120)
    stale = [{**record, "content": "203.0.113.77"} for record in fleet.records()]
    many.cf.seed_many(fleet.records() + stale)
    cut = many.cf.fault("truncate", kind="list", where="body", times=2)
    watch = many.follow(fleet)
    until(lambda: cut.hits == 2, 30, watch.text)
    many.settle(fleet)
    broken, whole = [c.n for c in many.cf.calls("list")][1:3]
    assert all(c.n > whole > broken for c in many.cf.writes())
    assert many.others() == others


def test_a_bad_record_fails_alone(many):
    """The API will not have the record of one: its name fails with code and chain, the others are right."""
    fleet = many.fleet(NAMES)
    bad = 123
    many.cf.poison(fleet.staying[bad], "no such address here")
    watch = many.follow(fleet)
    many.settle(fleet, {bad: []}, seconds=90)
    until(lambda: [line for line in watch.find("retrying") if line.get("name") == fleet.names[bad]], 30, watch.text)
    failed = {line["name"] for line in watch.find("retrying") if "name" in line}
    assert failed == {fleet.names[bad]}
    text = next(line["error"] for line in watch.find("retrying") if line.get("name") == fleet.names[bad])
    assert "1004" in text and "9999" in text and "no such address here" in text
    # Halving: 8 calls find one of 200, and the rest of each half goes with it.
    assert len(many.cf.writes()) <= 24, many.kinds()
    since = len(many.calls())
    fleet.list(5, fleet.moving[5])  # others go on
    many.settle(fleet, {bad: [], 5: [fleet.staying[5], fleet.moving[5]]})
    assert len(many.calls(since)) <= 6


def test_a_token_without_one_zone(make_many, start_cloudflare):
    """What the token may not touch fails; the other zone is right, and stays so."""
    cf = start_cloudflare(["example.com", "example.org"])
    many = make_many(cf)
    fleet = many.fleet(100, zones=["example.com", "example.org"])
    watch = many.follow(fleet, env={"CLOUDFLARE_API_TOKEN": cf.add_token(zone="example.com")})
    many.settle(fleet, {i: [] for i in range(1, 100, 2)})
    fleet.list(0, fleet.moving[0])
    many.settle(fleet, {0: [fleet.staying[0], fleet.moving[0]]} | {i: [] for i in range(1, 100, 2)})
    failed = {line["name"] for line in watch.find("retrying") if "name" in line}
    assert failed and all(name.endswith(".example.org") for name in failed)


def test_a_token_that_is_read_again(many, tmp_path):
    """The names are those of the start, though the file that named them is another by then."""
    fleet, path = many.fleet(60), tmp_path / "token"
    path.write_text(many.cf.token)
    watch = many.follow(fleet, env={"CLOUDFLARE_API_TOKEN": None, "CLOUDFLARE_API_TOKEN_FILE": path})
    many.settle(fleet)
    file = tmp_path / f"{fleet.kind}.json"
    file.write_text(json.dumps({"records": json.loads(file.read_text())["records"][:2]}))
    many.cf.credentials.tokens.clear()
    path.write_text(many.cf.add_token())
    fleet.list(50, fleet.moving[50])
    many.settle(fleet, {50: [fleet.staying[50], fleet.moving[50]]})
    watch.wait_for("credentials read again")
    fleet.list(20, fleet.moving[20])
    many.settle(fleet, {i: [fleet.staying[i], fleet.moving[i]] for i in (20, 50)})


def test_many_zones(make_many, start_cloudflare):
    """20 zones of 12 names: no more than a look-up, a listing and a write for each."""
    zones = [f"z{i}.example.net" for i in range(20)]
    cf = start_cloudflare(zones)
    many = make_many(cf)
    fleet = many.fleet(240, zones=zones)
    many.follow(fleet)
    many.settle(fleet)
    many.rest(0.5)
    assert len(many.calls()) <= 60, many.kinds()


def test_1024_names(many):
    """As many as there may be: all right, within the memory and the connections that are promised."""
    fleet = many.fleet(MOST)
    watch = many.follow(fleet)
    many.settle(fleet, seconds=120)
    many.rest(1)
    assert len(many.calls()) <= 2 + 2 * (-(-MOST // BATCH)), many.kinds()
    assert connections(watch.pid, many.consul.port) <= CONNECTIONS
    assert watch.memory_kb("VmRSS") <= MEMORY_KB, watch.memory_kb("VmRSS")
    fleet.list(1000, fleet.moving[1000])
    many.settle(fleet, {1000: [fleet.staying[1000], fleet.moving[1000]]})
    time.sleep(0.1)
    since = len(many.calls())
    many.quiet(1)
    assert len(many.calls(since)) == 0
