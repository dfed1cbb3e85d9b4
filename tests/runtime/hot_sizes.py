"""Code of its own for hot sizes: which there is, that its kernels have sizes that are numbers, that it is run exactly for these
sizes and gives what the code for all sizes gives, with the same weights, the same packed ones and the same state.

Usage: hot_sizes.py WEFT
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy

MODEL = """weft 0.1

import std.linear: Linear

model Net(width: int) {
  wide: Linear(24, width)
  narrow: Linear(width, 8)
  state runs: int = 0
  forward(x: float[B, L, 24]) -> y: float[B, L, 8], n: int {
    y = narrow(maximum(wide(x), 0))
    n = runs
    next runs = runs + 1
  }
}

entry program {
  dim B in 1..8, hot {1, 4}, L in 1..50, hot {20}
  net as "": Net(40)
  forward(x: f32[B, L, 24]) -> y: f32[B, L, 8], n: int { y, n = net(x) }
  listed(v: f32[L], t: f32) -> at: int[K <= L], sums: f32[L] {
    at = filter(i) v[i] > t
    rec s[i] = s[i-1] + v[i] from s[-1] = 0
    sums = s
  }
  plain(a: f32[3]) -> b: f32[3] { b = 2*a }
}
"""
COLD = MODEL.replace(", hot {1, 4}", "").replace(", hot {20}", "")


class Program:
    def __init__(self, weft, folder, text, backend):
        self.weft, self.folder, self.backend = weft, folder, backend
        folder.mkdir()
        (folder / "m.weft").write_text(text)
        self.compile("-o", folder / "program")

    def compile(self, *words):
        command = [self.weft, "compile", self.folder / "m.weft", "--backend", self.backend, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def call(self, method, outputs, *words, **inputs):
        """The outputs, and the kernels that were run."""
        command = [self.folder / "program", method, "--init", "3", "--profile", self.folder / "trace.json", *words]
        for name, value in inputs.items():
            numpy.save(self.folder / f"{name}.npy", value)
            command += ["--input", f"{name}={self.folder / name}.npy"]
        for name in outputs:
            command += ["--output", f"{name}={self.folder / name}_out.npy"]
        subprocess.run(command, check=True, capture_output=True)
        trace = json.loads((self.folder / "trace.json").read_text())
        kernels = {event["args"]["kernel"] for event in trace["traceEvents"] if "kernel" in event.get("args", {})}
        assert kernels, trace["traceEvents"][:3]
        return [numpy.load(self.folder / f"{name}_out.npy") for name in outputs], kernels


def kernels_of(ir, function):
    """Names of the kernels that the function launches."""
    body = ir[ir.index(f"func.func {function}(") :]
    return set(re.findall(r"weft\.launch @(\w+)", body[: body.index("\n  }")]))


def check_ir(program):
    ir = program.compile("--emit", "ir", "-o", "/dev/stdout")
    functions = re.findall(r"func\.func (@\S+?|@\".*?\")\(", ir)
    hot = {'@"forward[B=1, L=20]"', '@"forward[B=4, L=20]"', '@"listed[L=20]"'}
    assert hot < set(functions) and sum("[" in name for name in functions) == 3, functions
    kernels = {}
    for text in re.findall(r"weft\.kernel @.*?\n  }", ir, re.S):
        kernels[re.match(r"weft\.kernel @(\w+)", text).group(1)] = text
    dynamic = {name for name, text in kernels.items() if "?" in text}
    general = kernels_of(ir, "@forward")
    assert len(general & dynamic) == 2, general
    for function in hot:
        launched = kernels_of(ir, function)
        # What a list holds has its length; what does not depend on a size is there once.
        lists = {name for name in launched & dynamic if name.startswith(("copy", "filter"))}
        assert launched and launched & dynamic == lists and ("forward" in function) <= (not lists), (function, launched)
        assert not launched & general & dynamic, function


def prepared(ir):
    found = re.search(r"func\.func private @prepare\(\) -> (.*?) attributes", ir)
    return found.group(1) if found else ""


def check_results(hot, cold):
    rng = numpy.random.default_rng(4)
    ran = {}
    for b, l in [(1, 20), (4, 20), (1, 19), (2, 20), (4, 21), (8, 50), (1, 1)]:
        x = rng.normal(size=(b, l, 24)).astype(numpy.float32)
        (y, _), ran[b, l] = hot.call("forward", ["y", "n"], x=x)
        (wanted, _), _ = cold.call("forward", ["y", "n"], x=x)
        assert numpy.abs(y - wanted).max() <= 1e-5 * numpy.abs(wanted).max(), (b, l)
    assert ran[1, 19] == ran[2, 20] == ran[4, 21] == ran[8, 50] == ran[1, 1], ran
    assert all(len(ran[a] - ran[b]) == 2 for a in ran for b in ran if a != b and {a, b} & {(1, 20), (4, 20)}), ran
    for l in (20, 7):
        v = rng.normal(size=l).astype(numpy.float32)
        (at, sums), _ = hot.call("listed", ["at", "sums"], v=v, t=numpy.float32(0.3))
        assert (at == numpy.flatnonzero(v > 0.3)).all()
        numpy.testing.assert_allclose(sums, numpy.cumsum(v.astype(float)), atol=1e-5)
    (b,), _ = hot.call("plain", ["b"], a=numpy.ones(3, numpy.float32))
    assert (b == 2).all()


def check_state(program):
    """One state for all codes."""
    state = program.folder / "state"
    state.unlink(missing_ok=True)
    for count, length in enumerate((20, 5, 20, 21)):
        (_, n), _ = program.call("forward", ["y", "n"], "--state", state, x=numpy.ones((1, length, 24), numpy.float32))
        assert n == count, (length, n)


def check_words(weft, program):
    described = subprocess.run([program.folder / "program", "--describe"], check=True, capture_output=True, text=True).stdout
    assert "  code of its own for B = 1, L = 20\n  code of its own for B = 4, L = 20\nmethod listed" in described, described
    words = [program.folder / "program", "--describe", "--json"]
    described = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    assert described["methods"]["forward"]["variants"] == ["B = 1, L = 20", "B = 4, L = 20"], described
    assert described["methods"]["plain"]["variants"] == [], described
    words = [program.folder / "program", "--init", "1", "--bench", "--profile", program.folder / "trace.json"]
    subprocess.run(words, check=True, capture_output=True)
    shown = subprocess.run([weft, "show", program.folder / "m.weft"], check=True, capture_output=True, text=True).stdout
    flops = 20 * ((2 * 24 + 2) * 40 + (2 * 40 + 1) * 8)  # products and sums, a bias, one maximum
    for line in (f"code of its own for B = 1, L = 20, {1e-9 * flops:.3g} GFLOP", "code of its own for L = 20, 4e-08 GFLOP"):
        assert f"    {line}\n" in shown, (line, shown)
    words = [weft, "explain", "--kernels", program.folder / "m.weft"]
    explained = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert "m.weft:17:23: `forward` has code of its own for B = 4, L = 20\n" in explained, explained


def main():
    weft = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        for backend in ("loops", "halide"):
            folder = pathlib.Path(scratch)
            hot = Program(weft, folder / f"hot_{backend}", MODEL, backend)
            cold = Program(weft, folder / f"cold_{backend}", COLD, backend)
            check_ir(hot)
            texts = [program.compile("--emit", "ir", "-o", "/dev/stdout") for program in (hot, cold)]
            assert prepared(texts[0]) == prepared(texts[1]), [prepared(text) for text in texts]
            check_results(hot, cold)
            check_state(hot)
            check_words(weft, hot)
    print("hot sizes have code of their own")
    return 0


if __name__ == "__main__":
    sys.exit(main())
