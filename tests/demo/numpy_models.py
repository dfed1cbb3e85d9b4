"""MobileNetV2 and MiniLM once more, in NumPy and float64, written from their papers: what the demonstration's programs are
compared with. Weights are a dict of arrays by their paths in the checkpoint."""

import json
import math

import numpy as np


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], dtype="<f4").reshape(entry["shape"]).astype(np.float64)
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def convolution(x, w, stride):
    """x [N, C, H, W], w [K, C or 1, R, R]; padded so that a stride of 1 keeps the size; one channel each where w has one."""
    size = w.shape[2]
    x = np.pad(x, ((0, 0), (0, 0), (size // 2,) * 2, (size // 2,) * 2))
    rows, columns = ((extent - size) // stride + 1 for extent in x.shape[2:])
    y = 0
    for r in range(size):
        for s in range(size):
            part = x[:, :, r : r + stride * rows : stride, s : s + stride * columns : stride][:, :, :rows, :columns]
            each = w.shape[1] == 1 and w.shape[0] == x.shape[1]
            y = y + (part * w[None, :, 0, r, s, None, None] if each else np.einsum("nchw,kc->nkhw", part, w[:, :, r, s], optimize=True))
    return y


def mobilenet_v2(w, x):
    """Logits [N, 1000] of images [N, 3, H, W] (Sandler et al., 2018; paths as in torchvision)."""

    def layer(x, path, norm, stride=1, act=True):
        x = convolution(x, w[path + ".weight"], stride)
        scale = w[norm + ".weight"] / np.sqrt(w[norm + ".running_var"] + 1e-5)
        x = (x - w[norm + ".running_mean"][:, None, None]) * scale[:, None, None] + w[norm + ".bias"][:, None, None]
        return np.clip(x, 0, 6) if act else x

    x = layer(x, "features.0.0", "features.0.1", 2)
    place = 1
    for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for block in range(n):
            path, stride = f"features.{place}.conv", s if block == 0 else 1
            y, k = x, 0
            if t != 1:
                y, k = layer(y, path + ".0.0", path + ".0.1"), 1
            y = layer(y, f"{path}.{k}.0", f"{path}.{k}.1", stride)
            y = layer(y, f"{path}.{k + 1}", f"{path}.{k + 2}", act=False)
            x = x + y if x.shape == y.shape else y
            place += 1
    x = layer(x, "features.18.0", "features.18.1").mean((2, 3))
    return x @ w["classifier.1.weight"].T + w["classifier.1.bias"]


def minilm(w, ids, mask):
    """Unit vectors [B, 384] of sentences (Devlin et al., 2019; Reimers and Gurevych, 2019; paths as in transformers)."""

    def linear(x, path):
        return x @ w[path + ".weight"].T + w[path + ".bias"]

    def norm(x, path):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-12) * w[path + ".weight"] + w[path + ".bias"]

    erf = np.vectorize(math.erf)
    batch, length = ids.shape
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for depth in range(6):
        path = f"encoder.layer.{depth}"
        q, k, v = (linear(x, f"{path}.attention.self.{name}").reshape(batch, length, 12, 32).transpose(0, 2, 1, 3)
                   for name in ("query", "key", "value"))
        score = q @ k.transpose(0, 1, 3, 2) / np.sqrt(32) + np.where(mask, 0, -1e30)[:, None, None, :]
        score = np.exp(score - score.max(-1, keepdims=True))
        o = (score / score.sum(-1, keepdims=True) @ v).transpose(0, 2, 1, 3).reshape(batch, length, 384)
        x = norm(x + linear(o, f"{path}.attention.output.dense"), f"{path}.attention.output.LayerNorm")
        h = linear(x, f"{path}.intermediate.dense")
        h = h / 2 * (1 + erf(h / np.sqrt(2)))
        x = norm(x + linear(h, f"{path}.output.dense"), f"{path}.output.LayerNorm")
    mean = (x * mask[:, :, None]).sum(1) / np.maximum(mask.sum(1, keepdims=True), 1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)
