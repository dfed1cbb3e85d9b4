"""Attention under masks that tell by position: both back ends beside NumPy, rows of which all is masked too; what the mask leaves
out is not computed, counted in instructions. Usage: masked_attention.py WEFT"""

import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

from program_case import check

MODEL = """weft 0.1
import std.attention: attention, causal_attention, continued_attention, relative_attention
import std.softmax: softmax

{ops}
entry run {{
  run({inputs}) -> o: f32[{heads}, {queries}, {width}] {{ o[h] = {call} }}
}}
"""

MASKED = """op masked(q: float[L, D], k: float[T, D], v: float[T, E]) -> o: float[L, E] {
  s[i, j] = sum(d) q[i, d] * k[j, d]
  open[i, j] = s[i, j] if CONDITION else -inf
  p[i] = softmax(open[i])
  o[i, e] = sum(j) p[i, j] * v[j, e]
}
"""

# Sizes that tiles, vectors and blocks divide, and others; (heads, queries, keys, width).
SIZES = [(1, 1, 1, 4), (2, 19, 40, 8), (2, 100, 131, 32), (1, 130, 384, 32)]


def model(call, heads, queries, keys, width, ops="", more=""):
    inputs = f"q: f32[{heads}, {queries}, {width}], k: f32[{heads}, {keys}, {width}], v: f32[{heads}, {keys}, {width}]{more}"
    return MODEL.format(ops=ops, inputs=inputs, heads=heads, queries=queries, width=width, call=call)


def draw(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def attend(score, v):
    """Softmax over the last axis, in f64; NaN where all of a row is -inf."""
    with np.errstate(invalid="ignore"):
        e = np.exp(score - score.max(-1, keepdims=True))
        return (e / e.sum(-1, keepdims=True)) @ v.astype(np.float64)


def scores(q, k):
    return np.einsum("hid,hjd->hij", q.astype(np.float64), k.astype(np.float64))


def problems(weft):
    for heads, queries, keys, width in SIZES:
        q, k, v = (draw(seed, heads, n, width) for seed, n in enumerate((queries, keys, keys)))
        q /= np.float32(width**0.5)
        i, j = np.arange(queries)[:, None], np.arange(keys)[None]
        back = keys - queries
        title = f"{heads}x{queries}x{keys}x{width}"

        def masked(seen):
            return attend(np.where(seen, scores(q, k), -np.inf), v)

        yield from check(weft, f"causal {title}", model("causal_attention(q[h], k[h], v[h], scale = 1.0)", heads, queries, keys, width),
                         {"q": q, "k": k, "v": v}, {"o": masked(j <= i + back)})
        for condition, seen in (("j > i - 9 and j <= i", (j > i - 9) & (j <= i)), ("j >= i", j >= i), ("j < i", j < i),
                                ("2*j < i", 2 * j < i), ("j + 3 <= i and j < 50", (j + 3 <= i) & (j < 50)),
                                ("j < T - i", j < keys - i)):  # fmt: skip
            text = model("masked(q[h], k[h], v[h])", heads, queries, keys, width, MASKED.replace("CONDITION", condition))
            yield from check(weft, f"{condition} {title}", text, {"q": q, "k": k, "v": v}, {"o": masked(seen)})
        r, content, place = draw(5, heads, keys, width), draw(6, heads, width), draw(7, heads, width)
        distance = np.clip(i + back - j, 0, keys - 1)
        far = np.take_along_axis(scores(q + place[:, None], r), distance[None].repeat(heads, 0), 2)
        wanted = attend(np.where(j <= i + back, scores(q + content[:, None], k) + far, -np.inf), v)
        text = model("relative_attention(q[h], k[h], v[h], r[h], content[h], place[h], scale = 1.0)", heads, queries, keys, width,
                     more=f", r: f32[{heads}, {keys}, {width}], content: f32[{heads}, {width}], place: f32[{heads}, {width}]")
        yield from check(weft, f"relative {title}", text,
                         {"q": q, "k": k, "v": v, "r": r, "content": content, "place": place}, {"o": wanted})
        new_k, new_v = draw(8, heads, queries, width), draw(9, heads, queries, width)
        seen = np.random.default_rng(1).random((queries, keys)) < 0.5
        early = np.where(seen, scores(q, k), -np.inf)
        late = np.where(np.arange(queries)[None] <= i, scores(q, new_k), -np.inf)
        wanted = attend(np.concatenate([early, late], 2), np.concatenate([v, new_v], 1))
        size = f"f32[{heads}, {queries}, {width}]"
        text = model("continued_attention(q[h], k[h], v[h], seen, new_k[h], new_v[h], scale = 1.0)", heads, queries, keys, width,
                     more=f", seen: bool[{queries}, {keys}], new_k: {size}, new_v: {size}")
        yield from check(weft, f"continued {title}", text,
                         {"q": q, "k": k, "v": v, "seen": seen, "new_k": new_k, "new_v": new_v}, {"o": wanted})


def instructions(weft, call, folder, backend, ops=""):
    """Of the kernels of one run, by callgrind. It knows no AVX-512."""
    file, program = folder / "model.weft", folder / "program"
    file.write_text(model(call, 1, 512, 512, 32, ops))
    subprocess.run([weft, "compile", file, "--target", "x86-64-v3", "--backend", backend, "-o", program], check=True)
    for seed, name in enumerate("qkv"):
        np.save(folder / f"{name}.npy", draw(seed, 1, 512, 32))
    inputs = [word for name in "qkv" for word in ("--input", f"{name}={folder / name}.npy")]
    counts = folder / "callgrind.out"
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}", program, *inputs, "--threads", "1"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    table = subprocess.run(["callgrind_annotate", "--threshold=100", counts], capture_output=True, text=True, check=True).stdout
    kernels = re.findall(r"^\s*([\d,]+) .*:weft_kernel_", table, re.M)
    return sum(int(count.replace(",", "")) for count in kernels)


def check_work(weft, folder):
    for backend in ("halide", "loops"):
        everything = instructions(weft, "attention(q[h], k[h], v[h])", folder, backend)
        causal = instructions(weft, "causal_attention(q[h], k[h], v[h])", folder, backend)
        window = instructions(weft, "masked(q[h], k[h], v[h])", folder, backend,
                              MASKED.replace("CONDITION", "j > i - 32 and j <= i"))  # fmt: skip
        print(f"{backend}: {everything} instructions, causal {causal / everything:.2f} of them, a window of 32 {window / everything:.2f}")
        assert causal < (0.75 if backend == "halide" else 0.85) * everything
        assert window < (0.7 if backend == "halide" else 0.8) * everything


def check_blocks(weft, folder):
    """All is one kernel, by blocks of rows, also where the keys of a head are more than the cache holds."""
    file, schedule = folder / "model.weft", folder / "model.schedule"
    file.write_text(model("attention(q[h], k[h], v[h])", 4, 8192, 8192, 64))
    subprocess.run([weft, "compile", file, "--target", "x86-64-v4", "--emit", "schedule", "-o", schedule], check=True)
    text = schedule.read_text()
    assert text.count("// kernel ") == 1, text
    assert re.search(r"split io by \d+ into ioo, ioi\n", text) and "this at o.ioo" in text, text


def main(weft):
    found = list(problems(weft))
    with tempfile.TemporaryDirectory() as folder:
        check_blocks(weft, pathlib.Path(folder))
        check_work(weft, pathlib.Path(folder))
    sys.exit("\n".join(found) or 0)


if __name__ == "__main__":
    main(sys.argv[1])
