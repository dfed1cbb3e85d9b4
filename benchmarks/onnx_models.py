"""The benchmark's networks as ONNX files, built node by node: no framework is needed to make them.

The networks are those of examples/, with the same parameters under the same names, so that one weight file serves both
sides and their results can be compared. A weight's values depend on its name alone.
"""

import zlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Graph:
    def __init__(self):
        self.nodes, self.initializers, self.weights, self.count, self.flops = [], [], {}, 0, 0

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def weight(self, name, shape, scale, mean=0.0):
        if name not in self.weights:
            random = np.random.Generator(np.random.Philox(zlib.crc32(name.encode())))
            value = (random.standard_normal(shape) * scale + mean).astype(np.float32)
            self.weights[name] = np.abs(value) if name.endswith("running_var") else value
            self.initializers.append(numpy_helper.from_array(self.weights[name], name))
        return name

    def constant(self, value):
        name = self.name()
        self.initializers.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def number(self, value):
        return self.constant(np.float32(value))

    def node(self, kind, inputs, **attributes):
        out = self.name()
        self.nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def conv(self, x, path, channels, results, window, size, stride=1, pad=0, groups=1, bias=False):
        """The result and its size; `size` is of one side of the picture."""
        fan_in = channels // groups * window * window
        weights = [self.weight(path + ".weight", (results, channels // groups, window, window), (2 / fan_in) ** 0.5)]
        if bias:
            weights.append(self.weight(path + ".bias", (results,), 0.1))
        size = (size + 2 * pad - window) // stride + 1
        self.flops += 2 * fan_in * results * size * size
        return self.node("Conv", [x, *weights], kernel_shape=[window] * 2, strides=[stride] * 2, pads=[pad] * 4,
                         group=groups), size

    def batch_norm(self, x, path, channels):
        parameters = [("weight", 0.1, 1), ("bias", 0.1, 0), ("running_mean", 0.1, 0), ("running_var", 0.1, 1)]
        return self.node("BatchNormalization", [x, *(self.weight(f"{path}.{name}", (channels,), scale, mean)
                                                     for name, scale, mean in parameters)], epsilon=1e-5)

    def linear(self, x, path, inputs, outputs, rows):
        self.flops += 2 * inputs * outputs * rows
        self.weight(path + ".weight", (outputs, inputs), inputs ** -0.5)
        transposed = self.constant(np.ascontiguousarray(self.weights[path + ".weight"].T))
        return self.node("Add", [self.node("MatMul", [x, transposed]), self.weight(path + ".bias", (outputs,), 0.1)])

    def layer_norm(self, x, path, dim, eps):
        return self.node("LayerNormalization", [x, self.weight(path + ".weight", (dim,), 0.1, 1),
                                                self.weight(path + ".bias", (dim,), 0.1)], axis=-1, epsilon=eps)

    def shape(self, *values):
        return self.constant(np.asarray(values, np.int64))

    def save(self, path, x_shape, y, y_shape, x_type=TensorProto.FLOAT):
        # What only a transposed copy is made of is no initializer of the graph.
        used = {name for node in self.nodes for name in node.input}
        graph = helper.make_graph(
            self.nodes, "model", [helper.make_tensor_value_info("x", x_type, x_shape)],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, y_shape)],
            [tensor for tensor in self.initializers if tensor.name in used])
        with open(path, "wb") as file:
            file.write(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())


def resnet50(g, path, image, width):
    def block(x, name, channels, planes, size, step):
        y, _ = g.conv(x, name + "conv1", channels, planes, 1, size)
        y = g.node("Relu", [g.batch_norm(y, name + "bn1", planes)])
        y, small = g.conv(y, name + "conv2", planes, planes, 3, size, step, 1)
        y = g.node("Relu", [g.batch_norm(y, name + "bn2", planes)])
        y, _ = g.conv(y, name + "conv3", planes, 4 * planes, 1, small)
        y = g.batch_norm(y, name + "bn3", 4 * planes)
        if step != 1 or channels != 4 * planes:
            x, _ = g.conv(x, name + "downsample.0", channels, 4 * planes, 1, size, step)
            x = g.batch_norm(x, name + "downsample.1", 4 * planes)
        return g.node("Relu", [g.node("Add", [y, x])]), small

    x, size = g.conv("x", "conv1", 3, width, 7, image, 2, 3)
    x = g.node("Relu", [g.batch_norm(x, "bn1", width)])
    x = g.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    size = (size - 1) // 2 + 1
    channels = width
    for stage, depth in enumerate((3, 4, 6, 3)):
        planes = width << stage
        for number in range(depth):
            x, size = block(x, f"layer{stage + 1}.{number}.", channels, planes, size, 2 if stage and not number else 1)
            channels = 4 * planes
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x])])
    g.save(path, [1, 3, image, image], g.linear(x, "fc", channels, 1000, 1), [1, 1000])


def mobilenet_v2(g, path, image, widths):
    def relu6(x):
        return g.node("Clip", [x, g.number(0), g.number(6)])

    def conv_norm(x, names, *shape, **more):
        y, size = g.conv(x, names[0], *shape, **more)
        return g.batch_norm(y, names[1], shape[1]), size

    stem, *stages, last = widths
    x, size = conv_norm("x", ("features.0.0", "features.0.1"), 3, stem, 3, image, 2, 1)
    x, channels, number = relu6(x), stem, 1
    for c, (widen, repeats, stride) in zip(stages, ((1, 1, 1), (6, 2, 2), (6, 3, 2), (6, 4, 2), (6, 3, 1), (6, 3, 2), (6, 1, 1))):
        for repeat in range(repeats):
            step, hidden, at, y = stride if repeat == 0 else 1, channels * widen, f"features.{number}.conv.", x
            part = 0
            if widen != 1:
                y, _ = conv_norm(y, (at + "0.0", at + "0.1"), channels, hidden, 1, size)
                y, part = relu6(y), 1
            y, size = conv_norm(y, (at + f"{part}.0", at + f"{part}.1"), hidden, hidden, 3, size, step, 1, groups=hidden)
            y, _ = conv_norm(relu6(y), (at + f"{part + 1}", at + f"{part + 2}"), hidden, c, 1, size)
            x = g.node("Add", [x, y]) if step == 1 and channels == c else y
            channels, number = c, number + 1
    x, size = conv_norm(x, ("features.18.0", "features.18.1"), channels, last, 1, size)
    x = g.node("Flatten", [g.node("GlobalAveragePool", [relu6(x)])])
    g.save(path, [1, 3, image, image], g.linear(x, "classifier.1", last, 1000, 1), [1, 1000])


def attention(g, q, k, v, length, dim, heads):
    """q, k, v: [1, heads, length, dim / heads]."""
    g.flops += 4 * length * length * dim
    q = g.node("Mul", [q, g.number((dim // heads) ** -0.5)])
    p = g.node("Softmax", [g.node("MatMul", [q, g.node("Transpose", [k], perm=[0, 1, 3, 2])])], axis=-1)
    o = g.node("Transpose", [g.node("MatMul", [p, v])], perm=[0, 2, 1, 3])
    return g.node("Reshape", [o, g.shape(1, length, dim)])


def gelu(g, x):
    e = g.node("Erf", [g.node("Div", [x, g.number(np.sqrt(2))])])
    e = g.node("Add", [e, g.number(1)])
    return g.node("Mul", [g.node("Mul", [x, e]), g.number(0.5)])


def vit_b16(g, path, image, patch, dim, depth, heads):
    side = image // patch
    length = side * side + 1
    x, _ = g.conv("x", "patch_embed.proj", 3, dim, patch, image, patch, bias=True)
    x = g.node("Transpose", [g.node("Reshape", [x, g.shape(1, dim, side * side)])], perm=[0, 2, 1])
    x = g.node("Concat", [g.weight("cls_token", (1, 1, dim), 1), x], axis=1)
    x = g.node("Add", [x, g.weight("pos_embed", (1, length, dim), 1)])
    for number in range(depth):
        at = f"blocks.{number}."
        y = g.linear(g.layer_norm(x, at + "norm1", dim, 1e-6), at + "attn.qkv", dim, 3 * dim, length)
        y = g.node("Transpose", [g.node("Reshape", [y, g.shape(1, length, 3, heads, dim // heads)])], perm=[2, 0, 3, 1, 4])
        y = attention(g, *(g.node("Gather", [y, g.constant(np.int64(i))], axis=0) for i in range(3)), length, dim, heads)
        x = g.node("Add", [x, g.linear(y, at + "attn.proj", dim, dim, length)])
        y = gelu(g, g.linear(g.layer_norm(x, at + "norm2", dim, 1e-6), at + "mlp.fc1", dim, 4 * dim, length))
        x = g.node("Add", [x, g.linear(y, at + "mlp.fc2", 4 * dim, dim, length)])
    x = g.node("Gather", [g.layer_norm(x, "norm", dim, 1e-6), g.constant(np.int64(0))], axis=1)
    g.save(path, [1, 3, image, image], g.linear(x, "head", dim, 1000, 1), [1, 1000])


def bert_base(g, path, tokens, dim, depth, heads, hidden):
    def split(x):
        return g.node("Transpose", [g.node("Reshape", [x, g.shape(1, tokens, heads, dim // heads)])], perm=[0, 2, 1, 3])

    x = g.node("Gather", [g.weight("embeddings.word_embeddings.weight", (30522, dim), 1), "x"], axis=0)
    g.weight("embeddings.position_embeddings.weight", (512, dim), 1)
    g.weight("embeddings.token_type_embeddings.weight", (2, dim), 1)
    place = g.weights["embeddings.position_embeddings.weight"][:tokens] + g.weights["embeddings.token_type_embeddings.weight"][0]
    x = g.layer_norm(g.node("Add", [x, g.constant(place[None])]), "embeddings.LayerNorm", dim, 1e-12)
    for number in range(depth):
        at = f"encoder.layer.{number}."
        parts = (split(g.linear(x, f"{at}attention.self.{part}", dim, dim, tokens)) for part in ("query", "key", "value"))
        y = g.linear(attention(g, *parts, tokens, dim, heads), at + "attention.output.dense", dim, dim, tokens)
        x = g.layer_norm(g.node("Add", [x, y]), at + "attention.output.LayerNorm", dim, 1e-12)
        y = g.linear(gelu(g, g.linear(x, at + "intermediate.dense", dim, hidden, tokens)), at + "output.dense", hidden, dim, tokens)
        x = g.layer_norm(g.node("Add", [x, y]), at + "output.LayerNorm", dim, 1e-12)
    g.save(path, [1, tokens], x, [1, tokens, dim], TensorProto.INT64)


BUILDERS = {"mobilenet_v2": mobilenet_v2, "resnet50": resnet50, "vit_b16": vit_b16, "bert_base": bert_base}
