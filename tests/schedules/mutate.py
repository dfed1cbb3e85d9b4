"""Broken schedules are refused with a diagnostic, never worse: mutate.py WEFT [--count N] [--seed S]

Takes the printed schedules of the kernels in the folder kernels, and puts mistakes into them: words left out, doubled, exchanged, or taken from
elsewhere. The compiler takes the result or says what is wrong with it, at a place in it.
"""

import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

MODELS = sorted((pathlib.Path(__file__).parent / "kernels").glob("*.weft"))
WORD = re.compile(r"[\w.\"]+|[{}|,\[\]%]|\n")
STRANGE = ["0", "1", "-1", "1e9", "99999999999", "0.5", "root", "this", '"by"', "at", "knob", "pack", "recompute", "join", "into", "in", "..", "{", "}",
           "|", ",", "é", "order", "inline", "schedule", "specialize", "div", "%"]  # fmt: skip
PLACE = re.compile(r"^given\.schedule:\d+:\d+: error: .* \[[a-z-]+\]$", re.M)


def mutated(text, draw):
    words = WORD.findall(text)
    for _ in range(draw.randint(1, 3)):
        at, other = draw.randrange(len(words)), draw.randrange(len(words))
        kind = draw.randrange(5)
        if kind == 0:
            del words[at]
        elif kind == 1:
            words.insert(at, words[at])
        elif kind == 2:
            words[at], words[other] = words[other], words[at]
        elif kind == 3:
            words[at] = words[other]
        else:
            words[at] = draw.choice(STRANGE)
    return " ".join(words)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft", type=os.path.abspath)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    faults = taken = 0
    with tempfile.TemporaryDirectory() as folder:

        def run(model, *extra):
            command = [arguments.weft, "compile", str(model), "--emit", "schedule", *extra]
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)

        # Each kernel's blocks alone, so that a mistake meets few others.
        kernels = [(model, part) for model in MODELS
                   for part in re.split(r"^// kernel .*\n", run(model).stdout, flags=re.M) if part.strip()]  # fmt: skip
        for _ in range(arguments.count):
            model, part = draw.choice(kernels)
            text = mutated(part, draw)
            pathlib.Path(folder, "given.schedule").write_text(text)
            ran = run(model, "--schedule", "given.schedule")
            taken += ran.returncode == 0
            if ran.returncode != 0 and (ran.returncode != 1 or not PLACE.search(ran.stderr)):
                faults += 1
                print(f"{text}\nexit code {ran.returncode}\n{ran.stderr}")
    print(f"{arguments.count} schedules, {taken} taken, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
