"""Ops of the standard library beside NumPy programs written on their own, on random inputs, by one back end.

Usage: check.py WEFT BACKEND [--target TARGET] PART...

A part is a module of this folder: ENTRY is a model file with one method per op, CASES maps a method to functions that draw its
inputs from a random generator, and the function of the same name computes what the method must give. WEIGHTS are the program's.
"""

import argparse
import importlib
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "programs"))
from program_case import write_safetensors

TOLERANCE = 2e-5  # of the largest value


def run(program, method, inputs, folder):
    command = [program, method, "--threads", "2", "--weights", folder / "weights.safetensors"]
    for name, value in inputs.items():
        path = folder / f"{name}.npy"
        np.save(path, value)
        command += ["--input", f"{name}={path}"]
    out = folder / "y.npy"
    done = subprocess.run(command + ["--output", f"y={out}"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{method}: {done.stderr}")
    return np.load(out)


def off(got, want):
    """How far an output is from what it must be, as a share of the largest value; what is no number must be so in both."""
    same = (got == want) | (np.isnan(got) & np.isnan(want)) if got.dtype.kind == "f" else got == want
    finite = want[np.isfinite(want)]
    with np.errstate(invalid="ignore"):
        error = np.where(same, 0, np.abs(got - want))
    return np.nan_to_num(error, nan=np.inf).max(initial=0) / max(1, np.abs(finite).max(initial=0))


def check(weft, backend, target, part, folder):
    """Compares every case of a part; gives the number of comparisons and the list of differences."""
    module = importlib.import_module(part)
    source = folder / f"{part}.weft"
    source.write_text(module.ENTRY)
    program = folder / part
    words = [weft, "compile", source, "--backend", backend, "--target", target, "-o", program]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    write_safetensors(folder / "weights.safetensors", getattr(module, "WEIGHTS", {}))
    rng = np.random.default_rng(7)
    count, wrong = 0, [line for line in done.stderr.splitlines() if "plain loops" in line]
    for method, draws in module.CASES.items():
        for number, draw in enumerate(draws):
            inputs = draw(rng)
            got = run(program, method, inputs, folder)
            with np.errstate(all="ignore"):
                want = getattr(module, method)(**inputs)
            count += 1
            if got.shape != want.shape:
                wrong.append(f"{method} {number}: shape {got.shape}, wanted {want.shape}")
                continue
            error = off(got, want)
            if not error <= TOLERANCE:
                wrong.append(f"{method} {number}: off by {error:.3g}")
    return count, wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weft")
    parser.add_argument("backend")
    parser.add_argument("--target", default="host")
    parser.add_argument("parts", nargs="+")
    arguments = parser.parse_args()
    total, differences = 0, []
    with tempfile.TemporaryDirectory() as name:
        for part in arguments.parts:
            count, wrong = check(arguments.weft, arguments.backend, arguments.target, part, pathlib.Path(name))
            total += count
            differences += wrong
    for line in differences:
        print(line)
    print(f"{total} comparisons, {len(differences)} differ")
    sys.exit(bool(differences) or total == 0)


main()
