"""Compares a compiled system with its reference: python tests/systems/check.py WEFT NAME [--case full] [--backend loops]

`--case small` means all cases whose names begin so. With --break they run once more with one tensor's weights left out (all
zero), which must make a comparison fail; without a name it is the one the reference names, or one in the middle.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

import numpy as np

import system
from program import command, compile_program, run_program


@dataclass
class Outcome:
    run_s: float = 0.0
    verdicts: dict = field(default_factory=dict)

    @property
    def failed(self):
        return any(verdict.failed for verdict in self.verdicts.values())


def broken(weights, name, reference):
    """The weights with one tensor all zero, and its name."""
    name = name or getattr(reference, "BREAK", "") or sorted(weights)[len(weights) // 2]
    return {**weights, name: np.zeros_like(weights[name])}, name


def check_case(program, subject, case, weights, wanted):
    """Runs the program of the case's entry and compares."""
    outcome = Outcome()
    started = time.monotonic()
    found = run_program(program, case.method, subject.reference.inputs(case), wanted, weights)
    outcome.run_s = time.monotonic() - started
    outcome.verdicts = {name: system.compare(subject.comparison(name), found[name], wanted[name]) for name in wanted}
    return outcome


def check_cases(weft, subject, cases, backend, without, folder):
    """Whether a case differs from its reference; and whether one does without a tensor, if `without` is its name or "" for any.
    An entry is compiled once for all its cases."""
    programs, failed, noticed = {}, False, False
    for case in cases:
        told = ""
        if case.entry not in programs:
            programs[case.entry] = folder / str(len(programs)) / "program"
            programs[case.entry].parent.mkdir()
            started = time.monotonic()
            compile_program(weft, subject.source, programs[case.entry], backend, case.entry)
            told = f"compiled in {time.monotonic() - started:.1f} s, "
        weights, wanted = subject.weights(case), subject.wanted(case)
        runs = [("", weights)]
        if without is not None:
            weights, name = broken(weights, without, subject.reference)
            runs.append((f" without {name}", weights))
        for way, weights in runs:
            outcome = check_case(programs[case.entry], subject, case, weights, wanted)
            texts = ", ".join(f"{name} {verdict.text}" for name, verdict in outcome.verdicts.items())
            print(f"{subject.name} {case.name}{way}: {texts}; {told}ran {outcome.run_s:.2f} s")
            if way:
                noticed |= outcome.failed
            else:
                failed |= outcome.failed
            told = ""
    return failed, noticed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft")
    parser.add_argument("name", choices=system.all_names())
    parser.add_argument("--case", default="small")
    parser.add_argument("--backend", default="halide")
    parser.add_argument("--break", dest="without", nargs="?", const="", metavar="TENSOR")
    arguments = parser.parse_args()
    subject = system.System(arguments.name)
    with tempfile.TemporaryDirectory() as folder:
        failed, noticed = check_cases(arguments.weft, subject, subject.cases(arguments.case), arguments.backend, arguments.without,
                                      pathlib.Path(folder))
    if failed:
        return "differs from the reference"
    return "the missing tensor was not noticed" if arguments.without is not None and not noticed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(map(str, error.cmd[:3]))} ...: exit code {error.returncode}")
