"""DeepLab v2 in NumPy: a dilated ResNet-101, atrous pyramid pooling, and the dense random field, all pairs of pixels summed."""

import numpy as np

import seeds
from layers import Layers, relu, softmax
from system import Absolute, Case, Range

SYSTEM = "DeepLab v2"
PAPER = "Chen et al., 2017, arXiv:1606.00915; Krähenbühl and Koltun, 2011, arXiv:1210.5644"
REFERENCE = "NumPy, written from the papers"
LIVE = True
CASES = {
    "small": Case(entry="small", classes=5, depths=[1, 1, 2, 1], width=4, dilations=[1, 2], iterations=3, size=(33, 25)),
    "full": Case(entry="voc", classes=21, depths=[3, 4, 23, 3], width=64, dilations=[6, 12, 18, 24], iterations=10, size=(65, 65)),
}
COMPARE = {"score": Range(1e-4), "p": Absolute(1e-4)}
BREAK = "layer3.1.bn2.bias"


def blocks(case):
    """(path, channels in, width, stride, dilation) of every bottleneck."""
    cin = case.width
    for stage, (depth, stride, dilation) in enumerate(zip(case.depths, (1, 2, 1, 1), (1, 1, 2, 4)), 1):
        width = case.width << (stage - 1)
        for i in range(depth):
            yield f"layer{stage}.{i}", cin, width, stride if i == 0 else 1, dilation
            cin = 4 * width


def weights(case):
    convs, norms = {"conv1": (case.width, 3, 7, 7)}, {"bn1": case.width}
    for path, cin, width, stride, _ in blocks(case):
        convs |= {f"{path}.conv1": (width, cin, 1, 1), f"{path}.conv2": (width, width, 3, 3), f"{path}.conv3": (4 * width, width, 1, 1)}
        norms |= {f"{path}.bn1": width, f"{path}.bn2": width, f"{path}.bn3": 4 * width}
        if stride != 1 or cin != 4 * width:
            convs[f"{path}.downsample.0"], norms[f"{path}.downsample.1"] = (4 * width, cin, 1, 1), 4 * width
    shapes = {f"{path}.weight": shape for path, shape in convs.items()}
    shapes |= {f"{path}.{part}": (c,) for path, c in norms.items() for part in ("weight", "bias", "running_mean", "running_var")}
    for i in range(len(case.dilations)):
        shapes |= {f"layer5.conv2d_list.{i}.weight": (case.classes, 32 * case.width, 3, 3), f"layer5.conv2d_list.{i}.bias": (case.classes,)}
    return seeds.weights(shapes)


def inputs(case):
    """A photograph of smooth colors with an edge, which the random field follows."""
    rows, columns = case.size
    i, j = np.mgrid[:rows, :columns]
    edge = np.where(i + 0.5 * j < rows * 0.7, 60.0, 180.0)
    photo = np.stack([edge, 0.7 * edge + 20, 255 - edge]) + 1.5 * seeds.image("photo", (3, rows, columns))
    return {"x": seeds.image("x", (1, 3, rows, columns)), "photo": photo.astype(np.float32)}


def max_pooled(x):
    rows, columns = (x.shape[2] - 1) // 2 + 1, (x.shape[3] - 1) // 2 + 1
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    return np.max([x[:, :, r:r + 2 * rows:2, s:s + 2 * columns:2][:, :, :rows, :columns] for r in range(3) for s in range(3)], 0)


def resized(x, rows, columns):
    """Bilinear, the centers of the corners kept."""
    def matrix(new, old):
        at = np.arange(new) * (old - 1) / (new - 1)
        return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(old)[None, :]))

    return np.einsum("ih,nchw,jw->ncij", matrix(rows, x.shape[2]), x, matrix(columns, x.shape[3]), optimize=True)


def field(score, photo, iterations):
    """Mean-field inference over all pairs of pixels, the kernels normalized at both ends."""
    classes, rows, columns = score.shape
    place = np.stack(np.mgrid[:rows, :columns], -1).reshape(-1, 2).astype(np.float64)
    color = photo.reshape(3, -1).T

    def squares(a, spread):
        a = a / spread
        return np.maximum((a**2).sum(1)[:, None] + (a**2).sum(1)[None, :] - 2 * a @ a.T, 0) / 2

    kernel = 4 * np.exp(-squares(place, 67) - squares(color, 3)) + 3 * np.exp(-squares(place, 1))
    np.fill_diagonal(kernel, 0)
    root = 1 / np.sqrt(kernel.sum(1))
    kernel = root[:, None] * kernel * root[None, :]
    log_p = score.reshape(classes, -1).T
    q = softmax(log_p)
    for _ in range(iterations):
        q = softmax(log_p + kernel @ q)
    return q.T.reshape(score.shape)


def expected(case):
    net, given = Layers(weights(case)), inputs(case)
    x = relu(net.batch_norm(net.conv(given["x"].astype(np.float64), "conv1", stride=2, pad=3), "bn1"))
    x = max_pooled(x)
    for path, _, _, stride, dilation in blocks(case):
        block = net.at(path)
        h = relu(block.batch_norm(block.conv(x, "conv1", stride=stride), "bn1"))
        h = relu(block.batch_norm(block.conv(h, "conv2", pad=dilation, dilation=dilation), "bn2"))
        h = block.batch_norm(block.conv(h, "conv3"), "bn3")
        if "downsample.0.weight" in block:
            x = block.batch_norm(block.conv(x, "downsample.0", stride=stride), "downsample.1")
        x = relu(h + x)
    parts = [net.conv(x, f"layer5.conv2d_list.{i}", pad=d, dilation=d) for i, d in enumerate(case.dilations)]
    score = resized(sum(parts), *case.size)[0]
    return {"score": score, "p": field(score, given["photo"].astype(np.float64), case.iterations)}
