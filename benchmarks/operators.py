"""Operators that read at computed places, keep lists or step through time, beside the libraries that have them.

    .venv/bin/python benchmarks/operators.py [--only nms,...] [--threads 1,2] [--quick] [--write]

Peers are torchvision's and PyTorch's operators, run eagerly, and ONNX Runtime. Results are checked equal, then both sides
take turns as in compare.py. `--write` puts the numbers in benchmarks/results and docs/performance.md. Packages that are
missing, PyTorch among them, are installed in a virtual environment, build/benchmarks.
"""

import pathlib
import subprocess
import tempfile
from dataclasses import dataclass, field

import numpy as np

import contenders
import report


@dataclass
class Operator:
    weft: str  # the file: an entry whose method `run` has the inputs in this order
    inputs: dict  # name -> array
    torch: object = None  # the inputs as torch tensors -> a function that computes the result
    onnx: object = None  # writes the same to a file as an ONNX model
    weights: dict = field(default_factory=dict)

    def peer(self):
        return "torch" if self.torch else "onnx"


def random(*key):
    return np.random.Generator(np.random.Philox(list(key)))


def normal(seed, *shape):
    return random(seed).standard_normal(shape).astype(np.float32)


def boxes(seed, count, size):
    """Boxes [x0, y0, x1, y1] in clusters, as detectors propose them: most overlap some others."""
    source = random(seed, count)
    center = source.uniform(0.1 * size, 0.9 * size, (count // 20 + 1, 2))
    at = center[source.integers(0, len(center), count)] + source.normal(0, 0.02 * size, (count, 2))
    side = source.uniform(0.03, 0.15, (count, 2)) * size
    return np.concatenate([at - side / 2, at + side / 2], 1).clip(0, size).astype(np.float32)


def roi_align():
    def torch(x, box):
        from torchvision.ops import roi_align
        return lambda: roi_align(x[None], [box], 7, 1 / 16, 2)
    return Operator("""
import std.roi: roi_align

entry e {
  run(x: f32[256, 50, 68], box: f32[1000, 4]) -> y: f32[1000, 256, 7, 7] {
    y[r] = roi_align(x, box[r], height = 7, spatial_scale = 1/16, sampling_ratio = 2)
  }
}
""", {"x": normal(1, 256, 50, 68), "box": boxes(2, 1000, 800)}, torch)


def deform_conv2d():
    w = normal(3, 128, 128, 3, 3) / 34

    def torch(x, offset):
        import torch
        from torchvision.ops import deform_conv2d
        weights = torch.from_numpy(w)
        return lambda: deform_conv2d(x, offset, weights, padding=1)
    return Operator("""
import std.deform: deform_conv2d

model Deform() {
  param w: f32[128, 128, 3, 3]
  forward(x: f32[1, 128, 56, 56], offset: f32[1, 18, 56, 56]) -> y { y = deform_conv2d(x, offset, w, pad = 1) }
}

entry e {
  net as "": Deform()
  run(x: f32[1, 128, 56, 56], offset: f32[1, 18, 56, 56]) -> y: f32[1, 128, 56, 56] { y = net(x, offset) }
}
""", {"x": normal(1, 1, 128, 56, 56), "offset": normal(2, 1, 18, 56, 56)}, torch, weights={"w": w})


def nms(count):
    def torch(box, score):
        from torchvision.ops import nms
        return lambda: nms(box, score, 0.5)
    return Operator(f"""
import std.detection: nms

entry e {{
  run(box: f32[{count}, 4], score: f32[{count}]) -> kept: int[K <= {count}] {{ kept = nms(box, score, limit = 0.5) }}
}}
""", {"box": boxes(3, count, 1000), "score": random(4, count).permutation(count).astype(np.float32) / count}, torch)


def batched_nms(count):
    def torch(box, score, kind):
        from torchvision.ops import batched_nms
        return lambda: batched_nms(box, score, kind, 0.5)
    return Operator(f"""
import std.detection: batched_nms

entry e {{
  run(box: f32[{count}, 4], score: f32[{count}], kind: int[{count}] in 0..80) -> kept: int[K <= {count}] {{
    kept = batched_nms(box, score, kind, limit = 0.5)
  }}
}}
""", {"box": boxes(5, count, 1000), "score": random(6, count).permutation(count).astype(np.float32) / count,
      "kind": random(7, count).integers(0, 80, count)}, torch)


def grid_sample():
    def torch(x, grid):
        from torch.nn.functional import grid_sample
        return lambda: grid_sample(x, grid, align_corners=False)
    return Operator("""
import std.sample: grid_sample

entry e {
  run(x: f32[1, 64, 96, 96], grid: f32[1, 96, 96, 2]) -> y: f32[1, 64, 96, 96] { y = grid_sample(x, grid) }
}
""", {"x": normal(1, 1, 64, 96, 96), "grid": random(2).uniform(-1.05, 1.05, (1, 96, 96, 2)).astype(np.float32)}, torch)


STEPS, WIDTH = 128, 512


def lstm():
    scale = WIDTH ** -0.5
    weights = {"weight_ih_l0": normal(1, 4 * WIDTH, WIDTH) * scale, "weight_hh_l0": normal(2, 4 * WIDTH, WIDTH) * scale,
               "bias_ih_l0": normal(3, 4 * WIDTH) * 0.1, "bias_hh_l0": normal(4, 4 * WIDTH) * 0.1}
    x = normal(5, STEPS, 1, WIDTH)

    def onnx(path):
        import onnx_models
        graph = onnx_models.Graph()

        def gates(name):  # from the order input, forget, cell, output to input, output, forget, cell
            i, f, c, o = np.split(weights[name], 4)
            return np.concatenate([i, o, f, c])[None]

        bias = np.concatenate([gates("bias_ih_l0"), gates("bias_hh_l0")], 1)
        y = graph.node("LSTM", ["x", *map(graph.constant, (gates("weight_ih_l0"), gates("weight_hh_l0"), bias))],
                       hidden_size=WIDTH)
        y = graph.node("Reshape", [y, graph.shape(STEPS, 1, WIDTH)])
        graph.save(path, [STEPS, 1, WIDTH], y, [STEPS, 1, WIDTH])

    return Operator(f"""
import std.rnn: Lstm

entry e {{
  net as "": Lstm({WIDTH}, {WIDTH})
  run(x: f32[{STEPS}, 1, {WIDTH}]) -> y: f32[{STEPS}, 1, {WIDTH}] {{
    still: f32[1, {WIDTH}] = 0
    y, last = net(x, still, still)
  }}
}}
""", {"x": x}, onnx=onnx, weights=weights)


OPERATORS = {
    "RoIAlign, 1000 boxes": roi_align,
    "deformable convolution": deform_conv2d,
    "NMS, 1,000 boxes": lambda: nms(1000),
    "NMS, 10,000 boxes": lambda: nms(10000),
    "batched NMS, 10,000 boxes": lambda: batched_nms(10000),
    "grid sample": grid_sample,
    f"LSTM, {STEPS} steps of {WIDTH}": lstm,
}


def compare(number, options):
    import networks
    label, operator = list(OPERATORS.items())[number]
    operator = operator()
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        name = f"operator_{number}"
        source = folder / f"{name}.weft"
        source.write_text("weft 0.1\n" + operator.weft)
        networks.write_safetensors(folder / f"{name}.safetensors", operator.weights)
        np.savez(folder / f"{name}.npz", **operator.inputs)
        if operator.onnx:
            operator.onnx(folder / f"{name}.onnx")
        subprocess.run([options.weft, "compile", source, "--emit", "so", "-o", source.with_suffix(".so")], check=True)
        return contenders.rows(text, name, label, operator.peer(), options)


def main():
    options = contenders.options(__doc__, "torch", "torchvision")
    print("\n".join(report.OPERATORS), flush=True)
    results = []
    for number, label in enumerate(OPERATORS):
        if contenders.wanted(label, options):
            results += compare(number, options)
    if options.write:
        report.write("operators", results, peers=contenders.versions())


if __name__ == "__main__":
    main()
