"""Weight files that do not fit, are damaged or hostile: an error with the file and the cause, in bounded memory.

Usage: weight_files.py WEFT [MUTATIONS]
"""

import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time

import numpy

import bounded
import checkpoints
import tensors

MODEL = """weft 0.1

model Net() {
  param weight: float[3, 2]
  param bias: float[3]
  param steps: i32[2]
  state mean: float[3] = 0
  forward(x: f32[2]) -> y: f32[3] { y[o] = bias[o] + mean[o] + f32(steps[0]) + sum(i) x[i] * weight[o, i] }
}

entry apply {
  left: Net()
  right: Net()
  forward(x: f32[2]) -> y: f32[3] { y = left(x) + right(x) }
}
"""
NET = {"weight": numpy.arange(6, dtype=numpy.float32).reshape(3, 2), "bias": numpy.ones(3, numpy.float32),
       "steps": numpy.array([5, 6], numpy.int32)}


def with_prefix(prefix, values):
    return {f"{prefix}.{name}": value for name, value in values.items()}


BOTH = {**with_prefix("left", NET), **with_prefix("right", NET)}
EXPECTED = 2 * (NET["weight"] @ numpy.array([1, 2], numpy.float32) + 1 + 5)


class Program:
    def __init__(self, weft, folder):
        self.folder, self.file = folder, folder / "w.safetensors"
        model = folder / "model.weft"
        model.write_text(MODEL)
        numpy.save(folder / "x.npy", numpy.array([1, 2], numpy.float32))
        code, out, err = bounded.run(weft, "compile", "--backend", "loops", model, "-o", folder / "apply")
        assert code == 0, err

    def words(self, *weights):
        words = [self.folder / "apply", "--threads", "1", "--input", f"x={self.folder / 'x.npy'}", "--output",
                 f"y={self.folder / 'y.npy'}"]
        return words + [word for weight in weights or (self.file,) for word in ("--weights", str(weight))]

    def run(self, *weights):
        """The result, and what was noted."""
        code, out, err = bounded.run(*self.words(*weights))
        assert code == 0, err
        return numpy.load(self.folder / "y.npy"), err

    def error(self, values, *more):
        self.file.write_bytes(tensors.save(values))
        code, out, err = bounded.run(*self.words(), *more)
        assert code == 1 and not out, (code, out, err)
        return err


def check_fit(program):
    """What is missing, has another shape or another type is listed; what is too much is a note."""
    program.file.write_bytes(tensors.save(BOTH))
    result, note = program.run()
    assert (result == EXPECTED).all() and not note, (result, note)

    wrong = dict(BOTH)
    wrong["left.wieght"] = wrong.pop("left.weight")
    wrong["right.weight"] = wrong["right.weight"].T.copy()
    wrong["left.bias"] = numpy.arange(3)
    wrong["right.bias"] = numpy.ones((3, 1), numpy.float32)
    wrong["left.steps"] = numpy.ones(2, numpy.float32)
    del wrong["right.steps"]
    err = program.error(wrong)
    for line in ("6 weights do not fit", "`left.weight` f32[3, 2] is missing; did you mean `left.wieght`?",
                 "`right.weight` must be f32[3, 2], but", "F32 [2, 3]", "`left.bias` must be f32[3], but", "I64 [3]",
                 "`right.bias` must be f32[3], but", "F32 [3, 1]", "`left.steps` must be i32[2], but", "F32 [2]",
                 "`right.steps` i32[2] is missing", "w.safetensors"):
        assert line in err, (line, err)
    assert ".mean" not in err, err

    too_large = {**BOTH, "left.steps": numpy.array([1, 1 << 40])}
    assert "`left.steps` must be i32, but element 1 does not fit" in program.error(too_large)

    extra = {**BOTH, "left.num_batches": numpy.array(3), "other": numpy.zeros(4, numpy.int16)}
    program.file.write_bytes(tensors.save(extra))
    result, note = program.run()
    assert (result == EXPECTED).all() and "2 tensors" in note and "`left.num_batches`" in note and "`other`" in note, note
    assert "`other`" in program.error(extra, "--strict")

    half = {name: value.astype(numpy.float16) if value.dtype == numpy.float32 else value for name, value in BOTH.items()}
    program.file.write_bytes(tensors.save(half))
    result, note = program.run()
    assert (result == EXPECTED).all() and "4 weights were converted from F16 to f32" in note, (result, note)

    states = {**BOTH, "left.mean": numpy.full(3, 7, numpy.float32)}
    program.file.write_bytes(tensors.save(states))
    assert (program.run()[0] == EXPECTED + 7).all()

    code, out, err = bounded.run(*program.words()[:-2])
    assert code == 1 and "--weights FILE" in err, err


def check_long_list(weft, folder):
    """Every one of many is listed."""
    layers = "".join(f"  part{i}: Linear(2, 2)\n" for i in range(40))
    calls = "".join(f"    h = part{i}(h)\n" for i in range(40))
    model = folder / "long.weft"
    model.write_text(f"weft 0.1\n\nimport std.linear: Linear\n\nentry long {{\n{layers}"
                     f"  forward(x: f32[2]) -> y: f32[2] {{\n    h = x\n{calls}    y = h\n  }}\n}}\n")
    code, out, err = bounded.run(weft, "compile", "--backend", "loops", model, "-o", folder / "long")
    assert code == 0, err
    file = folder / "long.safetensors"
    file.write_bytes(tensors.save({f"part{i}.weigth": numpy.zeros((2, 2), numpy.float32) for i in range(40)}))
    code, out, err = bounded.run(folder / "long", "--weights", file, "--bench")
    for i in range(40):
        assert f"`part{i}.weight` f32[2, 2] is missing; did you mean `part{i}.weigth`?" in err, (i, err)
        assert f"`part{i}.bias` f32[2] is missing" in err, (i, err)


def check_prefixes(program):
    """Several files, each with its prefix."""
    net, other, same = (program.folder / f"{name}.safetensors" for name in ("net", "other", "a=b"))
    net.write_bytes(tensors.save(NET))
    other.write_bytes(tensors.save({**NET, "steps": numpy.array([6, 6], numpy.int32)}))
    assert (program.run(f"left={net}", f"right={net}")[0] == EXPECTED).all()
    assert (program.run(f"left={net}", f"right={other}")[0] == EXPECTED + 1).all()
    same.write_bytes(tensors.save(BOTH))
    assert (program.run(same)[0] == EXPECTED).all()
    for weights, message in (((f"left={net}", f"left={other}"), "`left.weight` is in .*net.safetensors and in .*other.safetensors|is in"),
                             ((f"left={net}",), "`right.weight`.*missing"),
                             ((f"lefd={net}", f"right={net}"), "did you mean `lefd.weight`"),
                             ((program.folder / "none.safetensors",), "cannot read .*none.safetensors: No such file"),
                             ((program.folder,), "cannot read .*: it is no file")):
        code, out, err = bounded.run(*program.words(*weights))
        assert code == 1 and bounded.re.search(message, err, bounded.re.S), (weights, err)


def check_damaged(weft, program, count):
    started = time.monotonic()
    cases = list(tensors.bad())
    for name, content, pattern in cases:
        path = program.folder / f"{name[:40]}.safetensors".replace('"', "")
        path.write_bytes(content)
        bounded.fails(program.words(path), path, pattern)
        path.unlink()
    bounded.fails([weft, "weights", "list", program.folder / "x.npy"], "x.npy", "neither safetensors")
    whole = tensors.save(BOTH)
    errors = bounded.survives(program.words(), whole, program.file, count)
    assert count < 50 or count // 4 < errors < count, (errors, count)
    bounded.report(f"{len(cases)} hostile safetensors, {count} mutations", started)


def check_checkpoints(weft, folder, count):
    started = time.monotonic()
    source, target = folder / "c.pth", folder / "c.safetensors"
    convert = [weft, "weights", "convert", source, "-o", target]
    good = list(checkpoints.good())
    for name, content, expected in good:
        source.write_bytes(content)
        code, out, err = bounded.run(*convert)
        assert code == 0, (name, err)
        found = tensors.load(target)
        assert found.keys() == expected.keys(), (name, found.keys(), expected.keys())
        for key, array in expected.items():
            assert found[key].dtype == array.dtype and found[key].shape == array.shape, (name, key, found[key])
            assert (found[key] == array).all(), (name, key, found[key])
        if "nested" in name:
            assert "left out" in err and "epoch" in err and "flags.0" in err, err
            code, out, err = bounded.run(*convert, "--prefix", "state_dict")
            assert code == 0 and tensors.load(target).keys() == {"a", "b.0", "b.1.c"}, err
        target.unlink()
    bad = list(checkpoints.bad())
    for name, content, pattern in bad:
        path = folder / f"{name}.pth"
        path.write_bytes(content)
        bounded.fails([weft, "weights", "convert", path, "-o", target], path, pattern)
        assert not target.exists(), name
        path.unlink()
    for name, content, _ in good[2:4] + good[6:]:
        errors = bounded.survives([weft, "weights", "list", source], content, source, count // 8, seed=name)
        assert count < 100 or errors > 5, (name, errors)
    bounded.report(f"{len(good)} checkpoints, {len(bad)} hostile ones, {count} mutations", started)


LOOKUP = """weft 0.1

entry lookup {
  param table: float[20000, 64]
  forward(id: int[8] in 0..20000) -> y: f32[8, 64] { y[k, d] = table[id[k], d] }
}
"""


def check_shortened(weft, folder):
    """The file may be shortened, or written anew, at any time: an error if it was not read yet, else nothing."""
    model, program, file = folder / "lookup.weft", folder / "lookup", folder / "table.safetensors"
    model.write_text(LOOKUP)
    code, out, err = bounded.run(weft, "compile", model, "-o", program)
    assert code == 0, err
    table = numpy.arange(20000 * 64, dtype=numpy.float32).reshape(20000, 64)
    header = json.dumps({"table": {"dtype": "F32", "shape": table.shape, "data_offsets": [0, table.nbytes]}}).encode()
    whole = struct.pack("<Q", 120) + header.ljust(120) + table.tobytes()  # data at a multiple of 64
    went_on = 0
    for step in range(8):
        file.write_bytes(whole)
        words = [program, "--weights", file, "--bench", "--json", "--threads", "1"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            time.sleep(0.004 * step**2)
            os.truncate(file, 200)
            out, err = child.communicate(timeout=60)
        went_on += child.returncode == 0
        assert child.returncode == 0 and "median_ms" in out or child.returncode == 1 and re.search("shorter|outside of the file", err), (child.returncode, err)
    assert went_on, "no program had read its weights"


def main():
    weft = pathlib.Path(sys.argv[1]).resolve()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = Program(weft, folder)
        check_fit(program)
        check_long_list(weft, folder)
        check_prefixes(program)
        check_shortened(weft, folder)
        check_damaged(weft, program, count)
        check_checkpoints(weft, folder, count)


main()
