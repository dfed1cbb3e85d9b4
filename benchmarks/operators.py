"""Operators that read at computed places, keep lists or step through time, beside the libraries that have them."""

from dataclasses import dataclass, field

import numpy as np

from subject import Subject, normal


@dataclass
class Parts:
    weft: str  # the program but for its first line: an entry whose method has the inputs in this order
    inputs: list
    torch: object = None  # gives the same over torch's tensors
    onnx: object = None  # writes the same to a file as an ONNX model
    weights: dict = field(default_factory=dict)


def random(*key):
    return np.random.Generator(np.random.Philox(list(key)))


def boxes(seed, count, size):
    """Boxes [x0, y0, x1, y1] in clusters, as detectors propose them: most overlap some others."""
    source = random(seed, count)
    center = source.uniform(0.1 * size, 0.9 * size, (count // 20 + 1, 2))
    at = center[source.integers(0, len(center), count)] + source.normal(0, 0.02 * size, (count, 2))
    side = source.uniform(0.03, 0.15, (count, 2)) * size
    return np.concatenate([at - side / 2, at + side / 2], 1).clip(0, size).astype(np.float32)


def roi_align():
    def torch():
        from torchvision.ops import roi_align
        return lambda x, box: roi_align(x[None], [box], 7, 1 / 16, 2)
    return Parts("""
import std.roi: roi_align

entry e {
  run(x: f32[256, 50, 68], box: f32[1000, 4]) -> y: f32[1000, 256, 7, 7] {
    y[r] = roi_align(x, box[r], height = 7, spatial_scale = 1/16, sampling_ratio = 2)
  }
}
""", [normal(1, 256, 50, 68), boxes(2, 1000, 800)], torch)


def deform_conv2d():
    w = normal(3, 128, 128, 3, 3) / np.float32(34)

    def torch():
        import torch
        from torchvision.ops import deform_conv2d
        weights = torch.from_numpy(w)
        return lambda x, offset: deform_conv2d(x, offset, weights, padding=1)
    return Parts("""
import std.deform: deform_conv2d

model Deform() {
  param w: f32[128, 128, 3, 3]
  forward(x: f32[1, 128, 56, 56], offset: f32[1, 18, 56, 56]) -> y { y = deform_conv2d(x, offset, w, pad = 1) }
}

entry e {
  net as "": Deform()
  run(x: f32[1, 128, 56, 56], offset: f32[1, 18, 56, 56]) -> y: f32[1, 128, 56, 56] { y = net(x, offset) }
}
""", [normal(1, 1, 128, 56, 56), normal(2, 1, 18, 56, 56)], torch, weights={"w": w})


def nms(count):
    def torch():
        from torchvision.ops import nms
        return lambda box, score: nms(box, score, 0.5)
    return Parts(f"""
import std.detection: nms

entry e {{
  run(box: f32[{count}, 4], score: f32[{count}]) -> kept: int[K <= {count}] {{ kept = nms(box, score, limit = 0.5) }}
}}
""", [boxes(3, count, 1000), random(4, count).permutation(count).astype(np.float32) / count], torch)


def batched_nms(count):
    def torch():
        from torchvision.ops import batched_nms
        return lambda box, score, kind: batched_nms(box, score, kind, 0.5)
    return Parts(f"""
import std.detection: batched_nms

entry e {{
  run(box: f32[{count}, 4], score: f32[{count}], kind: int[{count}] in 0..80) -> kept: int[K <= {count}] {{
    kept = batched_nms(box, score, kind, limit = 0.5)
  }}
}}
""", [boxes(5, count, 1000), random(6, count).permutation(count).astype(np.float32) / count,
      random(7, count).integers(0, 80, count)], torch)


def grid_sample():
    def torch():
        from torch.nn.functional import grid_sample
        return lambda x, grid: grid_sample(x, grid, align_corners=False)
    return Parts("""
import std.sample: grid_sample

entry e {
  run(x: f32[1, 64, 96, 96], grid: f32[1, 96, 96, 2]) -> y: f32[1, 64, 96, 96] { y = grid_sample(x, grid) }
}
""", [normal(1, 1, 64, 96, 96), random(2).uniform(-1.05, 1.05, (1, 96, 96, 2)).astype(np.float32)], torch)


STEPS, WIDTH = 128, 512


def lstm():
    scale = np.float32(WIDTH ** -0.5)
    weights = {"weight_ih_l0": normal(1, 4 * WIDTH, WIDTH) * scale, "weight_hh_l0": normal(2, 4 * WIDTH, WIDTH) * scale,
               "bias_ih_l0": normal(3, 4 * WIDTH) * 0.1, "bias_hh_l0": normal(4, 4 * WIDTH) * 0.1}
    x = normal(5, STEPS, 1, WIDTH)

    def onnx(path):
        from onnx_file import OnnxFile
        file = OnnxFile()

        def gates(name):  # from the order input, forget, cell, output to input, output, forget, cell
            i, f, c, o = np.split(weights[name], 4)
            return np.concatenate([i, o, f, c])[None]

        bias = np.concatenate([gates("bias_ih_l0"), gates("bias_hh_l0")], 1)
        y = file.node("LSTM", ["x", *map(file.constant, (gates("weight_ih_l0"), gates("weight_hh_l0"), bias))],
                      hidden_size=WIDTH)
        y = file.node("Reshape", [y, file.constant(np.int64([STEPS, 1, WIDTH]))])
        file.save(path, [("x", (STEPS, 1, WIDTH), np.float32)], y)

    return Parts(f"""
import std.rnn: Lstm

entry e {{
  net as "": Lstm({WIDTH}, {WIDTH})
  run(x: f32[{STEPS}, 1, {WIDTH}]) -> y: f32[{STEPS}, 1, {WIDTH}] {{
    still: f32[1, {WIDTH}] = 0
    y, last = net(x, still, still)
  }}
}}
""", [x], onnx=onnx, weights=weights)


OPERATORS = {
    "RoIAlign, 1000 boxes": roi_align,
    "deformable convolution": deform_conv2d,
    "NMS, 1,000 boxes": lambda: nms(1000),
    "NMS, 10,000 boxes": lambda: nms(10000),
    "batched NMS, 10,000 boxes": lambda: batched_nms(10000),
    "grid sample": grid_sample,
    f"LSTM, {STEPS} steps of {WIDTH}": lstm,
}


@dataclass
class Operator(Subject):
    def parts(self):
        return OPERATORS[self.name]()

    def source(self, _):
        return "weft 0.1\n" + self.parts().weft

    def weights(self):
        return self.parts().weights

    def inputs(self):
        return self.parts().inputs

    def onnx(self, path):
        self.parts().onnx(path)

    def torch(self):
        return self.parts().torch()


def subjects():
    return [Operator("operator", name, ("onnx",) if name.startswith("LSTM") else ("torch",)) for name in OPERATORS]
