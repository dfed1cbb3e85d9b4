"""Weft beside ONNX Runtime: one command, one table.

    .venv/bin/python benchmarks/compare.py [--models resnet50,...] [--threads 1,2] [--rounds 61] [--write]

Compiles each example with `weft compile`, makes the same network as an ONNX file, and times both in turns: every
contender is a process of its own that sleeps while the other runs, rounds go A B B A, and what counts is the median of
the ratios of neighbouring rounds. R = ONNX Runtime's time / ours. Rounds in which the machine gave time to others are
left out. `--write` puts the table in docs/performance.md and the numbers in benchmarks/results.json.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import onnx_models

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"

# Example, method, shapes of the inputs (of whole numbers if there are two: tokens and their mask), floating-point operations of one run, further options of the compiler.
MODELS = {
    "mobilenet_v2": ("examples/mobilenet_v2/mobilenet_v2.weft", "logits", "1,3,224,224", 0.60e9, ["--dim", "B=1"]),
    "resnet50": ("examples/resnet50/resnet50.weft", "logits", "1,3,224,224", 8.18e9, ["--dim", "B=1"]),
    "vit_b16": ("examples/vit_b16/vit_b16.weft", "logits", "1,3,224,224", 35.1e9, ["--dim", "B=1"]),
    "bert_base": ("examples/bert_base/bert_base.weft", "forward", "1,128;1,128", 22.3e9, ["--dim", "B=1", "--dim", "T=128"]),
}


class Contender:
    def __init__(self, arguments):
        self.process = subprocess.Popen([sys.executable, str(HERE / "worker.py"), *map(str, arguments)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE)
        self.size = int(self.answer())

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
    """Processor time that the machine gave to others so far, in ticks."""
    with open("/proc/stat") as file:
        fields = file.readline().split()
    return int(fields[8]) if len(fields) > 8 else 0


def peak(folder):
    program = folder / "peak"
    subprocess.run(["cc", "-O2", "-march=native", "-ffp-contract=fast", HERE / "peak.c", "-o", program], check=True)
    return float(subprocess.run([program], check=True, capture_output=True, text=True).stdout)


def measure(ours, theirs, rounds):
    times = {ours: [], theirs: []}
    counts = {each: max(1, round(2.0 / each.run(1))) for each in (ours, theirs)}
    ratios, skipped = [], 0
    for number in range(rounds):
        order = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        before = stolen()
        took = {each: each.run(counts[each]) for each in order}
        if stolen() != before and skipped < rounds:
            skipped += 1
            continue
        for each in order:
            times[each].append(took[each])
        ratios.append(took[theirs] / took[ours])
    return ratios, times[ours], times[theirs]


def compile_model(weft, name, folder):
    source, method, shape, flops, options = MODELS[name]
    library = folder / f"{name}.so"
    subprocess.run([weft, "compile", ROOT / source, *options, "--emit", "so", "-o", library], check=True)
    return ["weft", library, library.with_suffix(".h"), method], shape


def table(results, limit):
    lines = ["| model | threads | Weft, ms | ONNX Runtime, ms | R (quartiles) | GFLOP/s | share of the limit |",
             "|---|---|---|---|---|---|---|"]
    for r in results:
        low, middle, high = r["ratio_quartiles"]
        lines.append(f"| {r['model']} | {r['threads']} | {r['ours_ms']:.2f} | {r['theirs_ms']:.2f} | "
                     f"**{middle:.2f}** ({low:.2f}-{high:.2f}) | {r['gflops']:.0f} | "
                     f"{r['gflops'] / (limit * r['threads']):.2f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=61)
    parser.add_argument("--weft", default=str(ROOT / "build/bin/weft"))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    import onnxruntime

    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        limit = peak(folder)
        for model in options.models.split(","):
            onnx = folder / f"{model}.onnx"
            onnx_models.MODELS[model](onnx)
            arguments, shape = compile_model(options.weft, model, folder)
            for threads in map(int, options.threads.split(",")):
                ours, theirs = Contender([*arguments, threads, shape]), Contender(["onnx", onnx, threads])
                if ours.size != theirs.size:
                    sys.exit(f"{model}: our output has {ours.size} elements, the other {theirs.size}")
                ratios, mine, other = measure(ours, theirs, options.rounds)
                ours.close(), theirs.close()
                ms = statistics.median(mine)
                results.append({"model": model, "threads": threads, "ours_ms": ms,
                                "theirs_ms": statistics.median(other), "rounds": len(ratios),
                                "ratio_quartiles": statistics.quantiles(ratios, n=4),
                                "gflops": MODELS[model][3] / ms * 1e-6})
                print(table(results[-1:], limit).splitlines()[-1], flush=True)
    text = table(results, limit)
    print(text)
    if not options.write:
        return
    machine = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    (HERE / "results.json").write_text(json.dumps(
        {"machine": machine, "cores": os.cpu_count(), "limit_gflops_per_thread": limit,
         "onnxruntime": onnxruntime.__version__, "python": platform.python_version(), "results": results}, indent=1) + "\n")
    page = ROOT / "docs/performance.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(f"""# Performance

Made by `.venv/bin/python benchmarks/compare.py --write`; the numbers are in `benchmarks/results.json`.

{machine}, fp32, batch 1, default schedules, random inputs. R is ONNX Runtime {onnxruntime.__version__}'s time over ours,
the median of {options.rounds} pairs of rounds that take turns; above 1 Weft is faster. The limit is what one thread
reaches with multiply-adds in registers, measured in the same run: {limit:.0f} GFLOP/s.

{text}
""")


if __name__ == "__main__":
    main()
