"""Runs the commands of a document: commands.py WEFT ROOT FILE.md

In one empty folder, from top to bottom: a block fenced as ```LANGUAGE file=NAME becomes that file, one fenced as ```sh is run
and must succeed, one fenced as ```output behind it is what it prints (`...` stands for any text). Found in the folder from the
beginning: `build/bin/weft` (also on the PATH), the compiler's `examples` and `scripts`, weights for a dense layer from 784 to
10 (w.safetensors) and two images for it (x.npy).
"""

import json
import os
import re
import struct
import subprocess
import sys
import tempfile

import numpy

BLOCK = re.compile(r"^```(\w+)(?: +([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [len(data), len(data) + tensor.nbytes]}
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def prepare(folder, weft, root):
    os.makedirs(os.path.join(folder, "build"))
    os.symlink(os.path.dirname(weft), os.path.join(folder, "build/bin"))
    for name in ("examples", "scripts"):
        os.symlink(os.path.join(root, name), os.path.join(folder, name))
    draw = numpy.random.Generator(numpy.random.Philox(1))
    weight = draw.standard_normal((10, 784), dtype=numpy.float32) / 28
    write_safetensors(os.path.join(folder, "w.safetensors"), {"weight": weight, "bias": numpy.zeros(10, numpy.float32)})
    numpy.save(os.path.join(folder, "x.npy"), draw.random((2, 784), dtype=numpy.float32))


def matches(expected, printed):
    pattern = ".*?".join(re.escape(part) for part in expected.strip().split("..."))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL)


def main():
    weft, root, document = map(os.path.abspath, sys.argv[1:])
    with open(document, encoding="utf-8") as file:
        text = file.read()
    commands = 0
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder, weft, root)
        environment = {
            **os.environ,
            "PATH": os.path.dirname(weft) + os.pathsep + os.environ["PATH"],
            "WEFT_CACHE_DIR": os.path.join(folder, "cache"),
        }
        printed = ""
        for block in BLOCK.finditer(text):
            language, options, body = block[1], block[2] or "", block[3]
            place = f"{os.path.relpath(document, root)}:{text.count(chr(10), 0, block.start()) + 1}"
            name = re.search(r"file=(\S+)", options)
            if name:
                with open(os.path.join(folder, name[1]), "w", encoding="utf-8") as file:
                    file.write(body)
            elif language == "sh":
                command = ["bash", "-euo", "pipefail", "-c", body]
                ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
                printed = ran.stdout + ran.stderr
                if ran.returncode:
                    sys.exit(f"{place}: exit code {ran.returncode}\n{printed}")
                commands += 1
            elif language == "output" and not matches(body, printed):
                sys.exit(f"{place}: printed is\n{printed}")
    if not commands:
        sys.exit(f"{document}: no command")
    print(f"{commands} blocks of commands")


main()
