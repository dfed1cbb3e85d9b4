"""Contenders that take turns: each is a process of its own, pinned, that sleeps while another runs."""

import importlib
import importlib.metadata
import os
import pathlib
import select
import statistics
import subprocess
import sys
import time

import numpy as np

import machine

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 900  # seconds for one answer; compiling a network by a peer takes longest
# Memory that a run gives back stays with the process: else every run of some peers would be given fresh pages.
ENVIRONMENT = {"OPENBLAS_CORETYPE": "SkylakeX", "MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}


class Failed(Exception):
    """A contender ended early, or did not answer."""


class Contender:
    def __init__(self, name, command, environment, threads):
        self.name = name
        environment = {**os.environ, **ENVIRONMENT, "OMP_NUM_THREADS": str(threads), **environment}
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE,
                                        env=environment, preexec_fn=lambda: machine.take_the_processors(threads))
        try:
            self.ready = self.answer()
        except Failed:
            self.close()
            raise

    def answer(self):
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise Failed(f"{self.name} does not answer")
        line = self.process.stdout.readline().decode().strip()
        if not line:
            raise Failed(f"{self.name} ended early; its error is above")
        return line

    def run(self, count):
        try:
            self.process.stdin.write(f"{count}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self.name} ended early; its error is above") from None
        return float(self.answer()) / count

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close(), self.process.stdout.close()


def library(name):
    """The module of a peer, or of ours."""
    return importlib.import_module(f"peers.{name}")


def versions(packages):
    """Packages with their versions; None for one that is missing."""
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def worker(name, folder, threads):
    return Contender(name, [sys.executable, HERE / "worker.py", name, folder, threads], library(name).ENVIRONMENT, threads)


def limit(program, subject, threads):
    """The contender that does the least that a subject's operations, its bytes or its values of exp take."""
    return Contender("limit", [program, threads, subject.flops, subject.bytes, subject.exps], {}, threads)


def difference(folder, peer, tolerance=1e-4):
    """What is wrong with a peer's results beside ours: empty where both are the same, within a share of each result's
    range, whole numbers exactly."""
    both = []
    for name in ("weft", peer):
        with np.load(folder / f"{name}.npz") as file:
            both.append([file[key] for key in file.files])
    if len(both[0]) != len(both[1]):
        return f"{len(both[1])} results for {len(both[0])}"
    for mine, other in zip(*both):
        if mine.shape != other.shape:
            return f"a result is {other.shape}, ours {mine.shape}"
        if mine.dtype.kind != "f":
            if not (mine == other).all():
                return f"{(mine != other).sum()} of {mine.size} numbers differ"
            continue
        mine, other = mine.astype(np.float64), other.astype(np.float64)
        apart, span = np.abs(mine - other).max(initial=0), np.ptp(other) if other.size else 0
        if not apart <= tolerance * span:
            return f"the results differ by {apart / span:.1e} of their range"
    return ""


def stolen():
    """Processor time that the machine gave to others so far, in seconds."""
    with open("/proc/stat") as file:
        fields = file.readline().split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK") if len(fields) > 8 else 0.0


def runs_of_a_round(contender):
    """So many that a round takes 20 milliseconds. Another process may have slowed the first tries: the most counts."""
    count = 1
    for _ in range(3):
        took = contender.run(count)
        count = max(count, round(20 / took))
        if took > 200:
            break
    return count


def take_turns(contenders, rounds, seconds):
    """The milliseconds of every contender in every round, for a number of rounds or as long as there is time. Rounds go A B
    C C B A, so that every one follows every other; those in which the machine gave time to others are left out."""
    times = {each.name: [] for each in contenders}
    counts = {each: runs_of_a_round(each) for each in contenders}
    done, end = 0, time.monotonic() + seconds
    for number in range(2 * rounds):
        if done >= rounds or (done >= 5 and time.monotonic() > end):
            break
        order = contenders if number % 2 == 0 else contenders[::-1]
        before, start = stolen(), time.monotonic()
        took = {each.name: each.run(counts[each]) for each in order}
        length = time.monotonic() - start
        if stolen() - before > 0.02 * length + 0.005 and number - done < rounds:
            continue
        for name, milliseconds in took.items():
            times[name].append(milliseconds)
        done += 1
        # Work at a raised priority must leave some time to others, or the system takes it.
        time.sleep(0.06 * length)
    return times


def quartiles(numbers):
    return [round(number, 4) for number in statistics.quantiles(numbers, n=4)]


def measure(subject, folder, peers, threads, rounds, seconds, limits):
    """The row of a subject at a number of threads, and what kept peers out. Raises Failed where ours fails."""
    ours, taking_part, faults = worker("weft", folder, threads), [], []
    try:
        for name in peers:
            try:
                other = worker(name, folder, threads)
            except Failed as fault:
                faults.append(str(fault))
                continue
            wrong = difference(folder, name)
            if wrong:
                faults.append(f"{name}: {wrong}")
                other.close()
            else:
                taking_part.append(other)
        if subject.flops or subject.bytes:
            taking_part.append(limit(limits, subject, threads))
        times = take_turns([ours, *taking_part], rounds, seconds)
    finally:
        for each in (ours, *taking_part):
            each.close()
    ratios = {name: quartiles([other / mine for other, mine in zip(found, times["weft"])])
              for name, found in times.items() if name != "weft"}
    row = {"group": subject.group, "name": subject.name, "threads": threads, "flops": subject.flops, "bytes": subject.bytes,
           "rounds": len(times["weft"]), "ms": {name: round(statistics.median(found), 6) for name, found in times.items()}}
    if "limit" in ratios:
        row["share"], row["bound"] = ratios.pop("limit"), taking_part[-1].ready.split()[1]
    return {**row, "ratio": ratios}, faults
