"""Reading maps at real positions: grid sampling and regions of interest, point by point in plain loops."""

import math

import numpy as np

ENTRY = """weft 0.1

import std.sample: bicubic, border, grid_sample, nearest, reflection
import std.roi: crop_and_resize, deform_ps_roi_pool, ps_roi_align, ps_roi_pool, roi_align, roi_level, roi_pool

entry sampling {
  dim N in 1..3, C in 1..36, H in 1..40, W in 1..40, P in 1..9, Q in 1..9, R in 0..30, K in 1..3

  grid_zeros(x: f32[N, C, H, W], grid: f32[N, P, Q, 2]) -> y: f32[N, C, P, Q] { y = grid_sample(x, grid) }
  grid_border(x: f32[N, C, H, W], grid: f32[N, P, Q, 2]) -> y: f32[N, C, P, Q] {
    y = grid_sample(x, grid, padding_mode = border, align_corners = true)
  }
  grid_reflection(x: f32[N, C, H, W], grid: f32[N, P, Q, 2]) -> y: f32[N, C, P, Q] {
    y = grid_sample(x, grid, padding_mode = reflection)
  }
  grid_reflection_corners(x: f32[N, C, H, W], grid: f32[N, P, Q, 2]) -> y: f32[N, C, P, Q] {
    y = grid_sample(x, grid, padding_mode = reflection, align_corners = true)
  }
  grid_nearest(x: f32[N, C, H, W], grid: f32[N, P, Q, 2]) -> y: f32[N, C, P, Q] { y = grid_sample(x, grid, mode = nearest) }
  grid_bicubic(x: f32[N, C, H, W], grid: f32[N, P, Q, 2]) -> y: f32[N, C, P, Q] { y = grid_sample(x, grid, mode = bicubic) }
  grid_bicubic_reflection(x: f32[N, C, H, W], grid: f32[N, P, Q, 2]) -> y: f32[N, C, P, Q] {
    y = grid_sample(x, grid, mode = bicubic, padding_mode = reflection)
  }

  align(x: f32[N, C, H, W], box: f32[R, 4], image: int[R] in 0..N) -> y: f32[R, C, 3, 2] {
    y[r] = roi_align(x[image[r]], box[r], height = 3, width = 2, spatial_scale = 0.5, sampling_ratio = 2)
  }
  align_adaptive(x: f32[N, C, H, W], box: f32[R, 4], image: int[R] in 0..N) -> y: f32[R, C, 3, 2] {
    y[r] = roi_align(x[image[r]], box[r], height = 3, width = 2, spatial_scale = 0.5, aligned = true)
  }
  pool(x: f32[N, C, H, W], box: f32[R, 4], image: int[R] in 0..N) -> y: f32[R, C, 3, 2] {
    y[r] = roi_pool(x[image[r]], box[r], height = 3, width = 2, spatial_scale = 0.5)
  }
  ps_align(x: f32[N, 6*C, H, W], like: f32[C], box: f32[R, 4], image: int[R] in 0..N) -> y: f32[R, C, 3, 2] {
    y[r] = ps_roi_align(x[image[r]], box[r], height = 3, width = 2, spatial_scale = 0.5, sampling_ratio = 2)
  }
  ps_align_adaptive(x: f32[N, 6*C, H, W], like: f32[C], box: f32[R, 4], image: int[R] in 0..N) -> y: f32[R, C, 3, 2] {
    y[r] = ps_roi_align(x[image[r]], box[r], height = 3, width = 2, spatial_scale = 0.5)
  }
  ps_pool(x: f32[N, 6*C, H, W], like: f32[C], box: f32[R, 4], image: int[R] in 0..N) -> y: f32[R, C, 3, 2] {
    y[r] = ps_roi_pool(x[image[r]], box[r], height = 3, width = 2, spatial_scale = 0.5)
  }
  deform_ps_pool(x: f32[8*K, H, W], box: f32[R, 4], shift: f32[R, K, 2, 3, 3]) -> y: f32[R, 2*K, 3, 3] {
    y[r] = deform_ps_roi_pool(x, box[r], shift[r], group = 2, spatial_scale = 0.5, trans_std = 0.2)
  }
  crop(x: f32[N, C, H, W], box: f32[R, 4], image: int[R] in 0..N) -> y: f32[R, C, 3, 4] {
    y[r] = crop_and_resize(x[image[r]], box[r], height = 3, width = 4, extrapolation_value = 2.0)
  }
  level(box: f32[R, 4]) -> y: int[R] { y[r] = roi_level(box[r]) }
}
"""


def reflect(p, low, high):
    """Folds p back and forth between low and high."""
    if not math.isfinite(p):
        return math.nan
    if high <= low:
        return low
    while p < low or p > high:
        p = 2 * low - p if p < low else 2 * high - p
    return p


def placed(p, size, padding, corners):
    if padding == "border":
        return min(max(p, 0), size - 1)
    if padding == "reflection":
        p = reflect(p, 0, size - 1) if corners else reflect(p, -0.5, size - 0.5)
        return min(max(p, 0), size - 1)
    return p


def pixel(x, i, j):
    """x[:, i, j], zeros outside."""
    inside = 0 <= i < x.shape[1] and 0 <= j < x.shape[2]
    return x[:, int(i), int(j)] if inside else np.zeros(x.shape[0])


def bilinear(x, v, u):
    total = np.zeros(x.shape[0])
    if not (math.isfinite(v) and math.isfinite(u)):
        return total * math.nan
    for i in (math.floor(v), math.floor(v) + 1):
        for j in (math.floor(u), math.floor(u) + 1):
            total += pixel(x, i, j) * (1 - abs(v - i)) * (1 - abs(u - j))
    return total


def cubic(t, a=-0.75):
    t = abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0


def even(p):
    """Halves go to the even number, what is no number to 0."""
    return 0 if math.isnan(p) else np.round(p)


def sampled(x, grid, mode, padding, corners):
    x = x.astype(np.float64)
    (count, channels, height, width), (_, rows, columns, _) = x.shape, grid.shape
    y = np.zeros((count, channels, rows, columns))
    for n in range(count):
        for i in range(rows):
            for j in range(columns):
                gx, gy = (float(g) for g in grid[n, i, j])
                if corners:
                    u, v = (gx + 1) / 2 * (width - 1), (gy + 1) / 2 * (height - 1)
                else:
                    u, v = ((gx + 1) * width - 1) / 2, ((gy + 1) * height - 1) / 2
                if mode == "bicubic":
                    if not (math.isfinite(v) and math.isfinite(u)):
                        y[n, :, i, j] = math.nan
                        continue
                    for a in range(math.floor(v) - 1, math.floor(v) + 3):
                        for b in range(math.floor(u) - 1, math.floor(u) + 3):
                            at = placed(a, height, padding, corners), placed(b, width, padding, corners)
                            y[n, :, i, j] += pixel(x[n], *at) * cubic(v - a) * cubic(u - b)
                    continue
                v, u = placed(v, height, padding, corners), placed(u, width, padding, corners)
                y[n, :, i, j] = pixel(x[n], even(v), even(u)) if mode == "nearest" else bilinear(x[n], v, u)
    return y


def grid_zeros(x, grid):
    return sampled(x, grid, "bilinear", "zeros", False)


def grid_border(x, grid):
    return sampled(x, grid, "bilinear", "border", True)


def grid_reflection(x, grid):
    return sampled(x, grid, "bilinear", "reflection", False)


def grid_reflection_corners(x, grid):
    return sampled(x, grid, "bilinear", "reflection", True)


def grid_nearest(x, grid):
    return sampled(x, grid, "nearest", "zeros", False)


def grid_bicubic(x, grid):
    return sampled(x, grid, "bicubic", "zeros", False)


def grid_bicubic_reflection(x, grid):
    return sampled(x, grid, "bicubic", "reflection", False)


def near_edge(x, v, u):
    """One channel between pixels whose edge repeats; nothing further than one pixel outside."""
    height, width = x.shape
    if v < -1 or v > height or u < -1 or u > width:
        return 0.0
    v, u = min(max(v, 0), height - 1), min(max(u, 0), width - 1)
    return bilinear(x[None], v, u)[0]


def points_of_bin(start, length, number, bins, samples, size):
    """How many points a bin has along an axis, and where those of them are that count. What is infinite has none; of a bin with
    millions of points none counts for much."""
    step = length / bins
    count = samples or (math.ceil(step) if abs(step) < math.inf else 0)
    places = start + number * step + (np.arange(0 if count > 2e6 else count) + 0.5) * step / count if count else np.zeros(0)
    return count, places[~((places < -1) | (places > size))]


def mean_of_points(plane, bounds, size, samples, count):
    """The mean of points in a rectangle (v, u, high, wide) on a plane per bin (p, q); `count` says of how many it is."""
    v, u, high, wide = bounds
    y = np.zeros(size)
    for p in range(size[0]):
        for q in range(size[1]):
            rows, vs = points_of_bin(v, high, p, size[0], samples, plane(p, q).shape[0])
            columns, us = points_of_bin(u, wide, q, size[1], samples, plane(p, q).shape[1])
            y[p, q] = sum(near_edge(plane(p, q), at, to) for at in vs for to in us)
            y[p, q] /= count(rows * columns)
    return y


def aligned_regions(x, box, image, samples, half, sensitive, scale=0.5, size=(3, 2)):
    x = x.astype(np.float64)
    parts = size[0] * size[1] if sensitive else 1
    y = np.zeros((len(box), x.shape[1] // parts, *size))
    for r, (b, n) in enumerate(zip(box.astype(np.float64), image)):
        u, v, right, bottom = b * scale - half
        high, wide = bottom - v, right - u
        if half == 0:
            high, wide = max(high, 1), max(wide, 1)
        for c in range(y.shape[1]):
            plane = (lambda p, q: x[n, (c * size[0] + p) * size[1] + q]) if sensitive else (lambda p, q: x[n, c])
            count = np.float64 if sensitive else (lambda points: max(points, 1))
            y[r, c] = mean_of_points(plane, (v, u, high, wide), size, samples, count)
    return y


def align(x, box, image):
    return aligned_regions(x, box, image, 2, 0, False)


def align_adaptive(x, box, image):
    return aligned_regions(x, box, image, 0, 0.5, False)


def ps_align(x, like, box, image):
    return aligned_regions(x, box, image, 2, 0.5, True)


def ps_align_adaptive(x, like, box, image):
    return aligned_regions(x, box, image, 0, 0.5, True)


def c_round(x):
    return 0 if math.isnan(x) else int(math.copysign(math.floor(abs(x) + 0.5), x))


def pooled_regions(x, box, image, word, extra, sensitive, last, scale=0.5, size=(3, 2)):
    parts = size[0] * size[1] if sensitive else 1
    y = np.zeros((len(box), x.shape[1] // parts, *size))
    for r, (b, n) in enumerate(zip(box, image)):
        left, top, right, bottom = (c_round(float(e) * scale) for e in b)
        high = np.float32(max(bottom - top + extra, 1)) / np.float32(size[0])
        wide = np.float32(max(right - left + extra, 1)) / np.float32(size[1])
        for p in range(size[0]):
            for q in range(size[1]):
                i = np.clip([top + math.floor(p * high), top + math.ceil((p + 1) * high)], 0, x.shape[2] - last)
                j = np.clip([left + math.floor(q * wide), left + math.ceil((q + 1) * wide)], 0, x.shape[3] - last)
                for c in range(y.shape[1]):
                    channel = (c * size[0] + p) * size[1] + q if sensitive else c
                    cell = x[n, channel, i[0]:i[1], j[0]:j[1]]
                    y[r, c, p, q] = word(cell) if cell.size else 0
    return y


def pool(x, box, image):
    return pooled_regions(x, box, image, np.max, 1, False, 0)


def ps_pool(x, like, box, image):
    return pooled_regions(x, box, image, np.mean, 0, True, 1)


def deform_ps_pool(x, box, shift, scale=0.5, group=2, bins=3, samples=4, gain=0.2):
    classes = x.shape[0] // group**2
    height, width = x.shape[1:]
    y = np.zeros((len(box), classes, bins, bins))
    for r, b in enumerate(box):
        left, top, right, bottom = (c_round(float(e)) for e in b)
        u, v = left * scale - 0.5, top * scale - 0.5
        wide = max((right + 1) * scale - 0.5 - u, 0.1)
        high = max((bottom + 1) * scale - 0.5 - v, 0.1)
        for c, p, q in np.ndindex(classes, bins, bins):
            move = shift[r, c // (classes // shift.shape[1]), :, p, q]
            channel = (c * group + p * group // bins) * group + q * group // bins
            points = []
            for a, e in np.ndindex(samples, samples):
                at = v + (p + a / samples) * high / bins + gain * high * float(move[1])
                to = u + (q + e / samples) * wide / bins + gain * wide * float(move[0])
                if -0.5 <= at <= height - 0.5 and -0.5 <= to <= width - 0.5:
                    points.append(near_edge(x[channel].astype(np.float64), at, to))
            y[r, c, p, q] = np.mean(points) if points else 0
    return y


def crop(x, box, image, size=(3, 4)):
    y = np.zeros((len(box), x.shape[1], *size))
    height, width = x.shape[2:]
    for r, (b, n) in enumerate(zip(box.astype(np.float64), image)):
        for p, q in np.ndindex(size):
            v = (b[0] + p * (b[2] - b[0]) / (size[0] - 1)) * (height - 1)
            u = (b[1] + q * (b[3] - b[1]) / (size[1] - 1)) * (width - 1)
            inside = 0 <= v <= height - 1 and 0 <= u <= width - 1
            y[r, :, p, q] = bilinear(x[n].astype(np.float64), v, u) if inside else 2
    return y


def level(box):
    """The lowest one without an area."""
    side = np.sqrt((box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]))
    found = np.clip(np.floor(4 + np.log2(side / 224) + 1e-6), 2, 5) - 2
    return np.where(side > 0, found, 0)


def grid_of(shape, channels, size):
    """A map and points of which many lie outside; no point where rounding decides."""

    def draw(rng):
        return {"x": rng.normal(size=(shape[0], channels, *size)).astype(np.float32),
                "grid": rng.uniform(-2.2, 2.2, (*shape, 2)).astype(np.float32)}

    return draw


def regions_of(size, channels, count, images=1, like=0):
    """A map and boxes of every size around it; corners are no halves, so that rounding is the same everywhere."""

    def draw(rng):
        extent = np.array([size[1], size[0]]) * 2.0
        corner = rng.uniform(-0.4, 1.1, (count, 2)) * extent
        far = corner + rng.uniform(0.02, 1.2, (count, 2)) * extent
        box = np.concatenate([corner, far], 1).astype(np.float32)
        x = rng.normal(size=(images, channels * (like or 1), *size)).astype(np.float32)
        inputs = {"x": x, "box": box, "image": rng.integers(0, images, count)}
        return {**inputs, "like": np.zeros(channels, np.float32)} if like else inputs

    return draw


def moved_regions(size, parts, count):
    def draw(rng):
        inputs = regions_of(size, 8 * parts, count)(rng)
        return {"x": inputs["x"][0], "box": inputs["box"], "shift": rng.normal(size=(count, parts, 2, 3, 3)).astype(np.float32)}

    return draw


def crops_of(size, channels, count):
    def draw(rng):
        inputs = regions_of(size, channels, count, 2)(rng)
        return {**inputs, "box": rng.uniform(-0.2, 1.2, (count, 4)).astype(np.float32)}

    return draw


def boxes_of_all_sizes(rng):
    corner = rng.uniform(0, 100, (30, 2))
    return {"box": np.concatenate([corner, corner + np.exp(rng.uniform(1, 8, (30, 2)))], 1).astype(np.float32)}


NAN, INF = math.nan, math.inf


def strange_grid(rng):
    """Every pair of edges, centers, places far away and none at all."""
    line = [NAN, INF, -INF, -1, 1, 0, 100, -100]
    grid = np.array([[[v, u] for u in line] for v in line], np.float32)[None]
    return {"x": rng.normal(size=(1, 3, 6, 9)).astype(np.float32), "grid": grid}


# Points, lines, boxes turned round, outside, larger than the map, with corners between two pixels, and that are none.
STRANGE = [[3, 3, 3, 3], [2, 5, 2, 9], [1, 4, 8, 4], [9, 9, 1, 1], [8, 2, 3, 12], [1, 1, 3, 3], [0, 0, 1, 1], [-5, 3, 5, 7],
           [-19, -19, -15, -15], [40, 40, 50, 44], [-30, -30, 60, 60], [17, 25, 18, 26], [NAN, NAN, NAN, NAN], [NAN, 1, 5, 6],
           [1, 2, NAN, 9]]
WILD = [[INF, INF, INF, INF], [-INF, -INF, INF, INF], [0, 0, 1e30, 1e30], [1e20, 1e20, 2e20, 2e20], [-1e9, -1e9, 1e9, 1e9]]
# Large ones of which a part meets the map; at the last ones' bins the border lies at whole points, and between two.
LARGE = [[-3000, 2, 3001, 9], [1, -900, 7, 800], [-100, -70, 2000, 90], [-1e6, 3, 1e6, 4], [-2e8, -2e8, 7e8, 7e8],
         [-30, -30, 60, 60], [-29, -31, 61, 59]]


def strange_regions(boxes, parts=1, like=False):
    def draw(rng):
        inputs = {"x": rng.normal(size=(2, 2 * parts, 13, 9)).astype(np.float32), "box": np.array(boxes, np.float32).reshape(-1, 4),
                  "image": rng.integers(0, 2, len(boxes))}
        return {**inputs, "like": np.zeros(2, np.float32)} if like else inputs

    return draw


def strange_moves(shift):
    def draw(rng):
        inputs = strange_regions(STRANGE, 8)(rng)
        moved = rng.normal(size=(len(STRANGE), 1, 2, 3, 3)).astype(np.float32)
        moved[:, :, :, 1] = shift
        return {"x": inputs["x"][0, :8], "box": inputs["box"], "shift": moved}

    return draw


def strange_crops(rng):
    boxes = [[0, 0, 1, 1], [1, 1, 0, 0], [0.5, 0.5, 0.5, 0.5], [-1, -1, -0.5, -0.5], [0, 0, 0, 1], [NAN, 0, 1, 1], [0, 0, NAN, 1],
             [0, 0, INF, 1], [-1e9, 0, 1e9, 1]]
    return strange_regions(boxes)(rng)


GRIDS = [grid_of((2, 5, 7), 3, (6, 9)), grid_of((1, 1, 1), 1, (1, 1)), grid_of((1, 9, 2), 17, (1, 13)), strange_grid]
REGIONS = [regions_of((13, 9), 5, 17, 3), regions_of((1, 1), 1, 3), regions_of((7, 16), 19, 4, 2), strange_regions(STRANGE),
           strange_regions([])]
SENSITIVE = [regions_of((13, 9), 5, 17, 3, 6), regions_of((1, 1), 1, 3, 1, 6), regions_of((7, 16), 3, 4, 2, 6),
             strange_regions(STRANGE, 6, True), strange_regions([], 6, True)]

CASES = {
    "grid_zeros": GRIDS,
    "grid_border": GRIDS,
    "grid_reflection": GRIDS,
    "grid_reflection_corners": GRIDS,
    "grid_nearest": GRIDS,
    "grid_bicubic": GRIDS,
    "grid_bicubic_reflection": GRIDS,
    "align": [*REGIONS, strange_regions(WILD)],
    "align_adaptive": [*REGIONS, strange_regions(LARGE), strange_regions(WILD)],
    "pool": REGIONS,
    "ps_align": [*SENSITIVE, strange_regions(WILD, 6, True)],
    "ps_align_adaptive": [*SENSITIVE, strange_regions(LARGE, 6, True), strange_regions(WILD, 6, True)],
    "ps_pool": SENSITIVE,
    "deform_ps_pool": [moved_regions((13, 9), 3, 6), moved_regions((1, 1), 1, 2), strange_moves(0), strange_moves(NAN),
                       strange_moves(INF), strange_moves(-1e20)],
    "crop": [crops_of((13, 9), 5, 9), crops_of((1, 4), 2, 3), strange_crops, strange_regions([])],
    "level": [boxes_of_all_sizes, lambda rng: {"box": np.array(STRANGE, np.float32)}],
}
