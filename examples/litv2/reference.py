"""A stage of LITv2 in NumPy: HiLo attention (windows beside a coarse view of the whole) and a convolutional perceptron."""

import numpy as np

import seeds
from layers import Layers, gelu, softmax
from system import Case

SYSTEM = "HiLo attention in LITv2"
PAPER = "Pan et al., 2022, arXiv:2205.13213"
REFERENCE = "NumPy, written from the paper"
LIVE = True
CASES = {
    "small": Case(entry="small", dim=24, heads=6, depth=2, alpha=0.5, shape=(2, 4, 6)),
    "full": Case(entry="third_stage", dim=384, heads=12, depth=6, alpha=0.9, shape=(2, 14, 14)),
}
BREAK = "blocks.1.attn.h_proj.bias"


def weights(case):
    d, shapes = case.dim, {}
    low = int(case.heads * case.alpha) * (d // case.heads)
    high = d - low
    layers = {"attn.l_q": (low, d), "attn.l_kv": (2 * low, d), "attn.l_proj": (low, low), "attn.h_qkv": (3 * high, d),
              "attn.h_proj": (high, high), "mlp.fc1": (4 * d, d), "mlp.dwconv.dwconv": (4 * d, 1, 3, 3), "mlp.fc2": (d, 4 * d),
              "norm1": (d,), "norm2": (d,)}
    for b in range(case.depth):
        for path, shape in layers.items():
            shapes[f"blocks.{b}.{path}.weight"], shapes[f"blocks.{b}.{path}.bias"] = shape, shape[:1]
    return seeds.weights(shapes)


def inputs(case):
    return {"x": seeds.image("x", (*case.shape, case.dim))}


def attended(q, k, v):
    """[..., positions, channels of a head]"""
    return softmax(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])) @ v


def high_frequencies(net, x, heads, size):
    """Attention inside windows of 2 x 2 pixels."""
    b, h, w, _ = x.shape
    windows = x.reshape(b, h // 2, 2, w // 2, 2, -1).transpose(0, 1, 3, 2, 4, 5).reshape(b, h // 2, w // 2, 4, -1)
    q, k, v = net.linear(windows, "h_qkv").reshape(*windows.shape[:-1], 3, heads, size).transpose(4, 0, 1, 2, 5, 3, 6)
    o = attended(q, k, v).transpose(0, 1, 2, 4, 3, 5).reshape(b, h // 2, w // 2, 2, 2, heads * size)
    return net.linear(o.transpose(0, 1, 3, 2, 4, 5).reshape(b, h, w, heads * size), "h_proj")


def low_frequencies(net, x, heads, size):
    """Attention of every pixel to the means of windows."""
    b, h, w, _ = x.shape
    means = x.reshape(b, h // 2, 2, w // 2, 2, -1).mean((2, 4)).reshape(b, h * w // 4, -1)
    q = net.linear(x, "l_q").reshape(b, h * w, heads, size).transpose(0, 2, 1, 3)
    k, v = net.linear(means, "l_kv").reshape(b, -1, 2, heads, size).transpose(2, 0, 3, 1, 4)
    o = attended(q, k, v).transpose(0, 2, 1, 3).reshape(b, h, w, heads * size)
    return net.linear(o, "l_proj")


def perceptron(net, x):
    h = net.linear(x, "fc1")
    w, b = net["dwconv.dwconv.weight"], net["dwconv.dwconv.bias"]
    padded = np.pad(h, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = h.shape[1:3]
    h = b + sum(padded[:, r:r + rows, s:s + columns] * w[:, 0, r, s] for r in range(3) for s in range(3))
    return net.linear(gelu(h), "fc2")


def expected(case):
    x, size = inputs(case)["x"].astype(np.float64), case.dim // case.heads
    low = int(case.heads * case.alpha)
    for b in range(case.depth):
        net = Layers(weights(case)).at(f"blocks.{b}")
        z, attention = net.layer_norm(x, "norm1"), net.at("attn")
        parts = [high_frequencies(attention, z, case.heads - low, size), low_frequencies(attention, z, low, size)]
        x = x + np.concatenate(parts, -1)
        x = x + perceptron(net.at("mlp"), net.layer_norm(x, "norm2"))
    return {"y": x}
