"""3x3 convolutions with a tolerance, beside NumPy's sums in f64: python winograd.py WEFT [--table]

Both back ends, over sizes that no tile divides, paddings, prime channels, batches and epilogues; the error against what the pass
expects of it. With --table: the largest errors by channels, inputs and weights, for the pass's page.
"""

import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from program_case import BACKENDS, run, same_bits

# A processor on which all of SIZES are faster by tiles; where it is another one, some are computed as they stand.
TARGET = ["--target", "x86-64-v4"]
HERE = TARGET if "avx512vl" in pathlib.Path("/proc/cpuinfo").read_text() else []

# Of one channel, as passes/winograd/minimal_filtering.cc has it.
ERROR = {2: 1.5e-7, 4: 2.1e-6}


def model(batch, cin, cout, height, width, pad, epilogue="", schedule=""):
    """A convolution and what follows; the sizes are numbers, or `H in 1..99` for dimensions."""
    dims = "".join(f"  dim {size}\n" for size in (batch, height, width) if " in " in str(size))
    n, h, w = (str(size).split()[0] for size in (batch, height, width))
    out = [size if pad == 1 else f"{size} - 2" for size in (h, w)]
    value = f"conv(x){epilogue}"
    residual = f", r: f32[{n}, {cout}, {out[0]}, {out[1]}]" if "r" in epilogue else ""
    return f"""weft 0.1
import std.activation: relu
import std.conv: Conv2d
import std.norm: BatchNorm

entry net {{
{dims}  conv: Conv2d({cin}, {cout}, 3, pad = {pad})
  norm: BatchNorm({cout})
  forward(x: f32[{n}, {cin}, {h}, {w}]{residual}) -> y: f32[{n}, {cout}, {out[0]}, {out[1]}] {{
    y = {"relu(norm(conv(x)) + r)" if residual else value}
  }}
}}
{schedule}"""


def convolve(x, weight, bias, pad):
    x, weight = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (pad, pad), (pad, pad))), weight.astype(np.float64)
    height, width = x.shape[2] - 2, x.shape[3] - 2
    y = np.zeros((x.shape[0], weight.shape[0], height, width)) + bias.astype(np.float64)[:, None, None]
    for r in range(3):
        for s in range(3):
            y += np.einsum("nchw,kc->nkhw", x[:, :, r : r + height, s : s + width], weight[:, :, r, s], optimize=True)
    return y


def weights(rng, cin, cout, positive=False):
    draw = rng.random if positive else rng.standard_normal
    given = {"conv.weight": draw((cout, cin, 3, 3)), "conv.bias": draw(cout)}
    return {name: value.astype(np.float32) for name, value in given.items()}


def explained(weft, text, tolerance, target=TARGET):
    """What `weft explain --kernels` says of convolutions."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.weft"
        path.write_text(text)
        options = ["--tolerance", str(tolerance), *target]
        done = subprocess.run([weft, "explain", "--kernels", path, *options], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


def relative_error(got, wanted):
    return np.abs(got - wanted).max() / np.abs(wanted).max()


SIZES = [  # batch, channels, filters, height, width, pad, m
    (1, 64, 64, 9, 13, 1, 2),
    (1, 64, 64, 21, 25, 1, 4),
    (2, 13, 43, 19, 22, 1, 4),
    (3, 7, 11, 18, 23, 0, 4),
    (1, 16, 24, 23, 26, 0, 4),
    (1, 80, 32, 15, 15, 1, 2),
]


def sizes(weft, rng):
    problems = []
    for batch, cin, cout, height, width, pad, outputs in SIZES:
        text = model(batch, cin, cout, height, width, pad)
        tolerance = 1e-4 if outputs == 4 else 3 * ERROR[2] * math.sqrt(cin)
        title = f"{batch}x{cin}x{height}x{width} to {cout}, pad {pad}"
        if f"tiles of {outputs}x{outputs}" not in (said := explained(weft, text, tolerance)):
            problems.append(f"{title}: explain says {said!r}")
        given = weights(rng, cin, cout)
        x = rng.standard_normal((batch, cin, height, width)).astype(np.float32)
        wanted = convolve(x, given["conv.weight"], given["conv.bias"], pad)
        for backend in BACKENDS:
            options = ("--tolerance", str(tolerance))
            y = run(weft, text, {"x": x}, ["y"], *options, *HERE, backend=backend, weights=given, silent=True)["y"]
            if (error := relative_error(y, wanted)) > ERROR[outputs] * math.sqrt(cin):
                problems.append(f"{title} on {backend}: the error is {error}")
    return problems


def epilogue(weft, rng):
    """Batch norm in the weights, a residual and relu behind; run-time sizes."""
    problems = []
    for sizes_of in ((1, 24, 22), ("B in 1..4", "H in 3..99", "W in 3..99")):
        text = model(sizes_of[0], 32, 48, sizes_of[1], sizes_of[2], 1, epilogue=" + r")
        given = weights(rng, 32, 48)
        given |= {f"norm.{name}": rng.random(48).astype(np.float32) + np.float32(0.5) for name in ("weight", "bias", "running_mean", "running_var")}  # fmt: skip
        x = rng.standard_normal((1, 32, 24, 22)).astype(np.float32)
        r = rng.standard_normal((1, 48, 24, 22)).astype(np.float32)
        scale = given["norm.weight"] / np.sqrt(given["norm.running_var"] + 1e-5)
        y = convolve(x, given["conv.weight"], given["conv.bias"], 1) - given["norm.running_mean"][:, None, None]
        wanted = np.maximum(y * scale[:, None, None] + given["norm.bias"][:, None, None] + r, 0)
        if "tiles of 4x4" not in explained(weft, text, 1e-4):
            problems.append(f"sizes {sizes_of}: the convolution is not transformed")
        for backend in BACKENDS:
            got = run(weft, text, {"x": x, "r": r}, ["y"], "--tolerance", "1e-4", *HERE, backend=backend, weights=given, silent=True)["y"]
            if (error := relative_error(got, wanted)) > 1e-4:
                problems.append(f"epilogue, sizes {sizes_of} on {backend}: the error is {error}")
    return problems


def borders(weft, rng):
    """A pixel that is no number makes its tiles such, and nothing else; infinities do not spread from outside."""
    problems = []
    text, given = model(1, 32, 32, 30, 30, 1), weights(rng, 32, 32)
    x = rng.standard_normal((1, 32, 30, 30)).astype(np.float32)
    wanted = convolve(x, given["conv.weight"], given["conv.bias"], 1)
    x[0, 3, 6, 9] = np.nan
    has_tiles = "tiles of 4x4" in explained(weft, text, 1e-4, HERE)
    for backend in BACKENDS:
        y = run(weft, text, {"x": x}, ["y"], "--tolerance", "1e-4", *HERE, backend=backend, weights=given)["y"]
        lost = np.isnan(y)
        near = np.zeros_like(lost)
        # The only tile of 4x4 that reads (6, 9): rows 3..8, columns 7..12; without tiles the places around it.
        rows, columns = (slice(4, 8), slice(8, 12)) if has_tiles else (slice(5, 8), slice(8, 11))
        near[:, :, rows, columns] = True
        if not (lost == near).all() or relative_error(y[~lost], wanted[~lost]) > 1e-4:
            problems.append(f"NaN on {backend}: lost are {np.argwhere(lost[0, 0]).tolist()}")
    return problems


def permission(weft, rng):
    """Nothing changes without a tolerance or with one that is too small; a file's own does what the option does."""
    problems = []
    text, given = model(1, 32, 32, 16, 16, 1), weights(rng, 32, 32)
    x = rng.standard_normal((1, 32, 16, 16)).astype(np.float32)
    compute = lambda text, *options: run(weft, text, {"x": x}, ["y"], *options, *HERE, weights=given)["y"]  # noqa: E731
    plain, fast = compute(text), compute(text, "--tolerance", "1e-4")
    if same_bits(plain, fast):
        problems.append("a tolerance changes nothing")
    for options in (("--tolerance", "1e-8"), ("--tolerance", "0"), ("--tolerance", "1e-4", "--without", "transform-convolutions")):
        if not same_bits(plain, compute(text, *options)):
            problems.append(f"{options} change the result")
    if "the tolerance is too small" not in explained(weft, text, 1e-8):
        problems.append("explain does not say that the tolerance is too small")
    allowed = text + "schedule conv { tolerance 1e-4 }\n"
    forbidden = text + "schedule conv2d.y { tolerance 1e-4 }\nschedule conv { tolerance 0 }\n"
    if not same_bits(fast, compute(allowed)):
        problems.append("a tolerance in the file is not the option's")
    if not same_bits(plain, compute(forbidden, "--tolerance", "1e-4")):
        problems.append("an equation's own tolerance is not stronger than that of all")
    packed = text + "schedule conv { pack w as [k div 8, r, s, c, k % 8] }\n"
    if not same_bits(compute(packed), compute(packed, "--tolerance", "1e-4")):
        problems.append("a tolerance changes a convolution whose weights a schedule packs")
    if "a schedule packs what it reads" not in explained(weft, packed, 1e-4):
        problems.append("explain does not say that packed weights keep the sum")
    return problems


def refused(weft, rng):
    problems = []
    text = model(1, 8, 8, 16, 16, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.weft"
        for word in ("-1", "nan", "inf", "1", "small", "1e-4x"):
            path.write_text(text)
            done = subprocess.run([weft, "compile", path, f"--tolerance={word}", "-o", path.with_suffix(".out")], capture_output=True, text=True)  # fmt: skip
            if done.returncode != 1 or f"--tolerance: `{word}` is not a number from 0 to 1" not in done.stderr:
                problems.append(f"--tolerance {word}: exit code {done.returncode}, {done.stderr!r}")
        path.write_text(text + "schedule conv { tolerance -1 }\n")
        done = subprocess.run([weft, "check", path], capture_output=True, text=True)
        if done.returncode != 1 or "expected a number from 0 to 1, found `-`" not in done.stderr + done.stdout:
            problems.append(f"tolerance -1: exit code {done.returncode}, {done.stdout}{done.stderr}")
    return problems


def table(weft, rng):
    print("channels  inputs   weights   F(2x2)    F(4x4)")
    for cin in (16, 64, 512):
        cout = 128 if cin == 512 else 32
        for inputs in ("normal", "relu", "positive"):
            for positive in (False, True):
                errors = []
                for outputs in (2, 4):
                    text, given = model(1, cin, cout, 24, 24, 1), weights(rng, cin, cout, positive)
                    x = rng.random((1, cin, 24, 24)) if inputs == "positive" else rng.standard_normal((1, cin, 24, 24))
                    x = (np.maximum(x, 0) if inputs == "relu" else x).astype(np.float32)
                    tolerance = 1.01 * ERROR[outputs] * math.sqrt(cin)
                    y = run(weft, text, {"x": x}, ["y"], "--tolerance", str(tolerance), *HERE, weights=given)["y"]
                    errors.append(relative_error(y, convolve(x, given["conv.weight"], given["conv.bias"], 1)))
                kind = "positive" if positive else "normal"
                print(f"{cin:8}  {inputs:8} {kind:8}  {errors[0]:.1e}   {errors[1]:.1e}")
    return []


def main():
    rng = np.random.default_rng(7)
    parts = [table] if "--table" in sys.argv else [sizes, epilogue, borders, permission, refused]
    problems = [problem for part in parts for problem in part(sys.argv[1], rng)]
    print("\n".join(problems) or "all results are within the errors that are expected")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
