"""Contenders that take turns: each is a process of its own (worker.py) that sleeps while the other runs."""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

import machine
import report

HERE = pathlib.Path(__file__).resolve().parent
PEERS = {"torch": "PyTorch", "onnx": "ONNX Runtime"}


class Contender:
    def __init__(self, kind, folder, name, threads):
        self.process = subprocess.Popen([sys.executable, str(HERE / "worker.py"), kind, folder, name, str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("a contender ended early; its error is above")
        return line

    def run(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return float(self.answer()) / count

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def stolen():
    """Processor time that the machine gave to others so far, in seconds."""
    with open("/proc/stat") as file:
        fields = file.readline().split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK") if len(fields) > 8 else 0.0


def measure(ours, theirs, rounds, seconds):
    """Ratios of neighbouring rounds and the times of both, for a number of rounds or as long as there is time."""
    times = {ours: [], theirs: []}
    counts = {each: max(1, round(20.0 / each.run(1))) for each in (ours, theirs)}
    ratios, end = [], time.monotonic() + seconds
    for number in range(2 * rounds):
        if len(ratios) >= rounds or (len(ratios) >= 5 and time.monotonic() > end):
            break
        order = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        before, start = stolen(), time.monotonic()
        took = {each: each.run(counts[each]) for each in order}
        length = time.monotonic() - start
        if stolen() - before > 0.02 * length + 0.005 and number - len(ratios) < rounds:
            continue
        for each in order:
            times[each].append(took[each])
        ratios.append(took[theirs] / took[ours])
        # Work at a raised priority must leave some time to others, or the system takes it.
        time.sleep(0.06 * length)
    return ratios, times[ours], times[theirs]


def same_results(folder, name, peer, tolerance=1e-4):
    """Ends the program unless both gave the same, within a share of each result's range; whole numbers exactly."""
    import numpy as np
    both = []
    for kind in ("weft", peer):
        with np.load(pathlib.Path(folder) / f"{name}.{kind}.npz") as file:
            both.append([file[key] for key in file.files])
    for mine, other in zip(*both, strict=True):
        if mine.shape != other.shape:
            sys.exit(f"{name}: our result is {mine.shape}, the other {other.shape}")
        if mine.dtype.kind != "f":
            if not (mine == other).all():
                sys.exit(f"{name}: {(mine != other).sum()} of {mine.size} numbers differ")
            continue
        mine, other = mine.astype(np.float64), other.astype(np.float64)
        difference = np.abs(mine - other).max() / (other.max() - other.min())
        if not difference < tolerance:
            sys.exit(f"{name}: the results differ by {difference:.1e} of their range")


def take_turns(folder, name, peer, threads, rounds, seconds):
    """Ratios of neighbouring rounds, theirs over ours, and the times of both in milliseconds."""
    ours, theirs = (Contender(kind, folder, name, threads) for kind in ("weft", peer))
    same_results(folder, name, peer)
    measured = measure(ours, theirs, rounds, seconds)
    ours.close(), theirs.close()
    return measured


def rows(folder, name, label, peer, chosen):
    """The rows of the table for one subject, at each number of threads; printed as they come."""
    found = []
    for threads in map(int, chosen.threads.split(",")):
        ratios, mine, other = take_turns(folder, name, peer, threads, chosen.rounds, chosen.seconds)
        found.append({"operator": label, "threads": threads, "ours_ms": statistics.median(mine),
                      "theirs_ms": statistics.median(other), "rounds": len(ratios), "peer": PEERS[peer],
                      "ratio_quartiles": statistics.quantiles(ratios, n=4)})
        print(report.operator_row(found[-1]), flush=True)
    return found


def options(text, *packages):
    """What the command line says, once the packages are there."""
    machine.use_packages(*packages)
    parser = argparse.ArgumentParser(description=text.splitlines()[0])
    parser.add_argument("--only", default="", help="parts of names of rows, with commas between")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=61)
    parser.add_argument("--seconds", type=float, default=20, help="at most, for each row of the table")
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--weft", default=str(HERE.parent / "build/bin/weft"))
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.seconds = min(chosen.seconds, 3)
    return chosen


def wanted(label, chosen):
    return any(part.lower() in label.lower() for part in chosen.only.split(","))


def versions():
    import onnxruntime
    import torch
    import torchvision
    return (f"PyTorch {torch.__version__.split('+')[0]}, torchvision {torchvision.__version__.split('+')[0]}, "
            f"ONNX Runtime {onnxruntime.__version__}")
