"""CornerNet with Hourglass-104, from a photograph to the boxes that soft non-maximum suppression leaves."""

import pathlib
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).parent.parent / "rcnn"))

import detectors
import seeds
from system import Absolute, Case, Exact

SYSTEM = "CornerNet"
PAPER = "Law and Deng, 2018, arXiv:1808.01244"
REFERENCE = "PyTorch, written from the paper and its authors' code"
LIVE = False
# `present` are classes of which something is found, by what their heat needs for it; marks of both kinds lie about one number.
CASES = {
    "small": Case(entry="detect_small", classes=5, dims=[16, 16, 24, 24, 24, 32], dim=16, inner=8, most=30, pairs=60,
                  photo=(100, 120), present={"tl": {1: 1.6, 3: 1.5}, "br": {1: 1.7, 3: 1.6}}, marks=0.8, mark=0.0),
    "full": Case(entry="detect", classes=80, dims=[256, 256, 384, 384, 384, 512], dim=256, inner=128, most=100, pairs=1000,
                 photo=(480, 500), present={"tl": {2: 1.0, 4: 0.2, 10: -2.3, 19: 0.5}, "br": {2: -1.9, 4: -0.1, 10: 0.2, 19: -0.4}},
                 marks=0.08, mark=2.5),
}
COMPARE = {"box": Absolute(1e-2, margin="margin", tie=2e-5), "score": Absolute(1e-4),
           "label": Exact(margin="margin", tie=2e-5)}
BREAK = "br_cnvs.1.p2_conv1.bn.bias"
# Branches stay small, corners stay in their cells, and some of them have marks alike.
GAINS = {r"bn2.weight": 0.3, r"cnvs.\d.bn.weight": 0.1, r"cnvs.1.*bn1?.weight": 0.5, r"_heats.1.1.weight": 0.2,
         r"_heats.1.1.bias": (1, -8), r"_regrs.1.1.weight": 0.05}

def conv_shapes(name, inputs, outputs, size, norm=True):
    found = {f"{name}.conv.weight": (outputs, inputs, size, size)}
    return found | (norm_shapes(f"{name}.bn", outputs) if norm else {f"{name}.conv.bias": (outputs,)})


def norm_shapes(name, count):
    return {f"{name}.{part}": (count,) for part in ("weight", "bias", "running_mean", "running_var")}


def residual_shapes(name, inputs, outputs, stride=1):
    found = {f"{name}.conv1.weight": (outputs, inputs, 3, 3), f"{name}.conv2.weight": (outputs, outputs, 3, 3)}
    found |= norm_shapes(f"{name}.bn1", outputs) | norm_shapes(f"{name}.bn2", outputs)
    if stride != 1 or inputs != outputs:
        found |= {f"{name}.skip.0.weight": (outputs, inputs, 1, 1)} | norm_shapes(f"{name}.skip.1", outputs)
    return found


def hourglass_shapes(name, dims):
    near, far = dims[:2]
    found = residual_shapes(f"{name}.up1.0", near, near) | residual_shapes(f"{name}.up1.1", near, near)
    found |= residual_shapes(f"{name}.low1.0", near, far, 2) | residual_shapes(f"{name}.low1.1", far, far)
    found |= residual_shapes(f"{name}.low3.0", far, far) | residual_shapes(f"{name}.low3.1", far, near)
    if len(dims) > 2:
        return found | hourglass_shapes(f"{name}.low2", dims[1:])
    for k in range(4):
        found |= residual_shapes(f"{name}.low2.{k}", far, far)
    return found


def shapes(case):
    c, d = case.dims[0], case.dim
    found = conv_shapes("pre.0", 3, c // 2, 7) | residual_shapes("pre.1", c // 2, c, 2) | residual_shapes("inters.0", c, c)
    for name, inputs in (("inters_.0", c), ("cnvs_.0", d)):
        found |= {f"{name}.0.weight": (c, inputs, 1, 1)} | norm_shapes(f"{name}.1", c)
    for k in range(2):
        found |= hourglass_shapes(f"kps.{k}", case.dims) | conv_shapes(f"cnvs.{k}", c, d, 3)
    for side in ("tl", "br"):
        pool = f"{side}_cnvs.1"
        found |= conv_shapes(f"{pool}.p1_conv1", d, case.inner, 3) | conv_shapes(f"{pool}.p2_conv1", d, case.inner, 3)
        found |= {f"{pool}.p_conv1.weight": (d, case.inner, 3, 3), f"{pool}.conv1.weight": (d, d, 1, 1)}
        found |= norm_shapes(f"{pool}.p_bn1", d) | norm_shapes(f"{pool}.bn1", d) | conv_shapes(f"{pool}.conv2", d, d, 3)
        for head, count in (("heats", case.classes), ("tags", 1), ("regrs", 2)):
            name = f"{side}_{head}.1"
            found |= conv_shapes(f"{name}.0", d, c, 3, norm=False)
            found |= {f"{name}.1.weight": (count, c, 1, 1), f"{name}.1.bias": (count,)}
    return {name: list(shape) for name, shape in found.items()}


def weights(case):
    tensors = detectors.scaled(seeds.weights(shapes(case)), GAINS)
    for side, heats in case.present.items():
        for kind, heat in heats.items():
            tensors[f"{side}_heats.1.1.bias"][kind] = heat
        tensors[f"{side}_tags.1.1.weight"] *= np.float32(case.marks)
    tensors["tl_tags.1.1.bias"] += np.float32(case.mark)
    return tensors


def inputs(case):
    return {"photo": detectors.photo("street", *case.photo)}


class Network:
    """The layers, by the names of their tensors in `w`."""

    def __init__(self, w):
        self.w = w

    def conv(self, x, name, stride=1):
        import torch.nn.functional as F
        weight = self.w[f"{name}.weight"]
        return F.conv2d(x, weight, self.w.get(f"{name}.bias"), stride, weight.shape[2] // 2)

    def norm(self, x, name):
        import torch.nn.functional as F
        return F.batch_norm(x, *(self.w[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))

    def convolution(self, x, name, stride=1):
        x = self.conv(x, f"{name}.conv", stride)
        return (self.norm(x, f"{name}.bn") if f"{name}.bn.weight" in self.w else x).relu()

    def residual(self, x, name, stride=1):
        h = self.norm(self.conv(x, f"{name}.conv1", stride), f"{name}.bn1").relu()
        h = self.norm(self.conv(h, f"{name}.conv2"), f"{name}.bn2")
        skip = f"{name}.skip.0.weight" in self.w
        return (h + (self.norm(self.conv(x, f"{name}.skip.0", stride), f"{name}.skip.1") if skip else x)).relu()

    def hourglass(self, x, name, levels=5):
        import torch.nn.functional as F
        past = self.residual(self.residual(x, f"{name}.up1.0"), f"{name}.up1.1")
        low = self.residual(self.residual(x, f"{name}.low1.0", 2), f"{name}.low1.1")
        if levels > 1:
            low = self.hourglass(low, f"{name}.low2", levels - 1)
        else:
            for k in range(4):
                low = self.residual(low, f"{name}.low2.{k}")
        low = self.residual(self.residual(low, f"{name}.low3.0"), f"{name}.low3.1")
        return past + F.interpolate(low, scale_factor=2)

    def features(self, x):
        stem = self.residual(self.convolution(x, "pre.0", 2), "pre.1", 2)
        early = self.convolution(self.hourglass(stem, "kps.0"), "cnvs.0")
        parts = [self.norm(self.conv(each, f"{name}.0.0"), f"{name}.0.1") for each, name in ((stem, "inters_"), (early, "cnvs_"))]
        middle = self.residual((parts[0] + parts[1]).relu(), "inters.0")
        return self.convolution(self.hourglass(middle, "kps.1"), "cnvs.1")

    def corner_map(self, f, side):
        """Heat, mark and shift of one kind of corners."""
        first, second = (self.convolution(f, f"{side}_cnvs.1.{name}") for name in ("p1_conv1", "p2_conv1"))
        pooled = from_here(first, 2, side == "tl") + from_here(second, 3, side == "tl")
        merged = self.norm(self.conv(pooled, f"{side}_cnvs.1.p_conv1"), f"{side}_cnvs.1.p_bn1")
        merged = merged + self.norm(self.conv(f, f"{side}_cnvs.1.conv1"), f"{side}_cnvs.1.bn1")
        h = self.convolution(merged.relu(), f"{side}_cnvs.1.conv2")
        return [self.conv(self.convolution(h, f"{side}_{head}.1.0"), f"{side}_{head}.1.1")[0] for head in ("heats", "tags", "regrs")]


def from_here(x, axis, onwards):
    """The largest from each place on, or up to it."""
    return x.flip(axis).cummax(axis).values.flip(axis) if onwards else x.cummax(axis).values


def strongest(heat, mark, shift, most):
    """[(score, class, x, y, mark)], the best first."""
    import torch.nn.functional as F
    heat = heat.sigmoid()
    heat = heat * (F.max_pool2d(heat[None], 3, 1, 1)[0] == heat)
    score, at = heat.reshape(-1).topk(most)
    _, height, width = heat.shape
    kind, row, column = at // (height * width), at // width % height, at % width
    moved = shift[:, row, column]
    return list(zip(*(each.tolist() for each in (score, kind, column + moved[0], row + moved[1], mark[0, row, column]))))


def paired(tl, br, pairs):
    """Boxes [x0, y0, x1, y1, score, class] in cells of the map, the best first."""
    found = [[x0, y0, x1, y1, (s + r) / 2, kind] for s, kind, x0, y0, mark in tl for r, other, x1, y1, same in br
             if kind == other and abs(np.float32(mark) - np.float32(same)) <= 0.5 and x0 <= x1 and y0 <= y1]
    return np.array(sorted(found, key=lambda each: -each[4])[:pairs])


def soft_suppressed(box, score, kind, least=0.001, sigma=0.5):
    """Numbers and scores of the boxes in the order in which they are taken, class by class as the authors have it."""
    taken = []
    for c in np.unique(kind):
        left = {n: score[n] for n in np.flatnonzero(kind == c)}
        while left:
            best = max(left, key=left.get)
            taken.append((left.pop(best), best))
            a = box[best]
            for n in list(left):
                b = box[n]
                wide = min(a[2], b[2]) - max(a[0], b[0]) + 1
                high = min(a[3], b[3]) - max(a[1], b[1]) + 1
                if wide > 0 and high > 0:
                    both = wide * high
                    all_of = sum((r[2] - r[0] + 1) * (r[3] - r[1] + 1) for r in (a, b)) - both
                    left[n] *= np.exp(-(both / all_of) ** 2 / sigma)
                    if left[n] < least:
                        del left[n]
    taken.sort(key=lambda each: -each[0])
    return np.array([n for _, n in taken]), np.array([s for s, _ in taken])


def expected(case):
    import torch
    photo = inputs(case)["photo"]
    height, width = photo.shape[1:]
    rows, columns = height | 127, width | 127
    top, left = rows // 2 - height // 2, columns // 2 - width // 2
    image = np.zeros((3, rows, columns), np.float32)
    image[:, top:top + height, left:left + width] = photo[::-1]
    image -= np.array([0.40789654, 0.44719302, 0.47026115], np.float32)[:, None, None]
    image /= np.array([0.28863828, 0.27408164, 0.27809835], np.float32)[:, None, None]
    net = Network({name: torch.from_numpy(value) for name, value in weights(case).items()})
    with torch.no_grad():
        f = net.features(torch.from_numpy(image[None]))
        tl, br = (strongest(*net.corner_map(f, side), case.most) for side in ("tl", "br"))
    found = paired(tl, br, case.pairs)
    box = found[:, :4] * np.tile([columns / f.shape[3], rows / f.shape[2]], 2) - np.tile([left, top], 2)
    box = np.clip(box, 0, np.tile([width, height], 2))
    order, score = soft_suppressed(box, found[:, 4], found[:, 5])
    most = min(100, len(order))
    gap = -np.diff(score, prepend=np.inf, append=-np.inf)
    margin = np.minimum(gap[:-1], gap[1:])[:most]
    return {"box": box[order[:most]], "score": score[:most], "label": found[order[:most], 5].astype(np.int64), "margin": margin}
