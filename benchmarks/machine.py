"""The machine that a benchmark runs on: what it is, what it can reach, and the packages that a benchmark needs."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def use_packages(*more):
    """Goes on in a virtual environment that has the packages of requirements.txt, and those that are named."""
    if all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime", *more)):
        return
    folder = HERE.parent / "build/benchmarks"
    python = folder / "bin/python"
    if pathlib.Path(sys.prefix) == folder and "WEFT_BENCHMARK_PACKAGES" in os.environ:
        sys.exit(f"the packages in {folder} do not load; remove it")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt", *more], check=True)
    os.environ["WEFT_BENCHMARK_PACKAGES"] = "installed"
    os.execv(python, [str(python), *sys.argv])


def limits():
    """What limits.c prints. Runs in front of other work where that is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "limits"
        subprocess.run(["cc", "-O2", "-march=native", "-ffp-contract=fast", HERE / "limits.c", "-o", program], check=True)
        return json.loads(subprocess.run([program], check=True, capture_output=True, text=True,
                                         preexec_fn=take_the_processors).stdout)


def take_the_processors(threads=1):
    """Runs on the first processors, in front of other work where that is allowed."""
    os.sched_setaffinity(0, range(threads))
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass


def _line(start):
    info = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in info if line.startswith(start)), "")


def processor():
    return _line("model name") or "x86-64"


def features():
    flags = _line("flags").split()
    return [name for name, flag in (("AVX2", "avx2"), ("AVX-512", "avx512f"), ("AMX", "amx_tile")) if flag in flags]


def file_name():
    return "-".join([processor(), *features()[-1:]]).lower().replace(" ", "-").replace("(r)", "")
