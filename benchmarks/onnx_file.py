"""Graphs as ONNX files, built node by node."""

import numpy as np


class OnnxFile:
    def __init__(self):
        self.nodes, self.initializers, self.count = [], [], 0

    def name(self):
        self.count += 1
        return f"made{self.count}"

    def constant(self, value, name=None):
        from onnx import numpy_helper
        name = name or self.name()
        self.initializers.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, kind, inputs, output=None, **attributes):
        from onnx import helper
        output = output or self.name()
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def save(self, path, inputs, output):
        """`inputs`: (name, shape, element type) of each."""
        from onnx import TensorProto, helper
        values = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape)
                  for name, shape, kind in inputs]
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        used = {name for node in self.nodes for name in node.input}
        graph = helper.make_graph(self.nodes, "model", values, [result], [each for each in self.initializers if each.name in used])
        with open(path, "wb") as file:
            file.write(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())


def attention(f, inputs, output, scale):
    q, k, v = inputs
    scores = f.node("MatMul", [f.node("Mul", [q, f.constant(np.float32(scale))]), f.node("Transpose", [k], perm=[0, 1, 3, 2])])
    f.node("MatMul", [f.node("Softmax", [scores], axis=-1), v], output)


def gelu(f, inputs, output):
    e = f.node("Erf", [f.node("Div", [*inputs, f.constant(np.float32(np.sqrt(2)))])])
    e = f.node("Mul", [*inputs, f.node("Add", [e, f.constant(np.float32(1))])])
    f.node("Mul", [e, f.constant(np.float32(0.5))], output)


def linear(f, inputs, output):
    x, weight, bias = inputs
    f.node("Add", [f.node("MatMul", [x, f.constant(f.weights[weight].T)]), bias], output)


def unit_rows(f, inputs, output):
    length = f.node("ReduceL2", inputs, axes=[-1], keepdims=1)
    f.node("Div", [*inputs, f.node("Max", [length, f.constant(np.float32(1e-12))])], output)


# Each writes the nodes that compute `output` from `inputs`, by its kind's sizes.
KINDS = {
    "Add": lambda f, i, o: f.node("Add", i, o),
    "Attention": attention,
    "BatchNorm": lambda f, i, o, eps: f.node("BatchNormalization", i, o, epsilon=eps),
    "Concat": lambda f, i, o, axis: f.node("Concat", i, o, axis=axis),
    "Conv": lambda f, i, o, window, stride, pad, groups: f.node(
        "Conv", i, o, kernel_shape=[window] * 2, strides=[stride] * 2, pads=[pad] * 4, group=groups),
    "ConvTranspose": lambda f, i, o, window: f.node("ConvTranspose", i, o, kernel_shape=[window] * 2, strides=[window] * 2),
    "Embed": lambda f, i, o: f.node("Gather", i, o, axis=0),
    "Front": lambda f, i, o, count: f.node("Slice", [*i, f.constant(np.int64([0])), f.constant(np.int64([count]))], o),
    "Gelu": gelu,
    "LayerNorm": lambda f, i, o, eps: f.node("LayerNormalization", i, o, axis=-1, epsilon=eps),
    "Linear": linear,
    "MaxPool": lambda f, i, o, window, stride, pad: f.node(
        "MaxPool", i, o, kernel_shape=[window] * 2, strides=[stride] * 2, pads=[pad] * 4),
    "Mean": lambda f, i, o, axis: f.node("ReduceMean", i, o, axes=[axis], keepdims=0),
    "MeanOfPicture": lambda f, i, o: f.node("Flatten", [f.node("GlobalAveragePool", i)], o),
    "Pick": lambda f, i, o, axis, at: f.node("Gather", [*i, f.constant(np.int64(at))], o, axis=axis),
    "Relu": lambda f, i, o: f.node("Relu", i, o),
    "Relu6": lambda f, i, o: f.node("Clip", [*i, f.constant(np.float32(0)), f.constant(np.float32(6))], o),
    "Reshape": lambda f, i, o, shape: f.node("Reshape", [*i, f.constant(np.int64(shape))], o),
    "Transpose": lambda f, i, o, order: f.node("Transpose", i, o, perm=order),
    "UnitRows": unit_rows,
}


def write(graph, weights, path):
    file = OnnxFile()
    file.weights = weights
    for name, value in weights.items():
        file.constant(value, name)
    for node in graph.nodes:
        KINDS[node.kind](file, node.inputs, node.output, **node.sizes)
    file.save(path, graph.inputs, graph.output)
