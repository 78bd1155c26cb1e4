"""Others write while we do, on what Consul said later than to us; and answers too weak for a substitute."""

import pytest
from fake_consul import Reply, instance
from program import NAME


def ips(*last):
    return [f"192.0.2.{n}" for n in last]


def sync(run, fake, cloudflare, *flags, **env):
    return run("sync", *flags, "web", NAME, consul=fake, cloudflare=cloudflare, env={"DNSBUDDY_RETRY_FOR": 0, **env})


@pytest.fixture
def two(fake, cloudflare):
    """Cloudflare has .1 and .9, Consul lists .1 and .2."""
    fake.instances = [instance(a) for a in ips(1, 2)]
    for address in ips(1, 9):
        cloudflare.seed(NAME, "A", address)
    return fake, cloudflare


def test_an_instance_that_came_after_our_read_is_not_removed(run, two):
    fake, cf = two

    def other(_call):
        fake.instances = [instance(a) for a in ips(1, 2, 3)]
        for address in ips(2, 3):
            cf.seed(NAME, "A", address)

    cf.fault("hook", kind="batch-post", before=other)
    sync(run, *two).expect(0)
    assert cf.contents(NAME) == ips(1, 2, 3)


def test_instances_that_came_before_our_deletes_are_not_removed(run, two):
    fake, cf = two

    def other(_call):
        fake.instances = [instance(a) for a in ips(3, 4)]
        cf.remove(NAME)
        for address in ips(3, 4):
            cf.seed(NAME, "A", address)

    cf.fault("hook", kind="batch-delete", before=other)
    sync(run, *two).expect(0)
    assert set(ips(3, 4)) <= set(cf.contents(NAME))
    sync(run, *two).expect(0)
    assert cf.contents(NAME) == ips(3, 4)


@pytest.mark.parametrize("address", ["web-host", "127.0.0.1", "169.254.1.1", "224.0.0.1", "::1", "fe80::1", "ff02::1"])
def test_what_nobody_can_reach_replaces_nothing(run, two, address):
    fake, cf = two
    fake.instances = [instance(address)]
    done = sync(run, *two).expect(3)
    assert cf.contents(NAME) == ips(1, 9)
    assert done.find("instances without a usable address are left out")


def bad(how):
    """An instance that is not as it should be."""
    made = instance("192.0.2.7", id="odd")
    how(made)
    return made


UNREAD = {
    "no state": lambda i: i["Checks"][0].pop("Status"),
    "a number as state": lambda i: i["Checks"][0].update(Status=1),
    "no checks": lambda i: i.pop("Checks"),
    "null checks": lambda i: i.update(Checks=None),
    "no service": lambda i: i.pop("Service"),
    "no node": lambda i: i.update(Node=[]),
    "a number": lambda i: i["Service"].update(Address=7),
    "too large": lambda i: i["Checks"][0].update(Output="x" * 600_000),
}
UNADDRESSED = {
    "a host name": lambda i: i["Service"].update(Address="lb.example.net"),
    "half a character": lambda i: i["Service"].update(Address="\ud800"),
    "300 bytes": lambda i: i["Service"].update(Address="a" * 300),
}
FIT = {
    "a long id": lambda i: i["Service"].update(ID="x" * 600),
    "no id": lambda i: i["Service"].pop("ID"),
    "a NUL": lambda i: i["Service"].update(ID="a\0b"),
    "half a character": lambda i: i["Checks"][0].update(CheckID="\udfff"),
    "a long CheckID": lambda i: i["Checks"][0].update(CheckID="c" * 600),
}


@pytest.mark.parametrize("how", FIT.values(), ids=FIT)
def test_what_only_people_read_stops_nobody(run, two, how):
    fake, cf = two
    fake.instances += [bad(how)]
    sync(run, *two).expect(0)
    assert cf.contents(NAME) == ips(1, 2, 7)


@pytest.mark.parametrize("how", UNADDRESSED.values(), ids=UNADDRESSED)
def test_an_instance_that_has_no_address_is_left_out(run, two, how):
    fake, cf = two
    fake.instances += [bad(how)]
    done = sync(run, *two).expect(0)
    assert cf.contents(NAME) == ips(1, 2)
    line, = done.find("instances without a usable address are left out")
    assert line["count"] == "1" and line["first"]


@pytest.mark.parametrize("how", UNREAD.values(), ids=UNREAD)
def test_an_instance_that_may_be_alive_is_left_out_and_nothing_removed(run, two, how):
    """The record of .9 could be its."""
    fake, cf = two
    fake.instances += [bad(how)]
    done = sync(run, *two).expect(3)
    assert cf.contents(NAME) == ips(1, 2, 9)
    assert done.find("instances without a usable address are left out")
    assert "cannot be read" in done.find("held")[0]["why"]


def test_host_names_of_the_dead_leave_room_for_the_living(run, two):
    fake, cf = two
    fake.instances = [instance(f"some-host-of-a-load-balancer-{n}.example.net", "critical") for n in range(300)] + fake.instances
    sync(run, *two).expect(0)
    assert cf.contents(NAME) == ips(1, 2)


@pytest.mark.parametrize("headers, token", [
    ({"X-Consul-Results-Filtered-By-ACLs": "true"}, "t"), ({"X-Consul-Default-ACL-Policy": "deny"}, None)])
@pytest.mark.parametrize("on_empty", ["keep", "remove", "fallback=192.0.2.80"])
def test_what_acls_hid_is_told_as_that(run, two, headers, token, on_empty):
    fake, cf = two
    fake.instances, fake.plain, fake.consistent = [], Reply(headers=headers), Reply(headers=headers)
    done = sync(run, *two, "--on-empty", on_empty, CONSUL_HTTP_TOKEN=token).expect(3)
    line, = done.find("held")
    assert "service:read and node:read" in line["why"]
    assert cf.contents(NAME) == ips(1, 9) and not cf.writes()


def test_what_acls_hid_is_told_where_nothing_is_held(run, fake, cloudflare):
    fake.instances, fake.plain = [], Reply(headers={"X-Consul-Results-Filtered-By-ACLs": "true"})
    done = sync(run, fake, cloudflare).expect(0)
    assert "service:read and node:read" in done.find("not all instances may be seen")[0]["why"]
    done = run("plan", "web", NAME, consul=fake, cloudflare=cloudflare).expect(0)
    assert "service:read and node:read" in done.out


def test_the_fallback_comes_on_evidence_only(run, two):
    fake, cf = two
    fake.instances = []
    weak = Reply(headers={"X-Consul-Results-Filtered-By-ACLs": "true"})
    fake.consistent = weak
    sync(run, *two, DNSBUDDY_ON_EMPTY="fallback=192.0.2.80").expect(3)
    assert cf.contents(NAME) == ips(1, 9) and not cf.writes()
    fake.consistent = Reply()
    sync(run, *two, DNSBUDDY_ON_EMPTY="fallback=192.0.2.80").expect(0)
    assert cf.contents(NAME) == ips(80)


def test_a_fallback_for_a_name_without_records_needs_none(run, fake, cloudflare):
    fake.instances = []
    fake.consistent = Reply(headers={"X-Consul-KnownLeader": "false"})
    sync(run, fake, cloudflare, DNSBUDDY_ON_EMPTY="fallback=192.0.2.80").expect(0)
    assert cloudflare.contents(NAME) == ips(80)


@pytest.mark.parametrize("variable", ["DNSBUDDY_OWNER", "DNSBUDDY_TAG", "DNSBUDDY_MIN_RECORDS"])
def test_an_empty_guard_is_an_error(run, two, variable):
    done = sync(run, *two, **{variable: ""})
    assert done.code == 78 and f"{variable} in the environment is empty" in done.err
    assert not two[1].calls()
