"""Compiled libraries through their C interface: several programs in one process, one program on several threads, no
allocation while running, and errors with texts for all that does not fit.

Usage: library.py WEFT
"""

import ctypes
import pathlib
import subprocess
import sys
import tempfile
import threading

import numpy

from c_library import Program, Tensor, view

MODEL = """weft 0.1

import std.conv: Conv2d
import std.linear: Linear
import std.activation: relu

model Net(classes: int) {
  conv: Conv2d(3, 8, size = 3, pad = 1)
  head: Linear(8, classes)
  features(x: f32[B, 3, H, W]) -> y: f32[B, 8] {
    h = relu(conv(x))
    y[b, c] = mean(i, j) h[b, c, i, j]
  }
  forward(x: f32[B, 3, H, W]) -> y: f32[B, classes] { y = head(features(x)) }
}

entry five {
  dim B in 1..4
  dim H in 2..64 step 2
  dim W in 1..64
  net: Net(5)
  forward(x: f32[B, 3, H, W]) -> y: f32[B, 5] { y = net(x) }
  features(x: f32[B, 3, H, W]) -> y: f32[B, 8] { y = net.features(x) }
  above(x: f32[W], t: f32) -> at: int[K <= W], y: f32[K] {
    at = filter(i) x[i] > t
    y = x[at]
  }
  halved(x: f32[H, W], z: f32[H/2], label: int[B] in 0..W) -> y: f32[B] { y[b] = x[0, label[b]] + z[0] }
}

entry seven {
  dim B in 1..4
  dim H in 2..64 step 2
  dim W in 1..64
  net: Net(7)
  forward(x: f32[B, 3, H, W]) -> y: f32[B, 7] { y = net(x) }
}
"""


def compile_to(weft, folder, entry, emit, backend="halide"):
    output = folder / f"{entry}.{emit}"
    done = subprocess.run([weft, "compile", folder / "net.weft", "--entry", entry, "--emit", emit, "--backend", backend,
                           "-o", output], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return output


def check_together(five, seven):
    """Two libraries with the same kernels, and a second program of one of them, with weights of their own."""
    draw = numpy.random.default_rng(1)
    programs = [Program(five, "weft_net_five"), Program(seven, "weft_net_seven"), Program(five, "weft_net_five", seed=9)]
    assert all(p.code == 0 for p in programs), [p.error() for p in programs]
    x = draw.standard_normal((2, 3, 8, 9)).astype(numpy.float32)
    alone = [p.run(b"forward", x, shape=(2, n)) for p, n in zip(programs, (5, 7, 5))]
    for _ in range(3):
        for p, n, expected in zip(programs, (5, 7, 5), alone):
            assert (p.run(None, x, shape=(2, n)) == expected).all()
    assert (alone[0] != alone[2]).any()
    programs[0].destroy()
    assert (programs[2].run(b"forward", x, shape=(2, 5)) == alone[2]).all()
    for p in programs[1:]:
        p.destroy()

    # Any strides are read and written.
    program = Program(five, "weft_net_five")
    turned = numpy.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert not turned.flags.c_contiguous and (program.run(b"forward", turned, shape=(2, 5)) == alone[0]).all()
    wide = numpy.zeros((2, 10), numpy.float32)
    assert program.raw_run(b"forward", [view(x)], [view(wide[:, ::2])]) == 0, program.error()
    assert (wide[:, ::2] == alone[0]).all() and (wide[:, 1::2] == 0).all()
    # Without memory for the result the program lends its own.
    lent = (Tensor * 1)(Tensor())
    inputs = (Tensor * 1)(view(x))
    assert program.call("run")(program.handle, b"forward", inputs, ctypes.c_size_t(1), lent, ctypes.c_size_t(1)) == 0
    values = numpy.ctypeslib.as_array(ctypes.cast(lent[0].data, ctypes.POINTER(ctypes.c_float)), (10,))
    assert lent[0].rank == 2 and list(lent[0].shape[:2]) == [2, 5] and (values.reshape(2, 5) == alone[0]).all()
    program.destroy()


def check_found(library):
    """Outputs whose size the data decides: lent with their true size from run to run, or into memory that fits by chance."""
    program = Program(library, "weft_net_five")
    x = numpy.arange(64, dtype=numpy.float32)

    def run(t, outputs):
        inputs = (Tensor * 2)(view(x), view(numpy.array(t, numpy.float32)))
        return program.call("run")(program.handle, b"above", inputs, ctypes.c_size_t(2), outputs, ctypes.c_size_t(2))

    for t in (60.5, 100, 9.5, 62.5):
        wanted = numpy.flatnonzero(x > t)
        outputs = (Tensor * 2)()
        assert run(t, outputs) == 0, program.error()
        assert [(o.rank, o.shape[0]) for o in outputs] == [(1, len(wanted))] * 2, (t, outputs[0].shape[0])
        for output, kind in zip(outputs, (ctypes.c_int64, ctypes.c_float)):
            values = numpy.ctypeslib.as_array(ctypes.cast(output.data, ctypes.POINTER(kind)), (len(wanted),))
            assert (values == wanted).all(), (t, values)
    at, y = numpy.zeros(3, numpy.int64), numpy.zeros(3, numpy.float32)
    assert run(60.5, (Tensor * 2)(view(at), view(y))) == 0, program.error()
    assert (at == [61, 62, 63]).all() and (y == at).all()
    assert run(50, (Tensor * 2)(view(at), view(y))) == 1
    assert "output `at` is int[13], but memory was given for i64[3]" in program.error(), program.error()
    program.destroy()


def check_threads(library):
    """One program, used by several threads at once, gives each the result of its own input."""
    program = Program(library, "weft_net_five")
    draw = numpy.random.default_rng(2)
    inputs = [draw.standard_normal((b, 3, h, w)).astype(numpy.float32)
              for b, h, w in ((1, 4, 7), (2, 16, 16), (3, 8, 33), (4, 30, 5))]
    expected = [program.run(b"forward", x, shape=(len(x), 5)) for x in inputs]
    wrong = []

    def work(x, result):
        for _ in range(60):
            if not (program.run(b"forward", x, shape=result.shape) == result).all():
                wrong.append(x.shape)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(inputs * 2, expected * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong
    program.destroy()


def check_boundary(library):
    """What does not fit gives an error with a text, and the program still works after it."""
    program = Program(library, "weft_net_five")
    x = numpy.zeros((2, 3, 4, 5), numpy.float32)
    y = numpy.zeros((2, 5), numpy.float32)
    good = program.run(b"forward", x, shape=(2, 5))

    def fails(pattern, method, inputs, outputs):
        code = program.raw_run(method, inputs, outputs)
        assert code == 1 and pattern in program.error(), (pattern, code, program.error())

    labels = numpy.zeros(2, numpy.int64)
    fails("`x` must be f32[B, 3, H, W], but it has 3 axes", b"forward", [view(x[0])], [view(y)])
    fails("`x` must be f32[B, 3, H, W], but it is [2, 4, 4, 5]", b"forward", [view(numpy.zeros((2, 4, 4, 5), numpy.float32))], [view(y)])
    fails("but its elements are f64", b"forward", [view(x.astype(float))], [view(y)])
    fails("but its elements are unknown", b"forward", [Tensor(x.ctypes.data, 77, 4, (2, 3, 4, 5))], [view(y)])
    fails("but it has -1 axes", b"forward", [Tensor(x.ctypes.data, 8, -1)], [view(y)])
    fails("but it has 99 axes", b"forward", [Tensor(x.ctypes.data, 8, 99)], [view(y)])
    fails("has no data", b"forward", [Tensor(None, 8, 4, (2, 3, 4, 5))], [view(y)])
    fails("but it is [2, 3, -4, 5]", b"forward", [Tensor(x.ctypes.data, 8, 4, (2, 3, -4, 5))], [view(y)])
    fails("B must be in 1..4, but it is 5", b"forward", [view(numpy.zeros((5, 3, 4, 5), numpy.float32))], [view(y)])
    fails("H must be in 2..64 step 2, but it is 3", b"forward", [view(numpy.zeros((2, 3, 3, 5), numpy.float32))], [view(y)])
    fails("W must be in 1..64", b"forward", [Tensor(x.ctypes.data, 8, 4, (2, 3, 4, 1 << 20))], [view(y)])
    fails("far too large", b"forward", [Tensor(x.ctypes.data, 8, 4, (2, 3, 4, 1 << 62))], [view(y)])
    fails("takes 1 inputs, not 2", b"forward", [view(x)] * 2, [view(y)])
    fails("gives 1 outputs, not 0", b"forward", [view(x)], [])
    fails("there is no method `forwards`; did you mean `forward`?", b"forwards", [view(x)], [view(y)])
    fails("output `y` is f32[2, 5], but memory was given for f32[5, 2]", b"forward", [view(x)], [view(y.T.copy())])
    fails("but memory was given for i32[2, 5]", b"forward", [view(x)], [view(y.astype(numpy.int32))])
    picks, half = view(numpy.zeros(2, numpy.float32)), numpy.zeros(2, numpy.float32)
    fails("must be in 0..W, but it is 7 at [1]", b"halved", [view(x[0, 0]), view(half), view(labels + [0, 7])], [picks])
    fails("must be in 0..W, but it is -1 at [0]", b"halved", [view(x[0, 0]), view(half), view(labels - 1)], [picks])
    fails("`z` must be f32[H/2], but it is [4] where H/2 is 2", b"halved", [view(x[0, 0]), view(x[0, 0, :, 0].copy()), view(labels)], [picks])
    run = program.call("run")
    nothing = ctypes.c_size_t(1)
    one = (Tensor * 1)(view(x))
    for inputs, outputs in ((None, one), (one, None)):
        assert run(program.handle, b"forward", inputs, nothing, outputs, nothing) == 1 and program.error()
    assert run(None, b"forward", one, nothing, one, nothing) == 1 and "no program" in program.error()
    for name, words in (("method", (99, None)), ("input", (b"forward", 0, None)), ("output", (b"none", 0, None)),
                        ("dimension", (-1, None)), ("profile", (None, 1)), ("write_profile", (program.handle, None)),
                        ("create", (None, None))):
        assert program.call(name)(*words) == 1 and program.error(), name
    program.call("destroy")(None)
    for options, code, pattern in (({"abi_version": 7}, 1, "version 7"), ({"threads": -1}, 1, "threads"),
                                   ({"threads": 5000}, 1, "threads"), ({"weight_count": 3}, 1, "list of weight files"),
                                   ({"init_weights": 0}, 2, "needs weights: 4 tensors")):
        failed = Program(library, "weft_net_five", **options)
        assert failed.code == code and pattern in failed.error() and not failed.handle, (options, failed.code, failed.error())
    assert (program.run(b"forward", x, shape=(2, 5)) == good).all()
    program.destroy()


def check_allocations(weft, folder):
    """The archive, linked to a program in C that counts: after the first run nothing is allocated."""
    for backend in ("halide", "loops"):
        archive = compile_to(weft, folder, "five", "a", backend)
        names = {name: f"weft_net_five_{name.lower()}" for name in ("CREATE", "DESTROY", "RUN", "LAST_ERROR")}
        source = pathlib.Path(__file__).with_name("count_allocations.c")
        words = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", f'-DHEADER="{archive.with_suffix(".h")}"']
        words += [f"-D{name}={value}" for name, value in names.items()]
        subprocess.run([*words, source, archive, "-lstdc++", "-lm", "-lpthread", "-o", folder / "count"], check=True)
        first, later = map(int, subprocess.run([folder / "count"], capture_output=True, check=True).stdout.split())
        assert first > 0 and later == 0, (backend, first, later)


def main():
    weft = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "net.weft").write_text(MODEL)
        five, seven = (compile_to(weft, folder, entry, "so") for entry in ("five", "seven"))
        exported = subprocess.run(["nm", "-D", "--defined-only", five], capture_output=True, text=True, check=True).stdout
        assert exported and all(" weft_net_five_" in line for line in exported.splitlines()), exported
        check_together(five, seven)
        check_found(five)
        check_threads(five)
        check_boundary(five)
        check_allocations(weft, folder)


main()
