"""What states begin with where it is computed: of weights, of earlier states, per element; by both back ends, against
NumPy, with files that give some of the states, after a reset, and with the weights inside the program.

Usage: initial_values.py WEFT
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy

from c_library import Program
from states import read_states, run, write_states

MODEL = """weft 0.1

op smooth(x: float[N]) -> y: float[N] { rec y[i] = 0.5 * y[i-1] + x[i] from y[-1] = 0 }

/// Follows what it is given, and begins with what its maker knows.
model Follower(n: int, rows: int) {
  param w: float[n]
  state slow: float[n] = w
  state twice[i]: float[n] = 2 * slow[i] + (offset[i] else 0)
  state kept: float[n] = smooth(twice)
  state queue[i, j]: float[rows, n] = sin(i) * w[j] + j / n
  state order: int[n] in 0..n = argsort(i) w[i]
  state largest: int in 0..n = order[n - 1]
  state table: float[3] = [1.5, 2.5, 3.5]
  state above: bool = any(i) w[i] > 0
  param offset: float[n] if n > 1 = [0.5, 0.25, 0.125, 0]
  forward(x: float[n]) -> y: float[n], at: int[n] {
    y[i] = slow[i] + twice[i] + kept[i] + queue[0, i] + (table[0] if above else 0)
    at = order
    next slow = 0.5*slow + 0.5*x
    next twice = twice + 1
    next queue[i] = queue[i + 1] else x
  }
}

/// Begins with what a part of it begins with.
model Outer(n: int) {
  state copy: float[n] = inner.slow + inner.kept
  inner: Follower(n, 5)
  forward(x: float[n]) -> y: float[n], at: int[n] {
    y, at = inner(x)
    next copy = copy + y
  }
}

entry follow {
  net: Outer(4)
  state runs: int = 7 - 4
  forward(x: f32[4]) -> y: f32[4], at: int[4] {
    y, at = net(x)
    next runs = runs + 1
  }
  look(k: f32) -> queue: f32[5, 4], copy: f32[4] {
    queue[i, j] = k * net.inner.queue[i, j]
    copy[j] = k * net.copy[j]
  }
}
"""

W = numpy.array([0.5, -1.0, 2.0, 0.25], numpy.float32)
OFFSET = numpy.array([0.5, 0.25, 0.125, 1], numpy.float32)
X = numpy.array([1, 2, 3, 4], numpy.float32)
HERE = {"slow": W, "w": W}


class Reference:
    def __init__(self, slow=W, offset=OFFSET):
        self.slow, self.twice = slow, 2 * slow + offset
        self.kept, last = [], 0
        for value in self.twice:
            last = 0.5 * last + value
            self.kept.append(last)
        self.kept = numpy.array(self.kept, numpy.float32)
        self.queue = numpy.sin(numpy.arange(5))[:, None] * W + numpy.arange(4) / 4
        self.order, self.copy = numpy.argsort(W, kind="stable"), self.slow + self.kept

    def forward(self, x):
        y = self.slow + self.twice + self.kept + self.queue[0] + 1.5
        self.slow, self.twice = 0.5 * self.slow + 0.5 * x, self.twice + 1
        self.queue = numpy.concatenate([self.queue[1:], x[None]])
        self.copy = self.copy + y
        return y, self.order

    def look(self, k):
        return k * self.queue, k * self.copy


OUTPUTS = {"forward": 2, "look": 2}


def same(got, wanted):
    for g, w in zip(got, wanted, strict=True):
        numpy.testing.assert_allclose(g, w, rtol=1e-5, atol=1e-5)


def check_executable(program, folder, words, reference, state=None):
    """Two runs that share a file, and the values before the first."""
    file = folder / "kept.safetensors"
    file.unlink(missing_ok=True)
    numpy.save(folder / "x.npy", X)
    for _ in range(2):
        command = [program, *words, "--state", file, "--input", f"x={folder}/x.npy", "--output", f"y={folder}/y.npy",
                   "--output", f"at={folder}/at.npy"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        same([numpy.load(folder / "y.npy"), numpy.load(folder / "at.npy")], reference.forward(X))
    states = read_states(file)
    same([states["inner.queue"], states["copy"], states["runs"]], [*reference.look(1), 5])


def check_backend(weft, folder, backend):
    (folder / "follow.weft").write_text(MODEL)
    source, weights = folder / "follow.weft", folder / "w.safetensors"
    compile_to = lambda *words: subprocess.run([weft, "compile", source, "--backend", backend, *words], check=True)
    compile_to("-o", folder / "follow")
    write_states(weights, {"inner.w": W, "inner.offset": OFFSET})
    check_executable(folder / "follow", folder, ["--weights", weights], Reference())
    # A file's state counts, and what begins with it follows.
    slow = numpy.array([9, 8, 7, 6], numpy.float32)
    given = folder / "given.safetensors"
    write_states(given, {"inner.w": W, "inner.offset": OFFSET, "inner.slow": slow})
    check_executable(folder / "follow", folder, ["--weights", given], Reference(slow))
    compile_to("--weights", given, "--embed-weights", "-o", folder / "inside")
    check_executable(folder / "inside", folder, [], Reference(slow))

    # A library: without files the weights have their own first values; a reset begins again.
    compile_to("--emit", "so", "-o", folder / "follow.so")
    for _ in range(2):
        library = Program(folder / "follow.so", "weft_follow_follow")
        first = run(library, "look", [numpy.float32(1)], OUTPUTS)
        assert numpy.isfinite(first[0]).all()
        run(library, "forward", [X], OUTPUTS)
        assert (run(library, "look", [numpy.float32(1)], OUTPUTS)[1] != first[1]).any()
        assert library.call("reset_state")(library.handle) == 0
        same(run(library, "look", [numpy.float32(1)], OUTPUTS), first)
        library.destroy()


def main(weft):
    with tempfile.TemporaryDirectory() as folder:
        for backend in ("loops", "halide"):
            check_backend(weft, pathlib.Path(folder), backend)


if __name__ == "__main__":
    main(sys.argv[1])
