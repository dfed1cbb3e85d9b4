"""Recurrences that end early, compiled by both back ends, against loops in NumPy; how many steps are made is counted from
profiles. Usage: until.py WEFT [--full]"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from program_case import BACKENDS, check, difference, run


def entry(signature, body, declarations=""):
    return f"weft 0.1\n{declarations}\nentry e {{\n  {signature} {{\n{body}\n  }}\n}}\n"


NEWTON = entry(
    "forward(a: f32[6], least: f32) -> x: f32[K <= 40, 6], n: int, root: f32[6]",
    """    rec x[k < K <= 40, i] = (x[k-1, i] + a[i] / x[k-1, i]) / 2 from x[-1] = a
      until all(i) abs(x[k, i]^2 - a[i]) < least
    n = K
    root = x[K-1]""",
)


def newton_steps(a, least, most):
    x, steps = a.astype(np.float32), []
    for _ in range(most):
        x = (x + a / x) / np.float32(2)
        steps.append(x)
        if (np.abs(x * x - a) < least).all():
            break
    return np.array(steps)


def single_form(weft, rng):
    """One head, a bound that is met, one that is not, and one step alone."""
    a = rng.uniform(0.5, 900, 6).astype(np.float32)
    problems = []
    for title, least in (("found", 1e-2), ("never", -1.0), ("at once", 1e9)):
        x = newton_steps(a, np.float32(least), 40)
        wanted = {"x": x, "n": np.int64(len(x)), "root": x[-1]}
        problems += check(weft, f"single form, {title}", NEWTON, {"a": a, "least": np.float32(least)}, wanted)
    return problems


def several_states(weft, rng):
    """A bound that is a run-time size, the whole history, a second loop over what was found, sums, and data's lists."""
    x = rng.normal(size=(9, 4)).astype(np.float32)
    text = entry(
        "dim T in 1..50\n  forward(x: f32[T, 4], far: f32) -> s: f32[L <= T, 4], back: f32[L], late: int[M <= T], total: f32, w: f32[L]",
        """    rec t < L <= T {
      s[t, d] = s[t-1, d] + x[t, d]
      r[t] = max(d) abs(s[t, d])
      w[t] = r[t] - (sum(j < t) w[j]) / 8
    } from s[-1, d < 4] = 0 until r[t] > far
    rec back[t < L] = 0.5 * back[t+1] + r[t] from back[L] = 1
    late = filter(t) r[t] > far / 2
    total = (sum(t, d) s[t, d]) + r[L-1]""",
    )
    problems = []
    for far in (2.5, 100.0):
        s, r, w = [], [], []
        for t in range(9):
            s.append((s[-1] if s else np.zeros(4, np.float32)) + x[t])
            r.append(np.abs(s[-1]).max())
            w.append(r[-1] - sum(w) / 8)
            if r[-1] > far:
                break
        back, state = [], 1.0
        for value in reversed(r):
            state = 0.5 * state + value
            back.append(state)
        wanted = {"s": np.array(s), "back": np.array(back[::-1]), "w": np.array(w), "total": np.sum(s) + r[-1]}
        wanted["late"] = np.flatnonzero(np.array(r) > far / 2)
        problems += check(weft, f"several states, {far}", text, {"x": x, "far": np.float32(far)}, wanted)
    return problems


def under_indices(weft, rng):
    """An op that finds its number of steps and gives none of it, called for every row."""
    a = rng.uniform(0.5, 5000, (2, 7)).astype(np.float32)
    text = entry(
        "dim B in 1..8\n  forward(a: f32[B, 7]) -> y: f32[B, 7], n: int[B, 7], mean_of: f32[B, 7]",
        "    y[b, i], n[b, i], mean_of[b, i] = root(a[b, i])",
        """
op root(a: float) -> y: float, n: int, mean_of: float {
  rec k < K <= 30 { x[k] = (x[k-1] + a / x[k-1]) / 2 } from x[-1] = a until abs(x[k]^2 - a) < 0.01
  y = x[K-1]
  n = K
  mean_of = mean(k) x[k]
}""",
    )
    y, n, mean_of = np.zeros((2, 7)), np.zeros((2, 7), np.int64), np.zeros((2, 7))
    for at in np.ndindex(2, 7):
        steps = newton_steps(a[at], 0.01, 30)
        y[at], n[at], mean_of[at] = steps[-1], len(steps), steps.mean(dtype=np.float64)
    return check(weft, "under indices", text, {"a": a}, {"y": y, "n": n, "mean_of": mean_of})


def launches(weft, text, inputs, outputs, backend, folder):
    """How often each kernel runs in one run of the program, by the name that the profile has."""
    rounds = 10  # of the program, by a profile
    trace = folder / "trace.json"
    run(weft, text, inputs, outputs, "--profile", trace, backend=backend, folder=folder)
    counts = {}
    for event in json.loads(trace.read_text())["traceEvents"]:
        if event.get("ph") == "X":
            counts[event["name"]] = counts.get(event["name"], 0) + 1
    return {name: count // rounds for name, count in counts.items()}


def steps_are_not_made(weft, rng):
    """What is not reached costs nothing: the launches of a step are as many as its steps."""
    text = entry(
        "forward(x: f32[64], w: f32[64, 64], far: f32) -> h: f32[T <= 1000, 64]",
        """    rec h[t < T <= 1000, i] = tanh(0.2 * h[t-1, i] + sum(j) w[i, j] * h[t-1, j]) from h[-1] = x
      until (max(i) h[t, i]) > far""",
    )
    x = rng.normal(size=64).astype(np.float32) / 9
    w = rng.normal(size=(64, 64)).astype(np.float32) / 8
    problems = []
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            inputs = {"x": x, "w": w, "far": np.float32(0.8)}
            counts = launches(weft, text, inputs, ["h"], backend, folder)
            steps = len(np.load(folder / "h_out.npy"))
        if not 20 < steps < 60:
            problems.append(f"{backend}: this test wants a few steps, not {steps}")
        if sum(counts.values()) > 3 * steps + 3 or max(counts.values()) != steps:
            problems.append(f"{backend}: {steps} steps by {counts}")
    return problems


# ---- Beam search (an LSTM language model) and adaptive computation time, as their papers have them.

LSTM = """weft 0.1
import std.linear: Linear, Embedding
import std.activation: sigmoid
import std.softmax: log_softmax

model LstmCell(din: int, dim: int) {
  param weight_ih: float[4*dim, din]
  param weight_hh: float[4*dim, dim]
  param bias_ih: float[4*dim]
  param bias_hh: float[4*dim]
  gates(x: float[..S, din]) -> g: float[..S, 4, dim] {
    g[..s, k, d] = bias_ih[(k, d)] + bias_hh[(k, d)] + sum(i) x[..s, i] * weight_ih[(k, d), i]
  }
  step(g: float[B, 4, dim], h: float[B, dim], c: float[B, dim]) -> h2: float[B, dim], c2: float[B, dim] {
    a[b, k, d] = g[b, k, d] + sum(j) h[b, j] * weight_hh[(k, d), j]
    c2[b, d] = sigmoid(a[b, 1, d]) * c[b, d] + sigmoid(a[b, 0, d]) * tanh(a[b, 2, d])
    h2[b, d] = sigmoid(a[b, 3, d]) * tanh(c2[b, d])
  }
}

model LanguageModel(vocab: int, dim: int, layers: int) {
  embed: Embedding(vocab, dim)
  cells: [LstmCell(dim, dim); layers]
  head: Linear(dim, vocab)

  advance(x: f32[B, dim], h: f32[layers, B, dim], c: f32[layers, B, dim]) -> y, h2, c2 {
    y = x
    h2 = []
    c2 = []
    for l, cell in enumerate(cells) {
      y, memory = cell.step(cell.gates(y), h[l], c[l])
      h2 = h2 ++ [y]
      c2 = c2 ++ [memory]
    }
  }

  search(start: int in 0..vocab; beam: int = 5, longest: int = 40, eos: int = 2)
      -> token: int[beam, L <= longest], score: f32[beam] {
    rec t < L <= longest {
      y[t], h1[t], c1[t] = advance(embed(tok[t-1]), h[t-1], c[t-1])
      next_word[t, b] = log_softmax(head(y[t, b]))
      cand[t, b, v] = total[t-1, b] + ((0 if v == eos else -inf) if done[t-1, b] else next_word[t, b, v])
      parent[t], tok[t] = topk(b, v; beam) cand[t, b, v]
      total[t, k] = cand[t, parent[t, k], tok[t, k]]
      done[t, k] = tok[t, k] == eos or done[t-1, parent[t, k]]
      h[t, l, k] = h1[t, l, parent[t, k]]
      c[t, l, k] = c1[t, l, parent[t, k]]
    } from tok[-1, b < beam] = start,
           total[-1, b < beam] = 0 if b == 0 else -inf,
           done[-1, b < beam] = false,
           h[-1, l < layers, b < beam, d < dim] = 0,
           c[-1, l < layers, b < beam, d < dim] = 0
      until all(k) done[t, k]
    rec slot[t < L, b < beam] = parent[t, slot[t+1, b]] from slot[L, b < beam] = b
    token[b, t] = tok[t, slot[t+1, b]]
    score = total[L-1]
  }
}

entry write {
  net: LanguageModel(VOCAB, DIM, 2)
  forward(start: int in 0..VOCAB) -> token: int[BEAM, L <= 40], score: f32[BEAM] {
    token, score = net.search(start, beam = BEAM)
  }
}
"""


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def beam_search(w, start, beam, longest, eos=2, layers=2):
    """Beams as lists of Python, each with its own state."""
    dim = w["embed.weight"].shape[1]
    zero = [(np.zeros(dim), np.zeros(dim)) for _ in range(layers)]
    beams = [(0.0, [], zero, False)]
    for _ in range(longest):
        grown = []
        for number, (total, words, state, done) in enumerate(beams):
            if done:
                grown.append((total, number, eos, words + [eos], state, True))
                continue
            y, after = w["embed.weight"][words[-1] if words else start], []
            for layer, (h, c) in enumerate(state):
                part = lambda name: w[f"cells.{layer}.{name}"]
                a = part("weight_ih") @ y + part("bias_ih") + part("weight_hh") @ h + part("bias_hh")
                i, f, g, o = np.split(a, 4)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                y = sigmoid(o) * np.tanh(c)
                after.append((y, c))
            logit = w["head.weight"] @ y + w["head.bias"]
            logp = logit - logit.max() - np.log(np.exp(logit - logit.max()).sum())
            for word in range(len(logp)):
                grown.append((total + logp[word], number, word, words + [word], after, word == eos))
        grown.sort(key=lambda g: (-g[0], g[1], g[2]))
        beams = [(total, words, state, done) for total, _, _, words, state, done in grown[:beam]]
        if len(beams) == beam and all(done for _, _, _, done in beams):
            break
    return np.array([words for _, words, _, _ in beams]), np.array([total for total, _, _, _ in beams])


def search_weights(rng, vocab, dim):
    """Scaled so that words differ, and one that ends is likely sometimes."""
    w = {"embed.weight": rng.normal(size=(vocab, dim)) * 2}
    for layer in range(2):
        for part in ("ih", "hh"):
            w[f"cells.{layer}.weight_{part}"] = rng.normal(size=(4 * dim, dim)) * 4 / np.sqrt(dim)
            w[f"cells.{layer}.bias_{part}"] = rng.normal(size=4 * dim) * 0.1
    w["head.weight"] = rng.normal(size=(vocab, dim)) * 6 / np.sqrt(dim)
    w["head.bias"] = rng.normal(size=vocab) * 0.1
    w["head.bias"][2] += 0.6 * np.log(vocab)
    return {name: value.astype(np.float32) for name, value in w.items()}


def beams_of(weft, vocab, dim, beam, starts, least_lengths):
    text = LSTM.replace("VOCAB", str(vocab)).replace("DIM", str(dim)).replace("BEAM", str(beam))
    weights = search_weights(np.random.default_rng(4), vocab, dim)
    wide = {name: value.astype(np.float64) for name, value in weights.items()}
    problems, lengths = [], set()
    for start in starts:
        token, score = beam_search(wide, start, beam, 40)
        lengths.add(token.shape[1])
        problems += check(weft, f"beams from {start}", text, {"start": np.int64(start)}, {"token": token, "score": score},
                          tolerance=1e-4, weights=weights)
    if len(lengths) < least_lengths:
        problems.append(f"beam search: this test wants searches of several lengths, not {lengths}")
    return problems


def lstm_beams(weft, rng):
    return beams_of(weft, 19, 8, 3, (0, 5, 11), 3)


ACT = """weft 0.1
import std.linear: Linear
import std.activation: sigmoid

model ActRnn(din: int, dim: int, dout: int; most: int = 20, eps: float = 0.01) {
  input: Linear(din + 1, dim)
  recur: Linear(dim, dim)
  halt: Linear(dim, 1)
  output: Linear(dim, dout)

  ponder(x: float[din], s0: float[dim]) -> s: float[dim], y: float[dout], cost: float {
    rec n < N <= most {
      flag[n] = 1 if n == 0 else 0
      h[n] = tanh(input(concat([x, [flag[n]]])) + recur(h[n-1]))
      p[n] = sigmoid(halt(h[n])[0])
      before[n] = before[n-1] + (p[n-1] else 0)
    } from h[-1] = s0, before[-1] = 0
      until before[n] + p[n] >= 1 - eps
    w[n] = p[n] if n < N - 1 else 1 - before[n]
    s[d] = sum(n) w[n] * h[n, d]
    y[o] = sum(n) w[n] * output(h[n])[o]
    cost = N + w[N-1]
  }

  forward(x: float[T, B, din]) -> y: float[T, B, dout], cost: float {
    rec t {
      s[t, b], y[t, b], c[t, b] = ponder(x[t, b], s[t-1, b])
    } from s[-1, b < B, d < dim] = 0
    cost = mean(t, b) c[t, b]
  }
}

entry think {
  dim T in 1..100, B in 1..64
  net: ActRnn(DIN, DIM, DOUT)
  forward(x: f32[T, B, DIN]) -> y: f32[T, B, DOUT], cost: f32 { y, cost = net(x) }
}
"""


def act(w, x, eps=0.01, most=20):
    steps, batch, _ = x.shape
    s = np.zeros((batch, w["recur.weight"].shape[0]))
    ys, costs = [], []
    for t in range(steps):
        row = []
        for b in range(batch):
            h, before, ps, hs = s[b], 0.0, [], []
            for n in range(most):
                given = np.append(x[t, b], float(n == 0))
                h = np.tanh(w["input.weight"] @ given + w["input.bias"] + w["recur.weight"] @ h + w["recur.bias"])
                p = sigmoid(w["halt.weight"] @ h + w["halt.bias"])[0]
                hs.append(h)
                ps.append(p)
                if sum(ps) >= 1 - eps:
                    break
            ps[-1] = 1 - sum(ps[:-1])
            s[b] = sum(p * h for p, h in zip(ps, hs))
            row.append(sum(p * (w["output.weight"] @ h + w["output.bias"]) for p, h in zip(ps, hs)))
            costs.append(len(ps) + ps[-1])
        ys.append(row)
    return np.array(ys), np.mean(costs)


def ponders(weft, rng, sizes=(3, 6, 2), shape=(4, 3)):
    din, dim, dout = sizes
    w = {}
    for name, (rows, columns) in {"input": (dim, din + 1), "recur": (dim, dim), "halt": (1, dim), "output": (dout, dim)}.items():
        w[f"{name}.weight"] = (rng.normal(size=(rows, columns)) / np.sqrt(columns)).astype(np.float32)
        w[f"{name}.bias"] = (rng.normal(size=rows) / 4).astype(np.float32)
    w["halt.weight"] *= 6
    w["halt.bias"] -= 1
    x = rng.normal(size=(*shape, din)).astype(np.float32)
    text = ACT
    for name, size in (("DIN", din), ("DIM", dim), ("DOUT", dout)):
        text = text.replace(name, str(size))
    y, cost = act({name: value.astype(np.float64) for name, value in w.items()}, x.astype(np.float64))
    return check(weft, "adaptive computation time", text, {"x": x}, {"y": y, "cost": cost}, tolerance=1e-4, weights=w)


UNIVERSAL = """weft 0.1
import std.linear: Linear
import std.activation: sigmoid
import std.transformer: Block

op wave(at: int, d: int; dim: int) -> w: f32 {
  angle = at / 10000^((d - d % 2) / dim)
  w = sin(angle) if d % 2 == 0 else cos(angle)
}

model UniversalEncoder(dim: int, heads: int; most: int = 8, eps: float = 0.01) {
  block: Block(dim, heads)
  halt: Linear(dim, 1)
  forward(x: f32[L, dim]) -> y: f32[L, dim], ponder: f32 {
    rec k < K <= most {
      p[k, l] = sigmoid(halt(h[k-1, l])[0])
      stop_now[k, l] = spent[k-1, l] + p[k, l] > 1 - eps or k == most - 1
      w[k, l] = 0 if halted[k-1, l] else 1 - spent[k-1, l] if stop_now[k, l] else p[k, l]
      seen[k, l, d] = h[k-1, l, d] + wave(l, d, dim = dim) + wave(k, d, dim = dim)
      new[k] = block(seen[k])
      h[k, l, d] = h[k-1, l, d] if halted[k-1, l] else new[k, l, d]
      spent[k, l] = spent[k-1, l] + w[k, l]
      halted[k, l] = halted[k-1, l] or stop_now[k, l]
    } from h[-1] = x, spent[-1, l < L] = 0, halted[-1, l < L] = false
      until all(l) halted[k, l]
    y[l, d] = sum(k) w[k, l] * h[k, l, d]
    ponder = mean(l) ((sum(k) w[k, l]) + count(k) w[k, l] > 0)
  }
}

entry encode {
  dim L in 1..32
  net: UniversalEncoder(DIM, 2)
  forward(x: f32[L, DIM]) -> y: f32[L, DIM], ponder: f32 { y, ponder = net(x) }
}
"""


def gelu(x):
    from math import erf

    return x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2


def universal(w, x, heads=2, most=8, eps=0.01):
    length, dim = x.shape

    def norm(z, name):
        z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)
        return z * w[f"block.{name}.weight"] + w[f"block.{name}.bias"]

    linear = lambda z, name: z @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def block(z):
        q, k, v = np.split(linear(norm(z, "norm1"), "block.attn.qkv"), 3, axis=1)
        out = []
        for part in np.split(np.arange(dim), heads):
            score = q[:, part] @ k[:, part].T / np.sqrt(len(part))
            p = np.exp(score - score.max(1, keepdims=True))
            out.append(p / p.sum(1, keepdims=True) @ v[:, part])
        z = z + linear(np.concatenate(out, 1), "block.attn.proj")
        return z + linear(gelu(linear(norm(z, "norm2"), "block.fc1")), "block.fc2")

    def wave(at):
        d = np.arange(dim)
        angle = np.asarray(at)[..., None] / 10000 ** ((d - d % 2) / dim)
        return np.where(d % 2 == 0, np.sin(angle), np.cos(angle))

    h, spent, halted = x, np.zeros(length), np.zeros(length, bool)
    y, remainder, count = np.zeros_like(x), np.zeros(length), np.zeros(length)
    for k in range(most):
        p = sigmoid(linear(h, "halt")[:, 0])
        stop = (spent + p > 1 - eps) | (k == most - 1)
        now = np.where(halted, 0, np.where(stop, 1 - spent, p))
        after = block(h + wave(np.arange(length)) + wave(k))
        h = np.where(halted[:, None], h, after)
        y += now[:, None] * h
        remainder += now
        count += now > 0
        spent, halted = spent + now, halted | stop
        if halted.all():
            break
    return y, (remainder + count).mean(), k + 1


def halts(weft, rng, dim=8, length=5):
    shapes = {"block.norm1": (dim,), "block.attn.qkv": (3 * dim, dim), "block.attn.proj": (dim, dim), "block.norm2": (dim,),
              "block.fc1": (4 * dim, dim), "block.fc2": (dim, 4 * dim), "halt": (1, dim)}
    w = {}
    for name, shape in shapes.items():
        w[f"{name}.weight"] = (rng.normal(size=shape) / np.sqrt(shape[-1])).astype(np.float32)
        w[f"{name}.bias"] = (rng.normal(size=shape[0]) / 4).astype(np.float32)
    w["halt.weight"] *= 4
    w["halt.bias"] += 8  # most positions halt after a few steps
    wide = {name: value.astype(np.float64) for name, value in w.items()}
    problems, counts = [], set()
    for scale in (0.3, 3.0):
        x = (scale * rng.normal(size=(length, dim))).astype(np.float32)
        y, ponder, steps = universal(wide, x.astype(np.float64))
        counts.add(steps)
        problems += check(weft, f"universal encoder, {steps} steps", UNIVERSAL.replace("DIM", str(dim)), {"x": x},
                          {"y": y, "ponder": ponder}, tolerance=1e-4, weights=w)
    if min(counts) == 8:
        problems.append("universal encoder: this test wants a run that ends before the bound")
    return problems


def main():
    weft = sys.argv[1]
    problems = []
    if "--full" in sys.argv:
        problems += beams_of(weft, 10000, 650, 5, (17,), 1)
        problems += ponders(weft, np.random.default_rng(7), (16, 128, 10), (10, 8))
        problems += halts(weft, np.random.default_rng(7), 64, 30)
    else:
        for case in (single_form, several_states, under_indices, steps_are_not_made, lstm_beams, ponders, halts):
            problems += case(weft, np.random.default_rng(7))
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
