"""Elements at positions that reductions found, against NumPy; `halide` leaves none of it to the plain loops.

Usage: python found_positions.py WEFT
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from program_case import check

TEXT = """weft 0.1
entry e {
  dim B in 1..16
  forward(y: f32[B, 6, 5], m: f32[B, 6, 3, 5], table: f32[5, 4]) -> z: f32[B, 6], row: f32[B, 4] {
    which[b, d] = argmax(k) y[b, d, k]
    z[b, d] = m[b, d, 1, which[b, d]]
    row[b] = table[argmin(k) y[b, 0, k]]
  }
}
"""


def main():
    weft = sys.argv[1]
    rng = np.random.default_rng(3)
    y, m, table = (rng.standard_normal(shape).astype(np.float32) for shape in ((3, 6, 5), (3, 6, 3, 5), (5, 4)))
    wanted = {
        "z": np.take_along_axis(m[:, :, 1], y.argmax(2)[..., None], 2)[..., 0],
        "row": table[y[:, 0].argmin(1)],
    }
    problems = check(weft, "found positions", TEXT, {"y": y, "m": m, "table": table}, wanted)
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "model.weft"
        source.write_text(TEXT)
        done = subprocess.run([weft, "compile", source, "-o", f"{folder}/model"], capture_output=True, text=True)
        problems += [line for line in done.stderr.splitlines() if "plain loops" in line]
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
