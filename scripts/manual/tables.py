"""Reads the tables that the program is made of: settings, options and commands (*.def of src/)."""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
# Settings of these are every command's that asks an API: as in src/command/help.c.
COMMON = {"FILE", "RECORDS", "CLOUDFLARE", "CONSUL", "LOG"}
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[(){},]|[^"(){},]+')


def calls(text, name):
    """The arguments of each NAME(...) of a table: as texts, cut at the commas between them."""
    text = re.sub(r'("(?:\\.|[^"\\])*")|/\*.*?\*/', lambda m: m[1] or " ", text, flags=re.S)
    for start in re.finditer(rf"(?<![A-Z_]){name}\(", text):
        arguments, depth = [""], 0
        for token in TOKEN.finditer(text, start.end()):
            word = token[0]
            if word == ")" and not depth:
                break
            depth += (word in "({") - (word in ")}")
            if word == "," and not depth:
                arguments.append("")
            else:
                arguments[-1] += word
        yield [" ".join(a.split()) if '"' not in a else a.strip() for a in arguments]


def literal(text):
    """A C string, of several pieces maybe."""
    pieces = re.findall(r'"((?:\\.|[^"\\])*)"', text)
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), "".join(pieces))


def texts(text):
    """KEY("a") ENV("b") HELP("c" "d"): (name, text) of each."""
    for match in re.finditer(r'([A-Z]+)\(((?:\s*"(?:\\.|[^"\\])*")+)\s*\)', text):
        yield match[1], literal(match[2])


def groups_of(text):
    return {g.strip().removeprefix("GROUP_") for g in text.split("|")}


def constant(name):
    """A number that a header of src/ defines."""
    if name.isdigit():
        return int(name)
    found = {m[1] for path in SRC.rglob("*.h") for m in re.finditer(rf"^#define {name} +(\d+)\b", path.read_text(), re.M)}
    assert len(found) == 1, f"{name}: defined as {found or 'nothing'}"
    return int(found.pop())


@dataclass
class Setting:
    id: str
    groups: set
    is_of_record: bool
    takes_restart: bool
    kind: str  # TEXT, VALUE...: see job.def
    arguments: list  # of it
    traits: set
    key: str = None
    flag: str = None
    env: list = field(default_factory=list)
    fallback: str = None
    initial: str = None
    default: str = None
    takes: str = ""  # "SECONDS", "keep|remove"
    help: str = ""
    doc: str = None
    words: list = field(default_factory=list)  # VALUES

    @property
    def is_secret(self):
        return self.kind == "SECRET"

    @property
    def is_switch(self):
        return "is_switch" in self.traits

    @property
    def is_everyones(self):
        return bool(self.groups & COMMON)

    @property
    def meaning(self):
        return self.doc or self.help

    @property
    def is_boolean(self):
        return self.kind == "VALUE" and self.arguments[0] == "bool" or self.takes == "true|false"

    @property
    def values(self):
        """The words that it takes; one that goes on ends with = or : or /."""
        if self.words or self.is_boolean:
            return self.words or ["true", "false"]
        found = [re.match(r"[a-z]+[=:]?", part) for part in self.takes.split("|")]
        return [m[0] for m in found if m] if "|" in self.takes else []

    @property
    def span(self):
        """(least, most) of a number; None: it is none, or another's business."""
        if self.kind not in ("NUMBER", "SECONDS", "MEMBER") or self.arguments[-1] == "0":
            return None
        return constant(self.arguments[-2]), constant(self.arguments[-1])


@dataclass
class Option:
    id: str
    flag: str
    doc: str


@dataclass
class Command:
    name: str
    groups: set
    options: list
    called: list
    does: str
    arguments: str  # "[SERVICE [RECORD [TTL]]]"

    def settings(self, every):
        return [s for s in every if self.groups and s.groups & (self.groups | {"FILE"})]


def read_setting(arguments, is_of_record):
    id_, groups, third, kind, names, *traits = arguments
    kind, inner = re.fullmatch(r"([A-Z]+)\((.*)\)", kind, re.S).groups()
    s = Setting(id_, groups_of(groups), is_of_record, third == "RESTART", kind, [a.strip() for a in inner.split(",")],
                {t.strip().lstrip(".").split(" ")[0] for t in traits})
    for name, text in texts(names):
        if name in ("KEY", "NAME"):
            s.key = text
        if name in ("FLAG", "NAME"):
            s.flag = text.replace("_", "-")
        if name == "ENV":
            s.env.append(text)
        if name == "HELP":
            s.takes, _, s.help = text.partition(" ")
        if name == "VALUES":
            s.words = text.split()
        if name in ("FALLBACK", "INITIAL", "DEFAULT", "DOC"):
            setattr(s, name.lower(), text)
    s.env = s.env or ["DNSBUDDY_" + (s.key or s.flag).upper()]
    return s


def read_settings():
    """All, in the program's order."""
    out = [read_setting(a, True) for a in calls((SRC / "core/job.def").read_text(), "JOB_SETTING")]
    out += [read_setting(a, False) for a in calls((SRC / "config/program.def").read_text(), "SETTING")]
    return out


def read_options():
    rows = calls((SRC / "config/options.def").read_text(), "OPTION")
    return [Option(id_, literal(flag), literal(doc)) for id_, flag, doc in rows]


def read_commands():
    options = {o.id: o for o in read_options()}
    out = []
    for name, told, *members in calls((SRC / "command/commands.def").read_text(), "COMMAND"):
        said = dict(texts(told))
        of = {m[1]: m[2] for m in (re.fullmatch(r"\s*\.(\w+) = (.*)", a, re.S) for a in members)}
        names = re.findall(r"OPTION_(\w+)", of.get("options", ""))
        groups = groups_of(of["groups"]) if "groups" in of else set()
        out.append(Command(name, groups, [o for o in options.values() if o.id in names or (groups and o.id == "HELP")],
                           [literal(q) for q in re.findall(r'"[^"]*"', of.get("called", ""))],
                           said["DOES"], said["ARGUMENTS"].strip()))
    return out


def read_foreign_keys():
    """Containerbuddy's: {object: [(key, type)]}, and what is refused, as {key: why}."""
    keys, refused = {}, {}
    for _, where, key, kind, *_ in calls((SRC / "config/containerbuddy.def").read_text(), "FIELD"):
        name, _, why = key.strip('"').partition("\\0")
        if kind == "REFUSED":
            refused[name] = why
        else:
            keys.setdefault(where, []).append((name, kind))
    return keys, refused


SETTINGS = read_settings()
COMMANDS = read_commands()
