"""`[...][k]`: of a list of which data chooses an element that element alone is computed, under indices too. By both back ends,
against NumPy; work is counted in profiles and in the IR: python choices.py WEFT"""

import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

from program_case import BACKENDS, check
from until import entry, launches

# Two layers of an expert are nothing that a select could do on the way.
EXPERT = """
op expert(x: float[D], w: float[H, D], v: float[D, H]) -> y: float[D] {
  h[j] = maximum(sum(d) w[j, d] * x[d], 0)
  y[d] = x[d] + sum(j) v[d, j] * h[j]
}"""


def expert(x, w, v):
    return x + np.maximum(x @ w.T, 0) @ v.T


def experts(weft, rng):
    """A mixture of experts: all rows at one, none at another, none at all, and one expert that costs nothing."""
    text = entry(
        "dim R in 0..1000\n  forward(x: f32[R, 24], w: f32[3, 40, 24], v: f32[3, 24, 40], k: int[R] in 0..4) -> y: f32[R, 24]",
        "    y[r] = ([expert(x[r], w[e], v[e]) for e in 0..3] ++ [2 * x[r]])[k[r]]",
        EXPERT,
    )
    w = (rng.normal(size=(3, 40, 24)) / 5).astype(np.float32)
    v = (rng.normal(size=(3, 24, 40)) / 6).astype(np.float32)
    problems = []
    for title, rows, k in (
        ("mixed", 301, rng.integers(0, 4, 301)),
        ("one alone", 64, np.full(64, 2)),
        ("all but one", 90, rng.choice([0, 1, 3], 90)),
        ("one row", 1, np.array([1])),
        ("no row", 0, np.zeros(0, int)),
    ):
        x = rng.normal(size=(rows, 24)).astype(np.float32)
        wanted = np.array([2 * x[r] if k[r] == 3 else expert(x[r], w[k[r]], v[k[r]]) for r in range(rows)], np.float32).reshape(rows, 24)
        inputs = {"x": x, "w": w, "v": v, "k": k.astype(np.int64)}
        problems += check(weft, f"experts, {title}", text, inputs, {"y": wanted}, tolerance=1e-4)
    return problems


def places(weft, rng):
    """Two indices, rows that are no first axis, groups, sorts, neighbours, guards; what two elements need, in a sum, twice."""
    b, n, d, h = 5, 40, 12, 30
    x = rng.normal(size=(b, n, d)).astype(np.float32)
    w = (rng.normal(size=(2, h, d)) / 3).astype(np.float32)
    v = (rng.normal(size=(2, d, h)) / 4).astype(np.float32)
    k = rng.integers(0, 2, (b, n))
    text = entry(
        f"forward(x: f32[{b}, {n}, {d}], w: f32[2, {h}, {d}], v: f32[2, {d}, {h}], k: int[{b}, {n}] in 0..2)"
        f" -> y: f32[{b}, {n}, {d}], t: f32[{d}, {n}], s: f32[{b}], g: f32[{n}, {d}], o: f32[{n}, {d}], m: f32[{n}, {d}]",
        f"""    one[i] = rows(x[i], w, v, k[i])
    y = one
    t[c, i] = [expert(x[0, i], w[0], v[0])[c], expert(x[1, i], w[1], v[1])[c]][k[0, i]]
    s[a] = sum(i) [total(expert(x[a, i], w[0], v[0])), total(expert(x[a, i], w[1], v[1]))][k[a, i]]
    g[i] = [halves(x[0, i], w[0]), halves(x[1, i], w[1])][k[0, i]]
    o[i] = [in_order(expert(x[0, i], w[0], v[0])), x[0, i]][k[0, i]]
    shared[i] = expert(x[0, i], w[0], v[0])
    p[i] = expert(shared[i], w[1], v[1])
    q[i] = expert(shared[i], w[0], v[0])
    m[i, c] = [p[i, c] + (q[i - 1, c] else 0), q[i, c]][k[0, i]]""",
        EXPERT
        + """
op rows(x: float[N, D], w: float[E, H, D], v: float[E, D, H], k: int[N] in 0..2) -> y: float[N, D] {
  y[i] = [expert(x[i], w[0], v[0]), expert(x[i], w[1], v[1])][k[i]]
}
op total(x: float[D]) -> t: float { t = sum(d) x[d] }
op halves(x: float[D], w: float[H, D]) -> y: float[D] {
  u[a < 2, c] = x[(a, c)]
  z[a < 2, c] = u[(a + 1) % 2, c] * sum(j, g) w[j, g]
  y[(a, c)] = z[a, c]
}
op in_order(x: float[D]) -> y: float[D] { y = x[argsort(d) x[d]] }""",
    )
    e = np.array([[[expert(x[i, j], w[c], v[c]) for c in range(2)] for j in range(n)] for i in range(b)])  # b, n, 2, d
    at = np.arange(n)
    half = np.stack([np.roll(x[c], d // 2, 1) * w[c].sum() for c in range(2)], 1)
    p, q = expert(e[0, :, 0], w[1], v[1]), expert(e[0, :, 0], w[0], v[0])
    before = np.concatenate([np.zeros((1, d)), q[:-1]])
    wanted = {
        "y": np.take_along_axis(e, k[:, :, None, None], 2)[:, :, 0],
        "t": np.array([e[k[0, i], i, k[0, i]] for i in at]).T,
        "s": np.take_along_axis(e.sum(3), k[:, :, None], 2).sum((1, 2)),
        "g": half[at, k[0]],
        "o": np.where(k[0][:, None] == 0, np.sort(e[0, :, 0], 1), x[0]),
        "m": np.where(k[0][:, None] == 0, p + before, q),
    }
    return check(weft, "places", text, {"x": x, "w": w, "v": v, "k": k}, wanted, tolerance=1e-4)


def steps(weft, rng):
    """In the steps of a loop; lists in lists; the number of rows from data; an element with a loop of its own."""
    t, n, d, h = 4, 50, 16, 32
    x = rng.normal(size=(n, d)).astype(np.float32)
    w = (rng.normal(size=(4, h, d)) / 4).astype(np.float32)
    v = (rng.normal(size=(4, d, h)) / 6).astype(np.float32)
    k = rng.integers(0, 4, (t, n))
    text = entry(
        f"forward(x: f32[{n}, {d}], w: f32[4, {h}, {d}], v: f32[4, {d}, {h}], k: int[{t}, {n}] in 0..4)"
        f" -> s: f32[{n}, {d}], z: f32[{n}, {d}], c: f32[M <= {n}, {d}], a: f32[{n}, {d}]",
        """    rec y[t, i] = [expert(y[t-1, i], w[e], v[e]) for e in 0..4][k[t, i]] from y[-1] = x
    s = y[size(k, 0) - 1]
    z[i] = [[expert(x[i], w[2*p + e], v[2*p + e]) for e in 0..2][k[1, i] % 2] for p in 0..2][k[0, i] div 2]
    picked = filter(i) x[i, 0] > 0
    c[j] = [expert(x[picked[j]], w[e], v[e]) for e in 0..4][k[0, picked[j]]]
    a[i] = [run(x[i], w[0], v[0]), expert(x[i], w[1], v[1]), x[i], -x[i]][k[0, i]]""",
        EXPERT
        + """
op run(x: float[D], w: float[H, D], v: float[D, H]) -> y: float[D] {
  rec z[t < 3] = expert(z[t-1], w, v) from z[-1] = x
  y = z[2]
}""",
    )
    s = x.astype(np.float64)
    for step in range(t):
        s = np.array([expert(s[i], w[c], v[c]) for i, c in enumerate(k[step])])
    z = np.array([expert(x[i], w[c], v[c]) for i, c in enumerate(2 * (k[0] // 2) + k[1] % 2)])
    picked = np.flatnonzero(x[:, 0] > 0)
    three = x
    for _ in range(3):
        three = expert(three, w[0], v[0])
    a = np.choose(k[0][:, None], [three, expert(x, w[1], v[1]), x, -x])
    wanted = {"s": s, "z": z, "c": np.array([expert(x[i], w[k[0, i]], v[k[0, i]]) for i in picked]), "a": a}
    return check(weft, "steps", text, {"x": x, "w": w, "v": v, "k": k}, wanted, tolerance=1e-3)


PYRAMID = entry(
    "forward(a: f32[8, 24, 32], b: f32[8, 12, 16], c: f32[8, 6, 8], box: f32[70, 4]) -> y: f32[70, 8, 7, 7]",
    """    y[r] = pyramid_roi_align([a, b, c], box[r]; height = 7)""",
    "import std.roi: pyramid_roi_align\n",
)


def pyramid(weft, rng):
    """RoIAlign on the level of each box: the same as levels computed for all boxes."""
    shapes = {"a": (8, 24, 32), "b": (8, 12, 16), "c": (8, 6, 8)}
    inputs = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    corner = rng.uniform(0, 60, (70, 2))
    side = np.exp(rng.uniform(np.log(20), np.log(900), (70, 1)))
    inputs["box"] = np.concatenate([corner, corner + side], 1).astype(np.float32)
    area = (inputs["box"][:, 2:] - inputs["box"][:, :2]).prod(1)
    level = np.clip(np.floor(4 + np.log2(np.sqrt(area) / 224) + 1e-6), 2, 4).astype(int) - 2
    wanted = np.zeros((70, 8, 7, 7))
    for l, name in enumerate("abc"):
        wanted[level == l] = roi_align(inputs[name], inputs["box"][level == l] / 2.0 ** (2 + l))
    assert len(set(level)) == 3
    return check(weft, "pyramid", PYRAMID, inputs, {"y": wanted}, tolerance=1e-4)


def roi_align(x, boxes, size=7, samples=2):
    """Torchvision's, with two points a bin."""
    out = np.zeros((len(boxes), len(x), size, size))
    _, high, wide = x.shape
    for r, (x0, y0, x1, y1) in enumerate(boxes.astype(np.float64)):
        taps = []
        for start, length, most in ((y0, max(y1 - y0, 1), high), (x0, max(x1 - x0, 1), wide)):
            p = start + (np.arange(size)[:, None] + (np.arange(samples) + 0.5) / samples) * length / size
            q = np.clip(p, 0, most - 1)
            low = np.floor(q).astype(int)
            matrix = np.zeros((size, most))
            for i in range(size):
                for j in range(samples):
                    if -1 <= p[i, j] <= most:
                        matrix[i, low[i, j]] += (1 - q[i, j] + low[i, j]) / samples
                        matrix[i, min(low[i, j] + 1, most - 1)] += (q[i, j] - low[i, j]) / samples
            taps.append(matrix)
        out[r] = np.einsum("cij,pi,qj->cpq", x, *taps)
    return out


def once(weft, rng):
    """Without an index: one element of three, also of a list that has a name; launches are counted."""
    text = entry(
        "forward(x: f32[64, 64], w: f32[3, 64, 64], k: int in 0..3) -> y: f32[64, 64], z: f32[64, 64]",
        """    y = [one(x, w[0]), second(x, w[1]), third(x, w[2])][k]
    named = [second(x, w[e]) for e in 0..3]
    z = named[(k + 1) % 3]""",
        "".join(
            f"\nop {name}(x: float[N, K], w: float[K, M]) -> y: float[N, M] {{ y[i, j] = {function}(sum(k) x[i, k] * w[k, j]) }}"
            for name, function in (("one", "tanh"), ("second", "abs"), ("third", "exp"))
        ),
    )
    x = rng.normal(size=(64, 64)).astype(np.float32)
    w = (rng.normal(size=(3, 64, 64)) / 8).astype(np.float32)
    problems = []
    for k in range(3):
        inputs = {"x": x, "w": w, "k": np.int64(k)}
        wanted = {"y": (np.tanh, np.abs, np.exp)[k](x @ w[k]), "z": np.abs(x @ w[(k + 1) % 3])}
        problems += check(weft, f"once, {k}", text, inputs, wanted, tolerance=1e-4)
        for backend in BACKENDS:
            with tempfile.TemporaryDirectory() as folder:
                made = launches(weft, text, inputs, list(wanted), backend, pathlib.Path(folder))
            counts = [made.get(f"forward.{name}", 0) for name in ("y", "z")]
            if counts != [1, 1]:
                problems.append(f"once, {k} on {backend}: {counts} products, {made}")
    return problems


RUN = """
op run(x: float[D], w: float[H, D], v: float[D, H]) -> y: float[D] {
  rec t < 9 {
    c[t] = 0.5 * c[t-1]
    z[t] = expert(z[t-1], w, v) + c[t-1]
  } from z[-1] = x, c[-1] = x
  y = z[8]
}"""


def loops(weft, rng):
    """Elements with loops of their own: what they begin with is shared or not, a state reads its history, a loop in a loop."""
    n, d, h = 61, 12, 20
    x = rng.normal(size=(n, d)).astype(np.float32)
    w = (rng.normal(size=(2, h, d)) / 5).astype(np.float32)
    v = (rng.normal(size=(2, d, h)) / 6).astype(np.float32)
    k = rng.integers(0, 4, n)
    text = entry(
        f"forward(x: f32[{n}, {d}], w: f32[2, {h}, {d}], v: f32[2, {d}, {h}], k: int[{n}] in 0..4, s: f32) -> y: f32[{n}, {d}], z: f32[{n}, {d}]",
        """    y[r] = [run(x[r], w[0], v[0]), run(expert(x[r], w[0], v[0]), w[1], v[1]), x[r], all_before(x[r], w[0], s)][k[r]]
    z[r] = [nested(x[r], w[1], v[1]), expert(x[r], w[0], v[0]), -x[r], x[r]][k[r]]""",
        EXPERT
        + RUN
        + """
op all_before(x: float[D], w: float[H, D], s: float) -> y: float[D] {
  rec t < 6 {
    scale[t] = 0.5 * scale[t-1]
    z[t, d] = scale[t] * (sum(a < t) z[a, d]) + tanh(sum(j) w[j, d] * z[t-1, d])
  } from z[-1] = x, scale[-1] = s
  y = z[5]
}
op nested(x: float[D], w: float[H, D], v: float[D, H]) -> y: float[D] {
  rec t < 3 {
    z[t] = run(z[t-1], w, v)
  } from z[-1] = x
  y = z[2]
}""",
    )

    def run(x, w, v):
        z, c = x, x
        for _ in range(9):
            z, c = expert(z, w, v) + c, 0.5 * c
        return z

    def all_before(x, w, s):
        history, last = [], x
        for _ in range(6):
            s = 0.5 * s
            last = s * sum(history, np.zeros_like(x)) + np.tanh(w.sum(0) * last)
            history.append(last)
        return last

    wide = x.astype(np.float64)
    nested = wide
    for _ in range(3):
        nested = run(nested, w[1], v[1])
    y = [run(wide, w[0], v[0]), run(expert(wide, w[0], v[0]), w[1], v[1]), wide, all_before(wide, w[0], 0.7)]
    z = [nested, expert(wide, w[0], v[0]), -wide, wide]
    wanted = {"y": np.choose(k[:, None], y), "z": np.choose(k[:, None], z)}
    problems = check(weft, "loops", text, {"x": x, "w": w, "v": v, "k": k, "s": np.float32(0.7)}, wanted, tolerance=1e-3)
    # Those of `run` and around it go through the rows of their element; where a state begins with what is no row, they do not.
    slices = slices_of_steps(emitted(weft, text))
    if len(slices) != 5 or slices.count("?x12xf32") != 4:
        problems.append(f"loops: of {slices}")
    return problems


def work(weft, rng):
    """Products are made for the rows of their element alone, in the steps of a loop too: none has all rows."""
    experts = (
        "forward(x: f32[512, 64], w: f32[8, 128, 64], v: f32[8, 64, 128], k: int[512] in 0..8) -> y: f32[512, 64]",
        "    y[r] = [{} for e in 0..8][k[r]]",
        EXPERT + RUN,
    )
    problems = []
    for call, loops_of in (("expert(x[r], w[e], v[e])", 0), ("run(x[r], w[e], v[e])", 8)):
        text = entry(experts[0], experts[1].format(call), experts[2])
        for options, by_rows in (((), True), (("--without", "partition-choices"), False)):
            ir = emitted(weft, text, *options)
            products = [extents for extents in sums(ir) if "64" in extents or "128" in extents]
            slices = slices_of_steps(ir)
            if len(products) != 16 or any(("512" in extents) == by_rows for extents in products):
                problems.append(f"work of {call} {options}: sums over {products}")
            if len(slices) != loops_of or any(slice.startswith("512x") == by_rows for slice in slices):
                problems.append(f"work of {call} {options}: loops of {slices}")
    return problems


def emitted(weft, text, *options):
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.weft"
        model.write_text(text)
        done = subprocess.run([weft, "compile", model, "--emit", "ir", "--after", "loadtime", *options], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout


def slices_of_steps(ir):
    """The first state of each loop."""
    return re.findall(r"func\.func private @\w+_step\w*\([^)]*?tensor<([^>]*)>", ir)


def sums(ir):
    """Of every equation with a sum: its extents."""
    found, extents = [], None
    for line in ir.splitlines():
        if begin := re.search(r"weft\.equation \([^)]*\) in \(([^)]*)\)", line):
            extents = begin[1].split(", ")
        if "weft.reduce sum" in line:
            found.append(extents)
    return found


def main():
    problems = []
    for case in (experts, places, steps, loops, pyramid, once, work):
        problems += case(sys.argv[1], np.random.default_rng(7))
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
