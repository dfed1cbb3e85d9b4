"""Kernels by themselves: the convolutions and matrix products of the networks, a few of odd sizes, rows, attention.

`flops`, `bytes` and `exps` say what a kernel must do at least. Of row reductions and pointwise kernels that is the moving of
their operands, or functions like exp, whichever is longer: the sums and the rest of erf and tanh are left out.
"""

import collections
from dataclasses import dataclass

import numpy as np

import networks
from subject import Subject, normal, program

FLOAT = 4


@dataclass
class Kernel(Subject):
    sizes: tuple = ()

    def onednn(self):
        """The kind and the sizes that peers/onednn.cc takes, and the shape of the result."""
        return self.kind, self.sizes, self.result()


@dataclass
class MatrixProduct(Kernel):
    kind = "linear"

    def source(self, _):
        rows, inputs, outputs = self.sizes
        return program(f"  net: Linear({inputs}, {outputs})\n",
                       f"run(x: f32[{rows}, {inputs}]) -> y: f32[{rows}, {outputs}] {{ y = net(x) }}", "std.linear: Linear")

    def weights(self):
        _, inputs, outputs = self.sizes
        return {"weight": normal(1, outputs, inputs) * np.float32(inputs ** -0.5), "bias": normal(2, outputs)}

    def inputs(self):
        return [normal(3, *self.sizes[:2])]

    def result(self):
        return self.sizes[0], self.sizes[2]


@dataclass
class Convolution(Kernel):
    """Pictures are [height, width, channel] on both sides, the order in which convolutions hand on to each other."""

    kind = "conv"

    def result(self):
        size, _, results, window, stride, pad, _ = self.sizes
        out = (size + 2 * pad - window) // stride + 1
        return out, out, results

    def source(self, _):
        size, channels, results, window, stride, pad, groups = self.sizes
        out = self.result()[0]
        return program(
            f"  net: Conv2d({channels}, {results}, {window}, stride = {stride}, pad = {pad}, groups = {groups})\n",
            f"run(x: f32[{size}, {size}, {channels}]) -> y: f32[{out}, {out}, {results}] {{\n"
            "    picture[b < 1, c, i, j] = x[i, j, c]\n    z = net(picture)\n    y[i, j, c] = z[0, c, i, j]\n  }", "std.conv: Conv2d")

    def weights(self):
        _, channels, results, window, _, _, groups = self.sizes
        shape = (results, channels // groups, window, window)
        return {"weight": normal(1, *shape) * np.float32(np.prod(shape[1:]) ** -0.5), "bias": normal(2, results)}

    def inputs(self):
        size, channels = self.sizes[:2]
        return [normal(3, size, size, channels)]


@dataclass
class Rows(Kernel):
    kind: str = ""

    def source(self, _):
        shape = f"f32[{self.sizes[0]}, {self.sizes[1]}]"
        if self.kind == "softmax":
            return program("", f"run(x: {shape}) -> y: {shape} {{ y[i] = softmax(x[i]) }}", "std.softmax: softmax")
        return program(f"  net: LayerNorm({self.sizes[1]})\n", f"run(x: {shape}) -> y: {shape} {{ y = net(x) }}",
                       "std.norm: LayerNorm")

    def weights(self):
        length = self.sizes[1]
        return {} if self.kind == "softmax" else {"weight": normal(1, length), "bias": normal(2, length)}

    def inputs(self):
        return [normal(3, *self.sizes)]

    def result(self):
        return self.sizes


POINTWISE = {  # what stands in the language -> what stands in PyTorch, both over a, b, c
    "a[i] * b[i] + c[i]": "a * b + c",
    "maximum(a[i] + b[i], 0)": "torch.relu(a + b)",
    "exp(a[i])": "torch.exp(a)",
    "gelu(a[i])": "torch.nn.functional.gelu(a)",
    "a[i] * sigmoid(a[i]) + tanh(b[i])": "a * torch.sigmoid(a) + torch.tanh(b)",
}


@dataclass
class Pointwise(Kernel):
    body: str = ""

    def names(self):
        return [name for name in "abc" if f"{name}[i]" in self.body]

    def source(self, _):
        shape = f"f32[{self.sizes[0]}]"
        imports = [f"std.activation: {name}" for name in ("gelu", "sigmoid") if name in self.body]
        return program("", f"run({', '.join(f'{n}: {shape}' for n in self.names())}) -> y: {shape} {{ y[i] = {self.body} }}",
                       *imports)

    def inputs(self):
        return [normal(seed, *self.sizes) for seed, _ in enumerate(self.names())]

    def torch(self):
        import torch
        return eval(f"lambda {', '.join(self.names())}: {POINTWISE[self.body]}", {"torch": torch})


@dataclass
class Attention(Kernel):
    def source(self, _):
        heads, length, dim = self.sizes
        shape = f"f32[{heads}, {length}, {dim}]"
        return program("", f"run(q: {shape}, k: {shape}, v: {shape}) -> y: {shape} {{ y[h] = attention(q[h], k[h], v[h]) }}",
                       "std.attention: attention")

    def inputs(self):
        return [normal(seed, *self.sizes) for seed in range(3)]

    def torch(self):
        from torch.nn.functional import scaled_dot_product_attention
        return lambda q, k, v: scaled_dot_product_attention(q[None], k[None], v[None])[0]


@dataclass
class Calls(Kernel):
    """Many kernels that do next to nothing: what calling them takes."""

    def source(self, _):
        count, = self.sizes
        body = "".join(f"    x{i + 1} = net[{i}](x{i})\n" for i in range(count))
        return program(f"  net: [Linear(8, 8); {count}]\n",
                       f"run(x: f32[2, 8]) -> y: f32[2, 8] {{\n    x0 = x\n{body}    y = x{count}\n  }}", "std.linear: Linear")

    def weights(self):
        return {f"{i}.{name}": normal(i, *shape) / 4 for i in range(*self.sizes) for name, shape in (("weight", (8, 8)), ("bias", (8,)))}

    def inputs(self):
        return [normal(3, 2, 8)]


def linear(rows, inputs, outputs, quick=False):
    return MatrixProduct("matrix product", f"{rows}x{inputs}x{outputs}", ("onednn",), 2 * rows * inputs * outputs,
                         FLOAT * (rows * inputs + inputs * outputs + rows * outputs), quick=quick, sizes=(rows, inputs, outputs))


def conv(size, channels, results, window, stride, pad, groups, quick=False):
    out = (size + 2 * pad - window) // stride + 1
    weights = results * channels // groups * window * window
    step = f" s{stride}" if stride > 1 else ""
    name = f"{window}x{window}{step} {size} {channels}" + ("" if groups > 1 else f">{results}")
    return Convolution("depthwise" if groups > 1 else "convolution", name, ("onednn",), 2 * weights * out * out,
                       FLOAT * (size * size * channels + weights + out * out * results), quick=quick,
                       sizes=(size, channels, results, window, stride, pad, groups))


def rows(kind, count, length, quick=False):
    return Rows("rows", f"{kind.replace('_', ' ')} {count}x{length}", ("onednn",), 0, 2 * FLOAT * count * length,
                count * length if kind == "softmax" else 0, quick=quick, sizes=(count, length), kind=kind)


def pointwise(body, count, quick=False):
    # A call of PyTorch takes as long as a small kernel: it is a peer for large ones.
    peers = ("inductor",) if count > 500_000 else ()
    kernel = Pointwise("pointwise", f"{body.replace('[i]', '')}, {count}", peers, quick=quick, sizes=(count,), body=body)
    kernel.bytes = FLOAT * (len(kernel.names()) + 1) * count
    kernel.exps = count * sum(body.count(f"{name}(") for name in ("exp", "gelu", "sigmoid", "tanh"))
    return kernel


def attention(heads, length, dim, quick=False):
    return Attention("attention", f"{heads}x{length}x{dim}", ("torch",), 4 * heads * length * length * dim,
                     FLOAT * 4 * heads * length * dim, quick=quick, sizes=(heads, length, dim))


# Sizes of no network here, most of them no multiples of anything.
ODD = [linear(131, 517, 389), linear(50, 1280, 1000), conv(33, 75, 141, 1, 1, 0, 1), conv(19, 117, 117, 3, 1, 1, 1),
       conv(27, 85, 85, 5, 1, 2, 85), conv(61, 42, 42, 3, 2, 1, 42)]


def of_networks():
    """The distinct convolutions and matrix products of the networks; --quick takes of each group what costs most."""
    count = collections.Counter()
    for network in networks.subjects():
        count.update(network.graph().kernels)
    makers = {"conv": conv, "linear": linear}
    found = {key: makers[key[0]](*key[1:]) for key in count}
    for group in ("matrix product", "convolution", "depthwise"):
        costs = sorted((key for key in count if found[key].group == group), key=lambda key: -count[key] * found[key].flops)
        for key in costs[:2]:
            found[key].quick = True
    return sorted(found.values(), key=lambda kernel: (kernel.name.split()[0], -kernel.flops))


def subjects():
    return [
        *of_networks(), *ODD,
        rows("softmax", 2364, 197), rows("softmax", 128, 1000), rows("softmax", 61, 333),
        rows("layer_norm", 197, 768, quick=True), rows("layer_norm", 128, 768), rows("layer_norm", 61, 333),
        *(pointwise(body, count, quick=(body, count) == ("gelu(a[i])", 100_003)) for body in POINTWISE for count in (100_003, 1_000_003)),
        attention(12, 197, 64, quick=True), attention(12, 128, 64), attention(96, 32, 32), attention(8, 512, 64),
        attention(5, 1024, 40), attention(8, 2048, 64), attention(4, 4096, 64),
        Calls("call", "64 kernels", (), quick=True, sizes=(64,)),
    ]
