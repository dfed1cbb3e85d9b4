"""Conditions without indices: the side that is not taken costs nothing. By both back ends, against NumPy, with launches counted
from profiles: python branches.py WEFT"""

import pathlib
import sys
import tempfile

import numpy as np

from program_case import BACKENDS, check
from until import entry, launches

SIDES = entry(
    "forward(x: f32[48, 48], w: f32[48, 48], c: bool) -> y: f32[48, 48], s: f32, n: int",
    """    y = dense(x, w) if c else x + 1
    s = total(x) if not c else 2.0
    n = (count(i, j) x[i, j] > 0) if c else 7""",
    """
op dense(x: float[N, K], w: float[K, K]) -> y: float[N, K] {
  h[i, j] = tanh(sum(k) x[i, k] * w[k, j])
  y[i, j] = sum(k) h[i, k] * w[k, j]
}
op total(x: float[N, M]) -> s: float { s = sum(i, j) x[i, j]^2 }""",
)


def sides(weft, rng):
    x = rng.normal(size=(48, 48)).astype(np.float32)
    w = (rng.normal(size=(48, 48)) / 7).astype(np.float32)
    dense = np.tanh(x @ w) @ w
    problems = []
    for c in (True, False):
        wanted = {"y": dense if c else x + 1, "s": 2.0 if c else (x.astype(np.float64) ** 2).sum(), "n": np.int64((x > 0).sum() if c else 7)}
        problems += check(weft, f"sides, {c}", SIDES, {"x": x, "w": w, "c": np.bool_(c)}, wanted, tolerance=1e-4)
    return problems


def costs(weft, rng):
    """Ten layers, each dropped or not: as many products are made as are kept."""
    layers = 10
    text = entry(
        f"forward(x: f32[32, 32], w: f32[32, 32], keep: bool[{layers}]) -> y: f32[32, 32]",
        f"""    y = x
    for l in 0..{layers} {{ y = layer(y, w) if keep[l] else y }}""",
        """
op layer(x: float[N, K], w: float[K, M]) -> y: float[N, M] { y[i, j] = tanh(sum(k) x[i, k] * w[k, j]) }""",
    )
    x = rng.normal(size=(32, 32)).astype(np.float32)
    w = (rng.normal(size=(32, 32)) / 4).astype(np.float32)
    problems, counts = [], {}
    for kept in (0, 3, 10):
        keep = np.arange(layers) < kept
        y = x
        for _ in range(kept):
            y = np.tanh(y @ w)
        inputs = {"x": x, "w": w, "keep": keep}
        problems += check(weft, f"{kept} layers", text, inputs, {"y": y}, tolerance=1e-4)
        for backend in BACKENDS:
            with tempfile.TemporaryDirectory() as folder:
                made = launches(weft, text, inputs, ["y"], backend, pathlib.Path(folder))
            counts[backend, kept] = made.get("forward.y.y", 0)
    for backend in BACKENDS:
        none, three, all_of_them = (counts[backend, kept] for kept in (0, 3, 10))
        if (none, three, all_of_them) != (0, 3, 10):
            problems.append(f"{backend}: {none} products for no layer, {three} for 3, {all_of_them} for 10")
    return problems


def under_indices_and_in_steps(weft, rng):
    """A branch in a step, and one whose sides have indices."""
    x = rng.normal(size=(5, 6)).astype(np.float32)
    text = entry(
        "forward(x: f32[5, 6], c: bool) -> h: f32[5, 6], r: f32[5]",
        """    even[t < 5] = t % 2 == 0
    rec h[t] = change(h[t-1]) + x[t] if even[t] else h[t-1] from h[-1] = x[0]
    r[i] = norm(x[i]) if c else 0.5""",
        """
op change(h: float[N]) -> y: float[N] { y[n] = sum(m) h[m] / (1 + abs(h[n])) }
op norm(x: float[N]) -> r: float { r = sqrt(sum(n) x[n]^2) }""",
    )
    problems = []
    for c in (True, False):
        h, state = [], x[0].astype(np.float64)
        for t in range(5):
            if t % 2 == 0:
                state = state.sum() / (1 + np.abs(state)) + x[t]
            h.append(state)
        r = np.sqrt((x**2).sum(1)) if c else np.full(5, 0.5)
        problems += check(weft, f"in steps, {c}", text, {"x": x, "c": np.bool_(c)}, {"h": np.array(h), "r": r}, tolerance=1e-4)
    return problems


def main():
    problems = []
    for case in (sides, costs, under_indices_and_in_steps):
        problems += case(sys.argv[1], np.random.default_rng(7))
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
