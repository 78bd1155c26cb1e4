"""watch with more services than have a query each: every kind of change is found, on few connections."""

import json
import time

import pytest
from blocking import BlockingConsul
from fleet import connections
from gate import Gate
from watching import scene, until

__all__ = ["scene"]

SERVICES = 60
CONNECTIONS = 30  # 64 in all are promised


def address(n):
    return f"198.18.{n // 250}.{n % 250 + 1}"


def follow(scene, tmp_path, sites, **more):
    file = tmp_path / "wide.json"
    file.write_text(json.dumps({"zone_id": scene.cf.zone_id(), "records": [
        {"service": s.service, "record": s.name} for s in sites]}))
    return scene.watch(None, "--config", file, **more)


@pytest.fixture
def wide(scene, tmp_path):
    """SERVICES services with an instance each, and a watch that has brought their records in step."""
    sites = [scene.site(address(n), name=f"wide{n}.example.com") for n in range(SERVICES)]
    watch = follow(scene, tmp_path, sites)
    for site in sites:
        site.settle()
    return sites, watch


def found(site, seconds):
    """Until the records are what is wanted; how long that took."""
    began = time.monotonic()
    site.settle(seconds=seconds)
    return time.monotonic() - began


def test_checks(scene, wide):
    """What comes with a check is found at once."""
    sites, watch = wide
    slowest = 0.0
    for n, site in enumerate(sites[:10]):
        site.add(address(1000 + n))
        slowest = max(slowest, found(site, 5))
        site.set(address(1000 + n), "critical")
        slowest = max(slowest, found(site, 5))
        site.set(address(1000 + n))
        slowest = max(slowest, found(site, 5))
        site.remove(address(1000 + n))
        slowest = max(slowest, found(site, 5))
    assert slowest < 2, slowest
    assert connections(watch.pid, scene.consul.port) <= CONNECTIONS


def test_maintenance_of_a_service_and_of_a_node(scene, wide):
    sites, _ = wide
    site = sites[3]
    site.add(address(1000))
    site.settle()
    for check in ("_service_maintenance:" + site.service, "_node_maintenance"):
        node = site.consul.add(site.service, address(1000), checks={})
        states = {**site.states, address(1000): "maintenance"}
        site.change(states, lambda: site.consul.put("/v1/catalog/register", {
            "Node": node, "Address": "10.0.0.1", "SkipNodeUpdate": True, "Check": {
                "Node": node, "CheckID": check, "Name": check, "Status": "critical",
                "ServiceID": "" if check.startswith("_node") else f"{site.service}-{address(1000)}"}}))
        assert found(site, 5) < 3
        site.change({**site.states, address(1000): "passing"}, lambda: site.consul.put(
            "/v1/catalog/deregister", {"Node": node, "CheckID": check}))
        assert found(site, 5) < 3


def test_what_no_check_tells(scene, wide):
    """Another address, an instance without checks, its node in maintenance, its end: by the catalog's index."""
    sites, _ = wide
    site, other = sites[5], sites[6]
    consul = site.consul
    site.change({address(1): "passing"}, lambda: consul.add(
        site.service, address(1), id=f"{site.service}-{address(5)}", checks={}))
    found(site, 8)
    other.change({**other.states, address(2): "passing"}, lambda: consul.add(other.service, address(2), checks={}))
    found(other, 20)
    node = consul.add(other.service, address(2), checks={})
    other.change({**other.states, address(2): "maintenance"}, lambda: consul.put("/v1/catalog/register", {
        "Node": node, "Address": "10.0.0.1", "Check": {
            "Node": node, "CheckID": "_node_maintenance", "Name": "x", "Status": "critical"}}))
    found(other, 20)
    other.change({**other.states, address(2): "passing"}, lambda: consul.put(
        "/v1/catalog/deregister", {"Node": node, "CheckID": "_node_maintenance"}))
    found(other, 20)
    other.change({address(6): "passing"}, lambda: consul.remove(other.service, address(2)))
    found(other, 20)


def test_a_tag_that_moves_and_a_service_that_comes(scene, wide, tmp_path):
    sites, watch = wide
    tagged = scene.site(name="tagged.example.com")
    tagged.consul.add(tagged.service, address(1), tags=["green"])
    tagged.consul.add(tagged.service, address(2), tags=["blue"])
    empty = scene.site(name="empty.example.com")
    records = [{"service": s.service, "record": s.name} for s in [*sites, empty]]
    records.append({"service": tagged.service, "record": tagged.name, "tag": "blue"})
    (tmp_path / "wide.json").write_text(json.dumps({"zone_id": scene.cf.zone_id(), "records": records}))
    watch.hup()
    tagged.change({address(2): "passing"}, lambda: None)
    tagged.settle()
    # the set of the service's tags stays the same
    tagged.change({address(1): "passing"}, lambda: (
        tagged.consul.add(tagged.service, address(1), tags=["blue"]),
        tagged.consul.add(tagged.service, address(2), tags=["green"])))
    found(tagged, 10)
    empty.add(address(3))
    assert found(empty, 5) < 3


def test_few_services_and_many_again(scene, wide, tmp_path):
    """With SIGHUP to few, each with a query of its own, and back."""
    sites, watch = wide
    file = tmp_path / "wide.json"
    whole = file.read_text()
    few = [{"service": s.service, "record": s.name} for s in sites[:4]]
    file.write_text(json.dumps({"zone_id": scene.cf.zone_id(), "records": few}))
    watch.hup()
    sites[0].add(address(500))
    sites[0].settle()
    until(lambda: connections(watch.pid, scene.consul.port) <= 8, say="connections stay")
    file.write_text(whole)
    watch.hup()
    sites[50].add(address(501))
    sites[50].settle()
    assert connections(watch.pid, scene.consul.port) <= CONNECTIONS


def test_consul_is_gone_for_a_while(scene, tmp_path):
    """A line for what is followed there, not one for each service; the page says it of each."""
    sites = [scene.site(address(n), name=f"wide{n}.example.com") for n in range(SERVICES)]
    with Gate(scene.consul.port) as gate:
        watch = follow(scene, tmp_path, sites, consul=gate)
        for site in sites:
            site.settle()
        gate.close()
        sites[7].add(address(700))
        watch.wait_for("consul does not answer")
        time.sleep(1)
        assert len(watch.find("consul does not answer")) <= 3, watch.text()[-3000:]
        gate.open()
        sites[7].settle(seconds=20)
        sites[8].add(address(701))
        sites[8].settle(seconds=20)
    watch.kill()


@pytest.mark.parametrize("status", [403, 404])
def test_who_tells_nothing_is_asked_in_turns(scene, tmp_path, status):
    """An old Consul, or a token that may read services alone: one line, and seconds instead of milliseconds."""
    fake = scene.consul = BlockingConsul()
    try:
        fake.services, fake.wide_status = [f"s{n}" for n in range(20)], status
        fake.set({"192.0.2.1": "passing"})
        sites = [scene.site(name=f"wide{n}.example.com", service=s) for n, s in enumerate(fake.services)]
        for site in sites:
            site.states = {"192.0.2.1": "passing"}
            site.checked = False
        watch = follow(scene, tmp_path, sites)
        for site in sites:
            site.settle()
        fake.set({"192.0.2.1": "passing", "192.0.2.2": "passing"})
        for site in sites:
            site.settle(["192.0.2.1", "192.0.2.2"], seconds=15)
        assert len(watch.find("services are read in turns")) == 1
        fake.wide_status = 200
        fake.set({"192.0.2.1": "passing"})
        for site in sites:
            site.settle(["192.0.2.1"], seconds=15)
        watch.stop()
    finally:
        fake.stop()


def test_what_nothing_tells_is_found_in_turns(scene, tmp_path):
    """A node's own address: neither checks nor the catalog of services move with it."""
    sites = [scene.site(name=f"turn{n}.example.com") for n in range(20)]
    for n, site in enumerate(sites):
        site.change({address(n): "passing"}, lambda: site.consul.add(
            site.service, "", id=f"{site.service}-x", node_address=address(n)))
    file = tmp_path / "wide.json"
    file.write_text(json.dumps({"zone_id": scene.cf.zone_id(), "address": "node", "records": [
        {"service": s.service, "record": s.name} for s in sites]}))
    scene.watch(None, "--config", file, "--resync", "5")
    for site in sites:
        site.settle()
    site = sites[4]
    site.change({address(900): "passing"}, lambda: site.consul.put("/v1/catalog/register", {
        "Node": f"node-{site.service}-x", "Address": address(900)}))
    site.settle(seconds=8)
