"""Rays, densities and diffusion, written from the papers."""

import math

import numpy as np

ENTRY = """weft 0.1

import std.crf: dense_kernel, mean_field
import std.density: mixture_log_density, nearest_code
import std.diffusion: cosine_betas, ddim_step, ddpm_step, kept_shares, linear_betas
import std.field: HashGrid, camera_rays, composite, encode_position, sample_steps, search_sorted

entry fields {
  dim N in 1..64, M in 1..64, R in 1..8, K in 1..32, D in 1..8, H in 1..10, W in 1..10
  grid: HashGrid(levels = 3, entries = 256, features = 2, coarsest = 3, finest = 24)

  encoded(x: f32[N, 3]) -> y: f32[N, 27] { y[n] = encode_position(x[n], octaves = 4) }
  rays(pose: f32[3, 4], focal: f32) -> y: f32[5, 7, 3] { y = camera_rays(pose, focal, rows = 5, columns = 7).direction }
  shown(sigma: f32[R, N], color: f32[R, N, 3], t: f32[R, N]) -> y: f32[R, 3] { y[r] = composite(sigma[r], color[r], t[r]).shown }
  weights(sigma: f32[R, N], color: f32[R, N, 3], t: f32[R, N]) -> y: f32[R, N] { y[r] = composite(sigma[r], color[r], t[r]).weight }
  sorted_places(x: f32[N], v: f32[M]) -> y: int[M] { y = search_sorted(x, v) }
  steps(edge: f32[R, N + 1], weight: f32[R, N], u: f32[R, M]) -> y: f32[R, M] { y[r] = sample_steps(edge[r], weight[r], u[r]) }
  hashed(x: f32[N, 3]) -> y: f32[N, 6] { y = grid(x) }
  codes(z: f32[N, D], book: f32[K, D]) -> y: int[N] { y = nearest_code(z, book) }
  mixture(x: f32[N, D], logit: f32[N, K], mu: f32[N, K, D], log_sigma: f32[N, K, D]) -> y: f32[N] {
    y[n] = mixture_log_density(x[n], logit[n], mu[n], log_sigma[n])
  }
  labels(image: f32[3, H, W], unary: f32[H*W, 4]) -> y: f32[H*W, 4] {
    y = mean_field(unary, dense_kernel(image, appearance = 2.0, near = 5.0, color = 2.0), iterations = 5)
  }
  labels_normalized(image: f32[3, H, W], unary: f32[H*W, 4]) -> y: f32[H*W, 4] {
    y = mean_field(unary, dense_kernel(image, appearance = 2.0, near = 5.0, color = 2.0), iterations = 5, normalized = true)
  }
  linear_kept(like: f32[N]) -> y: f32[100] { y = kept_shares(linear_betas(steps = 100)) }
  cosine_kept(like: f32[N]) -> y: f32[100] { y = kept_shares(cosine_betas(steps = 100)) }
  ddpm(x: f32[N], predicted: f32[N], noise: f32[N]) -> y: f32[N] { y = ddpm_step(x, predicted, noise, 0.4, 0.7) }
  ddim(x: f32[N], predicted: f32[N], noise: f32[N]) -> y: f32[N] { y = ddim_step(x, predicted, noise, 0.2, 0.7, eta = 0.5) }
}
"""

TABLE = np.random.default_rng(5).normal(size=(3, 256, 2)).astype(np.float32)
WEIGHTS = {"table": TABLE}


def encoded(x):
    parts = [x.astype(np.float64)]
    for f in range(4):
        parts += [np.sin(2.0**f * x), np.cos(2.0**f * x)]
    return np.concatenate(parts, 1)


def rays(pose, focal):
    toward = np.array([[[(j - 3.5) / focal, -(i - 2.5) / focal, -1] for j in range(7)] for i in range(5)])
    return toward @ pose[:, :3].T.astype(np.float64)


def weights(sigma, color, t):
    y = np.zeros(sigma.shape)
    for r in range(len(sigma)):
        light = 1.0
        for i in range(sigma.shape[1]):
            length = float(t[r, i + 1]) - float(t[r, i]) if i + 1 < sigma.shape[1] else 1e10
            stopped = 1 - math.exp(-float(sigma[r, i]) * length)
            y[r, i] = light * stopped
            light *= 1 - stopped
    return y


def shown(sigma, color, t):
    return np.einsum("ri,ric->rc", weights(sigma, color, t), color)


def sorted_places(x, v):
    return np.where(np.isnan(v), 0, np.searchsorted(x, v, side="right"))


def steps(edge, weight, u):
    y = np.zeros(u.shape)
    for r, m in np.ndindex(u.shape):
        w = weight[r].astype(np.float64) + 1e-5
        share = np.concatenate([[0], np.cumsum(w) / w.sum()])
        i = min(int(np.searchsorted(share, u[r, m], side="right")) - 1, len(w) - 1)
        y[r, m] = edge[r, i] + (u[r, m] - share[i]) / (share[i + 1] - share[i]) * (edge[r, i + 1] - edge[r, i])
    return y


def hashed(x):
    y = np.zeros((len(x), 6))
    for n in range(len(x)):
        for level in range(3):
            side = math.floor(3 * math.sqrt(8) ** level + 1e-6)
            p = x[n].astype(np.float32) * np.float32(side)
            low = np.minimum(np.floor(p).astype(int), side - 1)
            for corner in np.ndindex(2, 2, 2):
                at = [int(e) for e in low + corner]
                if (side + 1) ** 3 <= 256:
                    entry = (at[2] * (side + 1) + at[1]) * (side + 1) + at[0]
                else:
                    entry = (at[0] ^ (at[1] * 2654435761) ^ (at[2] * 805459861)) % 256
                share = np.prod([1 - abs(float(p[e]) - at[e]) for e in range(3)])
                y[n, 2 * level:2 * level + 2] += TABLE[level, entry] * share
    return y


def codes(z, book):
    return np.array([min(range(len(book)), key=lambda k: ((v - book[k]) ** 2).sum()) for v in z])


def mixture(x, logit, mu, log_sigma):
    y = []
    for n in range(len(x)):
        part = np.exp(logit[n].astype(np.float64))
        total = 0.0
        for k in range(len(part)):
            sigma = np.exp(log_sigma[n, k].astype(np.float64))
            density = np.exp(-(((x[n] - mu[n, k]) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))
            total += part[k] / part.sum() * density.prod()
        y.append(math.log(total))
    return np.array(y)


def field_labels(image, unary, normalized):
    image, unary = image.astype(np.float64), unary.astype(np.float64)
    places = list(np.ndindex(image.shape[1:]))
    kernel = np.zeros((len(places), len(places)))
    for a, p in enumerate(places):
        for b, q in enumerate(places):
            if a != b:
                far = (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2
                differ = ((image[:, p[0], p[1]] - image[:, q[0], q[1]]) ** 2).sum()
                kernel[a, b] = 2 * math.exp(-far / 50 - differ / 8) + 3 * math.exp(-far / 18)
    if normalized:
        root = 1 / np.sqrt(kernel.sum(1) + 1e-20)
        kernel *= root[:, None] * root
    q = np.exp(-unary)
    q /= q.sum(1, keepdims=True)
    for _ in range(5):
        cost = unary + kernel @ (1 - q) if not normalized else unary - kernel @ q
        q = np.exp(-(cost - cost.min(1, keepdims=True)))
        q /= q.sum(1, keepdims=True)
    return q


def labels(image, unary):
    return field_labels(image, unary, False)


def labels_normalized(image, unary):
    return field_labels(image, unary, True)


def linear_kept(like):
    return np.cumprod(1 - np.linspace(1e-4, 0.02, 100))


def cosine_kept(like):
    level = np.cos((np.arange(101) / 100 + 0.008) / 1.008 * math.pi / 2) ** 2
    return np.cumprod(1 - np.minimum(1 - level[1:] / level[:-1], 0.999))


def ddpm(x, predicted, noise, kept=0.4, before=0.7):
    beta = 1 - kept / before
    mean = (x - beta / math.sqrt(1 - kept) * predicted) / math.sqrt(1 - beta)
    return mean + math.sqrt(beta * (1 - before) / (1 - kept)) * noise


def ddim(x, predicted, noise, kept=0.2, before=0.7):
    sigma = 0.5 * math.sqrt((1 - before) / (1 - kept)) * math.sqrt(1 - kept / before)
    signal = (x - math.sqrt(1 - kept) * predicted) / math.sqrt(kept)
    return math.sqrt(before) * signal + math.sqrt(1 - before - sigma**2) * predicted + sigma * noise


def normals(**shapes):
    return lambda rng: {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def rays_of(count, points):
    return lambda rng: {"sigma": rng.exponential(1, (count, points)).astype(np.float32),
                        "color": rng.uniform(0, 1, (count, points, 3)).astype(np.float32),
                        "t": np.sort(rng.uniform(1, 5, (count, points)), 1).astype(np.float32)}


def steps_of(count, parts, draws):
    return lambda rng: {"edge": np.sort(rng.uniform(1, 5, (count, parts + 1)), 1).astype(np.float32),
                        "weight": rng.uniform(0.1, 1, (count, parts)).astype(np.float32),
                        "u": rng.uniform(0, 0.999, (count, draws)).astype(np.float32)}


def odd_rays(rng):
    """Nothing on the way, something solid, something that lets nothing through, and no way at all."""
    drawn = rays_of(4, 9)(rng)
    drawn["sigma"][0], drawn["sigma"][1, 4], drawn["sigma"][2] = 0, math.inf, 1e6
    drawn["t"][3] = 2
    return drawn


def odd_steps(rng):
    """Weights of nothing, and of one part alone; the first place."""
    drawn = steps_of(3, 8, 5)(rng)
    drawn["weight"][0], drawn["weight"][1, 1:] = 0, 0
    drawn["u"][:, 0], drawn["u"][1] = 0, np.linspace(0, 0.9, 5)
    return drawn


def odd_codes(rng):
    """Codes alike, points between codes, and points that are none."""
    book = np.array([[0, 0], [2, 0], [2, 0], [0, 2]], np.float32)
    return {"z": np.array([[1, 0], [2, 0], [1, 1], [0, 1], [9, 9]], np.float32), "book": book}


def pixels(height, width):
    return lambda rng: {"image": rng.normal(0, 2, (3, height, width)).astype(np.float32),
                        "unary": rng.normal(0, 2, (height * width, 4)).astype(np.float32)}


def points(rng):
    return {"x": np.concatenate([rng.uniform(0, 1, (20, 3)), [[0, 0, 0], [1, 1, 1], [1, 0, 0.5]]]).astype(np.float32)}


SAMPLES = [normals(x=(17,), predicted=(17,), noise=(17,)), normals(x=(1,), predicted=(1,), noise=(1,))]

CASES = {
    "encoded": [normals(x=(9, 3)), normals(x=(1, 3))],
    "rays": [lambda rng: {**normals(pose=(3, 4))(rng), "focal": np.float32(3.7)}],
    "shown": [rays_of(5, 33), rays_of(1, 1), odd_rays],
    "weights": [rays_of(5, 33), rays_of(1, 1), odd_rays],
    "sorted_places": [lambda rng: {"x": np.sort(rng.integers(0, 9, 31)).astype(np.float32), "v": rng.integers(-1, 11, 40).astype(np.float32)},
                      lambda rng: {"x": np.full(9, 2, np.float32), "v": np.array([2, 1, 3, math.nan, math.inf, -math.inf], np.float32)}],
    "steps": [steps_of(4, 15, 40), steps_of(1, 1, 3), odd_steps],
    "hashed": [points],
    "codes": [normals(z=(40, 5), book=(31, 5)), normals(z=(1, 1), book=(1, 1)), odd_codes],
    "mixture": [normals(x=(9, 3), logit=(9, 5), mu=(9, 5, 3), log_sigma=(9, 5, 3)),
                normals(x=(1, 1), logit=(1, 1), mu=(1, 1, 1), log_sigma=(1, 1, 1))],
    "labels": [pixels(5, 7), pixels(1, 1)],
    "labels_normalized": [pixels(5, 7), pixels(1, 3)],
    "linear_kept": [lambda rng: {"like": np.zeros(1, np.float32)}],
    "cosine_kept": [lambda rng: {"like": np.zeros(1, np.float32)}],
    "ddpm": SAMPLES,
    "ddim": SAMPLES,
}
