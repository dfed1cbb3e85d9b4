"""Weights are in memory once: those that are packed in their panels alone, the others as they are, none of the file's pages.

Usage: weights_memory.py WEFT
"""

import ctypes
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

from c_library import Program

MODEL = """weft 0.1

import std.linear: Linear

entry net {
  left: Linear(2048, 2048)
  right: Linear(2048, 2048)
  param table: float[2048, 2048]
  forward(id: int[1] in 0..2048) -> y: f32[1, 2048] {
    x[n, c] = table[id[n], c]
    y = right(left(x))
  }
}
"""
NAMES = ("left.weight", "right.weight", "table")
MATRIX = 2048 * 2048 * 4
# Beside the weights: threads' stacks, the library, what the process keeps for itself.
MARGIN = 6 << 20


def write_weights(path):
    draw = numpy.random.default_rng(1)
    tensors = {name: draw.standard_normal((2048, 2048), dtype=numpy.float32) for name in NAMES}
    tensors |= {name: numpy.zeros(2048, numpy.float32) for name in ("left.bias", "right.bias")}
    header, data = {}, b""
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def status():
    """Resident bytes of the process that no file backs, and the most that was resident."""
    found = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    return [int(found[name].split()[0]) << 10 for name in ("RssAnon", "VmHWM")]


def resident_of(file):
    """Resident bytes of mappings of the file."""
    total, is_file = 0, False
    for line in pathlib.Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0]:
            is_file = words[-1] == str(file)
        elif words[0] == "Rss:" and is_file:
            total += int(words[1]) << 10
    return total


def measure(library, weights):
    before, most_before = status()
    paths = (ctypes.c_char_p * 1)(weights.encode())
    program = Program(library, "weft_net_net", init_weights=0, weights=ctypes.addressof(paths), weight_count=1)
    assert program.code == 0, program.error()
    loaded, most = status()
    program.run(None, numpy.array([7]), shape=(1, 2048))
    ran, _ = status()
    print(json.dumps({"loaded": loaded - before, "ran": ran - before, "most": most - most_before, "mapped": resident_of(weights)}))


def main():
    if sys.argv[1] == "--measure":
        return measure(*sys.argv[2:])
    weft = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "net.weft").write_text(MODEL)
        write_weights(folder / "net.safetensors")
        for backend in ("halide", "loops"):
            words = [weft, "compile", folder / "net.weft", "--emit", "so", "--backend", backend, "-o", folder / f"{backend}.so"]
            subprocess.run(words, check=True)
            done = subprocess.run([sys.executable, __file__, "--measure", folder / f"{backend}.so", folder / "net.safetensors"],
                                  capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            print(f"{backend}: {found}, of {3 * MATRIX} bytes of weights")
            # After loading and after a run three matrices; while two of them are packed these twice.
            for name in ("loaded", "ran"):
                assert 3 * MATRIX <= found[name] + MARGIN and found[name] <= 3 * MATRIX + MARGIN, (name, found)
            assert found["most"] <= 5 * MATRIX + MARGIN, found
            assert found["mapped"] == 0, found


main()
