"""World Models in NumPy and float64: the variational autoencoder, the mixture-density network, the controller, and dreams."""

import numpy as np

import philox
import seeds
from layers import Layers, relu, sigmoid
from system import Case, Range

SYSTEM = "World Models"
PAPER = "Ha and Schmidhuber, 2018, arXiv:1803.10122"
REFERENCE = "NumPy, written from the paper"
LIVE = True
CASES = {
    "small": Case(entry="car", batch=1, steps=0),
    "full": Case(entry="car", batch=2, steps=0),
    "full_dream": Case(entry="car", method="dream", batch=2, steps=20),
}
COMPARE = {name: Range(2e-4, margin="margin", tie=1e-5) for name in ("z", "a", "frame")}
BREAK = "memory.rnn.bias_hh_l0"
CODE, HIDDEN, PARTS, TEMPERATURE = 32, 256, 5, 1.15
CONVS, DECONVS = ((3, 32, 4), (32, 64, 4), (64, 128, 4), (128, 256, 4)), ((1024, 128, 5), (128, 64, 5), (64, 32, 6), (32, 3, 6))


def weights(case):
    linears = {"vision.mu": (CODE, 1024), "vision.log_variance": (CODE, 1024), "vision.open": (1024, CODE),
               "memory.head": (3 * PARTS * CODE, HIDDEN), "controller.layer": (3, CODE + HIDDEN)}
    shapes = {f"{path}.weight": shape for path, shape in linears.items()}
    shapes |= {f"{path}.bias": shape[:1] for path, shape in linears.items()}
    for i, ((a, b, k), (c, d, l)) in enumerate(zip(CONVS, DECONVS)):
        shapes |= {f"vision.convs.{i}.weight": (b, a, k, k), f"vision.convs.{i}.bias": (b,)}
        shapes |= {f"vision.deconvs.{i}.weight": (c, d, l, l), f"vision.deconvs.{i}.bias": (d,)}
    shapes |= {"memory.rnn.weight_ih_l0": (4 * HIDDEN, CODE + 3), "memory.rnn.weight_hh_l0": (4 * HIDDEN, HIDDEN)}
    tensors = seeds.weights(shapes)
    for name in ("memory.rnn.bias_ih_l0", "memory.rnn.bias_hh_l0"):
        tensors[name] = 0.1 * seeds.image(name, (4 * HIDDEN,))
    for i, (c, d, l) in enumerate(DECONVS):  # the sum goes over channels in, not out
        tensors[f"vision.deconvs.{i}.weight"] *= np.float32(np.sqrt(d * l * l / (c * l * l / 4)))
    tensors["memory.head.weight"] *= np.float32(0.5)
    return tensors


def inputs(case):
    given = {"image": seeds.stream("input.image").uniform(0, 1, (case.batch, 3, 64, 64)).astype(np.float32), "seed": np.int64(11)}
    if case.method == "forward":
        given |= {name: (0.5 * seeds.image(name, (case.batch, HIDDEN))).astype(np.float32) for name in ("h", "c")}
    return given


def encoded(net, image):
    x = image
    for i in range(4):
        x = relu(net.conv(x, f"convs.{i}", stride=2))
    x = x.reshape(len(x), -1)
    return net.linear(x, "mu"), net.linear(x, "log_variance")


def decoded(net, z):
    x = net.linear(z, "open")[:, :, None, None]
    for i in range(4):
        x = net.transposed_conv(x if i == 0 else relu(x), f"deconvs.{i}", stride=2)
    return sigmoid(x)


def controlled(net, z, h):
    y = net.linear(np.concatenate([z, h], 1), "layer")
    return np.stack([np.tanh(y[:, 0]), sigmoid(y[:, 1]), np.clip(np.tanh(y[:, 2]), 0, 1)], 1)


def remembered(net, z, a, h, c):
    x = np.concatenate([z, a], 1) @ net["rnn.weight_ih_l0"].T + net["rnn.bias_ih_l0"]
    i, f, g, o = np.split(x + h @ net["rnn.weight_hh_l0"].T + net["rnn.bias_hh_l0"], 4, 1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def drawn(net, h, seed, t):
    """The next code, and by how much the nearest choice of a part was decided."""
    b, d, k = np.ogrid[:len(h), :CODE, :PARTS]
    logit, mu, log_sigma = np.moveaxis(net.linear(h, "head").reshape(len(h), CODE, 3, PARTS), 2, 0)
    score = logit / TEMPERATURE + philox.gumbel(seed, t, b, d, k)
    which = score.argmax(2)[..., None]
    ordered = np.sort(score, 2)
    noise = philox.normal(philox.mix(seed, 1), t, b[..., 0], d[..., 0])
    pick = lambda x: np.take_along_axis(x, which, 2)[..., 0]
    return pick(mu) + np.exp(pick(log_sigma)) * np.sqrt(TEMPERATURE) * noise, (ordered[..., -1] - ordered[..., -2]).min()


def expected(case):
    net = Layers(weights(case))
    given = inputs(case)
    seed = given["seed"]
    mu, log_variance = encoded(net.at("vision"), given["image"].astype(np.float64))
    if case.method == "forward":
        b, d = np.ogrid[:case.batch, :CODE]
        z = mu + np.exp(log_variance / 2) * philox.normal(seed, b, d)
        h, c = given["h"].astype(np.float64), given["c"].astype(np.float64)
        a = controlled(net.at("controller"), z, h)
        h2, c2 = remembered(net.at("memory"), z, a, h, c)
        return {"z": z, "a": a, "h2": h2, "c2": c2, "margin": np.full(case.batch, np.inf)}
    z, h, c = mu, np.zeros((case.batch, HIDDEN)), np.zeros((case.batch, HIDDEN))
    steps, margins = [], []
    for t in range(case.steps):
        a = controlled(net.at("controller"), z, h)
        h, c = remembered(net.at("memory"), z, a, h, c)
        z, margin = drawn(net.at("memory"), h, seed, t)
        steps.append((z, a, decoded(net.at("vision"), z)))
        margins.append(margin)
    zs, actions, frames = (np.stack(part) for part in zip(*steps))
    # After a near-tie a dream may go another way; actions stand before their step's draw.
    return {"z": zs, "a": actions, "frame": frames, "margin": np.minimum.accumulate(margins)}
