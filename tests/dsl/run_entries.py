"""Runs every entry of a file by both back ends: python run_entries.py WEFT FILE

The entries stand around every model, method and op of a file of `programs` that needs no gradient, at small sizes. Weights and
inputs are drawn; what the back ends give must agree, and hold a number.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import zlib

import numpy as np

TESTS = pathlib.Path(__file__).parent.parent
sys.path += [str(TESTS / "files"), str(TESTS / "programs")]

import tensors
from program_case import BACKENDS, difference

DIMENSION = re.compile(r"\s+dim (\w+) in (-?\d+)\.\.(\d+)(?: step (\d+))?")
METHOD = re.compile(r"method (\w+)")
TENSOR = re.compile(r"\s+(input|output) (\w+): (\w+)(?:\[(.*?)\])?(?: in (-?\w+)\.\.(\w+))?$")
WEIGHT = re.compile(r"  (\S+)\s+f32\[([\d,]*)\]$")


def described(text):
    """What `--describe` says: {dimension: a size in the middle of its range}, {method: (inputs, outputs)}."""
    dimensions, methods = {}, {}
    for line in text.splitlines():
        line = line.split("  //")[0].rstrip()
        if found := DIMENSION.match(line):
            low, high, step = int(found[2]), int(found[3]), int(found[4] or 1)
            dimensions[found[1]] = low + step * ((high - low) // step // 2)
        elif found := METHOD.match(line):
            inputs, outputs = methods[found[1]] = [], []
        elif found := TENSOR.match(line):
            (inputs if found[1] == "input" else outputs).append(found.groups()[1:])
    return dimensions, methods


def weights_of(weft, file):
    """{entry: {name: shape}}"""
    shapes = {}
    for line in subprocess.run([weft, "show", file], capture_output=True, text=True, check=True).stdout.splitlines():
        if found := re.match(r"entry (\w+):", line):
            entry = shapes.setdefault(found[1], {})
        elif found := WEIGHT.match(line):
            entry[found[1]] = [int(size) for size in found[2].split(",") if size]
    return shapes


def drawn_weights(rng, shapes):
    """Scales are near 1: through many norms of small batches others would make differences of rounding grow."""
    weights = {}
    for name, shape in shapes.items():
        values = rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
        if name.endswith("_var"):
            values = 0.5 + np.abs(values)
        elif len(shape) == 1:
            values = 0.3 * values + name.endswith("weight")
        weights[name] = values.astype(np.float32)
    return weights


def drawn_input(rng, dimensions, element, shape, low, high):
    size = lambda text: int(eval(text.replace("/", "//"), {}, dict(dimensions)))
    shape = [size(axis) for axis in (shape or "").split(",") if axis]
    if element == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if element == "u8":
        return rng.integers(0, 256, shape).astype(np.uint8)
    if element in ("int", "i64"):
        return rng.integers(size(low or "0"), size(high or "5"), shape)
    return rng.normal(size=shape).astype(np.float32)


def run(program, method, tensors_of, dimensions, rng, folder):
    inputs, outputs = tensors_of
    words = [program, method, "--weights", folder / "weights.safetensors"]
    for name, *kind in inputs:
        value = drawn_input(rng, dimensions, *kind)
        if value.ndim == 0:
            words += ["--input", f"{name}={value}"]
            continue
        np.save(folder / f"{name}.npy", value)
        words += ["--input", f"{name}={folder / name}.npy"]
    for name, *_ in outputs:
        words += ["--output", f"{name}={folder / name}_out.npy"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr[:4000]}"
    return {f"{method}.{name}": np.load(folder / f"{name}_out.npy") for name, *_ in outputs}


def problems_of(weft, file, entry, shapes):
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for backend in BACKENDS:
            rng = np.random.default_rng(zlib.crc32(entry.encode()))
            (folder / "weights.safetensors").write_bytes(tensors.save(drawn_weights(rng, shapes)))
            program = folder / backend
            command = [weft, "compile", file, "--entry", entry, "--backend", backend, "-o", program]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                return [f"{entry} on {backend}: exit code {done.returncode}\n{done.stderr[:4000]}"]
            said = subprocess.run([program, "--describe"], capture_output=True, text=True, check=True).stdout
            dimensions, methods = described(said)
            results[backend] = {}
            for method, its_tensors in methods.items():
                try:
                    results[backend] |= run(program, method, its_tensors, dimensions, rng, folder)
                except AssertionError as error:
                    return [f"{entry} on {backend}: {error}"]
    loops, halide = (results[backend] for backend in BACKENDS)
    problems = [f"{entry}: {name} on halide {message}" for name, value in loops.items()
                if (message := difference(halide[name], value, 1e-4))]
    return problems + [f"{entry}: {name} has no number in it" for name, value in loops.items()
                       if value.size and value.dtype.kind == "f" and not np.isfinite(value).any()]


def main():
    weft, file = sys.argv[1:]
    problems, shapes = [], weights_of(weft, file)
    for entry, own in shapes.items():
        problems += problems_of(weft, file, entry, own)
    print("\n".join(problems) or f"{len(shapes)} entries agree")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
