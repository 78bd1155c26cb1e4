#!/usr/bin/python3
"""From what rolling.py wrote: a plot (gnuplot) and a page with the figures."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

BUCKET_SEC = 2  # requests of so long make one piece of a line

PLOT = """set terminal svg size 1200,{height} dynamic font "sans,13" background "white"
set output "{folder}/rolling.svg"
set multiplot
set xrange [0:{end}]
set lmargin at screen 0.11
set rmargin at screen 0.985
set xtics 60 format ""
set grid xtics lc rgb "#dddddd" lt 1
set key at screen 0.985, 0.975 right horizontal
{marks}
set tmargin at screen 0.93
set bmargin at screen 0.70
set ylabel "requests/s"
set yrange [0:{rate_max}]
set ytics 20
plot "{folder}/rate.tsv" using 1:2 with lines lw 1.5 lc rgb "#2a7f3f" title "answered with 200", \\
     "{folder}/rate.tsv" using 1:($3 > 0 ? $3 : 1/0) with impulses lw 2 lc rgb "#d02020" title "failed"
unset label
set key at screen 0.985, 0.655 right horizontal
set tmargin at screen 0.61
set bmargin at screen 0.12
set ylabel ""
set xlabel "minutes"
{minutes}
set yrange [{rows}.5:0.5]
set ytics ({ytics}) font "sans,11"
plot "{folder}/dns.tsv" using 1:3:($2-$1):(0) with vectors nohead lw 9 lc rgb "#a8c8ee" title "in DNS (the zone's own server)", \\
     "{folder}/served.tsv" using 1:3:($2-$1):(0) with vectors nohead lw 2 lc rgb "#2a7f3f" title "requests answered", \\
     "{folder}/failed.tsv" using 1:2 with points pt 2 ps 0.5 lc rgb "#d02020" title "requests failed"
unset multiplot
"""


def read(folder):
    timeline = json.loads((folder / "timeline.json").read_text())
    requests = []
    for line in (folder / "requests.tsv").read_text().splitlines():
        began, took_ms, address, result, _ = line.split("\t")
        requests.append((float(began), float(took_ms), address, result))
    return timeline, sorted(requests)


def in_dns(answers, end):
    """[(address, from, until)] of the zone's own server."""
    since, found = {}, []
    for when, answer in [*answers, [end, []]]:
        for address in [a for a in since if a not in answer]:
            found.append((address, since.pop(address), when))
        for address in answer:
            since.setdefault(address, when)
    return found


def pieces(requests):
    """[(address, from, until)] in which one answered, with no gap of more than a bucket."""
    open_, found = {}, []
    for began, _, address, result in requests:
        if result != "ok":
            continue
        if address in open_ and began - open_[address][1] > BUCKET_SEC:
            found.append((address, *open_.pop(address)))
        open_.setdefault(address, [began, began])[1] = began
    return found + [(address, *span) for address, span in open_.items()]


def write(path, rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows) or "-1\t-1\t-1\t-1\n")


def make(folder):
    timeline, requests = read(folder)
    if not requests:
        return
    start, end = requests[0][0], requests[-1][0]
    bars = in_dns(timeline["answers"], end)
    rows = {}
    for address, _, until in sorted(bars, key=lambda b: b[1]):
        if until > start:
            rows.setdefault(address, len(rows) + 1)
    for request in requests:
        if request[2] != "-":
            rows.setdefault(request[2], len(rows) + 1)
    ok, bad = (Counter(int(r[0] - start) for r in requests if (r[3] == "ok") == good)
               for good in (True, False))
    seconds = int(end - start)
    write(folder / "rate.tsv", [(s, ok[s], bad[s]) for s in range(seconds)])
    write(folder / "dns.tsv", [(round(max(0, b - start), 1), round(e - start, 1), rows[a])
                               for a, b, e in bars if e > start])
    write(folder / "served.tsv", [(round(b - start, 1), round(e - start, 1), rows[a])
                                  for a, b, e in pieces(requests)])
    write(folder / "failed.tsv", sorted({(int(r[0] - start), rows.get(r[2], 0.6))
                                         for r in requests if r[3] != "ok"}))
    (folder / "plot.gp").write_text(PLOT.format(
        folder=folder, height=360 + 20 * len(rows), end=seconds, rows=len(rows),
        rate_max=max(max(ok.values(), default=1), max(bad.values(), default=1)) * 1.5,
        marks=marks(timeline["events"], start),
        minutes='set xtics (' + ", ".join(f'"{s // 60}" {s}' for s in range(0, seconds, 60)) + ')',
        ytics=", ".join(f'"{a}" {n}' for a, n in rows.items())))
    subprocess.run(["gnuplot", folder / "plot.gp"], check=True, timeout=60)
    (folder / "report.md").write_text(page(timeline, start))


def marks(events, start):
    """A line for each phase with its name, and a dashed one for each trouble with its letter."""
    lines, letter, high = [], "A", True
    for when, kind, text in events:
        at = when - start
        if at < 0 or kind not in ("phase", "trouble"):
            continue
        if kind == "phase":
            name, colour, dash, height = text, "#606060", 1, 0.93 if high else 0.81
            high = not high
        else:
            name, colour, dash, height = letter, "#c07000", 2, 0.70
            letter = chr(ord(letter) + 1)
        lines.append(f'set arrow from {at:.1f}, graph 0 to {at:.1f}, graph 1 nohead'
                     f' lc rgb "{colour}" dt {dash}')
        lines.append(f'set label "{name}" at {at + 3:.1f}, graph {height} front'
                     f' font "sans,11" tc rgb "{colour}"')
    return "\n".join(lines)


def page(timeline, start):
    figures, letter, troubles = timeline["figures"], "A", []
    for when, kind, text in timeline["events"]:
        if kind == "trouble" and when > start:
            minutes, seconds = divmod(int(when - start), 60)
            troubles.append(f"| {letter} | {minutes}:{seconds:02} | {text} |")
            letter = chr(ord(letter) + 1)
    rows = "\n".join(f"| {name} | {value} |" for name, value in figures.items())
    return PAGE.format(rows=rows, troubles="\n".join(troubles))


PAGE = """# Deploys under load

`make test-rolling` runs the example (`examples/docker-compose-standin.yml`) in a Docker engine of its own, with three nginx behind
`www.example.com`, TTL 30 s. Clients ask a resolver with a cache (unbound) for each request, open a new connection to the first address of its
answer, and neither repeat anything nor try a second address. `examples/roll.sh` replaces all three, one after another, twice; in the
second roll something fails in the middle of each replacement. Then come a version that never gets healthy, a container that is killed with -9,
and `docker stop`: of three at once, which drain (`DNSBUDDY_DRAIN`), and of three that do not, one after another, each when its successor was in DNS
already.

![requests, failures, and what DNS answers](rolling.svg)

| what | value |
| --- | --- |
{rows}

| mark | minute | what was done |
| --- | --- | --- |
{troubles}
"""


def publish(folder, docs):
    for name, source in (("rolling.svg", "rolling.svg"), ("rolling.md", "report.md")):
        (docs / name).write_bytes((folder / source).read_bytes())


if __name__ == "__main__":
    make(Path(sys.argv[1]))
