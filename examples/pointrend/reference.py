"""PointRend in NumPy and float64: a coarse mask, and points decided anew at every doubling."""

import numpy as np

import seeds
from layers import Layers, relu
from system import Case, Range

SYSTEM = "PointRend"
PAPER = "Kirillov et al., 2020, arXiv:1912.08193"
REFERENCE = "NumPy, written from the paper"
LIVE = True
CASES = {
    "small": Case(entry="small", c=6, classes=3, doublings=2, points=100, hidden=8, wide=16, boxes=2, size=(12, 16)),
    "full": Case(entry="instances", c=256, classes=80, doublings=5, points=784, hidden=256, wide=1024, boxes=3, size=(48, 64)),
}
# Which points are decided anew is itself a decision: a mask in which it was nearly another is exempt.
COMPARE = {"mask": Range(1e-4, margin="margin", tie=1e-6, most=0.34)}
BREAK = "head.fc.1.bias"
SIDE, STRIDE = 7, 4


def weights(case):
    k = case.classes
    shapes = {"reduce": (case.c, case.c, 2, 2), "fc1": (case.wide, case.c * SIDE**2), "fc2": (case.wide, case.wide),
              "prediction": (k * SIDE**2, case.wide), "head.predictor": (k, case.hidden + k)}
    shapes |= {f"head.fc.{l}": (case.hidden, (case.c if l == 0 else case.hidden) + k) for l in range(3)}
    return seeds.weights({f"{path}.weight": shape for path, shape in shapes.items()}
                         | {f"{path}.bias": shape[:1] for path, shape in shapes.items()})


def inputs(case):
    rows, columns = case.size
    stream = seeds.stream("input.box")
    corner = stream.uniform(0, 0.5, (case.boxes, 2)) * np.array([columns, rows]) * STRIDE
    extent = stream.uniform(0.2, 0.5, (case.boxes, 2)) * np.array([columns, rows]) * STRIDE
    return {"map": seeds.image("map", (case.c, rows, columns)), "box": np.concatenate([corner, corner + extent], 1).astype(np.float32),
            "label": seeds.tokens("label", (case.boxes,), case.classes)}


def sampled(x, v, u):
    """x [C, H, W] between pixels at rows v and columns u; 0 outside."""
    top, left = np.floor(v).astype(int), np.floor(u).astype(int)
    y = 0
    for a in (0, 1):
        for b in (0, 1):
            i, j = top + a, left + b
            inside = (i >= 0) & (i < x.shape[1]) & (j >= 0) & (j < x.shape[2])
            share = (1 - np.abs(v - i)) * (1 - np.abs(u - j)) * inside
            y = y + share * x[:, np.clip(i, 0, x.shape[1] - 1), np.clip(j, 0, x.shape[2] - 1)]
    return y


def doubled(x):
    """Bilinear, the edge repeated."""
    def matrix(old):
        at = np.clip((np.arange(2 * old) + 0.5) / 2 - 0.5, 0, old - 1)
        return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(old)[None, :]))

    return matrix(len(x)) @ x @ matrix(len(x)).T


def decided(net, fine, seen):
    h = fine
    for l in range(3):
        h = relu(net.linear(np.concatenate([h, seen], 1), f"fc.{l}"))
    return net.linear(np.concatenate([h, seen], 1), "predictor")


def rendered(net, case, features, box, label):
    x0, y0, x1, y1 = box

    def of_map(v, u):
        return sampled(features, (y0 + v * (y1 - y0)) / STRIDE - 0.5, (x0 + u * (x1 - x0)) / STRIDE - 0.5)

    v, u = ((np.mgrid[:2 * SIDE, :2 * SIDE] + 0.5) / (2 * SIDE)).reshape(2, -1)
    crop = of_map(v, u).reshape(1, -1, 2 * SIDE, 2 * SIDE)
    flat = relu(net.conv(crop, "reduce", stride=2)).reshape(1, -1)
    rough = net.linear(relu(net.linear(relu(net.linear(flat, "fc1")), "fc2")), "prediction").reshape(-1, SIDE, SIDE)
    mask, margin = rough[label], np.inf
    for _ in range(case.doublings):
        mask = doubled(mask)
        order = np.argsort(np.abs(mask.ravel()), kind="stable")
        at, rest = order[:case.points], order[case.points:]
        if len(rest):
            margin = min(margin, abs(mask.ravel()[rest[0]]) - abs(mask.ravel()[at[-1]]))
        v, u = ((np.stack(np.divmod(at, len(mask))) + 0.5) / len(mask))
        logit = decided(net.at("head"), of_map(v, u).T, sampled(rough, v * SIDE - 0.5, u * SIDE - 0.5).T)
        mask = mask.copy()
        mask.ravel()[at] = logit[:, label]
    return mask, margin


def expected(case):
    net, given = Layers(weights(case)), inputs(case)
    features = given["map"].astype(np.float64)
    masks, margins = zip(*(rendered(net, case, features, box, label)
                           for box, label in zip(given["box"].astype(np.float64), given["label"])))
    return {"mask": np.stack(masks), "margin": np.array(margins)}
