"""Recurrences that end early, called under indices: each value with as many steps as it takes, all of them stepped
together. Both back ends against loops in NumPy; steps are counted from profiles. Usage: until_under_indices.py WEFT"""

import pathlib
import sys
import tempfile

import numpy as np

from program_case import BACKENDS, check
from until import entry, launches

F32 = np.float32


def several_states(weft, rng):
    """The last step of one state, sums over the steps of another, whole histories, and the number of steps in arithmetic."""
    x = rng.normal(size=(3, 5, 4)).astype(F32)
    text = entry(
        "dim B in 1..8\n  forward(x: f32[B, 5, 4], far: f32) -> s: f32[B, 5, 4], r: f32[B, 5], n: int[B, 5], first: f32[B, 5]",
        "    s[b, i], r[b, i], n[b, i], first[b, i] = walk(x[b, i], far)",
        """
op walk(x: float[D], far: float) -> last: float[D], r: float, n: int, first: float {
  rec k < K <= 30 {
    s[k, d] = s[k-1, d] + (k + 1) * x[d]
    reach[k] = max(d) abs(s[k, d])
    seen[k]: float[30] = reach[k] + (sum(j < k) seen[j]) / 4
  } from s[-1, d < D] = 0 until reach[k] > far
  last = s[K-1]
  r = seen[K-1] + mean(k) reach[k]
  n = 2*K*K - K + D
  first = (first(k where reach[k] > far / 2) seen[k] else -1)
}""",
    )
    problems = []
    for far in (4.0, 1e9):
        s, r, n, first = (np.zeros((3, 5, 4), F32), np.zeros((3, 5)), np.zeros((3, 5), np.int64), np.zeros((3, 5)))
        for at in np.ndindex(3, 5):
            state, reach, seen = np.zeros(4, F32), [], []
            for k in range(30):
                state = state + F32(k + 1) * x[at]
                reach.append(np.abs(state).max())
                seen.append(reach[-1] + sum(seen) / 4)
                if reach[-1] > far:
                    break
            steps = len(reach)
            s[at], r[at], n[at] = state, seen[-1] + np.mean(reach), 2 * steps * steps - steps + 4
            first[at] = next((v for v, a in zip(seen, reach) if a > far / 2), -1)
        problems += check(weft, f"several states, far {far}", text, {"x": x, "far": F32(far)},
                          {"s": s, "r": r, "n": n, "first": first}, tolerance=1e-4)
    return problems


def ends_stay(weft, rng):
    """What a value has at its end stays, though the steps that others make would spoil it: squares overflow, and positions
    leave their table."""
    x = np.array([1.5, 30, 2, 1.0001, 1.2, 700], F32)
    text = entry(
        "forward(x: f32[6], table: int[9] in 0..9) -> y: f32[6], n: int[6], at: int[6]",
        """    y[i], n[i] = grown(x[i])
    at[i] = end(table, i)""",
        """
op grown(x: float) -> y: float, n: int {
  rec p[k < K <= 60] = p[k-1]^2 from p[-1] = x until p[k] > 1e4
  y = p[K-1] + 0 / p[K-1]
  n = K
}
op end(table: int[N] in 0..N, start: int in 0..N) -> at: int {
  rec k < K <= 12 {
    here[k]: int[12] in 0..N = table[here[k-1]]
  } from here[-1] = start until here[k] == table[here[k]]
  at = here[K-1]
}""",
    )
    table = np.array([3, 0, 1, 4, 5, 6, 6, 7, 7])
    y, n, at = x.copy(), np.zeros(6, np.int64), np.zeros(6, np.int64)
    for i in range(6):
        while True:
            y[i], n[i] = y[i] * y[i], n[i] + 1
            if y[i] > 1e4:
                break
        here = i
        while True:
            here = table[here]
            if here == table[here]:
                break
        at[i] = here
    return check(weft, "ends stay", text, {"x": x, "table": table}, {"y": y, "n": n, "at": at})


def loops_in_loops(weft, rng):
    """An early end inside the steps of another loop, inside another early end, behind another, and with a state that the
    loop never reads."""
    a = rng.uniform(0.5, 500, (4, 3)).astype(F32)
    text = entry(
        "forward(a: f32[4, 3]) -> total: f32[4], rounds: int[4], inner: int[4], twice: f32[4, 3]",
        """    total[b], rounds[b], inner[b] = rooted(a[b])
    twice[b, i] = fourth(a[b, i])""",
        """
op root(a: float) -> y: float, n: int {
  rec k < K <= 40 {
    x[k] = (x[k-1] + a / x[k-1]) / 2
    off[k] = abs(x[k]^2 - a)
  } from x[-1] = a until off[k] < 0.001 * a
  y = x[K-1] + 0 * off[K-1]
  n = K
}
op fourth(a: float) -> y: float {
  first, n = root(a)
  y, n = root(first)
}
op rooted(a: float[N]) -> total: float, rounds: int, inner: int {
  rec t {
    y[t], n[t] = root(a[t])
    sum_to[t] = sum_to[t-1] + y[t]
  } from sum_to[-1] = 0
  rec m < M <= 9 {
    low[m], steps[m] = root(low[m-1])
    count[m] = count[m-1] + steps[m]
  } from low[-1] = sum_to[N-1], count[-1] = 0 until low[m] < 2
  total = sum_to[N-1] + low[M-1]
  rounds = M
  inner = count[M-1] + sum(t) n[t]
}""",
    )

    def root(a):
        x, n = a, 0
        while True:
            x, n = (x + a / x) / F32(2), n + 1
            if abs(x * x - a) < F32(0.001) * a or n == 40:
                return x, n

    total, rounds, inner = np.zeros(4), np.zeros(4, np.int64), np.zeros(4, np.int64)
    for b in range(4):
        low = F32(0)
        for value in a[b]:
            y, n = root(value)
            low, inner[b] = low + y, inner[b] + n
        total[b] = low
        while True:
            low, n = root(low)
            rounds[b], inner[b] = rounds[b] + 1, inner[b] + n
            if low < 2 or rounds[b] == 9:
                break
        total[b] += low
    twice = np.array([[root(root(v)[0])[0] for v in row] for row in a])
    return check(weft, "loops in loops", text, {"a": a}, {"total": total, "rounds": rounds, "inner": inner, "twice": twice})


def sizes_stay_sizes(weft, rng):
    """Where the number of steps is the size of a tensor the values go one after the other, with the same results."""
    x = rng.uniform(1, 50, 6).astype(F32)
    text = entry(
        "forward(x: f32[6]) -> y: f32[6]",
        "    y[i] = there_and_back(x[i])",
        """
op there_and_back(x: float) -> y: float {
  rec down[k < K <= 20] = down[k-1] / 2 from down[-1] = x until down[k] < 1
  rec up[k < K] = 3 * up[k+1] + down[k] from up[K] = 1
  y = up[0]
}""",
    )
    y = np.zeros(6)
    for i, value in enumerate(x):
        down = [value / F32(2)]
        while down[-1] >= 1:
            down.append(down[-1] / F32(2))
        y[i] = 1
        for d in reversed(down):
            y[i] = 3 * y[i] + d
    return check(weft, "sizes stay sizes", text, {"x": x}, {"y": y})


def steps_are_shared(weft, rng):
    """As many steps as the value that takes most of them, each for all values."""
    text = entry(
        "forward(x: f32[16, 64], w: f32[64, 64], far: f32) -> y: f32[16, 64], n: int[16]",
        "    y[b], n[b] = settled(x[b], w, far)",
        """
op settled(x: float[N], w: float[N, N], far: float) -> y: float[N], n: int {
  rec h[t < T <= 1000, i] = tanh(0.2 * h[t-1, i] + sum(j) w[i, j] * h[t-1, j]) from h[-1] = x
    until (max(i) h[t, i]) > far
  y = h[T-1]
  n = T
}""",
    )
    x = rng.normal(size=(16, 64)).astype(F32) / 9
    w = rng.normal(size=(64, 64)).astype(F32) / 8
    n, problems = np.zeros(16, np.int64), []
    for b in range(16):
        h = x[b]
        while True:
            h, n[b] = np.tanh(F32(0.2) * h + w @ h), n[b] + 1
            if h.max() > 0.8 or n[b] == 1000:
                break
    if not 2 < n.min() < n.max() - 5 < 200:
        problems.append(f"this test wants different numbers of steps, not {n}")
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            counts = launches(weft, text, {"x": x, "w": w, "far": F32(0.8)}, ["y", "n"], backend, folder)
            got = np.load(folder / "n_out.npy")
        if np.abs(got - n).max() > 1:
            problems.append(f"{backend}: {got} steps, not {n}")
        if max(counts.values()) > got.max() + 1 or sum(counts.values()) > 6 * got.max() + 12:
            problems.append(f"{backend}: {got.max()} steps by {counts}")
    return problems


def main():
    weft = sys.argv[1]
    problems = []
    for case in (several_states, ends_stay, loops_in_loops, sizes_stay_sizes, steps_are_shared):
        problems += case(weft, np.random.default_rng(7))
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
