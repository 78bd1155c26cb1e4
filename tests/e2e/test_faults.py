"""What Cloudflare's API and the way to it can do, and what comes of it."""

import pytest
from fake_consul import instance
from program import NAME

RAY = r"CF-RAY [0-9a-f]{16}"


def ips(*last):
    return [f"192.0.2.{n}" for n in last]


@pytest.fixture
def scene(fake, cloudflare):
    """Cloudflare has .1 and .9, Consul lists .1 and .2."""
    fake.instances = [instance(a) for a in ips(1, 2)]
    for address in ips(1, 9):
        cloudflare.seed(NAME, "A", address)
    return {"consul": fake, "cloudflare": cloudflare}


@pytest.fixture
def sync(run, scene):
    def go(*flags, retry_for=20, code=0, **env):
        return run("sync", *flags, "web", NAME, **scene,
                   env={"DNSBUDDY_RETRY_FOR": retry_for, **env}).expect(code)
    return go


def converged(scene, mark):
    scene["cloudflare"].check_invariants(NAME, ips(1, 2), since=mark)


PASSING = [
    ("status", {"status": 500}), ("status", {"status": 502}), ("status", {"status": 503}),
    ("status", {"status": 520}), ("status", {"status": 408, "body": "{}"}),
    ("reset", {}), ("reset", {"how": "fin"}), ("reset", {"how": "close"}), ("hang", {}),
    ("garbage", {"what": "success-500"}), ("garbage", {"what": "half"}),
    ("garbage", {"what": "text"}),
    *(("truncate", {"where": w}) for w in ("header", "chunk-size", "chunk", "body", "last")),
]


@pytest.mark.parametrize("kind", ["zones", "list", "batch-post", "batch-delete"])
@pytest.mark.parametrize("do, options", PASSING, ids=[
    "-".join([do, *map(str, o.values())]) for do, o in PASSING])
def test_a_fault_that_passes(sync, scene, kind, do, options):
    """One fault at any call: the same sync gets over it, whether the write was done or not."""
    cf = scene["cloudflare"]
    rule, mark = cf.fault(do, kind=kind, **options), cf.mark()
    sync(DNSBUDDY_TIMEOUT=1)
    assert rule.hits == 1
    converged(scene, mark)


@pytest.mark.parametrize("kind", ["batch-post", "batch-delete"])
@pytest.mark.parametrize("how", ["rst", "fin", "close"])
def test_a_lost_answer_is_looked_up_not_repeated(sync, scene, kind, how):
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("lost", kind=kind, how=how)
    sync()
    assert len(cf.writes()) == 2, cf.writes()
    converged(scene, mark)


def test_faults_at_every_second_call(sync, scene):
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    for n in range(1, 8, 2):
        cf.fault("status", status=502, nth=n)
    sync(retry_for=60)
    converged(scene, mark)


@pytest.mark.parametrize("kind", ["connect", "any"])
def test_a_fault_that_stays(sync, scene, kind):
    """Tries end with --retry-for; the exit code says that trying again may help."""
    scene["cloudflare"].fault("reset", kind=kind, times=0)
    done = sync(retry_for=2, code=1)
    assert done.find("retrying") and done.last["kind"] == "retry" and done.seconds < 6
    assert scene["cloudflare"].contents(NAME) == ips(1, 9)


def test_retry_for_0_is_one_try(sync, scene):
    scene["cloudflare"].fault("status", kind="list", status=503, times=0)
    done = sync(retry_for=0, code=1)
    assert len(scene["cloudflare"].calls("list")) == 1 and done.messages() == ["failed"]


def test_html_of_the_edge_is_told_by_its_status(sync, scene):
    scene["cloudflare"].fault("status", kind="list", status=502, times=0)
    error = sync(retry_for=0, code=1).last["error"]
    assert "HTTP 502" in error and "CF-RAY" in error and "<" not in error


@pytest.mark.parametrize("where", ["zones", "list"])
def test_slow_bytes_do_not_stretch_the_deadline(sync, scene, where):
    """A byte every 300 ms would be no silence ever, and take minutes."""
    scene["cloudflare"].fault("slow", kind=where, ms=300, times=0)
    done = sync(retry_for=0, code=1, DNSBUDDY_TIMEOUT=1)
    assert 0.9 < done.seconds < 3 and done.last["kind"] == "retry"


def test_a_connection_closed_between_calls(sync, scene):
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("close-after", times=0)
    # Whether the close is seen before the next request goes out is up to the network: a GET is then sent once more, a
    # POST is not, but after a new listing.
    done = sync(retry_for=20)
    assert len(cf.connections) >= 4
    assert all("answer lost" in line["error"] for line in done.find("retrying"))
    assert cf.resumed == len(cf.connections) - 1
    converged(scene, mark)


def test_success_false_with_200_is_a_refusal(sync, scene):
    scene["cloudflare"].fault("garbage", kind="list", what="failure-200", times=0)
    done = sync(retry_for=0, code=1)
    assert "injected (code 1000)" in done.last["error"]
    assert not scene["cloudflare"].writes()


def test_a_refusal_is_told_with_its_chain(sync, scene):
    scene["cloudflare"].fault("error", kind="list", code=1004, message="DNS Validation Error",
                              chain=[(9005, "Content for A record"), (9300, "tags exceeded")])
    error = sync(retry_for=0, code=1).last["error"]
    assert ("DNS Validation Error (code 1004): Content for A record (code 9005): "
            "tags exceeded (code 9300)") in error
    assert "CF-RAY" in error


# -- rate limit

@pytest.mark.parametrize("kind", ["zones", "list", "batch-post", "batch-delete"])
@pytest.mark.parametrize("how", ["retry_after", "ratelimit"])
def test_429_waits_as_told(sync, scene, kind, how):
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("rate", kind=kind, **{how: 1})
    done = sync()
    wait, = done.find("retrying")
    assert wait["kind"] == "busy" and 1000 <= int(wait["in_ms"]) < 2000 and done.seconds >= 1
    converged(scene, mark)


def test_429_past_retry_for_gives_up_at_once(sync, scene):
    cf = scene["cloudflare"]
    cf.fault("rate", kind="list", retry_after=300, times=0)
    done = sync(retry_for=60, code=1)
    assert len(cf.calls("list")) == 1 and done.seconds < 2
    assert "10100" in done.last["error"] and "past --retry-for" in done.last["error"]


def test_429_that_does_not_say_how_long(sync, scene):
    """Tries are further and further apart."""
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("rate", kind="list", times=2)
    waits = [int(line["in_ms"]) for line in sync().find("retrying")]
    assert len(waits) == 2 and 250 <= waits[0] <= 500 <= waits[1] <= 1000
    converged(scene, mark)


def test_503_waits_as_told(sync, scene):
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("status", kind="list", status=503, headers={"Retry-After": "1"})
    wait, = sync().find("retrying")
    assert 1000 <= int(wait["in_ms"]) < 2000
    converged(scene, mark)


# -- what is not believed

@pytest.mark.parametrize("header", [
    {"Retry-After": "86400"}, {"Retry-After": "9" * 30}, {"Ratelimit": '"default";r=0;t=999999999'}])
def test_an_absurd_time_does_not_end_it(sync, scene, header):
    """Of a 503: past --retry-for it is as if nothing was said; what was said is told."""
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("status", kind="list", status=503, headers=header)
    wait, = sync().find("retrying")
    assert int(wait["in_ms"]) <= 500
    assert "told to wait" in wait["error"]
    converged(scene, mark)


def test_429_for_a_day_is_five_minutes(sync, scene):
    scene["cloudflare"].fault("rate", kind="list", retry_after=86400, times=0)
    done = sync(retry_for=60, code=1)
    assert "told to wait 86400 s, which is cut; to be asked again in 300 s" in done.last["error"]


def test_retry_after_0_is_no_reason_to_hurry(sync, scene):
    cf = scene["cloudflare"]
    cf.fault("rate", kind="list", retry_after=0, times=0)
    sync(retry_for=3, code=1)
    assert 3 <= len(cf.calls("list")) <= 6


@pytest.mark.parametrize("kind", ["zones", "list", "batch-post", "batch-delete"])
@pytest.mark.parametrize("what", ["body", "array", "string", "header"])
def test_an_answer_past_a_limit_is_asked_for_again(sync, scene, kind, what):
    """As a page that somebody on the way put there."""
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("endless", kind=kind, what=what)
    assert len(sync(DNSBUDDY_TIMEOUT=4).find("retrying")) == 1
    converged(scene, mark)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("kind", ["zones", "list", "batch-post"])
def test_a_redirect_tells_where_to(sync, scene, kind, status):
    cf = scene["cloudflare"]
    cf.fault("status", kind=kind, status=status, times=0, body="moved",
             headers={"Location": f"https://127.0.0.1:{cf.port}/client/v5/x?token=hush#hush"})
    done = sync(code=0 if kind == "batch-post" else 1)  # without batches it goes, too
    assert f"HTTP {status}: redirected to https://127.0.0.1:{cf.port}/client/v5/x, which" in done.err
    assert "hush" not in done.err and not any("v5" in call.target for call in cf.calls())


def test_an_encoded_error_is_told_by_its_status(sync, scene):
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("status", kind="list", status=503, body="\x1f\x8bzipped", headers={"Content-Encoding": "gzip"})
    wait, = sync().find("retrying")
    assert "HTTP 503" in wait["error"] and "zipped" not in wait["error"]
    converged(scene, mark)


# -- refusals

def test_a_poisoned_record_does_not_block_the_others(sync, scene):
    """I1 too: as long as a wanted record cannot be there, nothing is removed."""
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    scene["consul"].instances += [instance(a) for a in ips(3, 4)]
    cf.poison("192.0.2.3")
    done = sync(code=1)
    assert cf.contents(NAME) == ips(1, 2, 4, 9)
    refused, = done.find("record refused")
    assert refused["content"] == "192.0.2.3" and "injected refusal" in refused["error"]
    assert not cf.calls("batch-delete") and not cf.calls("delete")
    cf.check_invariants(NAME, ips(1, 2, 3, 4), since=mark, final=False)


@pytest.mark.parametrize("code", [81057, 81058])
def test_a_record_that_came_in_between_is_fine(sync, scene, code):
    """Somebody else creates .2 after our listing: the refusal of ours proves that it is there."""
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.settings.change(identical_code=code)
    cf.fault("hook", kind="batch-post", before=lambda call: cf.seed(NAME, "A", "192.0.2.2"))
    sync(retry_for=0)
    converged(scene, mark)


def test_a_record_that_went_in_between_is_fine(sync, scene):
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("hook", kind="batch-delete", before=lambda call: cf.remove(content="192.0.2.9"))
    sync(retry_for=0)
    converged(scene, mark)
    assert 81044 in cf.calls("batch-delete")[0].codes


def test_a_wanted_record_that_goes_in_between_comes_back(sync, scene):
    """After the batch of creates, somebody deletes one of them and the stale one."""
    cf = scene["cloudflare"]

    def meddle(call):
        cf.remove(content="192.0.2.2")
        cf.remove(content="192.0.2.9")
    cf.fault("hook", kind="batch-delete", before=meddle)
    sync(retry_for=0)
    assert cf.contents(NAME) == ips(1, 2)


def test_a_cname_of_somebody_else_is_in_the_way(sync, scene):
    """81054: it came between listing and write. It is named, and never deleted."""
    cf = scene["cloudflare"]
    cf.remove()

    def meddle(call):
        if not cf.records(NAME):
            cf.seed(NAME, "CNAME", "park.example.net", comment="marketing")
    cf.fault("hook", kind="batch-post", before=meddle)
    done = sync("--owner", "web", retry_for=0, code=1)
    assert cf.contents(NAME) == ["park.example.net"]
    assert "park.example.net" in done.last["error"] and "not ours" in done.last["error"]
    assert 81054 in cf.calls("batch-post")[0].codes


def test_addresses_of_somebody_else_are_in_the_way_of_a_cname(sync, scene):
    cf = scene["cloudflare"]
    scene["consul"].instances = [instance("origin.example.net")]
    done = sync("--owner", "web", retry_for=0, code=1)
    assert cf.contents(NAME) == ips(1, 9) and not cf.writes()
    assert "192.0.2.1" in done.last["error"] and "not ours" in done.last["error"]


def test_81053_that_no_listing_explains(sync, scene):
    """A record that the listing does not show (as a Worker's route) refuses a CNAME."""
    cf = scene["cloudflare"]
    cf.remove()
    scene["consul"].instances = [instance("origin.example.net")]
    for kind in ("batch", "create"):
        cf.fault("error", kind=kind, code=81053, times=0, message="An A, AAAA, or CNAME record "
                 "with that host already exists.")
    done = sync(code=1)
    assert "81053" in done.err and "already exists" in done.err and not cf.records(NAME)


def test_the_list_changes_while_it_is_paged(run, fake, start_cloudflare):
    """A record that leaves page 1 pulls one of page 2 there, where it is never seen."""
    cf = start_cloudflare(max_per_page=3)
    have = ips(*range(1, 9))
    for address in have:
        cf.seed(NAME, "A", address)
    fake.instances = [instance(a) for a in have[1:]]
    mark = cf.mark()
    cf.fault("hook", kind="list", nth=2, before=lambda call: cf.remove(content=have[0]))
    run("sync", "web", NAME, cloudflare=cf, consul=fake).expect(0)
    cf.check_invariants(NAME, have[1:], since=mark)


def test_a_swap_is_never_split(sync, scene):
    """A CNAME gives way to addresses in one transaction; refused, it stays."""
    cf = scene["cloudflare"]
    cf.remove()
    cf.seed(NAME, "CNAME", "old.example.net", comment="managed by dnsbuddy")
    cf.poison("192.0.2.2")
    sync(code=1)
    assert cf.contents(NAME) == ["old.example.net"]
    assert {c.kind for c in cf.writes()} == {"batch-mixed"}


def test_quota(sync, scene):
    cf = scene["cloudflare"]
    cf.settings.change(record_quota=2)
    done = sync(retry_for=0, code=1)
    assert "Record quota exceeded" in done.err and cf.contents(NAME) == ips(1, 9)


# -- credentials

AUTH = [
    (403, 9109, "Invalid access token", ()),
    (400, 6003, "Invalid request headers", ((6111, "Invalid format for Authorization header"),)),
    (400, 6003, "Invalid request headers", ((6103, "Invalid format for X-Auth-Key header"),)),
    (400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers", ()),
    (403, 9103, "Unknown X-Auth-Key or X-Auth-Email", ()),
    (403, 10000, "Authentication error", ()), (401, 10000, "Authentication error", ()),
    (400, 10001, "Unable to authenticate request", ()), (401, 1000, "Invalid API Token", ()),
]


@pytest.mark.parametrize("kind, status, code, message, chain", [
    *(("zones", *auth) for auth in AUTH), *((kind, *AUTH[5]) for kind in ("list", "batch-post", "batch-delete"))])
def test_credentials_refused_in_passing(sync, scene, kind, status, code, message, chain):
    """One refusal is no verdict, even without time to try again."""
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("error", kind=kind, status=status, code=code, message=message, chain=chain)
    done = sync(retry_for=0)
    wait, = done.find("retrying")
    assert message in wait["error"] and str(code) in wait["error"] and wait["kind"] == "auth"
    assert all(text in wait["error"] for _, text in chain)
    assert wait["in_ms"] == "2000" and done.seconds >= 2
    converged(scene, mark)


@pytest.mark.parametrize("command", ["sync", "plan"])
@pytest.mark.parametrize("kind", ["zones", "list"])
def test_refused_credentials(run, scene, command, kind):
    """Twice is: for plan too, which does not try again otherwise."""
    rule = scene["cloudflare"].fault("error", kind=kind, status=403, code=9109, times=0)
    done = run(command, "web", NAME, **scene, env={"DNSBUDDY_RETRY_FOR": 0}).expect(77)
    assert rule.hits == 2 and done.last["kind"] == "auth" and done.last["msg"] == "failed"


def test_credentials_that_have_served(sync, scene):
    """With --retry-for as whatever passes, but slowly."""
    cf, mark = scene["cloudflare"], scene["cloudflare"].mark()
    cf.fault("error", kind="list", status=403, code=10000, times=2)
    waits = [int(line["in_ms"]) for line in sync(retry_for=60).find("retrying")]
    assert len(waits) == 2 and 2000 <= waits[0] <= 4000 <= waits[1] <= 8000
    converged(scene, mark)
    rule = cf.fault("error", kind="list", status=403, code=10000, times=0)
    done = sync(retry_for=5, code=77)
    assert rule.hits == 2 and done.seconds < 6


def test_a_wrong_token(sync):
    assert "Invalid access token" in sync(code=77, CLOUDFLARE_API_TOKEN="x" * 40).last["error"]


def test_a_token_that_may_only_read(sync, scene):
    cf = scene["cloudflare"]
    token = cf.add_token(rights=("zone_read", "dns_read"))
    done = sync(retry_for=3, code=77, CLOUDFLARE_API_TOKEN=token)
    assert "write records" in done.last["error"] and cf.contents(NAME) == ips(1, 9)


def test_a_token_for_another_zone(sync, scene):
    cf = scene["cloudflare"]
    cf.add_zone("example.net")
    token = cf.add_token(zone="example.net")
    sync(code=78, CLOUDFLARE_API_TOKEN=token)  # the zone is not there for it
    sync(code=77, CLOUDFLARE_API_TOKEN=token, CF_ZONE_ID=cf.zone_id())


def test_a_zone_id_that_is_none(sync, scene):
    scene["cloudflare"].fault("error", kind="list", status=404, code=7003, message="Could not "
                              "route to /zones/x, perhaps your object identifier is invalid?")
    done = sync(code=78, CF_ZONE_ID="a" * 32)
    assert "7003" in done.last["error"]
