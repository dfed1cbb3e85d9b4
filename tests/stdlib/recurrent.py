"""Recurrent layers, one step after the other."""

import numpy as np

ENTRY = """weft 0.1

import std.rnn: BidirectionalLstm, ConvLstm, Gru, Lstm, Rnn

entry recurrent {
  dim T in 1..12, B in 1..4, H in 1..9, W in 1..9
  plain: Rnn(5, 7)
  long: Lstm(5, 7)
  gated: Gru(5, 7)
  both: BidirectionalLstm(5, 7)
  maps: ConvLstm(3, 4, 3)

  rnn(x: f32[T, B, 5], h: f32[B, 7]) -> y: f32[T, B, 7] { y = plain(x, h) }
  lstm(x: f32[T, B, 5], h: f32[B, 7], c: f32[B, 7]) -> y: f32[T, B, 7] { y, _ = long(x, h, c) }
  lstm_last(x: f32[T, B, 5], h: f32[B, 7], c: f32[B, 7]) -> y: f32[B, 7] { _, last = long(x, h, c)  y = last }
  gru(x: f32[T, B, 5], h: f32[B, 7]) -> y: f32[T, B, 7] { y = gated(x, h) }
  bidirectional(x: f32[T, B, 5], h: f32[2, B, 7], c: f32[2, B, 7]) -> y: f32[T, B, 14] { y = both(x, h, c) }
  conv_lstm(x: f32[T, B, 3, H, W], h: f32[B, 4, H, W], c: f32[B, 4, H, W]) -> y: f32[T, B, 4, H, W] { y, _ = maps(x, h, c) }
  conv_lstm_last(x: f32[T, B, 3, H, W], h: f32[B, 4, H, W], c: f32[B, 4, H, W]) -> y: f32[B, 4, H, W] { _, last = maps(x, h, c)  y = last }
}
"""

RNG = np.random.default_rng(11)


def weight(*shape):
    return (RNG.standard_normal(shape) * 0.4).astype(np.float32)


def layer(gates):
    return {"weight_ih_l0": weight(gates * 7, 5), "weight_hh_l0": weight(gates * 7, 7), "bias_ih_l0": weight(gates * 7),
            "bias_hh_l0": weight(gates * 7)}


PLAIN, LONG, GATED, LEFT, RIGHT = layer(1), layer(4), layer(3), layer(4), layer(4)
MAPS = {"conv.weight": weight(16, 7, 3, 3), "conv.bias": weight(16)}
WEIGHTS = {f"{name}.{key}": value for name, part in
           {"plain": PLAIN, "long": LONG, "gated": GATED, "both.forwards": LEFT, "both.backwards": RIGHT,
            "maps": MAPS}.items() for key, value in part.items()}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def products(x, h, w):
    """What the input and what the past add to the gates."""
    w = {key: value.astype(np.float64) for key, value in w.items()}
    return x @ w["weight_ih_l0"].T + w["bias_ih_l0"], h @ w["weight_hh_l0"].T + w["bias_hh_l0"]


def rnn(x, h):
    y = []
    for step in x:
        h = np.tanh(sum(products(step, h, PLAIN)))
        y.append(h)
    return np.array(y)


def lstm_steps(x, h, c, w):
    y = []
    for step in x:
        i, f, g, o = np.split(sum(products(step, h, w)), 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        y.append(h)
    return np.array(y), c


def lstm(x, h, c):
    return lstm_steps(x, h, c, LONG)[0]


def lstm_last(x, h, c):
    return lstm_steps(x, h, c, LONG)[1]


def gru(x, h):
    y = []
    for step in x:
        (r, z, n), (r2, z2, n2) = (np.split(part, 3, axis=-1) for part in products(step, h, GATED))
        update = sigmoid(z + z2)
        h = (1 - update) * np.tanh(n + sigmoid(r + r2) * n2) + update * h
        y.append(h)
    return np.array(y)


def bidirectional(x, h, c):
    left, _ = lstm_steps(x, h[0], c[0], LEFT)
    right, _ = lstm_steps(x[::-1], h[1], c[1], RIGHT)
    return np.concatenate([left, right[::-1]], axis=-1)


def convolved(x, w, b):
    """A 3 x 3 convolution with zeros around, one tap at a time."""
    around = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = np.zeros((len(x), len(w), *x.shape[2:])) + b[:, None, None]
    for r, s in np.ndindex(3, 3):
        y += np.einsum("nchw,kc->nkhw", around[:, :, r:r + x.shape[2], s:s + x.shape[3]], w[:, :, r, s].astype(np.float64))
    return y


def conv_lstm_steps(x, h, c):
    y = []
    for step in x:
        i, f, g, o = np.split(convolved(np.concatenate([step, h], 1), MAPS["conv.weight"], MAPS["conv.bias"]), 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        y.append(h)
    return np.array(y), c


def conv_lstm(x, h, c):
    return conv_lstm_steps(x, h, c)[0]


def conv_lstm_last(x, h, c):
    return conv_lstm_steps(x, h, c)[1]


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def drawn(steps, batch, *before, cell):
    """Draws x, h and, for a layer with a cell, c; `before`: axes in front of the batch of the states."""
    def draw(rng):
        states = ("h", "c") if cell else ("h",)
        return {"x": normal(rng, steps, batch, 5), **{name: normal(rng, *before, batch, 7) for name in states}}
    return draw


def drawn_maps(steps, batch, rows, columns):
    def draw(rng):
        return {"x": normal(rng, steps, batch, 3, rows, columns),
                **{name: normal(rng, batch, 4, rows, columns) for name in ("h", "c")}}
    return draw


SIZES = [(1, 1), (7, 2), (12, 4)]
CASES = {
    "rnn": [drawn(*size, cell=False) for size in SIZES],
    "lstm": [drawn(*size, cell=True) for size in SIZES],
    "lstm_last": [drawn(*size, cell=True) for size in SIZES],
    "gru": [drawn(*size, cell=False) for size in SIZES],
    "bidirectional": [drawn(*size, 2, cell=True) for size in SIZES],
    "conv_lstm": [drawn_maps(1, 1, 1, 1), drawn_maps(5, 2, 7, 4), drawn_maps(12, 1, 1, 9)],
    "conv_lstm_last": [drawn_maps(3, 2, 9, 9)],
}
