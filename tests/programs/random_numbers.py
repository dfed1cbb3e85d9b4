"""`bits` by both back ends against Philox4x32-10 in NumPy, for any number of threads: python random_numbers.py WEFT"""

import pathlib
import sys

import numpy as np

from program_case import BACKENDS, run

sys.path.append(str(pathlib.Path(__file__).parent.parent / "references"))
from philox import bits

TEXT = """weft 0.1
entry e {
  forward(seed: i64) -> a: i64[300], b: i64[20, 30], c: i64[7, 5], d: i64[50], r: i64[40] {
    a[i < 300] = bits(seed, i)
    b[i < 20, j < 30] = bits(seed, i, 3 * j, i + j, 7)
    c[i < 7, j < 5] = bits(seed, 1, 2, 3, 4, i, j)
    d[i < 50] = bits(seed + i64(i) * 4294967296 * 77, -1, i)
    rec r[t < 40] = bits(r[t-1], t) from r[-1] = seed
  }
}
"""


def main():
    weft = sys.argv[1]
    assert bits(0, 0, 0, 0, 0) == 0x6627E8D5 and bits(-1, -1, -1, -1, -1) == 0x408F276D
    assert bits(0x299F31D0A4093822, 0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344) == 0xD16CFE09
    seed = -8123456789012345
    i, j = np.arange(20)[:, None], np.arange(30)[None, :]
    with np.errstate(over="ignore"):
        other = bits(np.int64(seed) + np.int64(0x5A17C0DEDB5E), 1, 2, 3, 4)
        inner = bits(seed, 1, 2, 3, 4) + other * np.int64(2**32)
        chain, state = [], seed
        for t in range(40):
            state = int(bits(state, t))
            chain.append(state)
        wanted = {
            "a": bits(seed, np.arange(300)),
            "b": bits(seed, i, 3 * j, i + j, 7 + 0 * i),
            "c": bits(inner, np.arange(7)[:, None], np.arange(5)[None, :]),
            "d": np.array([bits(np.int64(seed) + np.int64(n) * np.int64(2**32 * 77), -1, n) for n in range(50)]),
            "r": np.array(chain),
        }
    problems = []
    for backend in BACKENDS:
        for threads in ("1", "2"):
            got = run(weft, TEXT, {"seed": np.int64(seed)}, wanted, "--threads", threads, backend=backend)
            for name, values in wanted.items():
                if not (got[name] == values).all():
                    problems.append(f"{backend}, {threads} threads: {name} is\n{got[name]}\nnot\n{values}")
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
