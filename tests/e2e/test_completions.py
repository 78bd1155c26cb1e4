"""Completions, in each shell that they are for: all that the tables have, and nothing else."""

import pytest
from shells import SHELLS
from tables import COMMANDS, SETTINGS

TAKING = [c for c in COMMANDS if c.groups]


@pytest.fixture(scope="module", params=SHELLS)
def shell(request, manual, tmp_path_factory):
    home = tmp_path_factory.mktemp(request.param)
    (home / "roots.pem").touch()
    (home / "of blanks.json").touch()
    programs = home / "bin"
    programs.mkdir()
    (programs / "frobnicate").write_text("#!/bin/sh\n")
    (programs / "frobnicate").chmod(0o755)
    env = {"HOME": str(home), "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        it = SHELLS[request.param](manual / "completions", env)
    it.home, it.name = home, request.param
    yield it
    it.stop()


def flags(words):
    return {w.split("=")[0] for w in words if w.startswith("--")}


def test_commands(shell):
    assert set(shell.complete("dnsbuddy ")) == {c.name for c in COMMANDS}
    assert shell.complete("dnsbuddy wat") == ["watch"]
    assert shell.complete("dnsbuddy frob") == []


@pytest.mark.parametrize("command", TAKING, ids=lambda c: c.name)
def test_the_flags_of_a_command(shell, command):
    want = {f"--{s.flag}" for s in command.settings(SETTINGS) if s.flag} | {o.flag for o in command.options}
    assert flags(shell.complete(f"dnsbuddy {command.name} --")) == want


def test_a_flag_is_completed_behind_others(shell):
    assert flags(shell.complete("dnsbuddy plan --ttl 60 nginx --js")) == {"--json"}
    assert flags(shell.complete("dnsbuddy sync --js")) == set()
    assert flags(shell.complete("dnsbuddy watch --discover --own")) == {"--owner"}
    assert flags(shell.complete("dnsbuddy version --")) == set()


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.flag and s.values and not s.is_switch], ids=lambda s: s.flag)
def test_values(shell, setting):
    command = next(c for c in TAKING if setting in c.settings(SETTINGS))
    assert set(shell.complete(f"dnsbuddy {command.name} --{setting.flag} ")) == set(setting.values)


@pytest.mark.parametrize("line, values", [
    ("sync --on-empty ", ["keep", "remove", "fallback="]), ("run --drain ", ["none", "dns:", "api:"]), ("watch --proxied ", ["true", "false"]),
    ("plan --log-level ", ["debug", "info", "warn", "error"]), ("drain --log-format ", ["text", "logfmt", "json"]),
    ("run --check ", ["http://", "https://", "unix:///", "tcp://", "exec:"])])
def test_values_as_people_know_them(shell, line, values):
    assert set(shell.complete(f"dnsbuddy {line}")) == set(values)


def bare(words):
    """Fish repeats the flag."""
    return {w.rpartition("=")[2] if w.startswith("--") else w for w in words}


def test_a_value_behind_an_equals_sign(shell):
    assert bare(shell.complete("dnsbuddy sync --on-empty=re")) == {"remove"}
    assert bare(shell.complete("dnsbuddy watch --metrics-names=")) == {"true", "false"}
    assert bare(shell.complete("dnsbuddy watch --log-level=w")) == {"warn"}


def test_an_equals_sign_in_a_value(shell):
    for line in ("sync --on-empty fallback=", "sync --on-empty=fallback=", "run --meta version=", "run --meta version=7"):
        assert not flags(shell.complete(f"dnsbuddy {line}")) - {"--on-empty"}, line  # fish repeats it


def test_several_values(shell):
    got = {w.rpartition(",")[2] for w in shell.complete("dnsbuddy sync --address node,w")}
    assert got == {"wan"}


def test_files(shell):
    for line in ("plan --config ro", "run --ca-file ro", "plan --config=ro"):
        assert bare(shell.complete(f"dnsbuddy {line}")) == {"roots.pem"}, line
    got = shell.complete("dnsbuddy plan --config of")
    assert [w.replace("\\", "") for w in got] == ["of blanks.json"]


def test_nothing_is_offered_for_what_nobody_knows(shell):
    for line in ("sync --service ", "sync --ttl ", "run --ttl ", "drain --id ro", "watch --listen ro"):
        assert shell.complete(f"dnsbuddy {line}") == [], line


def test_programs(shell):
    assert bare(shell.complete("dnsbuddy run --pre-start frob")) == {"frobnicate"}
    assert bare(shell.complete("dnsbuddy run --port 80 -- frob")) == {"frobnicate"}
    assert "frobnicate" not in shell.complete("dnsbuddy sync -- frob")


def test_the_files_of_an_application(shell):
    assert bare(shell.complete("dnsbuddy run -- frobnicate ro")) == {"roots.pem"}
    assert not flags(shell.complete("dnsbuddy run -- frobnicate --dra"))


def test_topics_of_help(shell):
    assert set(shell.complete("dnsbuddy help ")) == {c.name for c in COMMANDS} | {"settings"}
    assert shell.complete("dnsbuddy help watch w") == []
