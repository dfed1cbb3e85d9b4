"""`weft test` tells what failed and where, survives a test that dies, and exits with 1 then.

Usage: test_command.py WEFT
"""

import pathlib
import re
import resource
import subprocess
import sys
import tempfile

MODEL = """weft 0.1

test "holds" { expect [1.0, 2.0] + 1.0 == [2.0, 3.0] }

test "does not hold" {
  x = [1.0, 2.0, 3.0]
  expect x ~= [1.0, 2.5, 3.25] within 0.3
  expect x == x
}

test "random numbers follow the seed" { expect random(3) == 0.0 }

test "never ends" {
  x = random(10000)
  s = sum(i, j < 10000, k < 10000, l < 10000) x[i] * x[j] * x[k] * x[l] * x[(i + j) % 10000]
  expect s == 0
}
"""


def run(*words, seconds=None):
    limit = (lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))) if seconds else None
    done = subprocess.run(words, capture_output=True, text=True, preexec_fn=limit)
    return done.returncode, done.stdout, done.stderr


def main():
    weft = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "model.weft"
        file.write_text(MODEL)
        for backend in ("loops", "halide"):
            code, out, err = run(weft, "test", file, "--backend", backend, "--filter", "hold")
            assert code == 1, (code, err)
            assert "pass holds" in out and "FAIL does not hold" in out and "1 of 2 tests passed" in out, out
            assert ":7:3: expectation failed" in out and ":8:3" not in out, out
            assert "at [1]: got 2, wanted 2.5, off by 0.5, allowed 0.3; 1 of 3 elements are wrong" in out, out

        code, out, err = run(weft, "test", file, "--filter", "holds")
        assert code == 0 and "1 of 1 tests passed" in out, (code, out, err)
        code, out, err = run(weft, "test", file, "--filter", "no such")
        assert code == 1 and "no test whose name contains `no such`" in err, (code, out, err)

        def drawn(seed):
            out = run(weft, "test", file, "--filter", "random", "--seed", seed)[1]
            assert f"seed {seed}" in out, out
            return re.search(r"got \S+", out).group()

        assert drawn("1") == drawn("1") != drawn("2")

        # One test is killed; the others are still run and reported.
        code, out, err = run(weft, "test", file, "-j", "1", seconds=2)
        assert code == 1 and "the test crashed" in out and "1 of 4 tests passed" in out, (code, out, err)

        file.write_text('weft 0.1\ntest "a" { expect nobody == 1 }\n')
        code, out, err = run(weft, "test", file, "missing.weft")
        assert code == 1 and "`nobody`" in out and "missing.weft" in err and "pass " not in out, (code, out, err)


main()
