"""Zones, many records, many instances: paging, chunks, memory."""

import ipaddress
import json

import pytest
from fake_consul import instance
from program import NAME

PEAK_KB = 3 * 1024
FIRST = int(ipaddress.ip_address("198.18.0.0"))


def addresses(n, start=1):
    return [str(ipaddress.ip_address(FIRST + start + i)) for i in range(n)]


def config(records, **more):
    return json.dumps({"records": records, **more})


def test_several_records_over_several_zones(run, consul, start_cloudflare):
    """The second has no zone: the others go on. The third's host name beside an address is left out."""
    cf = start_cloudflare(["example.com", "example.net"])
    one, two = consul.service("192.0.2.1"), consul.service("192.0.2.2", "192.0.2.3")
    mixed = consul.service("192.0.2.4", "host.example.org")
    text = config([
        {"service": one, "record": "a.example.com"},
        {"service": one, "record": "b.example.org"},
        {"service": mixed, "record": "c.example.com"},
        {"service": two, "record": "d.example.net", "ttl": 300},
    ], ttl=120)
    done = run("sync", cloudflare=cf, consul=consul, env={"DNSBUDDY_CONFIG": text}).expect(78)
    assert cf.contents("a.example.com") == ["192.0.2.1"]
    assert [(r.content, r.ttl) for r in cf.records("d.example.net")] == [
        ("192.0.2.2", 300), ("192.0.2.3", 300)]
    assert cf.records("a.example.com")[0].ttl == 120
    assert [line["name"] for line in done.find("failed")] == ["b.example.org"]
    assert cf.contents("c.example.com") == ["192.0.2.4"]
    assert len(cf.connections) == 1


def test_all_records_well_is_exit_0(run, consul, start_cloudflare, tmp_path):
    cf = start_cloudflare(["example.com", "example.net"])
    service = consul.service("192.0.2.1")
    file = tmp_path / "dnsbuddy.json"
    file.write_text(config([{"service": service, "record": f"www.example.{top}"}
                            for top in ("com", "net")]))
    run("sync", "--config", file, cloudflare=cf, consul=consul).expect(0)
    assert cf.contents("www.example.com") == cf.contents("www.example.net") == ["192.0.2.1"]


# -- zones

def test_the_longest_zone_is_taken(run, consul, start_cloudflare):
    cf = start_cloudflare(["com.example", "example.com", "sub.example.com", "ub.example.com",
                           "other.net"])
    service = consul.service("192.0.2.1")
    run("sync", service, "www.sub.example.com", cloudflare=cf, consul=consul).expect(0)
    record, = cf.records("www.sub.example.com")
    assert record.zone_id == cf.zone_id("sub.example.com")


def test_a_zone_by_name_is_one_look_up(run, consul, start_cloudflare):
    cf = start_cloudflare(["example.com", "sub.example.com"])
    run("sync", "--zone", "Example.COM", consul.service("192.0.2.1"), "a.example.com",
        cloudflare=cf, consul=consul).expect(0)
    call, = cf.calls("zones")
    assert call.param("name") == "example.com"


def test_of_many_zones_no_more_than_a_page_is_listed(run, consul, start_cloudflare):
    names = [f"z{n:03}.net" for n in range(120)] + ["example.com"]
    cf = start_cloudflare(names, zones_max_per_page=20)
    run("sync", consul.service("192.0.2.1"), NAME, cloudflare=cf, consul=consul).expect(0)
    assert [c.param("name") for c in cf.calls("zones")] == [None, NAME, "example.com"]
    assert cf.contents(NAME) == ["192.0.2.1"]


@pytest.mark.parametrize("many", [0, 60])
@pytest.mark.parametrize("flags", [("--zone", "xn--bcher-kva.example"), ("--zone", "Bücher.example"), ()])
@pytest.mark.parametrize("record", ["www.bücher.example", "www.xn--bcher-kva.example"])
def test_a_zone_in_unicode(run, consul, start_cloudflare, record, flags, many):
    cf = start_cloudflare([f"z{n:03}.net" for n in range(many)] + ["bücher.example"])
    service = consul.service("192.0.2.1")
    run("sync", *flags, service, record, cloudflare=cf, consul=consul).expect(0)
    assert cf.contents("www.xn--bcher-kva.example") == ["192.0.2.1"]
    since = len(cf.calls())
    run("sync", *flags, service, record, cloudflare=cf, consul=consul).expect(0)
    assert not cf.writes(since)


@pytest.mark.parametrize("status", ["pending", "initializing", "moved"])
def test_a_zone_that_is_not_served_is_used_with_a_warning(run, consul, start_cloudflare, status):
    cf = start_cloudflare([])
    cf.add_zone("example.com", status=status)
    done = run("sync", consul.service("192.0.2.1"), NAME, cloudflare=cf, consul=consul).expect(0)
    warning, = done.find("the zone is not active: nobody sees its records")
    assert (warning["zone"], warning["status"]) == ("example.com", status)
    assert cf.contents(NAME) == ["192.0.2.1"]


def test_a_zone_of_no_use_is_named(run, consul, start_cloudflare):
    cf = start_cloudflare([])
    cf.add_zone("example.com", status="deactivated")
    done = run("sync", consul.service("192.0.2.1"), NAME, cloudflare=cf, consul=consul).expect(78)
    assert "the zone example.com is of no use, it is deactivated" in done.last["error"]


@pytest.mark.parametrize("zones", [["other.net"], []])
def test_no_zone_is_a_mistake_of_the_configuration(run, consul, start_cloudflare, zones):
    cf = start_cloudflare(zones)
    done = run("sync", consul.service("192.0.2.1"), NAME, cloudflare=cf, consul=consul).expect(78)
    assert f"no zone that holds {NAME}" in done.last["error"]
    assert "CF_ZONE_ID" in done.last["error"]


def test_two_zones_of_one_name_are_ambiguous(run, consul, cloudflare):
    cloudflare.add_zone("example.com", "e" * 32)
    service = consul.service("192.0.2.1")
    done = run("sync", service, NAME, cloudflare=cloudflare, consul=consul).expect(78)
    assert "two zones are named example.com: set CF_ZONE_ID" in done.last["error"]
    run("sync", "--zone-id", "e" * 32, service, NAME, cloudflare=cloudflare,
        consul=consul).expect(0)


def test_a_zone_that_is_gone_does_not_count(run, consul, cloudflare):
    cloudflare.add_zone("example.com", "e" * 32, status="deleted")
    run("sync", consul.service("192.0.2.1"), NAME, cloudflare=cloudflare,
        consul=consul).expect(0)
    assert cloudflare.records(NAME)[0].zone_id == cloudflare.zone_id()


@pytest.mark.parametrize("rights", [("zone_read", "dns_read", "dns_edit"), ("dns_read", "dns_edit")])
@pytest.mark.parametrize("command", ["sync", "plan"])
def test_a_wrong_zone_id_leaves_nothing_behind(run, consul, start_cloudflare, command, rights):
    cf = start_cloudflare(["example.com", "other.net"], strict="zone_read" in rights)
    token = cf.add_token(rights=rights)
    service = consul.service("192.0.2.1", "192.0.2.2")
    known = command == "sync" or "zone_read" in rights
    for _ in range(2):
        done = run(command, "--zone-id", cf.zone_id("other.net"), service, NAME, cloudflare=cf,
                   consul=consul, env={"CLOUDFLARE_API_TOKEN": token}).expect(78 if known else 0)
        assert not known or "CF_ZONE_ID" in done.last["error"]
        assert not cf.store.records()
    assert "zone_read" not in rights or not cf.writes()
    # one that an earlier version left there
    cf.seed("www.example.com.other.net", "A", "192.0.2.1")
    done = run("sync", "--zone-id", cf.zone_id("other.net"), service, NAME, cloudflare=cf,
               consul=consul, env={"CLOUDFLARE_API_TOKEN": token}).expect(78)
    assert "CF_ZONE_ID" in done.last["error"]
    assert len(cf.store.records()) == 1


def test_a_right_zone_id_is_asked_once(run, consul, cloudflare):
    args = ("sync", "--zone-id", cloudflare.zone_id(), consul.service("192.0.2.1"), NAME)
    run(*args, cloudflare=cloudflare, consul=consul).expect(0)
    assert [c.kind for c in cloudflare.calls()] == ["list", "zone", "batch-post"]
    since = len(cloudflare.calls())
    run(*args, cloudflare=cloudflare, consul=consul).expect(0)
    assert [c.kind for c in cloudflare.calls(since=since)] == ["list"]


# -- many

@pytest.mark.parametrize("settings", [
    {"max_per_page": 5}, {"max_per_page": 7, "omit_total_pages": True}])
def test_records_are_paged_to_the_end(run, consul, start_cloudflare, settings):
    cf = start_cloudflare(**settings)
    have = addresses(23)
    cf.seed_many([{"name": NAME, "type": "A", "content": a} for a in have])
    mark = cf.mark()
    service = consul.new_name()
    consul.add_many(service, have[2:] + addresses(1, 100))
    run("sync", service, NAME, cloudflare=cf, consul=consul).expect(0)
    assert len(cf.calls("list")) == -(-23 // settings["max_per_page"])
    cf.check_invariants(NAME, have[2:] + addresses(1, 100), since=mark)


def test_changes_go_in_batches_of_200(run, consul, start_cloudflare):
    cf = start_cloudflare(content_total=0)
    old, new = addresses(401), addresses(450, 1000)
    cf.seed_many([{"name": NAME, "type": "A", "content": a} for a in old])
    mark, service = cf.mark(), consul.new_name()
    consul.add_many(service, new)
    run("sync", service, NAME, cloudflare=cf, consul=consul).expect(0)
    assert [c.kind for c in cf.writes()] == ["batch-post"] * 3 + ["batch-delete"] * 3
    assert [len(c.json.get("posts", c.json.get("deletes"))) for c in cf.writes()] == [
        200, 200, 50, 200, 200, 1]
    cf.check_invariants(NAME, new, since=mark)
    assert len(cf.connections) == 1


def test_1000_real_instances(run, consul, start_cloudflare):
    cf = start_cloudflare(content_total=0)
    want, service = addresses(1000), consul.new_name()
    cf.seed_many([{"name": NAME, "type": "A", "content": a} for a in want[500:]])
    consul.add_many(service, want)
    done = run("sync", service, NAME, cloudflare=cf, consul=consul, watch_memory=True).expect(0)
    assert cf.contents(NAME) == sorted(want)
    assert len(cf.writes()) == 3
    done.check_peak(PEAK_KB)


def rich(address, state="passing"):
    """An entry of the size that real ones have (about 1.8 kB)."""
    return instance(address, state, tags=["traefik.enable=true", "blue", "v1.2.3"],
                    Meta={"version": "1.2.3", "filler": "x" * 900})


def test_10000_instances_listed_and_3_wanted(run, fake, cloudflare):
    fake.instances = [rich(a, "passing" if n < 3 else "critical")
                      for n, a in enumerate(addresses(10000))]
    for address in addresses(3, 9000):
        cloudflare.seed(NAME, "A", address)
    done = run("sync", "web", NAME, cloudflare=cloudflare, consul=fake, timeout=60,
               env={"DNSBUDDY_TIMEOUT": "60"}, watch_memory=True).expect(0)
    assert cloudflare.contents(NAME) == sorted(addresses(3))
    assert (done.last["instances"], done.last["critical"]) == ("10000", "9997")
    done.check_peak(PEAK_KB)


def test_10000_records_wanted(run, fake, start_cloudflare):
    """All of them are there but two, and two too many: the longest lists there can be."""
    cf = start_cloudflare(content_total=0, record_quota=20000)
    want = addresses(10000)
    cf.seed_many([{"name": NAME, "type": "A", "content": a}
                  for a in want[2:] + addresses(2, 20000)])
    mark = cf.mark()
    fake.instances = [instance(a) for a in want]
    done = run("sync", "web", NAME, cloudflare=cf, consul=fake, timeout=60,
               env={"DNSBUDDY_TIMEOUT": "60"}, watch_memory=True).expect(0)
    assert cf.contents(NAME) == sorted(want) and len(cf.writes()) == 2
    assert len(cf.timeline(NAME, mark)) == 3
    done.check_peak(PEAK_KB)


def test_10000_records_to_create(run, fake, start_cloudflare):
    cf = start_cloudflare(content_total=0, record_quota=20000)
    want = addresses(10000)
    fake.instances = [instance(a) for a in want]
    done = run("plan", "web", NAME, cloudflare=cf, consul=fake, timeout=60,
               env={"DNSBUDDY_TIMEOUT": "60"}, watch_memory=True).expect(0)
    assert "10000 to create" in done.out
    done.check_peak(PEAK_KB)


def test_more_than_fits_is_an_error_of_its_own(run, fake, cloudflare):
    cloudflare.seed(NAME, "A", "192.0.2.9")
    fake.instances = [instance(a) for a in addresses(16385)]
    done = run("sync", "--retry-for", "0", "web", NAME, cloudflare=cloudflare, consul=fake, timeout=60).expect(1)
    assert "more than 16384 addresses" in done.last["error"] and done.last["kind"] == "limit"
    assert cloudflare.contents(NAME) == ["192.0.2.9"]
