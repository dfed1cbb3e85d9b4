"""Real NVP with nothing but the paper's equations: a multi-scale flow of images, its density and its inverse, in float64."""

import numpy as np

import seeds
from layers import Layers, relu, sigmoid
from system import Case, Relative

SYSTEM = "Real NVP"
PAPER = "Dinh et al., 2017, arXiv:1605.08803"
REFERENCE = "NumPy, written from the paper"
LIVE = True
SMALL = dict(entry="small", size=8, width=8, blocks=1, levels=3, batch=2)
CIFAR = dict(entry="cifar", size=32, width=64, blocks=8, levels=2, batch=1)
CASES = {
    "small": Case(**SMALL),
    "small_inverse": Case(**SMALL, method="sample"),
    "full": Case(**CIFAR),
    "full_inverse": Case(**CIFAR, method="sample"),
}
COMPARE = {"log_density": Relative(1e-5)}
BREAK = "flow.scales.0.channels.1.net.leave.bias"


def steps(case):
    """(path, channels, channels of the network, odd, checkered) of every coupling, scale by scale."""
    for l in range(case.levels):
        c, width, last = 3 * 2**l, case.width * 2**l, l == case.levels - 1
        pixels = [(f"flow.scales.{l}.pixels.{s}", c, width, s % 2 == 1, True) for s in range(4 if last else 3)]
        channels = [(f"flow.scales.{l}.channels.{s}", 4 * c, 2 * width, s % 2 == 1, False) for s in range(0 if last else 3)]
        yield pixels, channels


def shapes(case):
    found = {}
    for pixels, channels in steps(case):
        for path, c, width, _, _ in pixels + channels:
            found |= {f"{path}.gain": (c,), f"{path}.mu": (c,), f"{path}.variance": (c,)}
            found |= {f"{path}.net.enter.weight": (width, c, 3, 3), f"{path}.net.enter.bias": (width,)}
            found |= {f"{path}.net.leave.weight": (2 * c, width, 1, 1), f"{path}.net.leave.bias": (2 * c,)}
            for b in range(case.blocks):
                block = f"{path}.net.body.{b}"
                found |= {f"{block}.conv{k}.weight": (width, width, 3, 3) for k in (1, 2)} | {f"{block}.conv2.bias": (width,)}
                found |= {f"{block}.norm{k}.{part}": (width,) for k in (1, 2)
                          for part in ("weight", "bias", "running_mean", "running_var")}
    return found


def weights(case):
    tensors = seeds.weights(shapes(case))
    for name, value in tensors.items():  # scales that keep pixels within their range through all couplings
        if name.endswith("variance"):
            value[:] = 1 + 0.2 * np.abs(seeds.image(name, value.shape))
        if name.endswith("gain"):
            value[:] = 0.3 * value
        if name.endswith("mu"):
            value[:] = value - 1
        if name.endswith(("conv2.weight", "leave.weight")):
            value[:] = 0.3 * value
    return tensors


def inputs(case):
    if case.method == "sample":
        return {"z": seeds.image("z", (case.batch, 3 * case.size**2))}
    return {"pixel": seeds.stream("input.pixel").uniform(0, 256, (case.batch, 3, case.size, case.size)).astype(np.float32)}


def kept(shape, odd, checkered):
    """What a coupling leaves as it is (figures 3 and 4)."""
    _, c, rows, columns = shape
    k, i, j = np.ogrid[:c, :rows, :columns]
    return np.broadcast_to(((i + j) % 2 == int(odd)) if checkered else (k < c // 2) != odd, (c, rows, columns))


def network(net, x, blocks):
    h = net.conv(x, "enter", pad=1)
    for b in range(blocks):
        block = net.at(f"body.{b}")
        y = block.conv(relu(block.batch_norm(h, "norm1")), "conv1", pad=1)
        h = h + block.conv(relu(block.batch_norm(y, "norm2")), "conv2", pad=1)
    return net.conv(relu(h), "leave")


def scale_and_shift(net, x, mask, blocks):
    h = network(net.at("net"), np.where(mask, x, 0), blocks)
    c = x.shape[1]
    return net["gain"][:, None, None] * np.tanh(h[:, :c]), h[:, c:]


def coupled(net, x, odd, checkered, blocks):
    mask = kept(x.shape, odd, checkered)
    s, t = scale_and_shift(net, x, mask, blocks)
    y = np.where(mask, x, x * np.exp(s) + t)
    variance = net["variance"][:, None, None] + 1e-5
    log_det = np.where(mask, 0, s).sum((1, 2, 3)) - 0.5 * np.log(variance).sum() * x.shape[2] * x.shape[3]
    return (y - net["mu"][:, None, None]) / np.sqrt(variance), log_det


def uncoupled(net, y, odd, checkered, blocks):
    mask = kept(y.shape, odd, checkered)
    y = y * np.sqrt(net["variance"][:, None, None] + 1e-5) + net["mu"][:, None, None]
    s, t = scale_and_shift(net, y, mask, blocks)
    return np.where(mask, y, (y - t) * np.exp(-s))


def squeezed(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


def unsqueezed(y):
    n, c, h, w = y.shape
    return y.reshape(n, c // 4, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)


def forward(net, x, case):
    total, parts = 0, []
    for level, (pixels, channels) in enumerate(steps(case)):
        for group in (pixels, channels):
            if group is channels and channels:
                x = squeezed(x)
            for path, _, _, odd, checkered in group:
                x, log_det = coupled(net.at(path), x, odd, checkered, case.blocks)
                total = total + log_det
        if channels:
            half = x.shape[1] // 2
            parts.append(x[:, :half])
            x = x[:, half:]
    parts.append(x)
    return np.concatenate([part.reshape(len(part), -1) for part in parts], 1), total


def inverse(net, z, case):
    x = None
    for level, (pixels, channels) in reversed(list(enumerate(steps(case)))):
        c, size = pixels[0][1], case.size // 2**level
        if not channels:
            x = z[:, -c * size**2:].reshape(-1, c, size, size)
        else:
            start = 3 * case.size**2 - c * size**2
            part = z[:, start:start + c * size**2 // 2].reshape(-1, 2 * c, size // 2, size // 2)
            x = np.concatenate([part, x], 1)
        for group in (channels, pixels):
            for path, _, _, odd, checkered in reversed(group):
                x = uncoupled(net.at(path), x, odd, checkered, case.blocks)
            if group is channels and channels:
                x = unsqueezed(x)
    return x


def expected(case):
    net = Layers(weights(case))
    if case.method == "sample":
        x = inverse(net, inputs(case)["z"].astype(np.float64), case)
        return {"pixel": (sigmoid(x) - 0.05) / 0.95 * 256}
    p = 0.05 + 0.95 * inputs(case)["pixel"].astype(np.float64) / 256
    outer = (np.log(0.95 / 256) - np.log(p) - np.log(1 - p)).sum((1, 2, 3))
    z, inner = forward(net, np.log(p) - np.log(1 - p), case)
    normal = (-z**2 / 2 - np.log(2 * np.pi) / 2).sum(1)
    return {"z": z, "log_density": inner + normal + outer}
