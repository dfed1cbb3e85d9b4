"""`weft explain --kernels` names every form that costs less than its loops, made or missed: explain_kernels.py WEFT"""

import os
import pathlib
import subprocess
import sys
import tempfile

# (methods of an entry, what is said of each form, without the place, declarations in front of the entry)
CASES = [
    (
        "rows(x: f32[E, D], dst: int[E], old: f32[N]) -> y: f32[N, D] { y[n, d] = sum(e where dst[e] == n) x[e, d] }",
        ["sum over e: once for each, by n"],
    ),
    (
        "cells(v: f32[E], row: int[E], col: int[E], old: f32[N, D]) -> y: f32[N, D] {\n"
        "    y[i, j] = max(e where row[e] == i and col[e] == j) v[e]\n  }",
        ["max over e: once for each, by i, j"],
    ),
    (
        "few(x: f32[9], dst: int[9]) -> y: f32[9] { y[n] = sum(e where dst[e] == n) x[e] }",
        ["sum over e: all of them for every n, because there are so few that looking at all is cheaper"],
    ),
    (
        "ragged(x: f32[E], dst: int[E]) -> y: f32[E] { y[n] = sum(e < n where dst[e] == n) x[e] }",
        ["because its elements depend on the index", "sum over e: all of them for every n, because its range depends on an index"],
    ),
    (
        "plain(x: f32[E], dst: int[E], old: f32[N]) -> y: f32[N] { y[n] = sum(e where dst[e] < n) x[e] }",
        [],
    ),
    ("prefix(x: f32[E]) -> y: f32[E] { y[i] = sum(j <= i) x[j] }", ["sum over j: carried from one i to the next", "all steps are kept"]),
    ("pairs(x: f32[E]) -> y: f32[E] { y[i] = sum(j <= i) x[j] * x[i] }", ["sum over j: all of them for every i, because its elements depend on the index"]),
    (
        "inverse(x: f32[E]) -> y: int[E] {\n    p = argsort(i) x[i]\n    y = argsort(i) p[i]\n  }",
        ["sort of a permutation: its inverse, by counting"],
    ),
    (
        "steps(x: f32[E, D], at: int[E] in 0..N, old: f32[N, D]) -> y: f32[N, D] {\n"
        "    rec s[t, n, d] = (x[t, d] if n == at[t] else s[t-1, n, d]) from s[-1] = old\n    y = s[E-1]\n  }",
        ["state 1 of the recurrence: the last step alone is kept", "state 1 of the recurrence: one slice is computed"],
    ),
    (
        "chosen(x: f32[E, D], w: f32[3, D, D], k: int[E] in 0..3) -> y: f32[E, D] {\n"
        "    y[e, c] = [sum(d) w[0, c, d] * x[e, d], sum(d) w[1, c, d] * x[e, d], x[e, c]][k[e]]\n  }",
        ["choice among 3: each of its own e alone"],
    ),
    ("counted(x: f32[E]) -> y: int[E] { y[i] = count(j <= i) x[j] > 0 }", ["sum over j: carried from one i to the next", "all steps are kept"]),
    ("best(x: f32[E]) -> y: int[E] { y[i] = argmax(j <= i) x[j] }", [
            "argmax over j: carried from one i to the next",
            "state 1 of the recurrence: no step is kept",
            "state 2 of the recurrence: all steps are kept",
            "state 3 of the recurrence: no step is kept",
        ]),
    (
        "peaks(x: f32[E]) -> y: f32[E] { y[i] = logsumexp(j <= i) x[j] }",
        [
            "sum over j: carried from one i to the next, with the peak",
            "max over j: carried from one i to the next",
            "state 1 of the recurrence: no step is kept",
            "all steps are kept",
            "all steps are kept",
        ],
    ),
    (
        "area(x: f32[E, D]) -> y: f32[E, D] { y[i, j] = sum(r <= i, s <= j) x[r, s] }",
        ["sum over s: carried from one j to the next", "sum over r: carried from one i to the next", "all steps are kept"],
    ),
    (
        "masked(x: f32[E, D]) -> y: f32[E], z: f32[E] {\n    y[i] = max(j) (x[i, j] if j <= i else -inf)\n"
        "    z[i] = sum(j where j <= i and x[i, j] > 0) x[i, j]\n  }",
        ["max over j: only as far as its condition holds", "sum over j: only as far as its condition holds"],
    ),
    ("triangle(x: f32[E, D], w: f32[D, D]) -> y: f32[E, D] { y[i, k] = sum(j where j <= i) x[i, j] * w[j, k] }", [
        "sum over j: all of them, because neighbouring results share what is read"]),
    (
        "causal(x: f32[E, D], k: f32[E, D]) -> y: f32[E, D] {\n    s[i, j] = (sum(d) x[i, d] * k[j, d]) if j <= i else -inf\n"
        "    p[i, j] = exp(s[i, j] - max(m) s[i, m])\n    y[i, d] = sum(j) p[i, j] * k[j, d]\n  }",
        ["max over m: only as far as a mask", "sum over j: only as far as a mask"],
    ),
    (
        "shifted(x: f32[E, D], k: f32[E, D], a: f32[E]) -> y: f32[E] {\n"
        "    s[i, j] = (sum(d) x[i, d] * k[j, d]) if j <= i else -inf\n    y[i] = sum(j) exp(s[i, j] - a[i])\n  }",
        ["mask over j: all of it is computed, because no reduction ends with it"],
    ),
    (
        "placed(x: f32[E], at: int[E], old: f32[N]) -> y: f32[N] { y[n] = last(k where at[k] == n) x[k] else old[n] }",
        ["last over k: once for each, by n"],
    ),
    (
        "apart(x: f32[N]) -> y: bool[N] {\n    rec keep[i] = not any(j < i) keep[j] and abs(x[i] - x[j]) < 0.5\n    y = keep\n  }",
        ["all steps are kept", "any of the steps before: in blocks of 64"],
    ),
    (
        "chain(x: f32[N]) -> y: bool[N] {\n"
        "    rec i {\n      h[i] = 0.5 * h[i-1] + x[i]\n      keep[i] = not any(j < i) keep[j] and h[i] < x[j]\n    } from h[-1] = 0\n"
        "    y = keep\n  }",
        [
            "state 1 of the recurrence: no step is kept",
            "all steps are kept",
            "any of the steps before: one after the other, because a step is more than one such question",
        ],
    ),
    ("side(x: f32[N], c: bool) -> y: f32 { y = (sum(i) x[i]) if c else 0 }", ["condition: one side is computed"]),
    (
        "state row: f32[5000] = 0\n  push(x: f32, at: int in 0..5000) -> y: f32 {\n    y = row[at]\n    next row[i] = x if i == at else row[i]\n  }",
        ["next row: what changes is written alone"],
    ),
    (
        "state row: f32[50, 100] = 0\n  push(x: f32[E, 100], at: int) -> y: f32 {\n    y = x[0, 0]\n"
        "    next row[i] = x[i - at] else row[i]\n  }",
        ["next row: what changes is written alone"],
    ),
    (
        "state row: f32[5000] = 0\n  push(x: f32, at: int) -> y: f32 {\n    y = x\n    next row[i] = x if i > at else row[i]\n  }",
        ["next row: all of it is written, because any of it may change"],
    ),
    (
        "state a: f32[5000] = 0\n  state b: f32[5000] = 0\n  swap(k: f32, at: int) -> y: f32 {\n    y = k\n"
        "    next a[i] = b[i] if i == at else a[i]\n    next b[i] = k * b[i]\n  }",
        ["next a: what changes is written alone"],
    ),
    (
        "cheap(x: f32[E, D], v: f32[E, D], k: int[E] in 0..2) -> y: f32[E, D] { y[e, c] = [x[e, c], 2 * v[e, c]][k[e]] }",
        ["choice among 2: all of them for every e, because they take little"],
    ),
]  # fmt: skip


def main():
    weft = os.path.abspath(sys.argv[1])
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "m.weft"
        for method, wanted, *declarations in CASES:
            dims = "  dim E in 1..1000000\n  dim N in 1..100000\n  dim D in 1..100\n"
            file.write_text(f"weft 0.1\n\n{''.join(declarations)}entry net {{\n{dims}  {method}\n}}\n")
            done = subprocess.run([weft, "explain", "--kernels", file], capture_output=True, text=True, timeout=120, check=False)
            # Behind the table of the kernels, whose lines are indented.
            lines = [line for line in done.stdout.splitlines() if line.startswith(f"{file}:")]
            if done.returncode or len(lines) != len(wanted) or not all(w in line for w, line in zip(wanted, lines)):
                problems.append(f"{method}\n  gave {lines}\n  not {wanted}\n{done.stderr}")
            elif not all(line.split(":")[1].isdigit() for line in lines):
                problems.append(f"{method}\n  has no place: {lines}")
        done = subprocess.run([weft, "run", file, "--without", "plan-memory"], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 1 or "is no pass that can be left out" not in done.stderr:
            problems.append(f"--without plan-memory: {done.stderr}")
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
