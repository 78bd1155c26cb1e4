"""examples/prometheus: alerts that fire when they should and only then, a dashboard that shows something, both of figures that are served."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from blocking import BlockingConsul
from constants import read_defines
from consul import free_ports
from program import ROOT
from test_discover import Discovery
from test_listen import Answer
from test_tls import end_of
from watching import scene, until

__all__ = ["scene"]

FOLDER = ROOT / "examples/prometheus"
RULES = yaml.safe_load((FOLDER / "dnsbuddy.rules.yml").read_text())
# As text: "0x20" is a 0 and twenty more, not 32.
TESTS = yaml.load((FOLDER / "dnsbuddy.test.yml").read_text(), yaml.BaseLoader)
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
BOARD = json.loads((FOLDER / "dashboard.json").read_text())
PANELS = BOARD["panels"]
# Of Prometheus itself, and labels that it gives to all that it reads.
OWN = {"up": {}}
TARGET = {"job", "instance"}
# What users name.
FREE = {"name", "service", "zone"}

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")


def promtool(*args, code=0):
    """What it says on both of its outputs, in order."""
    done = subprocess.run(["promtool", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode == code, done.stdout
    return done.stdout


def targets():
    """(panel, expression, legend)."""
    return [(p, t["expr"], t["legendFormat"]) for p in PANELS for t in p["targets"]]


# -- the rules


@needs_promtool
def test_the_rules_and_the_configuration_are_sound():
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", FOLDER / "dnsbuddy.rules.yml")
    out = promtool("check", "config", FOLDER / "prometheus.yml")
    assert "1 rule files found" in out and f"{len(ALERTS)} rules found" in out


@needs_promtool
def test_where_alerts_go_is_sound_when_it_is_no_comment(tmp_path):
    text = (FOLDER / "prometheus.yml").read_text().partition("your Alertmanager.\n")[2]
    file = tmp_path / "prometheus.yml"
    file.write_text("\n".join(re.findall(r"^# (.*)$", text, re.M)) + "\n")
    assert yaml.safe_load(file.read_text())["alerting"]["alertmanagers"]
    promtool("check", "config", file)


@needs_promtool
def test_each_alert_fires_and_does_not():
    promtool("test", "rules", FOLDER / "dnsbuddy.test.yml")
    tried = [(t["alertname"], bool(t.get("exp_alerts"))) for group in TESTS["tests"] for t in group["alert_rule_test"]]
    assert set(tried) == {(rule["alert"], fires) for rule in ALERTS for fires in (True, False)}


def broken(rule):
    """The rule with one thing wrong, each: {what: rule}."""
    out = {"never": rule | {"expr": "vector(1) > 1"}, "always": rule | {"expr": f"({rule['expr']}) or vector(1)"}}
    for at, number in [(m.start(1), m[1]) for m in re.finditer(r"[<>] (\d+)", rule["expr"])]:
        for other in {2 * int(number) or 1, int(number) // 2 or 2 * int(number) or 1}:
            out[f"{number} is {other} at {at}"] = rule | {"expr": rule["expr"][:at] + str(other) + rule["expr"][at + len(number):]}
    for part in re.findall(r"(?:^| )(?:or|-|and) (?:\(.*\)$|dnsbuddy_\w+|absent\(.*?\))", rule["expr"]):
        out[f"without{part}"] = rule | {"expr": rule["expr"].replace(part, "")}
    if " or " in rule["expr"]:
        out["without its first half"] = rule | {"expr": rule["expr"].partition(" or ")[2]}
    out["one copy for all"] = rule | {"expr": rule["expr"].replace("sum by (job) (", "min by (job) (")}
    out["of one moment"] = rule | {"expr": re.sub(r"max_over_time\((.*)\[.*:.*\]\)", r"\1", rule["expr"])}
    for minutes in re.findall(r"\[(\d+)m:", rule["expr"]):
        for other in (2 * int(minutes), int(minutes) // 2):
            out[f"of {other} minutes"] = rule | {"expr": rule["expr"].replace(f"[{minutes}m:", f"[{other}m:")}
    if "for" in rule:
        out["at once"] = {k: v for k, v in rule.items() if k != "for"}
        out["late"] = rule | {"for": "1h" if rule["for"] != "1h" else "1d"}
    for key, text in rule["annotations"].items():
        out[f"another {key}"] = rule | {"annotations": rule["annotations"] | {key: text + "."}}
        moment = re.sub(r"max_over_time\((.*)\[.*:.*\]\)", r"\1", text, flags=re.S)
        out[f"{key} of one moment"] = rule | {"annotations": rule["annotations"] | {key: moment}}
    return {what: wrong for what, wrong in out.items() if wrong != rule}


@needs_promtool
def test_a_broken_rule_is_found(tmp_path):
    """Of each rule each number twice and half as large, each part left out..."""
    files = {}
    for rule in ALERTS:
        mine = [g | {"alert_rule_test": [t for t in g["alert_rule_test"] if t["alertname"] == rule["alert"]]} for g in TESTS["tests"]]
        mine = [g for g in mine if g["alert_rule_test"]]
        for what, wrong in {"right": rule, **broken(rule)}.items():
            rules, test = tmp_path / f"{len(files)}.rules.yml", tmp_path / f"{len(files)}.test.yml"
            rules.write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [wrong]}]}))
            test.write_text(yaml.safe_dump(TESTS | {"rule_files": [rules.name], "tests": mine}))
            files[test] = f"{rule['alert']}: {what}"
    assert len(files) > 5 * len(ALERTS)
    out = promtool("test", "rules", *files, code=1)
    verdicts = re.findall(r"^Unit Testing: +(\S+)\n\s*(SUCCESS|FAILED)", out, re.M)
    assert len(verdicts) == len(files), out
    verdict = {files[Path(test)]: word for test, word in verdicts}
    assert {what for what, word in verdict.items() if word == "SUCCESS"} == {f"{rule['alert']}: right" for rule in ALERTS}


def test_each_alert_says_how_bad_it_is_and_for_whom():
    for rule in ALERTS:
        assert re.fullmatch(r"Dnsbuddy[A-Z]\w+", rule["alert"]) and rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "description"}
        # Of a sum of all there is no instance to name.
        is_named = "$labels.instance" in "".join(rule["annotations"].values())
        assert is_named != ("by (job) (" in rule["expr"]), rule["alert"]


# -- what they use is served


@pytest.fixture
def watched(scene):
    """A watch of two instances that has everything, in sync: its port, its /metrics, what begins another copy at a port."""
    port, = free_ports(1)
    discovery = Discovery(scene)
    site = discovery.site("192.0.2.1", "192.0.2.2")

    def begin(own):
        return discovery.watch(f"--lock=prometheus/{port}", "--listen", f"127.0.0.1:{own}")

    begin(port).wait_for("synced")
    site.settle()

    def ask():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read().decode())

    until(lambda: ask().samples()["dnsbuddy_records_in_sync"] == 1)
    return SimpleNamespace(port=port, ask=ask, begin=begin)


def served(answer):
    """{name: {label: values}}"""
    out = {}
    for key in answer.samples():
        name, _, labels = key.partition("{")
        for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels):
            out.setdefault(name, {}).setdefault(label, set()).add(value)
        out.setdefault(name, {})
    return out


def selectors(text):
    """Every (metric, [(label, operator, value)]) that is spoken of."""
    for name, matchers in re.findall(r"\b(dnsbuddy_\w+|up)\b(?:\{([^{}]*)\})?", text):
        if name != "up" or matchers:
            yield name, re.findall(r'(\w+)(=~|!~|!=|=)("[^"]*"|%q)', matchers)


def faults(text, known):
    """What this expression, or text with expressions, names that is not served."""
    labels = set(TARGET)
    for name, matchers in selectors(text):
        if name not in known:
            yield name
            continue
        labels |= set(known[name])
        for label, operator, value in matchers:
            if label not in TARGET | set(known[name]):
                yield f"{name}: {label}"
            elif label not in TARGET | FREE and operator == "=" and value.strip('"') not in known[name][label]:
                yield f"{name}: {label}={value}"
    grouped = ",".join(re.findall(r"\b(?:by|on|ignoring|without|group_left|group_right) \(([^()]*)\)", text))
    for label in {*re.findall(r"\w+", grouped), *re.findall(r"\$labels\.(\w+)|\.Labels\.(\w+)", text)}:
        for one in [label] if isinstance(label, str) else filter(None, label):
            if one not in labels:
                yield one


def test_all_that_is_used_is_served(watched):
    known = served(watched.ask()) | OWN
    assert not [f"{rule['alert']}: {fault}" for rule in ALERTS
                for fault in faults(" ".join([rule["expr"], *rule["annotations"].values()]), known)]
    assert not [f"{panel['title']}: {fault}" for panel, expr, _ in targets() for fault in faults(expr, known)]
    for panel, expr, legend in targets():
        names = {label for name, _ in selectors(expr) for label in known[name]} | TARGET
        assert set(re.findall(r"\{\{ *(\w+) *\}\}", legend)) <= names, panel["title"]
    queries = json.dumps(BOARD["templating"])
    assert "dnsbuddy_build_info" in queries and not list(faults(queries.replace('\\"', '"'), known))
    tests = " ".join(s["series"] for group in TESTS["tests"] for s in group["input_series"])
    assert not list(faults(tests, known | {"up": {}}))


def test_what_is_not_served_is_found():
    known = {"dnsbuddy_a": {"kind": {"x"}}, "dnsbuddy_b": {}}
    assert list(faults('dnsbuddy_c > 1', known)) == ["dnsbuddy_c"]
    assert list(faults('dnsbuddy_b{kind="x"}', known)) == ["dnsbuddy_b: kind"]
    assert list(faults('dnsbuddy_a{kind="y"}', known)) == ['dnsbuddy_a: kind="y"']
    assert list(faults('sum by (kind) (dnsbuddy_b)', known)) == ["kind"]
    assert list(faults('dnsbuddy_b {{ $labels.kind }}', known)) == ["kind"]
    assert not list(faults('sum by (kind, job) (rate(dnsbuddy_a{kind="x",job="j"}[5m]))', known))


# -- the dashboard


def test_the_dashboard_is_one_that_grafana_takes():
    assert BOARD["schemaVersion"] >= 36 and BOARD["title"] and BOARD["uid"] and BOARD.get("id") is None
    variables = {v["name"] for v in BOARD["templating"]["list"]}
    assert variables == {"datasource", "instance"}
    assert len({p["id"] for p in PANELS}) == len({p["title"] for p in PANELS}) == len(PANELS)
    taken = set()
    for p in PANELS:
        at = p["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, p["title"]
        taken |= cells
        assert p["type"] in {"stat", "gauge", "timeseries", "state-timeline", "table"}
        refs = [t["refId"] for t in p["targets"]]
        assert refs and len(set(refs)) == len(refs), p["title"]
        for part in (p, *p["targets"]):
            assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for t in p["targets"]:
            assert t["instant"] != t["range"] and t["instant"] == (p["type"] in {"stat", "gauge", "table"})
            assert set(re.findall(r"\$(\w+)", t["expr"])) <= variables | {"__rate_interval"}
            for name, matchers in selectors(t["expr"]):
                assert matchers == [("job", "=", '"dnsbuddy"'), ("instance", "=~", '"$instance"')], f"{p['title']}: {name}"


def test_the_budget_is_the_programs_own():
    defines = read_defines()
    burst, milliseconds = int(defines["WATCH_API_BURST"]), int(defines["WATCH_API_MS"])
    assert round(1000 / milliseconds) == 3
    for file in (FOLDER / "dnsbuddy.rules.yml", ROOT / "docs/watch.md"):
        text = file.read_text()
        assert re.search(rf"\bof {burst}\b", text) and re.search(r"\bthree come back in a second\b", text, re.I), file
    assert {p["fieldConfig"]["defaults"].get("max") for p in PANELS if "requests left" in p["title"]} == {burst}


def for_prometheus(expr):
    return expr.replace("$__rate_interval", "10s").replace("$instance", ".*")


@needs_promtool
def test_each_expression_of_the_dashboard_is_one(tmp_path):
    rules = [{"record": f"panel:{n}", "expr": for_prometheus(expr)} for n, (_, expr, _) in enumerate(targets())]
    file = tmp_path / "dashboard.rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", file)


def test_each_panel_shows_something_and_no_rule_fails(watched, tmp_path):
    """A Prometheus that reads two copies, as prometheus.yml has it but for ports and times. What both see counts once."""
    program = shutil.which("prometheus")
    if not program:
        pytest.skip("prometheus is not installed")
    port, own = free_ports(2)
    follower = watched.begin(port)
    follower.wait_for("following")
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(FOLDER / name) for name in config["rule_files"]]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{at}" for at in (watched.port, port)]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    log = open(tmp_path / "log", "w")
    process = subprocess.Popen([program, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
                                f"--web.listen-address=127.0.0.1:{own}"], stdout=log, stderr=log)

    def ask(path, **query):
        url = f"http://127.0.0.1:{own}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.loads(answer.read())["data"]
        except (urllib.error.URLError, ConnectionError):
            return None

    def shows(expr):
        # What is only there in trouble: without it, all that it is chosen from.
        data = ask("query", query=for_prometheus(re.sub(r"> 0(?!\d)", ">= 0", expr)))
        return data and data["result"]

    def sums(expr):
        return sum(float(one["value"][1]) for one in shows(expr) or [])

    def panel(title):
        return [sums(expr) for p, expr, _ in targets() if p["title"] == title]

    try:
        until(lambda: sums("up") == 2, 20, lambda: (tmp_path / "log").read_text())
        until(lambda: len(shows("count_over_time(dnsbuddy_healthy[1m]) >= 3") or []) == 2, 20)
        until(lambda: sums("dnsbuddy_record_instances") == 4)
        assert not [f"{panel['title']}: {expr}" for panel, expr, _ in targets() if not shows(expr)]
        until(lambda: all(r["health"] == "ok" for g in ask("rules")["groups"] for r in g["rules"]), 10, lambda: str(ask("rules")))
        until(lambda: not ask("alerts")["alerts"], 10, lambda: str(ask("alerts")))
        once = {"Health": [1], "Names": [1, 1], "Names by state": [1], "Records": [2, 2, 0], "Instances in Consul": [2]}
        assert {title: panel(title) for title in once} == once
        follower.stop()
        until(lambda: panel("Health") == [0], 20)
    finally:
        process.terminate()
        process.wait(10)
        log.close()


# -- the figures that are there for them


@pytest.fixture
def figures(scene):
    """figures(*args): a site, its watch, and what gives a figure of it by its name; None: it is not there."""
    def begin(*args):
        port, = free_ports(1)
        site = scene.site("192.0.2.1")
        watch = scene.watch(site, *args, "--listen", f"127.0.0.1:{port}")

        def figure(name):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return Answer(200, {}, answer.read().decode()).samples().get(f"dnsbuddy_{name}")
        watch.wait_for("watching")
        return site, watch, figure
    return begin


ROOT_END = "cloudflare_root_expiry_timestamp_seconds"


def test_when_the_root_ends(scene, cloudflare, authority, figures):
    """Of the last whole handshake; it stays when a session is resumed."""
    cloudflare.fault("reset", kind="connect", times=0)
    site, watch, figure = figures()
    watch.wait_for("retrying")
    assert figure(ROOT_END) is None
    cloudflare.faults.clear()
    site.settle()
    end = end_of(authority.ca_file)
    assert figure(ROOT_END) == end
    cloudflare.listener.drop()
    site.add("192.0.2.2")
    site.settle()
    assert figure(ROOT_END) == end


def test_a_limit_that_was_met_leaves_nothing(cloudflare, figures):
    site, watch, figure = figures()
    site.settle()
    assert 190 <= figure("cloudflare_requests_left") < 200
    cloudflare.fault("rate", kind="write", retry_after=3)
    began = time.monotonic()
    site.add("192.0.2.2")
    until(lambda: figure("cloudflare_requests_left") == 0)
    until(lambda: figure("cloudflare_requests_left"), 5)
    assert time.monotonic() - began > 2.5
    site.settle()


# -- what alerts look at is so when they should fire


def test_removals_without_evidence_are_held_and_by_no_rule(scene, figures):
    fake = BlockingConsul()
    fake.new_name, scene.consul = lambda: "web", fake
    site, watch, figure = figures()
    site.settle()
    assert figure("records_held") == 0
    fake.consistent_headers = {"X-Consul-KnownLeader": "false"}
    site.add("192.0.2.2")
    site.remove("192.0.2.1")
    until(lambda: figure("records_held") == 1)
    assert figure("records_held_by_rule") == 0 and figure("records_unconverged_seconds") > 0
    fake.consistent_headers = {}
    site.settle(seconds=20)
    watch.stop()
    fake.stop()


def test_a_refused_call_is_counted(cloudflare, figures):
    site, _, figure = figures()
    site.settle()
    name = 'cloudflare_calls_total{kind="write",status="4xx"}'
    assert figure(name) == 0
    cloudflare.fault("error", kind="write", code=10000, status=403)
    site.add("192.0.2.2")
    until(lambda: figure(name) == 1)
    site.settle()


def test_a_consul_that_never_answers(scene, figures):
    """Nothing is old then; and nobody leads."""
    scene.consul = SimpleNamespace(address=f"127.0.0.1:{free_ports(1)[0]}", new_name=lambda: "web", add=lambda *_: None)
    site, watch, figure = figures("--lock")
    until(lambda: figure("leaderless_seconds") >= 1)
    assert figure("consul_reads_total") == figure("records_last_answer_age_seconds") == figure("leader") == 0
    assert figure("uptime_seconds") >= 1
    site.checked = False


# -- the date of the roots built in


BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()


def test_the_roots_have_the_date_that_was_built_in(figures):
    header = (BUILD / "gen/trust_anchors.h").read_text()
    assert figures()[2]("builtin_roots_timestamp_seconds") == int(re.search(r"TRUST_ANCHORS_DATE_SEC (\d+)", header)[1])


def built(folder, **env):
    """The date that third_party/trust_anchors.sh finds."""
    header = folder / "out.h"
    subprocess.run([ROOT / "third_party/trust_anchors.sh", BUILD / "host/brssl", folder / "out.c", header],
                   env={"PATH": os.environ["PATH"], "BUILD": str(BUILD), **{k: str(v) for k, v in env.items()}},
                   check=True, capture_output=True, timeout=60)
    return int(re.search(r"TRUST_ANCHORS_DATE_SEC (\d+)", header.read_text())[1])


def test_the_date_of_the_roots_is_that_of_the_newest_file(authority, tmp_path):
    roots = tmp_path / "roots"
    roots.mkdir()
    for n, date in enumerate((1700000000, 1749802000, 1600000000)):
        shutil.copy(authority.ca_file, roots / f"{n}.crt")
        os.utime(roots / f"{n}.crt", (date, date))
    assert built(tmp_path, CA_DIR=roots) == 1749802000
    assert built(tmp_path, CA_BUNDLE=roots / "2.crt") == 1600000000
    # No build has files of its future, nor one of today other bytes tomorrow.
    assert built(tmp_path, CA_DIR=roots, SOURCE_DATE_EPOCH=1710000000) == 1710000000
    assert built(tmp_path, CA_DIR=roots, SOURCE_DATE_EPOCH=1760000000) == 1749802000
