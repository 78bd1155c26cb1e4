#!/usr/bin/python3
"""lint-style.py: the house limits that no compiler knows. Reads the tree's file names from stdin.

C sources: lines of 100 columns at most (a tab is 8 wide; a row of a test's table stays one line, so
132 there), files of one subject, 700 lines at most, in src no function that writes without a bound.
Every text file: no trailing white space, a newline at the end.
"""
import re
import sys

COLUMNS = 100
TEST_COLUMNS = 132
TAB = 8
LINES = 700
BANNED = re.compile(r"\b(strcpy|strcat|stpcpy|sprintf|vsprintf|gets|alloca|strtok|atoi|atol|mktemp|tmpnam)\s*\(")
# No heap of ours. free() too: a pointer to free would come from somewhere.
HEAP = re.compile(r"\b(malloc|calloc|realloc|strdup|strndup|asprintf|vasprintf|free)\s*\(")
TEXT = (".c", ".h", ".def", ".py", ".sh", ".md", ".mk", ".awk", ".json", ".yml", ".yaml", "Makefile", "VERSION")


def without_comments_and_strings(text):
    """The same lines with comments and the insides of literals blanked, so that only code counts."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def check(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        text = f.read()
    if text and not text.endswith("\n"):
        yield len(text.splitlines()), "no newline at the end of the file"
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if line != line.rstrip() and not path.endswith(".md"):
            yield number, "white space at the end of the line"
    if not path.endswith((".c", ".h", ".def")):
        return
    if len(lines) > LINES:
        yield len(lines), f"{len(lines)} lines; a file has {LINES} at most"
    columns = COLUMNS if path.startswith("src/") else TEST_COLUMNS
    for number, line in enumerate(lines, 1):
        width = len(line.expandtabs(TAB))
        if width > columns:
            yield number, f"{width} columns; {columns} at most"
    for number, line in enumerate(without_comments_and_strings(text).splitlines(), 1):
        match = path.startswith("src/") and BANNED.search(line)
        if match:
            yield number, f"{match[1]}() is not used here"
        match = path.startswith("src/") and HEAP.search(line)
        if match:
            yield number, f"{match[1]}(): no heap of ours"


def main():
    wrong = 0
    for path in sys.stdin.read().splitlines():
        if not path.endswith(TEXT):
            continue
        for number, text in check(path):
            print(f"{path}:{number}: {text}")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
