"""Compiled libraries through their C interface, from Python."""

import ctypes

import numpy


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("type", ctypes.c_int), ("rank", ctypes.c_int32),
                ("shape", ctypes.c_int64 * 16), ("strides", ctypes.POINTER(ctypes.c_int64))]


class Options(ctypes.Structure):
    _fields_ = [("abi_version", ctypes.c_uint32), ("weights", ctypes.c_void_p), ("weight_count", ctypes.c_size_t),
                ("threads", ctypes.c_int32), ("pin_threads", ctypes.c_int32), ("strict", ctypes.c_int32),
                ("init_weights", ctypes.c_int32), ("seed", ctypes.c_uint64), ("note", ctypes.c_void_p),
                ("note_user", ctypes.c_void_p)]


TYPES = {numpy.dtype(name): number for name, number in
         (("bool", 0), ("i1", 2), ("u1", 3), ("i4", 4), ("i8", 5), ("f2", 6), ("f4", 8), ("f8", 9))}


def view(array):
    tensor = Tensor(array.ctypes.data, TYPES[array.dtype], array.ndim)
    tensor.array = array  # lives as long
    for axis, size in enumerate(array.shape):
        tensor.shape[axis] = size
    if not array.flags.c_contiguous:
        tensor.strides = (ctypes.c_int64 * array.ndim)(*(s // array.itemsize for s in array.strides))
    return tensor


class Program:
    def __init__(self, library, prefix, **options):
        self.library, self.prefix = ctypes.CDLL(str(library)), prefix
        self.call("last_error").restype = ctypes.c_char_p
        self.call("destroy").restype = None
        self.handle = ctypes.c_void_p()
        settings = {"abi_version": 1, "init_weights": 1, "threads": 2, **options}
        self.code = self.call("create")(ctypes.byref(Options(**settings)), ctypes.byref(self.handle))

    def call(self, name):
        return getattr(self.library, f"{self.prefix}_{name}")

    def error(self):
        return self.call("last_error")().decode()

    def raw_run(self, method, inputs, outputs):
        make = lambda tensors: (Tensor * len(tensors))(*tensors)
        return self.call("run")(self.handle, method, make(inputs), ctypes.c_size_t(len(inputs)), make(outputs),
                                ctypes.c_size_t(len(outputs)))

    def run(self, method, *arrays, shape):
        result = numpy.full(shape, numpy.nan, numpy.float32)
        code = self.raw_run(method, [view(a) for a in arrays], [view(result)])
        assert code == 0, self.error()
        return result

    def destroy(self):
        self.call("destroy")(self.handle)
