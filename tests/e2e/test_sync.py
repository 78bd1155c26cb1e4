"""sync against a real Consul: what is wanted, what is kept, what is written."""

import pytest
from fake_consul import instance
from program import NAME


def ips(*last):
    return [f"192.0.2.{n}" for n in last]


def test_the_closing_example(run, consul, cloudflare_dns):
    """Cloudflare has .1 and .9, their ids in the other order; Consul lists .1 and .2."""
    cf = cloudflare_dns
    cf.seed(NAME, "A", "192.0.2.1", id="ff" + "0" * 30)
    cf.seed(NAME, "A", "192.0.2.9", id="aa" + "0" * 30)
    mark, service = cf.mark(), consul.new_name()
    for address in ips(1, 2):
        consul.register(service, address)
    done = run("sync", service, NAME, "60", cloudflare=cf, consul=consul).expect(0)
    assert cf.contents(NAME) == ips(1, 2)
    assert cf.dns.dig(NAME) == ips(1, 2)
    assert [sorted(r.content for r in records) for records in cf.timeline(NAME, mark)] == [
        ips(1, 9), ips(1, 2, 9), ips(1, 2)]
    assert [c.kind for c in cf.calls()] == ["zones", "list", "batch-post", "batch-delete"]
    assert len(cf.connections) == 1
    assert [m for m in done.messages() if m.startswith("record")] == [
        "record created", "record deleted"]
    since = len(cf.calls())
    again = run("sync", service, NAME, "60", cloudflare=cf, consul=consul).expect(0)
    assert [c.kind for c in cf.calls(since=since)] == ["zones", "list"]
    assert again.last["msg"] == "in sync"
    since = len(cf.calls())
    run("sync", "--zone-id", cf.zone_id(), service, NAME, cloudflare=cf, consul=consul).expect(0)
    assert [c.kind for c in cf.calls(since=since)] == ["list"]
    cf.check_invariants(NAME, wanted=ips(1, 2), since=mark)


@pytest.fixture
def sync(run, consul, cloudflare):
    """sync(service, *flags): one sync of NAME."""
    def go(service, *flags, code=0, **env):
        return run("sync", *flags, service, NAME, cloudflare=cloudflare, consul=consul,
                   env={"DNSBUDDY_RETRY_FOR": "0", **env}).expect(code)
    return go


# -- what is wanted

def test_spellings_of_an_address_are_one_address(sync, consul, cloudflare):
    cloudflare.seed(NAME, "AAAA", "2001:db8::1")
    sync(consul.service("2001:0db8:0:0:0:0:0:1", "2001:DB8:0::1"))
    assert not cloudflare.writes()
    sync(consul.service("2001:db8:0::1", "2001:db8::2", "192.0.2.1"))
    assert cloudflare.contents(NAME) == ["192.0.2.1", "2001:db8::1", "2001:db8::2"]


def test_a_host_name_becomes_a_cname(sync, consul, cloudflare):
    service = consul.service("Origin.Example.NET.")
    sync(service)
    assert [(r.type, r.content) for r in cloudflare.records(NAME)] == [
        ("CNAME", "origin.example.net")]
    consul.remove(service, "Origin.Example.NET.")
    consul.add(service, "other.example.net")
    since = len(cloudflare.calls())
    sync(service)
    assert cloudflare.contents(NAME) == ["other.example.net"]
    assert len(cloudflare.writes(since)) == 1  # one update: no second CNAME can stand beside it


def test_cname_and_addresses_take_turns_in_one_transaction(sync, consul, cloudflare):
    cloudflare.seed(NAME, "CNAME", "old.example.net", comment="managed by dnsbuddy")
    mark = cloudflare.mark()
    sync(consul.service(*ips(1, 2)))
    assert [c.kind for c in cloudflare.writes()] == ["batch-mixed"]
    sync(consul.service("new.example.net"))
    assert cloudflare.contents(NAME) == ["new.example.net"]
    cloudflare.check_invariants(NAME, since=mark)


def test_a_host_name_beside_addresses_is_left_out(sync, consul, cloudflare):
    cloudflare.seed(NAME, "A", "192.0.2.9")
    done = sync(consul.service("origin.example.net", "192.0.2.1"))
    line, = done.find("instances without a usable address are left out")
    assert line["count"] == "1" and line["first"].startswith("origin.example.net: ")
    assert cloudflare.contents(NAME) == ips(1)


def test_of_several_host_names_none_is_chosen(sync, consul, cloudflare):
    cloudflare.seed(NAME, "A", "192.0.2.9")
    done = sync(consul.service("origin.example.net", "other.example.net"), code=1)
    assert "other.example.net" in done.last["error"]
    assert not cloudflare.writes()


def test_repeated_addresses_are_one_record(sync, consul, cloudflare):
    service = consul.new_name()
    for n in range(3):
        consul.add(service, "192.0.2.1", id=f"{service}-{n}")
    sync(service)
    assert cloudflare.contents(NAME) == ips(1)


def test_a_stale_duplicate_of_a_wanted_record_goes(sync, consul, cloudflare):
    for n in range(2):
        cloudflare.seed(NAME, "A", "192.0.2.1", id=f"{n}" * 32)
    sync(consul.service("192.0.2.1"))
    assert [r.id for r in cloudflare.records(NAME)] == ["0" * 32]


@pytest.mark.parametrize("state, flags, there", [
    ("passing", (), True), ("warning", (), False), ("warning", ("--include-warning",), True),
    ("critical", ("--include-warning",), False), ("odd", ("--include-warning",), False)])
def test_states(run, fake, cloudflare, state, flags, there):
    fake.instances = [instance("192.0.2.1"), instance("192.0.2.2", state)]
    run("sync", *flags, "web", NAME, cloudflare=cloudflare, consul=fake).expect(0)
    assert cloudflare.contents(NAME) == (ips(1, 2) if there else ips(1))


def test_a_failing_node_takes_its_instances_along(sync, consul, cloudflare):
    service = consul.service("192.0.2.1")
    consul.add(service, "192.0.2.2", checks={"serfHealth": "critical", "service:x": "passing"})
    sync(service)
    assert cloudflare.contents(NAME) == ips(1)


def test_maintenance_of_a_service(sync, consul, cloudflare):
    service = consul.new_name()
    ids = [consul.register(service, address) for address in ips(1, 2)]
    sync(service)
    consul.put(f"/v1/agent/service/maintenance/{ids[1]}?enable=true&reason=test")
    consul.until(lambda: f"_service_maintenance:{ids[1]}" in consul.states(service)[ids[1]])
    done = sync(service)
    assert cloudflare.contents(NAME) == ips(1)
    assert (done.last["maintenance"], done.last["passing"]) == ("1", "1")
    consul.put(f"/v1/agent/service/maintenance/{ids[1]}?enable=false")
    consul.until(lambda: len(consul.states(service)[ids[1]]) == 2)
    sync(service)
    assert cloudflare.contents(NAME) == ips(1, 2)


def test_maintenance_of_a_node(sync, consul, cloudflare):
    service = consul.service("192.0.2.1")
    mine = consul.register(service, "192.0.2.2")
    sync(service)
    consul.put("/v1/agent/maintenance?enable=true")
    try:
        consul.until(lambda: "_node_maintenance" in consul.states(service)[mine])
        done = sync(service)
    finally:
        consul.put("/v1/agent/maintenance?enable=false")
    assert cloudflare.contents(NAME) == ips(1)
    assert done.last["maintenance"] == "1"


def test_tag(sync, consul, cloudflare):
    service = consul.service("192.0.2.1", tags=["blue", "a b&c"])
    consul.add(service, "192.0.2.2", tags=["green"])
    sync(service, "--tag", "a b&c")
    assert cloudflare.contents(NAME) == ips(1)
    sync(service, DNSBUDDY_TAG="green")
    assert cloudflare.contents(NAME) == ips(2)


def test_datacenter(sync, run, consul, cloudflare):
    service = consul.service("192.0.2.1")
    sync(service, "--datacenter", "dc1")
    assert cloudflare.contents(NAME) == ips(1)
    done = sync(service, CONSUL_DATACENTER="dc9", code=1)
    assert "dc=dc9" in done.last["error"] and "No path to datacenter" in done.last["error"]


@pytest.mark.parametrize("address, expected", [
    ("service", ips(1)), ("node", ["10.0.0.7"]), ("lan", ["10.9.9.9"]),
    ("wan", ["198.51.100.7", "2001:db8::7"]), ("wan,node", ["198.51.100.7", "2001:db8::7"])])
def test_address(sync, consul, cloudflare, address, expected):
    service = consul.service("192.0.2.1", node_address="10.0.0.7", tagged={
        "lan_ipv4": "10.9.9.9", "wan_ipv4": "198.51.100.7", "wan_ipv6": "2001:db8::7"})
    sync(service, "--address", address)
    assert cloudflare.contents(NAME) == expected


def test_addresses_are_tried_in_order(sync, consul, cloudflare):
    service = consul.service("192.0.2.1", "", node_address="10.0.0.7")
    sync(service, "--address", "service,node")
    assert cloudflare.contents(NAME) == ["10.0.0.7", "192.0.2.1"]


def test_an_instance_without_address_is_left_out_with_a_warning(sync, consul, cloudflare):
    service = consul.service("192.0.2.1", "", "127.0.0.1%lo")
    done = sync(service)
    assert cloudflare.contents(NAME) == ips(1)
    warning, = done.find("instances without a usable address are left out")
    assert (warning["level"], warning["count"]) == ("warn", "2")


# -- what is kept

def test_attributes_are_kept(sync, consul, cloudflare):
    cloudflare.seed(NAME, "A", "192.0.2.1", ttl=300, comment="mine", tags=["team:web"])
    cloudflare.seed(NAME, "A", "192.0.2.2", ttl=1, proxied=True, comment="edge", tags=["a", "b"])
    sync(consul.service(*ips(1, 2)), "--ttl", "120")
    first, second = cloudflare.records(NAME)
    assert (first.ttl, first.proxied, first.comment, first.tags) == (
        120, False, "mine", ("team:web",))
    assert (second.ttl, second.proxied, second.comment, second.tags) == (
        1, True, "edge", ("a", "b"))


def test_a_proxied_record_has_ttl_1_and_stays_so(sync, consul, cloudflare):
    service = consul.service("192.0.2.1")
    sync(service, "--ttl", "120", "--proxied", "true")
    record, = cloudflare.records(NAME)
    assert (record.ttl, record.proxied) == (1, True)
    since = len(cloudflare.calls())
    sync(service, "--ttl", "120", "--proxied", "true")
    assert not cloudflare.writes(since)
    sync(service, "--ttl", "120", "--proxied", "false")
    record, = cloudflare.records(NAME)
    assert (record.ttl, record.proxied) == (120, False)


def test_a_proxied_name_stays_so_through_a_rotation(sync, consul, cloudflare):
    for address in ips(1, 2):
        cloudflare.seed(NAME, "A", address, ttl=1, proxied=True)
    done = sync(consul.service(*ips(3, 4), "2001:db8::1"))
    assert [(r.content, r.ttl, r.proxied) for r in cloudflare.records(NAME)] == [
        (a, 1, True) for a in [*ips(3, 4), "2001:db8::1"]]
    lines = done.find("record created") + done.find("record deleted")
    assert [line["proxied"] for line in lines] == ["true"] * 5


def test_a_mixed_name_is_warned_of(sync, consul, cloudflare):
    for address, proxied in zip(ips(1, 2, 3), (True, False, False)):
        cloudflare.seed(NAME, "A", address, ttl=1 if proxied else 60, proxied=proxied)
    done = sync(consul.service(*ips(1, 2, 3, 4)))
    warning, = done.find("some records are proxied, some not: new ones are as most")
    assert (warning["level"], warning["proxied"]) == ("warn", "false")
    created, = done.find("record created")
    assert created["proxied"] == "false"
    assert not sync(consul.service(*ips(1, 2, 3, 4))).find(warning["msg"])


def test_what_is_ours_without_an_owner(sync, consul, cloudflare):
    cloudflare.seed(NAME, "A", "192.0.2.9", comment="by hand")
    cloudflare.seed(NAME, "AAAA", "2001:db8::9", comment="by hand")
    service = consul.service("192.0.2.1", "2001:db8::1")
    sync(consul.service("192.0.2.1"))
    assert cloudflare.contents(NAME) == ["192.0.2.1", "2001:db8::9"]
    sync(service)
    assert cloudflare.contents(NAME) == ["192.0.2.1", "2001:db8::1"]
    sync(consul.service("192.0.2.1"))
    assert cloudflare.contents(NAME) == ["192.0.2.1"]


def test_a_cname_by_hand_that_was_replaced_may_go(sync, consul, cloudflare):
    cloudflare.seed(NAME, "CNAME", "old.example.net")
    sync(consul.service("new.example.net"))
    assert cloudflare.contents(NAME) == ["new.example.net"]
    sync(consul.service("192.0.2.1"))
    assert cloudflare.contents(NAME) == ["192.0.2.1"]


def test_a_cname_by_hand_keeps_its_comment(sync, consul, cloudflare):
    cloudflare.seed(NAME, "CNAME", "old.example.net", comment="by hand")
    sync(consul.service("new.example.net"))
    assert [(r.content, r.comment) for r in cloudflare.records(NAME)] == [("new.example.net", "by hand")]
    assert "is in the way and not ours" in sync(consul.service("192.0.2.1"), code=1).err


def test_a_cname_by_hand_is_in_the_way(sync, consul, cloudflare):
    cloudflare.seed(NAME, "CNAME", "lb.example.net", comment="by hand")
    done = sync(consul.service("192.0.2.1"), code=1)
    assert "the CNAME record lb.example.net" in done.last["error"]
    assert "in the way and not ours" in done.last["error"]
    assert not cloudflare.writes()
    sync(consul.service("other.example.net"))
    assert cloudflare.contents(NAME) == ["other.example.net"]


def test_new_records_carry_our_mark(sync, consul, cloudflare):
    sync(consul.service("192.0.2.1"))
    assert cloudflare.records(NAME)[0].comment == "managed by dnsbuddy"


def test_two_owners_share_a_name(sync, consul, cloudflare):
    cloudflare.seed(NAME, "A", "203.0.113.5", comment="by hand")
    east, west = consul.service(*ips(1, 2)), consul.service(*ips(8, 9))
    sync(east, "--owner", "east")
    sync(west, "--owner", "west")
    assert cloudflare.contents(NAME) == [*ips(1, 2, 8, 9), "203.0.113.5"]
    consul.remove(east, "192.0.2.1")
    sync(east, "--owner", "east")
    assert cloudflare.contents(NAME) == [*ips(2, 8, 9), "203.0.113.5"]
    owners = {r.content: r.comment for r in cloudflare.records(NAME)}
    assert owners["192.0.2.2"] == "managed by dnsbuddy owner=east"
    assert owners["203.0.113.5"] == "by hand"


def test_owners_whose_names_begin_alike_are_different(sync, consul, cloudflare):
    sync(consul.service(*ips(8, 9)), "--owner", "web-2")
    sync(consul.service(*ips(1)), "--owner", "web")
    assert cloudflare.contents(NAME) == ips(1, 8, 9)


def test_other_types_and_names_stay(sync, consul, cloudflare):
    cloudflare.seed(NAME, "TXT", '"v=spf1 -all"')
    cloudflare.seed("a." + NAME, "A", "192.0.2.77")
    cloudflare.seed(NAME, "A", "192.0.2.9")
    sync(consul.service("192.0.2.1"))
    assert sorted(r.content for r in cloudflare.records(NAME)) == ['"v=spf1 -all"', "192.0.2.1"]
    assert cloudflare.contents("a." + NAME) == ips(77)


@pytest.mark.parametrize("flag, code, left", [
    ("keep", 3, ips(1, 2)), ("remove", 0, []), ("fallback=192.0.2.200", 0, ips(200)),
    ("fallback=sorry.example.net", 0, ["sorry.example.net"])])
def test_on_empty(sync, consul, cloudflare, flag, code, left):
    for address in ips(1, 2):
        cloudflare.seed(NAME, "A", address)
    service = consul.new_name()
    consul.add(service, "192.0.2.1", "critical")
    sync(service, "--on-empty", flag, code=code)
    assert cloudflare.contents(NAME) == left


def test_min_records(sync, consul, cloudflare):
    for address in ips(1, 2, 3, 4):
        cloudflare.seed(NAME, "A", address)
    service = consul.service("192.0.2.1")
    done = sync(service, "--min-records", "3", code=3)
    assert len(cloudflare.contents(NAME)) == 3 and "192.0.2.1" in cloudflare.contents(NAME)
    assert "--min-records" in done.last["why"] and done.last["held"] == "2"
    sync(service, "--min-records", "0")
    assert cloudflare.contents(NAME) == ips(1)


def test_what_asked_to_leave_goes_first(sync, consul, cloudflare):
    for address in ips(2, 3, 4):
        cloudflare.seed(NAME, "A", address)
    service = consul.service("192.0.2.2")
    consul.add(service, "192.0.2.3", "critical")
    consul.add(service, "192.0.2.4", checks={"_node_maintenance": "critical"})
    sync(service, "--min-records", "2", code=3)
    assert cloudflare.contents(NAME) == ips(2, 3)


# -- names, arguments

@pytest.mark.parametrize("record, flags, name", [
    ("@", ("--zone", "example.com"), "example.com"), ("*.example.com", (), "*.example.com"),
    ("WWW.Example.COM.", (), NAME), ("example.com", (), "example.com")])
def test_names(run, consul, cloudflare, record, flags, name):
    run("sync", *flags, consul.service("192.0.2.1"), record, cloudflare=cloudflare,
        consul=consul).expect(0)
    assert cloudflare.contents(name) == ips(1)


def test_a_service_name_is_encoded(run, fake, cloudflare):
    fake.instances = [instance("192.0.2.1")]
    run("sync", "a/b c?d&é", NAME, cloudflare=cloudflare, consul=fake).expect(0)
    assert fake.requests[0].target == "/v1/health/service/a%2Fb%20c%3Fd%26%C3%A9"


@pytest.mark.parametrize("called", ["update-dns.sh", "/opt/containerbuddy/update-dns"])
def test_it_takes_the_place_of_the_script(run, consul, cloudflare, called):
    service = consul.service("192.0.2.1")
    run(service, NAME, "120", argv0=called, cloudflare=cloudflare, consul=consul).expect(0)
    assert [(r.content, r.ttl) for r in cloudflare.records(NAME)] == [("192.0.2.1", 120)]


def test_empty_arguments_of_containerbuddy(run, consul, cloudflare):
    """It cuts its string at each space: two of them, or an unset variable, make an empty one."""
    line = f"sync  {consul.service('192.0.2.1')} {NAME}  120 "
    run(*line.split(" "), cloudflare=cloudflare, consul=consul).expect(0)
    assert [(r.content, r.ttl) for r in cloudflare.records(NAME)] == [("192.0.2.1", 120)]


def test_everything_from_the_environment(run, consul, cloudflare):
    run("sync", "", "", "", cloudflare=cloudflare, consul=consul, env={
        "SERVICE": consul.service("192.0.2.1"), "RECORD": NAME, "TTL": "90"}).expect(0)
    assert [(r.content, r.ttl) for r in cloudflare.records(NAME)] == [("192.0.2.1", 90)]


def test_dry_run_writes_nothing(run, consul, cloudflare):
    cloudflare.seed(NAME, "A", "192.0.2.9")
    service = consul.service("192.0.2.1")
    dry = run("sync", "--dry-run", service, NAME, cloudflare=cloudflare, consul=consul).expect(0)
    plan = run("plan", service, NAME, cloudflare=cloudflare, consul=consul).expect(0)
    assert not cloudflare.writes() and dry.out == plan.out
    assert "+ A     192.0.2.1" in dry.out and "- A     192.0.2.9" in dry.out


def test_key_and_email(run, consul, cloudflare):
    key = cloudflare.add_key("ops@example.com")
    run("sync", consul.service("192.0.2.1"), NAME, cloudflare=cloudflare, consul=consul, env={
        "CLOUDFLARE_API_TOKEN": None, "CF_API_KEY": key, "CF_AUTH_EMAIL": "ops@example.com",
    }).expect(0)
    assert cloudflare.contents(NAME) == ips(1)
    assert all(c.header("authorization") is None for c in cloudflare.calls())
