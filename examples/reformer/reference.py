"""Reformer in NumPy and float64: who sees whom as one matrix per round of hashing, with nothing sorted or cut, and the layers
run forwards and backwards."""

import numpy as np

import philox
import seeds
from layers import Layers, gelu
from system import Case, Range

SYSTEM = "Reformer"
PAPER = "Kitaev et al., 2020, arXiv:2001.04451"
REFERENCE = "NumPy, written from the paper"
LIVE = True
SMALL = dict(entry="small", words=20, length=64, dim=16, depth=2, heads=2, hidden=32, buckets=8, chunk=8, rounds=2)
LANGUAGE = dict(entry="language", words=258, length=1024, dim=512, depth=3, heads=8, hidden=2048, buckets=32, chunk=64, rounds=2)
CASES = {
    "small": Case(**SMALL, seed=np.int64(3)),
    "small_inverse": Case(**SMALL, method="inverse", seed=np.int64(3)),
    "full": Case(**LANGUAGE, seed=np.int64(1)),
    "full_inverse": Case(**LANGUAGE, method="inverse", seed=np.int64(1)),
}
# Another bucket of one vector moves others to other chunks, so a near-tie exempts everything: these seeds have none.
COMPARE = {name: Range(1e-4, margin="margin", tie=5e-5) for name in ("logit", "x1", "x2")}
BREAK = "encoder.layers.1.attention.layer_norm.bias"


def weights(case):
    d, shapes = case.dim, {"head": (case.words, 2 * case.dim), "encoder.layer_norm": (2 * case.dim,)}
    plain = {"embeddings.word_embeddings": (case.words, d), "embeddings.position_embeddings.embedding": (case.length, d)}
    for l in range(case.depth):
        attention, feed = f"encoder.layers.{l}.attention", f"encoder.layers.{l}.feed_forward"
        shapes |= {f"{attention}.layer_norm": (d,), f"{feed}.layer_norm": (d,)}
        shapes |= {f"{feed}.dense.dense": (case.hidden, d), f"{feed}.output.dense": (d, case.hidden)}
        plain |= {f"{attention}.{part}": (d, d) for part in ("self_attention.query_key", "self_attention.value", "output.dense")}
    return seeds.weights({f"{path}.weight": shape for path, shape in (shapes | plain).items()}
                         | {f"{path}.bias": shape[:1] for path, shape in shapes.items()})


def inputs(case):
    if case.method == "forward":
        return {"id": seeds.tokens("id", (case.length,), case.words), "seed": case.seed}
    return {name: seeds.image(name, (case.length, case.dim)) for name in ("y1", "y2")} | {"seed": case.seed}


def attended(net, x, seed, case, margins):
    q, v = (net.linear(net.layer_norm(x, "layer_norm"), f"self_attention.{part}").reshape(len(x), case.heads, -1)
            for part in ("query_key", "value"))
    size = q.shape[2]
    i, j = np.ogrid[:len(x), :len(x)]
    out = np.zeros_like(q)
    for h in range(case.heads):
        key = q[:, h] / np.sqrt((q[:, h] ** 2).sum(1, keepdims=True) + 1e-6)
        dots = q[:, h] @ key.T / np.sqrt(size)
        parts, sums = [], []
        for r in range(case.rounds):
            d, f = np.ogrid[:size, :case.buckets // 2]
            turned = q[:, h] @ philox.normal(seed, h, r, d, f)
            both = np.concatenate([turned, -turned], 1)
            bucket = both.argmax(1)
            margins.append(np.diff(np.sort(both, 1)[:, -2:]).min())
            rank = np.empty(len(x), int)
            rank[np.argsort(bucket, kind="stable")] = np.arange(len(x))
            chunk, chunks = rank // case.chunk, len(x) // case.chunk
            behind = (chunk[:, None] - chunk[None, :]) % chunks
            seen = (bucket[:, None] == bucket[None, :]) & (j <= i) & (behind <= 1)
            score = np.where(seen, np.where(i == j, -1e5, dots), -np.inf)
            most = score.max(1, keepdims=True)
            e = np.exp(score - most)
            parts.append(e @ v[:, h] / e.sum(1, keepdims=True))
            sums.append(most[:, 0] + np.log(e.sum(1)))
        share = np.exp(sums - np.max(sums, 0))
        out[:, h] = np.einsum("ri,rid->id", share / share.sum(0), np.array(parts))
    return net.linear(out.reshape(len(x), -1), "output.dense")


def fed_forward(net, x):
    return net.linear(gelu(net.linear(net.layer_norm(x, "layer_norm"), "dense.dense")), "output.dense")


def expected(case):
    net, given, margins = Layers(weights(case)), inputs(case), []
    layers = [(net.at(f"encoder.layers.{l}.attention"), net.at(f"encoder.layers.{l}.feed_forward"), philox.mix(case.seed, l))
              for l in range(case.depth)]
    if case.method == "inverse":
        a, b = (given[name].astype(np.float64) for name in ("y1", "y2"))
        for attention, feed, seed in reversed(layers):
            b = b - fed_forward(feed, a)
            a = a - attended(attention, b, seed, case, margins)
        return {"x1": a, "x2": b, "margin": np.full(case.length, min(margins))}
    a = (net["embeddings.word_embeddings.weight"][given["id"]]
         + net["embeddings.position_embeddings.embedding.weight"]).astype(np.float64)
    b = a
    for attention, feed, seed in layers:
        a = a + attended(attention, b, seed, case, margins)
        b = b + fed_forward(feed, a)
    logit = net.linear(net.layer_norm(np.concatenate([a, b], 1), "encoder.layer_norm"), "head")
    return {"logit": logit, "margin": np.full(case.length, min(margins))}
