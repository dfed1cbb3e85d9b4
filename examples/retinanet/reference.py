"""RetinaNet with ResNet-50 and a feature pyramid, from a photograph to its boxes, beside torchvision's retinanet_resnet50_fpn."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent / "rcnn"))

import detectors
from system import Absolute, Case, Exact

SYSTEM = "RetinaNet"
PAPER = "Lin et al., 2017, arXiv:1708.02002"
REFERENCE = "torchvision"
LIVE = False
CASES = {
    "small": Case(entry="detect_small", short=96, long=160, photo=(60, 76)),
    "full": Case(entry="detect", short=800, long=1333, photo=(480, 640)),
}
COMPARE = {"box": Absolute(1e-2), "score": Absolute(1e-4), "label": Exact()}
BREAK = "head.regression_head.bbox_reg.bias"
# Few of the pairs of anchor and class are probable, and boxes stay near their anchors.
GAINS = {r"inner_blocks.*weight": 0.2, r"layer_blocks.*weight": 0.6, r"cls_logits.weight": 0.35, r"cls_logits.bias": (1, -4.6),
         r"bbox_reg.weight": 0.3}


def model(case):
    return detectors.torchvision_detector("retinanet_resnet50_fpn", case)


def shapes(case):
    return detectors.shapes(model(case))


def weights(case):
    return detectors.weights("retinanet", case, GAINS)


def inputs(case):
    return {"photo": detectors.photo("street", *case.photo)}


def expected(case):
    seen = detectors.found(detectors.load(model(case), weights(case)), case)
    return {"box": seen["boxes"], "score": seen["scores"], "label": seen["labels"]}
