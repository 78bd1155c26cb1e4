"""Faults, hooks, the journal and the rules checked over it."""

import http.client
import socket
import ssl
import time

import pytest

from cloudflare import invariants
from cloudflare.client import Client, codes, record
from cloudflare.journal import Snapshot
from cloudflare.records import Record

BROKEN = (OSError, http.client.HTTPException, ValueError, OverflowError)


def test_lost_answer_is_done_all_the_same(client, cloudflare):
    rule = cloudflare.fault("lost", kind="batch-post")
    with pytest.raises(ConnectionResetError):
        client.batch(posts=[record("192.0.2.1")])
    assert cloudflare.contents("www.example.com") == ["192.0.2.1"] and rule.hits == 1
    assert codes(client.batch(posts=[record("192.0.2.1")])) == [81058]
    call = cloudflare.writes()[0]
    assert call.applied and not call.sent and call.fault == "lost"


@pytest.mark.parametrize("do, options", [
    ("reset", {}), ("reset", {"how": "fin"}), ("reset", {"how": "close"}), ("hang", {"seconds": 0}),
    ("raw", {"data": "ICY 200\r\n\r\n"}), ("endless", {"what": "header"}),
])
def test_not_done(client, cloudflare, do, options):
    cloudflare.fault(do, kind="create", **options)
    with pytest.raises(BROKEN):
        client.create("192.0.2.1")
    assert cloudflare.records() == []
    assert client.create("192.0.2.1").status == 200


@pytest.mark.parametrize("where", ["header", "chunk-size", "chunk", "body", "last"])
def test_truncated(client, cloudflare, where):
    cloudflare.fault("truncate", kind="list", where=where)
    with pytest.raises(BROKEN):
        reply = client.list()
        if reply.json is None:
            raise ValueError("http.client does not mind a missing last chunk size")
    assert client.list().status == 200


def test_status_rate_and_error(client, cloudflare):
    cloudflare.fault("status", status=502)
    cloudflare.fault("status", status=503, body="busy", content_type="text/plain",
                     headers={"Retry-After": "1"})
    cloudflare.fault("rate", retry_after=7)
    cloudflare.fault("rate", body={})
    cloudflare.fault("error", code=1004, chain=[(9999, "why")])
    replies = [client.list() for _ in range(5)]
    assert [r.status for r in replies] == [502, 503, 429, 429, 400]
    assert b"<h1>502 Bad Gateway</h1>" in replies[0].body
    assert replies[1].headers["Retry-After"] == "1" and replies[2].headers["Retry-After"] == "7"
    assert not replies[3].headers["Retry-After"] and not replies[3].headers["Ratelimit"]
    assert codes(replies[4]) == [1004, 9999]
    assert cloudflare.calls()[4].codes == [1004, 9999]
    assert len(cloudflare.connections) == 1


def test_slow_and_delay(client, cloudflare):
    cloudflare.fault("slow", ms=1, bytes=200, nth=2)
    cloudflare.fault("delay", seconds=0.05, times=0)
    start = time.monotonic()
    assert client.list().status == 200
    middle = time.monotonic()
    assert client.list().status == 200
    assert middle - start >= 0.05 and time.monotonic() - middle >= 0.055


@pytest.mark.parametrize("what", [
    "text", "empty", "half", "trailing", "array", "types", "record-types", "strings", "no-result",
    "null-result", "deep", "binary", "bad-utf8", "nul", "success-500", "failure-200"])
def test_garbage_is_whole(client, cloudflare, what):
    cloudflare.fault("garbage", what=what)
    assert client.list().status == (500 if what == "success-500" else 200)
    assert client.list().json["success"] is True and len(cloudflare.connections) == 1


@pytest.mark.parametrize("what", ["trailers", "extension", "100", "no-length"])
def test_allowed_framing(client, cloudflare, what):
    cloudflare.fault("framing", what=what)
    assert client.list().json["result"] == []


@pytest.mark.parametrize("what", ["both-lengths", "two-lengths", "bad-chunk", "negative-chunk",
                                  "huge-chunk"])
def test_faulty_framing_ends_the_connection(cloudflare, what):
    cloudflare.fault("framing", what=what)
    for _ in range(2):
        with Client(cloudflare) as client:
            try:
                client.list()
            except BROKEN:
                pass  # http.client forgives some of it
    assert [c.requests for c in cloudflare.connections] == [1, 1]


def test_close_after_and_huge_header(client, cloudflare):
    cloudflare.fault("close-after")
    cloudflare.fault("huge-header", bytes=60000)
    assert client.list().headers["Connection"] == "keep-alive"
    with pytest.raises(BROKEN):
        client.list()
    assert len(client.list().headers["X-Huge"]) == 60000
    assert len(cloudflare.connections) == 2


def test_stale_list(client, cloudflare):
    client.create("192.0.2.1")
    cloudflare.fault("stale", kind="list")
    assert client.list().json["result"] == []
    assert len(client.list().json["result"]) == 1


def test_unfiltered_list(client, cloudflare):
    cloudflare.seed("mail.example.com", "A", "192.0.2.7")
    cloudflare.fault("unfiltered", kind="list")
    assert len(client.list("name.exact=www.example.com").json["result"]) == 1
    assert client.list("name.exact=www.example.com").json["result"] == []


def test_connect_faults(cloudflare):
    cloudflare.fault("reset", kind="connect")
    cloudflare.fault("raw", kind="connect")
    cloudflare.fault("hang", kind="connect", seconds=0.05)
    for _ in range(3):
        with Client(cloudflare) as client, pytest.raises((ConnectionError, ssl.SSLError)):
            client.list()
    with Client(cloudflare) as client:
        assert client.list().status == 200
    assert len(cloudflare.connections) == 1 and len(cloudflare.listener.seen) == 4


def test_rules_are_met_in_order(client, cloudflare):
    cloudflare.fault("status", kind="write", nth=2, times=1)
    cloudflare.fault("error", method="POST", path="batch$", contains="192.0.2.9", times=0, code=1)
    seen = [client.create("192.0.2.1").status, client.create("192.0.2.2").status,
            client.create("192.0.2.3").status]
    assert seen == [200, 500, 200]
    assert [codes(client.batch(posts=[record("192.0.2.9")])) for _ in range(2)] == [[1], [1]]
    assert client.batch(posts=[record("192.0.2.8")]).status == 200
    cloudflare.faults.clear()
    assert client.batch(posts=[record("192.0.2.9")]).status == 200


def test_faults_are_checked_when_they_are_added(cloudflare):
    for do, keys in (("lots", {}), ("lost", {"kind": "batched"}), ("lost", {"bytes": 3})):
        with pytest.raises(ValueError):
            cloudflare.fault(do, **keys)


def test_chance_is_the_same_each_time(cloudflare):
    rule = cloudflare.fault("reset", kind="create", times=0, chance=0.3, seed=7)
    first = [rule.meets() for _ in range(50)]
    again = cloudflare.fault("reset", kind="create", times=0, chance=0.3, seed=7)
    assert first == [again.meets() for _ in range(50)] and 5 < sum(first) < 25


def test_hooks(client, cloudflare):
    seen = []

    def hook(name):
        return lambda call: seen.append((name, call.n, len(cloudflare.records())))

    cloudflare.fault("hook", kind="create", before=hook("before"), after=hook("after"),
                     sent=hook("sent"))
    client.create("192.0.2.1")
    client.create("192.0.2.2")
    assert seen == [("before", 1, 0), ("after", 1, 1), ("sent", 1, 1)]


def test_a_client_that_dies_leaves_nothing_behind(cloudflare):
    cloudflare.fault("hang", kind="list")
    client = Client(cloudflare)
    client._connect()
    client.http.sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.list()
    deadline = time.monotonic() + 5
    while cloudflare.listener.live and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not cloudflare.listener.live


def test_a_request_that_is_no_http(start_cloudflare):
    server = start_cloudflare(https=False)
    for data in (b"HELLO\r\n\r\n", b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
            sock.sendall(data)
            assert sock.recv(100).startswith(b"HTTP/1.1 400")
    assert len(server.violations) == 2
    server.journal.violations.clear()


def test_stop_ends_hanging_connections(cloudflare):
    rule = cloudflare.fault("hang", kind="zones")
    client = Client(cloudflare)
    client._connect()
    client.http.putrequest("GET", "/client/v4/zones")
    client.http.putheader("User-Agent", "dnsbuddy/test")
    client.http.endheaders()
    start = time.monotonic()
    while not rule.hits and time.monotonic() < start + 5:
        time.sleep(0.01)
    start = time.monotonic()
    cloudflare.stop()
    assert time.monotonic() - start < 2 and not cloudflare.listener.live
    client.http.close()


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_chunk_and_segment_sizes(client, cloudflare, size):
    cloudflare.settings.change(chunk_size=size, segment_size=size * 10)
    assert client.list().json["result"] == []


# -- the rules over the journal

def history(*sets):
    """Snapshots as if the client had made each of them after the first: lists of addresses."""
    class Write:
        kind = "batch"

    out = []
    for n, contents in enumerate(sets):
        records = tuple(
            item if isinstance(item, Record)
            else Record(f"{item}", "z", "www.example.com", "A", item) for item in contents)
        out.append(Snapshot(n, float(n), Write() if n else None, records))
    return out


A, B, C = "192.0.2.1", "192.0.2.2", "192.0.2.9"
FOREIGN = Record("f", "z", "mail.example.com", "A", A)


@pytest.mark.parametrize("sets, options, found", [
    ([[A, C], [A, B, C], [A, B]], {}, []),
    ([[C], [A, B]], {}, ["I1"]),
    ([[C], [A, B]], {"swap": True}, []),
    ([[A, C], [A], [A, B]], {}, ["I1"]),
    ([[A, B, C], [B], [A, B]], {}, ["I3"]),
    ([[A, B], []], {"wanted": [], "floor": 1}, ["I2"]),
    ([[A, B, C], [A, B]], {"floor": 3}, ["I2"]),
    ([[A, B], [A, B, C], [A, B]], {}, ["I4"]),
    ([[A, C], [A, B, C]], {}, ["I5"]),
    ([[A, C], [A, B, C]], {"final": False}, []),
    ([[A, FOREIGN], [A, B]], {}, ["I6"]),
    ([[A], [A, B, FOREIGN]], {}, ["I6"]),
    ([[A], [A, B, FOREIGN]], {"also": ["mail.example.com"]}, []),
    ([[A], [A, B]], {"quiet": True}, ["I4"]),
])
def test_rules(sets, options, found):
    options = {"wanted": [A, B], **options}
    breaches = invariants.check(history(*sets), "www.example.com", **options)
    assert sorted({text.split(":")[0] for text in breaches}) == found


def test_rules_over_a_real_run(client, cloudflare):
    cloudflare.seed("www.example.com", "A", A, id="zz01")
    old = cloudflare.seed("www.example.com", "A", C, id="aa09")
    client.batch(posts=[record(B)])
    client.batch(deletes=[{"id": old.id}])
    cloudflare.check_invariants("www.example.com", [A, B])
    assert [len(records) for records in cloudflare.timeline("www.example.com")] == [0, 1, 2, 3, 2]
    client.batch(deletes=[{"id": "zz01"}])
    with pytest.raises(AssertionError, match="I3"):
        cloudflare.check_invariants("www.example.com", [A, B])
