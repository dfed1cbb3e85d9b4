"""Reductions whose condition names an index, beside NumPy's loops over the elements: python scatters.py WEFT

Every case runs on both back ends, with and without the pass that walks segments: segments give the bits of adding in the
order of the elements. Keys repeat, leave segments empty and lie outside; values are NaN, -0 and inf.
"""

import functools
import sys

import numpy as np

from program_case import check_bits

check_all = functools.partial(check_bits, without="segment-reductions")
ROWS = """weft 0.1
entry rows {
  dim N in 1..100000
  dim E in 0..1000000
  dim D in 1..4096
  forward(x: f32[E, D], dst: int[E], keep: bool[E], old: f32[N, D])
      -> sums: f32[N, D], kept: f32[N, D], high: f32[N, D], low: f32[N, D], product: f32[N, D], mean: f32[N, D],
         many: int[N], some: bool[N], shifted: int[N], front: f32[N, D], back: f32[N, D], where_high: int[N, D] {
    sums[n, d] = sum(e where dst[e] == n) x[e, d]
    kept[n, d] = sum(e where keep[e] and n == dst[e]) x[e, d]
    high[n, d] = max(e where dst[e] == n) x[e, d]
    low[n, d] = min(e where dst[e] == n) x[e, d]
    product[n, d] = (prod(e where dst[e] == n and keep[e]) x[e, d]) else -1
    mean[n, d] = mean(e where dst[e] == n) x[e, d]
    many[n] = count(e) dst[e] == n
    some[n] = any(e) dst[e] == n and keep[e]
    shifted[n] = count(e) dst[e] - 3 == n
    front[n, d] = first(e where dst[e] == n) x[e, d] else old[n, d]
    back[n, d] = last(e where dst[e] == n) x[e, d] else old[n, d]
    where_high[n, d] = argmax(e where dst[e] == n) x[e, d] else -1
  }
}
"""


def reduce_rows(x, dst, keep, old):
    """What `rows` computes: one element after the other, in f32."""
    segments, columns = old.shape
    out = {name: np.zeros((segments, columns), np.float32) for name in ("sums", "kept")}
    out["high"], out["low"] = (np.full((segments, columns), side, np.float32) for side in (-np.inf, np.inf))
    out["product"] = np.ones((segments, columns), np.float32)
    out["many"], out["some"] = np.zeros(segments, np.int64), np.zeros(segments, bool)
    out["shifted"] = np.zeros(segments, np.int64)
    out["front"], out["back"] = old.copy(), old.copy()
    out["where_high"] = np.full((segments, columns), -1, np.int64)
    met = set()
    for e, n in enumerate(map(int, dst)):
        if 0 <= n - 3 < segments:
            out["shifted"][n - 3] += 1
        if not 0 <= n < segments:
            continue
        best = out["where_high"][n].copy()
        so_far = np.where(best < 0, np.float32(-np.inf), x[best, np.arange(columns)])
        # NaN is the largest; equal values keep the first.
        better = (best < 0) | (x[e] > so_far) | (np.isnan(x[e]) & ~np.isnan(so_far))
        out["where_high"][n] = np.where(better, e, best)
        out["sums"][n] += x[e]
        out["high"][n], out["low"][n] = np.maximum(out["high"][n], x[e]), np.minimum(out["low"][n], x[e])
        out["many"][n] += 1
        out["back"][n] = x[e]
        if n not in met:
            out["front"][n] = x[e]
        met.add(n)
        if keep[e]:
            out["kept"][n] += x[e]
            with np.errstate(invalid="ignore"):
                out["product"][n] *= x[e]
            out["some"][n] = True
    out["product"][~out["some"]] = -1
    with np.errstate(invalid="ignore", divide="ignore"):
        out["mean"] = out["sums"] / out["many"].astype(np.float32)[:, None]
    return out


def rows(weft, rng):
    problems = []
    # (elements, segments, columns, least key, largest key)
    for sizes in [(60, 17, 3, 0, 16), (300, 40, 8, -5, 60), (7, 100, 1, 0, 99), (0, 9, 2, 0, 8), (40, 1, 5, -1, 1),
                  (50, 12, 16, 4, 4), (33, 20, 7, 200, 300)]:  # fmt: skip
        count, segments, columns, least, most = sizes
        x = rng.normal(size=(count, columns)).astype(np.float32)
        special = rng.random(x.shape)
        x[special < 0.04], x[special > 0.97] = np.nan, -np.inf
        x[(special > 0.5) & (special < 0.6)] = -0.0
        dst = rng.integers(least, most + 1, count)
        if count > 5 and least < 0:
            dst[:2] = np.iinfo(np.int64).min, np.iinfo(np.int64).max
        keep = rng.random(count) < 0.6
        old = rng.normal(size=(segments, columns)).astype(np.float32)
        inputs = {"x": x, "dst": dst, "keep": keep, "old": old}
        problems += check_all(weft, f"rows {sizes}", ROWS, inputs, reduce_rows(**inputs))
    return problems


def pairs(weft, rng):
    """Two equalities, an element of a picture, a batch, and a key that is computed."""
    text = """weft 0.1
entry net {
  dim I in 1..1000
  dim J in 1..1000
  dim E in 1..10000
  dim H in 1..100
  dim W in 1..100
  dim N in 1..1000
  forward(v: f32[E], row: i32[E], col: int[E], label: int[H, W], img: f32[H, W], part: int[3, E], cut: int[E] in 0..H)
      -> dense: f32[I, J], most: f32[N], region: f32[N, H], batch: f32[3, N], through: int[N] {
    dense[i, j] = sum(e where int(row[e]) == i and col[e] == j) v[e]
    most[n] = max(h, w where label[h, w] == n) img[h, w]
    region[n, k] = sum(h, w where label[h, w] == n and h <= k) img[h, w]
    batch[b, n] = sum(e where part[b, e] == n) (v[e] + b)
    through[n] = count(e where label[cut[e], 0] + 1 == n) v[e] > 0
  }
}
"""
    elements, high, wide, segments = 90, 6, 9, 11
    row, col = rng.integers(-1, 8, elements).astype(np.int32), rng.integers(-2, 5, elements)
    inputs = {
        "v": rng.normal(size=elements).astype(np.float32), "row": row, "col": col,
        "label": rng.integers(-1, segments + 2, (high, wide)),
        "img": rng.integers(-99, 99, (high, wide)).astype(np.float32),  # sums are exact in any order, along h too
        "part": rng.integers(0, segments, (3, elements)), "cut": rng.integers(0, high, elements),
    }  # fmt: skip
    v, label, img, part, cut = (inputs[name] for name in ("v", "label", "img", "part", "cut"))
    dense = np.zeros((7, 4), np.float32)
    inside = (row >= 0) & (row < 7) & (col >= 0) & (col < 4)
    np.add.at(dense, (row[inside], col[inside]), v[inside])
    most = np.full(segments, -np.inf, np.float32)
    region = np.zeros((segments, high), np.float32)
    for h in range(high):
        for w in range(wide):
            n = label[h, w]
            if 0 <= n < segments:
                most[n] = max(most[n], img[h, w])
                region[n, h:] += img[h, w]
    batch = np.zeros((3, segments), np.float32)
    for b in range(3):
        np.add.at(batch[b], part[b], v + np.float32(b))
    through = np.zeros(segments, np.int64)
    keys = label[cut, 0] + 1
    np.add.at(through, keys[(v > 0) & (keys < segments)], 1)
    wanted = {"dense": dense, "most": most, "region": region, "batch": batch, "through": through}
    return check_all(weft, "pairs", text, inputs, wanted, "--dim", "I=7", "--dim", "J=4", "--dim", f"N={segments}")


def permutations(weft, rng):
    text = """weft 0.1
entry net {
  dim N in 1..10000
  forward(key: f32[N], p: int[N] in 0..N, old: f32[N]) -> inverse: int[N], found: int[N], set: f32[N] {
    order = argsort(i) key[i]
    inverse = argsort(i) order[i]
    found[n] = first(k where p[k] == n) k else -1
    set[n] = last(k where p[k] == n) key[k] else old[n]
  }
}
"""
    problems = []
    for count in (1, 50):
        key, p = rng.normal(size=count).astype(np.float32), rng.permutation(count)
        if count > 3:
            p[3] = p[1]  # twice, so one is missing
        inverse, found, chosen = np.empty(count, np.int64), np.full(count, -1), rng.normal(size=count).astype(np.float32)
        old = chosen.copy()
        inverse[np.argsort(key, kind="stable")] = np.arange(count)
        for k in range(count):
            chosen[p[k]] = key[k]
            found[p[k]] = k if found[p[k]] < 0 else found[p[k]]
        inputs = {"key": key, "p": p, "old": old}
        problems += check_all(weft, f"permutations of {count}", text, inputs,
                              {"inverse": inverse, "found": found, "set": chosen})  # fmt: skip
    return problems


def steps(weft, rng):
    """Sums along edges in every step of a recurrence: the edges are listed once."""
    text = """weft 0.1
entry net {
  dim N in 1..1000
  dim E in 1..10000
  forward(h: f32[N], src: int[E] in 0..N, dst: int[E] in 0..N) -> y: f32[N] {
    rec g[t < 4, n < N] = 0.5 * sum(e where dst[e] == n) g[t-1, src[e]] from g[-1] = h
    y[n] = g[3, n]
  }
}
"""
    nodes, edges = 30, 120
    h = rng.normal(size=nodes).astype(np.float32)
    src, dst = rng.integers(0, nodes, edges), rng.integers(0, nodes, edges)
    g = h
    for _ in range(4):
        near = np.zeros(nodes, np.float32)
        np.add.at(near, dst, g[src])
        g = np.float32(0.5) * near
    return check_all(weft, "steps", text, {"h": h, "src": src, "dst": dst}, {"y": g})


def main():
    weft = sys.argv[1]
    problems = []
    for seed, case in enumerate([rows, pairs, permutations, steps]):
        problems += case(weft, np.random.default_rng(seed))
    print("\n".join(problems[:10]))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
