"""A compiled program as a process: the same bits for any number of threads, pinned threads, what it prints and describes,
measures and profiles; and it never leaves a file half-written.

Usage: program.py WEFT
"""

import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time

import numpy

MODEL = """weft 0.1

import std.conv: Conv2d
import std.activation: relu
import std.softmax: softmax

/// Tells two things apart.
entry tell {
  /// How many pictures.
  dim B in 1..8
  conv: Conv2d(3, 16, size = 3, pad = 1)
  deep: Conv2d(16, 32, size = 3, stride = 2)

  /// Probabilities.
  forward(image: u8[B, 30, 31, 3], bias: f32) -> prob: f32[B, 32], best: int[B] in 0..32 {
    x[b, c, i, j] = f32(image[b, i, j, c]) / 255 + bias
    h = relu(deep(relu(conv(x))))
    s[b, c] = mean(i, j) h[b, c, i, j]
    prob[b] = softmax(s[b])
    best[b] = argmax(c) prob[b, c]
  }

  /// Everything once more.
  twice(x: f32[B, 4]) -> y: f32[B, 4], hollow: bool[2, 0] {
    y = 2 * x
    hollow[i < 2, j < 0] = true
  }
}
"""


def run(*words, code=0, **options):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, **options)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


def check_threads(program, folder):
    """Any number of threads gives the same bits; each keeps to its processor."""
    results = []
    for threads in ("1", "2", "3", "8"):
        run(program, "--init", "1", "--threads", threads, "--input", f"image={folder / 'image.npy'}", "--input", "bias=0.5",
            "--output", f"prob={folder / 'prob.npy'}")
        results.append((folder / "prob.npy").read_bytes())
    assert len(set(results)) == 1, "the number of threads changes the result"
    assert numpy.load(folder / "prob.npy").std() > 0

    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        return
    with subprocess.Popen([program, "--init", "1", "--threads", "2", "--bench"], stdout=subprocess.DEVNULL) as child:
        seen, expected = set(), {(processors[0],), (processors[1],)}
        while seen != expected and child.poll() is None:
            try:
                seen = {tuple(os.sched_getaffinity(int(task))) for task in os.listdir(f"/proc/{child.pid}/task")}
            except OSError:
                pass
        child.kill()
    assert seen == expected, seen


def check_texts(program, folder):
    image = ("--init", "1", "--input", f"image={folder / 'image.npy'}", "--input", "bias=0.5")
    out, err = run(program, *image)
    assert re.search(r"^prob: f32\[2, 32\]\n  \[\[ *0\.0\d+, ", out, re.M) and re.search(r"^best: int\[2\]\n  \[\d+, \d+\]$", out, re.M), out
    out, _ = run(program, "twice", "--init", "1", "--input", f"x={folder / 'x.npy'}")
    assert out.startswith("y: f32[1, 4]\n  [[  2,   4,  -6, nan]]\n") and "hollow: bool[2, 0]" in out, out

    out, _ = run(program, "--describe")
    for line in ("entry tell of", "dim B in 1..8", "method forward  // Probabilities.", "input image: u8[B, 30, 31, 3]",
                 "output best: int[B]", "weights: 4 tensors"):
        assert line in out, (line, out)
    described = json.loads(run(program, "--describe", "--json")[0])
    forward = described["methods"]["forward"]
    assert forward["inputs"][0] == {"name": "image", "type": "u8", "shape": ["B", 30, 31, 3]}, forward
    assert [o["name"] for o in forward["outputs"]] == ["prob", "best"] and forward["outputs"][1]["type"] == "int"
    assert described["dimensions"]["B"] == {"lo": 1, "hi": 8, "step": 1} and len(described["weights"]) == 4

    measured = json.loads(run(program, *image, "--bench", "--json")[0])
    low, high = measured["quartiles_ms"]
    assert 0 < low <= measured["median_ms"] <= high and measured["rounds"] >= 11 and measured["threads"] >= 1, measured
    out, _ = run(program, "twice", "--init", "1", "--bench")
    assert re.match(r"twice: \S+ ms \(quartiles \S+ to \S+ ms, \d+ rounds, \d+ threads?\)", out), out


def check_profile(program, folder):
    trace = folder / "t.json"
    out, err = run(program, "--init", "1", "--input", f"image={folder / 'image.npy'}", "--input", "bias=0", "--profile", trace)
    events = [e for e in json.loads(trace.read_text())["traceEvents"] if e["ph"] == "X"]
    assert len(events) >= 20 and len(events) % 10 == 0, len(events)
    ends = 0
    for event in events:
        assert event["dur"] >= 0 and event["ts"] >= ends - 1 and event["name"] and event["args"]["kernel"], event
        assert re.search(r"\.weft:\d+$", event["args"]["source"]), event
        ends = event["ts"] + event["dur"]
    sources = {e["args"]["source"] for e in events}
    lines = {i + 1 for i, line in enumerate(MODEL.splitlines())}
    assert any(s.split(":")[0].endswith("model.weft") and int(s.split(":")[1]) in lines for s in sources), sources
    header, *rows, total = err.strip().splitlines()
    assert "share" in header and "source" in header and f"in {len(rows)} kernels" in total, err
    assert abs(sum(float(row.split()[1].rstrip("%")) for row in rows) - 100) < 1, err
    assert {row.split()[-1] for row in rows} == sources, (err, sources)


def check_outputs(program, folder):
    """An output appears whole or not at all."""
    words = [program, "twice", "--init", "1", "--input", f"x={folder / 'x.npy'}"]
    locked = folder / "locked"
    locked.mkdir()
    for place, cause in ((folder / "none" / "y.npy", "No such file"), (locked, "directory"), ("/proc/y.npy", ""),
                         ("/dev/full", "No space left")):
        out, err = run(*words, "--output", f"y={place}", code=1)
        assert f"output `y`: cannot write {place}" in err and cause in err, err
    out, err = run(*words, "--output", f"z={folder / 'z.npy'}", code=1)
    assert "`twice` has no output `z`" in err and not (folder / "z.npy").exists(), err
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "cannot write to standard output" in done.stderr, done.stderr

    # A limit on the size of files stops the writing in the middle.
    target = folder / "y.npy"
    target.write_text("before")
    done = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 0; exec "$@"', "-", *words, "--output", f"y={target}"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and f"cannot write {target}" in done.stderr, done
    assert target.read_text() == "before" and not list(folder.glob("*.tmp"))
    run(*words, "--output", f"y={target}")
    assert numpy.load(target).shape == (1, 4) and stat.S_IMODE(target.stat().st_mode) & 0o111 == 0


def check_interrupted(program, folder):
    """Ctrl-C at any time leaves the old file or the new one, and nothing else."""
    target = folder / "large.npy"
    numpy.save(folder / "many.npy", numpy.zeros((8, 30, 31, 3), numpy.uint8))
    words = [program, "--init", "1", "--input", f"image={folder / 'many.npy'}", "--input", "bias=0", "--output", f"prob={target}"]
    start = time.monotonic()
    run(*words)
    whole, duration = target.read_bytes(), time.monotonic() - start
    ended = 0
    for step in range(30):
        target.unlink(missing_ok=True)
        with subprocess.Popen(words, stderr=subprocess.DEVNULL) as child:
            time.sleep(duration * step / 25)
            child.send_signal(signal.SIGINT if step % 2 else signal.SIGTERM)
        assert child.returncode in (0, -signal.SIGINT, -signal.SIGTERM), child.returncode
        ended += child.returncode != 0
        assert not target.exists() or target.read_bytes() == whole
        assert not list(folder.glob("*.tmp")), list(folder.iterdir())
    assert ended > 0


def main():
    weft = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "model.weft").write_text(MODEL)
        program = folder / "tell"
        run(weft, "compile", folder / "model.weft", "-o", program)
        draw = numpy.random.default_rng(3)
        numpy.save(folder / "image.npy", draw.integers(0, 256, (2, 30, 31, 3), numpy.uint8))
        numpy.save(folder / "x.npy", numpy.array([[1, 2, -3, numpy.nan]], numpy.float32))
        check_threads(program, folder)
        check_texts(program, folder)
        check_profile(program, folder)
        check_outputs(program, folder)
        check_interrupted(program, folder)


main()
