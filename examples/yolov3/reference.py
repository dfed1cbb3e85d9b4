"""YOLOv3 with Darknet-53, from a photograph in its grey square to the boxes that non-maximum suppression leaves."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent / "rcnn"))

import detectors
import seeds
from system import Absolute, Case, Exact

SYSTEM = "YOLOv3"
PAPER = "Redmon and Farhadi, 2018, arXiv:1804.02767"
REFERENCE = "PyTorch, written from the paper"
LIVE = False
CASES = {
    "small": Case(entry="detect_small", width=8, side=128, photo=(96, 72)),
    "full": Case(entry="detect", width=32, side=416, photo=(480, 640)),
}
COMPARE = {"box": Absolute(1e-2), "score": Absolute(1e-4), "label": Exact()}
# Residual branches stay small, few objects are probable, and boxes stay near their anchors.
GAINS = {r"blocks.*wide.norm.weight": 0.3, r"out.weight": 0.08}
NEAR = 0.25  # of what boxes are moved and stretched by
EMPTY = 2.5  # taken from what says that there is an object, or one of a class
CLASSES, THRESHOLD, OVERLAP = 80, 0.5, 0.45
ANCHORS = [[(116, 90), (156, 198), (373, 326)], [(30, 61), (62, 45), (59, 119)], [(10, 13), (16, 30), (33, 23)]]


def layer_shapes(name, inputs, outputs, size):
    norm = {f"{name}.norm.{part}": (outputs,) for part in ("weight", "bias", "running_mean", "running_var")}
    return {f"{name}.conv.weight": (outputs, inputs, size, size), **norm}

def shapes(case):
    w = case.width
    found = layer_shapes("backbone.stem", 3, w, 3)
    for s, depth in enumerate((1, 2, 8, 8, 4)):
        c = w * 2**s
        found |= layer_shapes(f"backbone.stages.{s}.down", c, 2 * c, 3)
        for b in range(depth):
            found |= layer_shapes(f"backbone.stages.{s}.blocks.{b}.narrow", 2 * c, c, 1)
            found |= layer_shapes(f"backbone.stages.{s}.blocks.{b}.wide", c, 2 * c, 3)
    for s, (inputs, c) in enumerate(((32 * w, 16 * w), (24 * w, 8 * w), (12 * w, 4 * w))):
        for k in range(5):
            wide = k % 2 == 1
            found |= layer_shapes(f"scales.{s}.layers.{k}", inputs if k == 0 else c if wide else 2 * c, 2 * c if wide else c,
                                  3 if wide else 1)
        found |= layer_shapes(f"scales.{s}.before", c, 2 * c, 3)
        found |= {f"scales.{s}.out.weight": (3 * (5 + CLASSES), 2 * c, 1, 1), f"scales.{s}.out.bias": (3 * (5 + CLASSES),)}
        if s < 2:
            found |= layer_shapes(f"ups.{s}", c, c // 2, 1)
    return {name: list(shape) for name, shape in found.items()}

def weights(case):
    tensors = detectors.scaled(seeds.weights(shapes(case)), GAINS)
    for s in range(3):
        tensors[f"scales.{s}.out.bias"].reshape(3, 5 + CLASSES)[:, 4:] -= EMPTY
        tensors[f"scales.{s}.out.weight"].reshape(3, 5 + CLASSES, -1)[:, :4] *= NEAR
    return tensors

def inputs(case):
    return {"photo": detectors.photo("street", *case.photo)}

def maps_of(image, w):
    """What the three scales predict; w holds tensors by name."""
    import torch
    import torch.nn.functional as F

    def layer(x, name, stride=1):
        weight = w[f"{name}.conv.weight"]
        x = F.conv2d(x, weight, stride=stride, padding=weight.shape[2] // 2)
        x = F.batch_norm(x, *(w[f"{name}.norm.{part}"] for part in ("running_mean", "running_var", "weight", "bias")), eps=1e-5)
        return F.leaky_relu(x, 0.1)

    x, maps = layer(image, "backbone.stem"), []
    for s, depth in enumerate((1, 2, 8, 8, 4)):
        x = layer(x, f"backbone.stages.{s}.down", stride=2)
        for b in range(depth):
            block = f"backbone.stages.{s}.blocks.{b}"
            x = x + layer(layer(x, block + ".narrow"), block + ".wide")
        maps.append(x)
    predicted = []
    for s, x in enumerate(reversed(maps[2:])):
        if s > 0:
            x = torch.cat([F.interpolate(layer(hidden, f"ups.{s - 1}"), scale_factor=2), x], dim=1)
        hidden = x
        for k in range(5):
            hidden = layer(hidden, f"scales.{s}.layers.{k}")
        x = layer(hidden, f"scales.{s}.before")
        predicted.append(F.conv2d(x, w[f"scales.{s}.out.weight"], w[f"scales.{s}.out.bias"]))
    return predicted

def decoded(y, anchors, side):
    """Corners and probabilities of the boxes of one scale, by cell and anchor."""
    import torch
    cells = y.shape[2]
    t = y[0].reshape(3, 5 + CLASSES, cells, cells).permute(2, 3, 0, 1)
    row, column = torch.meshgrid(torch.arange(cells), torch.arange(cells), indexing="ij")
    corner = torch.stack([column, row], dim=-1)[:, :, None]
    center = (corner + torch.sigmoid(t[..., :2])) * (side // cells)
    size = torch.tensor(anchors) * torch.exp(t[..., 2:4])
    box = torch.cat([center - size / 2, center + size / 2], dim=-1)
    return box.reshape(-1, 4), (torch.sigmoid(t[..., 4:5]) * torch.sigmoid(t[..., 5:])).reshape(-1, CLASSES)

def expected(case):
    import torch
    import torch.nn.functional as F
    import torchvision
    photo = torch.from_numpy(inputs(case)["photo"])
    height, width = photo.shape[1:]
    rows, columns = case.side * height // max(height, width), case.side * width // max(height, width)
    top, left = (case.side - rows) // 2, (case.side - columns) // 2
    image = torch.full((1, 3, case.side, case.side), 0.5)
    small = F.interpolate(photo[None], size=(rows, columns), mode="bilinear", align_corners=False)
    image[:, :, top:top + rows, left:left + columns] = small
    tensors = {name: torch.from_numpy(value) for name, value in weights(case).items()}
    with torch.no_grad():
        parts = [decoded(y, anchors, case.side) for y, anchors in zip(maps_of(image, tensors), ANCHORS)]
    box, prob = (torch.cat(part) for part in zip(*parts))
    at, label = torch.nonzero(prob > THRESHOLD, as_tuple=True)
    box, score = box[at], prob[at, label]
    order = torch.argsort(score, descending=True, stable=True)
    keep = []
    for n in order.tolist():
        rivals = [k for k in keep if label[k] == label[n]]
        if not rivals or torchvision.ops.box_iou(box[n][None], box[rivals]).max() <= OVERLAP:
            keep.append(n)
    shift = torch.tensor([left, top, left, top])
    stretch = torch.tensor([width / columns, height / rows] * 2)
    return {"box": ((box[keep] - shift) * stretch).numpy(), "score": score[keep].numpy(), "label": label[keep].numpy()}
