"""Mask R-CNN with ResNet-50 and a feature pyramid, from a photograph to boxes and masks, beside torchvision's
maskrcnn_resnet50_fpn."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent / "rcnn"))

import detectors
from system import Absolute, Case, Exact

SYSTEM = "Mask R-CNN"
PAPER = "He et al., 2017, arXiv:1703.06870"
REFERENCE = "torchvision"
LIVE = False
CASES = {
    "small": Case(entry="detect_small", short=64, long=100, photo=(60, 76), proposals=16, most=4),
    "full": Case(entry="detect", short=800, long=1333, photo=(480, 640), proposals=1000, most=100),
}
COMPARE = {"box": Absolute(1e-2), "score": Absolute(1e-4), "label": Exact()}


def model(case):
    return detectors.torchvision_detector("maskrcnn_resnet50_fpn", case, rpn_post_nms_top_n_test=case.proposals,
                                         box_detections_per_img=case.most)


def shapes(case):
    return detectors.shapes(model(case))


def weights(case):
    return detectors.weights("mask_rcnn", case, detectors.RCNN_GAINS)


def inputs(case):
    return {"photo": detectors.photo("street", *case.photo)}


def expected(case):
    seen = detectors.found(detectors.load(model(case), weights(case)), case)
    return {"box": seen["boxes"], "score": seen["scores"], "label": seen["labels"],
            "mask": seen["masks"][:, 0]}
