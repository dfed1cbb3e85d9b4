"""Weights and inputs from fixed seeds, the same for the recorder (PyTorch) and the checker (NumPy only).

Philox streams are keyed by the CRC of a tensor's name, so a value does not depend on what else a model holds. Scales keep
activations at their size through the depth of a network and softmaxes away from flat.
"""

import zlib

import numpy as np

SEED = 20240229


def stream(name):
    return np.random.Generator(np.random.Philox(key=SEED + (zlib.crc32(name.encode()) << 32)))


def weight(name, shape):
    """A float32 tensor for the parameter `name` of a checkpoint."""
    rng = stream(name)
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "running_var":
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    if leaf in ("running_mean", "bias") or len(shape) == 0:
        return (0.1 * rng.standard_normal(shape)).astype(np.float32)
    if len(shape) == 1:  # the scale of a normalization; small where it ends a residual branch, so that sums stay bounded
        if "bn3" in name:
            return (0.3 + 0.05 * rng.standard_normal(shape)).astype(np.float32)
        return (1 + 0.1 * rng.standard_normal(shape)).astype(np.float32)
    if "embed" in name or "token" in name:
        return (0.5 * rng.standard_normal(shape)).astype(np.float32)
    fan_in = int(np.prod(shape[1:]))
    gain = 2.0 if "qkv" in name or "query" in name or "key" in name else 1.4
    return (gain / np.sqrt(fan_in) * rng.standard_normal(shape)).astype(np.float32)


def weights(shapes):
    """shapes: {name: [extent, ...]} of the float parameters."""
    return {name: weight(name, tuple(shape)) for name, shape in shapes.items()}


def image(name, shape):
    """Smooth noise about 0 with deviation about 1, as a normalized photograph has."""
    return stream("input." + name).standard_normal(shape).astype(np.float32)


def tokens(name, shape, vocabulary):
    return stream("input." + name).integers(0, vocabulary, shape).astype(np.int64)


def sample_places(name, size, count):
    """Flat positions at which a tensor is recorded: all of a small one, else `count` drawn ones."""
    if size <= count:
        return np.arange(size)
    return np.sort(stream("places." + name).choice(size, count, replace=False))


def summary(name, value, count=256):
    """What a record keeps of a tensor."""
    value = np.asarray(value, dtype=np.float64)
    flat = value.reshape(-1)
    places = sample_places(name, flat.size, count)
    return {
        "shape": list(value.shape),
        "min": float(flat.min()),
        "max": float(flat.max()),
        "mean": float(flat.mean()),
        "values": [float(np.float32(v)) for v in flat[places]],
    }


def distance(name, value, record):
    """The largest difference at the recorded places, as a share of the recorded range; infinite for another shape."""
    value = np.asarray(value, dtype=np.float64)
    if list(value.shape) != record["shape"] or not np.all(np.isfinite(value)):
        return float("inf")
    flat = value.reshape(-1)
    places = sample_places(name, flat.size, len(record["values"]) if flat.size > len(record["values"]) else flat.size)
    span = max(record["max"] - record["min"], 1e-12)
    at_places = np.max(np.abs(flat[places] - np.asarray(record["values"])))
    at_mean = abs(float(flat.mean()) - record["mean"])
    return float(max(at_places, at_mean) / span)
