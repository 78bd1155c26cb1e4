"""The API as it answers when nothing is broken on purpose."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from cloudflare.client import Client, codes, record
from cloudflare.dns import free_port

HERE = Path(__file__).resolve().parent


# -- records

def test_create_answers_a_whole_record(client):
    reply = client.create("192.0.2.1", comment="mine")
    assert reply.status == 200
    assert list(reply.json) == ["result", "success", "errors", "messages"]
    result = reply.json["result"]
    assert list(result) == [
        "id", "name", "type", "content", "proxiable", "proxied", "ttl", "settings", "meta",
        "comment", "tags", "created_on", "modified_on", "comment_modified_on"]
    assert len(result["id"]) == 32 and result["comment"] == "mine" and result["proxiable"]


@pytest.mark.parametrize("sent, kept", [
    (record("2001:0db8:0:0::1", type="AAAA"), "2001:db8::1"),
    (record("::FFFF:192.0.2.1", type="AAAA"), "::ffff:192.0.2.1"),
    (record("App.Example.NET", type="CNAME"), "app.example.net"),
])
def test_content_is_normalised(client, sent, kept):
    assert client.send("POST", client.base, sent).json["result"]["content"] == kept


@pytest.mark.parametrize("sent, expected", [
    (record("192.0.2.01"), [1004, 9005]),
    (record("192.0.2"), [1004, 9005]),
    (record("2001:db8::g", type="AAAA"), [1004, 9006]),
    (record("192.0.2.1", ttl=59), [1004, 9021]),
    (record("192.0.2.1", ttl=86401), [1004, 9021]),
    (record("192.0.2.1", ttl="60"), [1004, 9020]),
    (record("192.0.2.1", ttl=True), [1004, 9020]),
    (record("192.0.2.1", tags=["a:b"]), [1004, 9300]),
    (record("192.0.2.1", comment="c" * 101), [1004, 9313]),
    (record("192.0.2.1", comment="a\nb"), [1004, 9314]),
    (record("192.0.2.1", name="a..example.com"), [1004, 9000]),
    (record("192.0.2.1", type="B"), [1004, 9001]),
    (record("10.0.0.7", proxied=True), [9003]),
    (record("v=spf1", type="TXT", proxied=True), [1004, 9004]),
])
def test_refusals(start_cloudflare, sent, expected):
    server = start_cloudflare(strict=False, openapi="", https=False)
    with Client(server) as client:
        reply = client.send("POST", client.base, sent)
    assert (reply.status, codes(reply)) == (400, expected)
    assert server.records() == []


def test_ttl_is_one_when_proxied(client):
    assert client.create("192.0.2.1", ttl=300, proxied=True).json["result"]["ttl"] == 1


def test_names(start_cloudflare):
    server = start_cloudflare(strict=False, https=False)
    with Client(server) as client:
        names = [client.create("192.0.2.1", name=n).json["result"]["name"]
                 for n in ("@", "App", "WWW.Example.com.", "*.dev.example.com")]
    assert names == ["example.com", "app.example.com", "www.example.com", "*.dev.example.com"]


def test_identical_whatever_ttl_and_proxied(client, cloudflare):
    client.create("192.0.2.1")
    assert codes(client.create("192.0.2.1", ttl=300)) == [81058]
    assert codes(client.create("192.0.2.1", ttl=1, proxied=True)) == [81058]
    cloudflare.settings.change(identical_code=81057)
    assert codes(client.create("192.0.2.1")) == [81057]


def test_conflicts_between_types(client):
    client.create("192.0.2.1")
    assert codes(client.create("a.example.net", type="CNAME")) == [81053]
    client.create("a.example.net", name="alias.example.com", type="CNAME")
    assert codes(client.create("192.0.2.1", name="alias.example.com")) == [81054]
    assert codes(client.create("b.example.net", name="alias.example.com", type="CNAME")) == [81053]


def test_quota_and_content_total(client, cloudflare):
    cloudflare.settings.change(content_total=30)
    assert [client.create(f"192.0.2.{n}").status for n in (101, 102, 103)] == [200, 200, 400]
    cloudflare.settings.change(content_total=0, record_quota=3)
    assert client.create("192.0.2.103").status == 200
    assert codes(client.create("192.0.2.104")) == [81045]


def test_patch_keeps_and_put_resets(client, cloudflare):
    kept = cloudflare.seed("www.example.com", "A", "192.0.2.1", 300, comment="theirs", tags=["a:b"])
    result = client.patch(kept, content="192.0.2.2").json["result"]
    assert (result["content"], result["comment"]) == ("192.0.2.2", "theirs")
    assert result["tags"] == ["a:b"]
    assert client.patch(kept, comment="").json["result"]["comment"] is None
    result = client.put(kept.id, "192.0.2.3").json["result"]
    assert (result["ttl"], result["tags"], result["created_on"]) == (60, [], kept.created_on)


def test_type_cannot_change(client, cloudflare):
    kept = cloudflare.seed("www.example.com", "A", "192.0.2.1")
    assert client.patch(kept, type="AAAA", content="2001:db8::1").status == 400
    assert client.put(kept.id, "2001:db8::1", type="AAAA").status == 400
    assert cloudflare.contents("www.example.com") == ["192.0.2.1"]


def test_delete(client, cloudflare):
    cloudflare.seed("www.example.com", "A", "192.0.2.1", id="zz01")
    assert client.delete("zz01").json["result"] == {"id": "zz01"}
    gone = client.delete("zz01")
    assert (gone.status, codes(gone)) == (404, [81044])


# -- batch

def test_batch_goes_deletes_patches_puts_posts(client, cloudflare):
    old = cloudflare.seed("www.example.com", "A", "192.0.2.1")
    kept = cloudflare.seed("www.example.com", "A", "192.0.2.2")
    reply = client.batch(
        posts=[record("192.0.2.1")], deletes=[{"id": old.id}],
        patches=[{"id": kept.id, "type": "A", "name": kept.name, "ttl": 300}])
    assert reply.status == 200
    assert list(reply.json["result"]) == ["deletes", "patches", "puts", "posts"]
    assert cloudflare.contents("www.example.com") == ["192.0.2.1", "192.0.2.2"]
    assert len(cloudflare.timeline("www.example.com")) == 4  # empty, two seeds, one write


def test_batch_is_all_or_nothing(client, cloudflare):
    old = cloudflare.seed("www.example.com", "A", "192.0.2.1")
    at = cloudflare.mark()
    reply = client.batch(deletes=[{"id": old.id}], posts=[record("192.0.2.2"), record("192.0.2.2")])
    assert (reply.status, codes(reply)) == (400, [81058])
    assert cloudflare.records() == [old] and cloudflare.mark() == at
    assert codes(client.batch(deletes=[{"id": old.id}, {"id": old.id}])) == [81044]
    assert cloudflare.records() == [old]


def test_batch_swaps_types_and_has_a_limit(client, cloudflare):
    old = cloudflare.seed("www.example.com", "A", "192.0.2.1")
    reply = client.batch(deletes=[{"id": old.id}], posts=[record("a.example.net", type="CNAME")])
    assert reply.status == 200
    posts = [record(f"192.0.2.{n}", name="many.example.com") for n in range(201)]
    assert client.batch(posts=posts).status == 400
    assert client.batch(posts=posts[1:]).status == 200
    kinds = [c.kind for c in cloudflare.calls()]
    assert kinds == ["batch-mixed", "batch-post", "batch-post"]
    assert len(cloudflare.writes()) == len(cloudflare.calls("batch")) == 3


def test_poison(client, cloudflare):
    cloudflare.poison("192.0.2.66")
    reply = client.batch(posts=[record("192.0.2.1"), record("192.0.2.66")])
    assert codes(reply) == [1004, 9999] and cloudflare.records() == []
    cloudflare.poison(name="bad.example.com")
    cloudflare.poison("192.0.2.67", name="www.example.com")
    batch = [record("192.0.2.67", name=f"n{n}.example.com") for n in range(100)]
    assert client.batch(posts=batch).status == 200
    for bad in record("192.0.2.1", name="bad.example.com"), record("192.0.2.67"):
        reply = client.batch(posts=[record("192.0.2.1", name="new.example.com"), bad])
        assert codes(reply) == [1004, 9999] and len(cloudflare.records()) == 100


# -- lists

def test_empty_list_has_one_page(client):
    info = client.list("name.exact=www.example.com").json["result_info"]
    assert info == {"page": 1, "per_page": 100, "count": 0, "total_count": 0, "total_pages": 1}


def test_paging(client, cloudflare):
    cloudflare.seed_many({"name": "www.example.com", "type": "A", "content": f"192.0.2.{n}"}
                         for n in range(12))
    cloudflare.settings.change(max_per_page=5)
    pages = [client.list(f"name.exact=www.example.com&page={n}&per_page=5000").json
             for n in (1, 2, 3, 4)]
    assert [p["result_info"]["count"] for p in pages] == [5, 5, 2, 0]
    assert pages[0]["result_info"]["per_page"] == 5 and pages[3]["result_info"]["total_pages"] == 3
    assert len({r["id"] for p in pages for r in p["result"]}) == 12
    cloudflare.settings.change(omit_total_pages=True)
    assert "total_pages" not in client.list().json["result_info"]


def test_a_whole_zone(client, cloudflare):
    cloudflare.seed_many({"name": f"n{n}.example.com", "type": "A", "content": "192.0.2.1"}
                         for n in range(3500))
    info = client.list("per_page=5000&page=1").json["result_info"]
    assert (info["count"], info["total_pages"]) == (3500, 1)
    cloudflare.settings.change(max_per_page=100)
    pages = [client.list(f"per_page=5000&page={n}").json for n in (1, 35, 36)]
    assert [len(p["result"]) for p in pages] == [100, 100, 0]
    assert {(p["result_info"]["per_page"], p["result_info"]["total_pages"]) for p in pages} == {
        (100, 35)}
    assert not cloudflare.violations


@pytest.mark.parametrize("query, count", [
    ("name.exact=WWW.Example.COM", 3), ("name=www.example.com&type=A", 2), ("type=TXT", 1),
    ("comment.contains=OWNER", 1), ("comment.absent=", 3), ("content=192.0.2.2", 1),
    ("name.startswith=ww&content.endswith=.1", 1), ("match=any&type=TXT&content=192.0.2.1", 2),
    ("tag=team", 1), ("tag.exact=team:dns", 1), ("search=spf", 1), ("proxied=true", 0)])
def test_filters(start_cloudflare, query, count):
    server = start_cloudflare(strict=False, https=False)
    server.seed("www.example.com", "A", "192.0.2.1", comment="owner=a")
    server.seed("www.example.com", "A", "192.0.2.2", tags=["team:dns"])
    server.seed("www.example.com", "AAAA", "2001:db8::1")
    server.seed("example.com", "TXT", "v=spf1 -all")
    with Client(server) as client:
        assert client.list(query).json["result_info"]["total_count"] == count


def test_old_shape_and_usage(client, cloudflare):
    seeded = cloudflare.seed("example.com", "MX", "mx.example.com", priority=10)
    cloudflare.settings.change(old_shape=True)
    result = client.send("GET", f"{client.base}/{seeded.id}").json["result"]
    assert result["zone_name"] == "example.com" and result["locked"] is False
    assert result["priority"] == 10
    usage = client.send("GET", client.base + "/usage").json["result"]
    assert usage == {"record_quota": 3500, "record_usage": 1}


# -- zones and credentials

def test_zones(start_cloudflare):
    server = start_cloudflare(["example.com", "sub.example.com", "example.org"], https=False,
                              openapi="")
    with Client(server) as client:
        reply = client.send("GET", "/zones?name=sub.example.com").json
        assert list(reply) == ["result", "result_info", "success", "errors", "messages"]
        assert [z["id"] for z in reply["result"]] == [server.zone_id("sub.example.com")]
        assert client.send("GET", "/zones?name=example.net").json["result"] == []
        assert client.send("GET", "/zones?per_page=500").json["result_info"]["per_page"] == 50
        zone = client.send("GET", f"/zones/{server.zone_id()}").json["result"]
        assert zone["name"] == "example.com" and "#dns_records:edit" in zone["permissions"]


def test_a_zone_that_goes(start_cloudflare):
    server = start_cloudflare(["example.com", "example.org"], https=False, openapi="")
    server.seed("www.example.com", "A", "192.0.2.1")
    kept = server.seed("www.example.org", "A", "192.0.2.1")
    with Client(server) as client:
        path = client.base
        server.remove_zone()
        assert codes(client.send("GET", path)) == [10000]
        assert [z["name"] for z in client.send("GET", "/zones").json["result"]] == ["example.org"]
        assert server.records() == [kept]
        server.add_zone("example.com")
        assert client.base != path and client.list().json["result"] == []


def test_zone_ids(start_cloudflare):
    with Client(start_cloudflare(https=False, openapi="")) as client:
        reply = client.send("GET", "/zones/example.com/dns_records")
        assert (reply.status, codes(reply)) == (404, [7003])
        assert "/client/v4/zones/example.com/dns_records" in reply.json["errors"][0]["message"]
        assert codes(client.send("GET", "/zones//dns_records")) == [7003]
        reply = client.send("GET", f"/zones/{'0' * 32}/dns_records")
        assert (reply.status, codes(reply)) == (403, [10000])


KEY = "0123456789abcdef0123456789abcdef01234"


@pytest.mark.parametrize("headers, status, expected", [
    ({}, 400, [9106]),
    ({"Authorization": "Bearer short"}, 400, [6003, 6111]),
    ({"Authorization": "Basic eDp5"}, 400, [6003, 6111]),
    ({"Authorization": "Bearer " + "a" * 40}, 403, [9109]),
    ({"X-Auth-Email": "a@example.com"}, 400, [9106]),
    ({"X-Auth-Email": "a@example.com", "X-Auth-Key": "a" * 40}, 400, [6003, 6103]),
    ({"X-Auth-Email": "b@example.com", "X-Auth-Key": KEY}, 403, [9103]),
    ({"X-Auth-Email": "a@example.com", "X-Auth-Key": KEY}, 200, []),
])
def test_credentials(cloudflare, headers, status, expected):
    cloudflare.add_key("a@example.com", KEY)
    with Client(cloudflare, auth=headers) as client:
        reply = client.send("GET", "/zones")
    assert (reply.status, codes(reply)) == (status, expected)


def test_rights(start_cloudflare):
    server = start_cloudflare(["example.com", "example.org"], https=False)
    reader = server.add_token(rights=["dns_read"], zone="example.com")
    with Client(server, reader) as client:
        assert client.list().status == 200
        assert codes(client.create("192.0.2.1")) == [10000]
        assert codes(client.send("GET", "/zones")) == [9109]
        other = f"/zones/{server.zone_id('example.org')}/dns_records"
        assert client.send("GET", other).status == 403
    one = server.add_token(rights=["zone_read", "dns_edit"], zone="example.org")
    with Client(server, one) as client:
        assert [z["name"] for z in client.send("GET", "/zones").json["result"]] == ["example.org"]


def test_a_token_that_loses_a_zone(start_cloudflare):
    server = start_cloudflare(["example.com", "example.org"], https=False, openapi="")
    server.add_token(server.token, rights=(), zone="example.com")
    with Client(server) as client:
        assert codes(client.list()) == [10000]
        assert [z["name"] for z in client.send("GET", "/zones").json["result"]] == ["example.org"]
        path = f"/zones/{server.zone_id('example.org')}/dns_records"
        assert client.send("GET", path).status == 200


def test_verify_knows_user_tokens_only(cloudflare):
    with Client(cloudflare) as client:
        assert client.send("GET", "/user/tokens/verify").json["result"]["status"] == "active"
    with Client(cloudflare, cloudflare.add_token(kind="account")) as client:
        assert client.send("GET", "/user/tokens/verify").status == 401


# -- what is demanded of the client

@pytest.mark.parametrize("sent, word", [
    (record("192.0.2.1", ttl="60"), "ttl"),
    (record("192.0.2.1", ttl=60.5), "ttl"),
    (record("192.0.2.1", name="WWW.example.com"), "name"),
    (record("192.0.2.1", name="www.example.org"), "full name"),
    (record("192.0.2.1", data=None), "data"),
    ({"type": "A", "name": "www.example.com", "content": "192.0.2.1"}, "ttl"),
    ([], "object"),
    ("{", "JSON"),
])
def test_bodies_that_break_the_schema(cloudflare, client, sent, word):
    reply = client.send("POST", client.base, sent)
    assert reply.status == 400 and word in " ".join(cloudflare.violations)
    assert cloudflare.records() == []
    cloudflare.journal.violations.clear()


@pytest.mark.parametrize("headers, word", [
    ({"User-Agent": "curl/8"}, "User-Agent"), ({"Accept-Encoding": "gzip"}, "Accept-Encoding"),
    ({"Host": "localhost"}, "Host"), ({"Cookie": "a=b"}, "cookie"), ({"X-Auth-Key": KEY}, "both")])
def test_headers_that_break_the_rules(cloudflare, client, headers, word):
    assert client.send("GET", client.base, **headers).status == 400
    assert word in " ".join(cloudflare.violations)
    cloudflare.journal.violations.clear()


def test_unknown_query_parameter(cloudflare, client):
    assert client.list("name_exact=www.example.com").status == 400
    cloudflare.journal.violations.clear()


OFFICIAL = os.environ.get("CLOUDFLARE_OPENAPI")


@pytest.mark.skipif(not OFFICIAL, reason="CLOUDFLARE_OPENAPI names no copy of Cloudflare's API description")
def test_official_document(start_cloudflare):
    server = start_cloudflare(strict=False, https=False)
    with Client(server) as client:
        first = client.create("192.0.2.1", comment=None)
        assert client.list("name.exact=a.example.com&per_page=100&type=A").status == 200
        assert client.delete(first.json["result"]["id"]).status == 200
        assert client.batch(posts=[record("2001:db8::1", type="AAAA")]).status == 200
        assert not server.violations
        client.batch(posts=[record("192.0.2.300")], patches=[{"id": "a", "content": "192.0.2.1"}])
        client.create("192.0.2.1", ttl=20)
        client.list("per_page=x&colour=red")
    text = "\n".join(server.violations)
    assert all(word in text for word in ("posts/0", "patches/0", "ttl", "per_page", "colour"))
    server.journal.violations.clear()


# -- transport

def test_answers_look_like_the_edge(client):
    reply = client.list()
    assert reply.headers["Transfer-Encoding"] == "chunked" and not reply.headers["Content-Length"]
    assert reply.headers["Content-Type"] == "application/json"
    assert len(reply.headers.get_all("Set-Cookie")) == 3 and reply.headers["CF-RAY"]
    assert reply.headers["Ratelimit"].startswith('"default";r=')
    assert 1000 < len(str(reply.headers)) < 1700


def test_rate_limit(client, cloudflare):
    cloudflare.settings.change(rate_limit=3, rate_enforce=True)
    replies = [client.list() for _ in range(4)]
    assert [r.status for r in replies] == [200, 200, 200, 429]
    assert codes(replies[3]) == [10100] and int(replies[3].headers["Retry-After"]) >= 299
    assert replies[3].headers["Ratelimit"].startswith('"default";r=0;t=3')


@pytest.mark.parametrize("tickets", [True, False])
def test_sessions_are_resumed(start_cloudflare, tickets):
    server = start_cloudflare(tickets=tickets)
    with Client(server, high=ssl.TLSVersion.TLSv1_2) as client:
        client.list()
        client.list()
        client.reconnect()
        client.list()
    assert [c.requests for c in server.connections] == [2, 1]
    assert [c.resumed for c in server.connections] == [False, True] and server.resumed == 1
    assert server.connections[0].tls == "TLSv1.2"


def test_old_tls_is_refused(start_cloudflare):
    server = start_cloudflare(low=ssl.TLSVersion.TLSv1_3)
    with Client(server, high=ssl.TLSVersion.TLSv1_2) as client, pytest.raises(ssl.SSLError):
        client.list()
    server.stop()  # waits for the connection's thread
    assert server.connections == [] and "handshake" in server.listener.seen[0].error


# -- DNS and the program

def test_dns_follows_each_write(cloudflare_dns):
    dns = cloudflare_dns.dns
    assert dns.dig("www.example.com") == []
    with Client(cloudflare_dns) as client:
        first = client.create("192.0.2.1").json["result"]["id"]
        assert dns.dig("www.example.com") == ["192.0.2.1"]
        client.batch(posts=[record(f"192.0.2.{n}") for n in (2, 3)])
        assert dns.dig("www.example.com", "A", "+tcp") == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        client.delete(first)
        assert dns.dig("www.example.com") == ["192.0.2.2", "192.0.2.3"]
        client.create("2001:db8::1", name="*.dev.example.com", type="AAAA")
        assert dns.dig("a.dev.example.com", "AAAA") == ["2001:db8::1"]
        client.create("www.example.com", name="alias.example.com", type="CNAME")
        assert dns.dig("alias.example.com", "CNAME") == ["www.example.com."]
    cloudflare_dns.seed("example.com", "TXT", "v=spf1 -all")
    cloudflare_dns.seed("example.com", "MX", "mx.example.com", priority=10)
    assert dns.dig("example.com", "TXT") == ['"v=spf1 -all"']
    assert dns.dig("example.com", "MX") == ["10 mx.example.com."]


def test_program(tmp_path):
    child = subprocess.Popen(
        [sys.executable, HERE / "standin.py", "--dir", tmp_path, "--token", "t", "--set",
         "strict=false", "--zone", "example.org=" + "a" * 32, "--http"],
        stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(child.stdout.readline())

        def control(path, body=None):
            data = json.dumps(body).encode() if body is not None else None
            with urllib.request.urlopen(ready["control"] + path, data, timeout=5) as answer:
                return json.load(answer)

        control("/records", [{"name": "a.example.org", "type": "A", "content": "192.0.2.1"}])
        control("/faults", {"do": "error", "kind": "zones", "code": 1234})
        # A chroot may have no /etc/hosts.
        request = urllib.request.Request(ready["url"].replace("localhost", "127.0.0.1") + "/zones")
        request.add_header("Authorization", "Bearer t")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=5)
        assert json.load(refused.value)["errors"][0]["code"] == 1234
        assert control("/stats")["calls"] == {"zones": 1}
        assert control("/check", {"name": "a.example.org", "wanted": ["192.0.2.1"]}) == {
            "breaches": []}
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
        child.stdout.close()
    events = [json.loads(line) for line in Path(ready["journal"]).read_text().splitlines()]
    assert [e["event"] for e in events] == ["records", "call"]
    assert "Bearer t" not in Path(ready["journal"]).read_text()


def test_program_started_again_keeps_records_root_and_ports(tmp_path):
    """As a container whose volume outlives it: who trusted it, or asks its DNS server, sees no difference."""
    ports = [free_port("127.0.0.1") for _ in range(2)]
    seen = []
    for _ in range(2):
        child = subprocess.Popen(
            [sys.executable, HERE / "standin.py", "--dir", tmp_path, "--dns", "--dns-port", str(ports[0]),
             "--control-port", str(ports[1])], stdout=subprocess.PIPE, text=True)
        try:
            ready = json.loads(child.stdout.readline())
            assert ready["dns"]["port"] == ports[0] and ready["control"].endswith(f":{ports[1]}")
            if not seen:
                data = json.dumps([{"name": "a.example.com", "type": "A", "content": "192.0.2.1"}]).encode()
                urllib.request.urlopen(ready["control"] + "/records", data, timeout=5).close()
            context = ssl.create_default_context(cafile=seen[0][0] if seen else ready["ca_file"])
            url = urllib.parse.urlsplit(ready["url"])
            with socket.create_connection(("127.0.0.1", url.port), 5) as plain:
                context.wrap_socket(plain, server_hostname="localhost").close()
            with urllib.request.urlopen(ready["control"] + "/records", timeout=5) as answer:
                seen.append((ready["ca_file"], ready["zones"], [r["content"] for r in json.load(answer)],
                             Path(ready["ca_file"]).read_text()))
        finally:
            child.send_signal(signal.SIGTERM)
            assert child.wait(10) == 0
            child.stdout.close()
    assert seen[0] == seen[1] and seen[0][2] == ["192.0.2.1"]
