#!/usr/bin/python3
"""make.py BUILD: writes BUILD/man/ and BUILD/completions/. make.py --readme: README.md's table of settings."""

import sys
from pathlib import Path

from completions import bash, fish, zsh
from pages import page, with_table
from tables import ROOT

PAGES = ["dnsbuddy.1", "dnsbuddy.json.5"]
COMPLETIONS = {"dnsbuddy.bash": bash, "_dnsbuddy": zsh, "dnsbuddy.fish": fish}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def main(argument):
    if argument == "--readme":
        readme = ROOT / "README.md"
        readme.write_text(with_table(readme.read_text()))
        return
    version = (ROOT / "VERSION").read_text().strip()
    for name in PAGES:
        write(Path(argument) / "man" / name, page(name, version))
    for name, make in COMPLETIONS.items():
        write(Path(argument) / "completions" / name, make())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
