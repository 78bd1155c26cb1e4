#!/usr/bin/python3
"""run.py: measure `dnsbuddy sync` and update-dns.sh (bash, curl, jq) side by side, then `run`, `watch` and many names; `make bench` calls it.

Both do the same jobs against the same Consul and the same stand-in for Cloudflare's API, in turns (A B, B A, ...), and after
each run the records have to be what Consul lists. shim.py, watch.py and many.py measure the rest. Prints tables and writes
$BUILD/bench.json, whose fields README.md here describes.

    --quick       a quick try: the same as RUNS=1
    RUNS=10       runs of each program per case; with 1 the figures of `watch` are of fewer changes, too
    DNSBUDDY, CONSUL_BIN, BUILD   as everywhere
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import many
import shim
import watch
from scene import NAME, ROOT, TTL, Scene, addresses, cases

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
DNSBUDDY = Path(os.environ.get("DNSBUDDY", BUILD / "dnsbuddy")).resolve()
SCRIPT = HERE / "update-dns.sh"
RUNS = 1 if "--quick" in sys.argv[1:] else int(os.environ.get("RUNS", "10"))
MANY = 10_000
NOISY = 0.25  # middle half of the wall times, as a share of their median

BUDGET = {"bytes": 360_000, "ratio": 10, "writes": 2, "peak_many_kib": 3 * 1024}


def command(tool, case):
    head = [str(DNSBUDDY), "sync"] if tool == "dnsbuddy" else ["bash", str(SCRIPT)]
    return [*head, case.service, NAME, str(TTL)]


def timed(argv, env, log):
    """Run it: wall and CPU milliseconds (its own and its children's), exit code."""
    with open(log, "wb") as out, open(os.devnull, "rb") as null:
        files = [(os.POSIX_SPAWN_DUP2, null.fileno(), 0), (os.POSIX_SPAWN_DUP2, out.fileno(), 1),
                 (os.POSIX_SPAWN_DUP2, out.fileno(), 2)]
        start = time.perf_counter_ns()
        pid = os.posix_spawnp(argv[0], argv, env, file_actions=files)
        _, status, usage = os.wait4(pid, 0)
        wall = (time.perf_counter_ns() - start) / 1e6
    return wall, (usage.ru_utime + usage.ru_stime) * 1e3, os.waitstatus_to_exitcode(status)


def check(scene, tool, case, code, log):
    if code != 0 or scene.contents() != sorted(case.wanted):
        text = Path(log).read_text(errors="replace")[-2000:]
        sys.exit(f"bench: {tool}, {case.title}: exit code {code}, {len(scene.contents())} of {len(case.wanted)} records "
                 f"are there. What it said:\n{text}")


def one(scene, tool, case, log):
    """One measured run from the case's records before; the result as a dict."""
    scene.set_records(case.have)
    before = scene.counters()
    wall, cpu, code = timed(command(tool, case), scene.environment(case), log)
    after = scene.counters()
    check(scene, tool, case, code, log)
    return {"wall_ms": wall, "cpu_ms": cpu} | {k: after[k] - before[k] for k in after}


def memory(scene, tool, case, log, argv=None):
    """Peak memory, measured in a run of its own. None where the machine does not allow it."""
    scene.set_records(case.have)
    done = subprocess.run([sys.executable, str(HERE / "memory.py"), *(argv or command(tool, case))],
                          env=scene.environment(case), capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"bench: memory was not measured: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    result = json.loads(done.stdout.splitlines()[-1])
    Path(log).write_text(done.stdout + done.stderr)
    if argv is None:
        check(scene, tool, case, result["code"], log)
    return result


def spread(values):
    values = sorted(values)
    out = {"median": statistics.median(values), "min": values[0], "max": values[-1]}
    if len(values) >= 4:
        low, _, high = statistics.quantiles(values, n=4)
        out["middle_half"] = high - low
    return {k: round(v, 3) for k, v in out.items()}


def summary(runs, peak):
    """One program's runs of one case."""
    out = {key: spread([r[key] for r in runs]) for key in ("wall_ms", "cpu_ms")}
    for key in ("api_connections", "api_calls", "api_writes", "consul_reads", "consul_connections"):
        out[key] = max(r[key] for r in runs)
    out["largest_process_kib"] = peak and peak["largest_kib"]
    out["all_processes_kib"] = peak and peak["sum_kib"]
    return out


def measure(scene, case, log):
    tools = ("dnsbuddy", "script")
    scene.list_in_consul(case.service, case.wanted)
    # Once with every request checked against the API's rules and the list in several pages; then without, as the check costs
    # the server time.
    scene.control("POST", "/settings", {"strict": True, "max_per_page": max(2, len(case.have) // 3)})
    for tool in tools:
        if one(scene, tool, case, log)["violations"]:
            sys.exit(f"bench: {tool} broke the API's rules: {scene.control('GET', '/violations')}")
    scene.control("POST", "/settings", {"strict": False, "max_per_page": 5000})
    runs = {tool: [] for tool in tools}
    for n in range(RUNS):
        for tool in tools if n % 2 == 0 else tools[::-1]:
            runs[tool].append(one(scene, tool, case, log))
    out = {"title": case.title}
    for tool in tools:
        out[tool] = summary(runs[tool], memory(scene, tool, case, log))
    ours, theirs = out["dnsbuddy"], out["script"]
    out["ratio"] = {k: round(theirs[k]["median"] / max(ours[k]["median"], 0.001), 1) for k in ("wall_ms", "cpu_ms")}
    for key in ("largest_process_kib", "all_processes_kib"):
        out["ratio"][key] = round(theirs[key] / ours[key], 1) if ours[key] and theirs[key] else None
    return out


def peak_of_many(scene, log):
    """dnsbuddy's peak with so many instances listed and no record there: it holds all of them as work to do."""
    case = cases()[0]
    case.wanted, case.have = addresses(MANY), []
    scene.list_in_consul(case.service, case.wanted)
    argv = [str(DNSBUDDY), "plan", "--json", case.service, NAME, str(TTL)]
    peak = memory(scene, "dnsbuddy", case, log, argv)
    if peak and peak["code"] != 0:
        sys.exit(f"bench: plan of {MANY} instances failed:\n{Path(log).read_text()[-1000:]}")
    return peak and peak["largest_kib"]


def sections():
    done = subprocess.run(["size", "-A", str(DNSBUDDY)], capture_output=True, text=True, check=False)
    rows = (line.split() for line in done.stdout.splitlines())
    return {r[0]: int(r[1]) for r in rows if len(r) == 3 and r[0].startswith(".") and r[1].isdigit()}


def budgets(result):
    """DESIGN's budgets, those this can see: (text, found, allowed, whether it is met; None: not measured)."""
    by = result["cases"]
    nothing, known = by["nothing"], by["nothing_zone_id"]
    rows = [("program, bytes", result["binary"]["bytes"], BUDGET["bytes"])]
    rows.append(("nothing to do: API calls (zone look-up and list)", nothing["dnsbuddy"]["api_calls"], 2))
    rows.append(("nothing to do, zone id given: API calls", known["dnsbuddy"]["api_calls"], 1))
    rows.append(("nothing to do: connections to the API", nothing["dnsbuddy"]["api_connections"], 1))
    for key, name in (("wall_ms", "wall time"), ("cpu_ms", "CPU time")):
        allowed = nothing["script"][key]["median"] / BUDGET["ratio"]
        rows.append((f"nothing to do: {name}, ms (a tenth of the script's)", nothing["dnsbuddy"][key]["median"],
                     round(allowed, 2)))
    for key in ("new_3", "replaced_1", "new_200"):
        rows.append((f"{by[key]['title']}: writes", by[key]["dnsbuddy"]["api_writes"], BUDGET["writes"]))
    rows.append((f"plan: peak memory at {MANY:,} instances, KiB", result["peak_many_kib"], BUDGET["peak_many_kib"]))
    rows += watch.budgets(result["watch"]) + shim.budgets(result["run"]) + many.budgets(result["many"])
    return [{"what": w, "found": f, "allowed": a, "met": None if f is None else f <= a} for w, f, a in rows]


def noise(result):
    """Texts about what makes the figures doubtful."""
    load = result["machine"]["load_before"]
    if load > 0.7 * (os.cpu_count() or 1):
        yield f"the machine was busy before the first run (load {load:.1f} on {os.cpu_count()} cores)"
    for case in result["cases"].values():
        for tool in ("dnsbuddy", "script"):
            wall = case[tool]["wall_ms"]
            share = wall.get("middle_half", 0) / wall["median"]
            if share > NOISY:
                yield f"{tool}, {case['title']}: the middle half of the wall times spreads over {share:.0%} of the median"
    if RUNS < 10:
        yield f"{RUNS} runs are too few to rely on; 10 is the default"


def figure(value):
    return "-" if value is None else f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


def show(result):
    columns = "{:<12}{:>10}{:>20}{:>10}{:>20}{:>11}{:>11}{:>7}{:>7}{:>7}"
    print("\n" + columns.format("", "wall ms", "min..max", "CPU ms", "min..max", "largest K", "all K", "conns", "calls",
                                "Consul"))
    for case in result["cases"].values():
        print(case["title"])
        for tool in ("dnsbuddy", "script"):
            r = case[tool]
            extent = [f"{r[k]['min']:.1f}..{r[k]['max']:.1f}" for k in ("wall_ms", "cpu_ms")]
            print(columns.format(
                "  " + tool, figure(r["wall_ms"]["median"]), extent[0], figure(r["cpu_ms"]["median"]), extent[1],
                figure(r["largest_process_kib"]), figure(r["all_processes_kib"]), r["api_connections"], r["api_calls"],
                r["consul_reads"]))
        ratio = {k: "-" if v is None else f"{v:.1f}x" for k, v in case["ratio"].items()}
        print(columns.format("  ratio", ratio["wall_ms"], "", ratio["cpu_ms"], "", ratio["largest_process_kib"],
                             ratio["all_processes_kib"], "", "", ""))
    print("\nwall, CPU: medians of", result["runs"], "runs in turns; CPU with children. largest: peak memory of the largest "
          "process;\nall: of all processes at once; KiB. conns, calls: TCP+TLS connections to the API, calls over them. "
          "Consul: reads of it.")
    watch.show(result["watch"])
    shim.show(result["run"])
    many.show(result["many"])
    binary = result["binary"]
    print(f"\nprogram: {binary['bytes']:,} bytes;",
          ", ".join(f"{k} {v:,}" for k, v in sorted(binary["sections"].items(), key=lambda i: -i[1]) if v >= 1024))
    print("\nbudgets")
    for row in result["budgets"]:
        word = {True: "met", False: "MISSED", None: "-"}[row["met"]]
        print(f"  {word:<8}{row['what']}: {figure(row['found'])} (at most {figure(row['allowed'])})")
    for text in result["noise"]:
        print(f"warning: {text}")


def main():
    if not os.access(DNSBUDDY, os.X_OK):
        sys.exit(f"bench: no program {DNSBUDDY}; run make")
    load, started = os.getloadavg()[0], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dnsbuddy-bench-") as folder, Scene(folder) as scene:
        log = Path(folder, "run.log")
        result = {"runs": RUNS, "cases": {}}
        for case in cases():
            print(f"  BENCH   {case.title}", file=sys.stderr)
            result["cases"][case.key] = measure(scene, case, log)
        result["peak_many_kib"] = peak_of_many(scene, log) if RUNS > 1 else None
        result["run"] = shim.measure(scene, folder, quick=RUNS == 1)
        result["watch"] = watch.measure(scene, folder, quick=RUNS == 1)
        result["many"] = many.measure(folder, quick=RUNS == 1)
    result["binary"] = {"bytes": DNSBUDDY.stat().st_size, "sections": sections()}
    result["machine"] = {"cores": os.cpu_count(), "system": platform.platform(), "load_before": load}
    result["seconds"] = round(time.monotonic() - started, 1)
    result["budgets"] = budgets(result)
    result["noise"] = list(noise(result))
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    show(result)
    print(f"\n{result['seconds']} s; all figures: {BUILD / 'bench.json'}")


if __name__ == "__main__":
    main()
