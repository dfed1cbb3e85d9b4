"""The benchmark's models as ONNX files, built node by node: no framework is needed to make them.

The networks are those of examples/: same layers, same sizes, batch 1. Weights are random and scaled so that activations
keep their size; speed does not depend on them. Batch norm is folded, as ONNX Runtime would do on load.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Graph:
    def __init__(self, seed=1):
        self.nodes, self.weights, self.count = [], [], 0
        self.random = np.random.Generator(np.random.Philox(seed))

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def weight(self, shape, fan_in=None, value=None):
        name = self.name()
        if value is None:
            scale = 1.0 / np.sqrt(fan_in) if fan_in else 0.02
            value = (self.random.standard_normal(shape) * scale).astype(np.float32)
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind, inputs, **attributes):
        out = self.name()
        self.nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def conv(self, x, channels, results, window, stride=1, groups=1, act=None):
        fan_in = channels // groups * window * window
        w = self.weight((results, channels // groups, window, window), fan_in / 2)
        b = self.weight((results,))
        pad = window // 2
        x = self.node("Conv", [x, w, b], kernel_shape=[window] * 2, strides=[stride] * 2, pads=[pad] * 4, group=groups)
        if act == "relu":
            x = self.node("Relu", [x])
        if act == "relu6":
            x = self.node("Clip", [x, self.weight((), value=np.float32(0)), self.weight((), value=np.float32(6))])
        return x

    def linear(self, x, inputs, outputs):
        w = self.weight((inputs, outputs), inputs)
        return self.node("Add", [self.node("MatMul", [x, w]), self.weight((outputs,))])

    def layer_norm(self, x, dim):
        gain = self.weight((dim,), value=np.ones(dim, np.float32))
        return self.node("LayerNormalization", [x, gain, self.weight((dim,))], axis=-1, epsilon=1e-6)

    def constant(self, values):
        return self.weight((), value=np.asarray(values, np.int64))

    def save(self, path, x_shape, y, y_shape, x_type=TensorProto.FLOAT):
        graph = helper.make_graph(
            self.nodes, "model", [helper.make_tensor_value_info("x", x_type, x_shape)],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, y_shape)], self.weights)
        with open(path, "wb") as file:
            file.write(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())


def resnet50(path):
    g = Graph()
    x = g.conv("x", 3, 64, 7, 2, act="relu")
    x = g.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for planes, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            step = stride if block == 0 else 1
            y = g.conv(x, channels, planes, 1, act="relu")
            y = g.conv(y, planes, planes, 3, step, act="relu")
            y = g.conv(y, planes, 4 * planes, 1)
            if block == 0:
                x = g.conv(x, channels, 4 * planes, 1, step)
            x = g.node("Relu", [g.node("Add", [y, x])])
            channels = 4 * planes
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x])])
    g.save(path, [1, 3, 224, 224], g.linear(x, 2048, 1000), [1, 1000])


def mobilenet_v2(path):
    g = Graph()
    x, channels = g.conv("x", 3, 32, 3, 2, act="relu6"), 32
    for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for block in range(n):
            step = s if block == 0 else 1
            hidden = channels * t
            y = g.conv(x, channels, hidden, 1, act="relu6") if t != 1 else x
            y = g.conv(y, hidden, hidden, 3, step, groups=hidden, act="relu6")
            y = g.conv(y, hidden, c, 1)
            x = g.node("Add", [x, y]) if step == 1 and channels == c else y
            channels = c
    x = g.conv(x, channels, 1280, 1, act="relu6")
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x])])
    g.save(path, [1, 3, 224, 224], g.linear(x, 1280, 1000), [1, 1000])


def attention(g, x, length, dim, heads):
    qkv = g.linear(x, dim, 3 * dim)
    qkv = g.node("Reshape", [qkv, g.constant([1, length, 3, heads, dim // heads])])
    qkv = g.node("Transpose", [qkv], perm=[2, 0, 3, 1, 4])
    q, k, v = (g.node("Gather", [qkv, g.constant(i)], axis=0) for i in range(3))
    q = g.node("Mul", [q, g.weight((), value=np.float32((dim // heads) ** -0.5))])
    p = g.node("Softmax", [g.node("MatMul", [q, g.node("Transpose", [k], perm=[0, 1, 3, 2])])], axis=-1)
    o = g.node("Transpose", [g.node("MatMul", [p, v])], perm=[0, 2, 1, 3])
    return g.linear(g.node("Reshape", [o, g.constant([1, length, dim])]), dim, dim)


def gelu(g, x):
    e = g.node("Erf", [g.node("Div", [x, g.weight((), value=np.float32(np.sqrt(2)))])])
    e = g.node("Add", [e, g.weight((), value=np.float32(1))])
    return g.node("Mul", [g.node("Mul", [x, e]), g.weight((), value=np.float32(0.5))])


def vit_b16(path):
    g, dim = Graph(), 768
    x = g.node("Conv", ["x", g.weight((dim, 3, 16, 16), 768), g.weight((dim,))], kernel_shape=[16, 16], strides=[16, 16])
    x = g.node("Transpose", [g.node("Reshape", [x, g.constant([1, dim, 196])])], perm=[0, 2, 1])
    x = g.node("Concat", [g.weight((1, 1, dim)), x], axis=1)
    x = g.node("Add", [x, g.weight((1, 197, dim))])
    for _ in range(12):
        x = g.node("Add", [x, attention(g, g.layer_norm(x, dim), 197, dim, 12)])
        x = g.node("Add", [x, g.linear(gelu(g, g.linear(g.layer_norm(x, dim), dim, 4 * dim)), 4 * dim, dim)])
    x = g.node("Gather", [g.layer_norm(x, dim), g.constant(0)], axis=1)
    g.save(path, [1, 3, 224, 224], g.linear(x, dim, 1000), [1, 1000])


def bert_base(path, length=128):
    g, dim = Graph(), 768
    x = g.node("Gather", [g.weight((30522, dim)), "x"], axis=0)
    x = g.layer_norm(g.node("Add", [x, g.weight((1, length, dim))]), dim)
    for _ in range(12):
        x = g.layer_norm(g.node("Add", [x, attention(g, x, length, dim, 12)]), dim)
        x = g.layer_norm(g.node("Add", [x, g.linear(gelu(g, g.linear(x, dim, 4 * dim)), 4 * dim, dim)]), dim)
    g.save(path, [1, length], x, [1, length, dim], TensorProto.INT64)


MODELS = {"mobilenet_v2": mobilenet_v2, "resnet50": resnet50, "vit_b16": vit_b16, "bert_base": bert_base}
