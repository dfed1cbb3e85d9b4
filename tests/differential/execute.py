"""Programs as one model file, compiled by a back end, run on their inputs and compared with the oracle."""

import json
import pathlib
import struct
import subprocess
from dataclasses import dataclass

import numpy as np

from generate import BATCH, ROWS, dimensions

BACKENDS = ("loops", "halide")
SLOWEST = 60  # seconds that compiling one program may take on a busy machine
TARGETS = ("host", "host", "x86-64-v2", "x86-64-v3")  # in turn; all run on any machine of today
NAMES = {"f32": "F32", "f16": "F16", "bf16": "BF16"}


def declared(tensor):
    shape = f"[{', '.join(a.text for a in tensor.axes)}]" if tensor.axes else ""
    return f"{tensor.name}: {tensor.type}{shape}" + (f" in 0..{tensor.below}" if tensor.below else "")


def source(programs, heads=True):
    """A model and a method of the entry for each program."""
    lines = ["weft 0.1", ""] + [op.text for op in ROWS.values()] if heads else []
    for p in programs:
        results = ", ".join(declared(t) for t in p.outputs)
        inputs = ", ".join(declared(t) for t in p.inputs)
        lines += ["", f"model P{p.seed}() {{"]
        lines += [f"  param {declared(w)}" for w in p.weights]
        lines += [f"  forward({inputs}) -> {results} {{"]
        lines += [f"    {s.text()}" for s in p.statements] + ["  }", "}"]
    lines += ["", "entry e {", "  dim D0 in 1..400, D1 in 1..400"]
    for p in programs:
        lines.append(f"  p{p.seed} as \"p{p.seed}\": P{p.seed}()")
    for p in programs:
        inputs = ", ".join(declared(t) for t in p.inputs)
        results = ", ".join(declared(t) for t in p.outputs)
        heads = ", ".join(t.name for t in p.outputs)
        arguments = ", ".join(t.name for t in p.inputs)
        lines += [f"  m{p.seed}({inputs}) -> {results} {{", f"    {heads} = p{p.seed}({arguments})", "  }"]
    return "\n".join(lines + ["}", ""])


def write_weights(programs, path):
    header, data = {}, b""
    for p in programs:
        for w in p.weights:
            array = np.ascontiguousarray(p.values[w.name], np.float16 if w.type == "f16" else np.float32)
            if w.type == "bf16":
                array = (array.view(np.uint32) >> 16).astype(np.uint16)
            header[f"p{p.seed}.{w.name}"] = {"dtype": NAMES[w.type], "shape": list(array.shape),
                                            "data_offsets": [len(data), len(data) + array.nbytes]}
            data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return bool(header)


@dataclass
class Verdict:
    seed: int
    kind: str  # rejected, crash, fallback, run, wrong
    backend: str
    text: str

    def __str__(self):
        return f"seed {self.seed}, {self.backend}: {self.kind}: {self.text}"


def differs(got, expected, tensor):
    """Where and how a result is not what the oracle allows; nothing if it is."""
    shape = tuple(a.size for a in tensor.axes)
    if got.shape != shape:
        return f"{tensor.name} has shape {got.shape}, not {shape}"
    v, e = expected.v, np.broadcast_to(expected.e, expected.v.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        if got.dtype.kind == "f":
            g = got.astype(np.float64)
            same = np.where(np.isfinite(v), np.abs(g - v) <= e, np.where(np.isnan(v), np.isnan(g), g == v))
        else:
            same = got == v
    bad = ~(same | (e == np.inf))
    if not bad.any():
        return None
    at = tuple(int(k) for k in np.argwhere(bad)[0])
    return (f"{tensor.name}{list(at)} = {got[at]!r}, wanted {v[at]!r} within {e[at]:.3g}; "
            f"{int(bad.sum())} of {bad.size} are wrong")


class Runner:
    def __init__(self, weft, folder, extra=()):
        self.weft, self.folder, self.extra = weft, pathlib.Path(folder), list(extra)
        self.notes = []  # of kernels that Halide did not compile
        self.folder.mkdir(parents=True, exist_ok=True)

    def compile(self, programs, backend):
        """(path, notes), or (None, what the compiler says)."""
        name = f"{backend}_{programs[0].seed}_{len(programs)}"
        model = self.folder / f"{name}.weft"
        model.write_text(source(programs))
        binary = self.folder / name
        batch = programs[0].seed // BATCH
        options = ["--target", TARGETS[batch % len(TARGETS)]]
        if batch % 3 == 0:  # for just these sizes
            options += [word for name, size in zip(("D0", "D1"), dimensions(programs[0].seed))
                        for word in ("--dim", f"{name}={size}")]
        words = [self.weft, "compile", model, "--backend", backend, "-o", binary, *options, *self.extra]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=SLOWEST * len(programs))
        except subprocess.TimeoutExpired:
            return None, f"exit code: none after {SLOWEST * len(programs)} s"
        if done.returncode < 0 or done.returncode > 1:
            return None, f"exit code {done.returncode}: {done.stderr[-2000:]}"
        return (binary if done.returncode == 0 else None), done.stderr

    def run(self, program, binary, weights, expected, backend):
        words = [binary, f"m{program.seed}"] + (["--weights", weights] if weights else [])
        for t in program.inputs:
            path = self.folder / f"{program.seed}_{t.name}.npy"
            np.save(path, program.values[t.name])
            words += ["--input", f"{t.name}={path}"]
        files = {t.name: self.folder / f"{program.seed}_{t.name}.npy" for t in program.outputs}
        for name, path in files.items():
            words += ["--output", f"{name}={path}"]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            return [Verdict(program.seed, "run", backend, "does not end")]
        if done.returncode:
            return [Verdict(program.seed, "run", backend, f"exit code {done.returncode}: {done.stderr[-800:]}")]
        verdicts = []
        for t in program.outputs:
            text = differs(np.load(files[t.name]), expected[t.name], t)
            if text:
                verdicts.append(Verdict(program.seed, "wrong", backend, text))
        for path in self.folder.glob(f"{program.seed}_*.npy"):
            path.unlink()
        return verdicts

    def check(self, batch):
        """batch: (program, expected) pairs. What is wrong with them; programs that cannot be compiled are found one by one."""
        verdicts = []
        for backend in BACKENDS:
            verdicts += self.check_by(backend, batch)
        return verdicts

    def check_by(self, backend, batch):
        programs = [p for p, _ in batch]
        binary, said = self.compile(programs, backend)
        if binary is None and len(batch) > 1:
            half = len(batch) // 2
            return self.check_by(backend, batch[:half]) + self.check_by(backend, batch[half:])
        if binary is None:
            return [Verdict(programs[0].seed, "crash" if "exit code" in said else "rejected", backend, said.strip())]
        self.notes += [line for line in said.splitlines() if "as plain loops" in line]
        return self.run_all(batch, binary, backend)

    def run_all(self, batch, binary, backend):
        weights = self.folder / f"{binary.name}.safetensors"
        if not write_weights([p for p, _ in batch], weights):
            weights = None
        verdicts = [v for p, expected in batch for v in self.run(p, binary, weights, expected, backend)]
        binary.unlink()
        return verdicts
