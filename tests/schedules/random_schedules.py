"""Schedules never change what is computed: random_schedules.py WEFT [--count N] [--seed S] [--seconds T] [--inject]

Draws schedules for kernels of every kind (the folder kernels). What the compiler takes is compiled, run, and compared with the
loops back end; what it refuses it must refuse with a diagnostic of the file that it was given. A fault is printed with the
schedule of the one kernel that has it. With --inject the kernels that are scheduled have faults of the kinds that a wrongly
applied schedule would make, one after the other, and each must be noticed.
"""

import argparse
import collections
import os
import pathlib
import re
import sys
import tempfile
import time

from draw import Drawing, read_kernels
from program import FOLDER, MODELS, Program, differing

# What a schedule could get wrong, put into the text: a tail that is not computed, a sum that loses its last step, a padded copy
# that holds something else, a tile that lies one place off.
FAULTS = {
    "tail": ("contractions", "product[i13, j37] = sum(k19) x[i13, k19] * z[k19, j37]",
             "whole[i13, j37] = sum(k19) x[i13, k19] * z[k19, j37]\n    product[i13, j37] = whole[i13, j37] if j37 < 32 else 0.0"),
    "sum": ("rows", "power[t9] = (sum(u33) row[t9, u33] * row[t9, u33])", "power[t9] = (sum(u < 32) row[t9, u] * row[t9, u])"),
    "padding": ("convolutions", "v14 + s3 - 1] else 0) * kernel", "v14 + s3 - 1] else 0.5) * kernel"),
    "place": ("convolutions", "h11 + r3 - 1, v14 + s3 - 1] else 0) * taps", "h11 + r3 - 1, v14 + s3 - 2] else 0) * taps"),
}  # fmt: skip
# Errors of the schedule's file, whose text may have several lines; and of a kernel, whose compilation failed or took too long.
REFUSED = re.compile(r"^random\.schedule:(\d+):\d+: error: ((?:(?!: error: )[\s\S])*?) \[(?:illegal-schedule|unknown-loop|unknown-equation|schedule-value)\]$", re.M)
FAILED = re.compile(r": error: .* kernel `(\w+)`, whose compilation (.*) \[kernel-fault\]$", re.M)
ATTEMPTS = 12


class Trial:
    """Schedules of one program's kernels, drawn until they are taken."""

    def __init__(self, program, kernels, seed):
        self.program, self.kernels, self.seed = program, kernels, seed
        self.chosen = {}  # name of a kernel -> text
        self.refused = collections.Counter()
        self.faults, self.late = [], []

    def run(self, wanted):
        """How many schedules were compared."""
        waiting = list(self.kernels)
        for attempt in range(ATTEMPTS):
            for name in waiting:
                self.chosen[name] = Drawing(f"{self.seed} {name} {attempt}").kernel(self.kernels[name])
            waiting = self.those_refused("--emit", "schedule")
            if not waiting:
                break
        for name in waiting:
            del self.chosen[name]
        # Some things only the back end notices, one at a time.
        while name := self.those_refused("-o", "program"):
            del self.chosen[name[0]]
        if self.chosen and differing(self.program.results(), wanted):
            self.find_faults(wanted)
        return len(self.chosen)

    def those_refused(self, *words):
        """The kernels whose schedules are refused; whatever else is wrong is a fault, and ends the trial."""
        self.write(self.chosen)
        done = self.program.compile("--schedule", "random.schedule", *words)
        if done.returncode == 0:
            return []
        starts = self.starts()
        problems = [(max((start, name) for name, start in starts.items() if start <= int(line))[1], message)
                    for line, message in REFUSED.findall(done.stderr)]  # fmt: skip
        failed = FAILED.findall(done.stderr)
        names = list(dict.fromkeys(name for name, _ in problems + failed))
        others = re.findall(r": error: .*", FAILED.sub("", REFUSED.sub("", done.stderr)))
        if done.returncode != 1 or not names or others or not set(names) <= set(self.chosen):
            self.fault(self.chosen.values(), f"exit code {done.returncode}\n{done.stderr}")
            self.chosen.clear()
            return []
        for name, message in problems + failed:
            is_crash = (name, message) in failed and not message.startswith("took more than")
            if is_crash:
                self.fault([self.chosen[name]], done.stderr)
            elif "--emit" not in words:
                self.late.append(f"{self.chosen[name]}{message}\n")
            self.refused[re.sub(r"`[^`]*`", "`...`", message)] += 1
        return names

    def write(self, chosen):
        (self.program.folder / "random.schedule").write_text("".join(chosen.values()))

    def starts(self):
        """The first line of each schedule in the file."""
        line, starts = 1, {}
        for name, text in self.chosen.items():
            starts[name] = line
            line += text.count("\n")
        return starts

    def find_faults(self, wanted):
        """Each schedule alone."""
        for name, text in self.chosen.items():
            self.write({name: text})
            done = self.program.compile("--schedule", "random.schedule", "-o", "program")
            wrong = differing(self.program.results(), wanted) if done.returncode == 0 else [done.stderr]
            if wrong:
                self.fault([text], f"gives other results: {wrong}")
        if not any("other results" in fault for fault in self.faults):
            self.fault(self.chosen.values(), "gives other results, all together")

    def fault(self, texts, what):
        self.faults.append(f"{self.program.name}, seed {self.seed}:\n{''.join(texts)}{what}\n")


def inject(weft, folder, seed):
    missed = 0
    for kind, (name, right, wrong) in FAULTS.items():
        model = FOLDER / f"{name}.weft"
        text = model.read_text()
        assert text.count(right) == 1, kind
        wanted = Program(weft, model, pathlib.Path(folder, kind, "right")).reference()
        program = Program(weft, model, pathlib.Path(folder, kind, "wrong"), text.replace(right, wrong))
        trial = Trial(program, read_kernels(program.printed()), seed)
        trial.run(wanted)
        noticed = any("gives other results" in fault for fault in trial.faults)
        missed += not noticed
        print(f"a wrong {kind} was {'noticed' if noticed else 'not noticed'}")
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft", type=os.path.abspath)
    parser.add_argument("--count", type=int, default=60, help="schedules of single kernels to compare")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--only", help="the one model whose kernels are scheduled")
    parser.add_argument("--inject", action="store_true")
    parser.add_argument("--refusals", action="store_true", help="say what was refused, and how often")
    arguments = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.inject:
            return inject(arguments.weft, folder, arguments.seed)
        programs = [Program(arguments.weft, model, pathlib.Path(folder, model.stem)) for model in MODELS
                    if arguments.only in (None, model.stem)]  # fmt: skip
        wanted = [program.reference() for program in programs]
        kernels = [read_kernels(program.printed()) for program in programs]
        compared = faults = 0
        refused = collections.Counter()
        seed = arguments.seed * 100000
        while compared < arguments.count and time.monotonic() - start < arguments.seconds:
            at = seed % len(programs)
            trial = Trial(programs[at], kernels[at], seed)
            compared += trial.run(wanted[at])
            refused += trial.refused
            faults += len(trial.faults)
            for text in trial.faults + (trial.late if arguments.refusals else []):
                print(text, flush=True)
            seed += 1
    if arguments.refusals:
        for message, count in refused.most_common():
            print(f"{count:6} {message}")
    print(f"{sum(map(len, kernels))} kernels: {compared} schedules compared, {refused.total()} refused, {faults} faults, "
          f"{time.monotonic() - start:.0f} s")
    return 1 if faults or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
