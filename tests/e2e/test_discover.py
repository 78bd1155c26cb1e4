"""Services that name their own records by tags: watch, sync and plan --discover, with a real Consul."""

import itertools
import json
import time
from types import SimpleNamespace
from urllib.error import HTTPError

import pytest
from consul import Consul, free_ports
from fake_consul import Reply
from fleet import Fleet
from program import ROOT
from test_watch_rights import Health
from watching import scene, until

__all__ = ["scene"]

A, B, C, D = (f"192.0.2.{n}" for n in range(1, 5))
NUMBERS = itertools.count(1)


class Discovery:
    """Tags with a prefix of a test's own, for all tests share one Consul."""

    def __init__(self, scene):
        self.scene, self.prefix = scene, f"d{next(NUMBERS)}"
        self.flags = ["--discover", "--owner", "me", "--discover-allow", "*.example.com", "--discover-prefix", self.prefix]

    def tags(self, *names, **keys):
        named = [f"{self.prefix}.record={','.join(names)}"] if names else []
        return named + [f"{self.prefix}.{key.replace('_', '-')}={value}" for key, value in keys.items()]

    def site(self, *addresses, name=None, names=(), **keys):
        """A service that claims the name, and those names, with these keys."""
        name = name or f"w{next(NUMBERS)}.example.com"
        site = self.scene.site(name=name)
        site.owner, site.tags = "me", self.tags(name, *names, **keys)
        for address in addresses:
            site.set(address, tags=site.tags)
        return site

    def retag(self, site, *tags):
        site.tags = list(tags)
        for address, state in site.states.items():
            site.set(address, state, tags=tags)

    def watch(self, *args, **keys):
        return self.scene.watch(None, *self.flags, *args, **keys)

    def run(self, run, command, *args, code=0, **keys):
        return run(command, *self.flags, *args, consul=self.scene.consul, cloudflare=self.scene.cf, **keys).expect(code)


@pytest.fixture
def discovery(scene):
    return Discovery(scene)


def stays(site, *contents):
    """It stays as it is while a change of its service would have come through."""
    time.sleep(1.5)
    assert site.contents() == sorted(contents)
    site.checked = False


def test_a_service_names_its_record(discovery):
    watch = discovery.watch()
    watch.wait_for("watching")
    site = discovery.site(A, B)
    line = watch.wait_for("name discovered", name=site.name)
    assert line["service"] == site.service and line["level"] == "info"
    site.settle()
    site.set(C, tags=site.tags)
    site.settle()
    site.remove(A)
    site.settle()
    assert len(watch.find("name discovered")) == 1


def test_what_tags_say(discovery):
    plain = discovery.site()
    other = f"w{next(NUMBERS)}.example.com"
    site = discovery.site(names=[other], ttl=90, proxied="true", address="wan", tag="blue", on_empty="remove")
    site.set(A, tags=[*site.tags, "blue"], tagged={"wan": "198.51.100.7"})
    site.set(B, tags=site.tags, tagged={"wan": "198.51.100.8"})
    plain.set(C, tags=[*discovery.tags(plain.name, ttl=120)])
    discovery.watch()
    plain.settle()
    site.on_empty = "remove"
    site.settle(["198.51.100.7"])
    for name in site.name, other:
        record, = discovery.scene.cf.records(name)
        assert record.content == "198.51.100.7" and record.proxied
        assert "owner=me" in record.comment
    assert [r.ttl for r in discovery.scene.cf.records(plain.name)] == [120]
    discovery.scene.consul.remove(site.service, A)
    site.settle([])
    site.checked = False


def test_what_is_not_allowed_stays(discovery):
    cf = discovery.scene.cf
    cf.seed("deep.w.example.com", "A", D)
    site = discovery.site(A, names=["deep.w.example.com", "www.example.org", "*.example.com"])
    health = Health()
    watch = discovery.watch(*health.args)
    site.settle()
    for name in "deep.w.example.com", "www.example.org", "*.example.com":
        assert watch.wait_for("claim refused", name=name)["error"] == "--discover-allow does not allow it"
    assert [r.content for r in cf.records("deep.w.example.com")] == [D]
    metrics = health.ask("/metrics")[1]
    assert "dnsbuddy_claims_refused 3\n" in metrics and "dnsbuddy_records_discovered 1\n" in metrics
    assert "www.example.org" in health.ask("/")[1]
    assert health.ask()[0] == 200
    # Each is told once, whatever else comes.
    discovery.site(B).settle()
    assert len(watch.find("claim refused")) == 3


def test_two_claim_one_name(discovery):
    one = discovery.site(A)
    health = Health()
    watch = discovery.watch(*health.args)
    one.settle()
    two = discovery.site(B, name=one.name)
    assert watch.wait_for("claim refused", name=one.name)["error"] == "two services claim it"
    assert watch.wait_for("name dropped", name=one.name)["records"] == "kept"
    two.checked = False
    one.set(C, tags=one.tags)
    stays(one, A)
    assert len(watch.find("claim refused", name=one.name)) == 2
    assert "two services claim it" in health.ask("/")[1]
    assert health.ask()[0] == 200
    discovery.retag(two, "v2")
    one.settle()
    one.checked = True


def test_a_bad_value(discovery):
    site, other = discovery.site(A), discovery.site(A)
    watch = discovery.watch()
    site.settle()
    good = site.tags
    discovery.retag(site, *good, f"{discovery.prefix}.ttl=soon")
    line = watch.wait_for("claim refused", name=site.name)
    assert f'tag "{discovery.prefix}.ttl=soon"' in line["error"] and "30 to 86400" in line["error"]
    site.set(B, tags=site.tags)
    other.set(B, tags=other.tags)
    other.settle()
    stays(site, A)
    discovery.retag(site, *good)
    site.settle()
    site.checked = True


def test_the_configurations_names_go_first(discovery, tmp_path):
    mine = discovery.scene.site(A, name=f"w{next(NUMBERS)}.example.com")
    mine.owner = "me"
    path = tmp_path / "dnsbuddy.json"
    path.write_text(json.dumps({"records": [{"service": mine.service, "record": mine.name}]}))
    theirs = discovery.site(B, name=mine.name)
    theirs.checked = False
    watch = discovery.watch("--config", path)
    assert watch.wait_for("claim refused", name=mine.name)["error"] == "the configuration has it"
    mine.settle()
    # A reload leaves discovered names as they are, and gives back what the file no longer names.
    more = discovery.site(C)
    more.settle()
    calls = len(discovery.scene.cf.writes())
    path.write_text(json.dumps({}))
    watch.hup()
    watch.wait_for("name discovered", name=mine.name)
    until(lambda: theirs.contents() == [B])
    discovery.scene.sites.remove(mine)  # that name has come to another
    assert [call for call in discovery.scene.cf.writes()[calls:] if more.name in str(call.body)] == []


def test_another_configuration(discovery, tmp_path):
    """Patterns are taken at once; whether anything is discovered takes a restart."""
    site, other = discovery.site(A), discovery.site(A, on_drop="remove")
    path = tmp_path / "dnsbuddy.json"
    discovered = {"discover": True, "owner": "me", "discover_prefix": discovery.prefix}

    def write(**keys):
        path.write_text(json.dumps(keys))
    write(**discovered, discover_allow="*.example.com")
    watch = discovery.scene.watch(None, "--config", path)
    site.settle()
    other.settle()
    write(**discovered, discover_allow=[site.name, "*.example.org"])
    watch.hup()
    assert watch.wait_for("claim refused", name=other.name)["error"] == "--discover-allow does not allow it"
    site.set(B, tags=site.tags)
    other.set(B, tags=other.tags)
    site.settle()
    stays(other, A)
    for keys in {}, {"discover": False, "records": [{"service": site.service, "record": site.name}]}:
        write(**keys)
        watch.hup()
    assert watch.find("configuration not taken, the old one stays")
    assert len(watch.find("configuration read again")) == 1
    site.set(C, tags=site.tags)
    site.settle()
    write(**discovered, discover_allow="*.example.com")
    watch.hup()
    other.settle()
    other.checked = True


@pytest.mark.parametrize("on_drop", ["keep", "remove"])
def test_a_tag_goes(discovery, on_drop):
    site = discovery.site(A, on_drop=on_drop)
    watch = discovery.watch()
    site.settle()
    discovery.retag(site, "v2")
    line = watch.wait_for("name dropped", name=site.name)
    assert line["records"] == {"keep": "kept", "remove": "removed"}[on_drop]
    if on_drop == "keep":
        site.set(B, tags=["v2"])
        stays(site, A)
    else:
        site.on_empty = "remove"
        site.past.append((time.monotonic(), frozenset()))
        site.settle([])
        site.checked = False


def test_a_service_vanishes(discovery):
    """It keeps its names, with its last tags, and what is wanted then is on-empty's to say."""
    kept, removed = discovery.site(A, on_drop="remove"), discovery.site(A, on_empty="remove")
    watch = discovery.watch()
    kept.settle()
    removed.settle()
    removed.on_empty = "remove"
    removed.remove(A)
    removed.settle([])
    kept.remove(A)
    stays(kept, A)
    assert not watch.find("name dropped")
    # Another one takes its place: the records become what that lists.
    heir = discovery.site(C, name=kept.name)
    heir.settle()
    assert watch.wait_for("name discovered", name=kept.name, n=2)["service"] == heir.service


def test_a_restart_converges(discovery):
    sites = [discovery.site(A, B) for _ in range(3)]
    watch = discovery.watch()
    for site in sites:
        site.settle()
    watch.kill()
    sites[0].set(C, tags=sites[0].tags)
    sites[1].remove(A)
    discovery.retag(sites[2], *sites[2].tags, f"{discovery.prefix}.ttl=300")
    watch = discovery.watch()
    for site in sites:
        site.settle()
    until(lambda: {r.ttl for r in discovery.scene.cf.records(sites[2].name)} == {300})


def test_no_other_setting_opens_it(discovery, run):
    """Without an owner, or without bounds, nothing starts."""
    env = {"CLOUDFLARE_API_TOKEN": "x"}
    for flags in ["--discover"], ["--discover", "--owner", "me"], ["--discover", "--discover-allow", "*.example.com"]:
        done = run("watch", *flags, env=env).expect(64)
        assert "--owner and --discover-allow" in done.err


def test_sync_and_plan(discovery, run):
    site, two = discovery.site(A), discovery.site(B, ttl=90)
    text = discovery.run(run, "plan").out
    assert site.name in text and two.name in text
    assert discovery.run(run, "plan", "--detailed-exitcode", code=2)
    discovery.run(run, "sync")
    site.settle()
    two.settle()
    assert [r.ttl for r in discovery.scene.cf.records(two.name)] == [90]
    discovery.run(run, "plan", "--detailed-exitcode")
    # What is refused is told, and that not all was done.
    discovery.retag(two, *two.tags, f"{discovery.prefix}.proxied=perhaps")
    site.set(C, tags=site.tags)
    done = discovery.run(run, "sync", code=3)
    assert "claim refused" in done.err and "true or false" in done.err
    site.settle()
    two.checked = False


@pytest.mark.parametrize("headers, says", [
    (None, "connect"), ({"X-Cache": "HIT", "Age": "3"}, "cache"), ({"X-Consul-KnownLeader": "false"}, "no leader")])
def test_sync_without_a_catalog(discovery, run, fake, headers, says):
    """Nobody knows then who claims what."""
    fake.consistent = Reply(headers=headers or {}, body={"web": discovery.tags("www.example.com")})
    consul = fake if headers else SimpleNamespace(address=f"127.0.0.1:{free_ports(1)[0]}")
    done = run("sync", *discovery.flags, "--retry-for", "0", consul=consul, cloudflare=discovery.scene.cf).expect(1)
    assert "no names are discovered" in done.err and says in done.err
    assert not discovery.scene.cf.calls()


def test_hidden_by_acls(scene, tmp_path):
    """Who is hidden by ACLs has not let go of its names, whatever its tags said of that."""
    acl = {"acl": {"enabled": True, "default_policy": "deny", "tokens": {"master": "root"}}}
    scene.consul = guarded = Consul(tmp_path / "acl", token="root", config=acl)
    try:
        discovery = Discovery(scene)
        site = discovery.site(A, on_drop="remove")
        rules = 'service_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }'
        guarded.put("/v1/acl/policy", {"Name": "all", "Rules": rules})
        token = guarded.put("/v1/acl/token", {"Policies": [{"Name": "all"}]})["SecretID"]
        watch = discovery.watch(env={"CONSUL_HTTP_TOKEN": token})
        site.settle()
        policy = next(p for p in guarded.get("/v1/acl/policies") if p["Name"] == "all")
        hidden = rules + f'\nservice "{site.service}" {{ policy = "deny" }}'
        guarded.put(f"/v1/acl/policy/{policy['ID']}", {"Name": "all", "Rules": hidden})
        other = discovery.site(B)
        other.settle()
        stays(site, A)
        assert not watch.find("name dropped")
        watch.stop()
    finally:
        guarded.stop()


def test_the_rights_of_an_application_that_are_documented(tmp_path):
    """It may register its own service with tags, and no other."""
    rules = (ROOT / "docs/discover.md").read_text().partition("A token of an application:")[2].partition("```hcl\n")[2].partition("```")[0]
    acl = {"acl": {"enabled": True, "default_policy": "deny", "tokens": {"master": "root"}}}
    guarded = Consul(tmp_path / "acl", token="root", config=acl)
    try:
        guarded.put("/v1/acl/policy", {"Name": "application", "Rules": rules})
        guarded.token = guarded.put("/v1/acl/token", {"Policies": [{"Name": "application"}]})["SecretID"]
        tags = ["dnsbuddy.record=www.example.com"]
        guarded.put("/v1/agent/service/register", {"Name": "nginx", "Tags": tags})
        with pytest.raises(HTTPError):
            guarded.put("/v1/agent/service/register", {"Name": "api", "Tags": tags})
    finally:
        guarded.stop()


def test_many(discovery):
    n = 200
    fleet = Fleet(discovery.scene.consul, f"many{next(NUMBERS)}", n)
    watch = discovery.watch()
    watch.wait_for("watching")
    for i in range(n):
        fleet.list(i, fleet.staying[i], discovery.tags(fleet.names[i], ttl=60))
    until(lambda: len(watch.find("name discovered")) == n, 60)

    def contents():
        return {r.name: r.content for r in discovery.scene.cf.records() if r.name in set(fleet.names)}
    until(lambda: contents() == dict(zip(fleet.names, fleet.staying)), 60, lambda: f"{len(contents())} of {n} are there")
    assert len(discovery.scene.cf.calls()) < n / 2
