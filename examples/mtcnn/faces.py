"""Faces in photographs: python faces.py PROGRAM WEIGHTS PHOTO... [--draw OUT.png]

PROGRAM is mtcnn.weft compiled; WEIGHTS the folder with pnet.safetensors, rnet.safetensors and onet.safetensors. Prints for
each face its box, how likely it is one, and its landmarks; --draw shows them on the (only) photograph.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

NETS = ("pnet", "rnet", "onet")
MARKS = ("left eye", "right eye", "nose", "left of the mouth", "right of the mouth")  # as one sees them
COLORS = {"box": (255, 220, 0), "mark": (0, 230, 255), "edge": (0, 0, 0)}


def find_faces(program, weights, photo):
    """Boxes [n, 4], scores [n] and landmarks [n, 5, 2]."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--input", f"photo={photo}"]
        for net in NETS:
            command += ["--weights", f"{net}={weights / net}.safetensors"]
        results = {name: pathlib.Path(folder) / f"{name}.npy" for name in ("box", "score", "mark")}
        for name, path in results.items():
            command += ["--output", f"{name}={path}"]
        subprocess.run(command, check=True)
        return [np.load(path) for path in results.values()]


def draw(photo, faces, out):
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.open(photo).convert("RGB")
    pen = ImageDraw.Draw(picture)
    line = max(1, round(max(picture.size) / 300))
    font = ImageFont.load_default(size=8 * line)
    for box, score, marks in zip(*faces):
        pen.rectangle(box.tolist(), outline=COLORS["box"], width=line)
        at = (box[0], max(0, box[1] - 10 * line))
        pen.text(at, f"{score:.3f}", fill=COLORS["box"], font=font, stroke_width=(line + 1) // 2, stroke_fill=COLORS["edge"])
        for x, y in marks.tolist():
            pen.ellipse((x - 1.5 * line, y - 1.5 * line, x + 1.5 * line, y + 1.5 * line), COLORS["mark"], COLORS["edge"])
    picture.save(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("photos", nargs="+", metavar="PHOTO")
    parser.add_argument("--draw", metavar="OUT.png")
    arguments = parser.parse_args()
    if arguments.draw and len(arguments.photos) > 1:
        parser.error("--draw takes one photograph")
    for photo in arguments.photos:
        try:
            faces = find_faces(arguments.program, arguments.weights, photo)
        except subprocess.CalledProcessError as error:
            return error.returncode
        count = len(faces[1])
        print(f"{pathlib.Path(photo).name}: {count or 'no'} face{'s' if count != 1 else ''}")
        for box, score, marks in zip(*faces):
            print(f"  {score:.5f}  box ({', '.join(f'{v:.1f}' for v in box)})")
            print("           " + ", ".join(f"{name} ({x:.1f}, {y:.1f})" for name, (x, y) in zip(MARKS, marks)))
        if arguments.draw:
            draw(photo, faces, arguments.draw)
            print(f"  drawn in {arguments.draw}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
