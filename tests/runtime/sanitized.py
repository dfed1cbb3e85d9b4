"""Programs whose kernels AddressSanitizer watches, of both back ends: they run, and it sees a kernel that writes too far.

Usage: sanitized.py WEFT
"""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def check_seen(weft, folder):
    """A caller that gives less memory than it says makes a kernel write outside of it."""
    for backend in ("loops", "halide"):
        archive = folder / "mlp.a"
        code, out = run(weft, "compile", ROOT / "examples/mlp/mlp.weft", "--dim", "B=1", "--target", "host+asan", "--backend", backend,
                        "--emit", "a", "-o", archive)
        assert code == 0, out
        source = pathlib.Path(__file__).with_name("short_result.c")
        code, out = run("clang-22", "-fsanitize=address", f'-DHEADER="{archive.with_suffix(".h")}"', source, archive, "-lstdc++", "-lm",
                        "-o", folder / "short")
        assert code == 0, out
        code, out = run(folder / "short", "10")
        assert code == 0, (backend, out)
        code, out = run(folder / "short", "9")
        assert code != 0 and "AddressSanitizer: heap-buffer-overflow" in out and "weft_kernel_" in out, (backend, out)


def main():
    weft = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        check_seen(weft, pathlib.Path(name))
        program = pathlib.Path(name) / "program"
        for example, method, backends in (("mlp/mlp", "logits", ("loops", "halide")), ("unet/unet", None, ("halide",)),
                                          ("mobilenet_v2/mobilenet_v2", "logits", ("halide",)), ("minilm/minilm", None, ("halide",))):
            for backend in backends:
                code, out = run(weft, "compile", ROOT / "examples" / f"{example}.weft", "--target", "host+asan", "--backend",
                                backend, "-o", program)
                assert code == 0, (example, backend, out)
                symbols = run("nm", program)[1]
                assert "__asan_report_load" in symbols and "__asan_init" in symbols, (example, backend)
                code, out = run(program, *([method] if method else []), "--init", "1", "--bench")
                assert code == 0, (example, backend, out[-3000:])
                print(example, backend, out.strip(), flush=True)


main()
