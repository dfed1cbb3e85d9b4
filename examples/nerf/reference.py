"""NeRF in NumPy and float64: both fields, stratified and inverse-CDF sampling, volume rendering, and a camera."""

import numpy as np

import philox
import seeds
from layers import Layers, relu, sigmoid
from system import Absolute, Case

SYSTEM = "NeRF"
PAPER = "Mildenhall et al., 2020, arXiv:2003.08934"
REFERENCE = "NumPy, written from the paper"
LIVE = True
CASES = {
    "small": Case(entry="view", depth=4, width=64, few=32, more=32),
    "full": Case(entry="render", depth=8, width=256, few=64, more=128, rays=128),
}
COMPARE = {name: Absolute(tolerance) for name, tolerance in
           (("rough", 1e-4), ("shown", 5e-4), ("depth", 2e-3), ("opacity", 1e-4))}
BREAK = "coarse.feature_linear.bias"
NEAR, FAR, SKIP = 2.0, 6.0, 4


def weights(case):
    shapes = {}
    for field in ("coarse", "fine"):
        for l in range(case.depth):
            width = 63 if l == 0 else case.width + 63 if l == SKIP + 1 else case.width
            shapes[f"{field}.pts_linears.{l}"] = (case.width, width)
        shapes[f"{field}.alpha_linear"] = (1, case.width)
        shapes[f"{field}.feature_linear"] = (case.width, case.width)
        shapes[f"{field}.views_linears.0"] = (case.width // 2, case.width + 27)
        shapes[f"{field}.rgb_linear"] = (3, case.width // 2)
    tensors = seeds.weights({f"{path}.weight": shape for path, shape in shapes.items()}
                            | {f"{path}.bias": shape[:1] for path, shape in shapes.items()})
    # High octaves are damped, as training finds them: else a scene of seeds is noise in which no sum has a limit.
    damp = np.concatenate([np.ones(3), np.repeat(0.5 ** np.arange(10), 6)]).astype(np.float32)
    for name, value in tensors.items():
        if "pts_linears" in name and value.ndim == 2 and value.shape[1] in (63, case.width + 63):
            value[:, :63] *= damp
        if "rgb_linear.weight" in name:
            value *= 3
    return tensors


def inputs(case):
    if case.entry == "view":
        turn, nod = 0.6, -0.35
        y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
        x = np.array([[1, 0, 0], [0, np.cos(nod), -np.sin(nod)], [0, np.sin(nod), np.cos(nod)]])
        rotation = y @ x
        pose = np.concatenate([rotation, rotation @ [[0], [0], [4.0]]], 1)
        return {"pose": pose.astype(np.float32), "focal": np.float32(60), "seed": np.int64(7)}
    stream = seeds.stream("input.u")
    return {"origin": np.array([0.5, 0.3, 4], np.float32),
            "direction": (np.array([0, 0, -1]) + 0.25 * seeds.image("direction", (case.rays, 3))).astype(np.float32),
            "u": stream.uniform(0, 1, (case.rays, case.few)).astype(np.float32),
            "draw": stream.uniform(0, 1, (case.rays, case.more)).astype(np.float32)}


def encoded(x, octaves):
    waves = [wave(2.0**f * x) for f in range(octaves) for wave in (np.sin, np.cos)]
    return np.concatenate([x, *waves], -1)


def field(net, p, d, case):
    place = encoded(p, 10)
    h = place
    for l in range(case.depth):
        h = relu(net.linear(h, f"pts_linears.{l}"))
        if l == SKIP:
            h = np.concatenate([place, h], -1)
    sigma = relu(net.linear(h, "alpha_linear"))[..., 0]
    toward = np.broadcast_to(encoded(d, 4)[:, None], (*p.shape[:2], 27))
    v = relu(net.linear(np.concatenate([net.linear(h, "feature_linear"), toward], -1), "views_linears.0"))
    return sigma, sigmoid(net.linear(v, "rgb_linear"))


def composited(sigma, rgb, t):
    """Equation 3: color, weights, depth and opacity of every ray."""
    delta = np.concatenate([np.diff(t), np.full((len(t), 1), 1e10)], 1)
    through = np.exp(-np.cumsum(np.concatenate([np.zeros((len(t), 1)), sigma[:, :-1] * delta[:, :-1]], 1), 1))
    weight = through * (1 - np.exp(-sigma * delta))
    return (weight[..., None] * rgb).sum(1), weight, (weight * t).sum(1), weight.sum(1)


def drawn(edge, weight, u):
    """Places at which the cumulative share of the weights is u (section 5.2)."""
    weight = weight + 1e-5
    share = np.concatenate([np.zeros((len(edge), 1)), np.cumsum(weight, 1) / weight.sum(1, keepdims=True)], 1)
    return np.stack([np.interp(points, c, e) for points, c, e in zip(u, share, edge)])


def rendered(case, origin, direction, u, draw):
    net = Layers(weights(case))
    d = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    t = NEAR + (FAR - NEAR) * (np.arange(case.few) + u) / case.few
    sigma, rgb = field(net.at("coarse"), origin + t[..., None] * d[:, None], d, case)
    rough, weight, _, _ = composited(sigma, rgb, t)
    more = drawn((t[:, 1:] + t[:, :-1]) / 2, weight[:, 1:-1], draw)
    t = np.sort(np.concatenate([t, more], 1), 1)
    sigma, rgb = field(net.at("fine"), origin + t[..., None] * d[:, None], d, case)
    shown, _, depth, opacity = composited(sigma, rgb, t)
    return {"rough": rough, "shown": shown, "depth": depth, "opacity": opacity}


def expected(case):
    given = {name: np.asarray(value, np.float64) for name, value in inputs(case).items()}
    if case.entry == "render":
        return rendered(case, **given)
    rows, columns, pose = 48, 64, given["pose"]
    i, j = np.mgrid[:rows, :columns]
    toward = np.stack([(j - columns / 2) / given["focal"], (rows / 2 - i) / given["focal"], -np.ones(i.shape)], -1)
    ray = np.arange(rows * columns)[:, None]
    seed = int(inputs(case)["seed"])
    found = rendered(case, pose[:, 3], (toward @ pose[:, :3].T).reshape(-1, 3),
                     philox.uniform(seed, ray, np.arange(case.few)), philox.uniform(philox.mix(seed, 1), ray, np.arange(case.more)))
    return {name: found[name].reshape(rows, columns, *found[name].shape[1:]) for name in ("rough", "shown", "depth")}
