"""What the references of torchvision's detectors share: photographs, and weights with which something is found."""

import json
import pathlib
import re

import numpy as np

import seeds

EXAMPLES = pathlib.Path(__file__).parent.parent


def photo(name, height, width):
    """[3, height, width], 0 to 1: noise of many scales, as pictures have it."""
    total = np.zeros((3, height, width))
    for scale in (2, 4, 8, 16, 32, 64):
        rows, columns = -(-height // scale) + 1, -(-width // scale) + 1
        noise = seeds.stream(f"input.{name}.{scale}").standard_normal((3, rows, columns))
        y, x = np.arange(height) / scale, np.arange(width) / scale
        top, left = y.astype(int), x.astype(int)
        v, u = (y - top)[None, :, None], (x - left)[None, None, :]
        upper, lower = noise[:, top], noise[:, top + 1]
        near = upper * (1 - v) + lower * v
        total += scale**0.5 * (near[:, :, left] * (1 - u) + near[:, :, left + 1] * u)
    return np.clip(0.5 + 0.25 * total / total.std(), 0, 1).astype(np.float32)


def shapes(module):
    """{name: shape} of what a torch module keeps as floats."""
    return {name: list(t.shape) for name, t in module.state_dict().items() if t.dtype.is_floating_point}


def scaled(tensors, gains):
    """The weights, changed by the patterns that their names have: each a factor, or (factor, what is added)."""
    for name, value in tensors.items():
        for pattern, gain in gains.items():
            if re.search(pattern, name):
                factor, shift = gain if isinstance(gain, tuple) else (gain, 0)
                tensors[name] = (value * factor + shift).astype(np.float32)
    return tensors


def weights(system, case, gains):
    """Seeded weights by the shapes in the record."""
    record = json.loads((EXAMPLES / system / "record.json").read_text())
    return scaled(seeds.weights(record[case.name]["shapes"]), gains)


def load(module, tensors):
    import torch
    module.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()}, strict=False)
    return module.eval()


# The R-CNN family: regions and boxes stay near their anchors, several classes are probable in a region.
RCNN_GAINS = {
    r"inner_blocks.*weight": 0.2, r"layer_blocks.*weight": 0.6, r"rpn.*cls_logits.weight": 0.5, r"rpn.*bbox_pred.weight": 0.3,
    r"box_head.fc6.weight": 0.7, r"cls_score.weight": 1.2, r"box_predictor.bbox_pred.weight": 1.0,
}


def torchvision_detector(builder, case, **more):
    """torchvision's detector `builder` for the sizes of the case."""
    import torchvision.models.detection as detection
    return getattr(detection, builder)(weights=None, weights_backbone=None, min_size=case.short, max_size=case.long, **more)


def found(module, case, name="street"):
    """What a torchvision detector finds in the case's photograph, as arrays."""
    import torch
    with torch.no_grad():
        return {key: value.numpy() for key, value in module([torch.from_numpy(photo(name, *case.photo))])[0].items()}
