"""MTCNN as the package facenet-pytorch computes it, with weights from seeds under which many windows of a random picture look
like faces. tests/demo compares it with the real weights."""

import numpy as np

import seeds
from system import Absolute, Case

SYSTEM = "MTCNN"
PAPER = "Zhang et al., 2016, arXiv:1604.02878"
REFERENCE = "facenet-pytorch"
LIVE = False
CASES = {"small": Case(entry="detect_faces", rows=97, columns=89), "full": Case(entry="detect_faces", rows=239, columns=320)}
COMPARE = {"box": Absolute(1e-2), "score": Absolute(1e-4), "mark": Absolute(1e-2)}
BREAK = "rnet.dense5_2.bias"

CONVOLUTIONS = {
    "pnet": [("conv1", 10, 3, 3), ("conv2", 16, 10, 3), ("conv3", 32, 16, 3), ("conv4_1", 2, 32, 1), ("conv4_2", 4, 32, 1)],
    "rnet": [("conv1", 28, 3, 3), ("conv2", 48, 28, 3), ("conv3", 64, 48, 2)],
    "onet": [("conv1", 32, 3, 3), ("conv2", 64, 32, 3), ("conv3", 64, 64, 3), ("conv4", 128, 64, 2)],
}
DENSE = {
    "rnet": [("dense4", 128, 576), ("dense5_1", 2, 128), ("dense5_2", 4, 128)],
    "onet": [("dense5", 256, 1152), ("dense6_1", 2, 256), ("dense6_2", 4, 256), ("dense6_3", 10, 256)],
}
SLOPES = {
    "pnet": {"prelu1": 10, "prelu2": 16, "prelu3": 32},
    "rnet": {"prelu1": 28, "prelu2": 48, "prelu3": 64, "prelu4": 128},
    "onet": {"prelu1": 32, "prelu2": 64, "prelu3": 64, "prelu4": 128, "prelu5": 256},
}
FACES = ("conv4_1", "dense5_1", "dense6_1")
MOVES = ("conv4_2", "dense5_2", "dense6_2")


def weights(case):
    shapes = {}
    for net, slopes in SLOPES.items():
        for name, k, c, size in CONVOLUTIONS[net]:
            shapes |= {f"{net}.{name}.weight": (k, c, size, size), f"{net}.{name}.bias": (k,)}
        for name, k, c in DENSE.get(net, []):
            shapes |= {f"{net}.{name}.weight": (k, c), f"{net}.{name}.bias": (k,)}
        shapes |= {f"{net}.{name}.weight": (c,) for name, c in slopes.items()}
    tensors = seeds.weights(shapes)
    for name, value in tensors.items():
        layer = name.split(".")[1]
        if layer.startswith("prelu"):
            value *= 0.25
        if layer in FACES:  # some are surely faces, some surely none
            value *= 3
        if layer in MOVES:  # edges stay near
            value *= 0.1
    tensors["onet.dense6_1.bias"] += [0, 5]  # these weights would see no face at all
    return tensors


def inputs(case):
    """Blocks of every size, so that each level of the pyramid has something to see."""
    rng = seeds.stream("input.photo")
    photo = np.zeros((case.rows, case.columns, 3))
    for size in (3, 10, 31, 90):
        cells = rng.normal(0, 40, (case.rows // size + 1, case.columns // size + 1, 3))
        photo += cells.repeat(size, 0).repeat(size, 1)[: case.rows, : case.columns]
    return {"photo": np.clip(photo + 128, 0, 255).astype(np.uint8)}


def expected(case):
    import torch
    from facenet_pytorch import MTCNN

    detector = MTCNN(keep_all=True, select_largest=False)  # in the order of the scores
    detector.load_state_dict({name: torch.from_numpy(value) for name, value in weights(case).items()})
    box, score, mark = detector.detect(inputs(case)["photo"], landmarks=True)
    return {name: np.asarray(value, np.float32) for name, value in (("box", box), ("score", score), ("mark", mark))}
