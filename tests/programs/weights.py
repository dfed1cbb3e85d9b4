"""The weights of a model as one value: arithmetic, calls with other weights, recurrences over them, against NumPy by both back
ends.

Usage: weights.py WEFT
"""

import sys

import numpy as np

from program_case import check

MODEL = """weft 0.1
import std.linear: Linear

model Mlp(din: int, dout: int; hidden: int = 4) {
  layers: [Linear(din if l == 0 else hidden, hidden) for l in 0..2]
  out as "head": Linear(hidden, dout, use_bias = false)
  param scale: float = 1
  forward(x: float[B, din]) -> y: float[B, dout] {
    h = x
    for l in layers { h = maximum(l(h), 0) }
    z = out(h)
    y = scale * z
  }
  loss(x: float[B, din], t: float[B, dout]) -> l: float {
    y = forward(x)
    l = mean(b, o) (y[b, o] - t[b, o])^2
  }
}
"""
SHAPES = {"layers.0.weight": (4, 3), "layers.0.bias": (4,), "layers.1.weight": (4, 4), "layers.1.bias": (4,),
          "head.weight": (2, 4), "scale": ()}


class Weights(dict):
    """Leaf by leaf, as a record."""

    def by_leaf(self, other, function):
        values = other if isinstance(other, Weights) else {name: other for name in self}
        return Weights({name: np.float32(function(self[name], values[name])) for name in self})

    def __add__(self, other):
        return self.by_leaf(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self.by_leaf(other, lambda a, b: a - b)

    def __mul__(self, other):
        return self.by_leaf(other, lambda a, b: a * b)

    def total(self):
        return sum(value.sum(dtype=np.float64) for value in self.values())

    def flat(self):
        return np.concatenate([np.ravel(value) for value in self.values()])


def draw(rng):
    return Weights({name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()})


def forward(w, x):
    for layer in "01":
        x = np.maximum(x @ w[f"layers.{layer}.weight"].T + w[f"layers.{layer}.bias"], 0)
    return w["scale"] * (x @ w["head.weight"].T)


def loss(w, x, t):
    return ((forward(w, x) - t) ** 2).mean()


def files(**models):
    return {f"{name}.{path}": value for name, w in models.items() for path, value in w.items()}


def real(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def arithmetic(weft, rng):
    """Records, their leaves, fields and rows, and calls with them."""
    text = MODEL + """
op shrunk(w: float[..S], by: float[..S], rate: float) -> y: float[..S], gone: float[..S] {
  gone = rate * by
  y = w - gone
}
entry e {
  dim B in 1..8
  a: Mlp(3, 2)
  b: Mlp(3, 2)
  forward(x: f32[B, 3], t: f32[B, 2], r: f32) -> s: f32, y: f32[B, 2], z: f32[B, 2], flat: f32[45], l: f32,
      first: f32[4, 3], own: f32, norms: f32[6], c: f32, gone: f32[45], held: f32[B, 2] {
    w = a.params
    s = total(w * w)
    slow = r * w + (1 - r) * b.params
    y = a(x; slow)
    flat = flatten(slow)
    z = b(x; unflatten(2 * flat, like = w))
    l = a.loss(x, t; a.params - 0.1 * b.params)
    first = slow.layers[0].weight
    own = slow.out.weight[1, 2] + w.scale + len(leaves(w)) + total(a.layers.params)
    norms = [total(abs(p)) for p in leaves(w)]
    both = concat([w.layers[0], w.layers[0]])
    c = total(both)
    less, past = shrunk(w, b.params, r)
    gone = flatten(past)
    held = a(x; less)
  }
}
"""
    a, b = draw(rng), draw(rng)
    x, t, r = real(rng, 5, 3), real(rng, 5, 2), np.float32(0.3)
    slow = a * r + b * (1 - r)
    layers = sum(a[name].sum() for name in a if name.startswith("layers"))
    wanted = {"s": (a * a).total(), "y": forward(slow, x), "z": forward(slow * np.float32(2), x), "flat": slow.flat(),
              "l": loss(a - b * np.float32(0.1), x, t), "first": slow["layers.0.weight"],
              "own": slow["head.weight"][1, 2] + a["scale"] + 6 + layers,
              "norms": np.array([np.abs(value).sum() for value in a.values()]),
              "c": 2 * (a["layers.0.weight"].sum() + a["layers.0.bias"].sum()), "gone": (b * r).flat(),
              "held": forward(a - b * r, x)}
    return check(weft, "arithmetic", text, {"x": x, "t": t, "r": r}, wanted, weights=files(a=a, b=b))


def each_its_own(weft, rng):
    """Under an index and in the steps of a loop: weights that differ for every value of the index."""
    text = MODEL + """
entry e {
  dim K in 1..4, B in 1..8
  a: Mlp(3, 2)
  b: Mlp(3, 2)
  forward(x: f32[K, B, 3], t: f32[K, B, 2], r: f32) -> inner: f32[3, K], last: f32, far: f32, w1: f32[K, 4, 4] {
    rec s < 3 {
      inner[s, k] = a.loss(x[k], t[k]; phi[s-1, k])
      phi[s, k] = phi[s-1, k] - (r * inner[s, k]) * b.params
    } from phi[-1, k < K] = a.params
    last = mean(k) a.loss(x[k], t[k]; phi[2, k])
    far = total(mean(k) phi[2, k])
    w1 = phi[2].layers[1].weight
  }
}
"""
    a, b = draw(rng), draw(rng) * np.float32(0.1)
    x, t, r = real(rng, 3, 5, 3), real(rng, 3, 5, 2), np.float32(0.1)
    phi, inner = [a] * 3, []
    for _ in range(3):
        inner.append([loss(w, *pair) for w, *pair in zip(phi, x, t)])
        phi = [w - b * np.float32(r * l) for w, l in zip(phi, inner[-1])]
    wanted = {"inner": np.array(inner), "last": np.mean([loss(w, *pair) for w, *pair in zip(phi, x, t)]),
              "far": np.mean([w.total() for w in phi]), "w1": np.array([w["layers.1.weight"] for w in phi])}
    return check(weft, "each its own", text, {"x": x, "t": t, "r": r}, wanted, weights=files(a=a, b=b))


def in_signatures(weft, rng):
    """As inputs and outputs of methods and programs, as states of a loop that begin with a number, and until it is enough."""
    text = MODEL + """
model Search() {
  net: Mlp(3, 2)
  /// Goes from the weights towards `goal`, until it is near.
  near(x: f32[B, 3], goal: net.params, rate: f32) -> y: f32[B, 2], moved: net.params, steps: int {
    rec s < T <= 30 {
      pull[s] = goal - (net.params + v[s-1])
      v[s] = v[s-1] + rate * pull[s]
      w[s] = net.params + v[s]
    } from v[-1]: net.params = 0
      until total(pull[s] * pull[s]) < 0.5
    y = net(x; w[T-1])
    moved = v[T-1]
    steps = T
  }
  inside(x: f32[B, 3]) -> y: f32[B, 2] { y = net(x) }
}
entry e {
  dim B in 1..8
  search as "": Search()
  forward(x: f32[B, 3], goal: search.net.params, rate: f32)
      -> y: f32[B, 2], moved: search.net.params, steps: int, z: f32[B, 2] {
    y, moved, steps = search.near(x, goal, rate)
    whole = search.params
    z = search.inside(x; 2 * whole)
  }
}
"""
    w, goal, x, rate = draw(rng), draw(rng), real(rng, 4, 3), np.float32(0.4)
    v, steps = w * np.float32(0), 0
    while True:
        pull = goal - (w + v)
        v, steps = v + pull * rate, steps + 1
        if (pull * pull).total() < 0.5:
            break
    assert 2 < steps < 30
    names = {name: name.replace("head", "out") for name in SHAPES}
    inputs = {"x": x, "rate": rate, **{f"goal.{name}": value for name, value in goal.items()}}
    wanted = {"y": forward(w + v, x), "steps": np.int64(steps), "z": forward(w * np.float32(2), x),
              **{f"moved.{names[name]}": value for name, value in v.items()}}
    return check(weft, "in signatures", text, inputs, wanted, weights=files(net=w))


def main():
    rng = np.random.default_rng(11)
    problems = []
    for case in (arithmetic, each_its_own, in_signatures):
        problems += case(sys.argv[1], rng)
    print("\n".join(problems) or "weights as values agree with NumPy")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
