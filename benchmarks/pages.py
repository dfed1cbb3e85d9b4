"""docs/performance.md and docs/performance.html from benchmarks/results: of every kind of machine the newest rows."""

import pathlib

import chart_page
import compiling
import report
from subject import GROUPS

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"

INTRODUCTION = """# Performance

Made by `benchmarks/run.py --varied 1 --write` on each kind of machine; every run is kept in `benchmarks/results`.
[performance.html](performance.html) shows the same as charts.

fp32, default schedules, random weights and inputs. Results are compared with every peer's before they are timed. Contenders
are processes of their own that take turns; R is the fastest peer's time over ours, the median of the ratios within a round:
above 1 Weft is faster. All peers are listed, each with its own R. The share is the time of the limit over ours, measured in
turns like a peer: multiply-adds in registers for the multiplications and additions of convolutions and matrix products, or,
where that takes longer, reading over and over as many bytes as operands and results have (`moving`), or as many values of
exp in registers as there are of exp, erf, tanh and sigmoid (`exp`). `varied` are the same
networks with widths, depths and an input size from a seed. Networks have batch 1; `minilm` has eight sentences of 32 tokens.
"""

HEADINGS = {
    "network": "Networks", "tolerance": "Networks with a declared tolerance (`weft compile --tolerance`): the share counts the products of the usual form",
    "system": "Systems, from a photograph to what is found in it", "operator": "Operators",
    "layer": "Single layers and operations of tensors, channels in front",
    "matrix product": "Matrix products: rows x inputs x outputs",
    "convolution": "Convolutions: window, stride, size, channels>results", "depthwise": "Depthwise convolutions",
    "rows": "Row reductions", "pointwise": "Pointwise", "attention": "Attention: heads x length x width", "call": "Calls of kernels",
}


def machines():
    """Of every kind of machine: the last run, and the rows of every subject in the order of time."""
    for path in sorted(report.RESULTS.glob("*.jsonl")):
        runs = report.history(path)
        yield runs[-1][0], report.series(runs), runs


def machine_text(run, found, runs):
    newest = [rows[-1] for rows in found.values()]
    versions = {name: version for other, _ in runs for name, version in other["versions"].items()}
    limits = next((other["limits"] for other, _ in reversed(runs) if "memory" in other["limits"].get("1", {})), run["limits"])
    lines = [f"\n## {run['machine']}, {run['features']}\n",
             f"{run['cores']} processors; {', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}. "
             f"Last run: {run['run']}, {run['commit']}.\n"]
    for threads, reached in limits.items():
        bandwidths = ", ".join(f"{level} {reached[level]:.0f}" for level in ("l1", "l2", "l3", "memory") if level in reached)
        exps = f", {reached['exp']:.1f} values of exp in a nanosecond" if "exp" in reached else ""
        lines.append(f"- {report.threads(threads)}: {reached['fma']:.0f} GFLOP/s{exps}" + (f"; GB/s read from {bandwidths}" if bandwidths else ""))
    lines += ["", *report.summary(newest)]
    for group in GROUPS:
        rows = [row for row in newest if row["group"] == group]
        if rows:
            lines += [f"\n### {HEADINGS[group]}\n", *report.TITLE, *map(report.line, rows)]
    compiled = compiling.newest(runs)
    if compiled:
        lines += ["\n### Compiling (`weft compile`)\n", *compiling.TITLE, compiling.line(compiled)]
    changes = report.slower(found)
    if changes:
        lines += ["", *(f"- {change}" for change in changes)]
    return "\n".join(lines) + "\n"


def texts():
    """The pages, by path."""
    found = list(machines())
    return {DOCS / "performance.md": INTRODUCTION + "".join(machine_text(*each) for each in found),
            DOCS / "performance.html": chart_page.page(found)}


def write():
    for path, text in texts().items():
        path.write_text(text)
