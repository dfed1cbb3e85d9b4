"""Lists whose order or length the data decides, by programs of both back ends, against NumPy: random inputs and the edges
(nothing, one, all equal, NaN, infinities, all kept, none kept); a declared bound that the data breaks; memory that grows.

Usage: found_sizes.py WEFT
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy

MODEL = """weft 0.1

/// What is above, and a record of it row by row.
op above(x: float[N, 2], t: float) -> at: int[K <= N] in 0..N, y: float[K, 2] {
  at = filter(n) x[n, 0] > t
  y = x[at]
}

entry lists {
  dim N in 0..100000
  forward(x: f32[N], t: f32) -> order: int[N], best: int[minimum(N, 7)], at: int[K <= N], kept: f32[K], total: f32,
                                least: f32, few: int[_], doubled: f32[L <= 2*N] {
    order = argsort(n) x[n]
    best = topk(n; 7) x[n]
    pair[n, j < 2] = x[n] + j
    a, rows = above(pair, t)
    at = a
    kept[k] = rows[k, 1] - 1
    total = sum(k) kept[k]
    least = min(k) x[a[k]]
    few = a[:3]
    below = x[filter(n) not x[n] > t]
    doubled = concat([kept, below]; axis = 0)
  }
}
entry ints {
  dim N in 0..100000
  forward(x: int[N]) -> order: int[N], best: int[minimum(N, 7)] {
    order = argsort(n) x[n]
    best = topk(n; 7) x[n]
  }
}
entry halves {
  dim N in 0..100000
  forward(x: f64[N], b: f16[N]) -> order: int[N], kept: int[K <= N div 2] {
    order = argsort(n) b[n]
    kept = filter(n) x[n] > 0
  }
}
entry table {
  dim N in 0..100000
  forward(x: f32[N, 5]) -> order: int[N, 5], row: int[K <= 5*N] in 0..N, column: int[K] in 0..5 {
    order[n] = argsort(j) x[n, j]
    row, column = filter(n, j) x[n, j] > 1
  }
}
"""


def topk(x, k):
    nan = numpy.isnan(x)
    return numpy.lexsort((numpy.arange(len(x)), numpy.where(nan, 0, -x), ~nan))[:k]


class Programs:
    """The entries, compiled by one back end."""

    def __init__(self, weft, backend, folder):
        self.folder = folder
        for entry in ("lists", "ints", "halves", "table"):
            command = [weft, "compile", folder / "lists.weft", "--entry", entry, "--backend", backend, "-o", folder / entry]
            subprocess.run(command, check=True)

    def run(self, entry, outputs, code=0, **inputs):
        words = [self.folder / entry]
        for name, value in inputs.items():
            numpy.save(self.folder / f"{name}.npy", value)
            words += ["--input", f"{name}={self.folder / name}.npy"]
        for name in outputs:
            words += ["--output", f"{name}={self.folder / name}_out.npy"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == code, (entry, done.returncode, done.stderr)
        return [numpy.load(self.folder / f"{name}_out.npy") for name in outputs] if code == 0 else done.stderr


def same(found, wanted, what):
    assert found.shape == numpy.shape(wanted), (what, found.shape, numpy.shape(wanted))
    assert numpy.array_equal(found, wanted, equal_nan=found.dtype.kind == "f"), (what, found, wanted)


def check_floats(program, x, t):
    x, t = numpy.asarray(x, numpy.float32), numpy.float32(t)
    order, best, at, kept, total, least, few, doubled = program.run(
        "lists", ["order", "best", "at", "kept", "total", "least", "few", "doubled"], x=x, t=t)
    wanted = numpy.flatnonzero(x > t)
    same(order, numpy.argsort(x, kind="stable"), "argsort")
    same(best, topk(x, 7), "topk")
    same(at, wanted, "filter")
    numpy.testing.assert_allclose(kept, x[wanted], atol=1e-6)
    numpy.testing.assert_allclose(total, x[wanted].astype(numpy.float64).sum(), rtol=1e-4, atol=1e-4)
    same(least, numpy.min(x[wanted], initial=numpy.inf).astype(numpy.float32), "min of a list")
    same(few, wanted[:3], "a cut")
    same(doubled[len(wanted):], x[~(x > t)], "concat")


def check(program):
    rng = numpy.random.default_rng(5)
    nan, inf = numpy.nan, numpy.inf
    edges = [[], [0.0], [nan], [1, 1, 1, 1], [nan, 2, nan, -inf, inf, -0.0, 0.0], [-1] * 9, list(range(9))]
    for x in edges:
        check_floats(program, x, 0.5)
    for n in (2, 17, 1000, 50000):
        check_floats(program, rng.normal(size=n), rng.normal())
        check_floats(program, rng.integers(0, 5, n), 3)  # ties
        x = rng.integers(-(2**62), 2**62, n) if n % 2 else rng.integers(-3, 3, n)
        order, best = program.run("ints", ["order", "best"], x=x)
        same(order, numpy.argsort(x, kind="stable"), "argsort of ints")
        same(best, numpy.lexsort((numpy.arange(n), -x))[:7], "topk of ints")
        half = rng.normal(size=n).astype(numpy.float16)
        rare = numpy.where(numpy.arange(n) % 3 == 1, 1.0, -1.0)
        order, kept = program.run("halves", ["order", "kept"], x=rare, b=half)
        same(order, numpy.argsort(half, kind="stable"), "argsort of f16")
        same(kept, numpy.flatnonzero(rare > 0), "a list within its bound")
        x = rng.normal(size=(n, 5)).astype(numpy.float32)
        order, row, column = program.run("table", ["order", "row", "column"], x=x)
        same(order, numpy.argsort(x, axis=1, kind="stable"), "argsort of rows")
        same(numpy.stack([row, column]), numpy.stack(numpy.nonzero(x > 1)), "filter of two indices")
    error = program.run("halves", ["kept"], code=1, x=numpy.ones(6), b=numpy.zeros(6, numpy.float16))
    assert "has 6 elements, more than the 3 of its declaration, `K <= N div 2`" in error, error


def main():
    weft = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "lists.weft").write_text(MODEL)
        for backend in ("loops", "halide"):
            programs = Programs(weft, backend, folder)
            described = subprocess.run([folder / "lists", "--describe"], capture_output=True, text=True, check=True).stdout
            assert "output at: int[K <= N]" in described and "output kept: f32[K <= N]" in described, described
            check(programs)
    print("lists as NumPy finds them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
