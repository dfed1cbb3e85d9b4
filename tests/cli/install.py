"""What is installed works without the tree that it was built in, and what it compiles works without anything.

Usage: install.py CMAKE BUILD SOURCE
"""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

import numpy

MODEL = """weft 0.1

import std.linear: Linear
import std.softmax: softmax

entry net {
  head: Linear(4, 3)
  forward(x: f32[2, 4]) -> y: f32[2, 3] {
    h = head(x)
    y[i] = softmax(h[i])
  }
}
"""
SYSTEM = ("linux-vdso", "ld-linux", "libc.", "libm.", "libstdc++.", "libgcc_s.", "libpthread.")
# Features in the words of /proc/cpuinfo and of --target.
FEATURES = {"amx_tile": "amx-tile", "avx512_fp16": "avx512fp16", "avx512_bf16": "avx512bf16", "avx512f": "avx512f",
            "avx_vnni": "avxvnni"}


def run(*words, code=0, **options):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, **options)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def hidden(paths, *words):
    """The command in a world of its own where the folders are empty; where that is not allowed, the command as it is."""
    mounts = "".join(f"mount -t tmpfs none {shlex.quote(str(p))} && " for p in paths)
    probe = subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-c", mounts + "true"], capture_output=True)
    if probe.returncode != 0:
        print("note: the build tree stays visible, for this user may not hide it:", probe.stderr.decode().strip())
        return words
    return ("unshare", "--mount", "--map-root-user", "sh", "-c", mounts + 'exec "$@"', "-", *words)


def check_alone(program, folder):
    """The program needs the system's libraries of C and C++ only."""
    names = [line.split()[0].split("/")[-1] for line in run("ldd", program).splitlines()]
    others = [name for name in names if not name.startswith(SYSTEM)]
    assert not others, others
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    moved = elsewhere / "moved"
    shutil.move(program, moved)
    numpy.save(elsewhere / "x.npy", numpy.ones((2, 4), numpy.float32))
    run("env", "-i", moved, "--init", "1", "--input", "x=x.npy", "--output", "y=y.npy", cwd=elsewhere)
    result = numpy.load(elsewhere / "y.npy")
    assert result.shape == (2, 3) and numpy.allclose(result.sum(axis=1), 1), result


def check_other_processor(weft, folder):
    """A program for a processor that this is not says so."""
    flags = pathlib.Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split()
    lacking = next((target for flag, target in FEATURES.items() if flag not in flags), None)
    if lacking is None:
        return
    run(weft, "compile", folder / "net.weft", "--target", f"host+{lacking}", "-o", folder / "other")
    out = run(folder / "other", "--init", "1", "--bench", code=1)
    assert f"compiled for a processor with {lacking}, but this is" in out and "--target" in out, out
    out = run(weft, "run", folder / "net.weft", "--target", f"host+{lacking}", "--init", "1", "--bench", code=1)
    assert f"with {lacking}" in out, out
    assert "lements" in run(folder / "other", "--describe")


def main():
    cmake, build, source = sys.argv[1], *(pathlib.Path(word).resolve() for word in sys.argv[2:4])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.environ["WEFT_CACHE_DIR"] = str(folder / "cache")
        run(cmake, "--install", build, "--prefix", folder / "prefix")
        weft = folder / "prefix" / "bin" / "weft"
        for path in ("share/weft/LICENSE", "share/weft/NOTICE", "share/weft/stdlib/linear.weft", "include/weft.h"):
            assert (folder / "prefix" / path).is_file(), path
        (folder / "net.weft").write_text(MODEL)
        gone = [source, build] if source not in build.parents else [source]
        for emit in ("exe", "so", "a"):
            run(*hidden(gone, weft, "compile", folder / "net.weft", "--emit", emit, "-o", folder / f"net.{emit}"), cwd=folder)
        assert "tests passed" in run(*hidden(gone, weft, "test", folder / "prefix/share/weft/stdlib/linear.weft",
                                                    "--filter", "linear"), cwd=folder)
        run(*hidden(gone, weft, "run", folder / "net.weft", "--init", "1", "--bench"), cwd=folder)
        check_other_processor(weft, folder)
        (folder / "net.weft").unlink()
        check_alone(folder / "net.exe", folder)


main()
