"""One contender in a process of its own: runs a subject when told to, and sleeps otherwise.

    worker.py CONTENDER FOLDER THREADS

CONTENDER is a file of benchmarks/peers; what it runs lies in FOLDER (subject.py). When everything is loaded it writes the
results of the first run to FOLDER/CONTENDER.npz, by number, and "ready" to standard output; then it answers lines "COUNT"
from standard input with the milliseconds of that many runs.
"""

import importlib
import pathlib
import pickle
import sys
import time

import numpy as np


def aligned(array):
    """The same at an address that vectors like, which everyone is given: contenders copy what lies elsewhere."""
    memory = np.empty(array.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    found = memory[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    found[...] = array
    return found


def main():
    name, folder, threads = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    subject = pickle.loads((folder / "subject.pickle").read_bytes())
    with np.load(folder / "subject.npz") as file:
        arrays = [aligned(file[key]) for key in file.files]
    # What a library prints is no answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    once = importlib.import_module(f"peers.{name}").load(subject, folder, arrays, threads)
    np.savez(folder / f"{name}.npz", *once())
    once()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        count = int(line)
        start = time.perf_counter()
        for _ in range(count):
            once()
        print((time.perf_counter() - start) * 1e3, file=answers, flush=True)


if __name__ == "__main__":
    main()
