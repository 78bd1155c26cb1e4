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
