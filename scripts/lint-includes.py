#!/usr/bin/python3
"""lint-includes.py SRC: who may include whom.

A folder includes itself and what lies under it in the chart; nothing includes upwards or its
neighbour.
"""
import os
import re
import sys

# What lies directly under each folder; what lies under that is known too.
UNDER = {
    "main": ["command"],
    "command": ["watch", "run"],
    "watch": ["engine", "config", "pages"],
    "run": ["engine", "config", "pages"],
    "engine": ["consul", "cloudflare"],
    "config": ["consul", "cloudflare"],
    "pages": ["core"],
    "consul": ["core", "net/http"],
    "cloudflare": ["core", "net/http"],
    "core": ["base"],
    "net/http": ["net/tls", "net/dns"],
    "net/tls": ["net"],
    "net/dns": ["net"],
    "net": ["base"],
    "base": [],
}

# Of core, the API clients know the types only: no policy. What Consul's answer says of itself is a
# type too (the facts in evidence.h), and so is one change (op.h); to assess and to plan is not theirs.
TYPES = {"core/instance.h", "core/endpoint.h", "core/record.h", "core/name.h", "core/job.h"}
ONLY = {
    ("consul", "core"): TYPES | {"core/evidence.h"},
    ("cloudflare", "core"): TYPES | {"core/op.h", "core/pace.h"},
}

# Third-party headers stay behind one module each.
THIRD_PARTY = {
    r"bearssl.*\.h|trust_anchors\.h": r"net/tls/.*",
    r"jsmn\.h": r"base/json.*\.c",
}

# A tenth of the program each, were they linked.
NOWHERE = {
    "stdio.h": "stdio is not used here: base/fmt.h, base/out.h, base/log.h",
    "netdb.h": "the C library's resolver is not used here: net/dns/resolve.h",
}

# core decides, it does no I/O.
NO_IO = {"unistd.h", "fcntl.h", "poll.h", "sys/socket.h", "sys/stat.h", "signal.h"}

# Made by the build.
GENERATED = {"version.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def below(folder):
    """The folders that `folder` may include: itself and all that lies under it."""
    if folder not in UNDER:
        return None
    return {folder}.union(*(below(name) for name in UNDER[folder]))


def folder_of(path):
    """The folder in the chart that a path under src/ lies in."""
    return os.path.dirname(path) or "main"


def complaint(path, folder, bracket, header):
    """What is wrong with `path` including `header`, or None."""
    for pattern, allowed in THIRD_PARTY.items():
        if re.fullmatch(pattern, header):
            return None if re.fullmatch(allowed, path) else f"only {allowed} may include {header}"
    if header in NOWHERE:
        return NOWHERE[header]
    if bracket == "<":
        return "core does no I/O" if folder == "core" and header in NO_IO else None
    if header in GENERATED:
        return None
    if "/" not in header:
        return f'write the folder too: "{folder}/{header}"'
    target = folder_of(header)
    if target not in below(folder):
        return f"{folder} may not know {target}"
    only = ONLY.get((folder, target))
    if only and header not in only:
        return f"of {target}, {folder} may include {', '.join(sorted(only))} only"
    return None


def main(root):
    wrong = 0
    for parent, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            if not name.endswith((".c", ".h")):
                continue
            full = os.path.join(parent, name)
            path = os.path.relpath(full, root)
            folder = folder_of(path)
            if below(folder) is None:
                print(f"{full}: the folder {folder} is not in the chart (scripts/lint-includes.py)")
                wrong += 1
                continue
            with open(full, encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):
                    match = INCLUDE.match(line)
                    text = match and complaint(path, folder, match[1], match[2])
                    if text:
                        print(f"{full}:{number}: {text}")
                        wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
