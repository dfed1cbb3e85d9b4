"""Ours: the compiled library, called through its C interface."""

import ctypes
import functools
import re
import sys

import numpy as np

NAME = "Weft"
PACKAGES = ()
ENVIRONMENT = {}


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("type", ctypes.c_int), ("rank", ctypes.c_int32),
                ("shape", ctypes.c_int64 * 16), ("strides", ctypes.c_void_p)]


class Options(ctypes.Structure):
    _fields_ = [("abi_version", ctypes.c_uint32), ("weights", ctypes.c_void_p), ("weight_count", ctypes.c_size_t),
                ("threads", ctypes.c_int32), ("pin_threads", ctypes.c_int32), ("strict", ctypes.c_int32),
                ("init_weights", ctypes.c_int32), ("seed", ctypes.c_uint64), ("note", ctypes.c_void_p),
                ("note_user", ctypes.c_void_p)]


class MethodInfo(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("doc", ctypes.c_char_p), ("input_count", ctypes.c_int32),
                ("output_count", ctypes.c_int32)]


TYPES = {8: np.float32, 5: np.int64, 1: np.int64}  # of weft.h


def array(tensor):
    """The elements of a result, in the program's memory."""
    shape = [tensor.shape[axis] for axis in range(tensor.rank)]
    items = TYPES[tensor.type]
    data = (ctypes.c_char * (int(np.prod(shape)) * items().itemsize)).from_address(tensor.data)
    return np.frombuffer(data, items).reshape(shape)


def load(_, folder, arrays, threads):
    prefix = re.search(r"\b(weft_\w+)_create\s*\(", (folder / "subject.h").read_text()).group(1)
    program = ctypes.CDLL(str(folder / "subject.so"))
    create, run, describe, error = (getattr(program, prefix + name) for name in
                                    ("_create", "_run", "_method", "_last_error"))
    error.restype = ctypes.c_char_p
    handle = ctypes.c_void_p()
    weights = (ctypes.c_char_p * 2)(str(folder / "subject.safetensors").encode(), None)  # a path, and no prefix
    options = Options(abi_version=1, threads=threads, pin_threads=1, weights=ctypes.cast(weights, ctypes.c_void_p),
                      weight_count=1)
    if create(ctypes.byref(options), ctypes.byref(handle)):
        sys.exit(f"create: {error().decode()}")
    given = (Tensor * len(arrays))()
    for tensor, data in zip(given, arrays):
        tensor.data, tensor.rank = data.ctypes.data, data.ndim
        tensor.type = next(number for number, kind in TYPES.items() if data.dtype == kind)
        for axis, extent in enumerate(data.shape):
            tensor.shape[axis] = extent
    method = MethodInfo()
    if describe(0, ctypes.byref(method)):
        sys.exit(f"method: {error().decode()}")
    return Program(functools.partial(run, handle, method.name, given, len(given)), method.output_count, error, arrays)


class Program:
    """Called, it runs; the results are read where they are looked at, in the program's memory."""

    def __init__(self, run, count, error, alive):
        self.run, self.count, self.error, self.alive = run, count, error, alive  # the program reads the inputs' memory
        self.results = (Tensor * count)()
        self.clear = functools.partial(ctypes.memset, ctypes.addressof(self.results), 0, ctypes.sizeof(self.results))

    def __call__(self):
        self.clear()  # else it takes them for memory of the caller
        if self.run(self.results, self.count):
            sys.exit(f"run: {self.error().decode()}")
        return self

    def __iter__(self):
        return map(array, self.results)
