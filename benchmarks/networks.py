"""The networks that are compared: their sizes, the Weft program and the ONNX file of each, and one weight file for both."""

import json
import os
import pathlib
import struct

import numpy as np

import onnx_models

ROOT = pathlib.Path(__file__).resolve().parent.parent

STANDARD = {
    "mobilenet_v2": {"image": 224, "widths": [32, 16, 24, 32, 64, 96, 160, 320, 1280]},
    "resnet50": {"image": 224, "width": 64},
    "vit_b16": {"image": 224, "patch": 16, "dim": 768, "depth": 12, "heads": 12},
    "bert_base": {"tokens": 128, "dim": 768, "depth": 12, "heads": 12, "hidden": 3072},
}

PICTURE = "  run(image: f32[1, 3, {image}, {image}]) -> logit: f32[1, 1000] {{ logit = net(image) }}\n"

PROGRAMS = {
    "mobilenet_v2": ("examples/mobilenet_v2/mobilenet_v2.weft: MobileNetV2", "MobileNetV2(widths = {widths})", PICTURE),
    "resnet50": ("stdlib/resnet.weft: ResNet", "ResNet(depths = [3, 4, 6, 3], width = {width})", PICTURE),
    "vit_b16": ("stdlib/vit.weft: Vit",
                "Vit(image = {image}, patch = {patch}, dim = {dim}, depth = {depth}, heads = {heads}, classes = 1000)", PICTURE),
    "bert_base": ("examples/bert_base/bert.weft: Bert", "Bert(dim = {dim}, depth = {depth}, heads = {heads}, hidden = {hidden})",
                  "  run(ids: int[1, {tokens}] in 0..30522, mask: int[1, {tokens}] in 0..2) -> y: f32[1, {tokens}, {dim}] {{\n"
                  "    seen[b, t] = mask[b, t] == 1\n    y = net(ids, seen)\n  }}\n"),
}


def varied(name, seed):
    """The same network with other widths and another input size, most of them no multiples of anything."""
    random = np.random.Generator(np.random.Philox([seed, sorted(STANDARD).index(name)]))
    sizes = dict(STANDARD[name])

    def between(low, high):
        return int(random.integers(low, high + 1))

    if name in ("mobilenet_v2", "resnet50"):
        sizes["image"] = between(181, 267)
    if name == "mobilenet_v2":
        sizes["widths"] = [max(8, round(width * random.uniform(0.75, 1.3))) for width in sizes["widths"]]
    if name == "resnet50":
        sizes["width"] = between(46, 83)
    if name in ("vit_b16", "bert_base"):
        sizes["heads"], sizes["depth"] = between(9, 14), between(8, 12)
        sizes["dim"] = sizes["heads"] * 2 * between(26, 38)
    if name == "vit_b16":
        sizes["patch"] = between(13, 19)
        sizes["image"] = sizes["patch"] * between(12, 16)
    if name == "bert_base":
        sizes["tokens"], sizes["hidden"] = between(87, 171), round(sizes["dim"] * random.uniform(3, 4.5))
    return sizes


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(value.tobytes())


def inputs(name, sizes):
    random = np.random.Generator(np.random.Philox(3))
    if "tokens" in sizes:
        shape = (1, sizes["tokens"])
        return [random.integers(0, 30000, shape), np.ones(shape, np.int64)]
    return [random.standard_normal((1, 3, sizes["image"], sizes["image"])).astype(np.float32)]


def write(name, sizes, folder):
    """Writes NAME.onnx, NAME.weft, NAME.safetensors and NAME.npz, the inputs, to a folder. Returns the floating-point
    operations of one run, those of convolutions and matrix products."""
    graph = onnx_models.Graph()
    onnx_models.BUILDERS[name](graph, folder / f"{name}.onnx", **sizes)
    write_safetensors(folder / f"{name}.safetensors", graph.weights)
    module, model, method = PROGRAMS[name]
    file, imported = module.split(": ")
    place = os.path.relpath(ROOT / file, folder)
    (folder / f"{name}.weft").write_text(f'weft 0.1\n\nimport "{place}": {imported}\n\nentry compared {{\n'
                                         f"  net: {model.format(**sizes)}\n{method.format(**sizes)}}}\n")
    np.savez(folder / f"{name}.npz", *inputs(name, sizes))
    return graph.flops
