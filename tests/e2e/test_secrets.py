"""I8: secrets go to the one side they are for, and appear in no output, at any level."""

import base64
import http.client
import json
import re

import pytest
from consul import free_ports
from fake_consul import Reply, instance
from program import NAME, settings_of_help
from proxy import Proxy
from test_reach import OUTSIDE
from watching import scene, until

__all__ = ["scene"]

SECRETS = {
    "CLOUDFLARE_API_TOKEN": "cfut_Secret0Token0Of0Cloudflare0With0Enough0Length",
    "CONSUL_HTTP_TOKEN": "5ec2e700-aaaa-bbbb-cccc-consultoken1",
    "CONSUL_HTTP_AUTH": "hermione:alohomora-77",
}
KEY = {"CF_API_KEY": "0badc0de" * 4 + "54321", "CF_AUTH_EMAIL": "hidden.person@example.com"}
HIDDEN = [*SECRETS.values(), *KEY.values(), "alohomora-77", "proxy-pa55word",
          "aGVybWlvbmU6YWxvaG9tb3JhLTc3"]  # the last: CONSUL_HTTP_AUTH in base64


def test_every_secret_is_among_these():
    of_help = [set(s.names) for s in settings_of_help() if s.is_secret]
    assert of_help and all(names & {*SECRETS, *KEY} for names in of_help)


@pytest.fixture
def parts(fake, cloudflare):
    fake.instances = [instance("192.0.2.1")]
    cloudflare.seed(NAME, "A", "192.0.2.9")
    cloudflare.add_token(SECRETS["CLOUDFLARE_API_TOKEN"])
    cloudflare.credentials.add_key(KEY["CF_AUTH_EMAIL"], KEY["CF_API_KEY"])
    return {"consul": fake, "cloudflare": cloudflare}


@pytest.fixture
def spy(run, parts):
    """A run with every secret set and the most talkative log; checked for each of them."""
    def go(*args, env=None, **keys):
        env = {**SECRETS, "DNSBUDDY_RETRY_FOR": "1", "DNSBUDDY_TIMEOUT": "1", "DNSBUDDY_LOG_LEVEL": "debug",
               **(env or {})}
        done = run(*(args or ("sync", "web", NAME)), **{**parts, **keys}, env=env)
        found = [s for s in HIDDEN if s in done.out + done.err]
        assert not found, f"{found} in\n{done!r}"
        return done
    return go


def echo(text):
    return {"success": False, "result": None, "messages": [],
            "errors": [{"code": 1000, "message": f"you sent {text}, and {text}",
                        "error_chain": [{"code": 1001, "message": text}]}]}


@pytest.mark.parametrize("log_format", ["text", "logfmt", "json"])
@pytest.mark.parametrize("kind", ["zones", "list", "batch-post"])
@pytest.mark.parametrize("status", [400, 403, 500, 200])
def test_an_api_that_echoes_the_token(spy, parts, log_format, kind, status):
    body = echo(SECRETS["CLOUDFLARE_API_TOKEN"])
    parts["cloudflare"].fault("status", kind=kind, status=status, body=body, times=0)
    for command in ("sync", "plan"):
        done = spy(command, "web", NAME, env={"DNSBUDDY_LOG_FORMAT": log_format})
    assert "***" in done.err or kind == "batch-post"


@pytest.mark.parametrize("command", ["sync", "plan"])
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_plan_that_echoes_the_token(spy, parts, flags, command):
    body = echo(SECRETS["CLOUDFLARE_API_TOKEN"])
    parts["cloudflare"].fault("status", kind="list", status=400, body=body, times=0)
    spy(command, "--dry-run", *flags, "web", NAME)


def test_a_consul_that_echoes_its_secrets(spy, parts):
    for status in (403, 500):
        for name in ("CONSUL_HTTP_TOKEN", "CONSUL_HTTP_AUTH"):
            parts["consul"].plain = Reply(status, f"bad token {SECRETS[name]}".encode())
            spy()
            spy("plan", "--json", "web", NAME)
    for echoed in (b"aGVybWlvbmU6YWxvaG9tb3JhLTc3", b"wrong password alohomora-77", b"alohomora%2D77"):
        parts["consul"].plain = Reply(500, echoed)
        assert "alohomora" not in spy().err


def test_a_plan_whose_consistent_read_echoes_a_secret(spy, parts):
    parts["consul"].consistent = Reply(500, SECRETS["CONSUL_HTTP_TOKEN"].encode())
    assert "that read: " in spy("plan", "web", NAME).expect(3).out


ECHOES = {
    "as it is": lambda s: s,
    "in a URL": lambda s: "".join(f"%{b:02X}" for b in s.encode()),
    "in base64": lambda s: base64.b64encode(f"Bearer {s}".encode()).decode(),
    "behind a kilobyte": lambda s: "x" * 230 + s,
    "in other letters": lambda s: f"\u202e{s}\u2028\x9b31m\x07",
}


@pytest.mark.parametrize("how", ECHOES)
def test_no_way_out_of_a_watch_shows_what_an_api_echoes(scene, run, how):
    """The log, every page, health, and its check in Consul; and no text forges another."""
    token, port = scene.cf.token, free_ports(1)[0]
    listen = ("--listen", f"127.0.0.1:{port}")
    site, watch = scene.started("192.0.2.1", args=(*listen, "--register-as", "echo", "--unhealthy-after", "1"),
                                env={"DNSBUDDY_REGISTER_AS": None})
    scene.cf.fault("status", status=500, body=echo(ECHOES[how](token)), times=0)
    site.add("192.0.2.2")
    until(lambda: run("health", *listen).code == 1)
    until(lambda: [c for c in scene.consul.get("/v1/agent/checks").values()
                   if c["ServiceName"] == "echo" and c["Status"] == "critical" and "HTTP 500" in c["Output"]])
    out = {"log": watch.text(), "health": run("health", *listen).err,
           "check": json.dumps(scene.consul.get("/v1/agent/checks"), ensure_ascii=False)}
    for path in ("/", "/health", "/metrics"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        out[path] = connection.getresponse().read().decode()
        connection.close()
    assert all("HTTP 500" in out[where] for where in ("log", "health", "check", "/", "/health"))
    parts = [form(token)[at:at + 16] for form in ECHOES.values() for at in range(0, len(form(token)) - 16, 8)
             if "x" * 16 not in form(token)[at:at + 16]]
    for where, text in out.items():
        assert not [p for p in parts if p in text and p not in "Bearer "], (where, text)
        assert not set(text) & set("\u202e\u2028\x9b\x07"), (where, text)
    scene.cf.faults.clear()
    site.settle(seconds=20)


@pytest.mark.parametrize("password", ['with"quote-77', "back\\slash-77", "tab\u00e9-77"])
@pytest.mark.parametrize("log_format", ["text", "logfmt", "json"])
def test_a_secret_that_is_escaped_in_the_log(spy, parts, password, log_format):
    secret = f"user:{password}"
    parts["consul"].plain = Reply(403, secret.encode())
    for command in ("sync", "plan"):
        done = spy(command, "web", NAME, env={"CONSUL_HTTP_AUTH": secret,
                                              "DNSBUDDY_LOG_FORMAT": log_format})
        assert "-77" not in done.err, done.err


def test_a_plan_shows_no_control_bytes_of_a_peer(spy, parts):
    parts["consul"].instances.append(instance("", id="evil\x1b[31m\nwww: in sync"))
    out = spy("plan", "web", NAME).expect(0).out
    assert "evil?[31m?www" in out and "\x1b" not in out


def test_key_and_email(spy, parts):
    env = {**KEY, "CLOUDFLARE_API_TOKEN": None}
    spy(env=env).expect(0)
    for value in KEY.values():
        parts["cloudflare"].faults.clear()
        parts["cloudflare"].fault("status", kind="list", status=400, body=echo(value), times=0)
        spy(env=env)


@pytest.mark.parametrize("do", ["reset", "hang", "truncate", "rate", "garbage", "status"])
def test_failures(spy, parts, do):
    parts["cloudflare"].fault(do, kind="list", times=0)
    spy()


@pytest.mark.parametrize("env", [
    {"TTL": "abc"}, {"CF_API_TOKEN": "other"}, {"CONSUL_HTTP_ADDR": "http://a b"},
    {"CONSUL_HTTP_TOKEN": SECRETS["CONSUL_HTTP_TOKEN"] + "\r\nX: y"}, {"RECORD": "?"},
    {"CF_API_URL": f"https://x:{SECRETS['CLOUDFLARE_API_TOKEN']}@api.example.com"},
    {"SERVICE": SECRETS["CLOUDFLARE_API_TOKEN"], "TTL": "abc"},
    {"https_proxy": "socks5://u:proxy-pa55word@127.0.0.1:1", "CF_API_URL": OUTSIDE},
    {"https_proxy": "http://u:proxy-pa55word@127.0.0.1:1", "CF_API_URL": OUTSIDE},
    {"https_proxy": "http://u:proxy-pa55word@:x", "CF_API_URL": OUTSIDE},
    {"DNSBUDDY_CONFIG": '{"api_token": "proxy-pa55word", "ttl": 7}'},
    {"DNSBUDDY_CONFIG": '{"consul_token": "proxy-pa55word\n"}', "CONSUL_HTTP_TOKEN": None},
], ids=lambda env: next(iter(env)))
def test_mistakes(spy, env):
    assert spy("sync", env={"SERVICE": "web", "RECORD": NAME, **env}).code in (1, 64, 78)


def test_each_side_gets_its_own(spy, parts):
    """Cloudflare never sees Consul's secrets, nor Consul Cloudflare's."""
    spy().expect(0)
    for call in parts["cloudflare"].calls():
        assert call.header("authorization") == "Bearer " + SECRETS["CLOUDFLARE_API_TOKEN"]
        text = repr((call.target, call.headers, call.body))
        assert not any(s in text for s in HIDDEN if s != SECRETS["CLOUDFLARE_API_TOKEN"])
    for request in parts["consul"].requests:
        assert request.headers["x-consul-token"] == SECRETS["CONSUL_HTTP_TOKEN"]
        assert request.headers["authorization"] == "Basic aGVybWlvbmU6YWxvaG9tb3JhLTc3"
        assert SECRETS["CLOUDFLARE_API_TOKEN"] not in repr(request)


def test_a_redirect_is_not_followed(spy, parts, start_cloudflare):
    other = start_cloudflare()
    parts["cloudflare"].fault("status", kind="list", status=302, body="{}", times=0,
                              headers={"Location": other.url + "/zones"})
    done = spy().expect(1)
    assert "HTTP 302" in done.last["error"] and not other.listener.seen
    parts["consul"].plain = Reply(301, headers={"Location": f"http://localhost:{other.port}/"})
    assert "HTTP 301" in spy().expect(1).last["error"] and not other.listener.seen


def test_the_proxy_sees_no_secret_but_its_own(spy, parts):
    proxy = Proxy(parts["cloudflare"].port)
    try:
        spy(env={"https_proxy": proxy.url("u:proxy-pa55word@"), "CF_API_URL": OUTSIDE}).expect(0)
    finally:
        proxy.stop()
    assert proxy.requests and "dTpwcm94eS1wYTU1d29yZA==" in proxy.requests[0]
    assert not any(s in text for text in proxy.requests for s in SECRETS.values())


@pytest.mark.parametrize("log_format", ["text", "logfmt", "json"])
def test_a_log_line_cannot_be_forged(spy, parts, log_format):
    """What a peer says stays in its field, on its line."""
    evil = 'x\n{"level":"info","msg":"synced"}\r\nlevel=info msg=synced \x1b[31m" = \\'
    parts["cloudflare"].fault("error", kind="list", message=evil, status=400, times=0)
    done = spy(env={"DNSBUDDY_LOG_FORMAT": log_format})
    assert done.err.count("\n") == 1 and "\x1b" not in done.err and "\r" not in done.err
    if log_format == "json":
        line = json.loads(done.err)
        assert line["level"] == "error" and line["msg"] == "failed"
    elif log_format == "logfmt":
        assert done.last["level"] == "error" and done.last["msg"] == "failed"
    else:
        assert re.match(r"\S+ error failed name=", done.err)


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
def test_every_line_can_be_parsed(spy, parts, log_format):
    parts["cloudflare"].fault("status", kind="batch-post", status=502)
    parts["consul"].instances.append(instance(""))
    done = spy(env={"DNSBUDDY_LOG_FORMAT": log_format, "DNSBUDDY_RETRY_FOR": "20"}).expect(0)
    lines = done.logs if log_format == "logfmt" else [
        json.loads(line) for line in done.err.splitlines()]
    assert [line["msg"] for line in lines if line["level"] != "debug"] == [
        "retrying", "record created", "record deleted",
        "instances without a usable address are left out", "synced"]
    written = next(line for line in lines if line["msg"] == "record created")
    assert {k: str(v) for k, v in written.items() if k in ("name", "type", "content", "ttl")} == {
        "name": NAME, "type": "A", "content": "192.0.2.1", "ttl": "60"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["time"]) for line in lines)


def test_log_levels(spy):
    assert spy(env={"DNSBUDDY_LOG_LEVEL": "error"}).expect(0).err == ""
    assert "in sync" in spy(env={"DNSBUDDY_LOG_LEVEL": "info"}).expect(0).err
