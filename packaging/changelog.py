#!/usr/bin/python3
"""changelog.py: this version's part of CHANGELOG.md as a changelog in Debian's form, on stdout. SOURCE_DATE_EPOCH is its time."""
import os
import re
import textwrap
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path

import parts

HERE = Path(__file__).resolve().parent
WIDTH = 78


def section(text, version):
    """The lines of the version's section."""
    match = re.search(rf"^## \[?v?{re.escape(version)}\b.*?\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if not match:
        parts.die(f"CHANGELOG.md has no section for {version}")
    return match[1].splitlines()


def plain(text):
    """Without the marks of Markdown: a link is its text."""
    return re.sub(r"\*\*|`", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text))


def entries(lines):
    """(mark, text) of headings and items; what goes before the first of them is left out."""
    found = []
    for line in lines:
        if match := re.match(r"###+ +(.*)", line):
            found.append(("heading", match[1]))
        elif match := re.match(r"[-*] +(.*)", line):
            found.append(("item", match[1]))
        elif line.strip() and found and found[-1][0] == "item" and line.startswith(" "):
            found[-1] = ("item", f"{found[-1][1]} {line.strip()}")
    return [(mark, plain(text)) for mark, text in found]


def main():
    project = parts.project()
    control = parts.read(HERE / "debian/control")
    maintainer = re.search(r"^Maintainer: (.*)$", control, re.M)[1]
    when = format_datetime(datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc))
    out = [f"{project.name} ({project.version}) bookworm; urgency=medium", ""]
    for mark, text in entries(section(parts.read(parts.ROOT / "CHANGELOG.md"), project.version)):
        if mark == "heading":
            out += ([""] if out[-1] else []) + [f"  [ {text} ]"]
        else:
            out += textwrap.wrap(text, WIDTH, initial_indent="  * ", subsequent_indent="    ", break_long_words=False)
    out += ["", f" -- {maintainer}  {when}"]
    print("\n".join(out))


if __name__ == "__main__":
    main()
