"""Compares compiled examples with what PyTorch computed: python tests/references/check.py WEFT MODEL [--backend loops]

Weights and inputs come from seeds.py, the expected outputs from records/MODEL.json (record.py). Needs NumPy only. A second
program, written here around the model's own method, gives what every block computes. Fails if an output is further than
1e-4 of its range from the record. --break TENSOR runs both once more with that tensor's weights left out (all zero), which must be
noticed.
"""

import argparse
import json
import pathlib
import sys
import tempfile
from dataclasses import dataclass
from typing import Callable

import numpy as np

import seeds
from program import compile_program, run_program

ROOT = pathlib.Path(__file__).parent.parent.parent
RECORDS = pathlib.Path(__file__).parent / "records"
TOLERANCE = 1e-4


@dataclass
class Model:
    inputs: Callable  # () -> {name: array}
    outputs: dict  # output of the program -> name in the record
    entry_method: str = "forward"
    source: str = ""  # of the model; MODEL/MODEL.weft if empty
    taps: str = ""  # the entry that gives what every block does, with RESULTS and EQUATIONS in it to fill


def images():
    return {"image": seeds.image("image", (2, 3, 224, 224))}


def sentences(batch, length):
    lengths = seeds.tokens("lengths", (batch,), length - 1) + 1
    mask = (np.arange(length)[None, :] < lengths[:, None]).astype(np.int64)
    return lambda: {"ids": seeds.tokens("ids", (batch, length), 30522), "mask": mask}


def classifier(model, method):
    return f"""import "SOURCE": {model.split("(")[0]}
entry taps {{
  dim B in 1..64
  net: {model}
  forward(image: f32[B, 3, 224, 224]) -> RESULTS {{
    seen = net.{method}(image)
EQUATIONS
  }}
}}
"""


def bert(model):
    return f"""import "SOURCE": Bert
entry taps {{
  dim B in 1..64, T in 1..512
  net: {model}
  forward(ids: int[B, T] in 0..30522, mask: int[B, T] in 0..2) -> RESULTS {{
    there[b, t] = mask[b, t] == 1
    seen = net.hidden_states(ids, there)
EQUATIONS
  }}
}}
"""


MODELS = {
    "mlp": Model(lambda: {"pixel": seeds.image("pixel", (5, 784))}, {"logit": "logits"}, "logits"),
    "mobilenet_v2": Model(images, {"logit": "logits"}, "logits", taps=classifier("MobileNetV2()", "blocks")),
    "resnet50": Model(images, {"logit": "logits"}, "logits", taps=classifier("ResNet(depths = [3, 4, 6, 3])", "blocks"),
                      source="../stdlib/resnet.weft"),
    "vit_b16": Model(images, {"logit": "logits"}, "logits", taps=classifier(
        "Vit(patch = 16, dim = 768, depth = 12, heads = 12, classes = 1000)", "hidden"), source="../stdlib/vit.weft"),
    "bert_base": Model(sentences(2, 128), {"hidden": "hidden"}, source="bert_base/bert.weft",
                       taps=bert("Bert(dim = 768, depth = 12, heads = 12, hidden = 3072)")),
    "minilm": Model(sentences(8, 32), {"embedding": "embedding"}, source="bert_base/bert.weft",
                    taps=bert("Bert(dim = 384, depth = 6, heads = 12, hidden = 1536)")),
    "unet": Model(lambda: {"image": seeds.image("image", (1, 3, 96, 64))}, {"mask": "logits"}, "forward",
                  taps="""import "SOURCE": UNet
entry taps {
  net: UNet(channels = 3, classes = 2)
  forward(image: f32[1, 3, 96, 64]) -> RESULTS {
    seen = net.blocks(image)
EQUATIONS
  }
}
"""),
}


def tap_program(model, source, count):
    names = [f"tap{i}" for i in range(count)]
    equations = "\n".join(f"    {name} = seen[{i}]" for i, name in enumerate(names))
    text = model.taps.replace("SOURCE", str(source)).replace("RESULTS", ", ".join(names)).replace("EQUATIONS", equations)
    return "weft 0.1\n" + text, names


def compiled(arguments, model, record, folder):
    """(path, method, {output: its name in the record}) of the model's own program and of the one that gives every block's results."""
    examples, name = ROOT / "examples", arguments.model
    compile_program(arguments.weft, examples / name / f"{name}.weft", folder / "program", arguments.backend)
    programs = [(folder / "program", model.entry_method, model.outputs)]
    taps = [tap for tap in record["outputs"] if tap not in ("logits", "hidden", "embedding")]
    if taps:
        text, names = tap_program(model, (examples / (model.source or f"{name}/{name}.weft")).resolve(), len(taps))
        (folder / "taps.weft").write_text(text)
        compile_program(arguments.weft, folder / "taps.weft", folder / "taps", arguments.backend)
        programs.append((folder / "taps", "forward", dict(zip(names, taps))))
    return programs


def results_of(model, programs, weights, folder):
    """(name in the record, array) of all outputs."""
    for path, method, outputs in programs:
        found = run_program(path, method, model.inputs(), outputs, weights)
        yield from ((recorded, found[output]) for output, recorded in outputs.items())
        weights = folder / "weights.safetensors"  # as the first program's are written


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft")
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--backend", default="halide")
    parser.add_argument("--break", dest="broken", metavar="TENSOR", help="must be caught: this tensor's values are zero")
    arguments = parser.parse_args()
    name, model = arguments.model, MODELS[arguments.model]
    record = json.loads((RECORDS / f"{name}.json").read_text())
    weights = seeds.weights(record["shapes"])
    ways = [("", weights)]
    if arguments.broken:
        ways.append((f" without {arguments.broken}", {**weights, arguments.broken: np.zeros_like(weights[arguments.broken])}))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        programs = compiled(arguments, model, record, folder)
        for way, values in ways:
            apart = {key: seeds.distance(key, value, record["outputs"][key])
                     for key, value in results_of(model, programs, values, folder)}  # fmt: skip
            worst = max(apart, key=apart.get)
            last = ", ".join(f"{key} {apart[key]:.2e}" for key in model.outputs.values())
            print(f"{name}{way}: {last} of the range; furthest of {len(apart)} outputs {apart[worst]:.2e} at {worst}")
            if (apart[worst] > TOLERANCE) != bool(way):
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
