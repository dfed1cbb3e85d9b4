"""Orders, the largest and what is found: positions in plain loops, of numbers of every kind."""

import math

import numpy as np

ENTRY = """weft 0.1

op reciprocal_rank(x: float[N]) -> y: float[N] {
  order = argsort(i) -x[i]
  place = argsort(k) order[k]
  y[i] = 1 / (1 + place[i])
}

entry lists {
  dim N in 0..2000, B in 1..40

  order(x: f32[N]) -> y: int[N] { y = argsort(i) x[i] }
  order_down(x: f32[N]) -> y: int[N] { y = argsort(i) -x[i] }
  order_whole(x: i64[N]) -> y: int[N] { y = argsort(i) x[i] }
  order_flags(x: f32[N]) -> y: int[N] { y = argsort(i) (0 if x[i] > 0 else 1) }
  ranks(x: f32[N]) -> y: f32[N] { y = reciprocal_rank(x) }
  sorted_rows(x: f32[B, N]) -> y: f32[B, N] {
    at[b] = argsort(i) x[b, i]
    y[b, i] = x[b, at[b, i]]
  }
  best(x: f32[N]) -> y: int[minimum(N, 7)] { y = topk(i; 7) x[i] }
  best_whole(x: i64[N]) -> y: int[minimum(N, 7)] { y = topk(i; 7) x[i] }
  best_row(x: f32[B, N]) -> y: int[minimum(B*N, 9)] { y, _ = topk(b, i; 9) x[b, i] }
  best_column(x: f32[B, N]) -> y: int[minimum(B*N, 9)] { _, y = topk(b, i; 9) x[b, i] }
  found(x: f32[N]) -> y: int[K <= N] { y = filter(i) x[i] > 0 }
  found_first(x: f32[N]) -> y: int[K <= 5] { y = filter(i; 5) x[i] > 0 }
  found_values(x: f32[N]) -> y: f32[K <= N] { y = x[filter(i) x[i] > 0] }
  found_row(x: f32[B, N]) -> y: int[K <= B*N] { y, _ = filter(b, i) x[b, i] > 0 }
  found_column(x: f32[B, N]) -> y: int[K <= B*N] { _, y = filter(b, i) x[b, i] > 0 }
  found_twice(x: f32[N]) -> y: f32[K <= N] {
    some = x[filter(i) x[i] > 0]
    y = some[filter(k) some[k] < 1]
  }
  least_found(x: f32[N]) -> y: f32 {
    at = filter(i) x[i] > 0
    y = min(k) x[at[k]]
  }
  best_found(x: f32[N]) -> y: f32[K <= 3] {
    some = x[filter(i) x[i] > 0]
    y = some[topk(k; 3) some[k]]
  }
}
"""


def by(key):
    """Positions in the order of a key, smallest first; equal ones in their order."""
    return np.array(sorted(range(len(key)), key=lambda i: key[i]), np.int64)


def rising(x):
    """A key by which NaN is the largest."""
    return [(math.isnan(e), 0 if math.isnan(e) else e) for e in x.tolist()]


def falling(x):
    return [(not math.isnan(e), 0 if math.isnan(e) else -e) for e in x.tolist()]


def order(x):
    return by(rising(x))


def order_down(x):
    return by(rising(-x))


def order_whole(x):
    return by(x.tolist())


def order_flags(x):
    return by([not e > 0 for e in x.tolist()])


def ranks(x):
    y = np.zeros(len(x))
    for place, i in enumerate(order_down(x)):
        y[i] = 1 / (1 + place)
    return y


def sorted_rows(x):
    return np.array([row[order(row)] for row in x]).reshape(x.shape)


def best(x):
    return by(falling(x))[:7]


def best_whole(x):
    return by([-e for e in x.tolist()])[:7]


def best_row(x):
    return by(falling(x.reshape(-1)))[:9] // max(x.shape[1], 1)


def best_column(x):
    return by(falling(x.reshape(-1)))[:9] % max(x.shape[1], 1)


def found(x):
    return np.array([i for i, e in enumerate(x.tolist()) if e > 0], np.int64)


def found_first(x):
    return found(x)[:5]


def found_values(x):
    return x[found(x)]


def found_row(x):
    return found(x.reshape(-1)) // max(x.shape[1], 1)


def found_column(x):
    return found(x.reshape(-1)) % max(x.shape[1], 1)


def found_twice(x):
    return np.array([e for e in x.tolist() if 0 < e < 1], np.float32)


def least_found(x):
    return np.array(min(found_values(x).tolist(), default=math.inf))


def best_found(x):
    return np.array(sorted(found_values(x).tolist(), reverse=True)[:3], np.float32)


KINDS = [0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, 3e38, -3e38, math.inf, -math.inf, math.nan]


def of(values):
    return lambda rng: {"x": np.array(values, np.float32)}


def kinds(*shape):
    return lambda rng: {"x": rng.choice(KINDS, shape).astype(np.float32)}


def normals(*shape):
    return lambda rng: {"x": rng.normal(size=shape).astype(np.float32)}


def whole(values):
    return lambda rng: {"x": np.array(values, np.int64)}


def drawn_whole(rng):
    return {"x": rng.choice([0, 1, -1, 2**62, -(2**63), 2**63 - 1, 5], 300)}


FLAT = [of([]), of([2]), of([math.nan]), of([-1]), of([3] * 100), of([math.nan] * 20), of([-math.inf] * 20), of(range(130)),
        of(range(130, 0, -1)), kinds(9), kinds(300), normals(64), normals(65), normals(1999)]
WHOLE = [whole([]), whole([-4]), whole([7] * 80), drawn_whole]
ROWS = [normals(3, 0), normals(1, 1), kinds(5, 1), kinds(1, 70), kinds(7, 13), normals(40, 33)]

CASES = {
    **{name: FLAT for name in ("order", "order_down", "order_flags", "ranks", "best", "found", "found_first", "found_values",
                               "found_twice", "least_found", "best_found")},
    **{name: WHOLE for name in ("order_whole", "best_whole")},
    **{name: ROWS for name in ("sorted_rows", "best_row", "best_column", "found_row", "found_column")},
}
