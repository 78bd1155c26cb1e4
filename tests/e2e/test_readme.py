"""README.md of the project and its pages in docs/: what they show is run, what they list is complete. See README.md here."""

import json
import os
import re
import subprocess
from datetime import date

import jsonschema
import pytest
import readme
from program import NAME, ROOT, binary, environment, settings_of_help

TEXT = (ROOT / "README.md").read_text()
PAGES = {name: (ROOT / name).read_text() for name in readme.PAGES + ["CONTRIBUTING.md", "CHANGELOG.md"]}
BLOCKS = [(page, block) for page, text in PAGES.items() for block in readme.read_blocks(text)]
SCHEMA = json.loads((ROOT / "docs/plan.schema.json").read_text())
ENV_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")


def blocks(word):
    return [pytest.param(b, id=f"{page}:{b.line}") for page, b in BLOCKS if b.word == word]


@pytest.fixture
def surroundings(consul, cloudflare, tmp_path):
    """As README.md here promises. Returns the environment."""
    for address in ("192.0.2.1", "192.0.2.2"):
        consul.add("nginx", address)
    for address in ("192.0.2.1", "192.0.2.9"):
        cloudflare.seed(NAME, "A", address)
    programs = tmp_path / "bin"
    programs.mkdir()
    os.symlink(binary(), programs / "dnsbuddy")
    return environment(cloudflare, consul, PATH=f"{programs}:/usr/bin:/bin")


@pytest.mark.parametrize("page, block", [pytest.param(page, b, id=f"{page}:{b.line}") for page, b in BLOCKS])
def test_each_block_is_tested_or_says_why_not(page, block):
    assert block.mark, f"{page}:{block.line}: no comment before this block"
    assert block.word in ("run", "output", "handler", "config", "plan", "shown"), block.mark
    if block.word == "shown":
        assert len(block.reason) >= 10, f"{page}:{block.line}: shown, and why?"
    if block.word == "output":
        assert any(b.output is block and b.word == "run" for _, b in BLOCKS), "output of what?"


def test_something_is_run():
    assert blocks("run") and blocks("handler") and blocks("config")


@pytest.mark.parametrize("block", blocks("run"))
def test_run(block, surroundings, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    done = subprocess.run(["/bin/sh", "-eu"], input=block.text, text=True, capture_output=True,
                          env=surroundings, cwd=folder, timeout=60, check=False)
    assert done.returncode == block.exit_code, done.stdout + done.stderr
    assert "not found" not in done.stderr
    if block.output:
        assert readme.output_fits(done.stdout, block.output.text), done.stdout


@pytest.mark.parametrize("block", blocks("handler"))
def test_handler(block, run, consul, cloudflare, surroundings):
    """Run as Containerbuddy does: cut at spaces, no shell."""
    backends = json.loads(block.text)["backends"]
    assert backends
    for backend in backends:
        command = backend["onChange"]
        words = command if isinstance(command, list) else command.split(" ")
        assert words[0] == "/dnsbuddy"
        run(*words[1:], cloudflare=cloudflare, consul=consul,
            env={"SERVICE": backend["name"], "RECORD": NAME}).expect(0)
        assert cloudflare.contents(NAME) == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize("block", blocks("config"))
def test_config(block, run, consul, start_cloudflare, surroundings, tmp_path):
    """Every zone that it speaks of is there; a key of ours has an effect, or it is unknown."""
    cf = start_cloudflare(["example.com", "example.net", "example.org"])
    file = tmp_path / "dnsbuddy.json"
    file.write_text(block.text)
    done = run("plan", "--json", "--config", file, cloudflare=cf, consul=consul).expect(0)
    jsonschema.validate(done.json, SCHEMA)
    records = json.loads(block.text).get("records", [None])
    assert len(done.json["records"]) == len(records)
    assert not any("error" in r for r in done.json["records"])


def test_plans():
    for _, block in BLOCKS:
        if block.word == "plan":
            jsonschema.validate(json.loads(block.text), SCHEMA)


@pytest.fixture
def help_text(run):
    return run("help", "settings").expect(0).out


def test_the_table_of_settings_is_that_of_help():
    rows = readme.read_table(TEXT, "flag")
    assert rows, "README.md has no table that begins with | flag"
    flags, names = set(), set()
    for cells in rows:
        flags |= {q for q in readme.quoted(cells[:1]) if q.startswith("--")}
        names |= {q for q in readme.quoted(cells[1:2]) if ENV_NAME.fullmatch(q)}
    assert flags == {s.flag for s in settings_of_help() if s.flag}
    of_help = {name for s in settings_of_help() for name in s.names}
    assert of_help == names, names ^ of_help


def test_the_defaults_are_those_of_help(help_text):
    compared = 0
    for cells in readme.read_table(TEXT, "flag"):
        flag, name = readme.key_of(cells)
        match = flag and re.search(rf"^  {flag}(?: \S+|\[\S+)?   {name}\b.*\n {{6}}.*\[(.*)\]$", help_text, re.M)
        if match and match[1] != "auto":
            compared += 1
            assert re.search(rf"(?<![\w.]){re.escape(match[1])}(?![\w.])", cells[2]), f"{flag}: {match[1]} in help, {cells[2]} in README.md"
    assert compared > 25


def test_the_exit_codes_are_those_of_help(help_text):
    rows = readme.read_table(TEXT, "exit code")
    assert rows, "README.md has no table that begins with | exit code"
    codes = {int(cells[0].strip("`")) for cells in rows if cells[0].strip("`").isdigit()}
    in_help = help_text.partition("Exit codes:")[2].partition("\n\n")[0]
    assert codes == {int(c) for c in re.findall(r"(?:^|[;:])\s*(\d+) ", in_help)}


def anchors(path):
    """What a link may name after #: its headings, as forges spell them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}


MARKDOWN = [page for page in (p.relative_to(ROOT) for p in sorted(ROOT.rglob("*.md"))) if page.parts[0] != "build"]


@pytest.mark.parametrize("page", MARKDOWN, ids=str)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)#]*)#?([^)]*)\)", (ROOT / page).read_text()):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def test_the_version_is_said_the_same_everywhere():
    version = (ROOT / "VERSION").read_text().strip()
    versions = re.findall(r"^## (.*)$", PAGES["CHANGELOG.md"], re.M)
    parts = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", line) for line in versions]
    assert all(parts), versions
    assert parts[0][1] == version
    days = [date.fromisoformat(part[2]) for part in parts]
    assert days == sorted(days, reverse=True)
    assert set(re.findall(r"dnsbuddy[_-](\d[\d.]*\d)", TEXT)) == {version}


def test_what_the_latest_changes_name_is_there():
    """Flags and metrics that were added."""
    added = PAGES["CHANGELOG.md"].partition("### Added")[2].partition("###")[0]
    flags, metrics = set(re.findall(r"`(--[a-z-]+)", added)), set(re.findall(r"`dnsbuddy_(\w+)`", added))
    assert flags and flags <= {s.flag for s in settings_of_help()}
    sources = "".join(p.read_text() for p in (ROOT / "src/pages").iterdir())
    assert metrics and not [name for name in metrics if f'"{name}"' not in sources]


def test_what_contributing_names_is_there():
    """Files and commands of ours, in back quotes or in a block."""
    text = PAGES["CONTRIBUTING.md"]
    paths = re.findall(r"\b(?:scripts|src|tests|docs|third_party)/[\w./-]*\w", text.replace("src/command/NAME.c", ""))
    assert len(paths) > 20
    for path in paths:
        assert (ROOT / path).exists(), path
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M)
    for target in re.findall(r"`make ([a-z-]+)", text):
        assert target in targets, target
