"""Compiled entries as their users meet them: methods, dimensions, ranges, types, and what is said of wrong inputs.

Usage: entries.py WEFT
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

MODEL = """weft 0.1

model Net(dim: int, win: int) {
  param w: float[dim] = 2
  forward(x: float[B, H, dim]) -> y: float[B, H/win, win, dim] {
    y[b, i, j, c] = x[b, (i, j), c] * w[c]
  }
}

op narrow(x: float[N, W]; r: int) -> y: float[N, W - r + 1] where W >= r: "a window of {r} does not fit {W} columns" {
  y[n, i] = sum(j < r) x[n, i + j]
}

entry program {
  dim B in 1..4, H in 8..64 step 4, hot {8, 64}
  net as "": Net(3, 8)

  forward(x: f32[B, H, 3]) -> y { y = net(x) }

  several(x: f32[B], k: int[B] in 0..H, t: f32[H]) -> twice: f32[B], picked: f32[B], best: int[] in 0..B {
    twice = 2 * x
    picked[b] = t[k[b]]
    best = argmax(b) x[b]
  }

  types(a: i8[B], b: u8[B], c: i32[B], d: i64[B], e: f64[B], f: f16[B], g: bool[B], h: int[B]) -> n: int[B] {
    n[i] = int(a[i]) + int(b[i]) + int(c[i]) + int(d[i]) + int(floor(e[i])) + int(floor(f[i])) +
           (1 if g[i] else 0) + h[i]
  }

  windows(x: f32[B, W]) -> y { y = narrow(x, r = 3) }
  pairs(x: f32[W]) -> y: f32[W/2, 2] { y[i, j] = x[(i, j)] }
  same(x: f32[N], z: f32[N], at: int in 0..N) -> y: f32 { y = x[at] * z[at] }
}
"""


class Programs:
    """The entry, compiled by each back end; what one call of it gives."""

    def __init__(self, weft, folder):
        self.weft, self.folder = weft, folder
        self.model = folder / "model.weft"
        self.model.write_text(MODEL)
        for backend in ("loops", "halide"):
            done = self.compile(backend, f"program_{backend}")
            assert done.returncode == 0, done.stderr

    def compile(self, backend, name, *words):
        command = [self.weft, "compile", self.model, "--backend", backend, "-o", self.folder / name, *words]
        return subprocess.run(command, capture_output=True, text=True)

    def call(self, program, method, inputs, outputs=()):
        words = [self.folder / program, method, "--init", "1"]
        for name, value in inputs.items():
            if np.ndim(value) == 0 and not isinstance(value, np.ndarray):
                words += ["--input", f"{name}={value}"]
                continue
            np.save(self.folder / f"{name}.npy", value)
            words += ["--input", f"{name}={self.folder / name}.npy"]
        for name in outputs:
            words += ["--output", f"{name}={self.folder / name}_out.npy"]
        done = subprocess.run(words, capture_output=True, text=True)
        results = [np.load(self.folder / f"{name}_out.npy") for name in outputs] if done.returncode == 0 else []
        return done, results

    def gives(self, method, inputs, **wanted):
        for backend in ("loops", "halide"):
            done, results = self.call(f"program_{backend}", method, inputs, wanted)
            assert done.returncode == 0, (method, done.stderr)
            for got, (name, value) in zip(results, wanted.items()):
                assert got.shape == np.shape(value), (method, name, got.shape, np.shape(value))
                assert np.array_equal(got, value), (method, name, got, value)

    def refuses(self, method, inputs, *texts, program="program_halide"):
        done, _ = self.call(program, method, inputs)
        assert done.returncode == 1, (method, done.returncode, done.stdout, done.stderr)
        assert done.stderr.count("error:") == 1 and not done.stdout, (method, done.stdout, done.stderr)
        for text in texts:
            assert text in done.stderr, (method, text, done.stderr)


def check_results(programs, rng):
    x = rng.normal(size=(2, 16, 3)).astype(np.float32)
    programs.gives("forward", {"x": x}, y=(2 * x).reshape(2, 2, 8, 3))
    row, k, t = x[0, :3, 0], np.array([7, 0, 5]), x[0, :8, 1]
    programs.gives(
        "several", {"x": row, "k": k, "t": t}, twice=2 * row, picked=t[k], best=np.int64(row.argmax())
    )
    numbers = {
        "a": np.array([-128, 127], np.int8), "b": np.array([255, 1], np.uint8),
        "c": np.array([-(2**31), 5], np.int32), "d": np.array([2**40, 6], np.int64),
        "e": np.array([2.75, -0.5]), "f": np.array([7.5, 8], np.float16),
        "g": np.array([True, False]), "h": np.array([10, 11]),
    }  # fmt: skip
    wanted = sum(np.floor(v).astype(np.int64) for v in numbers.values())
    programs.gives("types", numbers, n=wanted)
    window = np.arange(10, dtype=np.float32).reshape(2, 5)
    programs.gives("windows", {"x": window}, y=window[:, :3] + window[:, 1:4] + window[:, 2:])
    programs.gives("pairs", {"x": np.arange(6, dtype=np.float32)}, y=np.arange(6, dtype=np.float32).reshape(3, 2))
    ten = np.arange(10, dtype=np.float32)
    programs.gives("same", {"x": ten, "z": ten, "at": 9}, y=np.float32(81))


def check_dimensions(programs):
    x = lambda *shape: np.zeros(shape, np.float32)
    programs.refuses("forward", {"x": x(5, 16, 3)}, "B must be in 1..4", "it is 5 in `x`")
    programs.refuses("forward", {"x": x(0, 16, 3)}, "B must be in 1..4", "it is 0")
    programs.refuses("forward", {"x": x(1, 18, 3)}, "H must be in 8..64 step 4", "it is 18")
    programs.refuses("forward", {"x": x(1, 128, 3)}, "H must be in 8..64 step 4", "it is 128")
    programs.refuses("forward", {"x": x(1, 12, 3)}, "H must be divisible by 8, not 12, because of `H/win`", "model.weft:5")
    programs.refuses("forward", {"x": x(1, 16, 4)}, "f32[B, H, 3]", "[1, 16, 4]")
    programs.refuses("forward", {"x": x(16, 3)}, "f32[B, H, 3]", "2 axes")
    programs.refuses("same", {"x": x(3), "z": x(4), "at": 0}, "N is 3 in `x`, but 4 in `z`")
    programs.refuses("pairs", {"x": x(7)}, "W must be divisible by 2", "7")
    programs.refuses("windows", {"x": x(2, 2)}, "a window of 3 does not fit 2 columns")


def check_ranges(programs):
    x, t = np.zeros(2, np.float32), np.zeros(8, np.float32)
    several = lambda *k: {"x": x, "k": np.array(k), "t": t}
    programs.refuses("several", several(0, 8), "`k` must be in 0..H", "it is 8 at [1]")
    programs.refuses("several", several(-1, 3), "`k` must be in 0..H", "it is -1 at [0]")
    programs.refuses("same", {"x": x, "z": x, "at": 2}, "`at` must be in 0..N", "it is 2")


def check_types(programs):
    good = np.zeros((1, 16, 3), np.float32)
    for wrong in (good.astype(np.int32), good > 1, good.astype(np.complex64)):
        programs.refuses("forward", {"x": wrong}, "`x`")
    several = {"x": np.zeros(2, np.float32), "k": np.zeros(2), "t": np.zeros(8, np.float32)}
    programs.refuses("several", several, "`k`", "int")
    programs.refuses("forward", {}, "`x`")
    programs.refuses("forward", {"x": good, "z": good}, "`z`")
    programs.refuses("forwards", {"x": good}, "forwards")


def check_fixed_dimensions(programs):
    for backend in ("loops", "halide"):
        done = programs.compile(backend, "fixed", "--dim", "B=2", "--dim", "H=24")
        assert done.returncode == 0, done.stderr
        x = np.ones((2, 24, 3), np.float32)
        done, (y,) = programs.call("fixed", "forward", {"x": x}, ["y"])
        assert done.returncode == 0 and y.shape == (2, 3, 8, 3) and (y == 2).all(), done.stderr
        programs.refuses("forward", {"x": x[:1]}, "`x`", "[1, 24, 3]", program="fixed")
    for words, text in [
        (["B=5"], "`B` cannot be 5"), (["H=10"], "`H` cannot be 10"), (["Q=1"], "`Q`"),
        (["H=12"], "3/2"), (["B=two"], "B=two"), (["B"], "B"),
    ]:  # fmt: skip
        done = programs.compile("loops", "fixed", *(word for dim in words for word in ("--dim", dim)))
        assert done.returncode == 1 and text in done.stderr and "error" in done.stderr, (words, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        programs = Programs(sys.argv[1], pathlib.Path(folder))
        check_results(programs, np.random.default_rng(3))
        check_dimensions(programs)
        check_ranges(programs)
        check_types(programs)
        check_fixed_dimensions(programs)


main()
