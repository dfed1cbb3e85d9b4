"""Keypoint R-CNN with ResNet-50 and a feature pyramid, from a photograph to boxes and joints, beside torchvision's
keypointrcnn_resnet50_fpn."""

import math
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent / "rcnn"))

import detectors
from system import Absolute, Case

SYSTEM = "Keypoint R-CNN"
PAPER = "He et al., 2017, arXiv:1703.06870"
REFERENCE = "torchvision"
LIVE = False
CASES = {
    "small": Case(entry="detect_small", short=64, long=100, photo=(60, 76), proposals=16, most=2),
    "full": Case(entry="detect", short=800, long=1333, photo=(480, 640), proposals=1000, most=100),
}
COMPARE = {"box": Absolute(1e-2), "score": Absolute(1e-4), "place": Absolute(1e-2, margin="place.margin", tie=0.01)}


def model(case):
    return detectors.torchvision_detector("keypointrcnn_resnet50_fpn", case, rpn_post_nms_top_n_test=case.proposals,
                                         box_detections_per_img=case.most)


def shapes(case):
    return detectors.shapes(model(case))


def weights(case):
    return detectors.weights("keypoint_rcnn", case, detectors.RCNN_GAINS)


def inputs(case):
    return {"photo": detectors.photo("street", *case.photo)}


def margins(maps, rois):
    """By how much the hottest pixel of each joint's stretched map is hotter than the next one."""
    import torch
    found = []
    for heat, roi in zip(maps, rois):
        wide, high = (max(float(side), 1) for side in (roi[2:] - roi[:2]))
        size = (math.ceil(high), math.ceil(wide))
        map = torch.nn.functional.interpolate(heat[:, None], size=size, mode="bicubic", align_corners=False)
        best = map.flatten(1).topk(2).values
        found.append(best[:, 0] - best[:, 1])
    return torch.stack(found).numpy()


def expected(case):
    from torchvision.models.detection import roi_heads
    original, seen_margins = roi_heads.heatmaps_to_keypoints, []

    def watched(maps, rois):
        seen_margins.append(margins(maps, rois))
        return original(maps, rois)

    roi_heads.heatmaps_to_keypoints = watched
    try:
        seen = detectors.found(detectors.load(model(case), weights(case)), case)
    finally:
        roi_heads.heatmaps_to_keypoints = original
    return {"box": seen["boxes"], "score": seen["scores"], "place": seen["keypoints"][:, :, :2],
            "place.margin": seen_margins[0], "heat": seen["keypoints_scores"]}
