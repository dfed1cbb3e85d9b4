"""Elements of a list of which data chooses one, with recurrences that end early: their steps are made for the rows that choose
them alone, and as many as those take. By both back ends, against NumPy; work is counted in profiles and in the IR.
Usage: until_in_choices.py WEFT"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from choices import EXPERT, emitted, expert, slices_of_steps
from program_case import BACKENDS, check
from until import entry, launches

F32 = np.float32

# Steps until the state is far away, by the row: the last state, how many there were, and a mean over all of them.
SETTLED = """
op settled(x: float[N], w: float[N, N]) -> y: float[N], n: int, m: float {
  rec h[t < T <= 90, i] = tanh(0.2 * h[t-1, i] + sum(j) w[i, j] * h[t-1, j]) from h[-1] = x
    until (max(i) abs(h[t, i])) > 0.8
  y = h[T-1]
  n = T
  m = mean(t) h[t, 0]
}
op ended(x: float[N], w: float[N, N]) -> y: float[N] { y, _, _ = settled(x, w) }
op steps(x: float[N], w: float[N, N]) -> n: int { _, n, _ = settled(x, w) }
op average(x: float[N], w: float[N, N]) -> m: float { _, _, m = settled(x, w) }"""


def settled(x, w):
    h, states = x.astype(F32), []
    while True:
        h = np.tanh(F32(0.2) * h + w @ h)
        states.append(h)
        if np.abs(h).max() > 0.8 or len(states) == 90:
            return h, len(states), np.mean([state[0] for state in states])


def draw(rng, rows, size):
    """Rows of different lengths, some of them long, and weights."""
    x = (rng.normal(size=(rows, size)) * 10.0 ** rng.uniform(-6, -1, (rows, 1))).astype(F32)
    w = (rng.normal(size=(size, size)) * 1.2 / np.sqrt(size)).astype(F32)
    return x, w


def by_row(weft, rng):
    """The last state, the number of steps and a sum over all of them; rows of each, of one alone, none at all."""
    x, w = draw(rng, 70, 16)
    v = (rng.normal(size=(16, 16)) / 4).astype(F32)
    text = entry(
        "dim R in 0..100\n  forward(x: f32[R, 16], w: f32[16, 16], v: f32[16, 16], k: int[R] in 0..3)"
        " -> y: f32[R, 16], n: int[R], m: f32[R]",
        """    y[r] = [ended(x[r], w), expert(x[r], v, v), x[r]][k[r]]
    n[r] = [7, steps(x[r], w), steps(x[r], v)][k[r]]
    m[r] = [average(x[r], w), 0, average(expert(x[r], v, v), w)][k[r]]""",
        EXPERT + SETTLED,
    )
    problems = []
    for title, rows, k in (("mixed", 70, rng.integers(0, 3, 70)), ("one alone", 9, np.zeros(9, int)),
                           ("the others", 9, rng.integers(1, 3, 9)), ("no row", 0, np.zeros(0, int))):
        few = x[:rows]
        y = np.array([settled(r, w)[0] if c == 0 else expert(r, v, v) if c == 1 else r for r, c in zip(few, k)])
        n = np.array([7 if c == 0 else settled(r, w if c == 1 else v)[1] for r, c in zip(few, k)], np.int64)
        m = np.array([settled(r, w)[2] if c == 0 else 0 if c == 1 else settled(expert(r, v, v), w)[2] for r, c in zip(few, k)])
        wanted = {"y": y.reshape(rows, 16), "n": n, "m": m}
        problems += check(weft, f"by row, {title}", text, {"x": few, "w": w, "v": v, "k": k}, wanted, tolerance=1e-3)
    return problems


def places(weft, rng):
    """Two indices that choose, at once and one in an op under the other; an early end in the steps of another loop."""
    x, w = draw(rng, 6 * 11, 8)
    x = x.reshape(6, 11, 8)
    k = rng.integers(0, 2, (6, 11))
    text = entry(
        "forward(x: f32[6, 11, 8], w: f32[8, 8], k: int[6, 11] in 0..2) -> y: f32[6, 11, 8], z: f32[6, 11, 8], t: f32[11, 8]",
        """    y[a, b] = [ended(x[a, b], w), x[a, b]][k[a, b]]
    z[a] = chosen(x[a], w, k[a])
    t[b] = [-x[0, b], thrice(x[0, b], w)][k[0, b]]""",
        SETTLED
        + """
op chosen(x: float[B, N], w: float[N, N], k: int[B] in 0..2) -> y: float[B, N] { y[b] = [x[b], ended(x[b], w)][k[b]] }
op thrice(x: float[N], w: float[N, N]) -> y: float[N] {
  rec u < 3 { z[u, i] = 0.001 * ended(z[u-1], w)[i] } from z[-1] = x
  y = z[2]
}""",
    )
    y = np.array([[settled(r, w)[0] for r in row] for row in x])
    three = x[0]
    for _ in range(3):
        three = np.array([F32(0.001) * settled(r, w)[0] for r in three])
    wanted = {"y": np.where(k[..., None] == 0, y, x), "z": np.where(k[..., None] == 1, y, x),
              "t": np.where(k[0, :, None] == 1, three, -x[0])}
    problems = check(weft, "places", text, {"x": x, "w": w, "k": k}, wanted, tolerance=1e-3)
    slices = slices_of_steps(emitted(weft, text))
    if slices != ["?x8xf32"] * 4:
        problems.append(f"places: loops of {slices}")
    return problems


# The number of steps is the size of a tensor: one row after the other.
BACK = """
op there_and_back(x: float[N]) -> y: float {
  rec down[k < K <= 30, i] = 0.7 * down[k-1, i] from down[-1] = x until (max(i) abs(down[k, i])) < 1
  rec up[k < K] = 0.9 * up[k+1] + (sum(i) tanh(down[k, i])) from up[K] = 1
  y = up[0]
}"""


def one_after_the_other(weft, rng):
    """Rows of which each has sizes of its own, behind what else their element computes."""
    x = rng.uniform(-30, 30, (40, 24)).astype(F32)
    v = (rng.normal(size=(24, 24)) / 5).astype(F32)
    k = rng.integers(0, 3, 40)
    text = entry(
        "forward(x: f32[40, 24], v: f32[24, 24], k: int[40] in 0..3) -> y: f32[40], z: f32[5, 8]",
        """    y[r] = [there_and_back(x[r]), x[r, 0], there_and_back(expert(x[r], v, v))][k[r]]
    z[b, a] = [there_and_back(x[(a, b)]), x[(a, b), 1]][k[(a, b)] div 2]""",
        EXPERT + BACK,
    )

    def there_and_back(x):
        down = [F32(0.7) * x]
        while np.abs(down[-1]).max() >= 1 and len(down) < 30:
            down.append(F32(0.7) * down[-1])
        up = 1
        for state in reversed(down):
            up = 0.9 * up + np.tanh(state).sum()
        return up

    y = np.array([there_and_back(r) if c == 0 else r[0] if c == 1 else there_and_back(expert(r, v, v)) for r, c in zip(x, k)])
    z = np.array([there_and_back(r) if c < 2 else r[1] for r, c in zip(x, k)]).reshape(8, 5).T
    problems = check(weft, "one after the other", text, {"x": x, "v": v, "k": k}, {"y": y, "z": z}, tolerance=1e-4)
    if (loops := emitted(weft, text).count(" = weft.found ")) != 6:
        problems.append(f"one after the other: {loops} sizes are found")
    return problems


def work(weft, rng):
    """The steps of an element are those that its own rows take: none are made for the rows that choose another one."""
    x, w = draw(rng, 512, 64)
    lengths = np.array([settled(r, w)[1] for r in x])
    k = (lengths > np.median(lengths)).astype(np.int64)  # the long ones choose the other
    most = lengths[k == 0].max()
    text = entry(
        "forward(x: f32[512, 64], w: f32[64, 64], k: int[512] in 0..2) -> y: f32[512, 64]",
        "    y[r] = [ended(x[r], w), x[r]][k[r]]",
        SETTLED,
    )
    y = np.array([settled(r, w)[0] if c == 0 else r for r, c in zip(x, k)])
    problems = check(weft, "work", text, {"x": x, "w": w, "k": k}, {"y": y}, tolerance=1e-3)
    if not 3 < most < lengths.max() - 10:
        problems.append(f"this test wants different numbers of steps, not {sorted(lengths)}")
    if slices_of_steps(emitted(weft, text)) != ["?x64xf32"]:
        problems.append(f"work: loops of {slices_of_steps(emitted(weft, text))}")
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory() as folder:
            counts = launches(weft, text, {"x": x, "w": w, "k": k}, ["y"], backend, pathlib.Path(folder))
        if max(counts.values()) > most + 1:
            problems.append(f"work on {backend}: {most} steps by {counts}")
    return problems


def work_of_rows(weft, rng):
    """One after the other: as many as choose the element."""
    x = rng.uniform(-30, 30, (600, 24)).astype(F32)
    text = entry(
        "forward(x: f32[600, 24], k: int[600] in 0..2) -> y: f32[600]",
        "    y[r] = [there_and_back(x[r]), x[r, 0]][k[r]]",
        BACK,
    )
    problems = []
    for rows in (0, 3):
        k = np.ones(600, np.int64)
        k[:rows] = 0
        for backend in BACKENDS:
            with tempfile.TemporaryDirectory() as folder:
                counts = launches(weft, text, {"x": x, "k": k}, ["y"], backend, pathlib.Path(folder))
            if max(counts.values()) > max(2, 30 * rows):
                problems.append(f"work of rows on {backend}: {rows} rows by {counts}")
    return problems


def explained(weft, rng):
    """A loop that ends for all rows together goes through all of them, and `weft explain` says so."""
    text = entry(
        "forward(x: f32[512, 64], w: f32[64, 64], k: int[512] in 0..2) -> y: f32[512, 64], z: f32[512, 64]",
        """    rec h[t < T <= 90, r, i] = tanh(0.2 * h[t-1, r, i] + sum(j) w[i, j] * h[t-1, r, j]) from h[-1] = x
      until (max(r, i) abs(h[t, r, i])) > 0.8
    y[r] = [h[T-1, r], x[r]][k[r]]
    z[r] = [ended(x[r], w), x[r]][k[r]]""",
        SETTLED,
    )
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.weft"
        model.write_text(text)
        done = subprocess.run([weft, "explain", "--kernels", model], capture_output=True, text=True, timeout=60)
    wanted = ("choice among 2: all of them for every r, because a loop that they read ends for all at once",
              "choice among 2: each of its own r alone")
    return [f"explained: no `{line}` in\n{done.stdout}{done.stderr}" for line in wanted if line not in done.stdout]


def main():
    problems = []
    for case in (by_row, places, one_after_the_other, work, work_of_rows, explained):
        problems += case(sys.argv[1], np.random.default_rng(7))
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
