"""No schedule changes a result: random_schedules.py WEFT [--count N] [--seed S] [--inject]

Draws schedules for kernels of every kind (kernels.weft): splits by any factor, any order, any marks, copies and places. What
the compiler takes is compiled, run, and compared with the loops back end; what it refuses it must refuse with a diagnostic of
the file that it was given. With --inject the kernels that are scheduled have faults of the kinds that a wrongly applied
schedule would make, one after the other, and each must be noticed.
"""

import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import numpy

MODEL = pathlib.Path(__file__).parent / "kernels.weft"
EXTENTS = dict(a=7, b=2, c=19, e=13, f=18, g=5, h=11, i=13, j=37, k=19, m=29, n=29, o=21, q=19, r=3, s=3, v=14)
SIZES = dict(x=(13, 19), z=(19, 37), image=(2, 5, 11, 14), rows=(9, 33), score=(7, 29), taps=(3, 3))
OUTPUTS = ["point", "product", "layer", "convolved", "blurred", "peak", "mean", "p", "far"]
# What a schedule could get wrong, put into the text: a tail that is not computed, a sum that loses its last step, a padded copy
# that holds something else, a tile that lies one place off.
FAULTS = {
    "tail": ("product = matmul(x, z)", "whole = matmul(x, z)\n    product[i, j] = whole[i, j] if j < 32 else 0.0"),
    "sum": ("(sum(u) rows", "(sum(u < 32) rows"),
    "padding": ("s - 1] else 0) * kernel", "s - 1] else 0.5) * kernel"),
    "place": ("h + r - 1, v + s - 1] else 0) * taps", "h + r - 1, v + s - 2] else 0) * taps"),
}
FACTORS = [1, 2, 3, 4, 5, 7, 8, 16]
LONGEST_VECTOR = 32
MOST_UNROLLED = 8


class Equation:
    """The loops of a printed block, as they are before it splits and joins them."""

    def __init__(self, path, body):
        self.path, self.place = path, None
        order = ""
        joins, splits = {}, {}
        for line in body.splitlines():
            words = line.replace(",", "").split()
            if words[0] == "join":
                joins[words[-1]] = words[1:-2]
            elif words[0] == "split":
                splits[words[5]], splits[words[6]] = [words[1]], []
            elif words[0] == "order":
                order = line.split("order", 1)[1]
            elif words[:2] == ["this", "at"]:
                self.place = words[2]
        parts = [part.split() for part in order.split("|")]
        assert len(parts) in (1, 3), f"{path}: {order}"

        def whole(names):
            """The loops that these are made of."""
            while any(name in splits or name in joins for name in names):
                names = [part for name in names for part in splits.get(name, joins.get(name, [name]))]
            return names

        self.loops = whole(parts[0] + (parts[2] if len(parts) == 3 else []))
        self.reductions = whole(parts[1]) if len(parts) == 3 else []
        self.joins = list(joins.values())


def extent(path, name):
    """A loop's length; nothing where it is known at run time only, or nothing is known of it."""
    if path.endswith((".packed", ".permuted", ".part")):
        return None
    base = re.sub(r"_\d+$", "", name)
    # Of the dense layer n is a row.
    return 13 if path.startswith("dense") and base == "n" else EXTENTS.get(base)


def read_blocks(text):
    """The kernels of a printed schedule, each a list of equations."""
    kernels = []
    for part in re.split(r"^// kernel .*\n", text, flags=re.M)[1:]:
        blocks = re.findall(r"^schedule ([^{]+) \{\n(.*?)^\}", part, re.M | re.S)
        kernels.append([Equation(head.split(",")[0].strip(), body) for head, body in blocks])
    return kernels


class Drawing:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def kernel(self, equations):
        """A block for some of the equations; loops of others may be named as places."""
        outer = {}
        blocks = []
        for equation in reversed(equations):
            lines, outer[equation.path] = self.block(equation)
            later = [other for other in equations[equations.index(equation) + 1 :] if outer.get(other.path)]
            if equation.place and equation.place != "root":
                # Inside the loops that it is read in, or in front of everything.
                holder = self.random.choice(later) if later else None
                inside = holder is not None and self.chance(0.7)
                lines.append(f"this at {holder.path}.{self.random.choice(outer[holder.path])}" if inside else "this at root")
            blocks.append(f"schedule {equation.path} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n")
        return "".join(reversed(blocks))

    def block(self, equation):
        lines, overlaps = [], []
        outer, reductions, inner, fixed = [], [], [], {}
        loops = list(equation.loops)
        lengths = {name: extent(equation.path, name) for name in loops + equation.reductions}
        for join in equation.joins:
            if self.chance(0.5) and all(name in loops for name in join) and len(join) > 1:
                name = "".join(join)
                lines.append(f"join {' '.join(join)} into {name}")
                loops[loops.index(join[0])] = name
                loops = [loop for loop in loops if loop not in join]
                known = [lengths[part] for part in join]
                lengths[name] = None if None in known else int(numpy.prod(known))
        for name in loops + equation.reductions:
            home = reductions if name in equation.reductions else outer
            length = lengths[name]
            if self.chance(0.4):
                home.append(name)
                if length:
                    fixed[name] = length
                continue
            factor = self.random.choice(FACTORS)
            lines.append(f"split {name} by {factor} into {name}_o, {name}_i")
            home.append(f"{name}_o")
            fixed[f"{name}_i"] = factor
            (inner if home is outer and self.chance(0.6) else home).append(f"{name}_i")
            if home is outer and length and length >= factor and self.chance(0.3):
                overlaps.append(name)
        for names in (outer, reductions, inner):
            self.random.shuffle(names)
        if overlaps:
            lines.append("overlap " + " ".join(overlaps))
        lines.append(" ".join(["order", *outer, "|", *reductions, "|", *inner]))
        parallel = self.random.choice(outer) if outer and self.chance(0.5) else None
        free = [name for name in fixed if name != parallel]
        vectors = [name for name in free if fixed[name] <= LONGEST_VECTOR]
        vector = self.random.choice(vectors) if vectors and self.chance(0.6) else None
        unrolled = [name for name in free if fixed[name] <= MOST_UNROLLED and name != vector and self.chance(0.3)]
        for word, names in (("parallel", [parallel]), ("vectorize", [vector]), ("unroll", unrolled[:2])):
            if any(names):
                lines.append(f"{word} " + " ".join(names))
        if self.chance(0.2):
            lines.append(self.random.choice(["pad", *[f"pad at {name}" for name in outer]]))
        if self.chance(0.15):
            lines.append(self.random.choice(["transpose", *[f"transpose at {name}" for name in outer]]))
        return lines, outer


class Runner:
    def __init__(self, weft, folder):
        self.weft, self.folder = weft, pathlib.Path(folder)
        self.environment = {**os.environ, "WEFT_CACHE_DIR": str(self.folder / "cache")}
        self.write_model(MODEL.read_text())
        draw = numpy.random.Generator(numpy.random.Philox(5))
        for name, size in SIZES.items():
            numpy.save(self.folder / f"{name}.npy", draw.uniform(-1, 1, size).astype(numpy.float32))

    def write_model(self, text):
        (self.folder / "kernels.weft").write_text(text)

    def compile(self, *arguments):
        command = [self.weft, "compile", "kernels.weft", *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=600)

    def outputs(self, program):
        words = [f"./{program}", "--init", "3"]
        for name in SIZES:
            words += ["--input", f"{name}={name}.npy"]
        for name in OUTPUTS:
            words += ["--output", f"{name}={program}_{name}.npy"]
        ran = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=120)
        if ran.returncode:
            return f"exit code {ran.returncode}: {ran.stderr}"
        return {name: numpy.load(self.folder / f"{program}_{name}.npy") for name in OUTPUTS}

    def program(self, *arguments):
        compiled = self.compile("-o", "program", *arguments)
        assert compiled.returncode == 0, compiled.stderr
        return self.outputs("program")


def differing(got, wanted):
    """The outputs that are not what they should be."""
    if isinstance(got, str):
        return [got]
    return [n for n in OUTPUTS if not numpy.allclose(got[n], wanted[n], rtol=2e-5, atol=2e-5 * numpy.abs(wanted[n]).max())]


def legal_schedules(runner, kernels, seed):
    """One random block for every kernel, drawn again until it is taken; how many were refused; what went wrong."""
    chosen, refused, faults = [], 0, []
    for number, equations in enumerate(kernels):
        for attempt in range(20):
            text = Drawing(f"{seed} {number} {attempt}").kernel(equations)
            (runner.folder / "one.schedule").write_text(text)
            tried = runner.compile("--schedule", "one.schedule", "--emit", "schedule")
            if tried.returncode == 0:
                chosen.append(text)
                break
            refused += 1
            if not re.search(r"^one\.schedule:\d+:\d+: error: .* \[(illegal-schedule|unknown-loop)\]$", tried.stderr, re.M):
                faults.append(f"{text}is refused without a reason: exit code {tried.returncode}\n{tried.stderr}")
    return chosen, refused, faults


def compare(runner, wanted, kernels, seed):
    """Draws one schedule for every kernel. Gives how many were compared, how many refused, and what went wrong."""
    chosen, refused, faults = legal_schedules(runner, kernels, seed)
    while True:
        text = "".join(chosen)
        (runner.folder / "random.schedule").write_text(text)
        compiled = runner.compile("--schedule", "random.schedule", "-o", "program")
        at = refused_place(compiled.stderr, chosen) if compiled.returncode == 1 else None
        if at is None:
            break
        # Some things only the back end notices: that kernel goes without.
        del chosen[at]
        refused += 1
    if compiled.returncode:
        faults.append(f"{text}does not compile: exit code {compiled.returncode}\n{compiled.stderr}")
    else:
        wrong = differing(runner.outputs("program"), wanted)
        if wrong:
            faults.append(f"{text}gives other results: {wrong}")
    return len(chosen), refused, faults


def refused_place(errors, chosen):
    """Which of the blocks the back end refuses, with a place in it; nothing if it says something else."""
    found = re.search(r"^random\.schedule:(\d+):\d+: error: the back end refuses this: .*\[illegal-schedule\]$", errors, re.M | re.S)
    if not found:
        return None
    line = int(found.group(1))
    for at, text in enumerate(chosen):
        line -= text.count("\n")
        if line <= 0:
            return at
    return None


def read_kernels(runner):
    printed = runner.compile("--emit", "schedule")
    assert printed.returncode == 0, printed.stderr
    return read_blocks(printed.stdout)


def inject(runner, wanted, seed):
    missed = 0
    for kind, (right, wrong) in FAULTS.items():
        text = MODEL.read_text()
        assert text.count(right) == 1, kind
        runner.write_model(text.replace(right, wrong))
        _, _, faults = compare(runner, wanted, read_kernels(runner), seed)
        noticed = any("gives other results" in fault for fault in faults)
        missed += not noticed
        print(f"a wrong {kind} was {'noticed' if noticed else 'not noticed'}")
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft", type=os.path.abspath)
    parser.add_argument("--count", type=int, default=30, help="schedules of single kernels to compare")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inject", action="store_true")
    arguments = parser.parse_args()
    compared = refused = 0
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(arguments.weft, folder)
        wanted = runner.program("--backend", "loops")
        if arguments.inject:
            return inject(runner, wanted, arguments.seed)
        kernels = read_kernels(runner)
        for seed in range(arguments.seed * 1000, arguments.seed * 1000 + arguments.count):
            count, more_refused, faults = compare(runner, wanted, kernels, seed)
            compared, refused = compared + count, refused + more_refused
            if faults or compared >= arguments.count:
                break
    for fault in faults:
        print(fault)
    print(f"{compared} schedules compared, {refused} refused, {len(faults)} faults")
    return 1 if faults or compared < arguments.count else 0


if __name__ == "__main__":
    sys.exit(main())
