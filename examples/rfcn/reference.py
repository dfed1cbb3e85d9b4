"""Deformable R-FCN with ResNet-101, from a photograph to the boxes that non-maximum suppression leaves. The deformable
position-sensitive pooling is written from its authors' code, point by point for one bin after the other."""

import pathlib
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).parent.parent / "rcnn"))

import detectors
import seeds
from system import Absolute, Case, Exact

SYSTEM = "R-FCN with deformable PS-RoI pooling"
PAPER = "Dai et al., 2016, arXiv:1605.06409; Dai et al., 2017, arXiv:1703.06211"
REFERENCE = "PyTorch and torchvision's ops, written from the papers"
LIVE = False
CASES = {  # `growth` is what all blocks together make of the size of values
    "small": Case(entry="detect_small", classes=5, bins=3, depths=(1, 1, 2, 1), width=4, short=96, long=160, tried=60,
                  proposals=20, sizes=(24, 48), photo=(60, 76), growth=1),
    "full": Case(entry="detect", classes=21, bins=7, depths=(3, 4, 23, 3), width=64, short=600, long=1000, tried=6000,
                 proposals=300, sizes=(128, 256, 512), photo=(480, 640), growth=13),
}
COMPARE = {"box": Absolute(1e-2), "score": Absolute(1e-4), "label": Exact()}
BREAK = "rfcn_cls_offset_t.bias"
# What is averaged over a region varies little, so its maps vary much; offsets stay within a few cells, regions near anchors.
GAINS = {r"conv_offset.weight": 0.5, r"rpn_bbox_pred.weight": 0.2, r"rpn_cls_score.weight": 0.5, r"conv_new_1.weight": 0.2,
         r"rfcn_cls.weight": 25, r"rfcn_bbox.weight": 20}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def norm_shapes(name, count):
    return {f"{name}.{part}": (count,) for part in ("weight", "bias", "running_mean", "running_var")}


def blocks(case):
    """(name, channels in, width, stride, deformable) of every block."""
    for s, depth in enumerate(case.depths):
        width = case.width * 2**s
        for b in range(depth):
            cin = 4 * width if b > 0 else (case.width if s == 0 else 2 * width)
            yield f"layer{s + 1}.{b}", cin, width, 2 if b == 0 and s in (1, 2) else 1, s == 3


def shapes(case):
    w, bins = case.width, case.bins
    found = {"conv1.weight": (w, 3, 7, 7)} | norm_shapes("bn1", w)
    for name, cin, width, stride, deformable in blocks(case):
        for k, (inputs, outputs, size) in enumerate(((cin, width, 1), (width, width, 3), (width, 4 * width, 1)), 1):
            found |= {f"{name}.conv{k}.weight": (outputs, inputs, size, size)} | norm_shapes(f"{name}.bn{k}", outputs)
        if deformable:
            found |= {f"{name}.conv2.conv_offset.weight": (72, width, 3, 3), f"{name}.conv2.conv_offset.bias": (72,)}
        if stride != 1 or cin != 4 * width:
            found |= {f"{name}.downsample.0.weight": (4 * width, cin, 1, 1)} | norm_shapes(f"{name}.downsample.1", 4 * width)
    each = 3 * len(case.sizes)
    layers = {"rpn_conv_3x3": (8 * w, 16 * w, 3), "rpn_cls_score": (2 * each, 8 * w, 1), "rpn_bbox_pred": (4 * each, 8 * w, 1),
              "conv_new_1": (16 * w, 32 * w, 1), "rfcn_cls": (case.classes * bins**2, 16 * w, 1),
              "rfcn_bbox": (8 * bins**2, 16 * w, 1), "rfcn_cls_offset_t": (2 * case.classes * bins**2, 16 * w, 1),
              "rfcn_bbox_offset_t": (2 * bins**2, 16 * w, 1)}
    for name, (outputs, inputs, size) in layers.items():
        found |= {f"{name}.weight": (outputs, inputs, size, size), f"{name}.bias": (outputs,)}
    return {name: list(shape) for name, shape in found.items()}


def weights(case):
    tensors = detectors.scaled(seeds.weights(shapes(case)), GAINS)
    for name in ("rpn_conv_3x3.weight", "conv_new_1.weight"):
        tensors[name] /= np.float32(case.growth)
    return tensors


def inputs(case):
    return {"photo": detectors.photo("street", *case.photo)}


class Network:
    def __init__(self, w):
        self.w = w

    def conv(self, x, name, stride=1, pad=0, dilation=1):
        import torch.nn.functional as F
        return F.conv2d(x, self.w[f"{name}.weight"], self.w.get(f"{name}.bias"), stride, pad, dilation)

    def norm(self, x, name):
        import torch.nn.functional as F
        return F.batch_norm(x, *(self.w[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))

    def block(self, x, name, stride, deformable):
        import torchvision
        h = self.norm(self.conv(x, f"{name}.conv1", stride), f"{name}.bn1").relu()
        if deformable:
            offset = self.conv(h, f"{name}.conv2.conv_offset", pad=2, dilation=2)
            h = torchvision.ops.deform_conv2d(h, offset, self.w[f"{name}.conv2.weight"], padding=2, dilation=2)
        else:
            h = self.conv(h, f"{name}.conv2", pad=1)
        h = self.norm(self.conv(self.norm(h, f"{name}.bn2").relu(), f"{name}.conv3"), f"{name}.bn3")
        if f"{name}.downsample.0.weight" in self.w:
            x = self.norm(self.conv(x, f"{name}.downsample.0", stride), f"{name}.downsample.1")
        return (h + x).relu()

    def trunk(self, x, case):
        import torch.nn.functional as F
        x = F.max_pool2d(self.norm(self.conv(x, "conv1", 2, 3), "bn1").relu(), 3, 2, 1)
        for name, _, _, stride, deformable in blocks(case):
            if name == "layer4.0":
                early = x
            x = self.block(x, name, stride, deformable)
        return early, x

    def proposals(self, f, case, rows, columns):
        import torch
        import torchvision
        h = self.conv(f, "rpn_conv_3x3", pad=1).relu()
        logit, moves = self.conv(h, "rpn_cls_score")[0], self.conv(h, "rpn_bbox_pred")[0]
        each, (high, wide) = 3 * len(case.sizes), logit.shape[1:]
        object_of = logit.reshape(2, each, high, wide).softmax(0)[1].permute(1, 2, 0).reshape(-1)
        move = moves.reshape(each, 4, high, wide).permute(2, 3, 0, 1).reshape(-1, 4)
        maker = torchvision.models.detection.anchor_utils.AnchorGenerator((case.sizes,), ((0.5, 1.0, 2.0),))
        anchor = maker.grid_anchors([(high, wide)], [[torch.tensor(16), torch.tensor(16)]])[0]
        score, best = object_of.topk(min(case.tried, len(object_of)))
        box = torchvision.ops.clip_boxes_to_image(decoded(move[best], anchor[best]), (rows, columns))
        return box[torchvision.ops.nms(box, score, 0.7)[:case.proposals]]


def decoded(move, at, weights=(1.0, 1.0, 1.0, 1.0)):
    import torchvision
    return torchvision.models.detection._utils.BoxCoder(weights).decode_single(move, at)


def c_round(x):
    return np.sign(x) * np.floor(np.abs(x) + 0.5)


def pooled(maps, box, shift, bins, samples=4, gain=0.1):
    """[R, classes, bins, bins] of maps [classes * bins^2, H, W]; shift is [R, kinds, 2, bins, bins] or None."""
    height, width = maps.shape[1:]
    maps = maps.reshape(-1, bins, bins, height, width).astype(np.float64)
    classes, count = len(maps), len(box)
    left, top, right, bottom = c_round(box.astype(np.float64)).T
    u, v = left / 16 - 0.5, top / 16 - 0.5
    wide, high = np.maximum((right + 1) / 16 - 0.5 - u, 0.1), np.maximum((bottom + 1) / 16 - 0.5 - v, 0.1)
    kinds = 1 if shift is None else shift.shape[1]
    shift = np.zeros((count, 1, 2, bins, bins)) if shift is None else shift
    of = np.arange(classes) // (classes // kinds)  # the shift of each class
    y = np.zeros((count, classes, bins, bins))
    for p, q in np.ndindex(bins, bins):
        total, points = np.zeros((count, classes)), np.zeros((count, classes))
        for a, b in np.ndindex(samples, samples):
            at = (v + (p + a / samples) * high / bins)[:, None] + gain * high[:, None] * shift[:, of, 1, p, q]
            to = (u + (q + b / samples) * wide / bins)[:, None] + gain * wide[:, None] * shift[:, of, 0, p, q]
            inside = (at >= -0.5) & (at <= height - 0.5) & (to >= -0.5) & (to <= width - 0.5)
            at, to = np.clip(at, 0, height - 1), np.clip(to, 0, width - 1)
            i, j = np.floor(at).astype(int), np.floor(to).astype(int)
            plane, c = maps[:, p, q], np.arange(classes)
            below, beside = np.minimum(i + 1, height - 1), np.minimum(j + 1, width - 1)
            value = (plane[c, i, j] * (1 - at + i) * (1 - to + j) + plane[c, i, beside] * (1 - at + i) * (to - j)
                     + plane[c, below, j] * (at - i) * (1 - to + j) + plane[c, below, beside] * (at - i) * (to - j))
            total, points = total + np.where(inside, value, 0), points + inside
        y[:, :, p, q] = total / np.maximum(points, 1)
    return y


def deformed(maps, offset, box, bins, kinds):
    """The mean of the parts of every box, each moved by what its box says."""
    shift = pooled(offset, box, None, bins).reshape(len(box), kinds, 2, bins, bins)
    return pooled(maps, box, shift, bins).mean((2, 3))


def expected(case):
    import torch
    import torch.nn.functional as F
    import torchvision
    photo = torch.from_numpy(inputs(case)["photo"])
    height, width = photo.shape[1:]
    rows = min(case.short * height // min(height, width), case.long * height // max(height, width))
    columns = min(case.short * width // min(height, width), case.long * width // max(height, width))
    image = (photo - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]
    image = F.interpolate(image[None], size=(rows, columns), mode="bilinear", align_corners=False)
    net = Network({name: torch.from_numpy(value) for name, value in weights(case).items()})
    with torch.no_grad():
        early, late = net.trunk(image, case)
        roi = net.proposals(early, case, rows, columns)
        f = net.conv(late, "conv_new_1").relu()
        maps = [net.conv(f, name)[0].numpy() for name in ("rfcn_cls", "rfcn_cls_offset_t", "rfcn_bbox", "rfcn_bbox_offset_t")]
    prob = torch.from_numpy(deformed(*maps[:2], roi.numpy(), case.bins, case.classes)).softmax(1)
    move = torch.from_numpy(deformed(*maps[2:], roi.numpy(), case.bins, 1))[:, 4:]
    box = torchvision.ops.clip_boxes_to_image(decoded(move, roi.double(), (10.0, 10.0, 5.0, 5.0)), (rows, columns))
    which, label = torch.nonzero(prob[:, 1:] > 0.001, as_tuple=True)
    score = prob[which, label + 1]
    kept = [torch.nonzero(label == c)[:, 0] for c in range(case.classes - 1)]
    kept = torch.cat([own[torchvision.ops.nms(box[which[own]], score[own], 0.3)] for own in kept])
    kept = kept[score[kept].argsort(descending=True)][:100]
    box = box[which[kept]] * torch.tensor([width / columns, height / rows] * 2)
    return {"box": box.numpy(), "score": score[kept].numpy(), "label": label[kept].numpy() + 1}
