"""Whole detectors, from a photograph to boxes and masks, beside torchvision's.

    .venv/bin/python benchmarks/systems.py [--only mask,...] [--threads 1,2] [--quick] [--write]

The systems of examples/ that torchvision has, at full size, with the weights and the photograph of their references. What
both find is compared, then both sides take turns as in compare.py. `--write` puts the numbers in benchmarks/results and
docs/performance.md. Packages that are missing, PyTorch among them, are installed in a virtual environment, build/benchmarks.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import contenders
import report

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / folder) for folder in ("tests/systems", "tests/references", "examples/rcnn")]

SYSTEMS = ["faster_rcnn", "mask_rcnn", "retinanet", "ssd300"]


def full(name):
    import system
    subject = system.System(name)
    return subject, subject.cases("full")[0]


def torch(name):
    """What worker.py runs: torchvision's detector with the reference's weights; its results in the order of ours."""
    import detectors
    subject, case = full(name)
    module = detectors.load(subject.reference.model(case), subject.weights(case))

    def results(photo):
        found = module([photo])[0]
        masks = [found["masks"][:, 0]] if "masks" in found else []
        return [found["boxes"], found["scores"], found["labels"], *masks]

    return lambda photo: lambda: results(photo)


def compare(name, options):
    import networks
    subject, case = full(name)
    with tempfile.TemporaryDirectory() as text:
        folder, stem = pathlib.Path(text), f"system_{name}"
        networks.write_safetensors(folder / f"{stem}.safetensors", subject.weights(case))
        np.savez(folder / f"{stem}.npz", **subject.reference.inputs(case))
        subprocess.run([options.weft, "compile", subject.source, "--entry", case.entry, "--emit", "so", "-o",
                        folder / f"{stem}.so"], check=True)
        return contenders.rows(text, stem, subject.reference.SYSTEM, "torch", options)


def main():
    options = contenders.options(__doc__, "torch", "torchvision")
    print("\n".join(report.OPERATORS), flush=True)
    results = []
    for name in SYSTEMS:
        if contenders.wanted(name, options):
            results += compare(name, options)
    if options.write:
        report.write("systems", results, peers=contenders.versions())


if __name__ == "__main__":
    main()
