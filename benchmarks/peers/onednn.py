"""oneDNN by itself: one primitive, its weights packed as it likes them."""

import ctypes
import importlib.metadata
import pathlib
import subprocess
import sys
import zlib

import numpy as np

import tensors

NAME = "oneDNN"
PACKAGES = ("onednn-devel-cpu-gomp",)
ENVIRONMENT = {"GOMP_SPINCOUNT": "100000", "OMP_PROC_BIND": "close", "OMP_PLACES": "cores"}


def file_of(package, ending):
    """A file that a package installed."""
    found = next(file for file in importlib.metadata.files(package) if str(file).endswith(ending))
    return pathlib.Path(found.locate()).resolve()


def library():
    """peers/onednn.cc, compiled once for the packages that are installed."""
    source = pathlib.Path(__file__).with_suffix(".cc")
    headers, dnnl = file_of("onednn-devel-cpu-gomp", "include/dnnl.hpp").parent, file_of("onednn-cpu-gomp", "libdnnl.so.3")
    made = source.parents[2] / f"build/benchmarks/onednn-{zlib.crc32(str(dnnl).encode()):08x}.so"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        made.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["c++", "-std=c++17", "-O2", "-shared", "-fPIC", source, "-I", headers, dnnl, f"-Wl,-rpath,{dnnl.parent}",
                        "-o", made], check=True)
    return ctypes.CDLL(str(made))


def load(subject, folder, arrays, threads):
    kind, sizes, result = subject.onednn()
    weights = list(tensors.read(folder / "subject.safetensors").values())
    given = [np.ascontiguousarray(array, np.float32) for array in (*arrays, *weights)]
    pointers = (ctypes.c_void_p * len(given))(*(array.ctypes.data for array in given))
    calls = library()
    calls.create.restype, calls.run.restype = ctypes.c_void_p, None
    calls.run.argtypes, calls.result.argtypes = [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_void_p]
    handle = calls.create(kind.encode(), (ctypes.c_long * len(sizes))(*sizes), pointers)
    if not handle:
        sys.exit(f"oneDNN refuses {subject.name}")
    return Primitive(calls, handle, result, given)


class Primitive:
    """Called, it runs; the result is fetched where it is looked at, for it may lie in an order of oneDNN's own."""

    def __init__(self, calls, handle, result, alive):
        self.calls, self.handle, self.shape, self.alive = calls, handle, result, alive

    def __call__(self):
        self.calls.run(self.handle)
        return self

    def __iter__(self):
        found = np.empty(self.shape, np.float32)
        self.calls.result(self.handle, found.ctypes.data)
        yield found
