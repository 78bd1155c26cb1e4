"""The manual pages, from docs/man/*.in and the tables; and README.md's table of settings."""

import re

from tables import COMMANDS, ROOT, SETTINGS, constant, read_foreign_keys

README_BEGIN = "<!-- settings: made by `make readme` from src/core/job.def and src/config/program.def -->"
README_END = "<!-- end of settings -->"
WIDTH = 80  # bytes of a line of text in a page's source


# ---- README.md ----

def quote(text):
    return text if text.isdigit() else f"`{text}`"


def users(setting):
    """Which commands use it, where that is worth telling."""
    return "" if setting.is_everyones else ", ".join(f"`{c.name}`" for c in commands_of(setting)) + ": "


def commands_of(setting):
    return [c for c in COMMANDS if setting in c.settings(SETTINGS)]


def readme_row(s):
    names = ", ".join(f"`{n}`" for n in s.env) + (f", else `{s.fallback}`" if s.fallback else "")
    default = s.default or (quote(s.initial) if s.initial else "")
    meaning = ("secret; " if s.is_secret else "") + users(s) + s.meaning
    cells = [f"`--{s.flag}`" if s.flag else "", names, default, meaning]
    return "|" + "|".join(f" {c} " if c else " " for c in cells) + "|"


def readme_table():
    return "\n".join(["| flag | environment | default | |", "| --- | --- | --- | --- |"] + [readme_row(s) for s in SETTINGS]) + "\n"


def with_table(text):
    """README.md with the table as it has to be."""
    before, begin, rest = text.partition(README_BEGIN + "\n")
    _, end, after = rest.partition(README_END)
    assert begin and end, f"README.md: no table between {README_BEGIN} and {README_END}"
    return f"{before}{begin}\n{readme_table()}\n{end}{after}"


# ---- mdoc ----

def escape(text):
    """A text as a part of a line of mdoc."""
    return text.replace("\\", "\\e")


def typed(text):
    """What one types: bold, with a hyphen that can be copied."""
    text = escape(text).replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    return f"\\fB{text}\\fR"


def unbroken(line):
    """No word that one types is hyphenated."""
    return re.sub(r"(?<!\S)(\S*\\fB)", r"\\%\1", line)


def prose(text):
    """Lines of mdoc of a text in which `x` is what one types; a new sentence begins a line."""
    text = text[0].upper() + text[1:] if text[0].islower() else text
    text += "" if text.endswith((".", ":")) else "."
    pieces = re.split(r"`([^`]+)`", text)
    whole = "".join(typed(p) if i % 2 else escape(p) for i, p in enumerate(pieces))
    lines = re.split(r"(?<=[a-z0-9)RS]\.) (?=[A-Z\\])", whole)
    return [unbroken("\\&" + line if line[0] in ".'" else line) for line in lines]


def argument(setting):
    """What stands behind its flag."""
    if setting.takes.startswith("[="):
        return f" Ns Oo = Ns Ar {setting.takes[2:-1]} Oc"
    return f" Ar {setting.takes}" if setting.takes else ""


def listed(macro, names):
    return f".{macro} " + " , ".join(names)


def span(s):
    if not s.span:
        return ""
    least, most = s.span
    return f"{least} to {most}"


def default_of(s):
    if s.default == "required":
        return ["Required, unless entries of", ".Ic records", "or", ".Fl Fl discover", "say it; not by", ".Cm drain ."]
    if s.default:
        return [f"Default: {escape(s.default)}."]
    return [unbroken(f"Default: {typed(s.initial)}.")] if s.initial else []


def setting_item(s):
    """Of the list of all settings."""
    out = [f".It Fl Fl {s.flag}{argument(s)}" if s.flag else listed("It Ev", s.env)]
    out += prose(s.meaning)
    if s.span:
        out.append(f"From {span(s)}.")
    out += default_of(s)
    if s.is_secret:
        out.append(unbroken("A secret; with " + ", ".join(typed(n + "_FILE") for n in s.env) + " the file that holds it."))
    if s.flag:
        out += ["Environment:", listed("Ev", s.env) + (" ," if s.fallback else " .")]
    if s.fallback:
        out += ["else", f".Ev {s.fallback} ."]
    if not s.is_everyones:
        out += ["Used by", listed("Cm", [c.name for c in commands_of(s)]) + " ."]
    return out


def settings_list():
    out = [".Bl -tag -width Ds"]
    for s in SETTINGS:
        out += setting_item(s)
    return out + [".El"]


def uses_list(name):
    """What a command takes: its own options, and the flags of the settings that it uses."""
    command = next(c for c in COMMANDS if c.name == name)
    options = [o for o in command.options if o.id != "HELP"]
    out = []
    if options:
        out = [".Pp", "Options:", ".Bl -tag -width Ds -offset indent -compact"]
        for option in options:
            out += [f".It Fl Fl {option.flag.lstrip('-')}", *prose(option.doc)]
        out += [".El"]
    flags = [f"Fl Fl {s.flag}" for s in command.settings(SETTINGS) if s.flag]
    return out + [".Pp", "Settings:"] + [f".{f} ," for f in flags[:-1]] + [f".{flags[-1]} ."]


# ---- dnsbuddy.json(5) ----

def type_of(s):
    if s.key == "meta":
        return "A text, or an object of texts"
    if "is_words" in s.traits:
        return "A text, or a list of texts"
    if s.is_boolean:
        return "true or false"
    if s.is_switch:
        return "true, false or a text"
    if s.span or s.key in ("ttl", "app_port"):
        return "A number" + (f", {span(s)}" if s.span else "")
    return "A text"


def key_item(s):
    meaning = re.sub(r"; (also the \w+ argument|the last variable .*)", "", s.meaning)
    out = [f".It Ic {s.key}", f"{type_of(s)}.", *prose(meaning)]
    out += default_of(s)
    if s.flag and s.flag.replace("-", "_") != s.key:
        out += ["To", listed("Cm", [c.name for c in commands_of(s)]), f"also as {typed(s.flag)}."]
    elif not s.is_everyones:
        out += ["Used by", listed("Cm", [c.name for c in commands_of(s)]) + " ."]
    if s.takes_restart:
        out.append("Only a restart changes it.")
    return out


def keys_list(is_of_record):
    out = [".Bl -tag -width Ds"]
    for s in SETTINGS:
        if s.key and s.is_of_record == is_of_record:
            out += key_item(s)
    return out + [".El"]


FOREIGN = {"TOP": "the whole", "CONSUL": "Ic consul", "LOGGING": "Ic logging", "SERVICE": "each of Ic services",
           "OF_CONSUL": "Ic consul No of a service", "BACKEND": "each of Ic backends"}


def foreign_list():
    keys, refused = read_foreign_keys()
    out = [".Bl -tag -width Ds"]
    for where, of in keys.items():
        out += [f".It Of {FOREIGN[where]}", listed("Ic", [k for k, _ in of]) + " ."]
    return out + [".It Refused", listed("Ic", list(refused)) + " .", ".El"]


# ---- both ----

def tags():
    """The settings that a tag of a service may say, besides the name itself."""
    return [listed("Cm", [s.key.replace("_", "-") for s in SETTINGS if "is_tag" in s.traits and s.key != "record"]) + " ."]


def wrapped(line):
    """A line of text as lines of WIDTH bytes; none ends where a sentence seems to end, but does not."""
    out = []
    for word in line.split(" "):
        longer = f"{out[-1]} {word}" if out else word
        if out and (len(longer.encode()) <= WIDTH or re.search(r"[.!?][])\"']*(\\fR)?$", out[-1])):
            out[-1] = longer
        else:
            out.append("\\&" + word if out and word[0] in ".'" else word)
    return out


def folded(lines):
    """What is neither a macro nor to be shown as it is, wrapped."""
    out, is_literal = [], False
    for line in lines:
        is_literal = line.startswith(".Bd -literal") or is_literal and line != ".Ed"
        out += [line] if is_literal or line.startswith(".") else wrapped(line)
    return out


def fill(template, version):
    """A page of its skeleton: a line @settings@ and the like is a list, @NAME@ in a line a number of the sources."""
    parts = {"settings": settings_list, "keys record": lambda: keys_list(True), "keys program": lambda: keys_list(False),
             "foreign keys": foreign_list, "tags": tags} | {f"uses {c.name}": (lambda n=c.name: uses_list(n)) for c in COMMANDS if c.groups}
    out = []
    for line in template.splitlines():
        whole = re.fullmatch(r"@([a-z ]+)@", line)
        if whole:
            out += parts[whole[1]]()
        else:
            line = line.replace("@version@", version)
            out.append(re.sub(r"@([A-Z_]+)@", lambda m: str(constant(m[1])), line))
    return "\n".join(folded(out)) + "\n"


def page(name, version):
    return fill((ROOT / "docs/man" / f"{name}.in").read_text(), version)
