"""Settings: where they come from, which goes first, and what is said of a wrong one."""

import json
import subprocess

import pytest
from fake_consul import instance
from program import NAME, binary, environment

GOOD = {"SERVICE": "web", "RECORD": NAME}


@pytest.fixture
def parts(fake, cloudflare):
    fake.instances = [instance("192.0.2.1")]
    return {"consul": fake, "cloudflare": cloudflare}


@pytest.fixture
def refuse(run, parts):
    """refuse(code, *args, **env): a run that says why in one line, and asks nobody anything."""
    def go(code, *args, **env):
        done = run("sync", *args, **parts, env={**GOOD, **env}).expect(code)
        assert done.err.count("\n") == 1 and done.err.startswith("dnsbuddy sync: ") and not done.out
        assert parts["consul"].connections == 0
        assert not parts["cloudflare"].listener.seen
        return done.err
    return go


@pytest.fixture
def accept(run, parts):
    def go(*args, **env):
        run("sync", *args, **parts, env={**GOOD, **env}).expect(0)
        return parts["cloudflare"].records()
    return go


# -- wrong values: the setting, where it came from, what would be right

WRONG = [  # (flag, variable, value, what would be right)
    ("ttl", "TTL", "abc", "30 to 86400"), ("ttl", "TTL", "29", "30 to 86400"),
    ("ttl", "TTL", "0", "30 to 86400"), ("ttl", "TTL", "86401", "30 to 86400"),
    ("ttl", "TTL", "-1", "30 to 86400"), ("ttl", "TTL", "60s", "30 to 86400"),
    ("ttl", "TTL", "99999999999999999999", "30 to 86400"),
    ("record", "RECORD", "www", "the whole name"), ("record", "RECORD", "a..b", "empty label"),
    ("record", "RECORD", "a b.example.com", "character"),
    ("record", "RECORD", "www.*.example.com", "wildcard"),
    ("record", "RECORD", "x" * 64 + ".example.com", "63 bytes"),
    ("record", "RECORD", "mu\u0308nchen.example.com", "Punycode"),
    ("record", "RECORD", "@", "CF_ROOT_DOMAIN"),
    ("zone-id", "CF_ZONE_ID", "example.com", "32 hexadecimal digits"),
    ("proxied", "PROXIED", "maybe", "true or false"),
    ("owner", "DNSBUDDY_OWNER", "a b", "1 to 64 letters"), ("owner", "DNSBUDDY_OWNER", "x" * 65, "1 to 64 letters"),
    ("on-empty", "DNSBUDDY_ON_EMPTY", "panic", "keep, remove or fallback=ADDRESS"),
    ("on-empty", "DNSBUDDY_ON_EMPTY", "fallback=0.0.0.0", ""),
    ("on-empty", "DNSBUDDY_ON_EMPTY", "fallback=", ""),
    ("min-records", "DNSBUDDY_MIN_RECORDS", "few", "a number"),
    ("address", "DNSBUDDY_ADDRESS", "service,moon", "service, node, wan, lan"),
    ("address", "DNSBUDDY_ADDRESS", "service,,node", "service, node, wan, lan"),
    ("include-warning", "DNSBUDDY_INCLUDE_WARNING", "yes!", "true or false"),
    ("cf-api-url", "CF_API_URL", "http://api.example.com/v4", "https only"),
    ("cf-api-url", "CF_API_URL", "https://user:pass@api.example.com", ""),
    ("cf-api-url", "CF_API_URL", "https://", ""),
    ("consul", "CONSUL_HTTP_ADDR", "ftp://consul", ""),
    ("consul", "CONSUL_HTTP_ADDR", "consul:99999", ""),
    ("retry-for", "DNSBUDDY_RETRY_FOR", "long", "0 to 86400"), ("timeout", "DNSBUDDY_TIMEOUT", "0", "1 to"),
    ("log-format", "DNSBUDDY_LOG_FORMAT", "xml", "text|logfmt|json"),
    ("log-level", "DNSBUDDY_LOG_LEVEL", "loud", "debug|info|warn|error"),
]


@pytest.mark.parametrize("flag, variable, value, right", WRONG)
def test_wrong_values(refuse, flag, variable, value, right):
    error = refuse(78, **{variable: value})
    assert f"({variable} in the environment)" in error and right in error, error
    error = refuse(64, f"--{flag}={value}", **{variable: None})
    assert f"(--{flag})" in error and right in error, error


@pytest.mark.parametrize("zone", ["other.net", "ample.com", "a.www.example.com"])
def test_a_record_outside_its_zone(refuse, zone):
    error = refuse(78, CF_ROOT_DOMAIN=zone)
    assert NAME in error and "does not lie in the zone" in error and zone in error


CONTROL = [("service", "SERVICE"), ("tag", "DNSBUDDY_TAG"), ("datacenter", "CONSUL_DATACENTER"),
           ("record", "RECORD"), ("zone", "CF_ROOT_DOMAIN"), ("owner", "DNSBUDDY_OWNER"),
           ("consul", "CONSUL_HTTP_ADDR"), ("cf-api-url", "CF_API_URL")]


@pytest.mark.parametrize("flag, variable", CONTROL)
@pytest.mark.parametrize("byte", ["\r\n", "\n", "\t", "\x01", "\x7f"])
def test_control_characters(refuse, flag, variable, byte):
    value = f"web{byte}X-Evil: 1"
    assert "\x01" not in refuse(78, **{variable: value})
    refuse(64, f"--{flag}={value}", **{variable: None})


@pytest.mark.parametrize("name", ["CLOUDFLARE_API_TOKEN", "CONSUL_HTTP_TOKEN", "CONSUL_HTTP_AUTH"])
def test_control_characters_in_a_secret(refuse, name):
    error = refuse(78, **{name: "abcdefgh\r\nX-Evil: 1"})
    assert name in error and "control character" in error and "abcdefgh" not in error


@pytest.mark.parametrize("missing, name", [
    ("SERVICE", "--service or SERVICE"), ("RECORD", "--record or RECORD"),
    ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_TOKEN_FILE")])
def test_missing_settings(refuse, missing, name):
    assert name in refuse(78, **{missing: None})


def test_a_key_without_email(refuse):
    assert "CF_AUTH_EMAIL" in refuse(78, CLOUDFLARE_API_TOKEN=None, CF_API_KEY="0" * 37)


@pytest.mark.parametrize("args, words", [
    (("--frob",), "--frob"), (("-x",), "-x"), (("--ttl",), "--ttl needs a value"),
    (("a", "b", "60", "more"), '"more"'), (("--api-token", "x"), "--api-token"),
    (("--ttl", "60", "--ttl=61"), "--ttl"), (("--service", "a", "b"), "argument SERVICE")])
def test_wrong_usage(refuse, args, words):
    assert words in refuse(64, *args, SERVICE=None, RECORD=None)


@pytest.mark.parametrize("flag", ["--json", "--detailed-exitcode"])
def test_flags_of_plan_alone(refuse, flag):
    assert f"{flag} does not go with sync, only with plan" in refuse(64, flag)


@pytest.mark.parametrize("command, option", [
    ("watch", "--json"), ("watch", "--dry-run"), ("health", "--json"), ("sync", "--json")])
def test_options_that_do_not_go_with_a_command(run, command, option):
    done = run(command, option).expect(64)
    assert f"dnsbuddy {command}: {option} does not go with {command}, only with " in done.err


def test_what_a_command_does_not_use_is_not_looked_at(accept):
    accept(DNSBUDDY_LISTEN="3000", DNSBUDDY_GRACE="soon", DNSBUDDY_RESYNC="1", DNSBUDDY_LOCK="/", DNSBUDDY_UNHEALTHY_AFTER="0", DNSBUDDY_ON_DROP="perhaps")


def test_the_names_of_an_application_are_its_own(accept):
    accept(LISTEN="3000", LOCK="/var/lock/app", GRACE="30s", ADDRESS="0.0.0.0", OWNER="team-web", LOG_LEVEL="warning",
           LOG_FORMAT="combined", DNSBUDDY_SERVICE_HOST="10.0.0.1", DNSBUDDY_PORT_80_TCP_ADDR="10.0.0.1", DNSBUDDY_NAME="/a/dnsbuddy")


@pytest.mark.parametrize("command", ["sync", "plan", "watch", "health"])
def test_a_name_that_no_setting_has(run, command):
    done = run(command, env={"DNSBUDDY_OWNR": "hush"}).expect(78)
    assert done.err == f"dnsbuddy {command}: DNSBUDDY_OWNR in the environment is no setting: is it DNSBUDDY_OWNER?\n"
    run("version", env={"DNSBUDDY_OWNR": "hush"}).expect(0)


def test_the_same_value_twice_is_fine(accept):
    accept("--ttl", "60", "--ttl=60", "web", NAME, "60")


# -- as Containerbuddy cuts a command: two blanks make an empty argument

@pytest.mark.parametrize("command", [
    "sync web www.example.com 90", " sync  web  www.example.com  90 ", "   sync web   www.example.com 90"])
def test_doubled_blanks(run, parts, command):
    run(*command.split(" "), **parts).expect(0)
    assert [r.ttl for r in parts["cloudflare"].records(NAME)] == [90]


def test_an_empty_argument_leaves_its_setting_to_the_environment(run, parts):
    run("web", "", "90", argv0="/bin/update-dns.sh", **parts, env={"RECORD": NAME}).expect(0)
    assert [r.ttl for r in parts["cloudflare"].records(NAME)] == [90]


def test_nothing_but_blanks(run):
    assert "what shall it do?" in run("", "").expect(64).err


# -- names of one setting

ALIASES = [("CLOUDFLARE_API_TOKEN", "CF_API_TOKEN"), ("CF_API_KEY", "CLOUDFLARE_API_KEY"),
           ("CF_AUTH_EMAIL", "CLOUDFLARE_EMAIL"), ("CF_AUTH_EMAIL", "CF_API_EMAIL"),
           ("CONSUL_HTTP_ADDR", "CONSUL")]


@pytest.mark.parametrize("one, other", ALIASES)
def test_two_names_that_differ(refuse, one, other):
    error = refuse(78, **{one: "first-value", other: "other-value"})
    assert one in error and other in error and "differ" in error
    assert "first-value" not in error and "other-value" not in error


@pytest.mark.parametrize("name", ["CF_API_TOKEN", "CLOUDFLARE_API_TOKEN"])
def test_each_name_of_the_token(accept, parts, name):
    assert accept(**{"CLOUDFLARE_API_TOKEN": None, name: parts["cloudflare"].token})


def test_two_names_that_agree(accept, parts):
    accept(CF_API_TOKEN=parts["cloudflare"].token, CONSUL=parts["consul"].address)


@pytest.mark.parametrize("variable, value, asked, path", [
    ("CONSUL_PORT_8500_TCP_ADDR", "127.0.0.77", "http://127.0.0.77:8500:", "GET /v1/health/"),
    ("CONSUL", "127.0.0.77", "http://127.0.0.77:8500:", "GET /v1/health/"),
    ("CONSUL", "127.0.0.77:1", "http://127.0.0.77:1:", "GET /v1/health/"),
    ("CONSUL_HTTP_ADDR", "http://127.0.0.77:1/pre/fix", "http://127.0.0.77:1:",
     "GET /pre/fix/v1/health/")])
def test_forms_of_consuls_address(run, parts, variable, value, asked, path):
    """Nobody listens there: the error tells where it was."""
    done = run("sync", cloudflare=parts["cloudflare"], env={
        **GOOD, variable: value, "DNSBUDDY_RETRY_FOR": "0"}).expect(1)
    assert asked in done.last["error"] and path in done.last["error"]


def test_the_docker_link_comes_last(accept):
    accept(CONSUL_PORT_8500_TCP_ADDR="192.0.2.250")


def test_an_empty_variable_is_unset(accept, parts):
    accept(CF_API_TOKEN="", TTL="", CONSUL="", PROXIED="")


def test_precedence(run, parts, accept, tmp_path):
    """Flag, environment, file, default. An entry's own value goes before that of the file."""
    file = tmp_path / "c.json"

    def ttl(*args, records=True, **env):
        entry = {"service": "web", "record": NAME}
        data = {"ttl": 300, "records": [{**entry, **({"ttl": 400} if records else {})}]}
        file.write_text(json.dumps(data))
        run("sync", "--config", file, *args, **parts, env=env).expect(0)
        return parts["cloudflare"].records()[0].ttl
    assert accept()[0].ttl == 60
    assert ttl(records=False) == 300
    assert ttl() == 400
    assert ttl(TTL="500") == 500
    assert ttl("--ttl", "600", TTL="500") == 600


# -- secrets from files

@pytest.mark.parametrize("name", ["CLOUDFLARE_API_TOKEN_FILE", "CF_API_TOKEN_FILE"])
@pytest.mark.parametrize("around", ["{}", "{}\n", " \t{}\r\n\n"])
def test_secrets_from_files(accept, parts, tmp_path, name, around):
    file = tmp_path / "token"
    file.write_text(around.format(parts["cloudflare"].token))
    assert accept(**{"CLOUDFLARE_API_TOKEN": None, name: file})


# -- what nobody means: quotes, blanks, marks

@pytest.mark.parametrize("value, told", [
    ('"{}"', "is a quote (U+0022)"), ("{}\n", "is white space (U+000A)"), ("\ufeff{}", "byte 1 is a byte order mark (U+FEFF)"),
    ("{}\u00a0", "is a no-break space (U+00A0)"), ("Bearer {}", "without Bearer or NAME="),
    ("CF_API_TOKEN={}", "without Bearer or NAME=")])
def test_a_token_with_something_around_it(refuse, parts, tmp_path, value, told):
    token = parts["cloudflare"].token
    error = refuse(78, CLOUDFLARE_API_TOKEN=value.format(token))
    assert "CLOUDFLARE_API_TOKEN in the environment" in error and told in error and token not in error
    (tmp_path / "token").write_text(value.format(token).rstrip("\n") + " \n")
    if not value.endswith("\n"):
        error = refuse(78, CLOUDFLARE_API_TOKEN=None, CLOUDFLARE_API_TOKEN_FILE=tmp_path / "token")
        assert "CLOUDFLARE_API_TOKEN_FILE in the environment" in error and told in error and token not in error


def test_quotes_of_an_environment_file_do_not_empty_a_name(run, parts):
    """What `docker run --env-file` makes of SERVICE="web"."""
    parts["cloudflare"].seed(NAME, "A", "192.0.2.1")
    done = run("sync", "--on-empty", "remove", **parts, env={"SERVICE": '"web"', "RECORD": NAME}).expect(78)
    assert "(SERVICE in the environment) is wrong: byte 1 is a quote" in done.err
    assert parts["cloudflare"].contents(NAME) == ["192.0.2.1"] and not parts["consul"].connections


def test_a_literal_configuration_is_no_argument(refuse):
    error = refuse(64, "--config", '{"api_token": "hush-hush"}')
    assert "DNSBUDDY_CONFIG" in error and "hush" not in error


@pytest.mark.parametrize("content, words", [
    (None, "No such file"), ("", "is empty"), (" \n", "is empty"), ("x" * 5000, "longer than"),
    ("a\0b", "NUL")])
def test_bad_secret_files(refuse, tmp_path, content, words):
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    error = refuse(78, CLOUDFLARE_API_TOKEN=None, CLOUDFLARE_API_TOKEN_FILE=file)
    assert "CLOUDFLARE_API_TOKEN_FILE" in error and words in error
    assert str(file) not in error, "it may be the secret itself, given to the wrong variable"


def test_files_that_are_pipes(parts):
    """As a shell makes them: the secret and the configuration never are in a file."""
    command = f"""CF_API_TOKEN_FILE=<(sleep 0.2; echo "$TOKEN") exec {binary()} sync --config <(echo '{{"ttl": 90}}')"""
    env = environment(**parts, CLOUDFLARE_API_TOKEN=None, TOKEN=parts["cloudflare"].token, PATH="/usr/bin:/bin", **GOOD)
    done = subprocess.run(["/bin/bash", "-c", command], env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert [r.ttl for r in parts["cloudflare"].records()] == [90]


def test_a_secret_file_that_differs(refuse, tmp_path):
    (tmp_path / "token").write_text("another-token")
    error = refuse(78, CLOUDFLARE_API_TOKEN_FILE=tmp_path / "token")
    assert "CLOUDFLARE_API_TOKEN_FILE" in error and "another-token" not in error


# -- configuration files

BAD_FILES = [
    ('{"records": [\n  {"service": "a",\n   "recrod": "b"}]}', "line 3", "recrod"),
    ('{\n "frob": 1}', "line 2", "frob"), ('{\n "ttl": 60,\n}', "line 3", ""),
    ('{"ttl": 60\n "tag": "x"}', "line 2", ""), ("[]", "line 1", "object"), ("", "", ""),
    ("7", "", ""), ('{"records": []}', "line 1", "one record"),
    ('{"records": {}}', "line 1", "list"), ('{"records": [\n7]}', "line 2", "object"),
    ('{"ttl": 60,\n"ttl": 90}', "line 2", "twice"), ('{\n"ttl": {}}', "line 2", "ttl must be"),
    ('{"ttl": 60} {}', "line 1", ""), ('{"service": "a", "config": "b"}', "line 1", "config"),
    ('{\n "ttl": {{ now }}\n}', "line 2", "{{ .NAME }}"),
    ('{"ttl": {{ .TTL', "line 1", "{{ .NAME }}"),
]


@pytest.mark.parametrize("text, line, words", BAD_FILES)
def test_bad_files(refuse, tmp_path, text, line, words):
    file = tmp_path / "c.json"
    file.write_text(text)
    error = refuse(78, DNSBUDDY_CONFIG=file)
    assert str(file) in error and line in error and words in error


@pytest.mark.parametrize("value", ["/nonexistent/c.json", "file:///nonexistent/c.json"])
def test_a_file_that_is_not_there(refuse, value):
    assert "/nonexistent/c.json: No such file" in refuse(78, "--config", value)


def test_a_wrong_value_in_a_file_is_told_with_its_line(refuse, tmp_path):
    file = tmp_path / "c.json"
    file.write_text('{"records": [\n{"service": "a", "record": "a.example.com"},\n'
                    '{"service": "a",\n "record": "b.example.com", "ttl": 7}]}')
    error = refuse(78, "--config", file, SERVICE=None, RECORD=None)
    assert f"{file}:4, key ttl" in error and "record 2" in error and "30 to 86400" in error


def test_two_entries_for_one_name(refuse):
    entry = {"service": "a", "record": NAME}
    refuse(78, DNSBUDDY_CONFIG=json.dumps({"records": [entry, entry]}), SERVICE=None, RECORD=None)


def test_records_and_a_single_record_exclude_each_other(refuse):
    text = json.dumps({"records": [{"service": "a", "record": NAME}]})
    assert "SERVICE in the environment" in refuse(78, DNSBUDDY_CONFIG=text, RECORD=None)


def test_a_file_that_is_too_long(refuse, tmp_path):
    file = tmp_path / "c.json"
    file.write_text('{"ttl": 60' + " " * 300000 + "}")
    assert "longer than" in refuse(78, "--config", file)


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_files(run, parts, tmp_path, form):
    file = tmp_path / "c.json"
    file.write_text(json.dumps({
        "service": "web", "record": NAME, "ttl": 90, "proxied": False, "address": ["node", "lan"],
        "min_records": 0, "on_empty": "keep", "tag": None,
        "consul": parts["consul"].address, "api_token": parts["cloudflare"].token}))
    env = {"CLOUDFLARE_API_TOKEN": None, "CONSUL_HTTP_ADDR": None,
           "DNSBUDDY_CONFIG": form.format(file)}
    run("sync", **parts, env=env).expect(0)
    record, = parts["cloudflare"].records(NAME)
    assert record.ttl == 90


def test_literal_json(accept):
    record, = accept(DNSBUDDY_CONFIG=' {"ttl": 90}')
    assert record.ttl == 90


def test_templates(run, parts):
    """A value with a quote, a backslash and braces stays one value."""
    text = ('{"records": [{"service": "{{ .APP }}", "record": "{{.APP_NAME}}", "ttl": {{ .T }},'
            ' "tag": "{{ .MISSING | default \\"blue\\" }}", "datacenter": "{{ .UNSET }}"}]}')
    run("sync", **parts, env={
        "DNSBUDDY_CONFIG": text, "APP": 'a"b\\c{{ .T }}', "APP_NAME": NAME, "T": "90"}).expect(0)
    request = parts["consul"].requests[0]
    assert request.path == '/v1/health/service/a"b\\c{{ .T }}'
    assert request.query["tag"] == "blue"
    assert parts["cloudflare"].records()[0].ttl == 90


# -- commands

def test_version(run):
    assert run("version").expect(0).out == run("--version").out
    name, version = run("version").out.split()
    assert name == "dnsbuddy" and version[0].isdigit()


@pytest.mark.parametrize("args", [("help",), ("--help",), ("-h",)])
def test_help(run, args):
    out = run(*args).expect(0).out
    assert all(word in out for word in ("sync", "plan", "version", "--ttl", "CLOUDFLARE_API_TOKEN", "help settings"))


@pytest.mark.parametrize("command", ["sync", "plan"])
def test_help_on_a_command(run, command):
    out = run("help", command).expect(0).out
    assert out.startswith(f"dnsbuddy {command} ")
    assert run(command, "--help").expect(0).out == run(command, "-h").expect(0).out == out


def test_unknown_commands(run):
    for args in (("frob",), ("help", "frob")):
        done = run(*args).expect(64)
        assert '"frob"' in done.err and not done.out
    assert "sync" in run().expect(64).err


@pytest.mark.parametrize("args, missing", [
    (("sync",), "service"), (("plan", "a"), "record"), (("plan", "a", NAME), "credentials")])
def test_without_any_setting(run, args, missing):
    assert missing in run(*args).expect(78).err
