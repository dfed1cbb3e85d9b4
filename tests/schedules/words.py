"""Words that change code and no result: words.py WEFT

Weights in every order that `pack` can give, and lengths that `specialize` has code for. The results are those of the loops back
end, at sizes that nothing divides; the program shows that the weights lie so, and that the loops have these lengths.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

MODEL = """weft 0.1

op matmul(a: float[N, K], b: float[K, M]) -> y: float[N, M] { y[i, j] = sum(k) a[i, k] * b[k, j] }
op conv(x: float[N, C, H, W], w: float[K, C, R, S]) -> y: float[N, K, H - R + 1, W - S + 1] {
  y[n, k, i, j] = sum(c, r, s) x[n, c, i + r, j + s] * w[k, c, r, s]
}

model Net() {
  param flat: float[37, 50]
  param taps: float[11, 5, 3, 3]
  param table: float[37, 6]
  param shift: float[37, 6]
  forward(x: float[N, 37], m: float[N, 5, 9, 7])
      -> y: float[N, 50], c: float[N, 11, 7, 5], t: float[N, 37, 6], u: float[50, N], v: float[37] {
    y = matmul(x, flat)
    c = conv(m, taps)
    t[n, k, j] = exp(x[n, k] * table[k, j] + shift[k, j])
    u[j, n] = sum(k) flat[k, j] * exp(x[n, k])
    v[k] = sum(n) x[n, k] * x[n, k]
  }
}

entry e {
  dim N in 1..64
  net: Net()
  forward(x: f32[N, 37], m: f32[N, 5, 9, 7])
      -> y: f32[N, 50], c: f32[N, 11, 7, 5], t: f32[N, 37, 6], u: f32[50, N], v: f32[37] { y, c, t, u, v = net(x, m) }
}
"""
# A schedule, and the type of what is prepared for it; none: the weight is read as it is stored.
PACKED = [
    ("schedule matmul { pack b as [j div 8, k, j % 8] }", "7x37x8"),
    ("schedule matmul { pack b as [j div 7, k, j % 7] }", "8x37x7"),
    ("schedule matmul { pack b as [j, k] }", "50x37"),
    ("schedule matmul { pack b as [k, j] }", None),
    ("schedule matmul { pack b as [j div 12, k div 5, j % 12, k % 5] }", "5x8x12x5"),
    ("schedule matmul { pack b as [k % 4, j % 16, k div 4, j div 16] }", "4x16x10x4"),
    ("schedule matmul { pack b as [j div 24 % 2, k, j div 48, j % 24] }", "2x37x2x24"),
    ("schedule matmul {\n  knob t in {24, 8}\n  pack b as [joo, k, joi, ji]\n  split j by t into jo, ji\n"
     "  split jo by 2 into joo, joi\n  order i joo joi | k | ji\n  vectorize ji\n}", "2x37x2x24"),
    ("schedule matmul {\n  split k by 4 into ko, ki\n  order i j | ko ki |\n  pack b as [ko, j, ki]\n}", "10x50x4"),
    ("schedule conv { pack w as [k div 8, r, s, c, k % 8] }", "2x3x3x5x8"),
    ("schedule conv { pack w as [r, s, c, k] }", "3x3x5x11"),
    ("schedule conv { pack w as [k % 3, c, k div 3, s, r] }", "3x5x4x3x3"),
    ("schedule Net.t { pack table as [j div 4, k, j % 4] }", "2x37x4"),
    ("schedule Net.t { pack table as [j, k] }", "6x37"),
]  # fmt: skip
# Here the sum is computed outside of all loops of its result.
OUTSIDE = [
    "schedule matmul {\n  order | k | i j\n  specialize i in {8}\n}",
    "schedule matmul {\n  split k by 37 into ko, ki\n  order ko i j | ki |\n  specialize i in {8}\n}",
]
SPECIAL = [
    "schedule matmul { specialize i in {1, 8} }",
    "schedule matmul {\n  split i by 3 into io, ii\n  order io j | k | ii\n  unroll ii\n  parallel io\n  specialize i in {8}\n}",
    "schedule matmul {\n  split k by 8 into ko, ki\n  order i j | ko ki |\n  specialize i in {8}\n}",
    "schedule conv { specialize n in {8, 1, 64} }",
    "schedule Net.t { specialize n in {8} }",
    "schedule Net.u { specialize n in {8} }",
    "schedule Net.v { specialize n in {8} }",
    *OUTSIDE,
]
SIZES = (1, 5, 8, 13, 64)


class Case:
    def __init__(self, weft, folder):
        self.weft, self.folder = weft, pathlib.Path(folder)
        draw = np.random.default_rng(3)
        for size in SIZES:
            np.save(self.folder / f"x{size}.npy", draw.standard_normal((size, 37)).astype(np.float32))
            np.save(self.folder / f"m{size}.npy", draw.standard_normal((size, 5, 9, 7)).astype(np.float32))
        (self.folder / "model.weft").write_text(MODEL)
        self.compiled("-o", "program", "--backend", "loops")
        self.wanted = {size: self.results(size) for size in SIZES}

    def run(self, *words):
        ran = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=600)
        assert ran.returncode == 0, (words, ran.stderr)
        return ran.stdout

    def compiled(self, *words):
        return self.run(self.weft, "compile", "model.weft", *words)

    def results(self, size):
        outputs = [word for name in "yctuv" for word in ("--output", f"{name}={name}.npy")]
        self.run("./program", "--init", "2", "--input", f"x=x{size}.npy", "--input", f"m=m{size}.npy", *outputs)
        return [np.load(self.folder / f"{name}.npy") for name in "yctuv"]

    def compare(self, schedule):
        self.compiled("-o", "program", "--schedule", "given.schedule")
        for size in SIZES:
            for got, wanted in zip(self.results(size), self.wanted[size]):
                assert got.shape == wanted.shape, (schedule, size)
                assert np.abs(got - wanted).max() <= 2e-5 * np.abs(wanted).max(), (schedule, size, np.abs(got - wanted).max())

    def given(self, schedule):
        (self.folder / "given.schedule").write_text(schedule + "\n")

    def printed(self):
        return self.compiled("--emit", "schedule", "--schedule", "given.schedule")


def prepared(case, *words):
    """The types that the function which runs first gives."""
    found = re.search(r"@prepare\(\) -> (.*?) attributes", case.compiled("--emit", "ir", *words))
    return re.findall(r"tensor<([\dx]+)xf32>", found[1]) if found else []


def check_packing(case):
    for schedule, wanted in PACKED:
        case.given(schedule)
        types = prepared(case, "--schedule", "given.schedule")
        if wanted:
            assert wanted in types, (schedule, types)
        else:
            assert len(types) == len(prepared(case)) - 1, (schedule, types)
        printed = case.printed()
        assert "pack " in printed
        case.compare(schedule)
        # What is printed says it again.
        case.given(printed)
        assert case.printed() == printed, schedule
        assert prepared(case, "--schedule", "given.schedule") == types, schedule


def check_default(case):
    """The default's orders are printed in the same words, which others overrule."""
    printed = case.compiled("--emit", "schedule")
    for operand in ("b", "w"):
        assert len(re.findall(rf"^  pack {operand} as \[", printed, re.M)) == 1, printed
    types = prepared(case)
    case.given(printed)
    assert case.printed() == printed and prepared(case, "--schedule", "given.schedule") == types
    # Said alone they choose the schedule that the default's choose.
    columns = re.search(r"^  pack b as \[jo, k, ji\]\n(?:  .*\n)*?  split j by (\d+) into jo, ji$", printed, re.M)[1]
    filters = re.search(r"^  pack w as \[ko, r, s, c, ki\]\n(?:  .*\n)*?  split k by (\d+) into ko, ki$", printed, re.M)[1]
    case.given(f"schedule matmul {{ pack b as [j div {columns}, k, j % {columns}] }}\n"
               f"schedule conv {{ pack w as [k div {filters}, r, s, c, k % {filters}] }}")  # fmt: skip
    assert case.printed() == printed
    # An instance before a declaration, whichever stands first; each operand by itself.
    blocks = ["schedule forward.y.y { pack b as [j, k] }", "schedule matmul { pack b as [j div 5, k, j % 5] }"]
    for order in (blocks, blocks[::-1]):
        case.given("\n".join(order))
        assert "50x37" in prepared(case, "--schedule", "given.schedule"), order
    case.given("schedule forward.t { pack shift as [j, k] }\nschedule Net.t { pack table as [j, k] }")
    assert prepared(case, "--schedule", "given.schedule").count("6x37") == 2


def check_lengths(case):
    for schedule in SPECIAL:
        case.given(schedule)
        loop, numbers = re.search(r"specialize (\w+) in \{([^}]*)\}", schedule).groups()
        printed = case.printed()
        assert f"  specialize {loop} in {{{numbers}}}\n" in printed, printed
        code = case.compiled("--emit", "stmt", "--schedule", "given.schedule")
        for number in numbers.split(", "):
            branches = re.findall(rf"^( *)(?:\}} else )?if \(size\d+ == {number}\) \{{\n(.*?)^\1\}}", code, re.M | re.S)
            assert branches, (schedule, number)
            for _, body in branches:
                assert not re.search(r"\bsize\d+\b", body), (schedule, number, body)
        if schedule in OUTSIDE:  # where the sum begins, where it adds, and where it is read
            assert re.findall(r"for \(forward_y_y\w*\.(s\d)\.i, 0, 8\)", code) == ["s0", "s1", "s0"], (schedule, code)
        case.compare(schedule)
        case.given(printed)
        assert case.printed() == printed, schedule


def check_hot(case):
    """Where a program for one size knows the length, no code of its own is needed, and that is no mistake."""
    (case.folder / "hot.weft").write_text(MODEL.replace("1..64", "1..64, hot {8}"))
    case.given("schedule matmul { specialize i in {1, 8} }")
    printed = case.run(case.weft, "compile", "hot.weft", "--emit", "schedule", "--schedule", "given.schedule")
    assert printed.count("specialize i in {1, 8}") == 1 and "schedule forward.y.y_N8 {" in printed, printed


def main():
    with tempfile.TemporaryDirectory() as folder:
        case = Case(os.path.abspath(sys.argv[1]), folder)
        check_default(case)
        check_packing(case)
        check_lengths(case)
        check_hot(case)
    print(f"{len(PACKED)} orders of weights and {len(SPECIAL)} schedules with known lengths give the results of the loops")


if __name__ == "__main__":
    main()
