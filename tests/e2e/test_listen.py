"""What watch shows of itself: /health, /metrics, /, and `dnsbuddy health`, which asks it."""

import html.parser
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest
from blocking import BlockingConsul
from consul import free_ports
from fake_consul import Reply
from program import NAME
from watching import scene, until

__all__ = ["scene"]

A, B, C = (f"192.0.2.{n}" for n in range(1, 4))


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)

    def samples(self):
        """{'name{labels}': value} of Prometheus' text."""
        lines = (line for line in self.text.splitlines() if not line.startswith("#"))
        return {key: float(value) for key, _, value in (line.rpartition(" ") for line in lines)}


@pytest.fixture
def port():
    return free_ports(1)[0]


@pytest.fixture
def listen(port):
    return "--listen", f"127.0.0.1:{port}"


@pytest.fixture
def ask(port):
    def go(path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request(method, path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return Answer(answer.status, dict(answer.getheaders()), text)
    return go


# -- when all is well

def test_health_is_convergence(scene, listen, port, ask, run):
    site, watch = scene.started(A, B, args=listen)
    until(lambda: ask("/health").json["records"][0]["state"] == "in sync")
    answer = ask("/health")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    told = answer.json
    assert (told["healthy"], told["leader"], told["reasons"]) == (True, True, [])
    record, = told["records"]
    assert (record["name"], record["service"], record["healthy"]) == (NAME, site.service, True)
    assert record["unconverged_seconds"] == 0
    for args, env in [(listen, {}), ((), {"DNSBUDDY_LISTEN": f":{port}"}),
                      ((), {"DNSBUDDY_LISTEN": f"0.0.0.0:{port}"}), (("--listen", f":{port}"), {}),
                      ((), {"DNSBUDDY_CONFIG": json.dumps({"listen": f"127.0.0.1:{port}"})})]:
        done = run("health", *args, env=env).expect(0)
        assert (done.out, done.err) == ("", "")


def test_every_address_of_both_families(scene, port, ask, run):
    scene.started(A, args=("--listen", f":{port}"))
    assert ask("/health").status == 200
    with socket.create_server(("::1", 0), family=socket.AF_INET6):
        pass  # else this machine has no IPv6
    run("health", "--listen", f"[::1]:{port}").expect(0)
    run("health", "--listen", f"[::]:{port}").expect(0)


def test_metrics_as_prometheus_wants_them(scene, listen, ask):
    site, _ = scene.started(A, B, args=listen)
    at = f'{{name="{NAME}",service="{site.service}"}}'
    until(lambda: ask("/metrics").samples()[f"dnsbuddy_record_in_sync{at}"] == 1)
    answer = ask("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = answer.samples()
    assert samples[f"dnsbuddy_record_wanted{at}"] == 2
    assert samples[f"dnsbuddy_record_actual{at}"] == 2
    assert samples[f"dnsbuddy_record_held{at}"] == 0
    assert samples[f"dnsbuddy_record_unconverged_seconds{at}"] == 0
    assert abs(samples[f"dnsbuddy_record_last_sync_timestamp_seconds{at}"] - time.time()) < 30
    assert samples[f"dnsbuddy_consul_last_answer_age_seconds{at}"] < 30
    assert samples[f'dnsbuddy_record_instances{at[:-1]},state="passing"}}'] == 2
    assert samples['dnsbuddy_cloudflare_writes_total{op="create"}'] == 2
    for kind in ("zones", "list", "write"):
        assert samples[f'dnsbuddy_cloudflare_calls_total{{kind="{kind}",status="2xx"}}'] == 1
    assert samples["dnsbuddy_leader"] == samples["dnsbuddy_healthy"] == 1
    assert samples["dnsbuddy_consul_reads_total"] >= 1
    assert samples["dnsbuddy_connections_total"] >= 2


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
@pytest.mark.parametrize("names", ["true", "false"])
def test_promtool_is_silent(scene, listen, ask, names):
    scene.started(A, B, args=(*listen, "--metrics-names", names))
    done = subprocess.run(["promtool", "check", "metrics"], input=ask("/metrics").text,
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_sums_in_place_of_names(scene, listen, ask, tmp_path):
    """And back, without a restart."""
    site, file = scene.site(A, B), tmp_path / "dnsbuddy.json"

    def write(**more):
        file.write_text(json.dumps({"records": [{"service": site.service, "record": NAME}], **more}))
    write(metrics_names=False)
    watch = scene.watch(None, "--config", file, *listen)
    in_sync = 'dnsbuddy_zone_records{zone="example.com",state="in sync"}'
    watch.wait_for("synced")
    until(lambda: ask("/metrics").samples()["dnsbuddy_records_in_sync"] == 1)
    samples = ask("/metrics").samples()
    assert (samples[in_sync], samples["dnsbuddy_records_wanted"], samples["dnsbuddy_records_held"]) == (1, 2, 0)
    assert NAME not in ask("/metrics").text
    write()
    watch.hup()
    samples = ask("/metrics").samples()
    assert f'dnsbuddy_record_in_sync{{name="{NAME}",service="{site.service}"}}' in samples
    assert "dnsbuddy_records_in_sync" in samples


class Page(html.parser.HTMLParser):
    """The text of a page and its elements; `wrong` holds what is not closed in order."""

    VOID = {"meta"}
    OPTIONAL = {"li", "dt", "dd", "html"}  # HTML lets these stay open

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.words, self.seen = [], [], [], []
        self.feed(text)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID | self.OPTIONAL:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.OPTIONAL:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append("/" + tag)

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_for_people(scene, listen, ask):
    site, _ = scene.started(A, B, args=listen)
    until(lambda: ask("/health").json["records"][0]["state"] == "in sync")
    answer = ask("/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert not page.wrong
    tags = {tag for tag, _ in page.seen}
    assert {"title", "header", "main", "h1", "h2", "h3", "section", "ul", "time"} <= tags
    # complete in itself
    assert not tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not [a for _, a in page.seen if a.keys() & {"src", "href", "onclick", "action"}]
    assert ("html", {"lang": "en"}) in page.seen
    assert [a for tag, a in page.seen if tag == "meta" and a.get("http-equiv") == "refresh"]
    assert "url(" not in answer.text and "@import" not in answer.text
    text = re.sub(r"\s+", " ", " ".join(page.words))
    for part in ("Healthy", "1 name, in sync", NAME, f"service {site.service}",
                 "Instances in Consul: 2", "Records at Cloudflare: 2", "passing", A, B, "UTC"):
        assert part in text, f"no {part!r} in: {text}"


def test_other_paths_and_methods(scene, listen, port, ask):
    scene.started(A, args=listen)
    head = ask("/health", "HEAD")
    assert (head.status, head.text) == (200, "")
    assert int(head.headers["Content-Length"]) > 50
    assert ask("/health?x=y").status == 200
    assert ask("/favicon.ico").status == 404
    answer = ask("/", "POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


# -- when it is not

def test_unhealthy_until_it_converges(scene, cloudflare, listen, ask, run):
    site, _ = scene.started(A, args=(*listen, "--unhealthy-after", "1"))
    cloudflare.fault("status", status=502, times=1000)
    site.add(B)
    assert ask("/health").status == 200  # converging, not ill
    until(lambda: ask("/health").status == 503)
    told = ask("/health").json
    assert (told["healthy"], told["unhealthy"], len(told["reasons"])) == (False, 1, 1)
    assert told["reasons"][0].startswith(f"{NAME}: ")
    record, = told["records"]
    assert not record["healthy"] and record["unconverged_seconds"] >= 1
    done = run("health", *listen).expect(1)
    assert done.out == "" and re.fullmatch(
        rf"dnsbuddy health: unhealthy: {re.escape(NAME)}: .+\n", done.err), done.err
    assert f"Unhealthy: {NAME}" in ask("/").text
    assert ask("/metrics").samples()["dnsbuddy_healthy"] == 0
    cloudflare.faults.clear()
    until(lambda: ask("/health").status == 200, 20)
    site.settle()
    run("health", *listen).expect(0)


def test_held_by_a_rule_of_the_user_s_is_healthy_and_says_so(scene, listen, ask):
    site, _ = scene.started(A, B, args=(*listen, "--unhealthy-after", "1", "--min-records", "2"))
    site.checked = False
    for left in (1, 0):  # the floor; keep
        site.remove(B if left else A)
        until(lambda: ask("/health").json["records"][0]["held_by_rule"] == 2 - left)
        time.sleep(1.2)
        answer = ask("/health")
        record, = answer.json["records"]
        assert answer.status == 200 and record["unconverged_seconds"] == 0
        assert ("--min-records" if left else "--on-empty") in record["reason"]
    samples = ask("/metrics").samples()
    at = f'{{name="{NAME}",service="{site.service}"}}'
    assert samples[f"dnsbuddy_record_held_by_rule{at}"] == samples[f"dnsbuddy_record_held{at}"] == 2


@pytest.mark.parametrize("is_empty", [False, True])
def test_held_for_want_of_evidence_is_unhealthy_in_time(scene, listen, ask, is_empty):
    """As long as Consul knows no leader; also when the list that is not believed is empty."""
    fake = BlockingConsul()
    fake.new_name, scene.consul = lambda: "web", fake
    site, watch = scene.started(A, B, args=(*listen, "--unhealthy-after", "2"))
    fake.consistent_headers = {"X-Consul-KnownLeader": "false"}
    site.remove(B)
    if is_empty:
        site.remove(A)
    until(lambda: ask("/health").json["records"][0]["state"] == "held")
    assert ask("/health").status == 200
    until(lambda: ask("/health").status == 503, 5)
    record, = ask("/health").json["records"]
    assert "leader" in record["reason"] and record["held_by_rule"] == 0 and record["unconverged_seconds"] >= 2
    fake.consistent_headers = {}
    if is_empty:
        site.add(A)
    site.settle(seconds=20)
    until(lambda: ask("/health").status == 200)
    watch.stop()
    fake.stop()


def test_nobody_answers(run, listen, port):
    done = run("health", *listen).expect(1)
    assert re.fullmatch(rf"dnsbuddy health: no answer from watch or run at 127\.0\.0\.1 port {port}: .+\n",
                        done.err), done.err


def test_a_watch_that_hangs(scene, run, listen):
    _, watch = scene.started(A, args=listen)
    watch.send(signal.SIGSTOP)
    done = run("health", *listen)
    watch.send(signal.SIGCONT)
    done.expect(1)
    assert 1.5 < done.seconds < 4 and "no answer from watch or run" in done.err


@pytest.mark.parametrize("body, status", [
    (b"[]", 200), (b"it works", 200), (b"{}", 503), (b"", 404)])
def test_something_else_answers(run, fake, body, status):
    fake.script = lambda request: Reply(status=status, body=body)
    done = run("health", "--listen", f"127.0.0.1:{fake.port}").expect(1)
    assert done.err.endswith(f" is neither watch nor run: status {status}\n")


@pytest.mark.parametrize("args, env, code, part", [
    (("--listen", "8080"), {}, 64, "(--listen) is wrong: \"8080\": no port"),
    (("--listen", "host:80"), {}, 64, "(--listen) is wrong: \"host:80\": no IP address"),
])
def test_health_that_knows_not_whom_to_ask(run, args, env, code, part):
    done = run("health", *args, env=env).expect(code)
    assert part in done.err and len(done.err.splitlines()) == 1


# -- nobody holds the loop

def test_slow_and_silent_clients_shut_nobody_out(scene, listen, port, ask, run):
    site, watch = scene.started(A, args=listen)
    files = watch.files_n()
    crowd = []
    for n in range(40):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"\r\n" * (n % 2))
        crowd.append(client)
    assert watch.files_n() <= files + 8 + 1  # and a connection of its own, opened meanwhile
    began = time.monotonic()
    run("health", *listen).expect(0)
    site.add(B)
    site.settle()
    assert time.monotonic() - began < 2
    for client in crowd:
        client.close()
    until(lambda: watch.files_n() <= files)


def test_silent_clients_are_shown_out(scene, listen, port):
    scene.started(A, args=listen)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET /")
        began, answer = time.monotonic(), client.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408 ") and 4.5 < time.monotonic() - began < 6
        time.sleep(0.2)
        assert client.recv(4096) == b""


def test_clients_that_die_or_talk_nonsense(scene, listen, port, ask):
    site, watch = scene.started(A, args=listen)
    for text in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"z" * 100000,
                 b"A" * 5000, b"", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"):
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        client.sendall(text)
        client.close()  # with a reset
    assert ask("/health").status == 200
    assert not watch.is_over()


# -- before the loop

def test_an_address_that_is_taken(scene, run, listen, consul, cloudflare):
    site, _ = scene.started(A, args=listen)
    done = run("watch", *listen, site.service, NAME, consul=consul, cloudflare=cloudflare).expect(1)
    assert f"listen at {listen[1]}: " in done.err and "in use" in done.err


def test_no_address(run, consul, cloudflare):
    done = run("watch", "web", NAME, env={"DNSBUDDY_LISTEN": "www.example.com:80"}, consul=consul,
               cloudflare=cloudflare).expect(78)
    assert "www.example.com:80" in done.err and "no IP address" in done.err
