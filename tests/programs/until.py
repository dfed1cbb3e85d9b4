"""Recurrences that end early, compiled by both back ends, against loops in NumPy; how many steps are made is counted from
profiles. Usage: until.py WEFT [--full]"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from program_case import BACKENDS, check, difference, run


def entry(signature, body, declarations=""):
    return f"weft 0.1\n{declarations}\nentry e {{\n  {signature} {{\n{body}\n  }}\n}}\n"


NEWTON = entry(
    "forward(a: f32[6], least: f32) -> x: f32[K <= 40, 6], n: int, root: f32[6]",
    """    rec x[k < K <= 40, i] = (x[k-1, i] + a[i] / x[k-1, i]) / 2 from x[-1] = a
      until all(i) abs(x[k, i]^2 - a[i]) < least
    n = K
    root = x[K-1]""",
)


def newton_steps(a, least, most):
    x, steps = a.astype(np.float32), []
    for _ in range(most):
        x = (x + a / x) / np.float32(2)
        steps.append(x)
        if (np.abs(x * x - a) < least).all():
            break
    return np.array(steps)


def single_form(weft, rng):
    """One head, a bound that is met, one that is not, and one step alone."""
    a = rng.uniform(0.5, 900, 6).astype(np.float32)
    problems = []
    for title, least in (("found", 1e-2), ("never", -1.0), ("at once", 1e9)):
        x = newton_steps(a, np.float32(least), 40)
        wanted = {"x": x, "n": np.int64(len(x)), "root": x[-1]}
        problems += check(weft, f"single form, {title}", NEWTON, {"a": a, "least": np.float32(least)}, wanted)
    return problems


def several_states(weft, rng):
    """A bound that is a run-time size, the whole history, a second loop over what was found, sums, and data's lists."""
    x = rng.normal(size=(9, 4)).astype(np.float32)
    text = entry(
        "dim T in 1..50\n  forward(x: f32[T, 4], far: f32) -> s: f32[L <= T, 4], back: f32[L], late: int[M <= T], total: f32, w: f32[L]",
        """    rec t < L <= T {
      s[t, d] = s[t-1, d] + x[t, d]
      r[t] = max(d) abs(s[t, d])
      w[t] = r[t] - (sum(j < t) w[j]) / 8
    } from s[-1, d < 4] = 0 until r[t] > far
    rec back[t < L] = 0.5 * back[t+1] + r[t] from back[L] = 1
    late = filter(t) r[t] > far / 2
    total = (sum(t, d) s[t, d]) + r[L-1]""",
    )
    problems = []
    for far in (2.5, 100.0):
        s, r, w = [], [], []
        for t in range(9):
            s.append((s[-1] if s else np.zeros(4, np.float32)) + x[t])
            r.append(np.abs(s[-1]).max())
            w.append(r[-1] - sum(w) / 8)
            if r[-1] > far:
                break
        back, state = [], 1.0
        for value in reversed(r):
            state = 0.5 * state + value
            back.append(state)
        wanted = {"s": np.array(s), "back": np.array(back[::-1]), "w": np.array(w), "total": np.sum(s) + r[-1]}
        wanted["late"] = np.flatnonzero(np.array(r) > far / 2)
        problems += check(weft, f"several states, {far}", text, {"x": x, "far": np.float32(far)}, wanted)
    return problems


def under_indices(weft, rng):
    """An op that finds its number of steps and gives none of it, called for every row."""
    a = rng.uniform(0.5, 5000, (2, 7)).astype(np.float32)
    text = entry(
        "dim B in 1..8\n  forward(a: f32[B, 7]) -> y: f32[B, 7], n: int[B, 7], mean_of: f32[B, 7]",
        "    y[b, i], n[b, i], mean_of[b, i] = root(a[b, i])",
        """
op root(a: float) -> y: float, n: int, mean_of: float {
  rec k < K <= 30 { x[k] = (x[k-1] + a / x[k-1]) / 2 } from x[-1] = a until abs(x[k]^2 - a) < 0.01
  y = x[K-1]
  n = K
  mean_of = mean(k) x[k]
}""",
    )
    y, n, mean_of = np.zeros((2, 7)), np.zeros((2, 7), np.int64), np.zeros((2, 7))
    for at in np.ndindex(2, 7):
        steps = newton_steps(a[at], 0.01, 30)
        y[at], n[at], mean_of[at] = steps[-1], len(steps), steps.mean(dtype=np.float64)
    return check(weft, "under indices", text, {"a": a}, {"y": y, "n": n, "mean_of": mean_of})


def launches(weft, text, inputs, outputs, backend, folder):
    """How often each kernel runs in one run of the program, by the name that the profile has."""
    rounds = 10  # of the program, by a profile
    trace = folder / "trace.json"
    run(weft, text, inputs, outputs, "--profile", trace, backend=backend, folder=folder)
    counts = {}
    for event in json.loads(trace.read_text())["traceEvents"]:
        if event.get("ph") == "X":
            counts[event["name"]] = counts.get(event["name"], 0) + 1
    return {name: count // rounds for name, count in counts.items()}


def steps_are_not_made(weft, rng):
    """What is not reached costs nothing: the launches of a step are as many as its steps."""
    text = entry(
        "forward(x: f32[64], w: f32[64, 64], far: f32) -> h: f32[T <= 1000, 64]",
        """    rec h[t < T <= 1000, i] = tanh(0.2 * h[t-1, i] + sum(j) w[i, j] * h[t-1, j]) from h[-1] = x
      until (max(i) h[t, i]) > far""",
    )
    x = rng.normal(size=64).astype(np.float32) / 9
    w = rng.normal(size=(64, 64)).astype(np.float32) / 8
    problems = []
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            inputs = {"x": x, "w": w, "far": np.float32(0.8)}
            counts = launches(weft, text, inputs, ["h"], backend, folder)
            steps = len(np.load(folder / "h_out.npy"))
        if not 20 < steps < 60:
            problems.append(f"{backend}: this test wants a few steps, not {steps}")
        if sum(counts.values()) > 3 * steps + 3 or max(counts.values()) != steps:
            problems.append(f"{backend}: {steps} steps by {counts}")
    return problems


# ---- Adaptive computation time, as its paper has it: each row of a batch steps as long as it needs.

ACT = """weft 0.1
import std.linear: Linear
import std.activation: sigmoid
import std.halting: halting

model ActRnn(din: int, dim: int, dout: int; most: int = 20, eps: float = 0.01) {
  input: Linear(din + 1, dim)
  recur: Linear(dim, dim)
  halt: Linear(dim, 1)
  output: Linear(dim, dout)

  ponder(x: float[din], s0: float[dim]) -> s: float[dim], y: float[dout], cost: float {
    rec n < N <= most {
      flag[n] = 1 if n == 0 else 0
      h[n] = tanh(input(concat([x, [flag[n]]])) + recur(h[n-1]))
      p[n] = sigmoid(halt(h[n])[0])
      w[n], spent[n], halted[n] = halting(p[n], spent[n-1], false, n == most - 1, eps = eps)
    } from h[-1] = s0, spent[-1] = 0
      until halted[n]
    s[d] = sum(n) w[n] * h[n, d]
    y[o] = sum(n) w[n] * output(h[n])[o]
    cost = N + w[N-1]
  }

  forward(x: float[T, B, din]) -> y: float[T, B, dout], cost: float {
    rec t {
      s[t, b], y[t, b], c[t, b] = ponder(x[t, b], s[t-1, b])
    } from s[-1, b < B, d < dim] = 0
    cost = mean(t, b) c[t, b]
  }
}

entry think {
  dim T in 1..100, B in 1..64
  net: ActRnn(DIN, DIM, DOUT)
  forward(x: f32[T, B, DIN]) -> y: f32[T, B, DOUT], cost: f32 { y, cost = net(x) }
}
"""


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def act(w, x, eps=0.01, most=20):
    steps, batch, _ = x.shape
    s = np.zeros((batch, w["recur.weight"].shape[0]))
    ys, costs = [], []
    for t in range(steps):
        row = []
        for b in range(batch):
            h, before, ps, hs = s[b], 0.0, [], []
            for n in range(most):
                given = np.append(x[t, b], float(n == 0))
                h = np.tanh(w["input.weight"] @ given + w["input.bias"] + w["recur.weight"] @ h + w["recur.bias"])
                p = sigmoid(w["halt.weight"] @ h + w["halt.bias"])[0]
                hs.append(h)
                ps.append(p)
                if sum(ps) >= 1 - eps:
                    break
            ps[-1] = 1 - sum(ps[:-1])
            s[b] = sum(p * h for p, h in zip(ps, hs))
            row.append(sum(p * (w["output.weight"] @ h + w["output.bias"]) for p, h in zip(ps, hs)))
            costs.append(len(ps) + ps[-1])
        ys.append(row)
    return np.array(ys), np.mean(costs)


def ponders(weft, rng, sizes=(3, 6, 2), shape=(4, 3)):
    din, dim, dout = sizes
    w = {}
    for name, (rows, columns) in {"input": (dim, din + 1), "recur": (dim, dim), "halt": (1, dim), "output": (dout, dim)}.items():
        w[f"{name}.weight"] = (rng.normal(size=(rows, columns)) / np.sqrt(columns)).astype(np.float32)
        w[f"{name}.bias"] = (rng.normal(size=rows) / 4).astype(np.float32)
    w["halt.weight"] *= 6
    w["halt.bias"] -= 1
    x = rng.normal(size=(*shape, din)).astype(np.float32)
    text = ACT
    for name, size in (("DIN", din), ("DIM", dim), ("DOUT", dout)):
        text = text.replace(name, str(size))
    y, cost = act({name: value.astype(np.float64) for name, value in w.items()}, x.astype(np.float64))
    return check(weft, "adaptive computation time", text, {"x": x}, {"y": y, "cost": cost}, tolerance=1e-4, weights=w)


def main():
    weft = sys.argv[1]
    problems = []
    if "--full" in sys.argv:
        problems += ponders(weft, np.random.default_rng(7), (16, 128, 10), (10, 8))
    else:
        for case in (single_form, several_states, under_indices, steps_are_not_made, ponders):
            problems += case(weft, np.random.default_rng(7))
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
