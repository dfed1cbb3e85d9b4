"""A language model of characters in NumPy and float64: one character after the other, and beams as lists of Python, each with
the state of its own."""

import numpy as np

import seeds
from layers import sigmoid
from system import Case, Exact, Relative

SYSTEM = "Character LSTM with beam search"
PAPER = "Hochreiter and Schmidhuber, 1997; Graves, 2013, arXiv:1308.0850; Sutskever et al., 2014, arXiv:1409.3215"
REFERENCE = "NumPy, written from the papers"
LIVE = True
SMALL = dict(entry="write_small", chars=13, layers=2, dim=16, beam=3, longest=30)
KARPATHY = dict(entry="write", chars=96, layers=3, dim=512, beam=5, longest=80)
CASES = {
    "small": Case(**SMALL, length=9),
    "small_lines": Case(**SMALL, method="complete", length=4),
    "small_letter": Case(**SMALL, method="complete", length=1),
    "full": Case(**KARPATHY, method="complete", length=40),
    "full_text": Case(**KARPATHY, length=300),
}
COMPARE = {"line": Exact(margin="margin", tie=1e-4, most=0.0), "score": Relative(1e-5)}
BREAK = "rnn.1.weight_hh_l0"


def weights(case):
    shapes = {"embed.weight": (case.chars, case.dim), "head.weight": (case.chars, case.dim), "head.bias": (case.chars,)}
    for l in range(case.layers):
        shapes |= {f"rnn.{l}.weight_{part}_l0": (4 * case.dim, case.dim) for part in ("ih", "hh")}
        shapes |= {f"rnn.{l}.bias_{part}_l0": (4 * case.dim,) for part in ("ih", "hh")}
    tensors = seeds.weights(shapes)
    for name, value in tensors.items():
        if name.startswith("rnn"):
            value *= np.float32(2 if value.ndim == 2 else 0.1)
    tensors["head.weight"] *= np.float32(4)  # so that characters differ
    tensors["head.bias"][0] += np.float32(END[case.entry])
    return tensors


END = {"write_small": 0.7, "write": 2.5}  # lines end now and then


def inputs(case):
    return {"text": seeds.tokens("text", (case.length,), case.chars)}


def advance(w, char, state):
    """One character: what follows it, and the state behind it."""
    x, after = w["embed.weight"][char], []
    for l, (h, c) in enumerate(state):
        own = lambda part: w[f"rnn.{l}.{part}_l0"]
        gates = own("weight_ih") @ x + own("bias_ih") + own("weight_hh") @ h + own("bias_hh")
        enter, keep, fresh, leave = np.split(gates, 4)
        c = sigmoid(keep) * c + sigmoid(enter) * np.tanh(fresh)
        x = sigmoid(leave) * np.tanh(c)
        after.append((x, c))
    logit = w["head.weight"] @ x + w["head.bias"]
    top = logit.max()
    return logit - top - np.log(np.exp(logit - top).sum()), after


def search(w, logp, state, beam, longest):
    """The lines, their sums, and how far the nearest choice of them was from another."""
    beams, margin = [(0.0, [], logp, state)], np.inf
    for _ in range(longest):
        grown = []
        for number, (total, line, logp, state) in enumerate(beams):
            if line and line[-1] == 0:
                grown.append((total, number, 0, None))
            else:
                grown += [(total + logp[char], number, char, state) for char in range(len(logp))]
        grown.sort(key=lambda g: (-g[0], g[1], g[2]))
        margin = min([margin] + [a[0] - b[0] for a, b in zip(grown[:beam], grown[1:])])
        beams = [(total, beams[number][1] + [char], *(advance(w, char, state) if state and char != 0 else (None, None)))
                 for total, number, char, state in grown[:beam]]
        if len(beams) == beam and all(line[-1] == 0 for _, line, _, _ in beams):
            break
    return [line for _, line, _, _ in beams], [total for total, _, _, _ in beams], margin


def expected(case):
    w = {name: value.astype(np.float64) for name, value in weights(case).items()}
    zero = np.zeros(case.dim)
    state, seen = [(zero, zero)] * case.layers, []
    for char in inputs(case)["text"]:
        logp, state = advance(w, char, state)
        seen.append(logp)
    if case.method == "forward":
        return {"logp": np.array(seen)}
    line, score, margin = search(w, logp, state, case.beam, case.longest)
    return {"line": np.array(line), "score": np.array(score), "margin": np.full(case.beam, margin)}
