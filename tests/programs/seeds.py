"""The inherited seed, by both back ends and any number of threads: what is drawn where, against the mixing written out in
NumPy, and that no two places draw the same numbers: python seeds.py WEFT"""

import pathlib
import sys

import numpy as np

from program_case import BACKENDS, run

sys.path.append(str(pathlib.Path(__file__).parent.parent / "references"))
from philox import bits

MASK = (1 << 64) - 1


def hashed(place, text):
    """FNV-1a over 64 bits, with an end that no text holds."""
    place = place or 0xCBF29CE484222325
    for byte in [*str(text).encode(), 0xFF]:
        place = ((place ^ byte) * 0x100000001B3) & MASK
    return place


def place_of(equation, number, callee, count, *rounds, place=0):
    for part in (equation, number, callee, count, *rounds):
        place = hashed(place, part)
    return place


def mixed(seed, place, *counters):
    with np.errstate(over="ignore"):
        low = bits(seed, place & 0xFFFFFFFF, place >> 32, 0, *counters)
        return low + bits(seed, place & 0xFFFFFFFF, place >> 32, 1, *counters) * np.int64(2**32)


def entry(signature, body, declarations=""):
    return f"weft 0.1\n{declarations}\nentry e {{\n  {signature} {{\n{body}\n  }}\n}}\n"


DRAW = """
op draw(x: float[N]) -> b: i64[N] { b[n] = bits(seed, n) + i64(int(floor(0 * x[n]))) }
op one(x: float) -> b: i64 { b = bits(seed, 0) + i64(int(floor(0 * x))) }
op given(x: float[N], seed: i64) -> b: i64[N] { b[n] = bits(seed, n) }
model Part() { forward(x: float[N]) -> b: i64[N] { b = draw(x) } }
model Parts() {
  parts: [Part(); 2]
  forward(x: float[N]) -> first: i64[N], second: i64[N] {
    a = []
    for part in parts { a = a ++ [part(x)] }
    first = a[0]
    second = a[1]
  }
}
"""


def places(weft):
    """Calls in one equation, in equations of one name, in models, lists, loops and steps, under indices and lifted."""
    text = entry(
        "net: Parts()\n  forward(seed: i64, x: f32[3, 4]) -> a: i64[4], c: i64[4], d: i64[4], e: i64[4], f: i64[3, 4], g: i64[3, 4],"
        " h: i64[3, 4], p: i64[4], q: i64[4], s: i64[5, 4], set: i64[4], r: i64[4], own: i64[4]",
        """    v = x[0]
    a, c = [draw(v), draw(v)]
    z = draw(v)
    d = z
    z = draw(v)
    e = z
    f[i] = draw(v)
    g[i, j] = one(x[i, j])
    h = one(x)
    p, q = net(v)
    rec s[t < 5, n < 4] = s[t-1, n] - s[t-1, n] + draw(v)[n] from s[-1, n < 4] = i64(0)
    set = draw(v, seed = seed)
    r = given(v)
    own = given(v, seed)""",
        DRAW,
    )
    seed, n = np.int64(-77123456789), np.arange(4)
    i, j = np.arange(3)[:, None], np.arange(4)[None, :]
    t = np.arange(5)[:, None]
    net = place_of("p", 0, "net", 0)
    part = lambda k: place_of("b", 0, "draw", 0, place=place_of("a", 1, "part", 0, k, place=net))
    wanted = {
        "a": bits(mixed(seed, place_of("a", 0, "draw", 0)), n),
        "c": bits(mixed(seed, place_of("a", 0, "draw", 1)), n),
        "d": bits(mixed(seed, place_of("z", 0, "draw", 0)), n),
        "e": bits(mixed(seed, place_of("z", 1, "draw", 0)), n),
        "f": bits(mixed(seed, place_of("f", 0, "draw", 0), i + 0 * j), n),
        "g": bits(mixed(seed, place_of("g", 0, "one", 0), i, j), 0),
        "h": bits(mixed(seed, place_of("h", 0, "one", 0), i, j), 0),
        "p": bits(mixed(seed, part(0)), n),
        "q": bits(mixed(seed, part(1)), n),
        "s": bits(mixed(seed, place_of("s", 1, "draw", 0), t + 0 * n, n + 0 * t), n),
        "set": bits(seed, n),
        "r": bits(mixed(seed, place_of("r", 0, "given", 0)), n),
        "own": bits(seed, n),
    }
    x = np.zeros((3, 4), np.float32)
    problems = []
    for backend in BACKENDS:
        for threads in ("1", "2"):
            got = run(weft, text, {"seed": seed, "x": x}, wanted, "--threads", threads, backend=backend)
            for name, values in wanted.items():
                if not (got[name] == np.broadcast_to(values, got[name].shape)).all():
                    problems.append(f"{backend}, {threads} threads: {name} is\n{got[name]}\nnot\n{values}")
            drawn = np.concatenate([got[name].ravel() for name in wanted if name not in ("set", "own")])
            if len(set(drawn.tolist())) != len(drawn):
                problems.append(f"{backend}: two places draw the same number")
    return problems


def dropouts(weft):
    """Masks of layers, of rows and of steps are all different, the same in every run, and none at all without training."""
    text = entry(
        "forward(seed: i64, x: f32[2, 64]) -> a: f32[2, 64], b: f32[2, 64], c: f32[2, 64], h: f32[6, 64], still: f32[2, 64]",
        """    a, b = net(x, training = true)
    c[i] = layer(x[i], training = true)
    rec h[t < 6] = layer(x[0], training = true) + 0 * h[t-1] from h[-1] = x[1]
    still = layer2(x)""",
        """import std.random: dropout
op layer(x: float[N]) -> y: float[N] { y = dropout(x) }
op layer2(x: float[B, N]) -> y: float[B, N] { y = dropout(x) }
op net(x: float[B, N]) -> a: float[B, N], b: float[B, N] {
  a = dropout(x)
  b = dropout(x)
}""",
    )
    x = np.ones((2, 64), np.float32)
    problems, known = [], None
    for backend in BACKENDS:
        for _ in range(2):
            got = run(weft, text, {"seed": np.int64(9), "x": x}, ["a", "b", "c", "h", "still"], backend=backend)
            rows = np.concatenate([got[name] for name in "abch"])
            if not ((rows == 0) | (rows == 2)).all() or not 0.4 < (rows == 0).mean() < 0.6:
                problems.append(f"{backend}: dropout makes {rows}")
            alike = [(k, l) for k in range(len(rows)) for l in range(k) if abs((rows[k] == rows[l]).mean() - 0.5) > 0.35]
            if alike:
                problems.append(f"{backend}: the rows {alike} of a, b, c and h are zeroed alike")
            if not (got["still"] == x).all():
                problems.append(f"{backend}: dropout without training changes its input")
            if known is not None and not (known == rows).all():
                problems.append(f"{backend}: dropout differs from run to run or between back ends")
            known = rows
    return problems


def unrelated_edits(weft):
    """What is added elsewhere changes no numbers that are drawn here."""
    before = entry("forward(seed: i64, x: f32[8]) -> y: i64[8]", "    y = draw(x)", DRAW)
    after = entry(
        "forward(seed: i64, x: f32[8]) -> w: i64[8], y: i64[8]",
        "    w = draw(exp(x))\n    k = one(x)\n    y = draw(clip(exp(x), 0, 1)) + 0 * k",
        DRAW,
    )
    inputs = {"seed": np.int64(4), "x": np.zeros(8, np.float32)}
    a, b = (run(weft, text, inputs, ["y"], backend="loops")["y"] for text in (before, after))
    return [] if (a == b).all() else [f"the numbers are {a}, and after an edit elsewhere {b}"]


def main():
    problems = [problem for case in (places, dropouts, unrelated_edits) for problem in case(sys.argv[1])]
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
