"""One contender in a process of its own: runs a network when told to, and sleeps otherwise.

    worker.py onnx FOLDER NAME THREADS
    worker.py torch FOLDER NAME THREADS
    worker.py weft FOLDER NAME THREADS

FOLDER holds the inputs in NAME.npz, NAME.safetensors, NAME.onnx for `onnx`, NAME.so and NAME.h for `weft`; what `torch`
runs is in operators.py for a NAME operator_NUMBER, in systems.py for system_NAME. When everything is loaded it
writes the results of the first run to FOLDER/NAME.CONTENDER.npz, by number, and a line to standard output; then it
answers lines "COUNT" from standard input with the milliseconds of that many runs.
"""

import ctypes
import os
import re
import sys
import time

import numpy as np

import machine


def onnx(stem, arrays, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning between runs would take the processors from the other contender.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(f"{stem}.onnx", options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: arrays[0]}
    return lambda: session.run(None, feed)


def torch(stem, arrays, threads):
    # Threads that wait for work give the processors to the other contender after a while.
    os.environ.setdefault("GOMP_SPINCOUNT", "100000")
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    kind, name = os.path.basename(stem).split("_", 1)
    if kind == "operator":
        import operators
        peer = list(operators.OPERATORS.values())[int(name)]().torch
    else:
        import systems
        peer = systems.torch(name)
    once = peer(*map(torch.from_numpy, arrays))

    def results():
        found = once()
        return [each.numpy() for each in (found if isinstance(found, list) else [found])]

    return results


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


def weft(stem, arrays, threads):
    with open(f"{stem}.h") as file:
        header = file.read()
    prefix = re.search(r"\b(weft_\w+)_create\s*\(", header).group(1)
    program = ctypes.CDLL(f"{stem}.so")
    create, run, describe, error = (getattr(program, prefix + name) for name in
                                    ("_create", "_run", "_method", "_last_error"))
    error.restype = ctypes.c_char_p
    handle = ctypes.c_void_p()
    weights = (ctypes.c_char_p * 2)(f"{stem}.safetensors".encode(), None)  # a path, and no prefix
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
    results = (Tensor * method.output_count)()

    def once(_alive=arrays):  # the program reads their memory
        if run(handle, method.name, given, len(given), results, len(results)):
            sys.exit(f"run: {error().decode()}")
        return [array(each) for each in results]

    return once


def main():
    kind, folder, name, threads = *sys.argv[1:4], int(sys.argv[4])
    machine.take_the_processors(threads)
    stem = os.path.join(folder, name)
    with np.load(f"{stem}.npz") as file:
        arrays = [file[key] for key in file.files]
    once = {"onnx": onnx, "torch": torch, "weft": weft}[kind](stem, arrays, threads)
    np.savez(f"{stem}.{kind}.npz", *once())
    once()
    print("ready", flush=True)
    for line in sys.stdin:
        count = int(line)
        start = time.perf_counter()
        for _ in range(count):
            once()
        print((time.perf_counter() - start) * 1e3, flush=True)


if __name__ == "__main__":
    main()
