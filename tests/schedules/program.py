"""The programs that schedules are tried on: a model file of the folder kernels, its inputs, and its results."""

import os
import pathlib
import re
import subprocess

import numpy

FOLDER = pathlib.Path(__file__).parent / "kernels"
MODELS = sorted(FOLDER.glob("*.weft"))
SIZES = {"R": 9, "T": 14, "E": 35}  # of dimensions that are known at run time
TYPES = {"f64": "f8", "f32": "f4", "f16": "f2", "i8": "i1", "u8": "u1", "i32": "i4", "int": "i8", "bool": "?"}
TOLERANCE = {2: 2e-2, 4: 2e-5, 8: 1e-12}  # by the bytes of a float; of the largest of its tensor
SECONDS = 30  # that compiling one kernel may take


def declared(text):
    """Name, type, shape and bound of what is listed between a method's parentheses or behind its arrow."""
    found = re.findall(r"(\w+): (\w+)\[([^\]]*)\](?: in 0\.\.(\w+))?", text)
    size = lambda word: SIZES[word] if word in SIZES else int(word)
    return [(name, element, tuple(size(word) for word in axes.replace(",", " ").split()), size(bound) if bound else None)
            for name, element, axes, bound in found]  # fmt: skip


def values(element, shape, bound, draw):
    kind = numpy.dtype(TYPES[element])
    if kind.kind == "f":
        return draw.uniform(-1, 1, shape).astype(kind)
    if kind.kind == "b":
        return draw.integers(0, 2, shape).astype(kind)
    least, most = (0, bound or 256) if bound or kind.kind == "u" else (-100, 100)
    return draw.integers(least, most, shape).astype(kind)


class Program:
    def __init__(self, weft, model, folder, text=None):
        """`text`: in place of the model file's."""
        self.weft, self.folder, self.name = weft, pathlib.Path(folder), model.stem
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = {**os.environ, "WEFT_CACHE_DIR": str(self.folder / "cache"), "WEFT_KERNEL_SECONDS": str(SECONDS)}
        text = text or model.read_text()
        (self.folder / "kernels.weft").write_text(text)
        inputs, outputs = re.search(r"  forward\(\n(    .*?)\n  \) -> (.*?)\n  \{\n", text, re.S).groups()
        draw = numpy.random.Generator(numpy.random.Philox(5))
        self.inputs = [name for name, *_ in declared(inputs)]
        for name, element, shape, bound in declared(inputs):
            numpy.save(self.folder / f"{name}.npy", values(element, shape, bound, draw))
        self.outputs = [name for name, *_ in declared(outputs)]

    def compile(self, *words):
        command = [self.weft, "compile", "kernels.weft", *words]
        return subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=1200)

    def printed(self):
        done = self.compile("--emit", "schedule")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def results(self):
        """Of the program that was compiled last; what it says if it fails."""
        words = ["./program", "--init", "3"]
        for name in self.inputs:
            words += ["--input", f"{name}={name}.npy"]
        for name in self.outputs:
            words += ["--output", f"{name}=result_{name}.npy"]
        ran = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=300)
        if ran.returncode:
            return f"exit code {ran.returncode}: {ran.stderr}"
        return {name: numpy.load(self.folder / f"result_{name}.npy") for name in self.outputs}

    def reference(self):
        done = self.compile("-o", "program", "--backend", "loops")
        assert done.returncode == 0, done.stderr
        wanted = self.results()
        assert isinstance(wanted, dict), wanted
        return wanted


def differing(got, wanted):
    """The results that are not what they should be."""
    if isinstance(got, str):
        return [got]
    return [name for name in wanted if not same(got[name], wanted[name])]


def same(got, wanted):
    if got.dtype.kind != "f":
        return numpy.array_equal(got, wanted)
    limit = TOLERANCE[got.dtype.itemsize]
    finite = numpy.abs(wanted[numpy.isfinite(wanted)].astype(numpy.float64))
    return numpy.allclose(got, wanted, rtol=limit, atol=limit * (finite.max() if finite.size else 1), equal_nan=True)
