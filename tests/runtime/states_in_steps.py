"""States that the steps of `rec` change: run by run against NumPy and by both back ends.

Usage: states_in_steps.py WEFT
"""

import pathlib
import signal
import subprocess
import sys
import tempfile

import numpy

from c_library import Program
from states import run

MODEL = """weft 0.1

/// The mean of all that it has seen; gives what differs from it.
model Average(n: int) {
  state mean: float[n] = 0
  state count: int = 0
  forward(x: float[n]) -> y: float[n] {
    new[i] = mean[i] + (x[i] - mean[i]) / (count + 1)
    y[i] = x[i] - new[i]
    next mean = new
    next count = count + 1
  }
}

/// A cell whose layers remember, and one of which is applied twice.
model Cell(n: int) {
  layers: [Average(n); 2]
  forward(x: float[n], h: float[n]) -> y: float[n] {
    y = x + 0.5 * h
    for layer in layers { y = layer(y) }
    y = layers[0](y)
  }
}

/// A loop of its own, in which a state changes.
model Inner(n: int) {
  state total: float = 0
  state turns: int = 0
  forward(x: float[n]) -> y: float[n] {
    rec k < n {
      y[k] = total + x[k]
      next total = 0.5 * total + x[k]
    }
    next turns = turns + 1
  }
}

/// A ring of rows.
model Ring(rows: int, n: int) {
  state row: float[rows, n] = 0
  state at: int in 0..rows = 0
  push(x: float[n]) -> oldest: float[n] {
    oldest = row[at]
    next row[i] = x if i == at else row[i]
    next at = (at + 1) % rows
  }
}

op noise(x: float) -> y: float { y = x + 0 * float(bits(seed, 0)) }
model Noisy(n: int) {
  state drawn: int = 0
  forward(x: float[n]) -> y: float[n] {
    y[i] = noise(x[i]) + drawn
    next drawn = drawn + 1
  }
}

entry steps {
  dim T in 0..9
  average: Average(3)
  cell: Cell(3)
  inner: Inner(3)
  ring: Ring(4, 3)
  noisy: Noisy(3)
  state a: f32[3] = 1
  state b: f32[3] = 2
  state turns: int = 0
  state w: f32 = 3
  state peak: f32 = -1

  plain(x: f32[T, 3]) -> y: f32[T, 3], n: int {
    n = average.count
    rec y[t] = average(x[t])
  }
  cells(x: f32[T, 3]) -> h: f32[T, 3] { rec h[t] = cell(x[t], h[t-1]) from h[-1, i < 3] = 0 }
  nested(x: f32[T, 3]) -> y: f32[T, 3], n: int[T] {
    rec t {
      n[t] = inner.turns
      y[t] = inner(x[t])
    }
  }
  queue(x: f32[T, 3]) -> y: f32[T, 3] { rec y[t] = ring.push(x[t]) }
  swap(x: f32[T, 3]) -> y: f32[T, 3] {
    rec t {
      old[t, i < 3] = a[i]
      y[t] = old[t] + x[t]
      next a = b
      next b = old[t]
    }
  }
  back(x: f32[T]) -> g: f32[T] {
    rec t {
      g[t] = x[t] + w * g[t+1] + turns
      next turns = turns + t
    } from g[T] = 0
  }
  /// Nothing but states, and one that is read alone.
  hidden(x: f32[T]) -> y: f32 {
    y = peak
    rec t < T {
      next peak = maximum(peak, w * x[t])
      next average.count = average.count + 1
    }
  }
  chosen(x: f32[T, 3], c: bool[T]) -> y: f32[T, 3] { rec y[t] = average(x[t]) if c[t] else x[t] }
  early(x: f32[3], least: f32) -> y: f32[3], n: int {
    rec k < K <= 20 {
      h[k, i] = h[k-1, i] * 0.5 + a[i] * 0
      next turns = turns + 1
      next a[i] = a[i] + h[k, i]
    } from h[-1] = x until all(i) abs(h[k, i]) < least
    y = h[K-1]
    n = K
  }
  seeded(x: f32[T, 3], seed: i64) -> y: f32[T, 3] { rec y[t] = noisy(x[t]) }
  look(k: f32) -> t: int, m: f32[3], p: f32[3], q: f32[3], n: int {
    t = turns
    m[i] = k * average.mean[i]
    p[i] = k * a[i]
    q[i] = k * b[i]
    n = average.count
  }
}
"""

OUTPUTS = {"plain": 2, "cells": 1, "nested": 2, "queue": 1, "swap": 1, "back": 1, "hidden": 1, "chosen": 1, "early": 2,
           "seeded": 1, "look": 5}


class Average:
    def __init__(self):
        self.mean, self.count = numpy.zeros(3, numpy.float32), 0

    def __call__(self, x):
        self.mean = (self.mean + (x - self.mean) / numpy.float32(self.count + 1)).astype(numpy.float32)
        self.count += 1
        return x - self.mean


class Reference:
    """The same in NumPy."""

    def __init__(self):
        self.average, self.layers = Average(), [Average(), Average()]
        self.total, self.inner_turns, self.drawn = numpy.float32(0), 0, 0
        self.ring, self.at = numpy.zeros((4, 3), numpy.float32), 0
        self.a, self.b = numpy.full(3, 1, numpy.float32), numpy.full(3, 2, numpy.float32)
        self.turns, self.w, self.peak = 0, numpy.float32(3), numpy.float32(-1)

    def rows(self, of, x):
        return numpy.array([of(row) for row in x], numpy.float32).reshape(x.shape)

    def plain(self, x):
        n = self.average.count
        return self.rows(self.average, x), n

    def cells(self, x):
        h, last = numpy.zeros_like(x), numpy.zeros(3, numpy.float32)
        for t, row in enumerate(x):
            last = row + 0.5 * last
            for layer in (*self.layers, self.layers[0]):
                last = layer(last)
            h[t] = last
        return (h,)

    def nested(self, x):
        y, turns = numpy.zeros_like(x), []
        for t, row in enumerate(x):
            turns.append(self.inner_turns)
            for k, value in enumerate(row):
                y[t, k] = self.total + value
                self.total = numpy.float32(0.5) * self.total + value
            self.inner_turns += 1
        return y, numpy.array(turns, numpy.int64)

    def queue(self, x):
        y = numpy.zeros_like(x)
        for t, row in enumerate(x):
            y[t], self.ring[self.at] = self.ring[self.at].copy(), row
            self.at = (self.at + 1) % 4
        return (y,)

    def swap(self, x):
        y = numpy.zeros_like(x)
        for t, row in enumerate(x):
            y[t] = self.a + row
            self.a, self.b = self.b, self.a
        return (y,)

    def back(self, x):
        g, last = numpy.zeros_like(x), numpy.float32(0)
        for t in reversed(range(len(x))):
            g[t] = last = x[t] + self.w * last + self.turns
            self.turns += t
        return (g,)

    def hidden(self, x):
        before = self.peak
        for value in x:
            self.peak = max(self.peak, self.w * value)
            self.average.count += 1
        return (before,)

    def chosen(self, x, c):
        return (numpy.array([self.average(row) if take else row for row, take in zip(x, c)],
                            numpy.float32).reshape(x.shape),)

    def early(self, x, least):
        h, n = x, 0
        while True:
            h, n = h * numpy.float32(0.5), n + 1
            self.turns += 1
            self.a = self.a + h
            if n == 20 or (abs(h) < least).all():
                return h, n

    def seeded(self, x, seed):
        y = x + self.drawn + numpy.arange(len(x), dtype=numpy.float32)[:, None]
        self.drawn += len(x)
        return (y,)

    def look(self, k):
        return self.turns, k * self.average.mean, k * self.a, k * self.b, self.average.count


def draw(rng, method):
    real = lambda *shape: rng.standard_normal(shape).astype(numpy.float32)
    steps = int(rng.integers(0, 10))
    special = {"back": lambda: [real(steps)], "hidden": lambda: [real(steps)], "look": lambda: [numpy.float32(2)],
               "chosen": lambda: [real(steps, 3), rng.integers(0, 2, steps).astype(bool)],
               "early": lambda: [real(3), numpy.float32(10.0 ** -rng.integers(0, 9))],
               "seeded": lambda: [real(steps, 3), numpy.int64(steps)]}
    return special.get(method, lambda: [real(steps, 3)])()


def main(weft):
    signal.alarm(600)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "steps.weft").write_text(MODEL)
        for seed, backend in enumerate(("loops", "halide")):
            library = folder / f"{backend}.so"
            subprocess.run([weft, "compile", folder / "steps.weft", "--emit", "so", "--backend", backend, "-o", library],
                           check=True)
            program = Program(library, "weft_steps_steps")
            assert program.code == 0, program.error()
            rng, reference = numpy.random.default_rng(seed), Reference()
            methods = list(OUTPUTS)
            for step in range(150):
                method = methods[step] if step < len(methods) else methods[int(rng.integers(0, len(methods)))]
                inputs = draw(rng, method)
                got, wanted = run(program, method, inputs, OUTPUTS), getattr(reference, method)(*inputs)
                assert got is not None, (backend, step, method, program.error())
                for g, w in zip(got, wanted, strict=True):
                    numpy.testing.assert_allclose(g, w, rtol=1e-4, atol=1e-4, err_msg=f"{backend} {step} {method}")
            program.destroy()
    print("states chain through steps")


if __name__ == "__main__":
    main(sys.argv[1])
