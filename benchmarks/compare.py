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
import pathlib
import subprocess
import sys
import tempfile

import contenders
import machine
import report

ROOT = pathlib.Path(__file__).resolve().parent.parent


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
            ratios, mine, other = contenders.take_turns(text, name, "onnx", threads, options.rounds, options.seconds)
            ms = statistics.median(mine)
            rows.append({"model": label, "sizes": sizes, "threads": threads, "ours_ms": ms,
                         "theirs_ms": statistics.median(other), "rounds": len(ratios),
                         "ratio_quartiles": statistics.quantiles(ratios, n=4), "gflops": flops / ms * 1e-6,
                         "share": flops / ms * 1e-6 / (limit * threads)})
            print(report.network_row(rows[-1]), flush=True)
    return rows


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
    print(f"limit: {limit:.0f} GFLOP/s per thread\n" + "\n".join(report.NETWORKS), flush=True)
    results = []
    for model in options.models.split(","):
        results += compare(model, model, networks.STANDARD[model], options, limit)
        if options.vary is not None:
            results += compare(f"{model}, varied", model, networks.varied(model, options.vary), options, limit)
    if options.write:
        import onnxruntime
        report.write("networks", results, limit_gflops_per_thread=limit, onnxruntime=onnxruntime.__version__)


if __name__ == "__main__":
    main()
