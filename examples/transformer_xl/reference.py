"""Transformer-XL with nothing but the paper's equations: one segment after the other, each layer over all of what it still
remembers, in float64."""

import numpy as np

import seeds
from layers import Layers, relu, softmax
from system import Case

SYSTEM = "Transformer-XL"
PAPER = "Dai et al., 2019, arXiv:1901.02860"
REFERENCE = "NumPy, written from the paper"
LIVE = True
SMALL = dict(entry="small", words=20, layers=2, dim=16, heads=2, inner=32, memory=7)
ENWIK8 = dict(entry="enwik8", words=204, layers=12, dim=512, heads=8, inner=2048, memory=512)
CASES = {
    "small": Case(**SMALL, method="text", length=5),
    "small_one": Case(**SMALL, length=8),
    "full": Case(**ENWIK8, method="text", length=256),
}
BREAK = "layers.1.dec_attn.r_net.weight"


def weights(case):
    d, heads = case.dim, (case.heads, case.dim // case.heads)
    shapes = {"word_emb.emb_layers.0.weight": (case.words, d), "crit.out_layers.0.bias": (case.words,), "r_w_bias": heads,
              "r_r_bias": heads}
    for l in range(case.layers):
        attention, forward = f"layers.{l}.dec_attn", f"layers.{l}.pos_ff"
        shapes |= {f"{attention}.qkv_net.weight": (3 * d, d), f"{attention}.r_net.weight": (d, d),
                   f"{attention}.o_net.weight": (d, d), f"{forward}.CoreNet.0.weight": (case.inner, d),
                   f"{forward}.CoreNet.0.bias": (case.inner,), f"{forward}.CoreNet.3.weight": (d, case.inner),
                   f"{forward}.CoreNet.3.bias": (d,)}
        shapes |= {f"{part}.layer_norm.{leaf}": (d,) for part in (attention, forward) for leaf in ("weight", "bias")}
    return seeds.weights(shapes)


def inputs(case):
    shape = (3, case.length) if case.method == "text" else (case.length,)
    return {"word": seeds.tokens("word", shape, case.words)}


def attention(net, x, memory, u, v, heads):
    """Equation (1) of section 3.3, head by head: every query with every key that is not behind it."""
    seen = np.concatenate([memory, x])
    length, total, dim = len(x), len(seen), x.shape[1]
    width = dim // heads
    _, k, value = np.split(seen @ net["qkv_net.weight"].T, 3, axis=1)
    q = (x @ net["qkv_net.weight"].T)[:, :dim]
    n = np.arange(total)[:, None] / 10000 ** (2 * np.arange(dim // 2) / dim)
    r = np.concatenate([np.sin(n), np.cos(n)], axis=1) @ net["r_net.weight"].T
    apart = np.arange(length)[:, None] + len(memory) - np.arange(total)[None, :]
    out = []
    for h in range(heads):
        own = slice(h * width, (h + 1) * width)
        score = (q[:, own] + u[h]) @ k[:, own].T
        score += np.take_along_axis((q[:, own] + v[h]) @ r[:, own].T, np.maximum(apart, 0), axis=1)
        out.append(softmax(np.where(apart >= 0, score / np.sqrt(width), -np.inf)) @ value[:, own])
    return net.layer_norm(x + net.linear(np.concatenate(out, axis=1), "o_net"), "layer_norm")


def expected(case):
    net = Layers({name: value.astype(np.float64) for name, value in weights(case).items()})
    word = inputs(case)["word"].reshape(-1, case.length)
    memory, scores = [np.zeros((0, case.dim))] * case.layers, []
    for segment in word:
        h = np.sqrt(case.dim) * net["word_emb.emb_layers.0.weight"][segment]
        for l in range(case.layers):
            layer, before = net.at(f"layers.{l}"), memory[l]
            memory[l] = np.concatenate([before, h])[-case.memory:]
            h = attention(layer.at("dec_attn"), h, before, net["r_w_bias"], net["r_r_bias"], case.heads)
            ff = layer.at("pos_ff")
            h = ff.layer_norm(h + ff.linear(relu(ff.linear(h, "CoreNet.0")), "CoreNet.3"), "layer_norm")
        scores.append(h @ net["word_emb.emb_layers.0.weight"].T + net["crit.out_layers.0.bias"])
    return {"score": np.array(scores) if case.method == "text" else scores[0]}
