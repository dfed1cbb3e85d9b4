"""One contender in a process of its own: runs a model when told to, and sleeps otherwise.

    worker.py onnx MODEL.onnx THREADS
    worker.py weft PROGRAM.so HEADER.h METHOD THREADS SHAPE[;SHAPE]

Reads lines "COUNT" from standard input and answers each with the milliseconds of that many runs, one line. The first
line it writes is the number of elements of the output, when everything is loaded.
"""

import ctypes
import os
import re
import sys
import time

import numpy as np


def inputs(shape, is_float):
    random = np.random.Generator(np.random.Philox(3))
    if is_float:
        return random.standard_normal(shape).astype(np.float32)
    return random.integers(0, 30000, shape)


def onnx(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning between runs would take the processors from the other contender.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    feed = {entry.name: inputs(entry.shape, "float" in entry.type)}
    return lambda: session.run(None, feed)[0].size


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("type", ctypes.c_int), ("rank", ctypes.c_int32),
                ("shape", ctypes.c_int64 * 16), ("strides", ctypes.c_void_p)]


class Options(ctypes.Structure):
    _fields_ = [("abi_version", ctypes.c_uint32), ("weights", ctypes.c_void_p), ("weight_count", ctypes.c_size_t),
                ("threads", ctypes.c_int32), ("pin_threads", ctypes.c_int32), ("strict", ctypes.c_int32),
                ("init_weights", ctypes.c_int32), ("seed", ctypes.c_uint64), ("note", ctypes.c_void_p),
                ("note_user", ctypes.c_void_p)]


class PortInfo(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("doc", ctypes.c_char_p), ("type", ctypes.c_int),
                ("type_name", ctypes.c_char_p), ("rank", ctypes.c_int32), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("shape_names", ctypes.POINTER(ctypes.c_char_p))]


FLOATS = {6: np.float16, 8: np.float32, 9: np.float64}
WHOLES = {0: np.bool_, 1: np.int64, 2: np.int8, 3: np.uint8, 4: np.int32, 5: np.int64}


def weft(library, header, method, threads, shapes):
    with open(header) as file:
        prefix = re.search(r"\b(weft_\w+)_create\s*\(", file.read()).group(1)
    program = ctypes.CDLL(library)
    create, run = getattr(program, prefix + "_create"), getattr(program, prefix + "_run")
    error = getattr(program, prefix + "_last_error")
    error.restype = ctypes.c_char_p
    handle = ctypes.c_void_p()
    options = Options(abi_version=1, threads=threads, pin_threads=1, init_weights=1, seed=1)
    if create(ctypes.byref(options), ctypes.byref(handle)):
        sys.exit(f"create: {error().decode()}")
    # Two inputs are tokens and their mask, one is an image.
    arrays = [inputs(shapes[0], len(shapes) == 1)] + [np.ones(shape, np.int64) for shape in shapes[1:]]
    given = (Tensor * len(arrays))()
    for tensor, data in zip(given, arrays):
        tensor.data, tensor.type, tensor.rank = data.ctypes.data, 8 if data.dtype == np.float32 else 5, data.ndim
        for axis, extent in enumerate(data.shape):
            tensor.shape[axis] = extent
    result = Tensor()

    def once(_alive=arrays):  # the program reads their memory
        if run(handle, method.encode(), given, len(given), ctypes.byref(result), 1):
            sys.exit(f"run: {error().decode()}")
        return int(np.prod([result.shape[axis] for axis in range(result.rank)]))

    return once


def main():
    kind = sys.argv[1]
    if kind == "onnx":
        threads = int(sys.argv[3])
        os.sched_setaffinity(0, range(threads))
        once = onnx(sys.argv[2], threads)
    else:
        threads = int(sys.argv[5])
        os.sched_setaffinity(0, range(threads))
        shapes = [[int(extent) for extent in shape.split(",")] for shape in sys.argv[6].split(";")]
        once = weft(sys.argv[2], sys.argv[3], sys.argv[4], threads, shapes)
    for _ in range(2):
        size = once()
    print(size, flush=True)
    for line in sys.stdin:
        count = int(line)
        start = time.perf_counter()
        for _ in range(count):
            once()
        print((time.perf_counter() - start) * 1e3, flush=True)


if __name__ == "__main__":
    main()
