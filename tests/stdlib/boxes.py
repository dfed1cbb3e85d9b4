"""Boxes, one pair at a time; corner pooling and pasted masks, one pixel at a time."""

import math

import numpy as np

ENTRY = """weft 0.1

import std.box: anchors, bottom_pool, box_ciou, box_decode, box_diou, box_encode, box_giou, box_iou, default_boxes
import std.box: left_pool, paste_mask, right_pool, top_pool, yolo_decode

entry boxes {
  dim N in 0..20, M in 0..20, C in 1..20, H in 1..30, W in 1..30, S in 1..14

  iou(a: f32[N, 4], b: f32[M, 4]) -> y: f32[N, M] { y[i, j] = box_iou(a[i], b[j]) }
  giou(a: f32[N, 4], b: f32[M, 4]) -> y: f32[N, M] { y[i, j] = box_giou(a[i], b[j]) }
  diou(a: f32[N, 4], b: f32[M, 4]) -> y: f32[N, M] { y[i, j] = box_diou(a[i], b[j]) }
  ciou(a: f32[N, 4], b: f32[M, 4]) -> y: f32[N, M] { y[i, j] = box_ciou(a[i], b[j]) }
  encode(a: f32[N, 4], b: f32[N, 4]) -> y: f32[N, 4] { y[i] = box_encode(a[i], b[i], weights = [10.0, 10.0, 5.0, 5.0]) }
  decode(a: f32[N, 4], d: f32[N, 4]) -> y: f32[N, 4] { y[i] = box_decode(d[i], a[i], weights = [2.0, 2.0, 0.5, 0.5]) }
  yolo(t: f32[H, W, 4], anchor: f32[2]) -> y: f32[H, W, 4] { y[i, j] = yolo_decode(t[i, j], anchor, i, j, stride = 16) }
  grid_anchors(like: f32[H, W]) -> y: f32[6*H*W, 4] { y = anchors(rows = H, columns = W, stride = 8, sizes = [32.0, 45.25]) }
  defaults(like: f32[H, W]) -> y: f32[6*H*W, 4] { y = default_boxes(rows = H, columns = W, scale = 0.4, next_scale = 0.6) }
  top(x: f32[N, C, H, W]) -> y: f32[N, C, H, W] { y = top_pool(x) }
  left(x: f32[N, C, H, W]) -> y: f32[N, C, H, W] { y = left_pool(x) }
  bottom(x: f32[N, C, H, W]) -> y: f32[N, C, H, W] { y = bottom_pool(x) }
  right(x: f32[N, C, H, W]) -> y: f32[N, C, H, W] { y = right_pool(x) }
  paste(mask: f32[N, S, S], box: f32[N, 4]) -> y: f32[N, 23, 17] { y[k] = paste_mask(mask[k], box[k], rows = 23, columns = 17) }
}
"""


def pairs(function):
    """A function of two boxes for all pairs of two lists."""

    def of_lists(a, b):
        each = [function(*(p.astype(np.float64), q.astype(np.float64))) for p in a for q in b]
        return np.array(each, np.float64).reshape(len(a), len(b))

    return of_lists


def area(box):
    return np.maximum(box[2] - box[0], 0) * np.maximum(box[3] - box[1], 0)


def overlap(p, q):
    both = area([*np.maximum(p[:2], q[:2]), *np.minimum(p[2:], q[2:])])
    union = area(p) + area(q) - both
    return (both / union if union > 0 else 0), union


def around(p, q):
    return [*np.minimum(p[:2], q[:2]), *np.maximum(p[2:], q[2:])]


def distance_overlap(p, q):
    hull = around(p, q)
    diagonal = (hull[2] - hull[0]) ** 2 + (hull[3] - hull[1]) ** 2
    apart = sum(((p[e] + p[e + 2]) / 2 - (q[e] + q[e + 2]) / 2) ** 2 for e in range(2))
    return overlap(p, q)[0] - apart / (diagonal + 1e-7)


def complete_overlap(p, q):
    proportion = [math.atan((r[2] - r[0]) / (r[3] - r[1])) for r in (p, q)]
    v = 4 / math.pi**2 * (proportion[0] - proportion[1]) ** 2
    return distance_overlap(p, q) - v * v / (1 - overlap(p, q)[0] + v + 1e-7)


def generalized_overlap(p, q):
    ratio, union = overlap(p, q)
    hull = area(around(p, q))
    return ratio - (hull - union) / hull if hull > 0 else ratio


iou = pairs(lambda p, q: overlap(p, q)[0])
giou = pairs(generalized_overlap)
diou = pairs(distance_overlap)
ciou = pairs(complete_overlap)


def middle(box):
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]), np.array([box[2] - box[0], box[3] - box[1]])


def encode(a, b):
    y = np.zeros((len(a), 4))
    for k, (box, anchor) in enumerate(zip(a.astype(np.float64), b.astype(np.float64))):
        (center, size), (at, of) = middle(box), middle(anchor)
        y[k] = [*(10 * (center - at) / of), *(5 * np.log(size / of))]
    return y


def decode(a, d):
    y = np.zeros((len(a), 4))
    for k, (anchor, move) in enumerate(zip(a.astype(np.float64), d.astype(np.float64))):
        at, of = middle(anchor)
        center = at + move[:2] / 2 * of
        size = of * np.exp(np.minimum(move[2:] / 0.5, math.log(1000 / 16)))
        y[k] = [*(center - size / 2), *(center + size / 2)]
    return y


def yolo(t, anchor):
    y = np.zeros(t.shape)
    for i, j in np.ndindex(t.shape[:2]):
        move = 1 / (1 + np.exp(-t[i, j, :2].astype(np.float64)))
        y[i, j] = [*((move + [j, i]) * 16), *(anchor * np.exp(t[i, j, 2:].astype(np.float64)))]
    return y


def grid_anchors(like):
    cells = []
    for ratio in (0.5, 1, 2):
        for size in (32, 45.25):
            wide, high = size / math.sqrt(ratio), size * math.sqrt(ratio)
            cells.append(np.round([-wide / 2, -high / 2, wide / 2, high / 2]))
    return np.array([cell + [8 * j, 8 * i, 8 * j, 8 * i] for i, j in np.ndindex(like.shape) for cell in cells])


def defaults(like):
    rows, columns = like.shape
    sizes = [(0.4, 0.4), (math.sqrt(0.24),) * 2]
    for ratio in (2, 3):
        wide, high = 0.4 * math.sqrt(ratio), 0.4 / math.sqrt(ratio)
        sizes += [(wide, high), (high, wide)]
    return np.array([[(j + 0.5) / columns, (i + 0.5) / rows, *size] for i, j in np.ndindex(rows, columns) for size in sizes])


def bottom(x):
    return np.maximum.accumulate(x, axis=2)


def right(x):
    return np.maximum.accumulate(x, axis=3)


def top(x):
    return bottom(x[:, :, ::-1])[:, :, ::-1]


def left(x):
    return right(x[..., ::-1])[..., ::-1]


def paste(mask, box, rows=23, columns=17):
    y = np.zeros((len(mask), rows, columns))
    size = mask.shape[1] + 2
    for k, (m, b) in enumerate(zip(mask, box.astype(np.float64))):
        framed = np.pad(m.astype(np.float64), 1)
        center, half = middle(b)[0], middle(b)[1] / 2 * size / (size - 2)
        edge = [0 if math.isnan(e) else int(e) for e in (*(center - half), *(center + half))]
        wide, high = max(edge[2] - edge[0] + 1, 1), max(edge[3] - edge[1] + 1, 1)
        for i, j in np.ndindex(rows, columns):
            if not (0 <= i - edge[1] < high and 0 <= j - edge[0] < wide):
                continue
            v = min(max((i - edge[1] + 0.5) * size / high - 0.5, 0), size - 1)
            u = min(max((j - edge[0] + 0.5) * size / wide - 0.5, 0), size - 1)
            for p, q in np.ndindex(size, size):
                y[k, i, j] += framed[p, q] * max(1 - abs(v - p), 0) * max(1 - abs(u - q), 0)
    return y


def boxes_in(rng, count, extent):
    corner = rng.uniform(-0.3, 0.9, (count, 2)) * extent
    return np.concatenate([corner, corner + rng.uniform(0.05, 0.8, (count, 2)) * extent], 1).astype(np.float32)


def two_lists(rng):
    a, b = boxes_in(rng, 9, 20), boxes_in(rng, 13, 20)
    b[:3] = a[:3]
    return {"a": a, "b": b}


def empty_ones(rng):
    a = boxes_in(rng, 4, 20)
    a[:2, 2:] = a[:2, :2]
    return {"a": a, "b": a}


def no_boxes(rng):
    return {"a": boxes_in(rng, 0, 20), "b": boxes_in(rng, 3, 20)}


# Boxes turned round, points, lines, equal ones, and none.
ODD = [[9, 9, 1, 1], [3, 3, 3, 3], [1, 4, 8, 4], [2, 2, 7, 7], [2, 2, 7, 7], [8, 1, 2, 5], [math.nan, 1, 5, 6], [1, 2, 5, math.nan]]


def odd_ones(rng):
    return {"a": np.array(ODD, np.float32), "b": np.array(ODD + [[0, 0, 10, 10]], np.float32)}


def odd_maps(rng):
    x = rng.normal(size=(2, 3, 7, 9)).astype(np.float32)
    x[0, 0, 3, 4], x[0, 1, 2, 2], x[1, 0] = math.nan, math.inf, -math.inf
    return {"x": x}


def same_length(rng):
    return {"a": boxes_in(rng, 11, 20), "b": boxes_in(rng, 11, 20)}


def moves(rng):
    return {"a": boxes_in(rng, 11, 20), "d": rng.normal(0, 5, (11, 4)).astype(np.float32)}


def maps(*shapes):
    return [lambda rng, shape=shape: {"x": rng.normal(size=shape).astype(np.float32)} for shape in shapes]


def masks(rng):
    box = boxes_in(rng, 9, 20)
    return {"mask": rng.uniform(0, 1, (9, 5, 5)).astype(np.float32), "box": box}


def one_cell(rng):
    return {"mask": np.ones((1, 1, 1), np.float32), "box": np.array([[3.2, 4.1, 9.7, 8.3]], np.float32)}


def odd_masks(rng):
    return {"mask": rng.uniform(0, 1, (len(ODD) + 2, 3, 3)).astype(np.float32),
            "box": np.array([*ODD, [-9, -9, -5, -5], [-30, -30, 60, 60]], np.float32)}


MAPS = [*maps((2, 3, 7, 9), (1, 1, 1, 1), (1, 17, 1, 5)), odd_maps]
GRIDS = [lambda rng: {"like": np.zeros((3, 5), np.float32)}, lambda rng: {"like": np.zeros((1, 1), np.float32)}]

CASES = {
    "iou": [two_lists, empty_ones, no_boxes, odd_ones],
    "giou": [two_lists, empty_ones, no_boxes, odd_ones],
    "diou": [two_lists, empty_ones, no_boxes, odd_ones],
    "ciou": [two_lists],
    "encode": [same_length],
    "decode": [moves],
    "yolo": [lambda rng: {"t": rng.normal(size=(3, 5, 4)).astype(np.float32), "anchor": np.array([30, 61], np.float32)}],
    "grid_anchors": GRIDS,
    "defaults": GRIDS,
    "top": MAPS,
    "left": MAPS,
    "bottom": MAPS,
    "right": MAPS,
    "paste": [masks, one_cell, odd_masks],
}
