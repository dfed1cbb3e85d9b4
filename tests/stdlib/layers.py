"""Deformable and transposed convolution and attention of every kind, one window, head and query at a time."""

import math

import numpy as np

ENTRY = """weft 0.1

import std.attention: grouped_query_attention, relative_attention
import std.conv: conv_transpose1d, conv_transpose2d, conv_transpose3d
import std.deform: deform_conv2d
import std.graph: GatConv, segment_max, segment_mean, segment_softmax, segment_sum
import std.local_attention: HiLoAttention, WindowAttention, lsh_bucket, lsh_round
import std.position: relative_bucket, rotary, rotary_interleaved

entry layers {
  dim N in 1..3, H in 1..30, W in 1..30, P in 1..30, Q in 1..30, L in 1..24, T in 1..24, E in 0..40, D in 2..12
  dim A in 3..9 step 3, B in 3..12 step 3, F in 2..8 step 2, G in 2..8 step 2, S in 4..24 step 4
  plain: WindowAttention(12, 3, window = 3)
  shifted: WindowAttention(12, 3, window = 3, shift = 1)
  hilo: HiLoAttention(12, 3, window = 2, alpha = 0.4)
  gat: GatConv(5, 3, heads = 2)

  deform(x: f32[N, 12, H, W], offset: f32[N, 24, P, Q], mask: f32[N, 12, P, Q], w: f32[4, 6, 3, 2], bias: f32[4])
      -> y: f32[N, 4, P, Q] {
    y = deform_conv2d(x, offset, w, mask, bias, stride = 2, pad = 1, dilation_w = 2, groups = 2, offset_groups = 2)
  }
  deform_first(x: f32[N, 3, H, W], offset: f32[N, 18, P, Q], w: f32[5, 3, 3, 3]) -> y: f32[N, 5, P, Q] {
    y = deform_conv2d(x, offset, w, pad = 1)
  }
  spread(x: f32[N, 6, H, W], w: f32[6, 4, 3, 4], bias: f32[8]) -> y {
    y = conv_transpose2d(x, w, bias, stride = 2, pad = 1, output_pad = 1, groups = 2)
  }
  spread_apart(x: f32[N, 2, H, W], w: f32[2, 20, 3, 2], bias: f32[20]) -> y {
    y = conv_transpose2d(x, w, bias, stride = 3, pad = 2, output_pad = 2, dilation = 2)
  }
  spread_line(x: f32[N, 3, W], w: f32[3, 5, 5], bias: f32[5]) -> y { y = conv_transpose1d(x, w, bias, stride = 4, pad = 2) }
  spread_volume(x: f32[N, 2, F, H, W], w: f32[2, 3, 2, 3, 1], bias: f32[3]) -> y {
    y = conv_transpose3d(x, w, bias, stride = 2, dilation = 3, output_pad = 1)
  }
  window(x: f32[N, A, B, 12]) -> y: f32[N, A, B, 12] { y = plain(x) }
  window_shifted(x: f32[N, A, B, 12]) -> y: f32[N, A, B, 12] { y = shifted(x) }
  high_low(x: f32[N, F, G, 12]) -> y: f32[N, F, G, 12] { y = hilo(x) }
  turned(x: f32[L, 8]) -> y: f32[L, 8] { y = rotary(x, start = 3) }
  turned_pairs(x: f32[L, 8]) -> y: f32[L, 8] { y = rotary_interleaved(x, base = 500.0) }
  grouped(q: f32[6, L, 4], k: f32[2, T, 4], v: f32[2, T, 3]) -> y: f32[6, L, 3] {
    y = grouped_query_attention(q, k, v, causal = true)
  }
  relative(q: f32[L, 4], k: f32[T, 4], v: f32[T, 3], r: f32[T, 4], content: f32[4], place: f32[4]) -> y: f32[L, 3] {
    y = relative_attention(q, k, v, r, content, place)
  }
  bucket(offset: int[L]) -> y: int[L] { y[i] = relative_bucket(offset[i]) }
  hashed(x: f32[L, D], turn: f32[D, 5]) -> y: int[L] { y = lsh_bucket(x, turn) }
  hash_round(x: f32[S, 6], v: f32[S, 3], kind: int[S], order: int[S] in 0..S, place: int[S] in 0..S) -> y: f32[S, 3] {
    y = lsh_round(x, v, kind, order, place, chunk = 4).o
  }
  sums(x: f32[E, D], at: int[E] in 0..7) -> y: f32[7, D] { y = segment_sum(x, at, segments = 7) }
  means(x: f32[E, D], at: int[E] in 0..7) -> y: f32[7, D] { y = segment_mean(x, at, segments = 7) }
  largest(x: f32[E, D], at: int[E] in 0..7) -> y: f32[7, D] { y = segment_max(x, at, segments = 7) }
  shares(x: f32[E, D], at: int[E] in 0..7) -> y: f32[E, D] { y = segment_softmax(x, at, segments = 7) }
  graph(x: f32[L, 5], src: int[E] in 0..L, dst: int[E] in 0..L) -> y: f32[L, 6] { y = gat(x, src, dst) }
}
"""

RNG = np.random.default_rng(11)


def weight(*shape):
    return RNG.normal(0, 0.4, shape).astype(np.float32)


def window_weights():
    return {"qkv.weight": weight(36, 12), "qkv.bias": weight(36), "proj.weight": weight(12, 12), "proj.bias": weight(12),
            "relative_position_bias_table": weight(25, 3)}


PLAIN, SHIFTED = window_weights(), window_weights()
HILO = {"l_q.weight": weight(4, 12), "l_q.bias": weight(4), "l_kv.weight": weight(8, 12), "l_kv.bias": weight(8),
        "l_proj.weight": weight(4, 4), "l_proj.bias": weight(4), "h_qkv.weight": weight(24, 12), "h_qkv.bias": weight(24),
        "h_proj.weight": weight(8, 8), "h_proj.bias": weight(8)}
GAT = {"lin.weight": weight(6, 5), "att_src": weight(1, 2, 3), "att_dst": weight(1, 2, 3), "bias": weight(6)}
WEIGHTS = {f"{name}.{key}": value for name, part in
           {"plain": PLAIN, "shifted": SHIFTED, "hilo": HILO, "gat": GAT}.items() for key, value in part.items()}


def linear(x, weights, name):
    return x @ weights[f"{name}.weight"].astype(np.float64).T + weights[f"{name}.bias"]


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def attend(q, k, v, bias=None):
    """Attention of one head; q, k, v are lists of vectors."""
    out = []
    for i, query in enumerate(q):
        score = np.array([query @ key for key in k]) / math.sqrt(len(query))
        out.append(softmax(score + (0 if bias is None else bias[i])) @ np.array(v))
    return np.array(out)


def at_point(x, v, u):
    """A channel between its pixels, zeros outside."""
    if not (math.isfinite(v) and math.isfinite(u)):
        return math.nan
    total = 0.0
    for i in (math.floor(v), math.floor(v) + 1):
        for j in (math.floor(u), math.floor(u) + 1):
            if 0 <= i < x.shape[0] and 0 <= j < x.shape[1]:
                total += float(x[i, j]) * (1 - abs(v - i)) * (1 - abs(u - j))
    return total


def deformed(x, offset, mask, w, bias, stride, pad, dilation, groups, offset_groups):
    count, channels = x.shape[:2]
    outputs, depth, rows, columns = w.shape
    taps = rows * columns
    y = np.zeros((count, outputs, *offset.shape[2:]))
    for n, k, i, j in np.ndindex(y.shape):
        for d, r, s in np.ndindex(depth, rows, columns):
            c = k // (outputs // groups) * depth + d
            group = c // (channels // offset_groups)
            tap = group * taps + r * columns + s
            v = i * stride - pad + r * dilation[0] + float(offset[n, 2 * tap, i, j])
            u = j * stride - pad + s * dilation[1] + float(offset[n, 2 * tap + 1, i, j])
            y[n, k, i, j] += at_point(x[n, c], v, u) * float(mask[n, tap, i, j]) * float(w[k, d, r, s])
        y[n, k, i, j] += bias[k]
    return y


def deform(x, offset, mask, w, bias):
    return deformed(x, offset, mask, w, bias, 2, 1, (1, 2), 2, 2)


def deform_first(x, offset, w):
    return deformed(x, offset, np.ones((len(x), 9, *offset.shape[2:])), w, np.zeros(5), 1, 1, (1, 1), 1, 1)


def spreads(x, w, bias, stride, pad=0, output_pad=0, dilation=1, groups=1):
    """Every input element adds its multiples of the weights to the output, from which the edges are then cut."""
    size = [(n - 1) * stride + dilation * (r - 1) + 1 + output_pad for n, r in zip(x.shape[2:], w.shape[2:])]
    y = np.zeros((len(x), w.shape[1] * groups, *size))
    for n, c in np.ndindex(x.shape[:2]):
        first = c // (len(w) // groups) * w.shape[1]
        for place in np.ndindex(x.shape[2:]):
            window = tuple(slice(i * stride, i * stride + dilation * (r - 1) + 1, dilation) for i, r in zip(place, w.shape[2:]))
            y[(n, slice(first, first + w.shape[1]), *window)] += w[c].astype(np.float64) * float(x[(n, c, *place)])
    inside = tuple(slice(pad, extent - pad) for extent in size)
    return y[(slice(None), slice(None), *inside)] + bias.reshape(-1, *[1] * len(size))


def spread(x, w, bias):
    return spreads(x, w, bias, 2, 1, 1, groups=2)


def spread_apart(x, w, bias):
    return spreads(x, w, bias, 3, 2, 2, dilation=2)


def spread_line(x, w, bias):
    return spreads(x, w, bias, 4, 2)


def spread_volume(x, w, bias):
    return spreads(x, w, bias, 2, 0, 1, dilation=3)


def windows(x, weights, shift, window=3, heads=3):
    """By rolling the map and masking pairs of regions, as Swin's authors describe it."""
    count, height, width, dim = x.shape
    region = np.zeros((height, width), int)
    if shift:
        bands = [slice(0, -window), slice(-window, -shift), slice(-shift, None)]
        for a, rows in enumerate(bands):
            for b, columns in enumerate(bands):
                region[rows, columns] = 3 * a + b
    y = np.zeros(x.shape)
    for n in range(count):
        rolled = np.roll(x[n].astype(np.float64), (-shift, -shift), (0, 1))
        done = np.zeros(rolled.shape)
        for top in range(0, height, window):
            for left in range(0, width, window):
                places = [(top + i, left + j) for i in range(window) for j in range(window)]
                z = linear(np.array([rolled[p] for p in places]), weights, "qkv").reshape(len(places), 3, heads, dim // heads)
                for h in range(heads):
                    bias = np.array([[weights["relative_position_bias_table"][
                        (p[0] - q[0] + window - 1) * (2 * window - 1) + p[1] - q[1] + window - 1, h]
                        + (0 if region[p] == region[q] else -100) for q in places] for p in places])
                    o = attend(z[:, 0, h], z[:, 1, h], z[:, 2, h], bias)
                    for p, row in zip(places, o):
                        done[p][h * (dim // heads):(h + 1) * (dim // heads)] = row
        y[n] = linear(np.roll(done, (shift, shift), (0, 1)), weights, "proj")
    return y


def window(x):
    return windows(x, PLAIN, 0)


def window_shifted(x):
    return windows(x, SHIFTED, 1)


def high_low(x, size=2, d=4):
    count, height, width, _ = x.shape
    x = x.astype(np.float64)
    y = np.zeros((count, height, width, 12))
    for n in range(count):
        pooled = np.array([x[n, i:i + size, j:j + size].mean((0, 1)) for i in range(0, height, size) for j in range(0, width, size)])
        kv = linear(pooled, HILO, "l_kv")
        low = attend(linear(x[n].reshape(-1, 12), HILO, "l_q"), kv[:, :d], kv[:, d:])
        y[n, :, :, 8:] = linear(low, HILO, "l_proj").reshape(height, width, d)
        for i in range(0, height, size):
            for j in range(0, width, size):
                z = linear(x[n, i:i + size, j:j + size].reshape(-1, 12), HILO, "h_qkv").reshape(-1, 3, 2, d)
                o = np.concatenate([attend(z[:, 0, h], z[:, 1, h], z[:, 2, h]) for h in range(2)], 1)
                y[n, i:i + size, j:j + size, :8] = linear(o, HILO, "h_proj").reshape(size, size, 8)
    return y


def turned(x):
    """As complex numbers."""
    half = x.shape[1] // 2
    z = x[:, :half].astype(np.float64) + 1j * x[:, half:]
    angle = (np.arange(len(x))[:, None] + 3) * 10000.0 ** (-np.arange(half) / half)
    z *= np.exp(1j * angle)
    return np.concatenate([z.real, z.imag], 1)


def turned_pairs(x):
    half = x.shape[1] // 2
    z = x[:, 0::2].astype(np.float64) + 1j * x[:, 1::2]
    z *= np.exp(1j * np.arange(len(x))[:, None] * 500.0 ** (-np.arange(half) / half))
    return np.stack([z.real, z.imag], 2).reshape(x.shape)


def causal(rows, columns):
    return np.array([[0 if j <= i + columns - rows else -np.inf for j in range(columns)] for i in range(rows)])


def grouped(q, k, v):
    return np.array([attend(q[h], k[h // 3], v[h // 3], causal(q.shape[1], k.shape[1])) for h in range(6)])


def relative(q, k, v, r, content, place):
    rows, columns = len(q), len(k)
    y = np.zeros((rows, v.shape[1]))
    for i in range(rows):
        seen = range(i + columns - rows + 1)
        score = np.array([(q[i] + content) @ k[j] + (q[i] + place) @ r[i + columns - rows - j] for j in seen]) / 2
        y[i] = softmax(score) @ v[: len(seen)]
    return y


def bucket(offset):
    y = []
    for n in offset:
        part, n = (16 if n > 0 else 0), abs(n)
        y.append(part + (n if n < 8 else min(8 + int(math.log(n / 8) / math.log(16) * 8), 15)))
    return np.array(y)


def hashed(x, turn):
    turned = x @ turn
    return np.concatenate([turned, -turned], 1).argmax(1)


def hash_round(x, v, kind, order, place, chunk=4):
    y = np.zeros(v.shape)
    x = x.astype(np.float64)
    chunks = len(x) // chunk
    for i in range(len(x)):
        c = int(place[i]) // chunk
        seen = [int(order[(c + a) % chunks * chunk + j]) for a in (-1, 0) for j in range(chunk)]
        seen = [j for j in seen if j <= i and kind[j] == kind[i]]
        others = [j for j in seen if j != i]
        if others:
            y[i] = softmax(np.array([x[i] @ x[j] / np.sqrt(x[j] @ x[j] + 1e-6) / math.sqrt(6) for j in others])) @ v[others]
        else:
            y[i] = v[i]
    return y


def sums(x, at):
    y = np.zeros((7, x.shape[1]))
    np.add.at(y, at, x)
    return y


def means(x, at):
    return sums(x, at) / np.maximum(np.bincount(at, minlength=7), 1)[:, None]


def largest(x, at):
    return np.array([x[at == n].max(0) if (at == n).any() else np.zeros(x.shape[1]) for n in range(7)])


def shares(x, at):
    y = np.zeros(x.shape)
    for n in range(7):
        for d in range(x.shape[1]):
            if (at == n).any():
                y[at == n, d] = softmax(x[at == n, d].astype(np.float64))
    return y


def graph(x, src, dst):
    h = (x @ GAT["lin.weight"].T).reshape(len(x), 2, 3)
    y = np.zeros((len(x), 2, 3))
    for n, a in np.ndindex(len(x), 2):
        near = [int(s) for s, d in zip(src, dst) if d == n] + [n]
        score = np.array([h[m, a] @ GAT["att_src"][0, a] + h[n, a] @ GAT["att_dst"][0, a] for m in near])
        y[n, a] = softmax(np.where(score > 0, score, 0.2 * score)) @ h[near, a]
    return y.reshape(len(x), 6) + GAT["bias"]


def normals(**shapes):
    return lambda rng: {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def deformed_case(height, width, rows, columns):
    return lambda rng: {**normals(x=(2, 12, height, width), w=(4, 6, 3, 2), bias=(4,))(rng),
                        "offset": rng.normal(0, 2, (2, 24, rows, columns)).astype(np.float32),
                        "mask": rng.uniform(0, 1, (2, 12, rows, columns)).astype(np.float32)}


def odd_offsets(rng):
    """On pixels, on the edge, just outside of it, far away, and nowhere."""
    drawn = first_case(5, 6)(rng)
    offset = drawn["offset"]
    offset[:] = rng.choice([0, 1, -1, 2, 0.5, 1e6, -1e9], offset.shape)
    offset[0, 3, 0], offset[0, 8, :, 1], offset[0, 5, 4] = math.nan, math.inf, -math.inf
    return drawn


def first_case(height, width):
    return lambda rng: {**normals(x=(1, 3, height, width), w=(5, 3, 3, 3))(rng),
                        "offset": rng.normal(0, 1.5, (1, 18, height, width)).astype(np.float32)}


def hashes(length):
    def draw(rng):
        kind = rng.integers(0, 3, length)
        order = np.argsort(kind, kind="stable")
        return {**normals(x=(length, 6), v=(length, 3))(rng), "kind": kind, "order": order, "place": np.argsort(order)}

    return draw


def rows_of(count, columns):
    return lambda rng: {"x": rng.normal(0, 3, (count, columns)).astype(np.float32), "at": rng.integers(0, 6, count)}


def odd_rows(value, at):
    """Values of all kinds, of which some segments hold nothing else."""

    def draw(rng):
        x = rng.normal(0, 3, (12, 3)).astype(np.float32)
        x[:4] = value
        return {"x": x, "at": np.array(at)}

    return draw


def odd_edges(rng):
    """The same edge often, and nodes that send to themselves."""
    return {**normals(x=(3, 5))(rng), "src": np.array([0, 0, 0, 1, 2, 2]), "dst": np.array([1, 1, 1, 1, 2, 2])}


def edges(nodes, count):
    return lambda rng: {**normals(x=(nodes, 5))(rng), "src": rng.integers(0, nodes, count), "dst": rng.integers(0, nodes, count)}


MAPS = normals(x=(2, 6, 9, 12)), normals(x=(1, 3, 3, 12)), normals(x=(1, 9, 6, 12))
PARTS = [0, 0, 0, 0, 1, 2, 2, 1, 6, 6, 6, 2]
ROWS = (rows_of(23, 5), rows_of(1, 2), rows_of(0, 3), odd_rows(math.nan, PARTS), odd_rows(math.inf, PARTS),
        odd_rows(-math.inf, PARTS), odd_rows(-math.inf, PARTS[::-1]), odd_rows(7, [5] * 12))

CASES = {
    "deform": [deformed_case(7, 8, 4, 4), deformed_case(1, 1, 1, 1)],
    "deform_first": [first_case(5, 6), first_case(1, 1), odd_offsets],
    "spread": [normals(x=(2, 6, 7, 5), w=(6, 4, 3, 4), bias=(8,)), normals(x=(1, 6, 1, 1), w=(6, 4, 3, 4), bias=(8,))],
    "spread_apart": [normals(x=(1, 2, 6, 9), w=(2, 20, 3, 2), bias=(20,)), normals(x=(2, 2, 1, 3), w=(2, 20, 3, 2), bias=(20,))],
    "spread_line": [normals(x=(2, 3, 11), w=(3, 5, 5), bias=(5,)), normals(x=(1, 3, 1), w=(3, 5, 5), bias=(5,))],
    "spread_volume": [normals(x=(1, 2, 2, 3, 4), w=(2, 3, 2, 3, 1), bias=(3,)),
                      normals(x=(2, 2, 4, 1, 1), w=(2, 3, 2, 3, 1), bias=(3,))],
    "window": MAPS,
    "window_shifted": MAPS,
    "high_low": [normals(x=(2, 4, 6, 12)), normals(x=(1, 2, 2, 12))],
    "turned": [normals(x=(7, 8)), normals(x=(1, 8))],
    "turned_pairs": [normals(x=(7, 8)), normals(x=(1, 8))],
    "grouped": [normals(q=(6, 5, 4), k=(2, 9, 4), v=(2, 9, 3)), normals(q=(6, 1, 4), k=(2, 1, 4), v=(2, 1, 3))],
    "relative": [normals(q=(5, 4), k=(9, 4), v=(9, 3), r=(9, 4), content=(4,), place=(4,)),
                 normals(q=(1, 4), k=(1, 4), v=(1, 3), r=(1, 4), content=(4,), place=(4,))],
    "bucket": [lambda rng: {"offset": rng.integers(-200, 200, 24)}],
    "hashed": [normals(x=(9, 12), turn=(12, 5))],
    "hash_round": [hashes(16), hashes(8)],
    "sums": ROWS,
    "means": ROWS,
    "largest": ROWS,
    "shares": ROWS,
    "graph": [edges(9, 20), edges(1, 0), odd_edges],
}
