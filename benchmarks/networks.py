"""The networks that are compared, at their usual sizes and at sizes from a seed."""

import os
import pathlib
from dataclasses import dataclass, field, replace

import numpy as np

import network_graphs
from graph import Graph
from subject import Subject, normal, program

ROOT = pathlib.Path(__file__).resolve().parent.parent

STANDARD = {
    "bert_base": {"batch": 1, "tokens": 128, "dim": 768, "depth": 12, "heads": 12, "hidden": 3072},
    "mobilenet_v2": {"image": 224, "widths": [32, 16, 24, 32, 64, 96, 160, 320, 1280]},
    "resnet50": {"image": 224, "width": 64},
    "vit_b16": {"image": 224, "patch": 16, "dim": 768, "depth": 12, "heads": 12},
    "minilm": {"batch": 8, "tokens": 32, "dim": 384, "depth": 6, "heads": 12, "hidden": 1536},
    "unet": {"image": 256, "classes": 2},
}
# Those that are compiled once more with a tolerance, which allows convolutions by fewer products.
TOLERANCE, TOLERANT = "1e-4", ["resnet50", "unet"]
QUICK = ["mobilenet_v2", "resnet50", "minilm"]

PICTURE = "run(image: f32[1, 3, {image}, {image}]) -> logit: f32[1, 1000] {{ logit = net(image) }}"
TOKENS = "run(ids: int[{batch}, {tokens}] in 0..30522, mask: int[{batch}, {tokens}] in 0..2) -> y: "
BERT = "  net: Bert(dim = {dim}, depth = {depth}, heads = {heads}, hidden = {hidden})\n"

PROGRAMS = {  # net, method, imports
    "mobilenet_v2": ("  net: MobileNetV2(widths = {widths})\n", PICTURE, "examples/mobilenet_v2/mobilenet_v2.weft: MobileNetV2"),
    "resnet50": ("  net: ResNet(depths = [3, 4, 6, 3], width = {width})\n", PICTURE, "stdlib/resnet.weft: ResNet"),
    "vit_b16": ("  net: Vit(image = {image}, patch = {patch}, dim = {dim}, depth = {depth}, heads = {heads}, classes = 1000)\n",
                PICTURE, "stdlib/vit.weft: Vit"),
    "bert_base": (BERT, TOKENS + "f32[{batch}, {tokens}, {dim}] {{\n    seen[b, t] = mask[b, t] == 1\n    y = net(ids, seen)\n  }}",
                  "examples/bert_base/bert.weft: Bert"),
    "minilm": (BERT, TOKENS + "f32[{batch}, {dim}] {{\n    seen[b, t] = mask[b, t] == 1\n    hidden = net(ids, seen)\n"
               "    pooled[b] = masked_mean(hidden[b], seen[b])\n    y[b] = l2_normalize(pooled[b])\n  }}",
               "examples/bert_base/bert.weft: Bert", "examples/minilm/minilm.weft: masked_mean", "stdlib/norm.weft: l2_normalize"),
    "unet": ("  net: UNet(channels = 3, classes = {classes})\n",
             "run(image: f32[1, 3, {image}, {image}]) -> y: f32[1, {classes}, {image}, {image}] {{ y = net(image) }}",
             "examples/unet/unet.weft: UNet"),
}


def varied(name, seed):
    """The same network with other widths and another input size, most of them no multiples of anything."""
    random = np.random.Generator(np.random.Philox([seed, list(STANDARD).index(name)]))
    sizes = dict(STANDARD[name])

    def between(low, high):
        return int(random.integers(low, high + 1))

    if name in ("mobilenet_v2", "resnet50"):
        sizes["image"] = between(181, 267)
    if name == "mobilenet_v2":
        sizes["widths"] = [max(8, round(width * random.uniform(0.75, 1.3))) for width in sizes["widths"]]
    if name == "resnet50":
        sizes["width"] = between(46, 83)
    if "heads" in sizes:
        sizes["heads"], sizes["depth"] = between(9, 14), between(8, 12)
        sizes["dim"] = sizes["heads"] * 2 * between(26, 38)
    if name == "vit_b16":
        sizes["patch"] = between(13, 19)
        sizes["image"] = sizes["patch"] * between(12, 16)
    if name == "bert_base":
        sizes["tokens"] = between(87, 171)
    if name == "minilm":
        sizes["batch"], sizes["tokens"] = between(3, 11), between(17, 61)
    if "hidden" in sizes:
        sizes["hidden"] = round(sizes["dim"] * random.uniform(3, 4.5))
    if name == "unet":
        sizes["image"], sizes["classes"] = 16 * between(11, 19), between(1, 9)
    return sizes


@dataclass
class Network(Subject):
    network: str = ""
    sizes: dict = field(default_factory=dict)

    def graph(self):
        graph = Graph()
        graph.output = getattr(network_graphs, self.network)(graph, **self.sizes)
        return graph

    def source(self, folder):
        net, method, *imports = PROGRAMS[self.network]
        places = [f'"{os.path.relpath(ROOT / file, folder)}": {name}' for file, name in (line.split(": ") for line in imports)]
        return program(net.format(**self.sizes), method.format(**self.sizes), *places)

    def weights(self):
        return self.graph().values()

    def inputs(self):
        (_, shape, kind), = self.graph().inputs
        if kind == np.float32:
            return [normal(3, *shape)]
        return [np.random.Generator(np.random.Philox(3)).integers(0, 30000, shape), np.ones(shape, np.int64)]

    def onnx(self, path):
        import onnx_file
        graph = self.graph()
        onnx_file.write(graph, graph.values(), path)

    def torch(self):
        import torch_module
        graph = self.graph()
        module = torch_module.GraphModule(graph, graph.values())
        return lambda *inputs: module(*inputs[:len(graph.inputs)])


def subjects(seed=None):
    """The networks; with a seed also varied ones; some with a tolerance."""
    found = []
    for name, sizes in STANDARD.items():
        kinds = [(name, sizes)] + ([(f"{name}, varied {seed}", varied(name, seed))] if seed is not None else [])
        for label, chosen in kinds:
            network = Network("network", label, ("onnx", "openvino", "inductor"), network=name, sizes=chosen,
                              quick=name in QUICK)
            network.flops = network.graph().flops
            found.append(network)
    for network in [network for network in found if network.name in TOLERANT]:
        found.append(replace(network, group="tolerance", name=f"{network.name}, tolerance {TOLERANCE}", tolerance=TOLERANCE, quick=False))
    return found
