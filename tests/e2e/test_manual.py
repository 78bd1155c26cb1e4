"""dnsbuddy(1), dnsbuddy.json(5), the help and README.md: of one table, complete, and true."""

import json
import os
import re
import shutil
import subprocess

import pytest
from pages import with_table
from program import ROOT, binary, settings_of_help
from tables import COMMANDS, SETTINGS, read_foreign_keys

PAGES = ["dnsbuddy.1", "dnsbuddy.json.5"]
TAKING = [c for c in COMMANDS if c.groups]
SCREEN = 24  # lines


@pytest.fixture(scope="module", params=PAGES)
def page(request, manual):
    return manual / "man" / request.param


def shown(path):
    done = subprocess.run(["mandoc", "-Tutf8", "-Owidth=80", path], env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                          capture_output=True, text=True, check=True)
    return re.sub(".\b", "", done.stdout)


def words(text):
    """Without the hyphens and breaks of lines that mandoc made."""
    return " ".join(text.replace("\N{HYPHEN}", "-").split())


@pytest.fixture(scope="module")
def command_page(manual):
    return shown(manual / "man/dnsbuddy.1")


@pytest.fixture(scope="module")
def file_page(manual):
    return shown(manual / "man/dnsbuddy.json.5")


# -- the table that Python reads is the one that the program has

def listed(settings):
    return [("--" + s.flag if s.flag else None, (*s.env, *([s.fallback] if s.fallback else [])), s.is_secret) for s in settings]


def test_the_settings_are_those_of_help():
    assert listed(SETTINGS) == settings_of_help()


@pytest.mark.parametrize("command", TAKING, ids=lambda c: c.name)
def test_the_settings_of_a_command(command):
    want = listed(command.settings(SETTINGS))
    if command.name == "drain":  # there the flag is one of another setting
        want = [(None if flag == "--timeout" else flag, *rest) for flag, *rest in want]
    assert settings_of_help(command.name) == want


# -- help

def test_help_fits_on_a_screen(run):
    out = run("help").expect(0).out
    assert len(out.splitlines()) < SCREEN  # the prompt has a line, too
    assert all(re.search(rf"^  dnsbuddy {c.name} ", out, re.M) for c in COMMANDS)
    common = [s for s in SETTINGS if "is_common" in s.traits]
    assert len(common) == 6 and all(s.env[0] in out for s in common)
    assert "dnsbuddy help settings" in out and "dnsbuddy(1)" in out


@pytest.mark.parametrize("topic", ["", "settings", *[c.name for c in COMMANDS]])
def test_help_has_80_columns(run, topic):
    for line in run("help", topic).expect(0).out.splitlines():
        assert len(line) <= 80, line


@pytest.mark.parametrize("command", TAKING, ids=lambda c: c.name)
def test_help_tells_the_options(run, command):
    out = run("help", command.name).expect(0).out
    for option in command.options:
        assert option.id == "HELP" or option.flag == "--dry-run" or option.flag in out, option.flag
    for name in command.called:
        assert re.search(rf"^Called as .*\b{re.escape(name)}\b", out, re.M)


@pytest.mark.parametrize("topic, n", [("", 2), ("settings", 2), ("sync", 2), ("run", 1), ("drain", 0), ("health", 0)])
def test_help_tells_what_is_required(run, topic, n):
    assert run("help", topic).expect(0).out.count(" (required)\n") == n


@pytest.mark.parametrize("command", TAKING, ids=lambda c: c.name)
def test_help_tells_the_exit_codes_of_a_command(run, command):
    codes = run("help", command.name).expect(0).out.partition("\nExit codes:")[2]
    assert (" 3 held" in codes) == (command.name in ("sync", "plan", "watch", "drain")) and "78 wrong" in codes


def test_help_tells_a_flag_as_it_is_typed(run):
    out = run("help", "settings").expect(0).out
    assert re.search(r"^  --lock\[=KEY\]   DNSBUDDY_LOCK$", out, re.M)
    assert re.findall(r"^  --ttl .*\n {6}([a-z, ]+): ", out, re.M) == ["sync, plan, watch", "run"]


# -- README.md

def test_the_table_of_readme():
    text = (ROOT / "README.md").read_text()
    assert text == with_table(text), "make readme writes it"


# -- the pages

def test_mandoc_has_no_complaint(page):
    """But for what is not installed."""
    done = subprocess.run(["mandoc", "-Tlint", "-W", "style", page], capture_output=True, text=True, check=False)
    assert done.stdout or not done.returncode, done.stderr
    assert not [line for line in done.stdout.splitlines() if "referenced manual not found" not in line], done.stdout


def test_a_page_has_80_columns(page):
    text = shown(page)
    assert len(text.splitlines()) > 100
    for line in text.splitlines():
        assert len(line) <= 80, line


def section(text, name):
    return re.search(rf"^{name}\n(.*?)(?=^\S)", text, re.M | re.S)[1]


def test_the_sections(command_page, file_page):
    for name in ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "SETTINGS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES",
                 "SIGNALS", "SAFETY", "RIGHTS IN CONSUL", "TAGS OF SERVICES", "SEE ALSO"):
        assert section(command_page, name).strip()
    for name in ("NAME", "DESCRIPTION", "DNS RECORDS", "OTHER SETTINGS", "TEMPLATES", "EXAMPLES", "SEE ALSO"):
        assert section(file_page, name).strip()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.id)
def test_a_setting_has_its_place(command_page, setting):
    text = section(command_page, "SETTINGS")
    if setting.flag:
        assert re.search(rf"^ {{5}}--{setting.flag}\b", text, re.M)
    for name in (*setting.env, *([setting.fallback] if setting.fallback else [])):
        assert re.search(rf"\b{name}\b", text), name
        assert not setting.is_secret or re.search(rf"\b{name}_FILE\b", text), name


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_a_command_has_its_place(command_page, command):
    text = section(command_page, "COMMANDS")
    assert re.search(rf"\b{command.name}\b", section(command_page, "SYNOPSIS"))
    own = re.search(rf"^ {{5}}{command.name}\b(.*?)(?=^ {{5}}\S|\Z)", text, re.M | re.S)[1]
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", words(own).replace("- ", "-")))
    want = {f"--{s.flag}" for s in command.settings(SETTINGS) if s.flag} | {o.flag for o in command.options if o.id != "HELP"}
    assert want <= flags, want - flags
    assert all(name in own for name in command.called)


def test_the_exit_codes_are_those_of_help(command_page, run):
    in_help = run("help", "settings").expect(0).out.partition("Exit codes:")[2]
    codes = set(re.findall(r"^ {5}(\d+)(?:, (\d+))? ", section(command_page, "EXIT STATUS"), re.M))
    assert {a for a, _ in codes} - {"130"} == set(re.findall(r"(?:^|[;:])\s*(\d+) ", in_help))


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.key], ids=lambda s: s.key)
def test_a_key_has_its_place(file_page, setting):
    text = section(file_page, "DNS RECORDS" if setting.is_of_record else "OTHER SETTINGS")
    item = re.search(rf"^ {{5}}{setting.key}\b(.*?)(?=^ {{5}}\S|\Z)", text, re.M | re.S)[1]
    if setting.initial:
        assert f"Default: {setting.initial}" in words(item) or setting.default, item


def test_the_tags_are_those_of_the_settings(command_page):
    """And those that docs/discover.md tells."""
    told = (ROOT / "docs/discover.md").read_text().partition("| `dnsbuddy.ttl=`")[2].partition("|")[0]
    text = words(section(command_page, "TAGS OF SERVICES")).replace("- ", "-")
    item = text.partition("SETTING=VALUE")[2].partition("--discover-prefix")[0]
    tags = {s.key.replace("_", "-") for s in SETTINGS if "is_tag" in s.traits} - {"record"}
    assert set(re.findall(r"[a-z-]+", item.partition(":")[2])) == tags == {"ttl", *re.findall(r"`\.([a-z-]+)=`", told)}


def test_the_keys_of_containerbuddy(file_page):
    text = section(file_page, "CONTAINERBUDDY")
    keys, refused = read_foreign_keys()
    for key in {k for of in keys.values() for k, _ in of} | set(refused):
        assert re.search(rf"\b{key}\b", text), key


def test_the_program_takes_each_key_and_no_other(run, file_page, tmp_path):
    keys = re.findall(r"^ {5}([a-z_]+)\b", section(file_page, "DNS RECORDS") + section(file_page, "OTHER SETTINGS"), re.M)
    assert len(keys) > 60
    for key in [*keys, "no_such_key"]:
        file = tmp_path / "one.json"
        file.write_text(json.dumps({key: None}))
        err = run("plan", "--config", file, env={"SERVICE": "a", "RECORD": "a.example.com"}).expect(78).err
        assert ("unknown key" in err) == (key == "no_such_key") or key == "records", f"{key}: {err}"
        if key in {s.key for s in SETTINGS if s.is_of_record}:
            file.write_text(json.dumps({"records": [{"service": "a", "record": "a.example.com", key: None}]}))
            assert "unknown key" not in run("plan", "--config", file).expect(78).err, key


# -- examples

def examples(word):
    source = (ROOT / "docs/man/dnsbuddy.json.5.in").read_text()
    found = re.findall(rf'^\.\\" {word}\n\.Bd [^\n]*\n(.*?)^\.Ed$', source, re.M | re.S)
    assert found
    return [pytest.param(text.replace("\\e", "\\"), id=f"{word}{i}") for i, text in enumerate(found)]


def test_each_example_is_tested():
    source = (ROOT / "docs/man/dnsbuddy.json.5.in").read_text()
    assert source.count("\n.Bd ") == len(examples("plan")) + len(examples("run"))


@pytest.mark.parametrize("text", examples("plan"))
@pytest.mark.parametrize("command", ["plan", "sync"])
def test_an_example_of_records(text, command, run, consul, start_cloudflare, tmp_path):
    cf = start_cloudflare(["example.com", "example.org"])
    consul.add("nginx", "192.0.2.1")
    file = tmp_path / "example.json"
    file.write_text(text)
    done = run(command, "--config", file, "--retry-for", "0", cloudflare=cf, consul=consul, env={"CONSUL": None})
    assert done.code in (0, 3), done.err


@pytest.mark.parametrize("text", examples("run"))
def test_an_example_of_run(text, run, consul, tmp_path):
    """With what this machine has: no application that others reach, no drain, which takes a DNS server."""
    file = tmp_path / "example.json"
    file.write_text(text)
    done = run("run", "--config", file, "--interface", "static:192.0.2.1", "--drain", "none", "--", "/bin/sleep", "1", consul=consul)
    assert done.code == 0, done.err
    assert "wrong" not in done.err and json.loads(text)


def test_the_examples_of_commands(run):
    """Each flag of a command line that is shown is one of the command's."""
    source = (ROOT / "docs/man/dnsbuddy.1.in").read_text()
    lines = re.findall(r"^\$ dnsbuddy (\w+)((?:.*\\e\n)*.*)$", source, re.M)
    assert len(lines) >= 5
    for name, rest in lines:
        command = next(c for c in COMMANDS if c.name == name)
        known = {f"--{s.flag}" for s in command.settings(SETTINGS) if s.flag} | {o.flag for o in command.options}
        assert set(re.findall(r"(?<=\s)--[a-z][a-z-]*", rest)) <= known, rest


# -- make

def test_make_install(tmp_path):
    """All of it, with the binary that is there."""
    build = os.path.dirname(binary())
    if not os.access(os.path.join(build, "release", "dnsbuddy"), os.R_OK):
        pytest.skip("the binary lies in no folder of make's")
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")} | {"BUILD": build}
    where = tmp_path / "root"
    subprocess.run(["make", "-o", f"{build}/dnsbuddy", "install", f"DESTDIR={where}", "PREFIX=/usr"], cwd=ROOT, env=env, check=True,
                   stdout=subprocess.DEVNULL, timeout=120)
    files = {str(p.relative_to(where)) for p in where.rglob("*") if p.is_file()}
    assert files == {"usr/bin/dnsbuddy", "usr/share/man/man1/dnsbuddy.1", "usr/share/man/man5/dnsbuddy.json.5",
                     "usr/share/bash-completion/completions/dnsbuddy", "usr/share/zsh/site-functions/_dnsbuddy",
                     "usr/share/fish/vendor_completions.d/dnsbuddy.fish"}


def test_man_shows_them(manual, tmp_path):
    """As man(1) finds them: by their names and sections."""
    man = shutil.which("mman") or shutil.which("man")
    for name in PAGES:
        folder = tmp_path / "man" / f"man{name[-1]}"
        folder.mkdir(parents=True)
        shutil.copy(manual / "man" / name, folder)
    for section_, topic in (("1", "dnsbuddy"), ("5", "dnsbuddy.json")):
        out = subprocess.run([man, "-M", tmp_path / "man", section_, topic], env={"PATH": "/usr/bin:/bin", "PAGER": "cat", "MANPAGER": "cat"},
                             capture_output=True, text=True, check=True).stdout
        assert out.startswith(topic.upper() + f"({section_})")
