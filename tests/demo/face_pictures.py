"""Pictures with no face, one and several, of many sizes, made of the photographs of the demonstration; and what the reference
finds in them: python tests/demo/face_pictures.py PHOTOS (needs PyTorch and facenet-pytorch) writes faces.json."""

import json
import pathlib
import sys

import numpy as np
from PIL import Image

RECORD = pathlib.Path(__file__).parent / "faces.json"


def smaller(image, factor):
    """Means of factor x factor pixels."""
    rows, columns = (extent // factor for extent in image.shape[:2])
    cells = image[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor, 3)
    return cells.mean((1, 3)).round().astype(np.uint8)


def larger(image, factor):
    return image.repeat(factor, 0).repeat(factor, 1)


def collage(face):
    """The same face six times, turned over and in five sizes."""
    canvas = np.full((611, 533, 3), (90, 120, 60), np.uint8)
    parts = [(3, 5, face), (20, 240, face[:, ::-1]), (300, 11, smaller(face, 2)), (440, 40, smaller(face, 3)[:, ::-1]),
             (350, 170, face), (320, 420, smaller(face, 4))]
    for top, left, part in parts:
        canvas[top : top + len(part), left : left + part.shape[1]] = part
    return canvas


def pictures(photos):
    """{name: Pillow image}"""
    rgb = {name: np.asarray(Image.open(photos / name).convert("RGB")) for name in ("astronaut.png", "coffee.png", "rocket.jpg")}
    astronaut = rgb["astronaut.png"]
    alpha = np.arange(512 * 512).reshape(512, 512, 1) % 256
    made = {
        "collage": collage(astronaut[20:260, 120:330]),
        "odd": astronaut[3:302, 100:417],
        "strip": astronaut[60:170],
        "tall": smaller(astronaut[:, 150:310], 3),
        "large": larger(smaller(astronaut, 2), 4),
        "tiny": smaller(astronaut[40:184, 150:294], 3),
        "tiniest": smaller(astronaut[50:155, 170:275], 5)[:20],
        "grey": astronaut[:, :, 1],
        "alpha": np.concatenate([astronaut, alpha.astype(np.uint8)], 2),
        "half and half": np.concatenate([rgb["coffee.png"][:, :300], astronaut[:400]], 1),
        "black": np.zeros((97, 61, 3), np.uint8),
    }
    return {name: Image.fromarray(image) for name, image in ({**rgb, **made}).items()}


def detect(image, detector):
    box, score, mark = detector.detect(image.convert("RGB"), landmarks=True)
    if box is None:
        return {"box": [], "score": [], "mark": []}
    return {name: np.asarray(value, np.float64).round(4 if name != "score" else 7).tolist()
            for name, value in (("box", box), ("score", score), ("mark", mark))}


def main():
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(1)
    detector = MTCNN(keep_all=True, select_largest=False)  # in the order of the scores
    found = {name: detect(image, detector) for name, image in pictures(pathlib.Path(sys.argv[1])).items()}
    RECORD.write_text(json.dumps(found, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    print({name: len(value["score"]) for name, value in found.items()})


if __name__ == "__main__":
    main()
