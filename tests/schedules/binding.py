"""What users' schedules bind to and overrule: binding.py WEFT MODEL...

What `--emit schedule` prints is given back and printed again for every model, and must stay as it is.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

MODEL = """weft 0.1

import "layers.weft": Dense
import std.softmax: softmax

entry net {
  dim N in 1..64
  a: Dense(64)
  b: Dense(64)
  forward(x: f32[N, 64]) -> p: f32[N, 64] {
    g = b(a(x))
    p[i] = softmax(g[i])
  }
}

test "dense layers" {
  layer = Dense(4)
  expect layer(random(3, 4)) ~= layer(random(3, 4)) within 100
}
"""
LAYERS = """weft 0.1

op matmul(a: float[N, K], b: float[K, M]) -> y: float[N, M] { y[i, j] = sum(k) a[i, k] * b[k, j] }

model Dense(width: int) {
  param weight: float[width, width]
  forward(x: float[N, width]) -> y: float[N, width] { y = matmul(x, weight) }
}
"""


def run(folder, *words):
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=600)


def blocks(text):
    """Path -> directives, without the orders of weights, which words.py is about."""
    found = {}
    for heads, body in re.findall(r"^schedule ([^{]+) \{\n(.*?)^\}", text, re.M | re.S):
        for head in heads.split(","):
            found[head.strip()] = [line.strip() for line in body.splitlines() if not line.startswith("  pack ")]
    return found


class Case:
    def __init__(self, weft, folder):
        self.weft, self.folder = weft, folder

    def write(self, name, text):
        (pathlib.Path(self.folder) / name).write_text(text)

    def compiled(self, own="", imported="", given=None):
        """The schedules with blocks in the model file, in the imported file, and in a file that is given."""
        self.write("model.weft", MODEL + own)
        self.write("layers.weft", LAYERS + imported)
        extra = []
        if given is not None:
            self.write("given.schedule", given)
            extra = ["--schedule", "given.schedule"]
        ran = run(self.folder, self.weft, "compile", "model.weft", "--emit", "schedule", *extra)
        assert ran.returncode == 0, ran.stderr
        return blocks(ran.stdout)

    def refused(self, code, **texts):
        try:
            self.compiled(**texts)
        except AssertionError as error:
            assert f"[{code}]" in str(error), error
            return str(error)
        raise AssertionError(f"{texts} is taken")


def check_strength(case):
    default = case.compiled()
    assert default["a.y.y"] == default["b.y.y"], default
    order = "order j i | k |"
    # A declaration: all instances.
    for name in ("matmul", "matmul.y", "Dense.y.y", "Dense.forward.y.y"):
        got = case.compiled(own=f"schedule {name} {{ {order} }}\n")
        assert got["a.y.y"] == got["b.y.y"] == [order], (name, got)
    # One instance: its kernel is another one, and the rest keeps the default.
    got = case.compiled(own=f"schedule a.y.y {{ {order} }}\n")
    assert got["a.y.y"] == [order] and got["b.y.y"] == default["b.y.y"], got
    # Any end that fits one alone.
    got = case.compiled(own="schedule p.e { order i n | | }\n")
    assert "order i n | |" in got["forward.p.e"], got
    # Who calls is stronger than who is called, whatever stands first; an instance is stronger still.
    got = case.compiled(own=f"schedule b.y.y {{ order i j k }}\nschedule Dense.y.y {{ {order} }}\nschedule matmul {{ order k i j }}\n")
    assert got["a.y.y"] == [order] and got["b.y.y"] == ["order i j k"], got
    # The model file before what it imports, the given file before both, two orders or not.
    got = case.compiled(imported="schedule a.y.y { order k i j }\n", own=f"schedule matmul {{ {order} }}\n")
    assert got["a.y.y"] == [order], got
    got = case.compiled(own="schedule a.y.y { order k i j }\n", given=f"schedule matmul {{ {order} }}\n")
    assert got["a.y.y"] == got["b.y.y"] == [order], got
    # A word replaces its own kind alone.
    got = case.compiled(own=f"schedule matmul {{ {order} parallel i }}\n", given="schedule a.y.y { parallel j }\n")
    assert got["a.y.y"] == [order, "parallel j"] and got["b.y.y"] == [order, "parallel i"], got
    # Within one file and one name, blocks are one block.
    got = case.compiled(own=f"schedule matmul {{ {order} }}\nschedule matmul {{ parallel i }}\n")
    assert got["a.y.y"] == [order, "parallel i"], got
    case.refused("illegal-schedule", own=f"schedule matmul {{ {order} }}\nschedule matmul {{ {order} }}\n")


def check_words(case):
    got = case.compiled(own="schedule matmul {\n  knob t in {4, 8}\n  split i by t into io, ii\n  order io | k | ii j\n}\n")
    assert got["a.y.y"] == ["split i by 4 into io, ii", "order io | k | ii j"], got
    got = case.compiled(own="schedule matmul {\n  knob t in 6..8\n  split i by t into io, ii\n}\n")
    assert got["a.y.y"] == ["split i by 6 into io, ii"], got
    got = case.compiled(own="schedule softmax { e { order i n this at y.i } }\n")
    # Where the default splits the loop of a place, a part of it is meant.
    assert got["forward.p.e"][0] == "order i n" and got["forward.p.e"][1] in ("this at y.i", "this at y.ii"), got
    got = case.compiled(own="schedule softmax { peak at root e at root }\n")
    assert got["forward.p.e"][-1] == "this at root", got
    # Under the default, which splits loops, a mark means a part of them.
    splits = dict(re.findall(r"split (\w+) by \d+ into (\w+),", "\n".join(case.compiled()["a.y.y"])))
    outer = "i"
    while outer in splits:
        outer = splits[outer]
    got = case.compiled(own="schedule matmul { parallel i }\n")
    assert f"parallel {outer}" in got["a.y.y"], got


def check_names(case):
    case.refused("unknown-equation", given="schedule encoder.y.y { parallel i }\n")
    case.refused("unknown-equation", own="schedule mat.y { parallel i }\n")
    case.refused("ambiguous-equation", own="schedule y.y { parallel i }\n")
    # Of a test, of an import, of a declaration that this entry does not use: no mistake, and not for this program.
    default = case.compiled()
    unused = 'op idle(x: float[N]) -> y: float[N] { y[i] = x[i] + 1 }\nschedule idle { order i }\n'
    assert case.compiled(own=unused) == default
    assert case.compiled(imported="op idle(x: float[N]) -> y: float[N] { y[i] = x[i] + 1 }\nschedule idle { order i }\n") == default
    # What a library schedules may be part of another equation here; of the file's own that is an error.
    relu = "op relu(x: float[N]) -> y: float[N] { y[i] = maximum(x[i], 0) }\n"
    fused = "model Net() { d: Dense(64) forward(x: float[N, 64]) -> y: float[N, 64] { h = d(x) y[n] = relu(h[n]) } }\n"
    entry = "entry other { dim N in 1..8 net: Net() forward(x: f32[N, 64]) -> y: f32[N, 64] { y = net(x) } }\n"
    case.write("other.weft", 'weft 0.1\nimport "layers.weft": Dense, relu\n' + fused + entry)
    case.write("layers.weft", LAYERS + relu + "schedule relu { order i }\n")
    ran = run(case.folder, case.weft, "compile", "other.weft", "--emit", "schedule")
    assert ran.returncode == 0, ran.stderr
    case.write("other.weft", 'weft 0.1\nimport "layers.weft": Dense, relu\n' + fused + entry + "schedule relu { order i }\n")
    ran = run(case.folder, case.weft, "compile", "other.weft", "--emit", "schedule")
    assert ran.returncode == 1 and "[fused-equation]" in ran.stderr, ran.stderr
    # A name means what it means in its file.
    other = "op matmul(x: float[N]) -> y: float[N] { y[i] = x[i] + 1 }\nschedule matmul { order i }\n"
    assert case.compiled(own=other) == default


def check_fusion(case):
    """Which kernels equations are in, by what schedules say; what is computed stays the same."""
    def kernels(**texts):
        case.compiled(**texts)
        extra = ["--schedule", "given.schedule"] if "given" in texts else []
        ran = run(case.folder, case.weft, "compile", "model.weft", "--emit", "schedule", *extra)
        parts = ran.stdout.split("// kernel ")
        # Equal kernels are one, whose blocks are about several equations each.
        heads = [re.findall(r"^schedule ([^{]+) \{", part, re.M) for part in parts[1:]]
        return {frozenset(" ".join(head.split()) for head in some) for some in heads}, ran.stdout

    def results(*extra):
        ran = run(case.folder, case.weft, "compile", "model.weft", "-o", "program", *extra)
        assert ran.returncode == 0, ran.stderr
        x = np.random.default_rng(1).standard_normal((7, 64)).astype(np.float32)
        np.save(f"{case.folder}/x.npy", x)
        ran = run(case.folder, "./program", "--init", "1", "--input", "x=x.npy", "--output", "p=p.npy")
        assert ran.returncode == 0, ran.stderr
        return np.load(f"{case.folder}/p.npy")

    def kernel_of(path, found):
        return next(kernel for kernel in found if path in kernel)

    default, _ = kernels()
    expected = results()
    assert kernel_of("forward.p.e", default) == kernel_of("forward.p.peak", default), default
    assert frozenset({"a.y.y, b.y.y"}) in default, default
    # Apart, where it was together.
    found, text = kernels(own="schedule softmax.e { alone }\n")
    assert kernel_of("forward.p.e", found) == frozenset({"forward.p.e"}), found
    assert np.abs(results() - expected).max() < 1e-6
    # What is printed says it again.
    again, repeated = kernels(given=text)
    assert again == found and repeated == text, repeated
    # Together, where it was not; the nearest of several is meant, and a stronger word holds.
    joined = "schedule a.y.y { fuse into b.y.y }\n"
    found, text = kernels(own=joined)
    assert {"a.y.y", "b.y.y"} <= kernel_of("a.y.y", found), found
    assert np.abs(results() - expected).max() < 1e-6
    again, repeated = kernels(own=joined, given=text)
    assert again == found and repeated == text, repeated
    found, _ = kernels(own=joined, given="schedule a.y.y { alone }\n")
    assert frozenset({"a.y.y, b.y.y"}) in found, found
    found, _ = kernels(own="schedule softmax.e { fuse into softmax.peak }\n")
    assert {"forward.p.e", "forward.p.peak"} <= kernel_of("forward.p.e", found), found
    # What this entry does not use is no mistake.
    idle = "op idle(x: float[N, M]) -> y: float[N] { z[i, j] = exp(x[i, j]) y[i] = sum(j) z[i, j] }\n"
    for where in ("own", "imported"):
        found, _ = kernels(**{where: idle + "schedule idle.z { fuse into idle.y }\n"})
        assert found == default, found
    case.refused("illegal-schedule", own="schedule a.y.y { fuse into forward.p.e }\n")
    case.refused("unknown-equation", own="schedule a.y.y { fuse into c.y.y }\n")
    case.refused("ambiguous-equation", own="schedule forward.p.e { fuse into matmul }\n")


def check_tests(case):
    """`weft test` computes by the schedules, and says what is wrong with them."""
    for own, code in (("schedule matmul { order j i | k | }\n", 0), ("schedule Dense.y.y { parallel k }\n", 1)):
        case.write("model.weft", MODEL + own)
        case.write("layers.weft", LAYERS)
        for backend in ("loops", "halide"):
            ran = run(case.folder, case.weft, "test", "--backend", backend, "model.weft")
            assert ran.returncode == code, (own, ran.stdout, ran.stderr)
            assert not code or "[illegal-schedule]" in ran.stdout, ran.stdout


def check_round_trips(case, models):
    for model in models:
        printed = run(case.folder, case.weft, "compile", model, "--emit", "schedule")
        assert printed.returncode == 0, printed.stderr
        case.write("given.schedule", printed.stdout)
        again = run(case.folder, case.weft, "compile", model, "--emit", "schedule", "--schedule", "given.schedule")
        assert again.returncode == 0, again.stderr
        assert again.stdout == printed.stdout, f"{model}: the schedule is printed otherwise when it is given back"


def main():
    weft, *models = map(os.path.abspath, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        case = Case(weft, folder)
        check_strength(case)
        check_words(case)
        check_names(case)
        check_fusion(case)
        check_tests(case)
        check_round_trips(case, models)
    print(f"schedules bind as they should; {len(models)} models print theirs twice alike")


if __name__ == "__main__":
    main()
