"""Memory of lists whose length the data decides: what later parts of a program compute lies where earlier parts are done with
theirs. The memory that stays after runs is measured: of a long chain of lists it is hardly more than of a short one.

Usage: planned_memory.py WEFT
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

STAGE = """
/// In order, and those alone that are above the threshold.
op stage(x: float[N], t: float) -> y: float[K <= N] {
  s = x[argsort(n) x[n]]
  y = s[filter(n) s[n] > t]
}
/// The same in steps: the slices of a recurrence have a length that the data decides.
op steps(x: float[N]) -> y: float[N] {
  rec h[t < 3, n < N] = 2 * h[t-1, N - 1 - n] from h[-1, n < N] = x[n]
  y = h[2]
}
"""


def chain(stages):
    text = "weft 0.1\n" + STAGE + "\nentry chain {\n  dim N in 0..1000000\n  forward(x: f32[N]) -> y: f32[K <= N] {\n    h0 = x\n"
    for i in range(stages):
        text += f"    g{i} = stage(h{i}, {0.1 * i - 1})\n    h{i + 1} = steps(g{i}) / 8\n"
    return text + f"    y = h{stages}\n  }}\n}}\n"


def expected(x, stages):
    for i in range(stages):
        x = numpy.sort(x)
        x = x[x > numpy.float32(0.1 * i - 1)][::-1]
    return x


class Chain:
    def __init__(self, weft, backend, folder, stages):
        self.stages, self.folder = stages, folder
        (folder / "chain.weft").write_text(chain(stages))
        self.program = folder / f"chain{stages}"
        subprocess.run([weft, "compile", folder / "chain.weft", "--backend", backend, "-o", self.program], check=True)

    def bytes(self, x):
        numpy.save(self.folder / "x.npy", x)
        words = [self.program, "--threads", "1", "--input", f"x={self.folder / 'x.npy'}"]
        subprocess.run([*words, "--output", f"y={self.folder / 'y.npy'}"], check=True)
        y = numpy.load(self.folder / "y.npy")
        assert numpy.array_equal(y, expected(x, self.stages)), (self.stages, len(x), y.shape)
        done = subprocess.run([*words, "--bench", "--json"], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)["workspace_bytes"]


def main():
    weft = sys.argv[1]
    rng = numpy.random.default_rng(2)
    with tempfile.TemporaryDirectory() as scratch:
        for backend in ("loops", "halide"):
            short, long = (Chain(weft, backend, pathlib.Path(scratch), stages) for stages in (2, 8))
            for n in (0, 1, 1000, 20000):
                x = rng.uniform(-1, 1, n).astype(numpy.float32)
                few, many = short.bytes(x), long.bytes(x)
                # 8 bytes for a position in order, 8 for one that is kept, 4 for a number, 1 for whether it is kept.
                assert few >= 16 * n and many <= 1.1 * few + 4096, (backend, n, few, many)
                print(f"{backend}, {n} numbers: {few} bytes for two lists, {many} for eight")
    return 0


if __name__ == "__main__":
    sys.exit(main())
