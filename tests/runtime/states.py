"""Programs that remember: what `next` makes of states, run by run against NumPy and by both back ends; files of states,
right ones and wrong ones; one program on several threads.

Usage: states.py WEFT
"""

import ctypes
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading

import numpy

from c_library import Program, Tensor, view

MODEL = """weft 0.1

/// The mean of all that it has seen.
model Average(n: int) {
  state mean: float[n] = 0
  state count: int = 0
  forward(x: float[n]) -> y: float[n] {
    new[i] = mean[i] + (x[i] - mean[i]) / (count + 1)
    next mean = new
    next count = count + 1
    y[i] = x[i] - new[i]
  }
}

/// Means of means, layer by layer.
model Layers(n: int) {
  layers: [Average(n); 2]
  shared: Average(n)
  forward(x: float[n]) -> y: float[n] {
    y = x
    for layer in layers { y = shared(layer(y)) }
  }
}

op both(a: float[N], b: float[N]) -> total: float[N], difference: float[N] {
  total = a + b
  difference = a - b
}

entry kept {
  dim B in 1..6
  average: Average(4)
  other: Average(4)
  layers: Layers(4)
  state ring: f32[6, 4] = 0
  state at: int in 0..6 = 0
  state a: f32[3] = 1
  state b: f32[3] = 2
  state turns: int = 0
  state seen: bool = false

  /// The same model twice.
  twice(x: f32[4]) -> y: f32[4], n: int, seen_before: bool {
    y = average(average(x))
    n = average.count
    seen_before = seen
    next seen = true
  }
  through(x: f32[4]) -> y: f32[4] { y = layers(x) }
  /// The newest rows, in the place of the oldest.
  push(x: f32[B, 4]) -> before: f32[6, 4], newest: f32[4] {
    before = ring
    newest = ring[(at + 5) % 6]
    next ring[i] = x[(i - at) % 6] else ring[i]
    next at = (at + B) % 6
  }
  swap(k: f32) -> old: f32[3] {
    old = a
    next a = b
    next b[i] = k * old[i]
  }
  combine(x: f32[3]) -> y: f32[3] { y, next b = both(a, x) }
  branch(x: f32[4], c: bool) -> y: f32[4] { y = average(x) if c else other(other(x)) }
  rounds(k: int) -> t: int {
    t = k
    for i in 0..3 {
      t = t + turns
      next turns = turns + i
    }
  }
  /// Fails where more than two elements are above zero.
  bounded(x: f32[4]) -> at: int[K <= 2] {
    next turns = turns + 1
    at = filter(i) x[i] > 0
  }
  look(k: f32) -> t: int, m: f32[4] {
    t = turns
    m[i] = k * average.mean[i]
  }
}
"""


class Average:
    def __init__(self):
        self.mean, self.count = numpy.zeros(4, numpy.float32), 0

    def __call__(self, x):
        self.mean = (self.mean + (x - self.mean) / numpy.float32(self.count + 1)).astype(numpy.float32)
        self.count += 1
        return x - self.mean


class Reference:
    """The same in NumPy."""

    def __init__(self):
        self.average, self.other, self.layers, self.shared = Average(), Average(), [Average(), Average()], Average()
        self.ring, self.at, self.turns, self.seen = numpy.zeros((6, 4), numpy.float32), 0, 0, False
        self.a, self.b = numpy.full(3, 1, numpy.float32), numpy.full(3, 2, numpy.float32)

    def twice(self, x):
        y = self.average(self.average(x))
        seen, self.seen = self.seen, True
        return y, self.average.count, seen

    def through(self, x):
        for layer in self.layers:
            x = self.shared(layer(x))
        return (x,)

    def push(self, x):
        before, newest = self.ring.copy(), self.ring[(self.at + 5) % 6].copy()
        for row in x:
            self.ring[self.at] = row
            self.at = (self.at + 1) % 6
        return before, newest

    def swap(self, k):
        old = self.a
        self.a, self.b = self.b, k * self.a
        return (old,)

    def combine(self, x):
        self.b = self.a - x
        return (self.a + x,)

    def branch(self, x, c):
        return (self.average(x) if c else self.other(self.other(x)),)

    def rounds(self, k):
        for i in range(3):
            k += self.turns
            self.turns += i
        return (k,)

    def bounded(self, x):
        found = numpy.flatnonzero(x > 0)
        if len(found) > 2:
            return None
        self.turns += 1
        return (found,)

    def look(self, k):
        return self.turns, k * self.average.mean

    def states(self):
        one = lambda name, model: {f"{name}.mean": model.mean, f"{name}.count": numpy.int64(model.count)}
        return {**one("average", self.average), **one("other", self.other), **one("layers.layers.0", self.layers[0]),
                **one("layers.layers.1", self.layers[1]), **one("layers.shared", self.shared), "ring": self.ring,
                "at": numpy.int64(self.at), "a": self.a, "b": self.b, "turns": numpy.int64(self.turns),
                "seen": numpy.bool_(self.seen)}


OUTPUTS = {"twice": 3, "through": 1, "push": 2, "swap": 1, "combine": 1, "branch": 1, "rounds": 1, "bounded": 1, "look": 2}


def draw(rng, method):
    real = lambda *shape: rng.standard_normal(shape).astype(numpy.float32)
    if method == "push":
        return [real(int(rng.integers(1, 7)), 4)]
    if method == "branch":
        return [real(4), numpy.bool_(rng.integers(0, 2))]
    return {"swap": [numpy.float32(1.5)], "combine": [real(3)], "rounds": [numpy.int64(rng.integers(0, 9))],
            "look": [numpy.float32(2)]}.get(method, [real(4)])


def run(program, method, inputs, counts=OUTPUTS):
    """The outputs, as many as `counts` says, or nothing where the program gives an error."""
    arrays = [numpy.asarray(value) for value in inputs]
    lent = (Tensor * counts[method])()
    tensors = (Tensor * len(arrays))(*(view(array) for array in arrays))
    code = program.call("run")(program.handle, method.encode(), tensors, ctypes.c_size_t(len(arrays)), lent,
                               ctypes.c_size_t(len(lent)))
    if code != 0:
        return None
    types = {0: numpy.bool_, 1: numpy.int64, 5: numpy.int64, 8: numpy.float32}
    results = []
    for tensor in lent:
        shape, dtype = list(tensor.shape[:tensor.rank]), numpy.dtype(types[tensor.type])
        data = ctypes.string_at(tensor.data, int(numpy.prod(shape)) * dtype.itemsize)
        results.append(numpy.frombuffer(data, dtype).reshape(shape))
    return results


def same(got, wanted, what):
    assert (got is None) == (wanted is None), (what, got, wanted)
    for g, w in zip(got or [], wanted or []):
        numpy.testing.assert_allclose(numpy.asarray(g), numpy.asarray(w), rtol=1e-5, atol=1e-5, err_msg=str(what))


def read_states(path):
    data = pathlib.Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    types = {"F32": numpy.float32, "I64": numpy.int64, "BOOL": numpy.bool_, "U8": numpy.uint8, "I8": numpy.int8}
    body = data[8 + length:]
    return {name: numpy.frombuffer(body[slice(*entry["data_offsets"])], types[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in header.items()}


def write_states(path, tensors):
    header, body = {}, b""
    names = {"float32": "F32", "float64": "F64", "int64": "I64", "bool": "BOOL", "int8": "I8"}
    for name, value in tensors.items():
        value = numpy.asarray(value)
        header[name] = {"dtype": names[value.dtype.name], "shape": list(value.shape),
                        "data_offsets": [len(body), len(body) + value.nbytes]}
        body += value.tobytes()
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(len(text).to_bytes(8, "little") + text + body)


def check_runs(program, folder, seed):
    """Random methods, one after the other; then from a file, and from the beginning."""
    rng, reference = numpy.random.default_rng(seed), Reference()
    methods = list(OUTPUTS)
    for step in range(120):
        method = methods[int(rng.integers(0, len(methods)))]
        inputs = draw(rng, method)
        same(run(program, method, inputs), getattr(reference, method)(*inputs), (step, method))
    file = folder / "runs.safetensors"
    assert program.call("save_state")(program.handle, str(file).encode()) == 0, program.error()
    stored, wanted = read_states(file), reference.states()
    assert sorted(stored) == sorted(wanted), sorted(stored)
    for name, value in wanted.items():
        same([stored[name]], [value], name)

    x = draw(rng, "through")
    once = run(program, "through", x)
    again = run(program, "through", x)
    assert (once[0] != again[0]).any()
    assert program.call("load_state")(program.handle, str(file).encode()) == 0, program.error()
    assert (run(program, "through", x)[0] == once[0]).all()
    assert program.call("reset_state")(program.handle) == 0
    same(run(program, "through", x), Reference().through(*x), "reset")


def check_description(program):
    class Port(ctypes.Structure):
        _fields_ = [("name", ctypes.c_char_p), ("doc", ctypes.c_char_p), ("type", ctypes.c_int),
                    ("type_name", ctypes.c_char_p), ("rank", ctypes.c_int32), ("shape", ctypes.POINTER(ctypes.c_int64)),
                    ("shape_names", ctypes.c_void_p)]
    port, found = Port(), {}
    while program.call("state")(len(found), ctypes.byref(port)) == 0:
        found[port.name.decode()] = port.shape[:port.rank]
    assert found == {name: list(numpy.shape(value)) for name, value in Reference().states().items()}, found


def check_threads(program):
    """Every run counts once, whichever thread makes it, and whoever reads sees whole runs."""
    program.call("reset_state")(program.handle)
    problems = []

    def count():
        for _ in range(200):
            if run(program, "rounds", [numpy.int64(0)]) is None:
                problems.append(program.error())

    def look():
        last = 0
        for _ in range(200):
            turns = int(run(program, "look", [numpy.float32(1)])[0])
            if turns % 3 != 0 or turns < last:
                problems.append(f"{turns} after {last}")
            last = turns

    threads = [threading.Thread(target=work) for work in (count, count, count, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, problems[:3]
    assert int(run(program, "look", [numpy.float32(1)])[0]) == 600 * 3


WRONG = """weft 0.1

entry two {
  state seen: f32[3] = 1
  state at: int in 0..4 = 0
  state half: f16 = 0.5
  param w: f32[3]
  forward(x: f32[3]) -> y: f32[3], n: int {
    y = seen + w
    n = at
    next seen = seen + x
    next at = (at + 1) % 4
    next half = half * 2
  }
  broken(x: f32[3]) -> at: int[K <= 1] {
    next seen = x
    at = filter(i) x[i] > 0
  }
}
"""


def check_program(weft, folder, backend):
    """The executable: --state FILE, before and after runs, and files that do not fit."""
    (folder / "two.weft").write_text(WRONG)
    subprocess.run([weft, "compile", folder / "two.weft", "--backend", backend, "-o", folder / "two"], check=True)
    file, weights = folder / "two.state", folder / "w.safetensors"
    numpy.save(folder / "x.npy", numpy.array([1, 2, 3], numpy.float32))
    write_states(weights, {"w": numpy.array([0, 10, 20], numpy.float32)})

    def call(*words, code=0):
        done = subprocess.run([folder / "two", *words, "--weights", weights, "--input", f"x={folder}/x.npy"],
                              capture_output=True, text=True)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def y():
        text = call("--state", file, "--output", f"y={folder}/y.npy", "--output", f"n={folder}/n.npy")
        assert text == "", text
        return numpy.load(folder / "y.npy"), int(numpy.load(folder / "n.npy"))

    file.unlink(missing_ok=True)
    for k in range(6):
        value, n = y()
        numpy.testing.assert_array_equal(value, numpy.array([1 + k, 11 + 2 * k, 21 + 3 * k]))
        assert n == k % 4
    assert read_states_f16(file)["half"] == 32
    # Without the option nothing is kept; measuring reads the file and leaves it.
    before = file.read_bytes()
    call("--bench")
    call("--bench", "--state", file)
    call("--state", file, "broken", code=1)
    assert file.read_bytes() == before
    # A weight file may give a first value.
    write_states(weights, {"w": numpy.zeros(3, numpy.float32), "seen": numpy.full(3, 7, numpy.float32)})
    file.unlink()
    assert (y()[0] == 7).all()
    assert (y()[0] == numpy.array([8, 9, 10])).all()

    good = {"seen": numpy.ones(3, numpy.float32), "at": numpy.int64(3)}
    header_f16 = lambda tensors: write_half(file, tensors)
    cases = [
        ({"seen": good["seen"]}, ["`at` int is missing", "`half` f16 is missing"]),
        ({**good, "sen": good["seen"]}, ["`sen` is no state of this program", "did you mean `seen`"]),
        ({**good, "seen": numpy.ones(4, numpy.float32)}, ["`seen` must be f32[3], but the file has F32 [4]"]),
        ({**good, "seen": numpy.ones(3, numpy.float64)}, ["`seen` must be f32[3], but the file has F64 [3]"]),
        ({**good, "at": numpy.int64(4)}, ["`at` must be in 0..4, but element 0 is 4"]),
        ({**good, "at": numpy.int64(-1)}, ["`at` must be in 0..4, but element 0 is -1"]),
    ]
    for tensors, texts in cases:
        header_f16(tensors)
        if "half" in texts[-1]:
            write_states(file, tensors)
        before = file.read_bytes()
        error = call("--state", file, code=1)
        assert "not fit" in error and all(text in error for text in texts), error
        assert file.read_bytes() == before
    file.write_bytes(b"no safetensors")
    assert "state: " in call("--state", file, code=1)
    # A place that cannot be written.
    assert "state: " in call("--state", folder / "nowhere" / "x.state", code=1)
    write_states(weights, {"w": numpy.zeros(3, numpy.float32), "at": numpy.int64(9)})
    file.unlink()
    assert "`at` must be in 0..4" in call("--state", file, code=1)

    described = subprocess.run([folder / "two", "--describe"], capture_output=True, text=True, check=True).stdout
    assert "state seen: f32[3]\n" in described and "state at: int in 0..4\n" in described, described
    assert "weights: 1 tensors, 3 elements" in described, described


def write_half(path, tensors):
    """`tensors`, and a half-precision state."""
    write_states(path, tensors)
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    header["half"] = {"dtype": "F16", "shape": [], "data_offsets": [len(body), len(body) + 2]}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body + numpy.float16(0.5).tobytes())


def read_states_f16(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    types = {"F32": numpy.float32, "I64": numpy.int64, "F16": numpy.float16}
    return {name: numpy.frombuffer(body[slice(*entry["data_offsets"])], types[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in header.items()}


STILL = """weft 0.1

entry still {
  state a: f32 = 3
  forward(x: f32) -> y: f32 {
    y = x + a
    next a = a
  }
}
"""


def check_without_state(weft, folder):
    """`next a = a` is nothing: such a program keeps no state."""
    (folder / "still.weft").write_text(STILL)
    subprocess.run([weft, "compile", folder / "still.weft", "-o", folder / "still"], check=True)
    done = subprocess.run([folder / "still", "--input", "x=1", "--state", folder / "none"], capture_output=True, text=True)
    assert done.returncode == 1 and "keeps none" in done.stderr, done.stderr
    done = subprocess.run([folder / "still", "--input", "x=1"], capture_output=True, text=True, check=True)
    assert "= 4" in done.stdout and not (folder / "none").exists(), done.stdout


BYTES = """weft 0.1
entry bytes {
  state seen: u8[2] = 0
  state least: i8[2] = 0
  forward(x: u8[2], z: i8[2]) -> y: u8[2] {
    y[i] = maximum(seen[i], x[i])
    next seen = y
    next least[i] = minimum(least[i], z[i])
  }
}
"""


def check_bytes(weft, folder):
    """Files tell u8 from i8, and one is not taken for the other."""
    (folder / "bytes.weft").write_text(BYTES)
    subprocess.run([weft, "compile", folder / "bytes.weft", "-o", folder / "bytes"], check=True)
    x, z, file = numpy.array([200, 3], numpy.uint8), numpy.array([-5, 4], numpy.int8), folder / "bytes.state"
    numpy.save(folder / "bytes_x.npy", x), numpy.save(folder / "bytes_z.npy", z)
    command = [folder / "bytes", "--input", f"x={folder}/bytes_x.npy", "--input", f"z={folder}/bytes_z.npy", "--state", file]
    for _ in range(2):
        subprocess.run(command, check=True, capture_output=True)
        states = read_states(file)
        assert states["seen"].dtype == numpy.uint8 and (states["seen"] == x).all(), states
        assert states["least"].dtype == numpy.int8 and (states["least"] == [-5, 0]).all(), states
    described = subprocess.run([folder / "bytes", "--describe"], capture_output=True, text=True, check=True).stdout
    assert "state seen: u8[2]" in described and "state least: i8[2]" in described, described
    write_states(file, {"seen": z, "least": z})
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "`seen` must be u8[2], but the file has I8 [2]" in done.stderr, done.stderr


def check_embedded(weft, folder):
    """Weights inside: states begin with the values that were put there."""
    weights = folder / "inside.safetensors"
    write_states(weights, {"w": numpy.zeros(3, numpy.float32), "seen": numpy.array([5, 6, 7], numpy.float32)})
    (folder / "two.weft").write_text(WRONG)
    subprocess.run([weft, "compile", folder / "two.weft", "--weights", weights, "--embed-weights", "-o",
                    folder / "inside"], check=True)
    numpy.save(folder / "x.npy", numpy.ones(3, numpy.float32))
    file = folder / "inside.state"
    for first in (5, 6):
        subprocess.run([folder / "inside", "--state", file, "--input", f"x={folder}/x.npy", "--output",
                        f"y={folder}/y.npy"], check=True)
        assert numpy.load(folder / "y.npy")[0] == first


def main():
    weft = sys.argv[1]
    signal.alarm(600)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "kept.weft").write_text(MODEL)
        for seed, backend in enumerate(("loops", "halide")):
            library = folder / f"{backend}.so"
            subprocess.run([weft, "compile", folder / "kept.weft", "--emit", "so", "--backend", backend, "-o", library],
                           check=True)
            program = Program(library, "weft_kept_kept")
            assert program.code == 0, program.error()
            check_runs(program, folder, seed)
            check_description(program)
            check_threads(program)
            program.destroy()
            check_program(weft, folder, backend)
        check_without_state(weft, folder)
        check_bytes(weft, folder)
        check_embedded(weft, folder)
    print("states are kept, saved and loaded")


if __name__ == "__main__":
    main()
