"""Ops in C: called from executables, libraries, `weft run` and `weft test`, by both back ends; what C gives is checked, and
what is missing is a diagnostic.

Usage: externs.py WEFT
"""

import ctypes
import pathlib
import subprocess
import sys
import tempfile

import numpy

from c_library import Program, view

C = r"""
#include <stdint.h>
#include <string.h>
#include "weft.h"

static int64_t size(const weft_tensor* t) {
  int64_t count = 1;
  for (int axis = 0; axis < t->rank; ++axis) count *= t->shape[axis];
  return count;
}

/* For every row the column that is least among those not taken, in order. */
int greedy_match(const weft_tensor* in, weft_tensor* out) {
  const float* cost = in[0].data;
  int64_t n = in[0].shape[0], m = in[0].shape[1], *match = out[0].data;
  float* total = out[1].data;
  char taken[1024] = {0};
  *total = 0;
  if (in[0].type != WEFT_F32 || out[0].type != WEFT_INT || out[0].rank != 1 || out[0].shape[0] != n || out[1].rank != 0 ||
      in[0].strides || m > 1024)
    return 99;
  for (int64_t i = 0; i < n; ++i) {
    match[i] = -1;
    for (int64_t j = 0; j < m; ++j)
      if (!taken[j] && (match[i] < 0 || cost[i * m + j] < cost[i * m + match[i]])) match[i] = j;
    if (match[i] >= 0) taken[match[i]] = 1, *total += cost[i * m + match[i]];
  }
  return 0;
}

/* Every type there and back. */
int echo(const weft_tensor* in, weft_tensor* out) {
  static const int64_t bytes[] = {1, 8, 1, 1, 4, 8, 2, 2, 4, 8};
  for (int i = 0; i < 6; ++i) {
    if (in[i].type != out[i].type) return 7;
    memcpy(out[i].data, in[i].data, (size_t)(size(&in[i]) * bytes[in[i].type]));
  }
  return 0;
}

/* What the caller says, right or wrong. */
int pick(const weft_tensor* in, weft_tensor* out) {
  int64_t value = *(const int64_t*)in[0].data, *y = out[0].data;
  if (value == 1000) return 12;
  for (int64_t i = 0; i < size(&out[0]); ++i) y[i] = i == 2 ? value : 0;
  return 0;
}

int counted(const weft_tensor* in, weft_tensor* out) {
  static int64_t calls;
  *(int64_t*)out[0].data = ++calls + 0 * in[0].rank;
  return 0;
}
"""

MODEL = """weft 0.1

extern op greedy_match(cost: f32[N, M]) -> match: int[N] in -1..M, total: f32
extern op echo(a: bool[N], b: int[N], c: u8[N], d: f16, e: f64[N, 2], f: i32)
    -> a: bool[N], b: int[N], c: u8[N], d: f16, e: f64[N, 2], f: i32
extern op pick(x: int) -> y: int[4] in 0..3
extern op counted(x: f32) -> n: int

op matched(cost: float[N, M], v: float[M]) -> y: float[N], total: float {
  match, total = greedy_match(cost)
  y[n] = v[match[n]] else 0
}

model Tracker(most: int) {
  param scale: float
  state seen: float[most] = 0
  forward(x: float[most], y: float[most]) -> match: int[most] {
    cost[i, j] = scale * abs(x[i] - y[j]) + seen[j]
    match, total = greedy_match(cost)
    next seen[j] = seen[j] + count(i) match[i] == j
  }
}

entry assign {
  dim N in 0..40, M in 0..40
  net: Tracker(3)
  forward(cost: f32[N, M], v: f32[M]) -> y: f32[N], total: f32 { y, total = matched(2 * cost, v + 1) }
  track(x: f32[3], y: f32[3]) -> match: int[3] { match = net(x, y) }
  through(a: bool[N], b: int[N], c: u8[N], d: f16, e: f64[N, 2], f: i32)
      -> a2: bool[N], b2: int[N], c2: u8[N], d2: f16, e2: f64[N, 2], f2: i32 {
    a2, b2, c2, d2, e2, f2 = echo(a, b, c, d, e, f)
  }
  picked(x: int) -> y: f32[4] { y[i] = [0.5, 1.5, 2.5][pick(x)[i]] }
  /// A call in the branch that is taken.
  maybe(x: int, c: bool) -> y: f32 { y = sum(i) [0.5, 1.5, 2.5][pick(x)[i]] if c else 9 }
  /// A call per step.
  steps(x: int) -> y: f32[5] {
    rec y[t] = y[t-1] + pick(x)[2] + pick(int(floor(y[t-1])) * 0 + 1)[2] from y[-1] = 0.0
  }
  once(x: f32) -> n: int { n = counted(net.scale * 0) + int(floor(0 * x)) }
}

test "a matching" {
  y, total = matched([[1.0, 2.0], [1.0, 4.0], [0.0, 0.0]], [10.0, 20.0])
  expect y == [10.0, 20.0, 0.0]
  expect total ~= 5.0 within 1e-6
}
"""


def reference(cost):
    taken, match, total = set(), [], 0.0
    for row in cost:
        free = [j for j in range(len(row)) if j not in taken]
        best = min(free, key=lambda j: row[j]) if free else -1
        match.append(best)
        if free:
            taken.add(best)
            total += row[best]
    return numpy.array(match, numpy.int64), total


class Case:
    def __init__(self, weft, folder):
        self.weft, self.folder = weft, folder
        (folder / "c.c").write_text(C)
        (folder / "m.weft").write_text(MODEL)
        header = subprocess.run([weft, "compile", folder / "m.weft", "--emit", "a", "-o", folder / "header.a"],
                                capture_output=True, text=True)
        assert header.returncode == 0, header.stderr  # an archive gets its ops where it goes
        (folder / "weft.h").write_text((folder / "header.h").read_text())
        self.cc("-c", "c.c", "-o", "c.o")
        self.cc("-shared", "c.c", "-o", "libc_ops.so")
        subprocess.run(["ar", "rcs", folder / "c.a", folder / "c.o"], check=True)

    def cc(self, *words):
        words = [self.folder / word if word.startswith(("c.", "lib", "main")) else word for word in words]
        subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", f"-I{self.folder}", *words], check=True)

    def weft_fails(self, *words):
        done = subprocess.run([self.weft, *words], capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == 1 and "undefined reference" not in done.stderr, (words, done.stdout, done.stderr)
        return done.stderr

    def run(self, program, method, outputs, code=0, **inputs):
        words = [program, method, "--init", "1"]
        for name, value in inputs.items():
            numpy.save(self.folder / f"{name}.npy", value)
            words += ["--input", f"{name}={self.folder / name}.npy"]
        for name in outputs:
            words += ["--output", f"{name}={self.folder / name}_out.npy"]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == code, (method, done.stdout, done.stderr)
        return [numpy.load(self.folder / f"{name}_out.npy") for name in outputs] if code == 0 else done.stderr


def check_values(case, program, rng):
    for n, m in ((3, 5), (5, 3), (0, 4), (4, 0), (1, 1), (17, 40)):
        cost, v = rng.normal(size=(n, m)).astype(numpy.float32), rng.normal(size=m).astype(numpy.float32)
        match, total = reference(2 * cost)
        wanted = numpy.array([v[j] + 1 if j >= 0 else 0 for j in match], numpy.float32)
        y, sum_of = case.run(program, "forward", ["y", "total"], cost=cost, v=v)
        numpy.testing.assert_allclose(y, wanted, rtol=1e-6)
        numpy.testing.assert_allclose(sum_of, total, rtol=1e-5, atol=1e-5)
    values = {"a": rng.random(5) > 0.5, "b": rng.integers(-9, 9, 5), "c": rng.integers(0, 256, 5).astype(numpy.uint8),
              "d": numpy.float16(1.5), "e": rng.normal(size=(5, 2)), "f": numpy.int32(-7)}
    for got, wanted in zip(case.run(program, "through", [name + "2" for name in values], **values), values.values()):
        assert got.dtype == numpy.asarray(wanted).dtype and (got == wanted).all(), (got, wanted)
    assert case.run(program, "maybe", ["y"], x=numpy.int64(1), c=numpy.bool_(True))[0] == 3
    assert case.run(program, "maybe", ["y"], x=numpy.int64(1), c=numpy.bool_(False))[0] == 9
    assert (case.run(program, "steps", ["y"], x=numpy.int64(2))[0] == 3 * numpy.arange(1, 6)).all()
    assert (case.run(program, "picked", ["y"], x=numpy.int64(1))[0] == [0.5, 0.5, 1.5, 0.5]).all()


def check_errors(case, program):
    for value, text in ((3, "`y` must be in 0..3, but it is 3 at [2]"), (-1, "`y` must be in 0..3, but it is -1 at [2]"),
                        (1000, "the extern op `pick` failed with code 12")):
        error = case.run(program, "picked", ["y"], code=1, x=numpy.int64(value))
        assert text in error and "m.weft:" in error and "`pick`" in error, error


def check_library(case, library):
    """In one process: calls depend on weights and stay calls, states and ops in C go together."""
    program = Program(library, "weft_m_assign")
    assert program.code == 0, program.error()
    x, y = numpy.array([1, 2, 3], numpy.float32), numpy.array([3, 1, 2], numpy.float32)
    match = numpy.zeros(3, numpy.int64)
    for _ in range(3):
        assert program.raw_run(b"track", [view(x), view(y)], [view(match)]) == 0, program.error()
        assert sorted(match) == [0, 1, 2], match
    n = numpy.zeros((), numpy.int64)
    seen = []
    for _ in range(3):
        assert program.raw_run(b"once", [view(numpy.array(1, numpy.float32))], [view(n)]) == 0, program.error()
        seen.append(int(n))
    assert seen == [1, 2, 3], seen  # in every run, not when the program is created
    bad = view(numpy.array(3))
    assert program.raw_run(b"picked", [bad], [view(numpy.zeros(4, numpy.float32))]) == 1
    assert "must be in 0..3" in program.error(), program.error()
    program.destroy()


def check_missing(case):
    error = case.weft_fails("compile", "m.weft")
    assert "error: no file that is linked has the function `greedy_match` [extern-missing]" in error, error
    assert "--link FILE.o" in error, error
    (case.folder / "other.c").write_text("int greedy_math(void) { return 0; }\n")
    subprocess.run(["cc", "-c", case.folder / "other.c", "-o", case.folder / "other.o"], check=True)
    error = case.weft_fails("compile", "m.weft", "--link", "other.o")
    assert "did you mean `greedy_math`?" in error, error
    (case.folder / "cpp.cc").write_text("int greedy_match(const void*, void*) { return 0; }\n")
    subprocess.run(["c++", "-c", case.folder / "cpp.cc", "-o", case.folder / "cpp.o"], check=True)
    assert 'declare it `extern "C"`' in case.weft_fails("compile", "m.weft", "--link", "cpp.o")
    assert "--link none.o: " in case.weft_fails("compile", "m.weft", "--link", "none.o")
    assert "--link m.weft: " in case.weft_fails("compile", "m.weft", "--link", "m.weft")
    done = subprocess.run([case.weft, "test", case.folder / "m.weft"], capture_output=True, text=True)
    assert done.returncode == 1 and "[extern-missing]" in done.stdout, (done.stdout, done.stderr)


def main():
    weft = str(pathlib.Path(sys.argv[1]).resolve())
    rng = numpy.random.default_rng(3)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        case = Case(weft, folder)
        for backend, file in (("loops", "c.o"), ("halide", "c.a"), ("halide", "libc_ops.so")):
            words = [weft, "compile", folder / "m.weft", "--backend", backend, "--link", folder / file]
            subprocess.run([*words, "-o", folder / "program"], check=True)
            check_values(case, folder / "program", rng)
            check_errors(case, folder / "program")
            subprocess.run([*words, "--emit", "so", "-o", folder / f"m_{backend}_{file}.so"], check=True)
            check_library(case, folder / f"m_{backend}_{file}.so")
            done = subprocess.run([weft, "test", "--backend", backend, "--link", folder / file, folder / "m.weft"],
                                  capture_output=True, text=True)
            assert done.returncode == 0 and "1 of 1 tests passed" in done.stdout, (done.stdout, done.stderr)
        done = subprocess.run([weft, "run", folder / "m.weft", "picked", "--link", folder / "c.o", "--init", "1", "--input",
                               "x=2"], capture_output=True, text=True)
        assert done.returncode == 0 and "2.5" in done.stdout, (done.stdout, done.stderr)
        check_missing(case)
    print("ops in C are called and checked")


if __name__ == "__main__":
    main()
