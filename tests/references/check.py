"""Compares compiled examples with what PyTorch computed: python tests/references/check.py WEFT MODEL [--backend loops]

Weights and inputs come from seeds.py, the expected outputs from records/MODEL.json (record.py). Needs NumPy only. Fails if
an output is further than 1e-4 of its range from the record.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import seeds

ROOT = pathlib.Path(__file__).parent.parent.parent
RECORDS = pathlib.Path(__file__).parent / "records"
TOLERANCE = 1e-4

# model -> method, inputs {name: array}, outputs {name of the program: name in the record}
MODELS = {
    "mobilenet_v2": ("logits", lambda: {"image": seeds.image("image", (2, 3, 224, 224))}, {"logit": "logits"}),
}


def save_safetensors(path, tensors):
    header, data, offset = {}, [], 0
    for name, value in tensors.items():
        raw = np.ascontiguousarray(value, dtype=np.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + len(raw)]}
        data.append(raw)
        offset += len(raw)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(data))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft")
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--backend", default="halide")
    arguments = parser.parse_args()
    method, make_inputs, outputs = MODELS[arguments.model]
    record = json.loads((RECORDS / f"{arguments.model}.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        source = ROOT / "examples" / arguments.model / f"{arguments.model}.weft"
        subprocess.run([arguments.weft, "compile", source, "--backend", arguments.backend, "-o", folder / "program"],
                       check=True)
        save_safetensors(folder / "weights.safetensors", seeds.weights(record["shapes"]))
        command = [folder / "program", method, "--weights", folder / "weights.safetensors"]
        for name, value in make_inputs().items():
            np.save(folder / f"{name}.npy", value)
            command += ["--input", f"{name}={folder / name}.npy"]
        for name in outputs:
            command += ["--output", f"{name}={folder / name}.out.npy"]
        subprocess.run(command, check=True)
        worst = 0.0
        for name, recorded in outputs.items():
            apart = seeds.distance(recorded, np.load(folder / f"{name}.out.npy"), record["outputs"][recorded])
            print(f"{arguments.model} {name}: {apart:.2e} of the range")
            worst = max(worst, apart)
    return 1 if worst > TOLERANCE else 0


if __name__ == "__main__":
    sys.exit(main())
