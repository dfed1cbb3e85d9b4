"""Random schedules: what a printed schedule says of a kernel's loops, and blocks that say something else of them."""

import random
import re

FACTORS = [1, 2, 3, 4, 5, 6, 7, 8, 16, 24]
LENGTHS = [1, 8, 9, 14, 35]  # of loops that are known at run time only; those of the inputs are among them
LONGEST_VECTOR = 32
MOST_UNROLLED = 8
MADE = (".packed", ".permuted", ".part")  # equations of the compiler, whose loops have lengths of their own


class Equation:
    """The loops of a printed block, as they are before it splits and joins them, outermost first."""

    def __init__(self, path, body):
        self.path, self.lines = path, [line.strip() for line in body.splitlines()]
        order, joins, splits = "", {}, {}
        for line in self.lines:
            words = line.replace(",", "").split()
            if words[0] == "join":
                joins[words[-1]] = words[1:-2]
            elif words[0] == "split":
                splits[words[5]], splits[words[6]] = [words[1]], []
            elif words[0] == "order":
                order = line.split("order", 1)[1]
        parts = [part.split() for part in order.split("|")]
        assert len(parts) in (1, 3), f"{path}: {order}"

        def whole(names):
            """The loops that these are made of."""
            names = list(names)
            while any(name in splits or name in joins for name in names):
                names = [part for name in names for part in splits.get(name, joins.get(name, [name]))]
            return list(dict.fromkeys(names))

        self.reductions = whole(parts[1]) if len(parts) == 3 else []
        loops = whole(parts[0] + (parts[2] if len(parts) == 3 else []))
        # The outer part of a reduction's loop may run around results' loops.
        self.reductions += [name for name in loops if name in self.split_reductions(splits, parts)]
        self.loops = [name for name in loops if name not in self.reductions]
        self.joins = list(joins.values())
        # The indices of each packed weight.
        self.packed = {}
        for operand, parts in re.findall(r"^ *pack (\w+) as \[(.*)\]$", body, re.M):
            self.packed[operand] = whole(part.split()[0] for part in parts.split(", "))

    @staticmethod
    def split_reductions(splits, parts):
        between = set(parts[1]) if len(parts) == 3 else set()
        inner_parts = {}
        names = list(splits)
        for outer, inner in zip(names[::2], names[1::2]):
            inner_parts[inner] = splits[outer][0]
        found = set()
        for name in between:
            while name in inner_parts:
                name = inner_parts[name]
            found.add(name)
        return found

    def length(self, name):
        """An index whose length is known ends in it; nothing is known of others."""
        found = None if self.path.endswith(MADE) else re.fullmatch(r"[a-z]+(\d+)(_\d+)?", name)
        return int(found[1]) if found else None


def read_kernels(text):
    """The kernels of a printed schedule by their names, each a list of equations."""
    kernels = {}
    for name, part in re.findall(r"^// kernel (\w+).*?\n(.*?)(?=^// kernel |\Z)", text, re.M | re.S):
        blocks = re.findall(r"^schedule ([^{]+) \{\n(.*?)^\}", part, re.M | re.S)
        kernels[name] = [Equation(head.split(",")[0].strip(), body) for head, body in blocks]
    return {name: equations for name, equations in kernels.items() if equations}


class Drawing:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.knobs = 0

    def chance(self, share):
        return self.random.random() < share

    def kernel(self, equations):
        """Blocks for the equations; they may be computed inside loops of later ones."""
        outer, blocks = {}, []
        style = self.random.choice([self.anew, self.anew, self.anew, self.changed, self.marked])
        for at in reversed(range(len(equations))):
            equation = equations[at]
            if at + 1 < len(equations) and self.chance(0.1):
                blocks.append(block(equation.path, ["inline this"]))
                continue
            lines, outer[equation.path] = style(equation)
            later = [other for other in equations[at + 1 :] if outer.get(other.path)]
            if at + 1 < len(equations) and style == self.anew and self.chance(0.8):
                holder = self.random.choice(later) if later and self.chance(0.8) else None
                lines.append(f"this at {holder.path}.{self.random.choice(outer[holder.path])}" if holder else "this at root")
            if later and self.chance(0.05):
                holder = self.random.choice(later)
                lines = [line for line in lines if not line.startswith("transpose")]
                lines.append(f"transpose at {holder.path}.{self.random.choice(outer[holder.path])}")
            for operand, indices in equation.packed.items():
                if self.chance(0.3):
                    lines = [line for line in lines if not line.startswith(f"pack {operand} ")]
                    lines.append(self.packing(operand, indices))
            free = [name for name in equation.loops + equation.reductions if equation.length(name) is None]
            if free and not equation.path.endswith(MADE) and self.chance(0.3):
                lengths = self.random.sample(LENGTHS, self.random.randint(1, 2))
                lines.append(f"specialize {self.random.choice(free)} in {{{', '.join(map(str, lengths))}}}")
            if lines:
                blocks.append(block(equation.path, lines))
        return "".join(reversed(blocks))

    def packing(self, operand, indices):
        """Any order of the indices, each whole or in two or three parts."""
        parts = []
        for index in indices:
            inner, middle = self.random.choice(FACTORS), self.random.choice(FACTORS)
            parts += self.random.choice([
                [index],
                [f"{index} div {inner}", f"{index} % {inner}"],
                [f"{index} div {inner * middle}", f"{index} div {inner} % {middle}", f"{index} % {inner}"],
            ])
        self.random.shuffle(parts)
        return f"pack {operand} as [{', '.join(parts)}]"

    def marked(self, equation):
        """Words that leave the loops as the default has them."""
        lines = []
        for word, share in (("parallel", 0.5), ("vectorize", 0.3), ("unroll", 0.3), ("prefetch", 0.1)):
            if equation.loops and self.chance(share):
                lines.append(f"{word} {self.random.choice(equation.loops)}")
        if self.chance(0.2):
            lines.append(self.random.choice(["pad", "transpose", "this at root"]))
        return lines, []

    def changed(self, equation):
        """The default with other numbers, in another order, or without some of its words."""
        lines, outer = [], []
        for line in equation.lines:
            words = line.split()
            if words[0] == "split" and self.chance(0.5):
                words[3] = str(self.random.choice(FACTORS))
            elif words[0] == "order":
                parts = [part.split() for part in line[len("order") :].split("|")]
                for part in parts:
                    if self.chance(0.4):
                        self.random.shuffle(part)
                outer = parts[0]
                words = ["order", *" | ".join(" ".join(part) for part in parts).split()]
            elif words[0] not in ("split", "join") and self.chance(0.2):
                continue
            lines.append(" ".join(words))
        return lines, outer

    def anew(self, equation):
        """Loops as any user might have them."""
        lines, overlaps = [], []
        outer, reductions, inner, fixed = [], [], [], {}
        loops, lengths = self.joined(equation, lines)
        blocked = self.blocks(equation, lengths, lines, outer, reductions, fixed) if self.chance(0.25) else None
        for name in loops + equation.reductions:
            if name == blocked:
                continue
            home = reductions if name in equation.reductions else outer
            length = lengths[name]
            if self.chance(0.4):
                home.append(name)
                if length:
                    fixed[name] = length
                continue
            factor = self.random.choice(FACTORS)
            self.split(lines, name, factor)
            fixed[f"{name}_i"] = factor
            (inner if home is outer and self.chance(0.6) else home).append(f"{name}_i")
            if home is outer and self.chance(0.2):
                again = self.random.choice(FACTORS)
                self.split(lines, f"{name}_o", again)
                home += [f"{name}_o_o", f"{name}_o_i"]
                fixed[f"{name}_o_i"] = again
            else:
                home.append(f"{name}_o")
            if home is outer and not blocked and length and length >= factor and self.chance(0.3):
                overlaps.append(name)
        for names in (outer, reductions, inner):
            self.random.shuffle(names)
        if overlaps:
            lines.append("overlap " + " ".join(overlaps))
        if inner or blocked or self.chance(0.9):
            lines.append(" ".join(["order", *outer, "|", *reductions, "|", *inner]))
        results = [name for name in outer if blocked is None or not name.startswith(blocked)]
        lines += self.marks(fixed, results, reductions if blocked else [])
        if self.chance(0.2):
            lines.append(self.random.choice(["pad", *[f"pad at {name}" for name in results]]))
        if self.chance(0.15):
            lines.append(self.random.choice(["transpose", *[f"transpose at {name}" for name in results]]))
        if results and self.chance(0.1):
            lines.append(f"prefetch {self.random.choice(results)}")
        return lines, results

    def split(self, lines, name, factor):
        """By a number, or a knob that is one."""
        if self.chance(0.1):
            self.knobs += 1
            lines.append(f"knob t{self.knobs} in " + self.random.choice([f"{{{factor}, 4}}", f"{factor}..{factor + 8}"]))
            factor = f"t{self.knobs}"
        lines.append(f"split {name} by {factor} into {name}_o, {name}_i")

    def joined(self, equation, lines):
        """The loops once some of those that the default joins are joined, and how long they are."""
        loops = list(equation.loops)
        lengths = {name: equation.length(name) for name in loops + equation.reductions}
        for join in equation.joins:
            if not self.chance(0.5) or len(join) < 2 or any(name not in loops for name in join):
                continue
            name = "".join(join)
            lines.append(f"join {' '.join(join)} into {name}")
            loops[loops.index(join[0])] = name
            loops = [loop for loop in loops if loop not in join]
            lengths[name] = 1
            for part in join:
                lengths[name] = None if None in (lengths[name], lengths[part]) else lengths[name] * lengths[part]
        return loops, lengths

    def blocks(self, equation, lengths, lines, outer, reductions, fixed):
        """Cuts a reduction into blocks that run around results' loops; gives its loop."""
        choices = [(name, factor) for name in equation.reductions if lengths[name]
                   for factor in range(2, lengths[name]) if lengths[name] % factor == 0]  # fmt: skip
        if not choices:
            return None
        name, factor = self.random.choice(choices)
        self.split(lines, name, factor)
        outer.append(f"{name}_o")
        if self.chance(0.3):
            again = self.random.choice([f for f in (1, 2, 3, 4) if factor % f == 0])
            self.split(lines, f"{name}_i", again)
            reductions += [f"{name}_i_o", f"{name}_i_i"]
            fixed[f"{name}_i_i"] = again
        else:
            reductions.append(f"{name}_i")
            fixed[f"{name}_i"] = factor
        return name

    def marks(self, fixed, outer, scalar):
        """`scalar`: what cannot be a vector."""
        parallel = self.random.sample(outer, self.random.randint(1, min(2, len(outer)))) if outer and self.chance(0.5) else []
        free = [name for name in fixed if name not in parallel]
        vectors = [name for name in free if fixed[name] <= LONGEST_VECTOR and name not in scalar]
        vector = self.random.choice(vectors) if vectors and self.chance(0.6) else None
        unrolled = [name for name in free if fixed[name] <= MOST_UNROLLED and name != vector and self.chance(0.3)]
        named = (("parallel", parallel), ("vectorize", [vector]), ("unroll", unrolled[:2]))
        return [f"{word} " + " ".join(names) for word, names in named if any(names)]


def block(path, lines):
    return f"schedule {path} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"
