"""SSD300 with VGG-16, from a photograph to its boxes, beside torchvision's ssd300_vgg16."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent / "rcnn"))

import detectors
from system import Absolute, Case, Exact

SYSTEM = "SSD300"
PAPER = "Liu et al., 2016, arXiv:1512.02325"
REFERENCE = "torchvision"
LIVE = False
CASES = {
    "small": Case(entry="detect_small", narrower=8, classes=21, photo=(48, 64)),
    "full": Case(entry="detect", narrower=1, classes=91, photo=(480, 640)),
}
COMPARE = {"box": Absolute(1e-2), "score": Absolute(1e-4), "label": Exact()}
# Images have 255 levels, and the normalized map is scaled up.
GAINS = {r"features.0.weight": 1 / 64, r"scale_weight": 10, r"classification_head.*weight": 0.9}
BACKGROUND = 4.0  # most anchors hold nothing


def narrow(module, by, inputs=3):
    """The same layers with fewer channels."""
    import torch
    for name, layer in module.named_children():
        if isinstance(layer, torch.nn.Conv2d):
            wide = layer.in_channels if layer.in_channels == inputs else layer.in_channels // by
            fresh = torch.nn.Conv2d(wide, layer.out_channels // by, layer.kernel_size, layer.stride, layer.padding, layer.dilation)
            setattr(module, name, fresh)
        else:
            narrow(layer, by)


def model(case):
    import torch
    from torchvision.models.detection import ssd, ssd300_vgg16
    net = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=case.classes)
    if case.narrower > 1:
        narrow(net.backbone, case.narrower)
        net.backbone.scale_weight = torch.nn.Parameter(torch.ones(512 // case.narrower))
        channels = [c // case.narrower for c in (512, 1024, 512, 256, 256, 256)]
        net.head = ssd.SSDHead(channels, net.anchor_generator.num_anchors_per_location(), case.classes)
    return net


def shapes(case):
    return detectors.shapes(model(case))


def weights(case):
    tensors = detectors.weights("ssd300", case, GAINS)
    for name, value in tensors.items():
        if name.startswith("head.classification_head") and name.endswith("bias"):
            value.reshape(-1, case.classes)[:, 0] += BACKGROUND
    return tensors


def inputs(case):
    return {"photo": detectors.photo("street", *case.photo)}


def expected(case):
    seen = detectors.found(detectors.load(model(case), weights(case)), case)
    return {"box": seen["boxes"], "score": seen["scores"], "label": seen["labels"]}
