"""Graphs as PyTorch modules."""

import torch
import torch.nn.functional as F

KINDS = {
    "Add": lambda a, b: a + b,
    "Attention": lambda q, k, v, scale: F.scaled_dot_product_attention(q, k, v, scale=scale),
    "BatchNorm": lambda x, weight, bias, mean, var, eps: F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps),
    "Concat": lambda a, b, axis: torch.cat([a, b], axis),
    "Conv": lambda x, weight, bias=None, *, window, stride, pad, groups: F.conv2d(x, weight, bias, stride, pad, 1, groups),
    "ConvTranspose": lambda x, weight, bias, window: F.conv_transpose2d(x, weight, bias, window),
    "Embed": lambda weight, x: F.embedding(x, weight),
    "Front": lambda x, count: x[:count],
    "Gelu": F.gelu,
    "LayerNorm": lambda x, weight, bias, eps: F.layer_norm(x, weight.shape, weight, bias, eps),
    "Linear": F.linear,
    "MaxPool": lambda x, window, stride, pad: F.max_pool2d(x, window, stride, pad),
    "Mean": lambda x, axis: x.mean(axis),
    "MeanOfPicture": lambda x: x.mean((2, 3)),
    "Pick": lambda x, axis, at: x.select(axis, at),
    "Relu": F.relu,
    "Relu6": F.relu6,
    "Reshape": lambda x, shape: x.reshape(shape),
    "Transpose": lambda x, order: x.permute(order),
    "UnitRows": lambda x: F.normalize(x, dim=-1),
}


class GraphModule(torch.nn.Module):
    def __init__(self, graph, weights):
        super().__init__()
        self.graph = graph
        self.names = {name: name.replace(".", "_") for name in weights}
        for name, value in weights.items():
            self.register_parameter(self.names[name], torch.nn.Parameter(torch.from_numpy(value.copy()), requires_grad=False))
        # Convolutions of PyTorch are faster with the channels of a pixel side by side.
        self.to(memory_format=torch.channels_last)
        self.eval()

    def forward(self, *inputs):
        values = {name: getattr(self, attribute) for name, attribute in self.names.items()}
        values.update(zip((name for name, *_ in self.graph.inputs), inputs))
        for node in self.graph.nodes:
            values[node.output] = KINDS[node.kind](*(values[name] for name in node.inputs), **node.sizes)
        return values[self.graph.output]
