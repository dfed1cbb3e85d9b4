"""The machine that a benchmark runs on: what it is, what it reaches, and the Python that has the peers."""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE.parent / "build/benchmarks/venv"


def use_peers(install):
    """Goes on in the virtual environment of the peers where there is one; makes it first where `install` says so."""
    python = PEERS / "bin/python"
    if install:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    if python.exists() and pathlib.Path(sys.prefix) != PEERS:
        os.execv(python, [str(python), *(argument for argument in sys.argv if argument != "--install")])


def limits_program(folder):
    """limits.c, compiled for this machine."""
    program = pathlib.Path(folder) / "limits"
    subprocess.run(["cc", "-O2", "-march=native", "-ffp-contract=fast", "-pthread", HERE / "limits.c", "-o", program], check=True)
    return program


def limits(program, threads):
    """What the threads reach together: {"fma": GFLOP/s, "l1": GB/s, ...}."""
    text = subprocess.run([program, str(threads)], check=True, capture_output=True, text=True,
                          preexec_fn=lambda: take_the_processors(threads)).stdout
    return json.loads(text)


def take_the_processors(threads):
    """Runs on the first processors, in front of other work where that is allowed."""
    os.sched_setaffinity(0, range(threads))
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass


def _line(start):
    info = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in info if line.startswith(start)), "")


def facts():
    flags = _line("flags").split()
    features = [name for name, flag in (("AVX2", "avx2"), ("AVX-512", "avx512f"), ("AMX", "amx_tile")) if flag in flags]
    return {"machine": _line("model name") or "x86-64", "features": " ".join(features), "cores": os.cpu_count()}


def file_name():
    found = facts()
    return "-".join([found["machine"], *found["features"].split()[-1:]]).lower().replace(" ", "-").replace("(r)", "")
