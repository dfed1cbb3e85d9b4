"""A network as a list of nodes over named weights: what every peer's form of it is made of.

The networks have the parameters of examples/ under the same names, so that one weight file serves all sides and results can
be compared. A weight's values depend on its name alone.
"""

import collections
import zlib
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Node:
    kind: str  # a key of onnx_file.KINDS and torch_module.KINDS
    inputs: list  # names of values and of weights
    output: str
    sizes: dict


@dataclass
class Graph:
    nodes: list = field(default_factory=list)
    weights: dict = field(default_factory=dict)  # name -> (shape, scale, mean)
    kernels: dict = field(default_factory=collections.Counter)  # how often each convolution and matrix product runs
    flops: int = 0  # of one run, those of convolutions and matrix products
    inputs: list = field(default_factory=list)  # (name, shape, element type)
    output: str = ""

    def input(self, shape, kind=np.float32):
        self.inputs.append((f"x{len(self.inputs)}", shape, kind))
        return self.inputs[-1][0]

    def weight(self, name, shape, scale, mean=0.0):
        self.weights[name] = (shape, scale, mean)
        return name

    def values(self):
        """The weights' values."""
        found = {}
        for name, (shape, scale, mean) in self.weights.items():
            random = np.random.Generator(np.random.Philox(zlib.crc32(name.encode())))
            value = (random.standard_normal(shape, np.float32) * scale + mean).astype(np.float32)
            found[name] = np.abs(value) if name.endswith("running_var") else value
        return found

    def node(self, kind, *inputs, **sizes):
        self.nodes.append(Node(kind, list(inputs), f"t{len(self.nodes)}", sizes))
        return self.nodes[-1].output

    def conv(self, x, path, channels, results, window, size, stride=1, pad=0, groups=1, bias=False):
        """The result and its size; `size` is of one side of the picture."""
        fan_in = channels // groups * window * window
        weights = [self.weight(path + ".weight", (results, channels // groups, window, window), (2 / fan_in) ** 0.5)]
        if bias:
            weights.append(self.weight(path + ".bias", (results,), 0.1))
        self.kernels["conv", size, channels, results, window, stride, pad, groups] += 1
        size = (size + 2 * pad - window) // stride + 1
        self.flops += 2 * fan_in * results * size * size
        return self.node("Conv", x, *weights, window=window, stride=stride, pad=pad, groups=groups), size

    def conv_transpose(self, x, path, channels, results, window, size):
        """Windows side by side: every pixel becomes `window` squared ones."""
        self.flops += 2 * channels * results * window * window * size * size
        weights = (self.weight(path + ".weight", (channels, results, window, window), channels ** -0.5),
                   self.weight(path + ".bias", (results,), 0.1))
        return self.node("ConvTranspose", x, *weights, window=window)

    def batch_norm(self, x, path, channels):
        parameters = [("weight", 0.1, 1), ("bias", 0.1, 0), ("running_mean", 0.1, 0), ("running_var", 0.1, 1)]
        return self.node("BatchNorm", x, *(self.weight(f"{path}.{name}", (channels,), scale, mean)
                                           for name, scale, mean in parameters), eps=1e-5)

    def linear(self, x, path, inputs, outputs, rows):
        self.flops += 2 * inputs * outputs * rows
        self.kernels["linear", rows, inputs, outputs] += 1
        return self.node("Linear", x, self.weight(path + ".weight", (outputs, inputs), inputs ** -0.5),
                         self.weight(path + ".bias", (outputs,), 0.1))

    def layer_norm(self, x, path, dim, eps):
        return self.node("LayerNorm", x, self.weight(path + ".weight", (dim,), 0.1, 1),
                         self.weight(path + ".bias", (dim,), 0.1), eps=eps)

    def attention(self, q, k, v, batch, length, dim, heads):
        """q, k, v: [batch, heads, length, dim / heads]; the result is [batch, length, dim]."""
        self.flops += 4 * batch * length * length * dim
        o = self.node("Transpose", self.node("Attention", q, k, v, scale=(dim // heads) ** -0.5), order=[0, 2, 1, 3])
        return self.node("Reshape", o, shape=[batch, length, dim])
