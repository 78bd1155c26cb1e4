"""The numeric #defines of the sources, and what other files pin."""

import re

from program import ROOT

DEFINE = re.compile(r"^#define ([A-Z][A-Z0-9_]*) +(\S.*?)(?: */\*.*)?$", re.M)
# Of two that depend on the processor, the one for 64 bit, which is first.
ELSE = re.compile(r"^#else\n.*?^#endif", re.M | re.S)
CAST = re.compile(r"\((?:u?int\d+_t|size_t)\)")


def read_defines():
    """Each name with its text; without those that two files give different ones."""
    found = {}
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        for name, text in DEFINE.findall(ELSE.sub("", path.read_text())):
            found.setdefault(name, set()).add(text)
    return {name: texts.pop() for name, texts in found.items() if len(texts) == 1}


DEFINES = read_defines()


def value(expression):
    """A number from one of arithmetic over these names. KeyError: none or several of a name."""
    text = CAST.sub("", expression)
    while match := re.search(r"[A-Z][A-Z0-9_]*", text):
        text = text.replace(match[0], f"({CAST.sub('', DEFINES[match[0]])})")
    assert re.fullmatch(r"[\d\s()+*/-]+", text), f"{expression} is not a number: {text}"
    return eval(text)


def version_of(recipe):
    """The version that a recipe of third_party/ fetches."""
    return re.search(r"^VERSION=(\S+)$", (ROOT / "third_party" / recipe).read_text(), re.M)[1]
