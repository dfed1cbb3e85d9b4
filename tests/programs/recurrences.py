"""Recurrences of every form, compiled by both back ends, against loops in NumPy: python recurrences.py WEFT"""

import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

from program_case import BACKENDS, check, difference, run


def entry(signature, body, declarations=""):
    return f"weft 0.1\n{declarations}\nentry e {{\n  {signature} {{\n{body}\n  }}\n}}\n"


def iterate(steps, first, step):
    """All of state, step(t, state) after the other."""
    states, state = [], first
    for t in steps:
        state = step(t, state)
        states.append(state)
    return np.array(states)


def upwards(weft, rng):
    x = rng.normal(size=(10, 8)).astype(np.float32)
    v = rng.normal(size=37).astype(np.float32)
    text = entry(
        "forward(x: f32[10, 8], v: f32[37]) -> y: f32[10, 8], s: f32[37], f: f32[37], last: f32[8], c: int[37]",
        """    rec y[t, d] = 0.5 * y[t-1, d] + x[t, d] from y[-1, d < 8] = 0
    rec s[i] = s[i-1] + v[i] from s[-1] = 0
    rec f[n] = 0.5 * (f[n-1] - f[n-3]) + v[n] from f[-1] = 1, f[-2] = 0, f[-3] = 2
    rec h[t] = (h[t-1] + x[t]) / 2 from h[-1] = x[3]
    last = h[9]
    rec c[i] = (c[i-1] + 1 if v[i] > 0 else 0) from c[-1] = 0""",
    )
    wanted = {
        "y": iterate(range(10), np.zeros(8), lambda t, y: 0.5 * y + x[t]),
        "s": np.cumsum(v),
        "f": iterate(range(37), (1.0, 0.0, 2.0), lambda n, f: (0.5 * (f[0] - f[2]) + v[n], f[0], f[1]))[:, 0],
        "last": iterate(range(10), x[3], lambda t, h: (h + x[t]) / 2)[9],
        "c": iterate(range(37), 0, lambda i, c: c + 1 if v[i] > 0 else 0),
    }
    return check(weft, "upwards", text, {"x": x, "v": v}, wanted)


def downwards(weft, rng):
    r, v = rng.normal(size=9).astype(np.float32), rng.normal(size=10).astype(np.float32)
    text = entry(
        "forward(r: f32[9], v: f32[10]) -> g: f32[9], end: f32",
        """    rec g[t] = r[t] + 0.9 * (0.2 * v[t+1] + 0.8 * g[t+1]) from g[9] = v[9]
    end = g[9] + g[0]""",
    )
    g = iterate(reversed(range(9)), v[9], lambda t, g: r[t] + 0.9 * (0.2 * v[t + 1] + 0.8 * g))[::-1]
    return check(weft, "downwards", text, {"r": r, "v": v}, {"g": g, "end": v[9] + g[0]})


def several_states(weft, rng):
    """A cell in a method, two states, one read of the same step, a run-time number of steps, and a batch."""
    x = rng.normal(size=(3, 7, 5)).astype(np.float32)
    w, u = (rng.normal(size=(4, n)).astype(np.float32) for n in (5, 4))
    text = entry(
        "dim T in 1..20\n  forward(x: f32[3, T, 5], w: f32[4, 5], u: f32[4, 4]) -> y: f32[3, T, 4], m: f32[3, T]",
        "    y, m = run(x, w, u)",
        """
op cell(x: float[B, I], h: float[B, H], w: float[H, I], u: float[H, H]) -> y: float[B, H] {
  y[b, k] = tanh((sum(i) w[k, i] * x[b, i]) + sum(j) u[k, j] * h[b, j])
}
op run(x: float[B, T, I], w: float[H, I], u: float[H, H]) -> y: float[B, T, H], m: float[B, T] {
  step[t, b, i] = x[b, t, i]
  rec t {
    h[t] = cell(step[t], h[t-1], w, u)
    high[t, b] = maximum(high[t-1, b], max(k) h[t, b, k])
  } from h[-1, b < B, k < H] = 0, high[-1, b < B] = -1.0
  y[b, t, k] = h[t, b, k]
  m[b, t] = high[t, b]
}""",
    )
    h = iterate(range(7), np.zeros((3, 4)), lambda t, h: np.tanh(x[:, t] @ w.T + h @ u.T))
    m = np.maximum.accumulate(np.maximum(h.max(2), -1), 0)
    inputs = {"x": x, "w": w, "u": u}
    return check(weft, "several states", text, inputs, {"y": h.transpose(1, 0, 2), "m": m.T})


def whole_history(weft, rng):
    """Reads of all earlier positions, of places that data says, and guarded ones."""
    s = rng.normal(size=25).astype(np.float32)
    parent = np.array([-1] + [rng.integers(-1, i) for i in range(1, 25)], np.int64)
    text = entry(
        "forward(s: f32[25], parent: int[25] in -1..25) -> keep: bool[25], p: f32[25], g: f32[25]",
        """    rec keep[i] = not any(j < i) keep[j] and abs(s[i] - s[j]) < 0.4
    rec p[c]: float[25] = s[c] * (p[parent[c]] if parent[c] in 0..c else 1)
    rec g[i]: float[25] = (g[i-3] else 1.0) + s[i]""",
    )
    keep, p, g = [], [], []
    for i in range(25):
        keep.append(not any(keep[j] and abs(s[i] - s[j]) < np.float32(0.4) for j in range(i)))
        p.append(s[i] * (p[parent[i]] if 0 <= parent[i] < i else 1))
        g.append((g[i - 3] if i >= 3 else 1) + s[i])
    wanted = {"keep": np.array(keep), "p": np.array(p), "g": np.array(g)}
    return check(weft, "whole history", text, {"s": s, "parent": parent}, wanted)


def under_indices(weft, rng):
    """An op with a recurrence, called once per row: its steps are made for all rows at once."""
    x = rng.normal(size=(4, 3, 9)).astype(np.float32)
    s = rng.normal(size=(4, 12)).astype(np.float32)
    text = entry(
        "dim B in 1..8\n  forward(x: f32[B, 3, 9], s: f32[B, 12]) -> y: f32[B, 3, 9], k: bool[B, 12]",
        """    y[b, c] = smooth(x[b, c])
    k[b] = keepers(s[b])""",
        """
op smooth(x: float[T]) -> y: float[T] {
  rec y[t] = 0.5 * y[t-1] + x[t] from y[-1] = x[0]
}
op keepers(s: float[N]) -> keep: bool[N] {
  rec keep[i] = not any(j < i) keep[j] and abs(s[i] - s[j]) < 0.4
}""",
    )
    y = iterate(range(9), x[:, :, 0], lambda t, y: 0.5 * y + x[:, :, t]).transpose(1, 2, 0)
    keep = np.zeros((4, 12), bool)
    for b in range(4):
        for i in range(12):
            keep[b, i] = not any(keep[b, j] and abs(s[b, i] - s[b, j]) < np.float32(0.4) for j in range(i))
    return check(weft, "under indices", text, {"x": x, "s": s}, {"y": y, "k": keep})


LARGE = """
model Cell(width: int) {
  param w: float[width, width]
  param u: float[width, width]
  forward(x: float[width], h: float[width]) -> y: float[width] {
    y[k] = tanh((sum(j) w[k, j] * x[j]) + sum(j) u[k, j] * h[j])
  }
}"""


def large_steps(weft, rng):
    """Steps with kernels of their own; their weights are packed when the program is created, not in a step."""
    x = (rng.normal(size=(6, 96)) / 4).astype(np.float32)
    w, u = ((rng.normal(size=(96, 96)) / 10).astype(np.float32) for _ in range(2))
    cells = """
op cell(x: float[I], h: float[H], w: float[H, I], u: float[H, H]) -> y: float[H] {
  y[k] = tanh((sum(i) w[k, i] * x[i]) + sum(j) u[k, j] * h[j])
}"""
    text = entry(
        "dim T in 1..20\n  forward(x: f32[T, 96], w: f32[96, 96], u: f32[96, 96]) -> h: f32[T, 96], last: f32[96], g: f32[T, 96]",
        """    rec h[t] = cell(x[t], h[t-1], w, u) from h[-1, k < 96] = 0
    last = h[T-1]
    rec t {
      c[t] = cell(x[t], x[t], w, u)
      g[t, k]: f32[T, 96] = c[t, k] - 0.1 * sum(j < t) g[j, k]
    }""",
        cells,
    )
    h = iterate(range(6), np.zeros(96), lambda t, h: np.tanh(w @ x[t] + u @ h))
    g = np.zeros((6, 96))
    for t in range(6):
        g[t] = np.tanh(w @ x[t] + u @ x[t]) - 0.1 * g[:t].sum(0)
    problems = check(weft, "large steps", text, {"x": x, "w": w, "u": u}, {"h": h, "last": h[-1], "g": g})
    ir = emitted(weft, entry("net: Cell(96)\n  forward(x: f32[6, 96]) -> h: f32[6, 96]", "    rec h[t] = net(x[t], h[t-1]) from h[-1, k < 96] = 0", LARGE))
    step = ir[ir.index("func.func private @forward_t_step") :]
    step = step[: step.index("\n  }")]
    if "weft.weight" in step or step.count("weft.prepared") != 2:
        problems.append(f"the weights of a step are not prepared:\n{step}")
    return problems


def emitted(weft, text, *options):
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.weft"
        model.write_text(text)
        done = subprocess.run([weft, "compile", model, "--emit", "ir", *options], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout


def small_steps(weft, rng):
    """Small steps are one kernel with its loop: one launch, however many steps."""
    body = "    rec y[t] = 0.9 * y[t-1] + x[t] from y[-1] = 0"
    ir = emitted(weft, entry("forward(x: f32[10000]) -> y: f32[10000]", body))
    forward = ir[ir.index("func.func @forward") :]
    launches = forward[: forward.index("\n  }")].count("weft.launch")
    return [] if launches == 1 and "weft.iterate" not in ir else [f"{launches} launches for a scalar recurrence:\n{ir}"]


def prefixes(weft, rng):
    """Reductions over what lies before or behind an index take as much work as there are elements."""
    x = rng.normal(size=(3, 500)).astype(np.float32)
    text = entry(
        "forward(x: f32[3, 500]) -> s: f32[3, 500], b: f32[3, 500], m: f32[3, 500], r: f32[3, 500], q: bool[500]",
        """    s[c, i] = sum(j <= i) x[c, j]
    b[c, i < 500] = exp(-sum(j < i) abs(x[c, j]) * 0.01)
    m[c, i] = max(j in i..500) x[c, j]
    r[c, i] = x[c, i] + sum(j in i+1..500 where x[c, j] > 0) x[c, j]
    q[i < 500] = any(j < i) x[0, j] > 2.5""",
    )
    before = lambda a: np.concatenate([np.zeros((3, 1)), np.cumsum(a, 1)[:, :-1]], 1)
    behind = lambda a: np.concatenate([np.cumsum(a[:, ::-1], 1)[:, ::-1][:, 1:], np.zeros((3, 1))], 1)
    wide = x.astype(np.float64)
    wanted = {
        "s": np.cumsum(wide, 1),
        "b": np.exp(-before(np.abs(wide)) * 0.01),
        "m": np.maximum.accumulate(x[:, ::-1], 1)[:, ::-1],
        "r": wide + behind(np.maximum(wide, 0)),
        "q": np.concatenate([[False], np.maximum.accumulate(x[0])[:-1] > 2.5]),
    }
    problems = check(weft, "prefixes", text, {"x": x}, wanted, tolerance=1e-4)
    work = sum(map(int, re.findall(r"flops = (\d+)", emitted(weft, text))))
    if work > 100 * 3 * 500:
        problems.append(f"prefix reductions take {work} operations")
    return problems


def more_prefixes(weft, rng):
    """Counts, whole numbers, short floats, what stands for none, and the first or last that counts, both ways."""
    size = 400
    x = rng.normal(size=size).astype(np.float32)
    n = rng.integers(-1000, 1000, size)
    h = (rng.integers(-8, 9, size) / 8).astype(np.float16)
    b = rng.random(size) < 0.02
    text = entry(
        f"forward(x: f32[{size}], n: int[{size}], h: f16[{size}], b: bool[{size}]) -> a: int[{size}], c: int[{size}], d: f32[{size}],"
        f" e: int[{size}], f: int[{size}], g: f16[{size}], l: int[{size}], m: int[{size}], o: int[{size}], p: int[{size}], q: f32[{size}]",
        f"""    a[i] = count(j <= i) x[j] > 0
    c[i] = count(j in i+1..{size}) b[j] and x[j] < 0
    d[i] = mean(j <= i) x[j]
    e[i] = max(j <= i) n[j]
    f[i < {size}] = (min(j < i) n[j] else 7)
    g[i] = sum(j in i..{size}) h[j]
    l[i] = (last(j <= i where b[j]) j else -1)
    m[i] = (first(j <= i where b[j]) n[j] else -i)
    o[i] = (first(j in i..{size} where b[j]) j else {size})
    p[i < {size}] = (last(j in i+1..{size} where b[j]) j else i)
    q[i] = (max(j <= i where b[j]) x[j] else 5)""",
    )
    place = np.arange(size)
    marked = np.flatnonzero(b)
    after = lambda i: marked[marked >= i]
    upto = lambda i: marked[marked <= i]
    wanted = {
        "a": np.cumsum(x > 0),
        "c": np.array([np.sum((b & (x < 0))[i + 1 :]) for i in place]),
        "d": np.cumsum(x.astype(np.float64)) / (place + 1),
        "e": np.maximum.accumulate(n),
        "f": np.array([n[:i].min() if i else 7 for i in place]),
        "g": np.cumsum(h[::-1].astype(np.float64))[::-1].astype(np.float16),
        "l": np.array([max(upto(i), default=-1) for i in place]),
        "m": np.array([n[upto(i)[0]] if len(upto(i)) else -i for i in place]),
        "o": np.array([min(after(i), default=size) for i in place]),
        "p": np.array([max(after(i + 1), default=i) for i in place]),
        "q": np.array([x[upto(i)].max() if len(upto(i)) else 5 for i in place]),
    }
    problems = check(weft, "more prefixes", text, {"x": x, "n": n, "h": h, "b": b}, wanted, tolerance=1e-4)
    if "weft.reduce" in emitted(weft, text):
        problems.append("a prefix is reduced for every index")
    return problems


def places_of_prefixes(weft, rng):
    """The first of the largest or smallest, also of equal ones and beside NaN, both ways; what is before none, or counts."""
    size = 300
    x = rng.integers(-20, 20, size).astype(np.float32)
    x[[50, 200]] = np.nan
    n = rng.integers(-30, 30, size)
    b = rng.random(size) < 0.1
    text = entry(
        f"forward(x: f32[{size}], n: int[{size}], b: bool[{size}]) -> a: int[{size}], c: int[{size}], d: int[{size}],"
        f" e: int[{size}], f: int[{size}], g: int[{size}]",
        f"""    a[i] = argmax(j <= i) x[j]
    c[i] = argmin(j <= i) x[j]
    d[i] = argmax(j in i..{size}) n[j]
    e[i] = argmin(j in i..{size}) x[j]
    f[i] = (argmin(j < i where b[j]) n[j] else -i)
    g[i < {size}] = (argmax(j in i+1..{size} where b[j]) x[j] else i)""",
    )
    places = np.arange(size)
    argmin = lambda a: int(np.nanargmin(a)) if not np.isnan(a).all() else 0
    wanted = {
        "a": np.array([int(np.argmax(x[: i + 1])) for i in places]),
        "c": np.array([argmin(x[: i + 1]) for i in places]),
        "d": np.array([i + int(np.argmax(n[i:])) for i in places]),
        "e": np.array([i + argmin(x[i:]) for i in places]),
        "f": np.array([(lambda p: int(p[np.argmin(n[p])]) if len(p) else -i)(np.flatnonzero(b[:i])) for i in places]),
        "g": np.array([(lambda p: int(p[np.argmax(x[p])]) if len(p) else i)(i + 1 + np.flatnonzero(b[i + 1 :])) for i in places]),
    }
    problems = check(weft, "places of prefixes", text, {"x": x, "n": n, "b": b}, wanted)
    if "weft.reduce" in emitted(weft, text):
        problems.append("a place in a prefix is looked for at every index")
    return problems


def exponentials(weft, rng):
    """Logarithms of sums of exponentials of prefixes: of large numbers, small ones and infinities, and under conditions."""
    x = (rng.normal(size=(5, 200)) * np.array([[1], [1000], [30], [1], [1]])).astype(np.float32)
    x[3, :60] = -np.inf
    x[3, 150] = np.inf
    x[4, 100] = np.nan
    b = rng.random(200) < 0.3
    text = entry(
        "forward(x: f32[5, 200], b: bool[200]) -> y: f32[5, 200], z: f32[5, 200], w: f32[5, 200], v: f32[200]",
        """    y[c, i] = logsumexp(j <= i) x[c, j]
    z[c, i < 200] = logsumexp(j < i where b[j]) x[c, j]
    w[c, i] = logsumexp(j in i..200) 2 * x[c, j]
    v[i] = logsumexp(j <= i where j >= 3) x[0, j - 3]""",
    )
    def of(values):
        values = values.astype(np.float64)
        peak = values.max(initial=-np.inf)
        shift = peak if np.isfinite(peak) else 0
        with np.errstate(all="ignore"):
            return np.log(np.exp(values - shift).sum()) + shift

    each = lambda f: np.array([[f(row, i) for i in range(200)] for row in x])
    wanted = {
        "y": each(lambda row, i: of(row[: i + 1])),
        "z": each(lambda row, i: of(row[:i][b[:i]])),
        "w": each(lambda row, i: of(2 * row[i:])),
        "v": np.array([of(x[0, : max(i - 2, 0)]) for i in range(200)]),
    }
    problems = []
    for backend in BACKENDS:
        got = run(weft, text, {"x": x, "b": b}, wanted, backend=backend)
        for name, values in wanted.items():
            where = ~np.isfinite(values) | ~np.isfinite(got[name])  # these have no difference
            if not np.array_equal(got[name][where], values[where], equal_nan=True):
                problems.append(f"exponentials on {backend}: what is infinite or no number in {name}")
            if message := difference(got[name][~where], values[~where], 1e-5):
                problems.append(f"exponentials on {backend}: {name} {message}")
    if "weft.reduce" in emitted(weft, text):
        problems.append("exponentials are summed for every index")
    return problems


def areas(weft, rng):
    """Reductions over several prefixes: along one axis after the other, so in as many steps as there are elements."""
    x = rng.normal(size=(60, 70)).astype(np.float32)
    h = (rng.integers(-8, 9, (40, 40, 40)) / 8).astype(np.float16)
    p = (1 + rng.normal(size=(60, 70)) / 50).astype(np.float32)
    text = entry(
        "forward(x: f32[60, 70], h: f16[40, 40, 40], p: f32[60, 70]) -> a: f32[60, 70], c: f32[60, 70], d: int[60, 70], e: f16[40, 40, 40],"
        " f: f32[60, 70], g: bool[60, 70], m: f32[60], n: f32[60, 70]",
        """    a[i, j] = sum(r <= i, s <= j) x[r, s]
    c[i < 60, j < 70] = sum(r < i, s in j+1..70 where x[r, s] > 0) x[r, s]
    d[i, j] = count(r in i..60, s <= j) x[r, s] > 0
    e[i, j, k] = sum(r <= i, s <= j, t <= k) h[r, s, t]
    f[i, j] = prod(r <= i, s <= j) p[r, s]
    g[i, j < 70] = any(r in i..60, s < j) x[r, s] > 2.5
    m[i] = max(r <= i, s) x[r, s]
    n[i < 60, j < 70] = sum(r in i+1..60, s in j+1..70) x[r, s]""",
    )
    wide = x.astype(np.float64)
    from_top = lambda a: np.cumsum(a[::-1], 0)[::-1]
    c = np.zeros((60, 70))
    c[1:, :-1] = np.cumsum(np.cumsum(np.maximum(wide, 0)[:, ::-1], 1)[:, ::-1], 0)[:-1, 1:]
    g = np.zeros((60, 70), bool)
    g[:, 1:] = from_top(np.cumsum(x > 2.5, 1))[:, :-1] > 0
    wanted = {
        "a": wide.cumsum(0).cumsum(1),
        "c": c,
        "d": from_top(np.cumsum(x > 0, 1)),
        "e": h.astype(np.float64).cumsum(0).cumsum(1).cumsum(2).astype(np.float16),
        "f": p.astype(np.float64).cumprod(0).cumprod(1),
        "g": g,
        "m": np.maximum.accumulate(x.max(1)),
        "n": np.pad(from_top(from_top(wide).T).T, ((0, 1), (0, 1)))[1:, 1:],
    }
    problems = check(weft, "areas", text, {"x": x, "h": h, "p": p}, wanted, tolerance=1e-4)
    reductions = re.findall(r"weft\.reduce \w+ \([^)]*\) from \([^)]*\) to \([^)]*\)", emitted(weft, text))
    if len(reductions) != 1:
        problems.append(f"areas: {reductions}, not the one over the second axis alone")
    return problems


def triangles(weft, rng):
    """Conditions on an index of a reduction end its range, so that half of the elements are looked at."""
    text = entry(
        "dim N in 0..400\n  dim M in 0..400\n  forward(x: f32[N, M], w: f32[M, 5]) -> a: f32[N], b: f32[N], c: f32[N], d: bool[N], e: int[N],"
        " f: f32[N, 5], g: f32[N]",
        """    a[i] = exp(max(j) (x[i, j] if j <= i else -inf))
    b[i] = sum(j where j > i and x[i, j] > 0) x[i, j]
    c[i] = prod(j) (1 + x[i, j] / 9 if i - 3 < j and j <= i + 3 else 1)
    d[i] = any(j) j >= i and x[i, j] > 2
    e[i] = (argmax(j where j < i) x[i, j] else -1)
    f[i, k] = sum(j where j <= i) x[i, j] * w[j, k]
    g[i] = minimum(9, min(j) (x[i, j] if j <= i else 3.0))""",
    )
    problems = []
    for n, m in ((0, 3), (3, 0), (1, 1), (40, 7), (70, 90)):
        x, w = rng.normal(size=(n, m)).astype(np.float32), rng.normal(size=(m, 5)).astype(np.float32)
        near = lambda i: slice(max(i - 2, 0), max(i + 4, 0))
        with np.errstate(all="ignore"):
            wanted = {
                "a": np.exp(np.array([x[i, : i + 1].max(initial=-np.inf) for i in range(n)], np.float32)),
                "b": np.array([np.maximum(x[i, i + 1 :], 0).sum() for i in range(n)], np.float32),
                "c": np.array([(1 + x[i, near(i)] / 9).prod() for i in range(n)], np.float32),
                "d": np.array([(x[i, i:] > 2).any() for i in range(n)], bool),
                "e": np.array([x[i, :i].argmax() if x[i, :i].size else -1 for i in range(n)], int),
                "f": np.array([x[i, : i + 1] @ w[: i + 1] for i in range(n)], np.float32).reshape(n, 5),
                "g": np.array([min(x[i, : i + 1].min(initial=9), 3 if i + 1 < m else 9) for i in range(n)], np.float32),
            }
        for options in ((), ("--without", "narrow-ranges")):
            problems += check(weft, f"triangles {n} {m} {options}", text, {"x": x, "w": w}, wanted, *options, tolerance=1e-4)
    # Where indices end or begin ranges: not of a product of matrices, and not where a mask has another number.
    for options, wanted in ((), ["max", "sum", "prod", "any", "argmax"]), (("--without", "narrow-ranges"), []):
        ranges = re.findall(r"weft\.reduce (\w+) \([^)]*\) from (\(%c0\) to \(%dim\w*\))?", emitted(weft, text, *options))
        narrowed = [kind for kind, whole in ranges if not whole]
        if len(ranges) != 7 or narrowed != wanted:
            problems.append(f"triangles {options}: of {len(ranges)} ranges end early {narrowed}")
    return problems


def against_all_before(weft, rng):
    """Conditions that compare a step with every earlier one that held go in blocks of 64 steps."""
    text = entry(
        "dim N in 0..400\n  forward(x: f32[N], r: f32[N], kind: int[N], most: f32, begin: int[N] in 0..400)"
        " -> a: bool[N], b: bool[N], c: bool[N], d: bool[N]",
        """    rec a[i] = x[i] > -2 and not any(j < i) a[j] and kind[i] == kind[j] and abs(x[i] - x[j]) < r[j] * most
    rec b[i] = i % 50 == 7 or any(j < i where kind[j] > 1) i - j < 9 and (x[i] / x[j] if x[j] > 0 else r[i]) > 0.5 and b[j]
    rec c[i] = not any(j < i) c[j] and x[i] > x[j]
    rec d[i] = not any(j in begin[i]..i) d[j] and abs(x[i] - x[j]) < r[i]""",
    )
    problems = []
    for n in (0, 1, 64, 65, 333):
        x, r = rng.normal(size=n).astype(np.float32), rng.uniform(0, 0.2, n).astype(np.float32)
        kind, most = rng.integers(0, 4, n), np.float32(0.7)
        begin = np.maximum.accumulate(np.where(rng.uniform(size=n) < 0.02, np.arange(n) + rng.integers(-3, 3, n), 0)).clip(0)
        a, b, c, d = (np.zeros(n, bool) for _ in range(4))
        for i in range(n):
            ratio = np.divide(x[i], x[:i], out=np.full(i, r[i]), where=x[:i] > 0)
            a[i] = x[i] > -2 and not np.any(a[:i] & (kind[:i] == kind[i]) & (np.abs(x[i] - x[:i]) < r[:i] * most))
            b[i] = i % 50 == 7 or np.any(b[:i] & (kind[:i] > 1) & (i - np.arange(i) < 9) & (ratio > 0.5))
            c[i] = not np.any(c[:i] & (x[i] > x[:i]))
            d[i] = not np.any(d[begin[i] : i] & (np.abs(x[i] - x[begin[i] : i]) < r[i]))
        inputs = {"x": x, "r": r, "kind": kind, "most": most, "begin": begin}
        problems += check(weft, f"{n} against all before", text, inputs, {"a": a, "b": b, "c": c, "d": d})
    blocks = lambda text: len(re.findall(r"func private @\w+_block\(", emitted(weft, text)))
    if blocks(text) != 4:
        problems.append(f"{blocks(text)} of 4 recurrences go block by block")
    # Here a step has an equation of its own, the area of its box.
    suppressed = """weft 0.1
import std.detection: batched_nms, nms
entry e {
  forward(box: f32[500, 4], score: f32[500], kind: int[500] in 0..9) -> a: int[A <= 500], b: int[B <= 500] {
    a = nms(box, score, limit = 0.5)
    b = batched_nms(box, score, kind, limit = 0.5)
  }
}
"""
    if blocks(suppressed) != 2:
        problems.append(f"{blocks(suppressed)} of 2 suppressions go block by block")
    return problems


def main():
    weft = sys.argv[1]
    problems = []
    for case in (upwards, downwards, several_states, whole_history, under_indices, large_steps, small_steps, prefixes,
                 more_prefixes, places_of_prefixes, exponentials, areas, triangles, against_all_before):
        problems += case(weft, np.random.default_rng(7))
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
