"""examples/: what a user finds there is complete, valid, and does what it says. With a fake Docker; tests/rolling has a real one."""

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import readme
import yaml
from consul import free_ports
from program import NAME, ROOT, binary, variables
from watching import until

EXAMPLES = ROOT / "examples"
COMPOSE_FILES = sorted(p.name for p in EXAMPLES.glob("docker-compose*.yml"))
# The article's.
SIX = ["CF_API_KEY", "CF_AUTH_EMAIL", "CF_ROOT_DOMAIN", "SERVICE", "RECORD", "TTL"]


def run(argv, env, cwd, code=0, timeout=60.0):
    done = subprocess.run([str(a) for a in argv], env=env, cwd=cwd, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False)
    assert done.returncode == code, done.stdout
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    """A copy of the examples in a folder as the project's, with nothing in it that git does not know."""
    copy = tmp_path / "project/examples"
    shutil.copytree(EXAMPLES, copy, ignore=shutil.ignore_patterns(".env*"))
    (copy.parent / "tests/cloudflare").mkdir(parents=True)
    return copy


def environment_of(text):
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def example_environment():
    return environment_of((EXAMPLES / "env.example").read_text())


def services(file):
    """The services of a compose file, what they extend included."""
    content = yaml.safe_load((EXAMPLES / file).read_text())["services"]
    for name, service in content.items():
        base = service.pop("extends", None)
        if base:
            base = services(base["file"])[base["service"]]
            more = service.get("environment", {})
            content[name] = base | service | {"environment": base.get("environment", {}) | more}
    return content


# -- .env


def make_env(folder):
    return run(["make", ".env"], {"PATH": os.environ["PATH"]}, folder)


def test_make_env_makes_it_and_only_its_owner_can_read_it(folder):
    assert "Fill in .env" in make_env(folder)
    file = folder / ".env"
    assert file.read_text() == (EXAMPLES / "env.example").read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_make_env_leaves_one_that_is_there(folder):
    (folder / ".env").write_text("RECORD=mine\n")
    make_env(folder)
    assert (folder / ".env").read_text() == "RECORD=mine\n"
    os.utime(folder / ".env", (1, 1))  # older than env.example
    make_env(folder)
    assert (folder / ".env").read_text() == "RECORD=mine\n"


def test_env_has_the_six_variables_of_the_article_and_explains_each():
    text = (EXAMPLES / "env.example").read_text()
    assert set(SIX) < set(example_environment())
    for block in re.findall(r"((?:^#.*\n)*)((?:^[A-Z_]+=.*\n)+)", text, re.M):
        assert block[0], f"not explained: {block[1]}"


def test_git_does_not_take_env():
    assert {".env", ".env.new"} <= set((EXAMPLES / ".gitignore").read_text().split())


# -- the compose files


def test_settings_are_ones_that_dnsbuddy_knows():
    known = variables()
    compose_own = {"COMPOSE_FILE", "COMPOSE_PROJECT_NAME"}
    names = set(example_environment()) - compose_own
    for file in COMPOSE_FILES:
        for service in services(file).values():
            names |= set(service.get("environment", {}))
    names |= set(re.findall(r"`([A-Z][A-Z_]+)=", (EXAMPLES / "README.md").read_text()))
    names -= {"CONTAINERBUDDY", "CONSUL_PORTS", "CLOUDFLARE_IMAGE", "NGINX_IMAGE"} | compose_own
    assert {"CONSUL", "DNSBUDDY_LISTEN", *SIX} <= names
    assert not names - known


@pytest.fixture
def compose(folder):
    """compose(file): what docker-compose makes of it, variables of .env and all."""
    program = shutil.which("docker-compose")
    if not program:
        pytest.skip("docker-compose is not installed")
    make_env(folder)

    def config(file, **env):
        out = run([program, "-f", file, "config"], {"PATH": os.environ["PATH"], **env}, folder)
        return yaml.safe_load(out)

    return config


@pytest.mark.parametrize("file", COMPOSE_FILES)
def test_compose_file_is_valid_and_has_the_three_services(compose, folder, file):
    content = compose(file)["services"]
    assert {"consul", "nginx", "cloudflare"} <= set(content)
    assert content["consul"]["image"].startswith("hashicorp/consul:")
    for service in content.values():
        if build := service.get("build"):
            at = Path(build["context"]) if isinstance(build, dict) else Path(build)
            real = ROOT / at.relative_to(folder.parent)
            assert (real / "Dockerfile").is_file()
            if target := build.get("target"):
                assert re.search(rf" AS {target}$", (real / "Dockerfile").read_text(), re.M)
                assert build["args"]["BASE"]


@pytest.mark.parametrize("file", COMPOSE_FILES)
def test_nobody_else_reaches_consul(compose, file):
    ports = compose(file)["services"]["consul"]["ports"]
    assert ports and all(p.startswith("127.0.0.1:") for p in ports)


@pytest.mark.parametrize("file", COMPOSE_FILES)
def test_nginx_can_be_scaled(compose, file):
    """No port of the host is its alone, nor is a name."""
    service = compose(file)["services"]["nginx"]
    assert "container_name" not in service and "hostname" not in service
    for port in service.get("ports", []):
        published = port.get("published", "") if isinstance(port, dict) else port.rpartition(":")[0]
        assert not published or "-" in published


def test_nginx_has_the_time_that_its_drain_may_take(compose):
    service = compose("docker-compose.yml")["services"]["nginx"]
    assert service["stop_signal"] == "SIGTERM" and "STOPSIGNAL SIGTERM" in (EXAMPLES / "nginx/Dockerfile").read_text()
    assert service["environment"]["DNSBUDDY_DRAIN"] == "dns:" + example_environment()["RECORD"]
    most = int(service["environment"]["DNSBUDDY_DRAIN_MAX"])
    assert service["stop_grace_period"] == "4m" and 2 * int(example_environment()["TTL"]) < most <= 4 * 60 - 30


def test_the_standin_needs_no_account(compose):
    content = compose("docker-compose-standin.yml")["services"]
    env = content["cloudflare"]["environment"]
    command = content["standin"]["command"]
    assert env["CLOUDFLARE_API_TOKEN"] == command[command.index("--token") + 1]
    assert "CF_API_KEY" not in env and env["CF_API_URL"].startswith("https://standin:")
    address = content["standin"]["networks"]["default"]["ipv4_address"]
    assert content["nginx"]["environment"]["DNSBUDDY_RESOLVER"] == address
    assert content["nginx"]["environment"]["DNSBUDDY_DRAIN"] == "dns:" + env["RECORD"]


def test_health_page_is_the_one_that_is_checked(compose):
    url = compose("docker-compose.yml")["services"]["nginx"]["environment"]["DNSBUDDY_CHECK"]
    path = re.fullmatch(r"http://localhost(/\S+)", url)[1]
    assert f"location = {path} {{" in (EXAMPLES / "nginx/default.conf").read_text()


def test_the_container_cloudflare_follows_consul(cloudflare, consul, start):
    """What docker-compose.yml runs, with what it sets, but for the addresses here."""
    service = services("docker-compose.yml")["cloudflare"]
    env = example_environment() | service["environment"]
    assert service["env_file"] == ".env" and env["CONSUL"] == "consul:8500"
    name = consul.service("192.0.2.1")
    free, = free_ports(1)
    child = start(service["command"], timeout=60, env=env | {
        "SERVICE": name, "CONSUL": consul.address, "DNSBUDDY_LISTEN": f"127.0.0.1:{free}", "CF_API_URL": cloudflare.url,
        "SSL_CERT_FILE": cloudflare.ca_file, "CLOUDFLARE_API_TOKEN": cloudflare.token, "DNSBUDDY_GRACE": "0"})
    until(lambda: cloudflare.contents(env["RECORD"]) == ["192.0.2.1"])
    consul.add(name, "192.0.2.2")
    until(lambda: cloudflare.contents(env["RECORD"]) == ["192.0.2.1", "192.0.2.2"])
    consul.remove(name, "192.0.2.1")
    until(lambda: cloudflare.contents(env["RECORD"]) == ["192.0.2.2"])
    child.process.terminate()
    assert child.process.wait(2) == 0


def test_a_handler_that_is_dnsbuddy_takes_what_env_has(cloudflare, consul, tmp_path):
    """As Containerbuddy runs update-dns.sh in docker-compose-handler.yml: no argument, the container's environment."""
    handler = tmp_path / "update-dns.sh"
    handler.symlink_to(binary())
    service = consul.service("192.0.2.1")
    env = example_environment() | services("docker-compose-handler.yml")["cloudflare"]["environment"] | {
        "SERVICE": service, "CONSUL": consul.address, "CF_API_URL": cloudflare.url,
        "SSL_CERT_FILE": cloudflare.ca_file, "CLOUDFLARE_API_TOKEN": cloudflare.token}
    run([handler], env, tmp_path)
    assert cloudflare.contents(NAME) == ["192.0.2.1"]


# -- what README.md shows of run

NGINX = """#!/usr/bin/python3
import http.server, signal, sys
assert sys.argv[1:] == ["-g", "daemon off;"], sys.argv
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health.txt" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", PORT), Answer).serve_forever()
"""


def test_readme_shows_how_to_run_an_application(cloudflare_dns, consul, start, tmp_path):
    """Its command, but for the port, and with an nginx that only answers the check."""
    block, = (b for b in readme.read_blocks((ROOT / "README.md").read_text()) if b.text.startswith("dnsbuddy run "))
    port, = free_ports(1)
    text = block.text.replace("\\\n", "").replace("--port 80 ", f"--port {port} ")
    words = shlex.split(text.replace("http://localhost/", f"http://localhost:{port}/"))
    name = words[words.index("--service") + 1]
    nginx = tmp_path / "bin/nginx"
    nginx.parent.mkdir()
    nginx.write_text(NGINX.replace("PORT", str(port)))
    nginx.chmod(0o755)
    child = start(*words[1:], consul=consul, timeout=60, env={
        "PATH": f"{nginx.parent}:{os.environ['PATH']}", "DNSBUDDY_RESOLVER": f"127.0.0.1:{cloudflare_dns.dns.port}",
        "DNSBUDDY_INTERFACE": "static:192.0.2.77", "DNSBUDDY_SETTLE": "0"})

    def passing():
        return [i["Service"]["Address"] for i in consul.get(f"/v1/health/service/{name}?passing")]

    until(lambda: "192.0.2.77" in passing(), 20)
    child.process.terminate()
    assert child.wait().code == 0
    assert "192.0.2.77" not in passing()


def test_the_image_of_nginx_has_the_lines_that_readme_shows():
    block, = (b for b in readme.read_blocks((ROOT / "README.md").read_text()) if "ENTRYPOINT" in b.text)
    assert set(block.text.splitlines()) <= set((EXAMPLES / "nginx/Dockerfile").read_text().splitlines())


def test_readme_of_the_examples_names_every_file():
    text = (EXAMPLES / "README.md").read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (EXAMPLES / target).exists(), target
    there = {p.name for p in EXAMPLES.iterdir() if not p.name.startswith(".")} - {"README.md"}
    assert not [name for name in there if name not in text]


# -- start.sh

DOCKER = """#!/bin/sh
echo "docker $*" >>{log}
case "$1 $2" in
"version ") {engine} ;;
"compose version") {v2} ;;
"compose -f") shift 3; [ "$1" != -p ] || shift 2; [ "$1" != port ] || echo {port} ;;
"image inspect") {image} ;;
esac
"""
COMPOSE = """#!/bin/sh
echo "docker-compose $*" >>{log}
shift 2; [ "$1" != -p ] || shift 2
[ "$1" != port ] || echo {port}
"""
CURL = """#!/bin/sh
for last; do :; done
case $last in
*/v1/status/leader) {leader} ;;
*/v1/health/*) echo '[{{"Service":{{"Address":"192.0.2.1"}}}}]' ;;
*) exit 22 ;;
esac
"""


@pytest.fixture
def machine(folder, tmp_path):
    """machine(**what): a PATH of few tools and a fake Docker; returns go(*arguments of start.sh, code=)."""
    programs, log = tmp_path / "bin", tmp_path / "calls"
    programs.mkdir()
    for tool in ("bash", "cat", "dirname", "grep", "head", "mv", "sed", "sleep", "tail", "uname"):
        (programs / tool).symlink_to(shutil.which(tool))
    image_sh = folder.parent / "scripts/image.sh"
    image_sh.parent.mkdir()

    def add(path, text):
        path.write_text(text)
        path.chmod(0o755)

    def prepare(docker=True, v1=True, v2=False, curl=True, **what):
        what = {"log": log, "engine": ":", "image": ":", "port": "127.0.0.1:8500", "leader": "echo '\"10.0.0.2:8300\"'"} | what
        what["v2"] = ":" if v2 else "exit 1"
        add(image_sh, f"#!/bin/sh\necho image.sh >>{log}\n")
        if docker:
            add(programs / "docker", DOCKER.format(**what))
        if v1:
            add(programs / "docker-compose", COMPOSE.format(**what))
        if curl:
            add(programs / "curl", CURL.format(**what))

        def go(*args, code=0, **env):
            log.write_text("")
            out = run(["/bin/bash", folder / "start.sh", *args], {"PATH": str(programs), "WAIT_SECONDS": "1", **env}, "/", code)
            return out, log.read_text().splitlines()
        return go

    make_env(folder)
    return prepare


def fill_in(folder, **more):
    values = {"CF_ROOT_DOMAIN": "example.net", "RECORD": "www.example.net", "CLOUDFLARE_API_TOKEN": "secret-token"} | more
    text = (folder / ".env").read_text()
    for name, value in values.items():
        text = re.sub(rf"^{name}=.*$", f"{name}={value}", text, flags=re.M)
    (folder / ".env").write_text(text)


def commands(calls, program):
    """What was asked of Compose, without the questions."""
    return [c for c in calls if c.startswith(program + " ") and not re.search(r" (port|version)\b", c)]


def test_start_begins_with_consul_and_says_where_to_look(folder, machine):
    fill_in(folder)
    out, calls = machine()()
    assert commands(calls, "docker-compose") == [
        "docker-compose -f docker-compose.yml up -d consul", "docker-compose -f docker-compose.yml up -d"]
    assert "image.sh" not in calls
    assert re.search(r"Consul +http://127.0.0.1:8500/ui/\n", out)
    assert re.search(r"Cloudflare +https://dash.cloudflare.com/\?to=/:account/example.net/dns/records\n", out)
    assert "docker-compose scale nginx=3" in out and "secret-token" not in out + " ".join(calls)


def test_start_takes_compose_v2_where_it_is(folder, machine):
    fill_in(folder)
    out, calls = machine(v1=False, v2=True)()
    assert [c for c in commands(calls, "docker") if " up " in c] == [
        "docker compose -f docker-compose.yml up -d consul", "docker compose -f docker-compose.yml up -d"]
    assert "docker compose up -d --no-recreate --scale nginx=3" in out


def test_start_builds_the_image_that_is_missing(folder, machine):
    fill_in(folder)
    _, calls = machine(image="exit 1")()
    assert calls.index("image.sh") < calls.index("docker-compose -f docker-compose.yml up -d consul")


def test_start_hands_on_file_and_prefix_and_remembers_them(folder, machine):
    fill_in(folder)
    go = machine()
    _, calls = go("-f", "docker-compose-local.yml", "-p", "mine")
    assert commands(calls, "docker-compose")[-1] == "docker-compose -f docker-compose-local.yml -p mine up -d"
    env = environment_of((folder / ".env").read_text())
    assert env["COMPOSE_FILE"] == "docker-compose-local.yml" and env["COMPOSE_PROJECT_NAME"] == "mine"
    assert env["CLOUDFLARE_API_TOKEN"] == "secret-token" and stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    go()
    env = environment_of((folder / ".env").read_text())
    assert env["COMPOSE_FILE"] == "docker-compose.yml" and "COMPOSE_PROJECT_NAME" not in env
    assert (folder / ".env").read_text().count("#") == (EXAMPLES / "env.example").read_text().count("#")


def test_start_with_the_standin_needs_nothing_filled_in(folder, machine):
    out, calls = machine()("-f", "docker-compose-standin.yml")
    assert calls and "dig @127.0.0.1 -p 5300 www.example.com +short" in out and "dash.cloudflare.com" not in out


def test_start_opens_a_browser_where_there_is_one(folder, machine, tmp_path):
    fill_in(folder)
    go = machine()
    browser = tmp_path / "bin/xdg-open"
    browser.write_text(f'#!/bin/sh\necho "open $1" >>{tmp_path}/calls\nexit 3\n')
    browser.chmod(0o755)
    _, calls = go()
    assert not [c for c in calls if c.startswith("open ")]
    _, calls = go(DISPLAY=":0")
    opened = [c for c in calls if c.startswith("open ")]
    assert opened[0] == "open http://127.0.0.1:8500/ui/" and opened[-1].startswith("open https://dash.cloudflare.com/")
    _, calls = go(DISPLAY=":0", NO_BROWSER="1")
    assert not [c for c in calls if c.startswith("open ")]


def test_start_finds_the_address_of_an_engine_elsewhere(folder, machine):
    fill_in(folder)
    out, _ = machine(port="0.0.0.0:32768")(DOCKER_HOST="tcp://192.0.2.50:2376")
    assert "http://192.0.2.50:32768/ui/" in out
    out, _ = machine(port="192.0.2.60:8500")(DOCKER_HOST="tcp://192.0.2.50:2376")
    assert "http://192.0.2.60:8500/ui/" in out


@pytest.mark.parametrize("what, error", [
    ({"docker": False}, "docker is not installed"),
    ({"engine": "echo Cannot connect >&2; exit 1"}, "no Docker engine answers: Cannot connect"),
    ({"v1": False}, "neither docker compose nor docker-compose is installed"),
    ({"curl": False}, "curl is not installed"),
    ({"leader": "exit 7"}, "Consul does not answer after 1 s at 127.0.0.1:8500"),
    ({"leader": "echo '\"\"'"}, "Consul does not answer after 1 s at 127.0.0.1:8500"),
    ({"port": ":0"}, "Consul does not answer after 1 s; see: docker-compose -f docker-compose.yml logs consul"),
])
def test_start_says_what_is_missing(folder, machine, what, error):
    fill_in(folder)
    out, calls = machine(**what)(code=1)
    assert f"start.sh: error: {error}" in out
    assert "docker-compose -f docker-compose.yml up -d" not in calls


@pytest.mark.parametrize("change, error", [
    ({"CF_ROOT_DOMAIN": "example.com"}, "CF_ROOT_DOMAIN is still example.com"),
    ({"RECORD": ""}, "RECORD is empty"),
    ({"CLOUDFLARE_API_TOKEN": ""}, "it takes CLOUDFLARE_API_TOKEN, or CF_API_KEY and CF_AUTH_EMAIL"),
    ({"CLOUDFLARE_API_TOKEN": "", "CF_AUTH_EMAIL": "ops@example.net"}, "it takes CLOUDFLARE_API_TOKEN, or CF_API_KEY and CF_AUTH_EMAIL"),
    ({"CLOUDFLARE_API_TOKEN": "", "CF_API_KEY": "0" * 37}, "it takes CLOUDFLARE_API_TOKEN, or CF_API_KEY and CF_AUTH_EMAIL"),
])
def test_start_says_what_env_lacks(folder, machine, change, error):
    fill_in(folder, **change)
    out, calls = machine()(code=1)
    assert error in out and not calls


def test_start_is_content_with_key_and_email(folder, machine):
    fill_in(folder, CLOUDFLARE_API_TOKEN="", CF_API_KEY="0" * 37, CF_AUTH_EMAIL="ops@example.net")
    machine()()


def test_start_without_env_says_make_env(folder, machine):
    go = machine()
    (folder / ".env").unlink()
    out, calls = go(code=1)
    assert "Type: make .env" in out and not calls


def test_start_with_a_wrong_argument(folder, machine):
    go = machine()
    assert "start.sh [-f FILE] [-p PREFIX]" in go("nginx=3", code=64)[0]
    assert "start.sh [-f FILE] [-p PREFIX]" in go("-x", code=64)[0]
    assert "start.sh [-f FILE] [-p PREFIX]" in go("-h")[0]
    assert "there is no file other.yml" in go("-f", "other.yml", code=1)[0]


# -- systemd, Nomad, Kubernetes: watch


def check_settings(names):
    """What an example sets is known, and is all that watch needs but the token, which is in a file."""
    assert {"CF_ROOT_DOMAIN", "SERVICE", "RECORD", "TTL", "CONSUL_HTTP_ADDR", "CLOUDFLARE_API_TOKEN_FILE"} <= set(names)
    assert not set(names) - variables() and "CLOUDFLARE_API_TOKEN" not in names


UNIT = EXAMPLES / "systemd/dnsbuddy.service"


@pytest.fixture
def unit(tmp_path):
    """The unit, with the binary under test and a folder of ours: verify wants the program to be there."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    file = tmp_path / "dnsbuddy.service"
    file.write_text(UNIT.read_text().replace("/usr/local/bin/dnsbuddy", binary()))

    def analyze(verb, *more, code=0):
        return run(["systemd-analyze", verb, *more, file], {"PATH": os.environ["PATH"]}, tmp_path, code)

    return file, analyze


def test_systemd_has_no_complaint(unit):
    file, analyze = unit
    assert analyze("verify", "--man=no") == ""
    file.write_text(file.read_text().replace("Restart=on-failure", "Restart=on-holiday"))
    assert "on-holiday" in analyze("verify", "--man=no")


def test_systemd_gives_it_few_rights(unit):
    _, analyze = unit
    out = analyze("security", "--offline=true", "--no-pager")
    assert float(re.search(r"exposure level for \S+: ([\d.]+) ", out)[1]) < 2


def test_systemd_settings_are_known():
    names = {**environment_of((EXAMPLES / "systemd/dnsbuddy.env").read_text()),
             **dict(re.findall(r"^Environment=(\w+)=(.*)$", UNIT.read_text(), re.M))}
    check_settings(names)
    assert set(re.search(r"^RestartPreventExitStatus=(.*)$", UNIT.read_text(), re.M)[1].split()) == {"64", "77", "78"}


def hcl_blocks(text):
    """{path: {name: text of the value}} of what we use of HCL; ValueError where braces do not fit."""
    blocks, at = {(): {}}, ()
    for line in text.splitlines():
        line = re.sub(r"^\s*#.*", "", line).strip()
        if match := re.fullmatch(r'(\w+)((?: "[^"]*")*) \{', line):
            at += (" ".join([match[1], *re.findall(r'"([^"]*)"', match[2])]),)
            blocks[at] = {}
        elif match := re.fullmatch(r"(\w+) += +(\S.*)", line):
            blocks[at][match[1]] = match[2]
        elif line == "}" and at:
            at = at[:-1]
        elif line:
            raise ValueError(line)
    if at:
        raise ValueError("a } is missing")
    return blocks


def test_nomad_job_is_whole():
    """Debian has no Nomad to ask."""
    task = ("job dnsbuddy", "group watch", "task dnsbuddy")
    blocks = hcl_blocks((EXAMPLES / "nomad/dnsbuddy.nomad").read_text())
    check_settings(blocks[task + ("env",)])
    assert blocks[task]["driver"] == '"docker"' and blocks[task + ("config",)]["args"] == '["watch"]'
    port, = (p[-1] for p in blocks if p[-1:] and p[-1].startswith("port "))
    assert blocks[task + ("config",)]["ports"] == f'["{port.split()[1]}"]'
    assert blocks[task + ("template",)]["destination"] == blocks[task + ("env",)]["CLOUDFLARE_API_TOKEN_FILE"].replace("/s", "s", 1)


@pytest.fixture
def kubernetes():
    config, deployment = yaml.safe_load_all((EXAMPLES / "kubernetes/dnsbuddy.yaml").read_text())
    return config, deployment


def test_kubernetes_settings_are_known(kubernetes):
    config, deployment = kubernetes
    pod = deployment["spec"]["template"]["spec"]
    container, = pod["containers"]
    assert all(isinstance(v, str) for v in config["data"].values())
    check_settings({**config["data"], **{e["name"]: e["value"] for e in container["env"]}})
    assert container["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]
    mount, = container["volumeMounts"]
    assert container["env"][0]["value"].startswith(mount["mountPath"] + "/") and mount["name"] == pod["volumes"][0]["name"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def lost(a, b, path=""):
    """Paths of what is in a and not in b."""
    if isinstance(a, dict):
        return [p for k in a for p in (lost(a[k], b[k], f"{path}.{k}") if k in b else [f"{path}.{k}"])]
    if isinstance(a, list):
        return [p for n, (x, y) in enumerate(zip(a, b, strict=True)) for p in lost(x, y, f"{path}[{n}]")]
    return [] if a == b else [path]


def test_kubectl_reads_all_of_it(kubernetes, tmp_path):
    """--local: it knows the kinds and their fields without a cluster, and forgets a field that it does not know."""
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("kubectl is not installed")
    _, deployment = kubernetes

    def through(value):
        done = subprocess.run([kubectl, "set", "image", "--local", "-f", "-", "dnsbuddy=other", "-o", "json"],
                              input=json.dumps(value), env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return lost(value, json.loads(done.stdout))

    image = ".spec.template.spec.containers[0].image"
    assert through(deployment) == [image]
    deployment["spec"]["replica"] = 2
    assert through(deployment) == [image, ".spec.replica"]
