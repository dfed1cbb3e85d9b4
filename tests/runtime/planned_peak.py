"""The memory that is planned for whole programs beside what no plan of the same order can go below: the most bytes of tensors
that are needed at one time. Tensors that are needed at the same time do not overlap.

Usage: planned_peak.py WEFT [--most RATIO] MODEL...
"""

import argparse
import math
import pathlib
import re
import subprocess
import sys

BYTES = {"i1": 1, "i8": 1, "ui8": 1, "i16": 2, "f16": 2, "bf16": 2, "i32": 4, "f32": 4, "i64": 8, "f64": 8}
SIZES = (224, 64, 300, 32, 8, 1)  # that dimensions may be fixed to: the first that the model takes
VIEWS = ("tensor.expand_shape", "tensor.collapse_shape", "tensor.cast", "tensor.extract_slice")
ALIGNMENT = 64


def aligned(size):
    return (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def size_of(type_text):
    """Of a tensor in bytes; nothing if it is known at run time only."""
    *shape, element = type_text.split("x")
    return None if "?" in shape else math.prod(map(int, shape)) * BYTES[element]


def numbers(text, name):
    found = re.search(rf"\b{name} = array<i\d+(?:: ([^>]*))?>", text)
    if not found:
        return []
    return [{"true": 1, "false": 0}.get(word) if word in ("true", "false") else int(word)
            for word in (found[1] or "").split(", ") if word]  # fmt: skip


def number(text, name):
    return int(re.search(rf"\b{name} = (-?\d+)", text)[1])


class Function:
    """One method with the places of what its launches give."""

    def __init__(self, name, head, body):
        self.name, self.arena = name, number(head, "weft.arena") if "weft.arena" in head else 0
        self.blocks = []  # [bytes, offset, first, last]
        self.loops = []  # (line, time) of what steps
        self.results = [size_of(t) for t in re.findall(r"tensor<([^>]*)>", head.split("->")[-1])]
        owner = {}  # value -> block
        for time, line in enumerate(body):
            parts = re.match(r"    (?:(%\w+)(?::\d+)? = )?\"?([\w.]+)\"?(.*)$", line)
            if not parts:
                continue
            value, operation, rest = parts.groups()
            used = [owner[name] for name in re.findall(r"%\w+(?:#\d+)?", rest) if name in owner]
            for block in used:
                block[3] = time
            if operation in ("weft.launch", "weft.iterate"):
                self.define(value, rest, time, owner)
            elif operation in VIEWS and used:
                owner[value] = used[0]
            if operation == "weft.iterate":
                self.loops.append((rest, time))

    def define(self, value, rest, time, owner):
        types = re.findall(r"tensor<([^>]*)>", re.split(r"\) -> |\} : ", rest)[-1])
        for result, (offset, type_text) in enumerate(zip(numbers(rest, "weft.offset"), types, strict=True)):
            if offset < 0:
                continue  # an output, or of a size that is known at run time
            block = [aligned(size_of(type_text)), offset, time, time]
            self.blocks.append(block)
            owner[f"{value}#{result}" if len(types) > 1 else value] = block

    def check_places(self):
        for i, (size, offset, first, last) in enumerate(self.blocks):
            assert offset + size <= self.arena, (self.name, self.blocks[i], self.arena)
            for other, place, begin, end in self.blocks[:i]:
                together = first <= end and begin <= last
                assert not together or offset + size <= place or place + other <= offset, (self.name, self.blocks[i])

    def least(self, functions):
        """The most bytes at one time."""
        change = {}
        spans = [(size, first, last) for size, _, first, last in self.blocks]
        spans += [(loop_bytes(rest, functions), time, time) for rest, time in self.loops]
        for size, first, last in spans:
            change[first] = change.get(first, 0) + size
            change[last + 1] = change.get(last + 1, 0) - size
        alive = most = 0
        for _, size in sorted(change.items()):
            alive += size
            most = max(most, alive)
        return most


def loop_bytes(rest, functions):
    """What a loop of steps needs at once: the slices of its windows and the one that is computed, its histories, a step."""
    step = functions[re.search(r"@(\w+)", rest)[1]]
    windows, given, history = (numbers(rest, name) for name in ("window", "given", "history"))
    in_place = numbers(rest, "weft.in_place") or [0] * len(windows)
    positions = re.search(r"@\w+ \[(\d+)\]", rest)
    total = step.least(functions)
    for state, size in enumerate(step.results[: len(windows)]):
        if size is None:
            continue
        total += aligned(size) * (windows[state] + 1 - in_place[state])
        if history[state] and positions:
            total += aligned(size * (int(positions[1]) + given[state]))
    return total


def read_functions(text):
    functions = {}
    for head, body in re.findall(r"^  (func\.func [^\n]*)\{\n(.*?)^  \}$", text, re.M | re.S):
        name = re.search(r"@(\w+)", head)[1]
        functions[name] = Function(name, head, body.splitlines())
    return functions


def entries_of(model):
    """Each entry with its dimensions: name, range, step."""
    for name, body in re.findall(r"^entry (\w+) \{\n(.*?)^\}", model.read_text(), re.M | re.S):
        dims = re.findall(r"\b(\w+) in (\d+)\.\.(\d+)(?: step (\d+))?", "\n".join(re.findall(r"^  dim (.*)$", body, re.M)))
        yield name, [(dim, int(low), int(high), int(step or 1)) for dim, low, high, step in dims]


def planned(weft, model, entry, dims):
    """The module of an entry whose sizes are fixed."""
    for size in SIZES:
        fixed = [f"{name}={low + (max(low, min(high, size)) - low) // step * step}" for name, low, high, step in dims]
        words = [word for text in fixed for word in ("--dim", text)]
        done = subprocess.run([weft, "compile", model, "--entry", entry, "--emit", "ir", *words], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout, " ".join(fixed)
    raise AssertionError(f"{model}, {entry}: {done.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft")
    parser.add_argument("--most", type=float, default=1.15, help="that the planned memory may be over the least")
    parser.add_argument("models", type=pathlib.Path, nargs="+")
    arguments = parser.parse_args()
    failed = count = 0
    for model in arguments.models:
        for entry, dims in entries_of(model):
            text, sizes = planned(arguments.weft, model, entry, dims)
            functions = read_functions(text)
            for function in functions.values():
                function.check_places()
                least = function.least(functions)
                if least == 0:
                    continue
                ratio = function.arena / least
                count += 1
                wrong = ratio > arguments.most or ratio < 1
                failed += wrong
                print(f"{entry} {sizes}, {function.name}: {function.arena} bytes, {ratio:.3f} of {least}{'  WRONG' if wrong else ''}",
                      flush=True)  # fmt: skip
    print(f"{count} methods, {failed} with more than {arguments.most} of the least")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
