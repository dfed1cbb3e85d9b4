"""Compares a compiled system with its reference: python tests/systems/check.py WEFT NAME [--case full] [--backend loops]

`--case small` means all cases whose names begin so. --break leaves one tensor's weights out (all zero) and must make the
comparison fail; without a name it is the one the reference names, or one in the middle.
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
    compile_s: float = 0.0
    run_s: float = 0.0
    verdicts: dict = field(default_factory=dict)

    @property
    def failed(self):
        return any(verdict.failed for verdict in self.verdicts.values())


def broken(weights, name, reference):
    """The weights with one tensor all zero, and its name."""
    name = name or getattr(reference, "BREAK", "") or sorted(weights)[len(weights) // 2]
    return {**weights, name: np.zeros_like(weights[name])}, name


def check_case(weft, subject, case, backend="halide", without=None, program=None):
    """Compiles (to the path `program`, if given), runs and compares; `without` names a tensor to break, "" any."""
    with tempfile.TemporaryDirectory() as folder:
        path = program or pathlib.Path(folder) / "program"
        outcome = Outcome()
        started = time.monotonic()
        compile_program(weft, subject.source, path, backend, case.entry)
        outcome.compile_s = time.monotonic() - started
        weights = subject.weights(case)
        if without is not None:
            weights, name = broken(weights, without, subject.reference)
            print(f"without {name}: ", end="")
        wanted = subject.wanted(case)
        started = time.monotonic()
        found = run_program(path, case.method, subject.reference.inputs(case), wanted, weights)
        outcome.run_s = time.monotonic() - started
    outcome.verdicts = {name: system.compare(subject.comparison(name), found[name], wanted[name]) for name in wanted}
    return outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft")
    parser.add_argument("name", choices=system.all_names())
    parser.add_argument("--case", default="small")
    parser.add_argument("--backend", default="halide")
    parser.add_argument("--break", dest="without", nargs="?", const="", metavar="TENSOR")
    arguments = parser.parse_args()
    subject = system.System(arguments.name)
    failed = False
    for case in subject.cases(arguments.case):
        outcome = check_case(arguments.weft, subject, case, arguments.backend, arguments.without)
        texts = ", ".join(f"{name} {verdict.text}" for name, verdict in outcome.verdicts.items())
        print(f"{arguments.name} {case.name}: {texts}; compiled in {outcome.compile_s:.1f} s, ran {outcome.run_s:.2f} s")
        failed |= outcome.failed
    if arguments.without is not None:
        return 0 if failed else "the missing tensor was not noticed"
    return "differs from the reference" if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(map(str, error.cmd[:3]))} ...: exit code {error.returncode}")
