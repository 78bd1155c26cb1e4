"""The numeric #defines of the program's headers, and what other files pin."""

import re

from program import ROOT

DEFINE = re.compile(r"^#define ([A-Z][A-Z0-9_]*) +(\S.*?)(?: */\*.*)?$", re.M)
CAST = re.compile(r"\((?:u?int\d+_t|size_t)\)")


def read_defines():
    """Each name with its text; a name that two headers give different texts is an error."""
    found = {}
    for path in sorted((ROOT / "src").rglob("*.h")):
        for name, text in DEFINE.findall(path.read_text()):
            assert found.setdefault(name, text) == text, f"{name} is defined twice"
    return found


DEFINES = read_defines()


def value(expression):
    """A number from one of arithmetic over these names. KeyError: no such name."""
    text = CAST.sub("", expression)
    while match := re.search(r"[A-Z][A-Z0-9_]*", text):
        text = text.replace(match[0], f"({CAST.sub('', DEFINES[match[0]])})")
    assert re.fullmatch(r"[\d\s()+*/-]+", text), f"{expression} is not a number: {text}"
    return eval(text)


def version_of(recipe):
    """The version that a recipe of third_party/ fetches."""
    return re.search(r"^VERSION=(\S+)$", (ROOT / "third_party" / recipe).read_text(), re.M)[1]
