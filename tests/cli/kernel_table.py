"""`weft explain --kernels` says of every kernel what it computes, moves and takes: kernel_table.py WEFT

Operations and bytes are counted by hand.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

MODEL = """weft 0.1

op half(x: f32[N]) -> y: f32[N] { y[n] = x[n] / 2 }

entry net {
  dim N in 1..1000

  /// Two kernels: the second reads the first from behind.
  forward(x: f32[512, 256]) -> z: f32[512] {
    r[n] = sum(i) x[n, i]
    y[n < 512] = r[511 - n] * 2
    z[n] = y[n] + 1
  }

  /// One kernel, launched twice.
  twice(x: f32[300], v: f32[300]) -> a: f32[300], b: f32[300] {
    a = half(x)
    b = half(v)
  }

  /// Of a size that only a run knows.
  sized(x: f32[N]) -> y: f32[N] { y[n] = x[n] * 2 + 1 }

  /// A step is launched eight times.
  steps(x: f32[5000]) -> y: f32[5000] {
    rec s[t < 8, i] = s[t-1, i] * 0.5 + x[i] from s[-1] = x
    y = s[7]
  }
}
"""


class Setting:
    def __init__(self, weft, folder):
        self.weft, self.folder = weft, pathlib.Path(folder)
        self.file = self.folder / "m.weft"
        self.file.write_text(MODEL)

    def explain(self, *words, code=0):
        command = [self.weft, "explain", "--kernels", self.file, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def kernels(self, *words):
        """Those of the first method that is said."""
        (entry,) = json.loads(self.explain("--json", *words))
        return entry["methods"][0]["kernels"]


def lines_of(kernel):
    return [int(place.split(":")[-1]) for place in kernel["lines"]]


def same(found, wanted):
    for name, value in wanted.items():
        assert found[name] == value, (name, found)


def check_counts(setting):
    first, second = setting.kernels("--method", "forward")
    same(first, {"flops": 512 * 256, "bytes": 4 * (512 * 256 + 512), "calls": 1, "class": "row_reduction", "apart": []})
    same(second, {"flops": 2 * 512, "bytes": 4 * (512 + 512), "calls": 1, "class": "pointwise"})
    assert lines_of(first) == [10] and sorted(lines_of(second)) == [11, 12], (first, second)
    (equation,) = second["equations"]
    assert {equation["path"], *(part["path"] for part in equation["fused"])} == {"forward.y", "forward.z"}, equation
    assert second["apart"] == [{"from": "forward.r", "because": "they have no outer loop in common"}], second
    (both,) = setting.kernels("--method", "twice")
    same(both, {"flops": 2 * 300, "bytes": 2 * 4 * (300 + 300), "calls": 2})
    assert len(both["launches"]) == 2 and lines_of(both) == [3], both
    (sized,) = setting.kernels("--method", "sized")
    same(sized, {"flops": None, "bytes": None, "limit_seconds": None})
    assert any(kernel["calls"] == 8 and kernel["flops"] == 8 * 5000 * 2 for kernel in setting.kernels("--method", "steps"))
    assert setting.kernels("--method", "forward")[0]["measured_seconds"] is None


def check_limits(setting):
    """A limit is the longer of computing and moving, at what the machine reaches."""
    (entry,) = json.loads(setting.explain("--json", "--method", "forward"))
    for kernel in entry["methods"][0]["kernels"]:
        reached = entry["limits"][1 if kernel["parallel"] else 0]
        computing = kernel["flops"] / reached["flops"]
        moving = [kernel["bytes"] / speed for speed in reached["bandwidth"].values()]
        assert kernel["limit_seconds"] >= computing * 0.999, kernel
        assert any(abs(kernel["limit_seconds"] - max(computing, each)) <= 1e-3 * kernel["limit_seconds"] for each in moving), kernel
        assert kernel["limit"] == ("moving" if kernel["limit_seconds"] > 1.001 * computing else "computing"), kernel


def check_measured(setting):
    for kernel in setting.kernels("--method", "forward", "--measure"):
        assert kernel["measured_seconds"] > 0 and kernel["share_of_limit"] > 0, kernel
    program, trace = setting.folder / "program", setting.folder / "t.json"
    subprocess.run([setting.weft, "compile", setting.file, "-o", program], check=True, timeout=300)
    np.save(setting.folder / "x.npy", np.ones(300, np.float32))
    subprocess.run([program, "sized", "--input", f"x={setting.folder / 'x.npy'}", "--profile", trace], check=True, capture_output=True)
    (sized,) = setting.kernels("--method", "sized", "--profile", trace)
    same(sized, {"flops": 2 * 300, "bytes": 4 * (300 + 300), "calls": 1, "share_of_time": 1})
    text = setting.explain("--method", "sized", "--profile", trace)
    words = " ".join(text.split())
    assert re.search(r"1 call, 600 FLOP, 2\.40 kB moved; .*; measured \S+ [nu]s, .* of the time", words), text
    assert max(map(len, setting.explain().splitlines())) <= 110
    return trace


def check_errors(setting, trace):
    text = trace.read_text()
    damaged = {
        "cut": text[: len(text) // 2],
        "empty": "",
        "list": "[]",
        "thread": text.replace('"threads":', '"theads":'),
        "launch": text.replace('"launch":', '"lunch":'),
        "sizes": text.replace('"sizes":[300,300]', '"sizes":"300"'),
        "runs": "\n".join(line for line in text.splitlines() if '"ph":"B"' not in line),
    }
    for name, wrong in damaged.items():
        assert wrong != text, name
        path = setting.folder / f"{name}.json"
        path.write_text(wrong)
        said = setting.explain("--profile", path, code=1)
        assert said.startswith(f"error: {path}: it is no profile of a program: "), (name, said)
    path = setting.folder / "other.json"
    path.write_text(text.replace('"name":"sized.y"', '"name":"q"'))
    assert "it is of another program than `net` as it is compiled now" in setting.explain("--profile", path, code=1)
    assert "cannot read" in setting.explain("--profile", setting.folder / "none.json", code=1)
    assert "has no method `backward`" in setting.explain("--method", "backward", code=1)
    assert "there is no method `backward`" in setting.explain("--method", "backward", "--measure", code=1)
    assert "--measure and --profile" in setting.explain("--measure", "--profile", trace, code=1)


def main():
    weft = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(weft, folder)
        check_counts(setting)
        check_limits(setting)
        check_errors(setting, check_measured(setting))


main()
