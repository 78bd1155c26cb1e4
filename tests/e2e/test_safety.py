"""What must always hold (I1 to I9, src/README.md), whatever Consul, Cloudflare or a kill -9 do."""

import os
import resource
import signal

import pytest
from fake_consul import Reply, instance
from program import NAME

PEAK_KB = 3 * 1024


def ips(*last):
    return [f"192.0.2.{n}" for n in last]


@pytest.fixture
def scene(fake, cloudflare):
    """Cloudflare has .1 and .9, Consul lists .1 and .2: something to add, something to remove."""
    fake.instances = [instance(a) for a in ips(1, 2)]
    for address in ips(1, 9):
        cloudflare.seed(NAME, "A", address)
    return {"consul": fake, "cloudflare": cloudflare}


def sync(run, scene, *flags, retry_for=0, **keys):
    env = {"DNSBUDDY_RETRY_FOR": retry_for, **keys.pop("env", {})}
    return run("sync", *flags, "web", NAME, **scene, env=env, **keys)


# -- I7: evidence

GAPS = {
    "no-leader": ({"X-Consul-KnownLeader": "false"}, "no leader"),
    "no-leader-header": ({"X-Consul-KnownLeader": None}, "no leader"),
    "stale": ({"X-Consul-Effective-Consistency": "stale"}, "stale"),
    "old": ({"X-Consul-LastContact": "60000"}, "X-Consul-LastContact"),
    "odd-contact": ({"X-Consul-LastContact": "never"}, "X-Consul-LastContact"),
    "filtered": ({"X-Consul-Results-Filtered-By-ACLs": "true"}, "ACLs hid"),
    "age": ({"Age": "0"}, "cache"),
    "x-cache": ({"X-Cache": "HIT"}, "cache"),
}


@pytest.mark.parametrize("gap", GAPS)
def test_no_evidence_adds_and_holds(run, scene, gap):
    headers, why = GAPS[gap]
    cf = scene["cloudflare"]
    scene["consul"].consistent = Reply(headers=headers)
    done = sync(run, scene).expect(3)
    assert cf.contents(NAME) == ips(1, 2, 9)
    assert done.last["msg"] == "held" and done.last["held"] == "1" and why in done.last["why"]
    scene["consul"].consistent = Reply()
    sync(run, scene).expect(0)
    assert cf.contents(NAME) == ips(1, 2)


def test_a_gap_of_the_first_read_does_not_matter(run, scene):
    """Only the consistent read decides; it alone is what removals stand on."""
    scene["consul"].plain = Reply(headers={"X-Consul-KnownLeader": "false"})
    sync(run, scene).expect(0)
    assert scene["cloudflare"].contents(NAME) == ips(1, 2)


def test_removals_stand_on_the_consistent_read(run, scene):
    """The first read is old: it lacks .9, which the consistent one lists."""
    scene["consul"].consistent = Reply(body=[instance(a) for a in ips(1, 9)])
    sync(run, scene).expect(0)
    assert scene["cloudflare"].contents(NAME) == ips(1, 9)
    assert not scene["cloudflare"].writes()


def test_nothing_is_removed_without_a_consistent_read(run, scene):
    sync(run, scene).expect(0)
    order = [r.is_consistent for r in scene["consul"].requests]
    assert order == [False, True]
    assert not any("cached" in r.query or "stale" in r.query for r in scene["consul"].requests)


def test_additions_alone_need_no_second_read(run, scene):
    scene["cloudflare"].remove(content="192.0.2.9")
    sync(run, scene).expect(0)
    assert len(scene["consul"].requests) == 1


@pytest.mark.parametrize("reply, why", [
    (Reply(500, b"rpc error: No cluster leader"), "HTTP 500: rpc error: No cluster leader"),
    (Reply(403, b"Permission denied"), "HTTP 403"),
    (Reply(do="hang"), ""), (Reply(do="reset"), ""), (Reply(do="truncate"), ""),
    (Reply(body=b"[{]"), ""), (Reply(body={}), "")],
    ids=["500", "403", "hang", "reset", "truncated", "not-json", "not-a-list"])
def test_a_failed_consistent_read_adds_and_holds(run, scene, reply, why):
    scene["consul"].consistent = reply
    done = sync(run, scene, env={"DNSBUDDY_TIMEOUT": "1"}).expect(3)
    assert scene["cloudflare"].contents(NAME) == ips(1, 2, 9)
    assert done.last["why"].startswith("the consistent read of Consul failed")
    assert why in done.err


def test_a_gap_that_passes_is_waited_for(run, scene):
    """An election is over in seconds; a handler is not called again for this change."""
    answers = iter([Reply(500, b"no leader"), Reply(headers={"X-Consul-KnownLeader": "false"})])
    scene["consul"].script = lambda request: next(answers, None) if request.is_consistent else None
    done = sync(run, scene, retry_for=30).expect(0)
    assert scene["cloudflare"].contents(NAME) == ips(1, 2)
    assert len(done.find("retrying")) == 2


def test_default_deny_without_token(run, scene):
    """Anonymous readers see an empty list where ACLs deny by default: nothing is known."""
    scene["consul"].instances = []
    reply = Reply(headers={"X-Consul-Default-ACL-Policy": "deny"})
    scene["consul"].plain = scene["consul"].consistent = reply
    done = sync(run, scene, "--on-empty", "remove").expect(3)
    assert "no token" in done.last["why"]
    assert scene["cloudflare"].contents(NAME) == ips(1, 9)
    sync(run, scene, "--on-empty", "remove", env={"CONSUL_HTTP_TOKEN": "t" * 36}).expect(0)
    assert scene["cloudflare"].contents(NAME) == []


@pytest.mark.parametrize("instances", [
    [], [instance("192.0.2.1", "critical"), instance("192.0.2.9", "critical")]])
def test_an_empty_list_empties_nothing(run, scene, instances):
    scene["consul"].instances = instances
    done = sync(run, scene).expect(3)
    assert scene["cloudflare"].contents(NAME) == ips(1, 9)
    assert not scene["cloudflare"].writes() and "--on-empty is keep" in done.last["why"]


# -- bad answers of Consul; those past a limit: I9

BAD = {
    "not-json": b"it works!",
    "half": b'[{"Node":{"Node":"n","Address":"10.0.0.1"},"Service":{"ID":"w","Ad',
    "empty": b"",
    "object": {"Node": {}},
    "null": b"null",
    "strings": ["a", "b"],
    "numbers": [1, 2],
    "nested-lists": [[[]]],
    "no-service": [{"Node": {"Address": "10.0.0.1"}, "Checks": []}],
    "no-node": [{"Service": {"ID": "w", "Address": "192.0.2.1"}, "Checks": []}],
    "no-checks": [{"Node": {}, "Service": {"ID": "w", "Address": "192.0.2.1"}}],
    "checks-null": [{"Node": {}, "Service": {"ID": "w", "Address": "192.0.2.1"}, "Checks": None}],
    "check-without-status": [{"Node": {}, "Service": {"ID": "w", "Address": "192.0.2.1"},
                              "Checks": [{"CheckID": "x"}]}],
    "address-number": [{"Node": {}, "Service": {"ID": "w", "Address": 7}, "Checks": []}],
    "trailing": b"[] []",
    "deep": b"[" * 100000,
    "bad-utf8": b'[{"Node":{"Node":"\xff\xfe"}}]',
    "nul": b"[\0]",
    "long-element": b'["' + b"x" * 600000 + b'"]',
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("binary", ["static", "asan"])
def test_a_bad_answer_of_consul_changes_nothing(run, scene, what, binary):
    scene["consul"].plain = scene["consul"].consistent = Reply(body=BAD[what])
    done = sync(run, scene, asan=binary == "asan").expect(1)
    assert not scene["cloudflare"].writes()
    error = done.last["error"]
    assert "consul" in error and "/v1/health/service/web" in error
    assert str(scene["consul"].port) in error or "localhost" in error, error
    assert len(error) > len("consul: health of web: GET /v1/health/service/web: ")


@pytest.mark.parametrize("odd", [7, None, "x", [], {}])
def test_an_element_that_is_no_instance_adds_and_holds(run, scene, odd):
    scene["consul"].instances.append(odd)
    done = sync(run, scene).expect(3)
    assert scene["cloudflare"].contents(NAME) == ips(1, 2, 9)
    assert done.find("instances without a usable address are left out")[0]["count"] == "1"
    assert "cannot be read" in done.last["why"]


@pytest.mark.parametrize("do", ["big", "flood", "endless"])
def test_an_answer_without_end_is_bounded(run, scene, do):
    scene["consul"].plain = Reply(do=do)
    done = sync(run, scene, env={"DNSBUDDY_TIMEOUT": "5"}, timeout=15, watch_memory=True).expect(1)
    done.check_peak(PEAK_KB)
    assert not scene["cloudflare"].writes()
    assert done.last["kind"] in ("limit", "retry") and done.seconds < 8


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_consuls_own_words_are_told(run, scene, status):
    scene["consul"].plain = Reply(status, b"the reason of it\n")
    done = sync(run, scene).expect(1)
    assert f"HTTP {status}: the reason of it" in done.last["error"]


@pytest.mark.parametrize("status", [401, 403])
def test_consul_refuses_the_token(run, scene, status):
    scene["consul"].plain = Reply(status, b"ACL not found")
    done = sync(run, scene, retry_for=60).expect(77)
    assert "ACL not found" in done.last["error"] and len(scene["consul"].requests) == 2
    assert 2 <= done.seconds < 5 and [line["kind"] for line in done.find("retrying")] == ["auth"]


def test_consul_does_not_know_the_token_yet(run, scene):
    """For up to half a minute after it was made: what has served before is asked again and again."""
    said = iter([None, *[Reply(403, b"ACL not found")] * 2])
    scene["consul"].script = lambda request: next(said, None)
    scene["cloudflare"].fault("status", kind="list", status=503)
    done = sync(run, scene, retry_for=60).expect(0)
    assert [line["kind"] for line in done.find("retrying")] == ["retry", "auth", "auth"]
    assert scene["cloudflare"].contents(NAME) == ips(1, 2)


# -- bad answers of Cloudflare; those past a limit: I9

GARBAGE = ["text", "empty", "half", "trailing", "array", "types", "record-types", "strings",
           "no-result", "null-result", "deep", "binary"]


@pytest.mark.parametrize("binary", ["static", "asan"])
@pytest.mark.parametrize("what", GARBAGE)
def test_a_bad_list_of_records_changes_nothing(run, scene, what, binary):
    cf = scene["cloudflare"]
    cf.fault("garbage", kind="list", what=what, times=0)
    done = sync(run, scene, asan=binary == "asan").expect(1)
    assert not cf.writes() and cf.contents(NAME) == ips(1, 9)
    assert "cloudflare" in done.last["error"] and "/dns_records" in done.last["error"]
    assert str(cf.port) in done.last["error"] or "localhost" in done.last["error"]


@pytest.mark.parametrize("what", [g for g in GARBAGE if g != "record-types"])
def test_a_bad_list_of_zones_changes_nothing(run, scene, what):
    cf = scene["cloudflare"]
    cf.fault("garbage", kind="zones", what=what, times=0)
    sync(run, scene).expect(1)
    assert not cf.writes() and not cf.calls("list")


@pytest.mark.parametrize("what", ["body", "array", "string", "header"])
def test_an_endless_answer_of_cloudflare_is_bounded(run, scene, what):
    cf = scene["cloudflare"]
    cf.fault("endless", kind="list", what=what, times=0)
    done = sync(run, scene, env={"DNSBUDDY_TIMEOUT": "4"}, timeout=15, watch_memory=True).expect(1)
    done.check_peak(PEAK_KB)
    assert not cf.writes() and done.seconds < 8


@pytest.mark.parametrize("where", ["header", "chunk-size", "chunk", "body", "last"])
def test_a_truncated_list_changes_nothing(run, scene, where):
    cf = scene["cloudflare"]
    cf.fault("truncate", kind="list", where=where, times=0)
    sync(run, scene).expect(1)
    assert not cf.writes() and cf.contents(NAME) == ips(1, 9)


def test_a_list_that_ignores_its_filter(run, scene):
    """I6: records of other names and types in the answer are not ours."""
    cf = scene["cloudflare"]
    cf.seed("a." + NAME, "A", "192.0.2.77")
    cf.seed(NAME, "TXT", '"hello"')
    cf.fault("unfiltered", kind="list", times=0)
    mark = cf.mark()
    sync(run, scene).expect(0)
    cf.check_invariants(NAME, ips(1, 2), since=mark)
    assert cf.contents("a." + NAME) == ips(77)


def test_an_old_list_does_no_harm(run, scene):
    """I3, I5: what it names is gone or back; the sync after it finds the truth."""
    cf = scene["cloudflare"]
    sync(run, scene).expect(0)
    mark = cf.mark()
    cf.fault("stale", kind="list", times=1)
    sync(run, scene, retry_for=20)
    sync(run, scene, retry_for=20).expect(0)
    cf.check_invariants(NAME, ips(1, 2), since=mark)


# -- where nobody listens

@pytest.mark.parametrize("args", [("version",), ("help",), ("help", "sync")])
def test_a_result_that_nobody_gets_is_a_failure(run, args):
    with open("/dev/full", "wb") as full:
        done = run(*args, stdout=full)
    assert done.code == 1 and "standard output" in done.err


def test_a_plan_into_a_full_disk_fails(run, scene):
    for flags in ((), ("--json",)):
        with open("/dev/full", "wb") as full:
            done = run("plan", *flags, "web", NAME, **scene, stdout=full)
        assert done.code == 1 and "standard output" in done.err


def test_stdout_closed(run, scene):
    done = run("plan", "web", NAME, **scene, preexec=lambda: os.close(1))
    assert done.code == 1


def test_a_closed_pipe_does_not_kill(run, scene):
    read, write = os.pipe()
    os.close(read)
    done = run("plan", "web", NAME, **scene, stdout=write,
               preexec=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
    os.close(write)
    assert done.code == 1


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_sync_works_with_closed_files(run, scene, closed):
    """No connection may take the number of stderr and get the log."""
    sync(run, scene, preexec=lambda: [os.close(fd) for fd in closed]).expect(0)
    assert scene["cloudflare"].contents(NAME) == ips(1, 2)


def test_stderr_into_a_closed_pipe(run, scene):
    read, write = os.pipe()
    os.close(read)
    sync(run, scene, stderr=write).expect(0)
    os.close(write)
    assert scene["cloudflare"].contents(NAME) == ips(1, 2)


def test_few_descriptors_suffice(run, scene):
    """The three standard ones, two connections, and one for a file or a look-up, with one to spare."""
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    sync(run, scene, preexec=limit).expect(0)
