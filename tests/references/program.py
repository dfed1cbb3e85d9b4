"""Compiles a model file and runs what it became, with weights and inputs from NumPy."""

import pathlib
import subprocess
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).parent.parent / "files"))

import tensors


def compile_program(weft, source, path, backend="halide", entry=""):
    chosen = ["--entry", entry] if entry else []
    subprocess.run([weft, "compile", source, *chosen, "--backend", backend, "-o", path], check=True)


def command(path, method, inputs, weights):
    """The command that runs `method`; inputs are put into files beside the program, as are the weights of a dict."""
    folder = path.parent
    words = [path, method]
    if isinstance(weights, dict):
        (folder / "weights.safetensors").write_bytes(tensors.save(weights))
        weights = folder / "weights.safetensors"
    words += ["--weights", weights]
    for name, value in inputs.items():
        if np.ndim(value) == 0:
            words += ["--input", f"{name}={value}"]
            continue
        np.save(folder / f"{name}.npy", value)
        words += ["--input", f"{name}={folder / name}.npy"]
    return words


def run_program(path, method, inputs, outputs, weights):
    """{name: array} for the outputs."""
    words = command(path, method, inputs, weights)
    for name in outputs:
        words += ["--output", f"{name}={path.parent / name}.out.npy"]
    subprocess.run(words, check=True)
    return {name: np.load(path.parent / f"{name}.out.npy") for name in outputs}
