"""States of which a run changes a part: run by run against NumPy, by both back ends and with all of them written; runs that
fail leave them; the part alone is computed and written.

Usage: changed_states.py WEFT
"""

import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import numpy

from c_library import Program, view
from states import run

MODEL = """weft 0.1

model Rows(n: int) {
  state kept: float[900, n] = 2
  state sum: float[900, n] = 0
  put(x: float[n], at: int) -> before: float[n], after: float {
    before = kept[5]
    new[i, d] = x[d] if i == at else kept[i, d]
    after = sum(i, d) new[i, d]
    next kept = new
    next sum[i] = sum[i] + new[i] if i == at and at % 2 == 0 else sum[i]
  }
}

entry kept {
  dim B in 1..40
  net: Rows(5)
  state row: f32[600, 8] = 0
  state ring: f32[3, 500, 4] = 1
  state cell: f32[70, 70] = 0
  state whole: int[5000] = 0
  state small: f32[6] = 0

  put(x: f32[8], at: int) -> y: f32[8] {
    y = row[3]
    next row[i] = x if i == at else row[i]
  }
  /// Some rows, of which those outside are left out.
  several(x: f32[B, 8], at: int) -> n: int {
    n = at + B
    next row[i] = x[i - at] else row[i]
  }
  between(k: f32, at: int) -> y: f32 {
    y = k
    next row[i, d] = k * row[i, d] + i if i > at and i <= at + 3 else row[i, d]
  }
  bounded(x: f32[B], at: int) -> y: f32 {
    y = x[0]
    next cell[i, j] = x[0] + j if i == j else cell[i, j]
    next row[i, d] = row[i, d] + 1 if i in at..at + B and d < 3 else row[i, d]
  }
  push(x: f32[3, B, 4], at: int) -> newest: f32[3], all: f32 {
    new[g, j] = x[g, (j - at) % 500] else ring[g, j]
    newest[g] = new[g, at % 500, 0]
    all = sum(g, j, d) new[g, j, d]
    next ring = new
  }
  one(x: f32, i: int, j: int) -> y: f32 {
    y = cell[0, 0]
    next cell[a, b] = x if a == i and b == j else cell[a, b]
  }
  column(x: f32[70], j: int) -> y: f32 {
    y = x[0]
    next cell[a, b] = x[a] if b == 2*j + 1 else cell[a, b]
  }
  block(x: f32[4, 3], i: int, j: int) -> y: f32 {
    y = x[0, 0]
    next cell[a, b] = x[a - i, b - j] else cell[a, b]
  }
  /// The same model twice: what is between is read.
  twice(x: f32[5], at: int) -> y: f32[5], s: f32, z: f32[5], t: f32 {
    y, s = net.put(x, at)
    z, t = net.put(y, at + 1)
  }
  both(x: f32[8], at: int) -> y: f32[70] {
    y = cell[at % 70]
    next cell[a, b] = row[a - at, b - at] else cell[a, b]
    next row[i] = x if i == at else row[i]
  }
  scale(k: f32) -> y: f32 {
    y = k
    next row[i] = k * row[i]
    next whole[i] = whole[i] + 1
    next small[i] = k if i == 2 else small[i]
  }
  /// Fails where more than two elements are above zero.
  failing(x: f32[8], at: int) -> found: int[K <= 2] {
    next row[i] = x if i == at else row[i]
    found = filter(i) x[i] > 0
  }
  found(x: f32[8], at: int) -> found: int[K <= 8] {
    next row[i] = x if i == at else row[i]
    found = filter(i) x[i] > 0
  }
  /// Step by step: a step reads what those before it have changed, and another state stands still.
  stepped(x: f32[B, 8], at: int) -> y: f32[B, 8], before: f32 {
    before = sum(i, d) row[i, d]
    rec t < B {
      y[t, d] = row[3, d] + x[t, d] + cell[2, 2]
      next row[i] = y[t] if i == at - 2*t else row[i]
    }
  }
  /// Steps, and then a failure where more than two elements are above zero.
  failing_steps(x: f32[8], at: int) -> found: int[K <= 2] {
    rec t < 8 { next ring[g, j, d] = x[t] if j == (at + t) % 500 else ring[g, j, d] }
    found = filter(i) x[i] > 0
  }
  look(k: f32) -> a: f32[600, 8], b: f32[3, 500, 4], c: f32[70, 70], d: f32[900, 5], e: f32[900, 5] {
    a[i, d] = k * row[i, d]
    b[g, j, d] = k * ring[g, j, d]
    c[i, j] = k * cell[i, j]
    d[i, j] = k * net.kept[i, j]
    e[i, j] = k * net.sum[i, j]
  }
}
"""

OUTPUTS = {"put": 1, "several": 1, "between": 1, "bounded": 1, "push": 2, "one": 1, "column": 1, "block": 1, "twice": 4, "both": 1,
           "scale": 1, "failing": 1, "found": 1, "stepped": 2,
           "failing_steps": 1, "look": 5}


class Reference:
    """The same in NumPy."""

    def __init__(self):
        f32 = lambda value, *shape: numpy.full(shape, value, numpy.float32)
        self.row, self.ring, self.cell = f32(0, 600, 8), f32(1, 3, 500, 4), f32(0, 70, 70)
        self.net_row, self.net_sum = f32(2, 900, 5), f32(0, 900, 5)

    def put(self, x, at):
        y = self.row[3].copy()
        if 0 <= at < 600:
            self.row[at] = x
        return (y,)

    def several(self, x, at):
        for k, values in enumerate(x):
            if 0 <= at + k < 600:
                self.row[at + k] = values
        return (at + len(x),)

    def between(self, k, at):
        for i in range(max(at + 1, 0), min(at + 4, 600)):
            self.row[i] = k * self.row[i] + i
        return (k,)

    def bounded(self, x, at):
        for j in range(70):
            self.cell[j, j] = x[0] + j
        for i in range(max(at, 0), min(at + len(x), 600)):
            self.row[i, :3] += 1
        return (x[0],)

    def push(self, x, at):
        for k in range(x.shape[1]):
            self.ring[:, (at + k) % 500] = x[:, k]
        return self.ring[:, at % 500, 0].copy(), self.ring.astype(numpy.float64).sum()

    def one(self, x, i, j):
        y = self.cell[0, 0]
        if 0 <= i < 70 and 0 <= j < 70:
            self.cell[i, j] = x
        return (y,)

    def column(self, x, j):
        if 0 <= 2 * j + 1 < 70:
            self.cell[:, 2 * j + 1] = x
        return (x[0],)

    def block(self, x, i, j):
        for a in range(4):
            for b in range(3):
                if 0 <= i + a < 70 and 0 <= j + b < 70:
                    self.cell[i + a, j + b] = x[a, b]
        return (x[0, 0],)

    def twice(self, x, at):
        given = []
        for place in (at, at + 1):
            y = self.net_row[5].copy()
            if 0 <= place < 900:
                self.net_row[place] = x
                if place % 2 == 0:
                    self.net_sum[place] += x
            given += [y, self.net_row.astype(numpy.float64).sum()]
            x = y
        return given

    def both(self, x, at):
        y = self.cell[at % 70].copy()
        for a in range(max(at, 0), 70):
            for b in range(max(at, 0), min(70, at + 8)):
                if a - at < 600:
                    self.cell[a, b] = self.row[a - at, b - at]
        if 0 <= at < 600:
            self.row[at] = x
        return (y,)

    def scale(self, k):
        self.row = k * self.row
        return (k,)

    def failing(self, x, at):
        found = numpy.flatnonzero(x > 0)
        if len(found) > 2:
            return None
        self.put(x, at)
        return (found,)

    def found(self, x, at):
        self.put(x, at)
        return (numpy.flatnonzero(x > 0),)

    def stepped(self, x, at):
        y, before = numpy.zeros_like(x), self.row.astype(numpy.float64).sum()
        for t, values in enumerate(x):
            y[t] = self.row[3] + values + self.cell[2, 2]
            if 0 <= at - 2 * t < 600:
                self.row[at - 2 * t] = y[t]
        return y, before

    def failing_steps(self, x, at):
        found = numpy.flatnonzero(x > 0)
        if len(found) > 2:
            return None
        for t, value in enumerate(x):
            self.ring[:, (at + t) % 500] = value
        return (found,)

    def look(self, k):
        return k * self.row, k * self.ring, k * self.cell, k * self.net_row, k * self.net_sum


def draw(rng, method):
    real = lambda *shape: rng.standard_normal(shape).astype(numpy.float32)
    at = lambda size: numpy.int64(rng.integers(-3, size + 3) if rng.integers(0, 3) else rng.choice([0, size - 1, size, -1, 2**62]))
    some = int(rng.integers(1, 41))
    return {
        "put": lambda: [real(8), at(600)],
        "several": lambda: [real(some, 8), numpy.int64(rng.integers(-45, 640))],
        "between": lambda: [numpy.float32(0.5), numpy.int64(rng.integers(-6, 605))],
        "bounded": lambda: [real(some), numpy.int64(rng.integers(-45, 640))],
        "push": lambda: [real(3, some, 4), numpy.int64(rng.integers(-2000, 2000))],
        "one": lambda: [numpy.float32(rng.normal()), at(70), at(70)],
        "column": lambda: [real(70), numpy.int64(rng.integers(-2, 40))],
        "block": lambda: [real(4, 3), numpy.int64(rng.integers(-5, 72)), numpy.int64(rng.integers(-5, 72))],
        "twice": lambda: [real(5), numpy.int64(rng.integers(-3, 12))],
        "both": lambda: [real(8), numpy.int64(rng.integers(-9, 72))],
        "stepped": lambda: [real(some, 8), numpy.int64(rng.choice([3 + 2 * rng.integers(0, 40), rng.integers(-5, 680)]))],
        "failing_steps": lambda: [real(8) - numpy.float32(0.7), numpy.int64(rng.integers(-600, 600))],
        "scale": lambda: [numpy.float32(0.5)],
        "look": lambda: [numpy.float32(1)],
    }.get(method, lambda: [real(8), at(600)])()  # fmt: skip


def check_runs(program, folder, seed, backend):
    rng, reference, methods = numpy.random.default_rng(seed), Reference(), list(OUTPUTS)

    def step(method, inputs):
        got, wanted = run(program, method, inputs, OUTPUTS), getattr(reference, method)(*inputs)
        assert (got is None) == (wanted is None), (backend, method, program.error())
        for g, w in zip(got or [], wanted or [], strict=True):
            numpy.testing.assert_allclose(g, w, rtol=1e-4, atol=1e-4, err_msg=f"{backend} {method} {inputs[-1]}")

    file = folder / "states.safetensors"
    for number in range(300):
        method = methods[number] if number < len(methods) else methods[int(rng.integers(0, len(methods)))]
        step(method, draw(rng, method))
        if number % 10 == 9:
            step("look", [numpy.float32(1)])
        if number == 100:
            assert program.call("save_state")(program.handle, str(file).encode()) == 0, program.error()
            saved = [value.copy() for value in reference.look(1)]
        if number == 200:
            assert program.call("load_state")(program.handle, str(file).encode()) == 0, program.error()
            reference.row, reference.ring, reference.cell, reference.net_row, reference.net_sum = saved
        if number == 250:
            assert program.call("reset_state")(program.handle) == 0, program.error()
            reference = Reference()
    # What is found does not fit the memory that was given for it, which is seen behind all computations.
    x = numpy.full(8, 1, numpy.float32)
    code = program.raw_run(b"found", [view(x), view(numpy.array(7))], [view(numpy.zeros(3, numpy.int64))])
    assert code != 0 and "memory was given" in program.error(), program.error()
    step("look", [numpy.float32(1)])
    step("put", draw(rng, "put"))
    step("look", [numpy.float32(1)])


def check_work(weft, file):
    """No kernel computes what a run does not change, and none has a place for it beside the state's own two."""
    ir = lambda *options: subprocess.run([weft, "compile", file, "--emit", "ir", *options], capture_output=True, text=True, check=True).stdout
    text, whole = ir(), ir("--without", "update-rows")
    # By method: the points of the equations that write states, and how many updates are made in place.
    wanted = {"put": ({"8"}, 1), "several": ({"?, 8"}, 1), "between": ({"3, 8"}, 1), "push": ({"3, ?, 4"}, 1), "one": ({""}, 1),
              "column": ({"70"}, 1), "block": ({"4, 3"}, 1), "twice": ({"5"}, 4), "both": ({"70, 8", "8"}, 2), "found": ({"8"}, 1)}  # fmt: skip
    states = {"600, 8", "3, 500, 4", "70, 70", "900, 5"}
    for method, (slices, count) in wanted.items():
        body = re.search(rf"func\.func @{method}\(.*?\n  }}\n", text, re.S).group(0)
        assert len(re.findall(r"weft\.launch @update\w*\([^\n]*weft\.in_place", body)) == count, body
        made = set()
        for name in re.findall(r"weft\.launch @(\w+)\(", body):
            kernel = re.search(rf"weft\.kernel @{name} .*?\n  }}\n", text, re.S).group(0)
            for names, domain in re.findall(r"weft\.equation \(([^)]*)\) in \(([^)]*)\)", kernel):
                made.add(re.sub(r"%\w+", "?", domain))
        assert slices <= made and not states & made, (method, made)
    # In steps: of the rows alone, and the loop has no place for the whole state.
    for method, slices, whole_state in (("stepped", "8", 600 * 8 * 4), ("failing_steps", "3, 4", 3 * 500 * 4 * 4)):
        body = re.search(rf"func\.func @{method}\(.*?\n  }}\n", text, re.S).group(0)
        steps = re.search(r"weft\.iterate up @(\w+)[^\n]*weft\.changes_state = array<i1:[^>]*true", body)
        assert steps and int(re.search(r"weft\.arena = (\d+)", body).group(1)) < whole_state, body
        step = re.search(rf"func\.func private @{steps[1]}\(.*?\n  }}\n", text, re.S).group(0)
        domains = set()
        for name in re.findall(r"weft\.launch @(\w+)\(", step):
            kernel = re.search(rf"weft\.kernel @{name} .*?\n  }}\n", text, re.S).group(0)
            domains |= {re.sub(r"%\w+", "?", domain) for domain in re.findall(r"weft\.equation \([^)]*\) in \(([^)]*)\)", kernel)}
        assert slices in domains and not states & domains, (method, domains)
    assert "weft.update" not in whole and "weft.in_place" not in whole


def main(weft):
    signal.alarm(600)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        file = folder / "kept.weft"
        file.write_text(MODEL)
        check_work(weft, file)
        for seed, (backend, *options) in enumerate((["loops"], ["halide"], ["loops", "--without", "update-rows"])):
            library = folder / f"{seed}.so"
            subprocess.run([weft, "compile", file, "--emit", "so", "--backend", backend, *options, "-o", library], check=True)
            program = Program(library, "weft_kept_kept")
            assert program.code == 0, program.error()
            check_runs(program, folder, 7, f"{backend} {options}")
            program.destroy()
    print("what changes of states is written alone")


if __name__ == "__main__":
    main(sys.argv[1])
