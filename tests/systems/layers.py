"""Layers in NumPy for references that are written from a paper: `net = Layers(weights)`, then `net.linear(x, "path")`.

Weights keep their element type; what is computed takes that of x, so a reference in float64 gives float64 inputs.
"""

import math

import numpy as np


def gelu(x):
    return x * (1 + np.vectorize(math.erf, otypes=[x.dtype])(x / math.sqrt(2))) / 2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def convolution(x, w, stride=1, pad=0, dilation=1):
    """x [N, C, H, W], w [K, C, R, S]: one matrix product for every element of the kernel."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    _, _, high, wide = w.shape
    rows, columns = ((extent - dilation * (size - 1) - 1) // stride + 1 for extent, size in zip(x.shape[2:], (high, wide)))
    y = 0
    for r in range(high):
        for s in range(wide):
            part = x[:, :, r * dilation:, s * dilation:][:, :, :stride * rows:stride, :stride * columns:stride]
            y = y + np.einsum("nchw,kc->nkhw", part, w[:, :, r, s], optimize=True)
    return y


def transposed_convolution(x, w, stride=1, pad=0):
    """x [N, C, H, W], w [C, K, R, S]: every element spreads over R x S others."""
    n, _, rows, columns = x.shape
    _, k, high, wide = w.shape
    y = np.zeros((n, k, (rows - 1) * stride + high, (columns - 1) * stride + wide), x.dtype)
    for r in range(high):
        for s in range(wide):
            y[:, :, r:r + stride * rows:stride, s:s + stride * columns:stride][:, :, :rows, :columns] += np.einsum(
                "nchw,ck->nkhw", x, w[:, :, r, s], optimize=True)
    return y[:, :, pad:y.shape[2] - pad, pad:y.shape[3] - pad]


class Layers:
    """Layers whose weights stand in a dict, by the paths of the model file."""

    def __init__(self, weights, prefix=""):
        self.weights, self.prefix = weights, prefix

    def at(self, path):
        """The layers below a path."""
        return Layers(self.weights, f"{self.prefix}{path}.")

    def __getitem__(self, path):
        return self.weights[self.prefix + path]

    def __contains__(self, path):
        return self.prefix + path in self.weights

    def linear(self, x, path):
        y = x @ self[path + ".weight"].T
        return y + self[path + ".bias"] if path + ".bias" in self else y

    def conv(self, x, path, stride=1, pad=0, dilation=1):
        y = convolution(x, self[path + ".weight"], stride, pad, dilation)
        return y + self[path + ".bias"][:, None, None] if path + ".bias" in self else y

    def transposed_conv(self, x, path, stride=1, pad=0):
        return transposed_convolution(x, self[path + ".weight"], stride, pad) + self[path + ".bias"][:, None, None]

    def batch_norm(self, x, path, eps=1e-5):
        scale = self[path + ".weight"] / np.sqrt(self[path + ".running_var"] + eps)
        shift = self[path + ".bias"] - self[path + ".running_mean"] * scale
        return x * scale[:, None, None] + shift[:, None, None]

    def layer_norm(self, x, path, eps=1e-5):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + eps) * self[path + ".weight"] + self[path + ".bias"]
