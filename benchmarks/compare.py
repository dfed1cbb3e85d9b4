"""Weft beside ONNX Runtime: one command, one table.

    .venv/bin/python benchmarks/compare.py [--models resnet50,...] [--threads 1,2] [--vary SEED] [--quick] [--write]

Makes the same network as a Weft program and as an ONNX file, with the same weights, checks that both give the same
result, and times them in turns: every contender is a process of its own that sleeps while the other runs, rounds go
A B B A, and what counts is the median of the ratios of neighbouring rounds. R = ONNX Runtime's time / ours. Rounds in
which the machine gave time to others are left out. `--vary SEED` adds the same networks with other widths, depths and
input sizes. `--write` puts the numbers of this kind of machine in benchmarks/results and all tables in
docs/performance.md. Packages that are missing are installed in a virtual environment, build/benchmarks.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import machine

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


class Contender:
    def __init__(self, kind, folder, name, threads):
        self.process = subprocess.Popen([sys.executable, str(HERE / "worker.py"), kind, folder, name, str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("a contender ended early; its error is above")
        return line

    def run(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return float(self.answer()) / count

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def stolen():
    """Processor time that the machine gave to others so far, in seconds."""
    with open("/proc/stat") as file:
        fields = file.readline().split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK") if len(fields) > 8 else 0.0


def measure(ours, theirs, rounds, seconds):
    """Ratios of neighbouring rounds and the times of both, for a number of rounds or as long as there is time."""
    times = {ours: [], theirs: []}
    counts = {each: max(1, round(20.0 / each.run(1))) for each in (ours, theirs)}
    ratios, end = [], time.monotonic() + seconds
    for number in range(2 * rounds):
        if len(ratios) >= rounds or (len(ratios) >= 5 and time.monotonic() > end):
            break
        order = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        before, start = stolen(), time.monotonic()
        took = {each: each.run(counts[each]) for each in order}
        length = time.monotonic() - start
        if stolen() - before > 0.02 * length + 0.005 and number - len(ratios) < rounds:
            continue
        for each in order:
            times[each].append(took[each])
        ratios.append(took[theirs] / took[ours])
        # Work at a raised priority must leave some time to others, or the system takes it.
        time.sleep(0.06 * length)
    return ratios, times[ours], times[theirs]


def same_results(folder, name):
    import numpy as np
    mine, other = (np.load(folder / f"{name}.{kind}.npy").astype(np.float64) for kind in ("weft", "onnx"))
    if mine.shape != other.shape:
        sys.exit(f"{name}: our result is {mine.shape}, the other {other.shape}")
    difference = np.abs(mine - other).max() / (other.max() - other.min())
    if not difference < 1e-4:
        sys.exit(f"{name}: the results differ by {difference:.1e} of their range")


def compare(label, name, sizes, options, limit):
    import statistics

    import networks
    rows = []
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        flops = networks.write(name, sizes, folder)
        subprocess.run([options.weft, "compile", folder / f"{name}.weft", "--emit", "so", "-o", folder / f"{name}.so"],
                       check=True)
        for threads in map(int, options.threads.split(",")):
            ours, theirs = (Contender(kind, text, name, threads) for kind in ("weft", "onnx"))
            same_results(folder, name)
            ratios, mine, other = measure(ours, theirs, options.rounds, options.seconds)
            ours.close(), theirs.close()
            ms = statistics.median(mine)
            rows.append({"model": label, "sizes": sizes, "threads": threads, "ours_ms": ms,
                         "theirs_ms": statistics.median(other), "rounds": len(ratios),
                         "ratio_quartiles": statistics.quantiles(ratios, n=4), "gflops": flops / ms * 1e-6,
                         "share": flops / ms * 1e-6 / (limit * threads)})
            print(row(rows[-1]), flush=True)
    return rows


HEAD = ["| model | threads | Weft, ms | ONNX Runtime, ms | R (quartiles) | GFLOP/s | share of the limit |",
        "|---|---|---|---|---|---|---|"]


def row(r):
    low, middle, high = r["ratio_quartiles"]
    return (f"| {r['model']} | {r['threads']} | {r['ours_ms']:.2f} | {r['theirs_ms']:.2f} | "
            f"**{middle:.2f}** ({low:.2f}-{high:.2f}) | {r['gflops']:.0f} | {r['share']:.2f} |")


def page(machines):
    text = """# Performance

Made by `.venv/bin/python benchmarks/compare.py --vary 1 --write`, once on each kind of machine; the numbers are in
`benchmarks/results`.

fp32, batch 1, default schedules, random weights and inputs, results compared before they are timed. R is ONNX Runtime's
time over ours, the median of pairs of rounds that take turns; above 1 Weft is faster. The limit is what one thread
reaches with multiply-adds in registers, measured in the same run; its share counts the multiplications and additions of
convolutions and matrix products alone. `varied` are the same networks with widths, depths and an input size from a seed.
"""
    for m in machines:
        text += (f"\n## {m['machine']}, {m['features']}\n\n{m['cores']} processors, limit {m['limit_gflops_per_thread']:.0f} "
                 f"GFLOP/s per thread, ONNX Runtime {m['onnxruntime']}. {m.get('note', '')}".rstrip() + "\n\n" + "\n".join(HEAD + [row(r) for r in m["results"]]) + "\n")
        varied = [r["sizes"] for r in m["results"] if "varied" in r["model"] and r["threads"] == 1]
        names = [r["model"] for r in m["results"] if "varied" in r["model"] and r["threads"] == 1]
        if varied:
            text += "\n" + "\n".join(f"- {name}: " + ", ".join(f"{key} {value}" for key, value in sizes.items())
                                     for name, sizes in zip(names, varied)) + "\n"
    return text


def write(limit, results):
    import onnxruntime
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{machine.file_name()}.json").write_text(json.dumps(
        {"machine": machine.processor(), "features": " ".join(machine.features()), "cores": os.cpu_count(),
         "limit_gflops_per_thread": limit, "onnxruntime": onnxruntime.__version__, "results": results}, indent=1) + "\n")
    machines = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    (ROOT / "docs/performance.md").write_text(page(machines))


def main():
    machine.use_packages()
    import networks
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(networks.STANDARD))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=61)
    parser.add_argument("--seconds", type=float, default=60, help="at most, for each row of the table")
    parser.add_argument("--vary", type=int, metavar="SEED", help="also the networks with other sizes")
    parser.add_argument("--quick", action="store_true", help="about two minutes: few rounds")
    parser.add_argument("--weft", default=str(ROOT / "build/bin/weft"))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.seconds = min(options.seconds, 4)

    limit = machine.limits()["fma"]
    print(f"limit: {limit:.0f} GFLOP/s per thread\n" + "\n".join(HEAD), flush=True)
    results = []
    for model in options.models.split(","):
        results += compare(model, model, networks.STANDARD[model], options, limit)
        if options.vary is not None:
            results += compare(f"{model}, varied", model, networks.varied(model, options.vary), options, limit)
    if options.write:
        write(limit, results)


if __name__ == "__main__":
    main()
