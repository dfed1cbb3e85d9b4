"""Weights that change: moved by an optimizer, followed by a teacher's, kept in a state file from process to process, against NumPy
by both back ends.

Usage: changing_weights.py WEFT
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy

from states import read_states, write_states

MODEL = """weft 0.1
import std.linear: Linear
import std.optim: adam, moving_average

model Net(n: int) {
  layers: [Linear(n, n); 2]
  param gain as "g": float = 1
  forward(x: float[n]) -> y: float[n] {
    h = x
    for l in layers { h = tanh(l(h)) }
    y = gain * h
  }
}

entry train {
  student: Net(6)
  teacher: Net(6)
  fixed: Net(6)
  state m: student.params = 0
  state v: student.params = 0
  state n: int = 0

  /// What both give before the step; the student goes along a made-up gradient, the teacher follows.
  forward(x: f32[6], rate: f32) -> y: f32[6], z: f32[6], still: f32[6], size: f32 {
    y = student(x)
    z = teacher(student(x))
    still = fixed(x)
    g = 0.5 * student.params - (sum(i) x[i])
    w, next m, next v = adam(student.params, g, m, v, n + 1, rate)
    next n = n + 1
    next student.params = w
    next teacher.params = moving_average(teacher.params, w, 0.9)
    size = total(w)
  }
  /// A part alone, all of another, and a state from a number.
  turn(k: f32) -> y: f32 {
    y = k
    next teacher.params = student.params
    next student.layers.params = k * student.layers.params
    next m = 1
  }
  /// One weight alone, by its name, of each.
  gains(k: f32) -> y: f32 {
    y = k * student.gain
    next student.gain = student.gain + k
    next teacher.gain = k
  }
  look(x: f32[6]) -> y: f32[6] { y = student(x) }
}

entry use {
  student: Net(6)
  forward(x: f32[6]) -> y: f32[6] { y = student(x) }
}
"""
SHAPES = {"layers.0.weight": (6, 6), "layers.0.bias": (6,), "layers.1.weight": (6, 6), "layers.1.bias": (6,), "g": ()}


class Reference:
    def __init__(self, rng):
        draw = lambda: {name: rng.normal(size=shape).astype(numpy.float32) for name, shape in SHAPES.items()}
        self.student, self.teacher, self.fixed = draw(), draw(), draw()
        zero = {name: numpy.zeros(shape, numpy.float32) for name, shape in SHAPES.items()}
        self.m, self.v, self.n = zero, zero, 0

    @staticmethod
    def net(w, x):
        for layer in "01":
            x = numpy.tanh(w[f"layers.{layer}.weight"] @ x + w[f"layers.{layer}.bias"])
        return w["g"] * x

    def forward(self, x, rate):
        y = self.net(self.student, x)
        results = y, self.net(self.teacher, y), self.net(self.fixed, x)
        self.n += 1
        g = {name: 0.5 * w - x.sum() for name, w in self.student.items()}
        self.m = {name: 0.9 * m + 0.1 * g[name] for name, m in self.m.items()}
        self.v = {name: 0.999 * v + 0.001 * g[name] ** 2 for name, v in self.v.items()}
        self.student = {name: w - rate * self.m[name] / (1 - 0.9**self.n) /
                        (numpy.sqrt(self.v[name] / (1 - 0.999**self.n)) + 1e-8) for name, w in self.student.items()}
        self.teacher = {name: 0.9 * w + 0.1 * self.student[name] for name, w in self.teacher.items()}
        return (*results, sum(w.sum() for w in self.student.values()))

    def turn(self, k):
        self.teacher = self.student
        self.student = {name: w * k if name != "g" else w for name, w in self.student.items()}
        self.m = {name: numpy.ones_like(m) for name, m in self.m.items()}
        return (k,)

    def gains(self, k):
        before = k * self.student["g"]
        self.student = self.student | {"g": self.student["g"] + k}
        self.teacher = self.teacher | {"g": k}
        return (before,)

    def look(self, x):
        return (self.net(self.student, x),)

    def states(self):
        parts = {"student": self.student, "teacher": self.teacher, "m": self.m, "v": self.v}
        return {"n": numpy.int64(self.n), **{f"{part}.{name}": value for part, values in parts.items()
                                            for name, value in values.items()}}


OUTPUTS = {"forward": ("y", "z", "still", "size"), "turn": ("y",), "gains": ("y",), "look": ("y",)}


def close(got, wanted, what):
    numpy.testing.assert_allclose(numpy.asarray(got), numpy.asarray(wanted), rtol=2e-5, atol=2e-5, err_msg=str(what))


def run(folder, method, inputs, *words):
    for name, value in inputs.items():
        numpy.save(folder / f"{name}.npy", value)
    call = [folder / "train", method, *words, "--weights", folder / "w.safetensors"]
    for name in inputs:
        call += ["--input", f"{name}={folder / name}.npy"]
    for name in OUTPUTS[method]:
        call += ["--output", f"{name}={folder / name}_out.npy"]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [numpy.load(folder / f"{name}_out.npy") for name in OUTPUTS[method]]


def check(weft, folder, backend):
    rng = numpy.random.default_rng(4)
    reference = Reference(rng)
    (folder / "m.weft").write_text(MODEL)
    compile_words = [weft, "compile", folder / "m.weft", "--backend", backend]
    subprocess.run([*compile_words, "--entry", "train", "-o", folder / "train"], check=True)
    write_states(folder / "w.safetensors",
                 {f"{part}.{name}": value for part in ("student", "teacher", "fixed")
                  for name, value in getattr(reference, part).items()})
    file = folder / "train.state"
    file.unlink(missing_ok=True)
    for step, method in enumerate(("forward", "forward", "look", "turn", "gains", "forward", "look")):
        x, k = rng.normal(size=6).astype(numpy.float32), numpy.float32(0.7)
        inputs = {"forward": {"x": x, "rate": numpy.float32(0.05)}, "turn": {"k": k}, "gains": {"k": k},
                  "look": {"x": x}}[method]
        got = run(folder, method, inputs, "--state", file)
        for value, wanted in zip(got, getattr(reference, method)(*inputs.values()), strict=True):
            close(value, wanted, (backend, step, method))
    kept, wanted = read_states(file), reference.states()
    assert sorted(kept) == sorted(wanted), (sorted(kept), sorted(wanted))
    for name, value in wanted.items():
        close(kept[name], value, name)
    # Without the file the weights are those of the weight file again.
    assert (run(folder, "look", {"x": x})[0] != run(folder, "look", {"x": x}, "--state", file)[0]).any()
    # Another entry takes what was trained for its weights.
    subprocess.run([*compile_words, "--entry", "use", "-o", folder / "use"], check=True)
    write_states(folder / "trained.safetensors",
                 {name.removeprefix("student."): value for name, value in kept.items() if name.startswith("student.")})
    subprocess.run([folder / "use", "--weights", folder / "trained.safetensors", "--input", f"x={folder}/x.npy",
                    "--output", f"y={folder}/y_out.npy"], check=True)
    close(numpy.load(folder / "y_out.npy"), reference.look(x)[0], "use")


def main():
    with tempfile.TemporaryDirectory() as temporary:
        for backend in ("loops", "halide"):
            folder = pathlib.Path(temporary) / backend
            folder.mkdir()
            check(sys.argv[1], folder, backend)
    print("weights that change agree with NumPy")


if __name__ == "__main__":
    main()
