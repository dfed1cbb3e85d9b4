"""One entry with given inputs, run by both back ends and compared with NumPy's answers."""

import json
import pathlib
import struct
import subprocess
import tempfile

import numpy as np

BACKENDS = ("loops", "halide")


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": value.shape, "data_offsets": [len(data), len(data) + value.nbytes]}
        data += value.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def run(weft, text, inputs, outputs, *options, backend="halide", folder=None, weights=None, silent=False):
    """The outputs of the entry in `text`. `inputs`, `weights`: arrays by name; `options` go to `weft run`, which when `silent`
    may note nothing: no kernel becomes plain loops."""
    with tempfile.TemporaryDirectory() as own:
        folder = pathlib.Path(folder or own)
        (folder / "model.weft").write_text(text)
        words = []
        if weights:
            write_safetensors(folder / "weights.safetensors", weights)
            words += ["--weights", folder / "weights.safetensors"]
        for name, values in inputs.items():
            np.save(folder / f"{name}.npy", values)
            words += ["--input", f"{name}={folder / name}.npy"]
        for name in outputs:
            words += ["--output", f"{name}={folder / name}_out.npy"]
        command = [weft, "run", folder / "model.weft", "--backend", backend, *words, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{backend}: exit code {done.returncode}\n{done.stderr[:4000]}{text}"
        assert not silent or not done.stderr, f"{backend} says: {done.stderr[:1000]}"
        return {name: np.load(folder / f"{name}_out.npy") for name in outputs}


def difference(got, wanted, tolerance):
    """What is wrong with `got`, or nothing."""
    wanted = np.asarray(wanted)
    if got.shape != wanted.shape:
        return f"has shape {got.shape}, not {wanted.shape}"
    if got.dtype.kind != "f":
        return None if (got == wanted).all() else f"is\n{got}\nnot\n{wanted}"
    error = np.abs(got.astype(np.float64) - wanted)
    scale = max(1.0, np.abs(wanted).max(initial=0))
    same_nan = np.isnan(got) == np.isnan(wanted)
    error = error[~np.isnan(wanted)].max(initial=0)
    return None if same_nan.all() and error <= tolerance * scale else f"is off by {error}"


def check(weft, title, text, inputs, wanted, *options, tolerance=1e-5, weights=None, silent=False):
    """Problems of the entry in `text`: `wanted` holds the outputs by name."""
    problems = []
    for backend in BACKENDS:
        try:
            got = run(weft, text, inputs, wanted, *options, backend=backend, weights=weights, silent=silent)
        except AssertionError as error:
            return problems + [f"{title} on {error}"]
        for name, values in wanted.items():
            if message := difference(got[name], values, tolerance):
                problems.append(f"{title} on {backend}: {name} {message}")
    return problems


def same_bits(a, b):
    """NaN equals NaN; -0 is not 0."""
    if a.shape != b.shape or a.dtype.kind != "f":
        return np.array_equal(a, b)
    return np.array_equal(a, b, equal_nan=True) and np.array_equal(np.signbit(a[a == 0]), np.signbit(b[b == 0]))


def check_bits(weft, title, text, inputs, wanted, *options, without):
    """Problems of the entry in `text`, which gives `wanted` exactly by both back ends, also without a pass.

    (Without it, a schedule may add in another order.)
    """
    problems = []
    for backend in BACKENDS:
        for left_out in ((), ("--without", without)):
            try:
                got = run(weft, text, inputs, wanted, *options, *left_out, backend=backend)
            except AssertionError as error:
                return problems + [f"{title} on {error}"]
            for name, values in wanted.items():
                values = np.asarray(values)
                reordered = left_out and backend == "halide" and values.dtype.kind == "f"
                close = reordered and np.allclose(got[name], values, rtol=1e-5, atol=1e-5, equal_nan=True)
                if not close and not same_bits(got[name], values):
                    problems.append(f"{title} on {backend} {left_out}: {name} is\n{got[name]}\nnot\n{values}")
    return problems
