"""What is written down of every run on every kind of machine, and what is said of it.

benchmarks/results/MACHINE.jsonl grows by each run: a line of the run, with the machine, the versions and the limits, then a
line for each row.
"""

import json
import math
import pathlib

import contenders
import machine
from subject import GROUPS

RESULTS = pathlib.Path(__file__).resolve().parent / "results"

TITLE = ["| | threads | Weft, ms | R (quartiles) | beside | GFLOP/s | share of the limit |", "|---|---|---|---|---|---|---|"]
SUMMARY = ["| | threads | rows | share: geometric mean | least | R: geometric mean | least |", "|---|---|---|---|---|---|---|"]


def key(row):
    return row["group"], row["name"], row["threads"]


def best(row):
    """The fastest peer of a row and the quartiles of its ratio, or None."""
    return min(row["ratio"].items(), key=lambda each: each[1][1], default=None)


def threads(count):
    return f"{count} thread" + ("s" if int(count) > 1 else "")


def peer_name(name):
    return contenders.library(name).NAME


def gflops(row):
    return row["flops"] / row["ms"]["weft"] * 1e-6


def line(row):
    ratio = beside = share = ""
    if best(row):
        low, middle, high = best(row)[1]
        ratio = f"**{middle:.2f}** ({low:.2f}-{high:.2f})"
        beside = ", ".join(f"{peer_name(name)} {found[1]:.2f}"
                           for name, found in sorted(row["ratio"].items(), key=lambda each: each[1][1]))
    if "share" in row:
        share = f"{row['share'][1]:.2f}" + {"moving": " moving", "exp": " exp"}.get(row.get("bound"), "")
    speed = f"{gflops(row):.0f}" if row["flops"] else ""
    return f"| {row['name']} | {row['threads']} | {row['ms']['weft']:.4g} | {ratio} | {beside} | {speed} | {share} |"


def mean_and_least(figures):
    """Two cells on figures by name: their geometric mean, and the least."""
    if not figures:
        return " | "
    least = min(figures, key=figures.get)
    mean = math.exp(sum(map(math.log, figures.values())) / len(figures))
    return f"{mean:.2f} | {figures[least]:.2f} ({least})"


def summary(rows):
    """A table: how each group does altogether."""
    lines = list(SUMMARY)
    for group in GROUPS:
        for count in sorted({row["threads"] for row in rows}):
            chosen = [row for row in rows if row["group"] == group and row["threads"] == count]
            shares = {row["name"]: row["share"][1] for row in chosen if "share" in row}
            ratios = {row["name"]: best(row)[1][1] for row in chosen if best(row)}
            if shares or ratios:
                lines.append(f"| {group} | {count} | {len(chosen)} | {mean_and_least(shares)} | {mean_and_least(ratios)} |")
    return lines


def history(path=None):
    """The runs on this kind of machine, or those of a file: (run, rows) in the order of time."""
    path = path or RESULTS / f"{machine.file_name()}.jsonl"
    runs = {}
    for text in path.read_text().splitlines() if path.exists() else []:
        entry = json.loads(text)
        if "machine" in entry:
            runs[entry["run"]] = (entry, [])
        else:
            runs[entry["run"]][1].append(entry)
    return list(runs.values())


def append(run, rows):
    RESULTS.mkdir(exist_ok=True)
    with open(RESULTS / f"{machine.file_name()}.jsonl", "a") as file:
        for entry in (run, *rows):
            file.write(json.dumps(entry) + "\n")


def series(runs):
    """The rows of the same subject and threads in the order of time."""
    found = {}
    for _, rows in runs:
        for row in rows:
            found.setdefault(key(row), []).append(row)
    return found


def slower(found):
    """Lines on what reached more before: ratios within one run are compared, and quartiles must not overlap."""
    lines = []
    for rows in found.values():
        if len(rows) < 2:
            continue
        before, now = rows[-2:]
        for what, figures in {"share": [each.get("share") for each in (before, now)],
                              **{f"R beside {peer_name(name)}": [each["ratio"][name] for each in (before, now)]
                                 for name in now["ratio"] if name in before["ratio"]}}.items():
            if None not in figures and figures[1][2] < figures[0][0] and figures[1][1] < 0.95 * figures[0][1]:
                lines.append(f"slower than before: {now['name']}, {threads(now['threads'])}, {what} {figures[1][1]:.2f} "
                             f"after {figures[0][1]:.2f}")
    return lines
