"""Reads README.md and its pages in docs/: fenced blocks with the comment before each, and tables. See README.md."""

import re
from dataclasses import dataclass, field


# What was too long for README.md stands in the others.
PAGES = ["README.md", "docs/run.md", "docs/watch.md", "docs/discover.md", "docs/limits.md"]


@dataclass
class Block:
    line: int  # of the opening fence
    language: str
    text: str
    mark: str | None  # inside of the comment; None: there is none
    output: "Block | None" = field(default=None, repr=False)

    @property
    def word(self):
        return re.split(r"[ :]", self.mark)[0] if self.mark else None

    @property
    def exit_code(self):
        match = re.fullmatch(r"run(?: exit=(\d+))?", self.mark)
        assert match, f"line {self.line}: <!-- {self.mark} --> is not understood"
        return int(match[1] or 0)

    @property
    def reason(self):
        return self.mark.partition(":")[2].strip()


def read_blocks(text):
    """Every fenced block, in order; an `output` block hangs on the `run` block before it, too."""
    blocks, mark, fence = [], None, None
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            if line.strip() == fence:
                fence = None
            else:
                blocks[-1].text += line + "\n"
        elif match := re.match(r"\s*(```+|~~~+)\s*(\w*)", line):
            fence = match[1]
            blocks.append(Block(number, match[2], "", mark))
            mark = None
        elif match := re.fullmatch(r"<!--\s*(.*?)\s*-->", line.strip()):
            mark = match[1]
        elif line.strip():
            mark = None
    for before, block in zip(blocks, blocks[1:]):
        if block.word == "output":
            before.output = block
    return blocks


def read_table(text, heading):
    """The rows (lists of cells) of the table whose first heading is this; None: no such table."""
    rows = None
    for line in text.splitlines():
        if not line.startswith("|"):
            if rows is not None:
                return rows
            continue
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if rows is not None:
            rows.append(cells)
        elif cells[0].lower() == heading:
            rows = []
    return rows


def quoted(cells):
    """What stands in back quotes."""
    return set(re.findall(r"`([^`]+)`", " ".join(cells)))


def key_of(cells):
    """(flag, first variable) of a row of settings: commands may mean different things by one flag."""
    return tuple((re.findall(r"`([^`]+)`", cell) or [None])[0] for cell in cells[:2])


def output_fits(got, want):
    """White space aside; a line `...` stands for any lines."""
    parts = [" ".join(p.split()) for p in re.split(r"(?m)^\s*\.\.\.\s*$", want)]
    pattern = r".*".join(re.escape(p) for p in parts)
    return re.fullmatch(pattern, " ".join(got.split()), re.DOTALL) is not None
