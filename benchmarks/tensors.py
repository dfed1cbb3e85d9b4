"""Safetensors files: what every contender reads its weights from."""

import json
import struct

import numpy as np


def write(path, tensors):
    header, offset = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(value.tobytes())


def read(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        data = np.frombuffer(file.read(), np.float32)
    return {name: data[each["data_offsets"][0] // 4:each["data_offsets"][1] // 4].reshape(each["shape"])
            for name, each in header.items()}
