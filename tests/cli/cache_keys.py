"""What is compiled again: nothing where nothing has changed, else the kernels whose content has, in whatever process and under
whatever names.

Usage: cache_keys.py WEFT
"""

import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile

MODEL = """weft 0.1

op smooth(x: float[N]) -> y: float[N] {
  k = [0.25, 0.5, 0.125, 0.0625, 0.0625]
  y[i] = sum(j) k[j] * clamp(x)[i + j - 2]
}

op gate(x: float[B, N]) -> y: float[B, N] { y[b, n] = x[b, n] / (1 + exp(-x[b, n])) }

model Layer(din: int, dout: int) {
  param weight: float[dout, din]
  forward(x: float[B, din]) -> y: float[B, dout] { y[b, o] = sum(i) x[b, i] * weight[o, i] }
}

entry net {
  one: Layer(48, 48)
  second: Layer(48, 48)
  out: Layer(48, 7)
  forward(x: f32[4, 48]) -> y: f32[4, 7] {
    s[b] = smooth(x[b])
    h = gate(one(s))
    y = out(gate(second(h)))
  }
}
"""
# What is changed, and by what.
CHANGES = {
    "names": [("gate", "swish"), ("one", "lowest"), ("weight[o, i]", "weight[row, i]"), ("y[b, o] =", "y[b, row] ="), ("h = ", "hidden = "),
              ("second(h)", "second(hidden)")],
    "places": [("weft 0.1\n", "weft 0.1\n\n// A comment.\n")],
    "operation": [("1 + exp", "2 + exp")],
    "list": [("0.125", "0.25")],
    "size": [("Layer(48, 7)", "Layer(48, 5)"), ("y: f32[4, 7]", "y: f32[4, 5]")],
}  # fmt: skip


class Setting:
    def __init__(self, weft, folder):
        self.weft, self.folder = weft, folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WEFT_")}
        self.environment = {**kept, "WEFT_CACHE_DIR": str(folder / "cache")}

    def compile(self, text, *words, **more):
        """How many kernels are compiled, from the cache, identical (none, of a program that was kept), and what is printed."""
        (self.folder / "net.weft").write_text(text)
        done = subprocess.run([self.weft, "compile", "net.weft", "-o", "net", "--timing", *words], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True, timeout=120, check=False, **more)
        assert done.returncode == 0, done.stderr
        counts = re.search(r"(\d+) compiled, (\d+) from cache, (\d+) identical", done.stderr)
        assert bool(counts) != ("has the program" in done.stderr) and "\r" not in done.stderr and not done.stdout, done.stderr
        return tuple(map(int, counts.groups())) if counts else None, done.stderr

    def entries(self):
        return sorted(path.name for path in (self.folder / "cache").glob("*.weft-object"))

    def program(self):
        return (self.folder / "net").read_bytes()


def check_timing(said, compiled):
    lines = said.splitlines()
    seconds = {line[:12].strip(): float(line[12:].split()[0]) for line in lines if not line.startswith(" ")}
    phases = [] if compiled is None else ["lowering", "passes", "kernels", "host code", "linking"]
    assert list(seconds) == ["front end", "cache", *phases, "all"], said
    assert abs(sum(seconds.values()) - 2 * seconds["all"]) < 0.01 and min(seconds.values()) >= 0, said
    assert sum(int(line.split()[3]) for line in lines if line.startswith("  ")) == (compiled or 0), said


def check_keys(setting):
    (compiled, cached, identical), said = setting.compile(MODEL)
    launches = compiled + identical
    assert compiled >= 4 and cached == 0 and identical >= 1, said
    check_timing(said, compiled)
    entries, program = setting.entries(), setting.program()
    assert len(entries) == compiled + 1  # the program
    counts, said = setting.compile(MODEL)
    assert counts is None and setting.entries() == entries and setting.program() == program, said
    check_timing(said, None)
    counts, said = setting.compile(edited(MODEL, "places"))
    assert counts == (0, compiled, identical) and len(setting.entries()) == len(entries) + 1, said
    check_timing(said, 0)
    (again, found, _), said = setting.compile(edited(MODEL, "names"))
    assert again == 0 and found == compiled and len(setting.entries()) == len(entries) + 2, said
    # A list is data of the program, in no kernel.
    for what, least, most in (("operation", 1, 1), ("size", 2, 2), ("list", 0, 0)):
        counts, said = setting.compile(edited(MODEL, what))
        assert least <= counts[0] <= most and counts[1] >= compiled - most and sum(counts) == launches, (what, said)
        assert setting.program() != program, what
    # Made without the cache, a program is the same: names decide nothing.
    (again, found, _), said = setting.compile(MODEL, "--no-cache")
    assert again == compiled and found == 0 and setting.program() == program, said
    counts, said = setting.compile(MODEL, "--target", "x86-64-v2")
    assert counts[:2] == (compiled, 0), said


OPEN = """weft 0.1

extern op twice(x: f32[N]) -> y: f32[N]

entry net {
  dim N in 1..99
  forward(x: f32[N]) -> y: f32[N] { y = twice(x) }
}

entry other {
  forward(x: f32[3]) -> y: f32[3] { y = twice(x) }
}
"""
C = """#include "net.h"
int twice(const weft_tensor* in, weft_tensor* out) {
  for (int64_t i = 0; i < in->shape[0]; ++i) ((float*)out->data)[i] = FACTOR * ((const float*)in->data)[i];
  return 0;
}
"""


def check_programs(setting):
    """A program is another one with each option, with another file that is linked, or another one of the same name."""

    def link(factor, *more):
        (setting.folder / "twice.c").write_text(C.replace("FACTOR", factor))
        subprocess.run(["cc", "-c", "-O1", "twice.c", *more], cwd=setting.folder, check=True)

    setting.compile(OPEN, "--entry", "net", "--emit", "obj")
    link("2")
    linked = ["--entry", "net", "--link", "twice.o"]
    programs = {}
    for words in (["--entry", "net"], ["--entry", "net", "--dim", "N=4"], ["--entry", "net", "--dim", "N=5"], ["--entry", "other"],
                  ["--entry", "net", "--backend", "loops"], ["--entry", "net", "--target", "x86-64-v2"], ["--entry", "net", "--emit", "so"],
                  ["--entry", "net", "--tolerance", "1e-3"], ["--entry", "net", "--without", "fold-scaling"]):
        assert setting.compile(OPEN, "--link", "twice.o", *words)[0] is not None, words
        programs[tuple(words)] = setting.program()
    for words, program in programs.items():
        assert setting.compile(OPEN, "--link", "twice.o", *words)[0] is None and setting.program() == program, words
    link("3")
    counts, said = setting.compile(OPEN, *linked)
    assert counts is not None and setting.program() != programs["--entry", "net"], said
    link("3", "-o", "other.o")
    assert setting.compile(OPEN, *linked)[0] is None
    assert setting.compile(OPEN, "--entry", "net", "--link", "other.o")[0] is not None
    # A file that changes while it is linked may be in the program as it was, or as it is.
    (setting.folder / "bin").mkdir()
    (setting.folder / "bin" / "cc").write_text("#!/bin/sh\n/usr/bin/cc \"$@\" && touch twice.o\n")
    (setting.folder / "bin" / "cc").chmod(0o755)
    path = setting.environment["PATH"]
    setting.environment["PATH"] = f"{setting.folder / 'bin'}:{path}"
    link("4")
    setting.compile(OPEN, *linked)
    setting.environment["PATH"] = path
    assert setting.compile(OPEN, *linked)[0] is not None
    assert setting.compile(OPEN, *linked)[0] is None
    # What an imported file says counts as well, and what a file of schedules says.
    (setting.folder / "part.weft").write_text("weft 0.1\n\nop part(x: float[N]) -> y: float[N] { y = x + 1 }\n")
    user = "weft 0.1\n\nimport part: part\n\nentry net { forward(x: f32[8]) -> y: f32[8] { y = part(x) } }\n"
    assert setting.compile(user)[0] is not None and setting.compile(user)[0] is None
    (setting.folder / "part.weft").write_text("weft 0.1\n\nop part(x: float[N]) -> y: float[N] { y = x + 2 }\n")
    assert setting.compile(user)[0] is not None
    for vector in (4, 2):
        text = f"schedule forward.y {{\n  split i0 by {vector} into io, ii\n  vectorize ii\n}}\n"
        (setting.folder / "own.schedule").write_text(text)
        assert setting.compile(user, "--schedule", "own.schedule")[0] is not None
        assert setting.compile(user, "--schedule", "own.schedule")[0] is None


def edited(text, change):
    for before, after in CHANGES[change]:
        assert before in text, before
        text = text.replace(before, after)
    return text


def check_progress(setting):
    """A line on a terminal says how far it is; it is gone at the end."""
    terminal, other = pty.openpty()
    done = subprocess.run([setting.weft, "compile", "net.weft", "-o", "net", "--no-cache"], cwd=setting.folder, env=setting.environment,
                          stdout=subprocess.PIPE, stderr=other, timeout=120, check=True)
    os.close(other)
    said = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    steps = re.findall(r"\r\x1b\[K\[(\d+)/(\d+)\] \w+", said)
    assert len(steps) >= 4 and [int(n) for n, _ in steps] == list(range(1, len(steps) + 1)) and steps[-1][0] == steps[-1][1], said
    assert said.endswith("\r\x1b[K") and done.stdout == b"", said


def main():
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(os.path.abspath(sys.argv[1]), pathlib.Path(folder))
        check_keys(setting)
        check_progress(setting)
        check_programs(setting)


main()
