"""Attention that keeps keys and values: word by word, several at once and in the steps of `rec` it is attention to all words
that are seen; what a run computes and writes is counted in the IR. Usage: cached_attention.py WEFT"""

import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "runtime"))
from c_library import Program, view
from program_case import BACKENDS

MOST = 97  # as no other size is
MODEL = f"""weft 0.1
import std.attention: biased_attention
import std.cached_attention: CachedAttention
import std.position: rotary

op parted(x: float[L, D]; heads: int) -> y: float[heads, L, D/heads] {{ y[h, i, d] = x[i, (h, d)] }}

entry cached {{
  dim L in 1..{MOST}, N in 1..400
  net: CachedAttention(128, 4, 2, most = {MOST})
  forward(x: f32[L, 128]) -> y: f32[L, 128] {{ y = net(x) }}
  steps(x: f32[L, 128]) -> y: f32[L, 128] {{
    rec t < L {{
      word[t, i < 1, d] = x[t, d]
      told[t] = net(word[t])
    }}
    y[t, d] = told[t, 0, d]
  }}
  whole(x: f32[N, 128]) -> y: f32[N, 128] {{
    q[h] = rotary(parted(net.q_proj(x), heads = 4)[h])
    k[g] = rotary(parted(net.k_proj(x), heads = 2)[g])
    v = parted(net.v_proj(x), heads = 2)
    mask[i < N, j < N] = 0.0 if j in i - {MOST - 1}..i + 1 else -inf
    o[h] = biased_attention(q[h], k[h div 2], v[h div 2], mask)
    flat[i, (h, d)] = o[h, i, d]
    y = net.o_proj(flat)
  }}
}}
"""


def run(program, method, x):
    y = np.full(x.shape, np.nan, np.float32)
    code = program.raw_run(method.encode(), [view(x)], [view(y)])
    assert code == 0, program.error()
    return y


def check_results(weft, file, folder, backend):
    library = folder / f"{backend}.so"
    subprocess.run([weft, "compile", file, "--emit", "so", "--backend", backend, "-o", library], check=True)
    program = Program(library, "weft_cached_cached")
    assert program.code == 0, program.error()
    x = np.random.default_rng(3).normal(size=(300, 128)).astype(np.float32)
    wanted, at = run(program, "whole", x), 0
    # Up to the first words again round the ring, all places at once, and on.
    for method, count in (("forward", 1), ("forward", 1), ("forward", 5), ("steps", 20), ("forward", 70), ("steps", 9),
                          ("forward", MOST), ("forward", 1), ("steps", 96)):  # fmt: skip
        got = run(program, method, x[at : at + count])
        np.testing.assert_allclose(got, wanted[at : at + count], rtol=1e-4, atol=1e-4, err_msg=f"{backend} {method} at {at}")
        at += count
    assert at == len(x)
    program.destroy()


def check_work(weft, file):
    """Scores go to the keys that are there, not to all places; new keys and values are put into theirs alone."""
    text = subprocess.run([weft, "compile", file, "--emit", "ir"], capture_output=True, text=True, check=True).stdout
    body = re.search(r"func\.func @forward\(.*?\n  }\n", text, re.S).group(0)
    assert len(re.findall(r"weft\.launch @update\w*\([^\n]*weft\.in_place", body)) == 2, body
    with_places = []
    for name in re.findall(r"weft\.launch @(\w+)\(", body):
        kernel = re.search(rf"weft\.kernel @{name} .*?\n  }}\n", text, re.S).group(0)
        for domain in re.findall(r"weft\.equation \([^)]*\) in \(([^)]*)\)", kernel):
            if str(MOST) in domain.split(", ") and "weft.update" not in kernel:
                with_places.append(domain)
    assert with_places == [str(MOST)], with_places  # which of the places hold something
    assert f"{MOST} + " not in text and "tensor.concat" not in text


def main(weft):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        file = folder / "cached.weft"
        file.write_text(MODEL)
        check_work(weft, file)
        for backend in BACKENDS:
            check_results(weft, file, folder, backend)
    print("a word costs what is new about it")


if __name__ == "__main__":
    main(sys.argv[1])
