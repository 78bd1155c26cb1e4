"""`dnsbuddy run` in Containerbuddy's place: its configuration, its command line, its backends; the article's two files as they are,
in a network of their own."""

import json
import os
import shutil
import signal
import time

import pytest
from cloudflare.server import Cloudflare
from program import NAME, binary
from running import ADDRESS, PATHS, Follow, Healthy, Recorder, descendants, either, events, process_state, script, shim, tells
from watching import until
from world import Consul8500, make_world

__all__ = ["either", "events", "make_world", "script", "shim", "tells"]


def service(name, **more):
    return {"name": name, "poll": 1, "ttl": 5, "port": 80, "health": "/bin/true", "interfaces": f"static:{ADDRESS}", **more}


@pytest.fixture
def buddy(plain, consul, tmp_path):
    """buddy(config, *words, app=): the binary called containerbuddy with this configuration in a file; .file is its path."""
    def begin(config, *words, app=None, **keys):
        file = tmp_path / "buddy.json"
        file.write_text(config if isinstance(config, str) else json.dumps({"consul": consul.address, **config}))
        names = [s.get("name") for s in config.get("services", [])] if isinstance(config, dict) else ["app"]
        words = words or ("-config", f"file://{file}")
        # With the configuration's own Consul, whatever the environment says.
        one = plain(*words, *(app or ()), argv0="containerbuddy", service=(names or ["none"])[0], app=app, **keys)
        one.file = file
        return one
    return begin


@pytest.fixture
def plain(shim):
    """plain(*words): a run of these words alone, with Consul named nowhere else."""
    def begin(*words, app=None, env=None, **keys):
        one = shim(app=None, named=False, words=list(words), env={"CONSUL_HTTP_ADDR": "127.0.0.1:1", **(env or {})}, **keys)
        one.command = list(app or ())
        return one
    return begin


# -- how it is given

FORMS = {
    "-config file://": lambda file, text: (["-config", f"file://{file}"], {}),
    "-config=file://": lambda file, text: ([f"-config=file://{file}"], {}),
    "--config": lambda file, text: (["--config", f"file://{file}"], {}),
    "-config JSON": lambda file, text: (["-config", text], {}),
    "CONTAINERBUDDY file": lambda file, text: ([], {"CONTAINERBUDDY": f"file://{file}"}),
    "CONTAINERBUDDY JSON": lambda file, text: ([], {"CONTAINERBUDDY": text}),
    "CONTAINERPILOT file": lambda file, text: ([], {"CONTAINERPILOT": f"file://{file}"}),
    "--": lambda file, text: (["-config", f"file://{file}", "--"], {}),
}


@pytest.mark.parametrize("form", FORMS)
def test_however_it_is_given(plain, consul, events, tmp_path, form):
    """What follows is the application, with its own flags."""
    file, name = tmp_path / "app.json", f"form-{len(form)}"
    text = json.dumps({"consul": consul.address, "services": [service(name, tags=["t"])]})
    file.write_text(text)
    words, env = FORMS[form](file, text)
    app = ["sh", "-c", 'echo "$0" "$@"; exec sleep 600', "-config", "--", "x"]
    one = plain(*words, *app, argv0="containerbuddy", service=name, env=env)
    one.until_state("passing")
    entry = one.entry()["Service"]
    assert (entry["Address"], entry["Port"], entry["Tags"]) == (ADDRESS, 80, ["t"])
    until(lambda: one.out() == "-config -- x\n")
    assert one.stop() == 143 and one.entries() == []


def test_as_run_it_takes_the_variable_too(plain, consul, events):
    text = json.dumps({"consul": consul.address, "services": [service("by-variable")]})
    one = plain("run", "--", *events.app(), service="by-variable", env={"CONTAINERPILOT": text})
    one.until_state("passing")
    events.wait_for("app start")
    assert one.stop() == 7


@pytest.mark.parametrize("words, code", [(["-version"], 0), (["--version"], 0), (["-help"], 0), (["-bogus"], 64), ([], 78), (["-config"], 64),
                                         (["-config", "file:///nonexistent.json", "true"], 78)])
def test_its_command_line(plain, words, code):
    one = plain(*words, argv0="containerbuddy")
    assert one.wait() == code, one.text()
    assert (one.out() if code == 0 else one.text()).count("\n") >= 1


# -- what stands in it

def test_hooks_and_their_order(buddy, events, tells):
    one = buddy({"services": [service("hooks")], "onStart": tells("onStart"), "preStop": [tells("preStop")],
                 "postStop": tells("postStop", "exit 4"), "stopTimeout": 2}, app=events.app())
    one.until_state("passing")
    assert one.stop() == 7
    assert events.all() == ["onStart", "app start", "preStop", "app TERM", "app end", "postStop"]


def test_stop_timeout(buddy, events):
    one = buddy({"services": [service("slow")], "stopTimeout": "1"}, app=events.app(7, "stay"))
    one.until_state("passing")
    began = time.monotonic()
    assert one.stop() == 137 and 0.9 < time.monotonic() - began < 4


def test_without_an_application_it_ends_at_once(buddy):
    """The originals stay until they are killed."""
    one = buddy({"services": [service("none")]})
    one.until_state("passing")
    began = time.monotonic()
    assert one.stop() == 0 and time.monotonic() - began < 1.5
    assert one.entries() == []


def test_two_services(buddy, consul, script):
    bad = script("exit 1")
    one = buddy({"services": [service("first"), service("second", port=81, health=[bad], interfaces=["eth9", "static:192.0.2.7"])]},
                app=["sleep", "600"])
    one.until_state("passing")
    until(lambda: consul.get("/v1/health/service/second"))
    other = consul.get("/v1/health/service/second")[0]
    assert other["Service"]["Address"] == "192.0.2.7" and other["Service"]["Port"] == 81
    assert {c["Status"] for c in other["Checks"] if c["ServiceID"]} == {"critical"}
    assert one.stop() == 143 and not consul.get("/v1/health/service/second")


def test_commands_are_split_and_no_shell_sees_them(buddy, script, events):
    path = script(f'printf "[%s]" "$@" >{events.path}.new; mv {events.path}.new {events.path}.args')
    for health, want in ((f" {path}  a  '$HOME' ", "[a]['$HOME']"), ([path, "a b", "", "*"], "[a b][][*]")):
        one = buddy({"services": [service("words", health=health)]}, app=["sleep", "600"])
        one.until_state("passing")
        assert open(f"{events.path}.args").read() == want
        assert one.stop() == 143


def test_templates(buddy, consul):
    text = ('{ "consul": "{{ .CONSUL_AT }}", {{ if .WITH }}"services"{{ else }}"bogus"{{ end }}: [{ "name": "{{ .NAME | default "templated" }}",'
            f'"poll": {{{{ default 1 .POLL }}}}, "ttl": 5, "health": "/bin/true", "interfaces": "static:{ADDRESS}", "tags": ["{{{{ .TAG }}}}"] }}] }}')
    one = buddy(text, env={"CONSUL_AT": consul.address, "WITH": "1", "TAG": "a=b=c"}, app=["sleep", "600"])
    one.service = "templated"
    one.until_state("passing")
    assert one.entry()["Service"]["Tags"] == ["a=b=c"]
    assert one.stop() == 143


REFUSED = [
    ({"etcd": "x:4001"}, "etcd"), ({"tasks": []}, "tasks"), ({"coprocesses": []}, "coprocesses"), ({"telemetry": {}}, "telemetry"),
    ({"jobs": []}, "jobs"), ({"watches": []}, "watches"), ({"control": {}}, "control"), ({"bogus": 1}, "bogus"),
    ({"services": [{"name": "x", "poll": 0, "ttl": 5, "health": "true"}]}, "poll"),
    ({"services": [{"name": "x", "poll": 1, "health": "true"}]}, "ttl"), ({"services": [{"poll": 1, "ttl": 5}]}, "name"),
    ({"services": [service("x", bogus=1)]}, "bogus"), ({"services": [service("x"), service("x")]}, "x"),
    ({"services": [service("x", interfaces="eth9")]}, "eth9"), ({"services": [service("x", port=70000)]}, "port"),
    ({"backends": [{"name": "x", "poll": 1}]}, "onChange"), ({"backends": [{"onChange": "true", "poll": 1}]}, "name"),
    ({"stopTimeout": "x"}, "stopTimeout"), ({"logging": {"level": "LOUD"}}, "LOUD"),
]


@pytest.mark.parametrize("config, text", REFUSED, ids=[t for _, t in REFUSED])
def test_what_is_refused_is_named(plain, consul, events, tmp_path, config, text):
    """With the file and the line, before anything starts; nothing is ignored. An address is a matter of the host."""
    file = tmp_path / "refused.json"
    file.write_text(json.dumps({"consul": consul.address, "services": [service("app")], **config}, indent=1))
    one = plain("-config", f"file://{file}", *events.app(), argv0="containerbuddy")
    assert one.wait() == 78, one.text()
    assert text in one.text() and events.all() == []
    assert text == "eth9" or f"{file}" in one.text() and "line " in one.text(), one.text()


def test_json_that_is_none(plain, events, tmp_path):
    file = tmp_path / "broken.json"
    file.write_text('{\n "consul": "x",\n "services": [}\n}')
    one = plain("-config", f"file://{file}", *events.app(), argv0="containerbuddy")
    assert one.wait() == 78 and "line 3" in one.text() and str(file) in one.text(), one.text()


def test_hup(buddy, consul):
    one = buddy({"services": [service("again", port=80)]}, app=["sleep", "600"])
    one.until_state("passing")
    follow = Follow(consul, "again")
    one.file.write_text(json.dumps({"consul": consul.address, "services": [service("again", port=81)]}))
    one.send(signal.SIGHUP)
    until(lambda: one.entry()["Service"]["Port"] == 81, say=one.text)
    one.file.write_text("{")
    one.send(signal.SIGHUP)
    time.sleep(0.3)
    assert one.state() == "passing" and not one.is_over()
    assert [s.get(one.id, (None,))[0] for s in follow.stop()] == ["passing"] * 2
    assert one.stop() == 143


# -- backends

@pytest.fixture
def backend(buddy, consul, events, tells):
    """backend(more=shell, **keys): a run whose one backend, .site, tells "change" and then does that."""
    def begin(more="", **keys):
        site = consul.new_name()
        one = buddy({"backends": [{"name": site, "poll": 1, "onChange": tells("change", more), **keys}]}, app=["sleep", "600"],
                    env={"CF_API_KEY": "handlers-need-it", "SERVICE": "x", "RECORD": "y", "TTL": "600"})
        one.site = site
        return one
    return begin


def runs(events):
    return events.all().count("change")


def test_a_change_is_told(backend, consul, events):
    """The first that passes, one more, another port alone, one that is critical, the last that goes; no other."""
    one = backend()
    time.sleep(0.7)
    assert runs(events) == 0  # an empty service at the start is no change
    name = one.site
    consul.add(name, "192.0.2.1")
    events.wait_for("change")
    consul.add(name, "192.0.2.2")
    events.wait_for("change", 2)
    consul.put("/v1/catalog/register", {"Node": f"node-{name}-192-0-2-2", "SkipNodeUpdate": True, "Service": {
        "ID": f"{name}-192.0.2.2", "Service": name, "Address": "192.0.2.2", "Port": 8080}})
    events.wait_for("change", 3)
    consul.add(name, "192.0.2.3", "critical")
    consul.add(name, "192.0.2.1", tags=["of no matter"])
    time.sleep(0.5)
    assert runs(events) == 3
    consul.remove(name, "192.0.2.1")
    events.wait_for("change", 4)
    consul.remove(name, "192.0.2.2")
    events.wait_for("change", 5)
    time.sleep(0.3)
    assert runs(events) == 5
    assert one.stop() == 143


def test_changes_during_a_run_are_one_more(backend, consul, events):
    """And never two at once."""
    one = backend("sleep 1; echo \"$(date +%s.%6N) done\" >>" + str(events.path))
    consul.add(one.site, "192.0.2.1")
    events.wait_for("change")
    for n in range(2, 7):
        consul.add(one.site, f"192.0.2.{n}")
        time.sleep(0.05)
    events.wait_for("done", 2)
    time.sleep(0.5)
    assert events.all() == ["change", "done", "change", "done"]
    assert one.stop() == 143


def test_one_that_fails_is_tried_again(backend, consul, events):
    """Slower each time, until it succeeds; a new change comes at once."""
    one = backend(f"[ -e {events.path}.good ]")
    consul.add(one.site, "192.0.2.1")
    events.wait_for("change", 3, seconds=15)
    open(f"{events.path}.good", "w").close()
    consul.add(one.site, "192.0.2.2")
    before = runs(events)
    events.wait_for("change", before + 1, seconds=3)
    time.sleep(2.5)
    assert runs(events) <= before + 2
    assert one.stop() == 143


def test_one_that_is_not_there_ends_nothing(buddy, consul):
    site = consul.service("192.0.2.1")
    one = buddy({"services": [service("stays")], "backends": [{"name": site, "poll": 1, "onChange": "/nonexistent/handler"}]},
                app=["sleep", "600"])
    one.until_state("passing")
    until(lambda: "/nonexistent/handler" in one.text())
    assert one.stop() == 143


def test_one_that_hangs_does_not_hold_up_the_stop(backend, consul, events):
    """It is told to end; its group is killed with it."""
    one = backend("trap '' TERM; sleep 600 & wait; sleep 600")
    consul.add(one.site, "192.0.2.1")
    events.wait_for("change")
    pids = [p for p in descendants(one.pid) if p != one.app_pid()]
    began = time.monotonic()
    assert one.stop() == 143 and time.monotonic() - began < 8
    until(lambda: not [p for p in pids if process_state(p) not in (None, "Z")])


def test_its_environment_is_whole(backend, consul, events):
    """Handlers need the credentials."""
    one = backend(f"env >{events.path}.new; mv {events.path}.new {events.path}.env")
    consul.add(one.site, "192.0.2.1")
    until(lambda: os.path.exists(f"{events.path}.env"))
    text = open(f"{events.path}.env").read()
    assert "CF_API_KEY=handlers-need-it\n" in text and "SERVICE=x\n" in text and f"PATH={PATHS}\n" in text
    assert one.stop() == 143


def test_maintenance_does_not_stop_it(buddy, consul, events, tells):
    """Their bug: a paused watcher misses changes."""
    site = consul.service("192.0.2.1")
    one = buddy({"services": [service("paused")], "backends": [{"name": site, "poll": 1, "onChange": tells("change")}]},
                app=["sleep", "600"])
    one.until_state("passing")
    events.wait_for("change")
    one.send(signal.SIGUSR1)
    one.until_state("maintenance")
    consul.add(site, "192.0.2.2")
    events.wait_for("change", 2)
    assert one.stop() == 143


def test_the_binary_itself_as_handler(buddy, consul, cloudflare, script):
    """`/dnsbuddy sync`, a child as any other."""
    site = consul.service("192.0.2.1")
    one = buddy({"backends": [{"name": site, "poll": 1, "onChange": f"{binary()} sync {site} {NAME} 60"}]}, app=["sleep", "600"],
                env={**cloudflare.env(), "CONSUL_HTTP_ADDR": consul.address})
    until(lambda: [r.content for r in cloudflare.records(NAME)] == ["192.0.2.1"], say=one.text)
    consul.add(site, "192.0.2.2")
    until(lambda: sorted(r.content for r in cloudflare.records(NAME)) == ["192.0.2.1", "192.0.2.2"])
    assert one.stop() == 143


def test_a_check_over_curl_as_in_the_article(buddy, consul):
    if not os.access("/usr/bin/curl", os.X_OK):
        pytest.skip("curl is not installed")
    with Healthy() as healthy, Recorder(consul.port) as recorder:
        one = buddy({"consul": recorder.address, "services": [
            service("curled", health=f"/usr/bin/curl --fail -s {healthy.url}")]}, app=["sleep", "600"])
        one.until_state("passing")
        healthy.status = 500
        one.until_state("critical")
        assert len(recorder.of("register")) <= 2  # once more for the output of the first check
        assert one.stop() == 143


# -- the article's own two files, in a network of their own

CLOUDFLARE_JSON = {
    "consul": "consul:8500",
    "services": [{"name": "cloudflare", "health": "/usr/bin/curl --fail -s http://localhost/health.txt", "poll": 10, "ttl": 25}],
    "backends": [{"name": "nginx", "poll": 5, "onChange": "/opt/containerbuddy/update-dns.sh"}]}
NGINX_JSON = {
    "consul": "consul:8500",
    "services": [{"name": "nginx", "port": 80, "publicIp": True, "health": "/usr/bin/curl --fail -s http://localhost/health.txt",
                  "poll": 10, "ttl": 25}]}
@pytest.fixture
def article(make_world):
    """A network with the article's files in /opt/containerbuddy."""
    return make_world({"containerbuddy": binary(), "update-dns.sh": binary(), "cloudflare.json": json.dumps(CLOUDFLARE_JSON, indent=2),
                       "nginx.json": json.dumps(NGINX_JSON, indent=2)})


def test_the_article_s_files_run_unchanged(article, plain, authority, tmp_path, script):
    """nginx registers its public address, and the container cloudflare brings it into DNS."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www/health.txt").write_text("ok\n")
    script(f'echo "$@" >{tmp_path}/args\nexec /usr/bin/python3 -m http.server 80 --directory {tmp_path}/www 2>/dev/null', "nginx")
    consul = article.inside(lambda: Consul8500(tmp_path / "consul"))
    cf = article.inside(lambda: Cloudflare(authority=authority))
    cf.credentials.add_key("jo@example.com", "0badc0de" * 4 + "54321")
    given = cf.env()
    env = {"PATH": f"{tmp_path}:{PATHS}", "CONSUL_HTTP_ADDR": None}
    nginx = plain(*article.enter("/opt/containerbuddy/containerbuddy", "nginx", "-g", "daemon off;")[1:],
                       executable=shutil.which("nsenter"), argv0="nsenter",
                       env={**env, "CONTAINERBUDDY": "file:///opt/containerbuddy/nginx.json"})

    def listed(name):
        return [(e["Service"]["Address"], e["Service"]["Port"], {c["Status"] for c in e["Checks"]})
                for e in article.inside(lambda: consul.get(f"/v1/health/service/{name}"))]
    try:
        until(lambda: listed("nginx") == [("203.0.113.7", 80, {"passing"})], 25, lambda: f"{listed('nginx')}\n{nginx.text()}")
        assert (tmp_path / "args").read_text() == "-g daemon off;\n"
        dns = plain(*article.enter("/opt/containerbuddy/containerbuddy", "-config", "file:///opt/containerbuddy/cloudflare.json")[1:],
                         executable=shutil.which("nsenter"), argv0="nsenter",
                         env={**env, "CF_API_KEY": "0badc0de" * 4 + "54321", "CF_AUTH_EMAIL": "jo@example.com", "CF_ROOT_DOMAIN": "example.com",
                              "SERVICE": "nginx", "RECORD": NAME, "TTL": "600", "CONSUL": "consul", "CF_API_URL": given["CF_API_URL"],
                              "SSL_CERT_FILE": given["SSL_CERT_FILE"]})
        until(lambda: [(r.content, r.ttl) for r in cf.records(NAME)] == [("203.0.113.7", 600)], 15, dns.text)
        until(lambda: [state for _, port, state in listed("cloudflare")] == [{"passing"}], 15, dns.text)
        assert dns.stop() == 0 and listed("cloudflare") == []
        assert nginx.stop() == 143 and listed("nginx") == []
        assert not cf.violations
    finally:
        article.inside(cf.stop)
        consul.stop()
