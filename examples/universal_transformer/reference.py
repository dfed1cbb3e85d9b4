"""The Universal Transformer in NumPy and float64: attention query by query, and steps as long as a symbol asks for one."""

import numpy as np

import seeds
from layers import Layers, relu, sigmoid, softmax
from system import Case, Exact

SYSTEM = "Universal Transformer with ACT"
PAPER = "Dehghani et al., 2018, arXiv:1807.03819; Graves, 2016, arXiv:1603.08983"
REFERENCE = "NumPy, written from the papers"
LIVE = True
SMALL = dict(entry="translate_small", words=30, dim=16, heads=2, inner=32, most=6)
BASE = dict(entry="translate", words=32768, dim=1024, heads=16, inner=4096, most=12)
CASES = {
    "small": Case(**SMALL, source=9, target=7, eager=0.0),
    "small_one": Case(**SMALL, source=1, target=1, eager=0.0),
    "small_bound": Case(**SMALL, source=5, target=16, eager=-4.0),
    "full": Case(**BASE, source=30, target=25, eager=0.0),
}
# A step is decided by what was spent before; none here is near another decision.
COMPARE = {name: Exact(margin="margin", tie=1e-5, most=0.0) for name in ("read", "written")}
BREAK = "decoder.step.cross.key.weight"
EPS = 0.01


def weights(case):
    d = case.dim
    shapes = {"embed.weight": (case.words, d)}
    for part, norms in (("encoder", ("self", "transition")), ("decoder", ("self", "cross", "transition"))):
        step = f"{part}.step"
        shapes |= {f"{part}.halt.weight": (1, d), f"{part}.halt.bias": (1,)}
        shapes |= {f"{step}.norm_{norm}.{leaf}": (d,) for norm in norms for leaf in ("weight", "bias")}
        shapes |= {f"{step}.{attention}.{name}.weight": (d, d) for attention in norms[:-1]
                   for name in ("query", "key", "value", "out")}
        shapes |= {f"{step}.transition.enter.weight": (case.inner, d), f"{step}.transition.enter.bias": (case.inner,),
                   f"{step}.transition.leave.weight": (d, case.inner), f"{step}.transition.leave.bias": (d,)}
    tensors = seeds.weights(shapes)
    tensors["embed.weight"] *= np.float32(2 / np.sqrt(d))
    for part in ("encoder", "decoder"):
        tensors[f"{part}.halt.bias"] += np.float32(case.eager - 1)
    return tensors


def inputs(case):
    return {name: seeds.tokens(name, (getattr(case, name),), case.words) for name in ("source", "target")}


def signal(at, dim):
    d = np.arange(dim)
    angle = at / 10000 ** ((d - d % 2) / dim)
    return np.where(d % 2 == 0, np.sin(angle), np.cos(angle))


def attended(net, x, z, heads, causal):
    width, out = x.shape[1] // heads, []
    q, k, v = (each @ net[f"{name}.weight"].T for each, name in ((x, "query"), (z, "key"), (z, "value")))
    for i in range(len(x)):
        seen = i + 1 if causal else len(z)
        parts = []
        for h in range(heads):
            own = slice(h * width, (h + 1) * width)
            p = softmax(k[:seen, own] @ q[i, own] / np.sqrt(width))
            parts.append(p @ v[:seen, own])
        out.append(np.concatenate(parts))
    return np.array(out) @ net["out.weight"].T


def stepped(net, x, memory, heads):
    decodes = memory is not None
    a = net.layer_norm(x + attended(net.at("self"), x, x, heads, decodes), "norm_self")
    if decodes:
        a = net.layer_norm(a + attended(net.at("cross"), a, memory, heads, False), "norm_cross")
    return net.layer_norm(a + net.linear(relu(net.linear(a, "transition.enter")), "transition.leave"), "norm_transition")


def recurrent(net, x, memory, case):
    """The mean of every symbol's states, the number of its steps, and how far the nearest decision to halt was off."""
    h, length = x, len(x)
    y, steps, left, margin = np.zeros_like(x), np.zeros(length, np.int64), np.ones(length), np.full(length, np.inf)
    place = np.array([signal(i, case.dim) for i in range(length)])
    running = set(range(length))
    for t in range(case.most):
        new = stepped(net.at("step"), h + place + signal(t, case.dim), memory, case.heads)
        before, h = h, h.copy()
        for i in sorted(running):
            p = float(sigmoid(net.linear(before[i], "halt"))[0])
            margin[i] = min(margin[i], abs(left[i] - p - EPS)) if t < case.most - 1 else margin[i]
            halts = t == case.most - 1 or left[i] - p <= EPS
            weight = left[i] if halts else p
            h[i] = new[i]
            y[i] += weight * h[i]
            left[i] -= weight
            steps[i] += 1
            running -= {i} if halts else set()
        if not running:
            break
    return y, steps, margin


def expected(case):
    net = Layers({name: value.astype(np.float64) for name, value in weights(case).items()})
    table, given = net["embed.weight"], inputs(case)
    memory, read, at_read = recurrent(net.at("encoder"), np.sqrt(case.dim) * table[given["source"]], None, case)
    y, written, at_written = recurrent(net.at("decoder"), np.sqrt(case.dim) * table[given["target"]], memory, case)
    margin = min(at_read.min(), at_written.min())
    return {"logit": y @ table.T, "read": read, "written": written, "margin": np.array(margin)}
