"""The five likeliest ImageNet classes of photographs: python classify.py PROGRAM WEIGHTS PHOTO...

PROGRAM is mobilenet_v2.weft compiled; WEIGHTS a safetensors file. The class names come with the package timm.
"""

import argparse
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

import numpy as np


def class_names():
    package = pathlib.Path(importlib.util.find_spec("timm").submodule_search_locations[0])
    info = package / "data" / "_info"
    lemmas = dict(line.split("\t", 1) for line in (info / "imagenet_synset_to_lemma.txt").read_text().splitlines())
    return [lemmas[synset].split(",")[0] for synset in (info / "imagenet_synsets.txt").read_text().split()]


def classify(program, weights, photo):
    """Probabilities of the 1000 classes."""
    with tempfile.TemporaryDirectory() as folder:
        result = pathlib.Path(folder) / "prob.npy"
        subprocess.run([program, "--weights", weights, "--input", f"photo={photo}", "--output", f"prob={result}"],
                       check=True)
        return np.load(result)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("weights")
    parser.add_argument("photos", nargs="+", metavar="PHOTO")
    arguments = parser.parse_args()
    names = class_names()
    for photo in arguments.photos:
        try:
            prob = classify(arguments.program, arguments.weights, photo)
        except subprocess.CalledProcessError as error:
            return error.returncode
        print(pathlib.Path(photo).name)
        for place in np.argsort(-prob, kind="stable")[:5]:
            print(f"  {prob[place]:.3f}  {names[place]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
