"""Forward passes of what learns by itself, in small, against NumPy by both back ends: momentum contrast (He et al., 2019),
bootstrapped views (Grill et al., 2020), distillation by a slow teacher (Caron et al., 2021), a world model with a slow critic
(Hafner et al., 2023), adapting to tasks (Finn et al., 2017; Rajeswaran et al., 2019).

Usage: learners.py WEFT
"""

import math
import sys

import numpy as np

import program_case


def check(*case, **options):
    """No kernel of a learner may become plain loops."""
    return program_case.check(*case, silent=True, **options)


def real(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def unit(x):
    return x / np.sqrt(np.maximum((x**2).sum(-1, keepdims=True), 1e-12))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def logsumexp(x):
    return np.log(np.exp(x).sum(-1))


def momentum_contrast(weft, rng):
    """The key network runs with weights between both, by the statistics of its batch; keys of old batches are a ring."""
    text = """weft 0.1
import std.conv: Conv2d
import std.linear: Linear
import std.norm: BatchNorm
import std.activation: relu
import std.pool: global_avg_pool
import std.optim: moving_average

op unit(x: float[N]) -> y: float[N] { y[n] = x[n] / sqrt(maximum(sum(m) x[m]^2, 1e-12)) }

model Encoder() {
  conv: Conv2d(3, 4, 3, pad = 1, use_bias = false)
  bn: BatchNorm(4)
  fc: Linear(4, 6)
  forward(x: float[B, 3, H, W]) -> y: float[B, 6] { y = fc(global_avg_pool(relu(bn(conv(x))))) }
}

entry moco {
  dim B in 2..8
  query as "q": Encoder()
  key as "k": Encoder()
  state queue: f32[10, 6] = 0.5
  state at: int in 0..10 = 7
  forward(x1: f32[B, 3, 5, 4], x2: f32[B, 3, 5, 4]) -> loss: f32, ring: f32[10, 6], kept: f32[146] {
    slow = moving_average(key.params, query.params, 0.9)
    a = query(x1, training = true)
    c = key(x2, training = true; slow)
    q[b] = unit(a[b])
    k[b] = unit(c[b])
    same[b] = sum(d) q[b, d] * k[b, d]
    other[b, i] = sum(d) q[b, d] * queue[i, d]
    logit[b] = concat([[same[b]], other[b]]) / 0.2
    loss = mean(b) ((logsumexp(i) logit[b, i]) - logit[b, 0])
    ring[i] = k[(i - at) % 10] else queue[i]
    next queue = ring
    next at = (at + B) % 10
    next key.params = slow
    kept = flatten(slow)
  }
}
"""
    shapes = {"conv.weight": (4, 3, 3, 3), "bn.weight": (4,), "bn.bias": (4,), "fc.weight": (6, 4), "fc.bias": (6,)}
    draw = lambda: {name: real(rng, *shape) for name, shape in shapes.items()}

    def encode(w, x):
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        patch = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        h = np.einsum("bcijrs,kcrs->bkij", patch, w["conv.weight"])
        mean, spread = h.mean((0, 2, 3), keepdims=True), h.var((0, 2, 3), keepdims=True)
        per = lambda v: v[None, :, None, None]
        h = (h - mean) / np.sqrt(spread + 1e-5) * per(w["bn.weight"]) + per(w["bn.bias"])
        return np.maximum(h, 0).mean((2, 3)) @ w["fc.weight"].T + w["fc.bias"]

    query, key = draw(), draw()
    x1, x2 = real(rng, 5, 3, 5, 4), real(rng, 5, 3, 5, 4)
    slow = {name: 0.9 * key[name] + 0.1 * query[name] for name in shapes}
    q, k = unit(encode(query, x1)), unit(encode(slow, x2))
    ring = np.full((10, 6), 0.5)
    logit = np.concatenate([(q * k).sum(1, keepdims=True), q @ ring.T], 1) / 0.2
    for row, values in enumerate(k):
        ring[(7 + row) % 10] = values
    wanted = {"loss": (logsumexp(logit) - logit[:, 0]).mean(), "ring": ring,
              "kept": np.concatenate([slow[name].ravel() for name in shapes])}
    weights = {f"{part}.{name}": value for part, w in (("q", query), ("k", key)) for name, value in w.items()}
    return check(weft, "momentum contrast", text, {"x1": x1, "x2": x2}, wanted, weights=weights)


def slow_critic(weft, rng):
    """A state seen and one imagined, step by step, for each sequence; returns backwards; a critic beside its slow self."""
    text = """weft 0.1
import std.linear: Linear
import std.norm: LayerNorm
import std.softmax: softmax

op feature(h: float[D], z: float[G, C]) -> f: float[D + G*C] {
  flat[(g, c)] = z[g, c]
  f = concat([h, flat])
}
op likeliest(logit: float[G, C]) -> z: float[G, C], p: float[G, C] {
  p[g] = softmax(logit[g])
  choice[g] = argmax(c) p[g, c]
  z[g, c] = (1 if c == choice[g] else 0) + p[g, c] - stop(p[g, c])
}
op returns(r: float[T], v: float[T + 1]; lambda: float = 0.8) -> ret: float[T] {
  rec ret[t] = r[t] + 0.9 * ((1 - lambda) * v[t+1] + lambda * ret[t+1]) from ret[T] = v[T]
}

model World(dim: int, groups: int, classes: int; steps: int = 4) {
  let feat = dim + groups*classes
  input: Linear(feat, dim)
  norm: LayerNorm(dim)
  prior: Linear(dim, groups*classes)
  reward: Linear(feat, 1)
  critic: Linear(feat, 1)

  step(h: float[dim], z: float[groups, classes]) -> y: float[dim] { y = tanh(norm(input(feature(h, z)))) }
  dream(h: float[dim]) -> z, p {
    logit = prior(h)
    grid[g < groups, c < classes] = logit[(g, c)]
    z, p = likeliest(grid)
  }
  loss(h0: float[dim], z0: float[groups, classes], slow: critic.params) -> l: float, ret: float[steps] {
    rec t < steps {
      h[t] = step(h[t-1], z[t-1])
      z[t], p[t] = dream(h[t])
    } from h[-1] = h0, z[-1] = z0
    g[t < steps + 1] = feature(h[t-1], z[t-1])
    r[t < steps] = reward(g[t+1])[0]
    v[t] = critic(g[t])[0]
    ret = returns(r, v)
    l = mean(t < steps) ((v[t] - ret[t])^2 + (v[t] - critic(g[t]; slow)[0])^2)
  }
}

entry learn {
  dim B in 1..4
  agent as "": World(5, 2, 3)
  state slow: agent.critic.params = 0.25
  forward(h: f32[B, 5], z: f32[B, 2, 3]) -> l: f32, ret: f32[B, 4], after: f32[12] {
    each[b], ret[b] = agent.loss(h[b], z[b], slow)
    l = mean(b) each[b]
    new = 0.9*slow + 0.1*agent.params.critic
    next slow = new
    after = flatten(new)
  }
}
"""
    shapes = {"input.weight": (5, 11), "input.bias": (5,), "norm.weight": (5,), "norm.bias": (5,), "prior.weight": (6, 5),
              "prior.bias": (6,), "reward.weight": (1, 11), "reward.bias": (1,), "critic.weight": (1, 11),
              "critic.bias": (1,)}
    w = {name: real(rng, *shape) for name, shape in shapes.items()}
    dense = lambda name, x: x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def imagine(h, z):
        seen = [np.concatenate([h, z.ravel()])]
        for _ in range(4):
            u = dense("input", seen[-1])
            h = np.tanh((u - u.mean()) / np.sqrt(u.var() + 1e-5) * w["norm.weight"] + w["norm.bias"])
            p = softmax(dense("prior", h).reshape(2, 3))
            seen.append(np.concatenate([h, np.eye(3)[p.argmax(1)].ravel()]))
        g = np.array(seen)
        r, v = dense("reward", g[1:])[:, 0], dense("critic", g)[:, 0]
        ret, behind = np.zeros(4), v[4]
        for t in reversed(range(4)):
            behind = ret[t] = r[t] + 0.9 * (0.2 * v[t + 1] + 0.8 * behind)
        slow = (g * 0.25).sum(1) + 0.25
        return ((v[:4] - ret) ** 2 + (v - slow)[:4] ** 2).mean(), ret

    h, z = real(rng, 3, 5), real(rng, 3, 2, 3)
    losses, rets = zip(*(imagine(*pair) for pair in zip(h, z)))
    flat = np.concatenate([w["critic.weight"].ravel(), w["critic.bias"]])
    wanted = {"l": np.mean(losses), "ret": np.array(rets), "after": 0.9 * 0.25 + 0.1 * flat}
    return check(weft, "slow critic", text, {"h": h, "z": z}, wanted, weights=w)


def adapting(weft, rng):
    """A network with convolutions and batch norm, adapted to every task on its own, then judged on others' examples."""
    text = """weft 0.1
import std.conv: Conv2d
import std.linear: Linear
import std.norm: BatchNorm
import std.activation: relu
import std.pool: max_pool2d
import std.loss: cross_entropy

model Small(ways: int; width: int = 3) {
  conv: [Conv2d(1 if l == 0 else width, width, 3, pad = 1) for l in 0..2]
  norm: [BatchNorm(width, track = false); 2]
  head: Linear(width, ways)
  forward(x: float[S, 1, 4, 4]) -> logit: float[S, ways] {
    h = x
    for c, n in zip(conv, norm) { h = max_pool2d(relu(n(c(h), training = true)), size = 2) }
    logit[s] = head(h[s, :, 0, 0])
  }
  loss(x: float[S, 1, 4, 4], y: int[S] in 0..ways) -> l: float {
    logit = forward(x)
    l = mean(s) cross_entropy(logit[s], y[s])
  }
}
entry tasks {
  dim K in 1..4, S in 1..8, Q in 1..8
  net: Small(3)
  forward(x: f32[K, S, 1, 4, 4], y: int[K, S] in 0..3, xq: f32[K, Q, 1, 4, 4], yq: int[K, Q] in 0..3, alpha: f32)
      -> inner: f32[2, K], loss: f32 {
    rec s < 2 {
      inner[s, k] = net.loss(x[k], y[k]; phi[s-1, k])
      phi[s, k] = phi[s-1, k] - (alpha * inner[s, k]) * phi[s-1, k]
    } from phi[-1, k < K] = net.params
    loss = mean(k) net.loss(xq[k], yq[k]; phi[1, k])
  }
}
"""
    shapes = {"head.weight": (3, 3), "head.bias": (3,)}
    for l, cin in enumerate((1, 3)):
        shapes |= {f"conv.{l}.weight": (3, cin, 3, 3), f"conv.{l}.bias": (3,), f"norm.{l}.weight": (3,),
                   f"norm.{l}.bias": (3,)}
    w = {name: real(rng, *shape) for name, shape in shapes.items()}
    per = lambda v: v[None, :, None, None]

    def loss(w, x, y):
        for l in range(2):
            patch = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
            h = np.einsum("bcijrs,kcrs->bkij", patch, w[f"conv.{l}.weight"]) + per(w[f"conv.{l}.bias"])
            h = (h - h.mean((0, 2, 3), keepdims=True)) / np.sqrt(h.var((0, 2, 3), keepdims=True) + 1e-5)
            h = np.maximum(h * per(w[f"norm.{l}.weight"]) + per(w[f"norm.{l}.bias"]), 0)
            x = h.reshape(*h.shape[:2], h.shape[2] // 2, 2, h.shape[3] // 2, 2).max((3, 5))
        logit = x[:, :, 0, 0] @ w["head.weight"].T + w["head.bias"]
        return (logsumexp(logit) - logit[np.arange(len(y)), y]).mean()

    x, xq = real(rng, 3, 5, 1, 4, 4), real(rng, 3, 4, 1, 4, 4)
    y, yq, alpha = rng.integers(0, 3, (3, 5)), rng.integers(0, 3, (3, 4)), np.float32(0.1)
    phi, inner = [w] * 3, []
    for _ in range(2):
        inner.append([loss(v, *pair) for v, *pair in zip(phi, x, y)])
        phi = [{name: value * (1 - alpha * l) for name, value in v.items()} for v, l in zip(phi, inner[-1])]
    wanted = {"inner": np.array(inner), "loss": np.mean([loss(v, *pair) for v, *pair in zip(phi, xq, yq)])}
    inputs = {"x": x, "y": y, "xq": xq, "yq": yq, "alpha": alpha}
    return check(weft, "adapting", text, inputs, wanted, weights=w, tolerance=1e-4)


def bootstrap(weft, rng):
    """Two views each predict what a slow copy makes of the other; both views go through every batch norm (Grill et al., 2020)."""
    text = """weft 0.1
import std.activation: relu
import std.linear: Linear
import std.norm: BatchNorm, l2_normalize
import std.optim: moving_average, sgd

op apart(p: float[N], z: float[N]) -> d: float { d = 2 - 2 * sum(n) l2_normalize(p)[n] * l2_normalize(z)[n] }

model Projector(din: int, hidden: int, dout: int) {
  widen: Linear(din, hidden)
  norm: BatchNorm(hidden)
  narrow: Linear(hidden, dout)
  forward(x: float[B, din]) -> y: float[B, dout] { y = narrow(relu(norm(widen(x)))) }
}

entry bootstrap {
  dim B in 2..9
  online as "o": Projector(5, 6, 4)
  predict as "p": Projector(4, 6, 4)
  target as "t": Projector(5, 6, 4)
  state speed: online.params = 0.5
  forward(x1: f32[B, 5], x2: f32[B, 5], tau: f32) -> loss: f32, after: f32[76], slow: f32[76] {
    p1 = predict(online(x1, training = true), training = true)
    p2 = predict(online(x2, training = true), training = true)
    z1 = stop(target(x1, training = true))
    z2 = stop(target(x2, training = true))
    loss = mean(b) (apart(p1[b], z2[b]) + apart(p2[b], z1[b]))
    w, next speed = sgd(online.params, loss * online.params, speed, 0.1, 0.9)
    teacher = moving_average(target.params, w, tau)
    next online.params = w
    next target.params = teacher
    after = flatten(w)
    slow = flatten(teacher)
  }
}
"""
    def draw(din):
        shapes = {"widen.weight": (6, din), "widen.bias": (6,), "norm.weight": (6,), "norm.bias": (6,), "narrow.weight": (4, 6),
                  "narrow.bias": (4,)}
        return {name: real(rng, *shape) for name, shape in shapes.items()}

    def project(w, x):
        h = x @ w["widen.weight"].T + w["widen.bias"]
        h = (h - h.mean(0)) / np.sqrt(h.var(0) + 1e-5) * w["norm.weight"] + w["norm.bias"]
        return np.maximum(h, 0) @ w["narrow.weight"].T + w["narrow.bias"]

    online, predict, target = draw(5), draw(4), draw(5)
    x1, x2, tau = real(rng, 7, 5), real(rng, 7, 5), np.float32(0.75)
    apart = lambda p, z: 2 - 2 * (unit(p) * unit(z)).sum(-1)
    p1, p2 = (project(predict, project(online, x)) for x in (x1, x2))
    z1, z2 = (project(target, x) for x in (x1, x2))
    loss = (apart(p1, z2) + apart(p2, z1)).mean()
    flat = lambda w: np.concatenate([value.ravel() for value in w.values()])
    after = flat(online) - 0.1 * (0.9 * 0.5 + loss * flat(online))
    wanted = {"loss": loss, "after": after, "slow": tau * flat(target) + (1 - tau) * after}
    weights = {f"{part}.{name}": value for part, w in (("o", online), ("p", predict), ("t", target))
               for name, value in w.items()}
    return check(weft, "bootstrap", text, {"x1": x1, "x2": x2, "tau": tau}, wanted, weights=weights)


def distillation(weft, rng):
    """A student sees wide and close crops, its slow teacher the wide ones; a center keeps the teacher from one answer for all
    (Caron et al., 2021)."""
    text = """weft 0.1
import std.activation: gelu
import std.linear: Linear
import std.norm: l2_normalize
import std.optim: adamw, moving_average
import std.pool: global_avg_pool
import std.random: normal
import std.softmax: softmax, log_softmax

model Head(din: int, dout: int; hidden: int = 5, neck: int = 3) {
  mlp: [Linear(din, hidden), Linear(hidden, neck)]
  param direction[k, d]: float[dout, neck] = normal(seed, k, d)
  forward(x: float[din]) -> y: float[dout] {
    z = l2_normalize(mlp[1](gelu(mlp[0](x))))
    w = l2_normalize(direction)
    y[k] = sum(d) z[d] * w[k, d]
  }
}
model Net() {
  head: Head(2, 6)
  forward(x: float[B, 2, H, W]) -> y: float[B, 6] {
    h = global_avg_pool(x)
    y[b] = head(h[b])
  }
}

entry distil {
  dim B in 1..4
  student as "s": Net()
  teacher as "t": Net()
  state center: f32[6] = 0.5
  state m: student.params = 0
  state v: student.params = 0
  state n: int = 0
  forward(wide: f32[2, B, 2, 6, 6], close: f32[3, B, 2, 4, 4], sharp: f32)
      -> loss: f32, mid: f32[6], after: f32[51], slow: f32[51] {
    at_wide[i] = student(wide[i], training = true)
    at_close[i] = student(close[i], training = true)
    s = concat([at_wide, at_close])
    t[i] = stop(teacher(wide[i], training = true))
    p[i, b] = softmax((t[i, b] - center) / sharp)
    log_q[i, b] = log_softmax(s[i, b] / 0.1)
    loss = -mean(i, j, b where i != j) sum(k) p[i, b, k] * log_q[j, b, k]
    w, next m, next v = adamw(student.params, loss * student.params, m, v, n + 1, 0.01, 0.1)
    follower = moving_average(teacher.params, w, 0.9)
    next n = n + 1
    next student.params = w
    next teacher.params = follower
    mid[k] = 0.9 * center[k] + 0.1 * mean(i, b) t[i, b, k]
    next center = mid
    after = flatten(w)
    slow = flatten(follower)
  }
}
"""
    erf = np.vectorize(math.erf)
    shapes = {"mlp.0.weight": (5, 2), "mlp.0.bias": (5,), "mlp.1.weight": (3, 5), "mlp.1.bias": (3,), "direction": (6, 3)}
    student, teacher = ({name: real(rng, *shape) for name, shape in shapes.items()} for _ in range(2))

    def net(w, x):
        h = x.mean((-2, -1)) @ w["mlp.0.weight"].T + w["mlp.0.bias"]
        z = (h / 2 * (1 + erf(h / np.sqrt(2)))) @ w["mlp.1.weight"].T + w["mlp.1.bias"]
        return unit(z) @ unit(w["direction"]).T

    wide, close, sharp = real(rng, 2, 3, 2, 6, 6), real(rng, 3, 3, 2, 4, 4), np.float32(0.3)
    s, t = np.concatenate([net(student, wide), net(student, close)]), net(teacher, wide)
    p, scaled = softmax((t - 0.5) / sharp), s / 0.1
    log_q = scaled - logsumexp(scaled)[..., None]
    loss = -np.mean([(p[i] * log_q[j]).sum(-1) for i in range(2) for j in range(5) if i != j])
    flat = lambda w: np.concatenate([value.ravel() for value in w.values()])
    step = loss * flat(student)
    after = (1 - 0.01 * 0.1) * flat(student) - 0.01 * step / (np.abs(step) + 1e-8)
    wanted = {"loss": loss, "mid": 0.9 * 0.5 + 0.1 * t.mean((0, 1)), "after": after,
              "slow": 0.9 * flat(teacher) + 0.1 * after}
    weights = {f"{part}.head.{name}": value for part, w in (("s", student), ("t", teacher)) for name, value in w.items()}
    return check(weft, "distillation", text, {"wide": wide, "close": close, "sharp": sharp}, wanted, weights=weights)


def implicit_adapting(weft, rng):
    """Each task adapts for as many steps as it needs, held to the common weights; conjugate gradients on records of weights turn
    a slope at the end into one at the start (Rajeswaran et al., 2019)."""
    text = """weft 0.1
import std.linear: Linear

model Learner() {
  layer: Linear(3, 2)
  loss(x: float[S, 3], y: float[S, 2]) -> l: float { l = mean(s, o) (layer(x)[s, o] - y[s, o])^2 }
}
model Implicit() {
  net: Learner()
  task(x: float[S, 3], y: float[S, 2], rate: float, pull: float) -> l: float, steps: int, rounds: int, meta: net.params {
    rec s < T <= 30 {
      away[s] = phi[s-1] - net.params
      cost[s] = net.loss(x, y; phi[s-1]) + pull/2 * total(away[s] * away[s])
      g[s] = cost[s] * phi[s-1] + pull * away[s]
      phi[s] = phi[s-1] - rate * g[s]
    } from phi[-1] = net.params
      until total(g[s] * g[s]) < 2
    best = stop(phi[T-1])
    l = net.loss(x, y; best)
    b = l * best
    rec i < M <= 4 {
      hd[i] = d[i-1] + best * best * d[i-1] / pull
      step[i] = rr[i-1] / total(d[i-1] * hd[i])
      v[i] = v[i-1] + step[i] * d[i-1]
      r[i] = r[i-1] - step[i] * hd[i]
      rr[i] = total(r[i] * r[i])
      d[i] = r[i] + rr[i]/rr[i-1] * d[i-1]
    } from v[-1]: net.params = 0, r[-1] = b, d[-1] = b, rr[-1] = total(b * b)
      until rr[i] < 0.01
    steps = T
    rounds = M
    meta = v[M-1]
  }
}

entry tasks {
  dim K in 1..6, S in 1..9
  learner as "": Implicit()
  forward(x: f32[K, S, 3], y: f32[K, S, 2], rate: f32, pull: f32)
      -> l: f32[K], steps: int[K], rounds: int[K], moved: f32[8] {
    l[k], steps[k], rounds[k], g[k] = learner.task(x[k], y[k], rate, pull)
    w = learner.net.params - 0.1 * mean(k) g[k]
    next learner.net.params = w
    moved = flatten(w)
  }
}
"""
    w = {"net.layer.weight": real(rng, 2, 3), "net.layer.bias": real(rng, 2)}
    x, y = real(rng, 5, 4, 3), real(rng, 5, 4, 2)
    rate, pull = np.float32(0.1), np.float32(0.5)
    start = np.concatenate([value.ravel() for value in w.values()]).astype(np.float64)

    def loss(phi, x, y):
        return ((x @ phi[:6].reshape(2, 3).T + phi[6:] - y) ** 2).mean()

    def task(x, y):
        phi, steps, square = start, 0, np.inf
        while square >= 2 and steps < 30:
            away = phi - start
            g = (loss(phi, x, y) + pull / 2 * away @ away) * phi + pull * away
            phi, steps, square = phi - rate * g, steps + 1, g @ g
        r = d = loss(phi, x, y) * phi
        v, rr, rounds = np.zeros(8), r @ r, 0
        while (rounds == 0 or rr >= 0.01) and rounds < 4:
            hd = d + phi**2 * d / pull
            step = rr / (d @ hd)
            v, r = v + step * d, r - step * hd
            d, rr, rounds = r + (r @ r) / rr * d, r @ r, rounds + 1
        return loss(phi, x, y), steps, rounds, v

    l, steps, rounds, v = zip(*(task(*pair) for pair in zip(x, y)))
    assert len(set(steps)) > 1 and len(set(rounds)) > 1, "the tasks are to end at steps of their own"
    wanted = {"l": np.array(l), "steps": np.array(steps), "rounds": np.array(rounds), "moved": start - 0.1 * np.mean(v, 0)}
    return check(weft, "implicit adapting", text, {"x": x, "y": y, "rate": rate, "pull": pull}, wanted, weights=w,
                 tolerance=1e-4)


def main():
    rng = np.random.default_rng(12)
    problems = []
    for case in (momentum_contrast, slow_critic, adapting, bootstrap, distillation, implicit_adapting):
        problems += case(sys.argv[1], rng)
    print("\n".join(problems) or "learners agree with NumPy")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
