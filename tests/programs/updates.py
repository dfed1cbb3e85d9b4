"""Recurrences that change one slice of a state in a step, beside NumPy: python updates.py WEFT

Each runs on both back ends, with the slice written into the state and with the whole state computed, to the same bits. A state
may be read by others in the same step, before it changes or after; positions may lie outside.
"""

import functools
import sys

import numpy as np

from program_case import check_bits

check_all = functools.partial(check_bits, without="update-rows")


def entry(signature, body, least=1):
    """`least`: the fewest steps."""
    dims = f"  dim T in {least}..1000\n  dim N in 1..100000\n  dim D in 1..100\n"
    return f"weft 0.1\n\nentry net {{\n{dims}  forward({signature} {{\n{body}\n  }}\n}}\n"


def rows(weft, rng):
    """The new row is made of the old one; positions repeat and lie outside; the state itself, and every state."""
    problems = []
    for steps, count, width in [(40, 7, 5), (1, 1, 1), (25, 300, 20)]:
        x, old = rng.normal(size=(steps, width)).astype(np.float32), rng.normal(size=(count, width)).astype(np.float32)
        at = rng.integers(-2, count + 2, steps)
        s, history = old.copy(), []
        for t in range(steps):
            if 0 <= at[t] < count:
                s[at[t]] = np.float32(0.5) * s[at[t]] - x[t]
            history.append(s.copy())
        inputs = {"x": x, "at": at, "old": old}
        signature = "x: f32[T, D], at: int[T], old: f32[N, D]) -> "
        step = "    rec s[t, n, d] = (0.5 * s[t-1, n, d] - x[t, d] if n == at[t] else s[t-1, n, d]) from s[-1] = old\n"
        problems += check_all(weft, f"last of rows {count}", entry(signature + "y: f32[N, D]", step + "    y = s[T-1]"), inputs, {"y": s})  # fmt: skip
        problems += check_all(weft, f"all rows {count}", entry(signature + "y: f32[T, N, D]", step + "    y = s"), inputs, {"y": np.array(history)})  # fmt: skip
    return problems


def none(weft, rng):
    """No step: what is given."""
    old = rng.normal(size=(9, 3)).astype(np.float32)
    text = entry(
        "x: f32[T, D], at: int[T], old: f32[N, D]) -> y: f32[T, N, D]",
        "    rec s[t, n, d] = (x[t, d] if n == at[t] else s[t-1, n, d]) from s[-1] = old\n    y = s",
        least=0,
    )
    inputs = {"x": np.zeros((0, 3), np.float32), "at": np.zeros(0, np.int64), "old": old}
    return check_all(weft, "no steps", text, inputs, {"y": np.zeros((0, 9, 3), np.float32)})


def readers(weft, rng):
    """Others read the state before and after it changes; two indices at once; a column."""
    steps, count, width = 30, 40, 6
    x, at, of = rng.normal(size=steps).astype(np.float32), rng.integers(0, count, steps), rng.integers(0, width, steps)
    text = entry(
        "x: f32[T], at: int[T] in 0..N, of: int[T] in 0..D, old: f32[N, D]) -> y: f32[N, D], b: f32[T], a: f32[T], done: f32[N, D]",
        """    rec t {
      before[t] = max(n, d) s[t-1, n, d]
      s[t, n, d] = (x[t] + before[t] if n == at[t] and of[t] == d else s[t-1, n, d])
      after[t] = max(n, d) s[t, n, d]
      c[t, n, d] = (s[t-1, n, d] if d + 1 == of[t] else c[t-1, n, d])
    } from s[-1] = old, c[-1] = old
    y = s[T-1]
    b = before
    a = after
    done = c[T-1]""",
    )
    old = rng.normal(size=(count, width)).astype(np.float32)
    s, c, before, after = old.copy(), old.copy(), [], []
    for t in range(steps):
        previous = s.copy()
        before.append(s.max())
        s[at[t], of[t]] = x[t] + before[-1]
        after.append(s.max())
        if of[t] > 0:
            c[:, of[t] - 1] = previous[:, of[t] - 1]
    wanted = {"y": s, "b": np.array(before), "a": np.array(after), "done": c}
    return check_all(weft, "readers", text, {"x": x, "at": at, "of": of, "old": old}, wanted)


def main():
    weft = sys.argv[1]
    problems = []
    for seed, case in enumerate([rows, none, readers]):
        problems += case(weft, np.random.default_rng(seed))
    print("\n".join(problems[:10]))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
