#!/usr/bin/env python3
"""The simulated world has to bite: each bug of bugs/*.patch is built into a copy, and has to be found.

A patch changes files of src/; its first line says what is wrong then, a line "Breaks:" what must
hold and does not. The copies lie in build/sim/bugs/NAME: only what a patch changes is compiled
there, the rest is linked from build/sim. Run by `make sim-bugs`, which says how in the environment:
SIM_COMPILE, SIM_LINK, SIM_OBJECTS, BUILD.

  bugs.py [--days N] [--jobs N] [--table FILE] [NAME...]
"""

import argparse
import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PATCHES = os.path.join(HERE, "bugs")
BEGIN, END = "<!-- bugs: made by make sim-bugs -->", "<!-- bugs: end -->"

DAYS = 1000  # simulated, within which each has to be found
RUN_SECONDS = 600


class Bug:
    """A patch: what it says of itself, and what it changes."""

    def __init__(self, name):
        self.name = name
        self.path = os.path.join(PATCHES, name + ".patch")
        with open(self.path, encoding="utf-8") as f:
            text = f.read()
        self.title = text.split("\n", 1)[0]
        breaks = re.search(r"^Breaks: (.*)$", text, re.M)
        self.breaks = breaks.group(1) if breaks else ""
        self.files = re.findall(r"^--- a/(\S+)", text, re.M)
        if not self.title or not self.breaks or not self.files:
            raise SystemExit(f"{self.path}: no first line, no Breaks:, or no file of src/")
        if any(not f.startswith("src/") or not f.endswith(".c") for f in self.files):
            raise SystemExit(f"{self.path}: changes what is no C file of src/")


def names():
    """All bugs there are."""
    return sorted(f[: -len(".patch")] for f in os.listdir(PATCHES) if f.endswith(".patch"))


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)


def build(bug, build_dir):
    """Build the world with this bug in it. Returns the program, or raises RuntimeError."""
    folder = os.path.join(build_dir, "sim", "bugs", bug.name)
    shutil.rmtree(folder, ignore_errors=True)
    for f in bug.files:
        os.makedirs(os.path.dirname(os.path.join(folder, f)), exist_ok=True)
        shutil.copy(os.path.join(ROOT, f), os.path.join(folder, f))
    done = run(["patch", "-p1", "--batch", "--fuzz=3", "--no-backup-if-mismatch", "-d", folder, "-i", bug.path])
    if done.returncode:
        raise RuntimeError("the patch does not apply:\n" + done.stdout)
    objects = shlex.split(os.environ["SIM_OBJECTS"])
    for f in bug.files:
        new = os.path.join(folder, f[:-2] + ".o")
        done = run(shlex.split(os.environ["SIM_COMPILE"]) + ["-w", "-c", "-o", new, os.path.join(folder, f)])
        if done.returncode:
            raise RuntimeError("it does not compile:\n" + done.stdout)
        old = [o for o in objects if o.endswith("/obj/" + f[:-2] + ".o")]
        if len(old) != 1:
            raise RuntimeError(f"no object of {f} among those of the world")
        objects[objects.index(old[0])] = new
    program = os.path.join(folder, "sim")
    done = run(shlex.split(os.environ["SIM_LINK"]) + ["-o", program] + objects)
    if done.returncode:
        raise RuntimeError("it does not link:\n" + done.stdout)
    return program


def find(bug, build_dir, days):
    """Build, run, and see how it was found: a row of the table, or None and what was said."""
    try:
        program = build(bug, build_dir)
        began = time.monotonic()
        done = run([program, "--days", str(days), "--no-shrink"], timeout=RUN_SECONDS)
    except RuntimeError as e:
        return None, str(e)
    except subprocess.TimeoutExpired:
        return None, f"not found in {RUN_SECONDS} s"
    took = time.monotonic() - began
    said = re.search(r"^FAIL seed=(\d+) invariant=(\S+) steps=(\d+) time=\S+: (.*)$", done.stdout, re.M)
    if not said:
        how = "it ended otherwise:\n" + done.stdout[-2000:] if done.returncode else f"not found in {days} days"
        return None, how
    return {
        "name": bug.name,
        "title": bug.title,
        "breaks": bug.breaks,
        "told": said.group(2),
        "seed": int(said.group(1)),
        "steps": int(said.group(3)),
        "how": said.group(4),
        "seconds": took,
    }, ""


def table(rows, days):
    lines = [
        "| patch | what is wrong | breaks | told by | found on day | after calls |",
        "| --- | --- | --- | --- | ---: | ---: |",
    ]
    for r in rows:
        lines.append(
            f"| `{r['name']}` | {r['title']} | {r['breaks']} | {r['told']} | {r['seed']} | {r['steps']} |"
        )
    lines.append("")
    lines.append(f"Each has to be found within {days:,} days.")
    return "\n".join(lines)


def write_table(path, rows, days):
    """Put the table between its marks."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{path}: no place for the table")
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{head}{BEGIN}\n{table(rows, days)}\n{END}{tail}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=DAYS, help="within which each has to be found")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", metavar="FILE", help="write the table there, between its marks")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    build_dir = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
    bugs = [Bug(n) for n in args.names or names()]
    rows, failed = [], 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        under_way = {pool.submit(find, b, build_dir, args.days): b for b in bugs}
        for done in concurrent.futures.as_completed(under_way):
            bug = under_way[done]
            row, why = done.result()
            if row:
                rows.append(row)
                print(f"{bug.name}: {row['told']} at seed {row['seed']}, after {row['steps']} calls of that day,"
                      f" {row['seconds']:.1f} s: {row['how']}", flush=True)
            else:
                failed += 1
                print(f"{bug.name}: {why}", flush=True)
    rows.sort(key=lambda r: r["name"])
    print(f"{len(rows)} of {len(bugs)} bugs found")
    if args.table and not failed:
        write_table(args.table, rows, args.days)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
