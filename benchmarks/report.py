"""The numbers of each kind of machine, in benchmarks/results, and the page that is made of all of them."""

import json
import os
import pathlib

import machine

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent / "docs/performance.md"

NETWORKS = ["| model | threads | Weft, ms | ONNX Runtime, ms | R (quartiles) | GFLOP/s | share of the limit |",
            "|---|---|---|---|---|---|---|"]
OPERATORS = ["| | threads | Weft, ms | peer, ms | peer | R (quartiles) |", "|---|---|---|---|---|---|"]

INTRODUCTION = """# Performance

Made by `benchmarks/compare.py --vary 1 --write`, `benchmarks/operators.py --write` and `benchmarks/systems.py --write`, run
with `.venv/bin/python`, once on each kind of machine; the numbers are in `benchmarks/results`.

fp32, batch 1, default schedules, random weights and inputs, results compared before they are timed. R is the peer's
time over ours, the median of pairs of rounds that take turns; above 1 Weft is faster. The limit is what one thread
reaches with multiply-adds in registers, measured in the same run; its share counts the multiplications and additions of
convolutions and matrix products alone. `varied` are the same networks with widths, depths and an input size from a seed.
"""


def ratio(row):
    low, middle, high = row["ratio_quartiles"]
    return f"**{middle:.2f}** ({low:.2f}-{high:.2f})"


def network_row(r):
    return (f"| {r['model']} | {r['threads']} | {r['ours_ms']:.2f} | {r['theirs_ms']:.2f} | {ratio(r)} | "
            f"{r['gflops']:.0f} | {r['share']:.2f} |")


def operator_row(r):
    return f"| {r['operator']} | {r['threads']} | {r['ours_ms']:.3f} | {r['theirs_ms']:.3f} | {r['peer']} | {ratio(r)} |"


def network_tables(m):
    text = (f"\n## Networks: {m['machine']}, {m['features']}\n\n{m['cores']} processors, limit "
            f"{m['limit_gflops_per_thread']:.0f} GFLOP/s per thread, ONNX Runtime {m['onnxruntime']}. {m.get('note', '')}")
    text = text.rstrip() + "\n\n" + "\n".join(NETWORKS + [network_row(r) for r in m["results"]]) + "\n"
    varied = [r for r in m["results"] if "varied" in r["model"] and r["threads"] == 1]
    if varied:
        text += "\n" + "\n".join(f"- {r['model']}: " + ", ".join(f"{key} {value}" for key, value in r["sizes"].items())
                                 for r in varied) + "\n"
    return text


def operator_tables(kind, m):
    rows = [operator_row(r) for r in m["results"]]
    return (f"\n## {kind.capitalize()}: {m['machine']}, {m['features']}\n\n{m['cores']} processors; {m['peers']}.\n\n"
            + "\n".join(OPERATORS + rows) + "\n")


def write(kind, results, **facts):
    """Keeps the numbers of this machine, `kind` being networks, operators or systems, and makes the page again."""
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    name = machine.file_name() + ("" if kind == "networks" else f".{kind}")
    (folder / f"{name}.json").write_text(json.dumps(
        {"machine": machine.processor(), "features": " ".join(machine.features()), "cores": os.cpu_count(), **facts,
         "results": results}, indent=1) + "\n")
    text = INTRODUCTION
    files = sorted(folder.glob("*.json"))
    text += "".join(network_tables(json.loads(path.read_text())) for path in files if "." not in path.stem)
    for kind in ("systems", "operators"):
        text += "".join(operator_tables(kind, json.loads(path.read_text())) for path in files
                        if path.stem.endswith(f".{kind}"))
    PAGE.write_text(text)
