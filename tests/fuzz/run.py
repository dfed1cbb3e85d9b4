"""Builds the fuzzers with their sanitizers and runs each from well-formed and hostile files.

Usage: run.py CMAKE WRITE_JPEG [RUNS [SEED]]
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "files"))

import arrays  # noqa: E402: beside the tests that made them
import checkpoints  # noqa: E402
import pictures  # noqa: E402
import tensors  # noqa: E402

LARGEST = 20000  # bytes of a file to start from; larger ones teach little and slow everything down


def weights():
    yield tensors.save({"a.weight": numpy.zeros((3, 2), numpy.float32), "b": numpy.zeros(4, numpy.int64)})
    for source in (tensors.bad(), checkpoints.good(), checkpoints.bad()):
        for _, content, _ in source:
            yield content


def inputs(writer):
    for kind in ("<f4", ">f8", "<f2", "i1", "<u8", "?"):
        yield arrays.npy(numpy.asfortranarray(numpy.arange(6).reshape(2, 3).astype(kind)))
    samples = numpy.arange(15 * 9 * 4).reshape(15, 9, 4) % 256
    for kind, channels in pictures.CHANNELS.items():
        palette = samples[0, :, :3] if kind == pictures.PALETTE else None
        for depth in (8,) if palette is not None else (8, 16):
            for interlaced in (False, True):
                values = samples[:, :, :channels] % (9 if palette is not None else 256)
                yield pictures.png(values, kind, depth, palette=palette, interlaced=interlaced, transparency=b"\0\1" if kind in (0, 3) else None)
    for channels in (1, 3, 4):
        for progressive in (False, True):
            yield pictures.jpeg(writer, samples[:, :, :channels].astype(numpy.uint8).copy(), progressive)
    yield pictures.with_orientation(pictures.jpeg(writer, samples[:, :, :3].astype(numpy.uint8).copy()), 6)
    for source in (arrays.bad(), pictures.bad(writer)):
        for _, content, _ in source:
            yield content


def models():
    for folder in ("stdlib", "examples", "tests"):
        for path in sorted((ROOT / folder).rglob("*.weft")):
            yield path.read_bytes()


def words():
    """The words and signs of the language, for the fuzzer to try."""
    found = set()
    for line in (ROOT / "dsl" / "lexer" / "token_kinds.def").read_text().splitlines():
        found.update(line.split('"')[1::2])
    found.update(("forward", "float[", "f32[B, N]", "[i, j]", "sum(i) ", "dim N in 1..8", "entry", "model", "import std.linear: Linear"))
    return "".join(f'"{word}"\n' for word in sorted(found) if word and "\\" not in word)


def run(fuzzer, files, runs, seed, *more):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for number, content in enumerate(files):
            if len(content) <= LARGEST:
                (folder / f"{number}").write_bytes(content)
        options = [f"-runs={runs}", f"-seed={seed}", f"-max_len={2 * LARGEST}", "-rss_limit_mb=2048", "-malloc_limit_mb=1024",
                   "-timeout=100", "-print_final_stats=1", f"-artifact_prefix={folder}/", *more]
        done = subprocess.run([fuzzer, *options, folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
        lines = done.stdout.splitlines()
        if done.returncode != 0:
            print("\n".join(lines[-120:]))
            sys.exit(f"{fuzzer.name} failed")
        print(fuzzer.name, [line for line in lines if "number_of_executed_units" in line][0], lines[-1])


def main():
    cmake, writer = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
    seed = sys.argv[4] if len(sys.argv) > 4 else "1"
    build = ROOT / "build" / "readers"
    subprocess.run([cmake, "--preset", "readers"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    fuzzers = build / "bin"
    wanted = ("weft_program_test", "fuzz_weights", "fuzz_inputs", "fuzz_models")
    subprocess.run([cmake, "--build", build, "--target", *wanted], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([fuzzers / "weft_program_test"], check=True, stdout=subprocess.DEVNULL)
    run(fuzzers / "fuzz_weights", weights(), runs, seed)
    run(fuzzers / "fuzz_inputs", inputs(writer), runs, seed)
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as dictionary:
        dictionary.write(words())
        dictionary.flush()
        run(fuzzers / "fuzz_models", models(), runs // 40, seed, f"-dict={dictionary.name}")


main()
