"""Writes and reads safetensors; and writes what never should be one."""

import json
import struct

import numpy

WORDS = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1",
         "BOOL": "?", "BF16": "<u2"}


def packed(header, data=b"", length=None):
    """A file with this header (a dict or bytes) in front of the data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def save(tensors):
    """{name: array} as the bytes of a file."""
    header, data, end = {}, [], 0
    for name, array in tensors.items():
        word = next(w for w, d in WORDS.items() if numpy.dtype(d) == array.dtype)
        header[name] = {"dtype": word, "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        data.append(array.tobytes())
        end += array.nbytes
    return packed(header, b"".join(data))


def load(path):
    """{name: array} of a file; bf16 as f32."""
    content = open(path, "rb").read()
    (length,) = struct.unpack("<Q", content[:8])
    tensors = {}
    for name, entry in json.loads(content[8:8 + length]).items():
        begin, end = entry["data_offsets"]
        array = numpy.frombuffer(content[8 + length + begin:8 + length + end], WORDS[entry["dtype"]])
        if entry["dtype"] == "BF16":
            array = (array.astype(numpy.uint32) << 16).view(numpy.float32)
        tensors[name] = array.reshape(entry["shape"])
    return tensors


def bad():
    """(name, bytes, what the error must say)."""
    def entry(dtype="F32", shape=(2,), offsets=(0, 8), **more):
        return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}

    data = bytes(16)
    whole = packed({"w": entry()}, bytes(8))
    yield "empty", b"", "too short"
    yield "seven", bytes(7), "too short"
    yield "zeros", bytes(4096), "header"
    yield "text", b"these are no tensors" * 9, "no safetensors"
    for length in (1 << 63, (1 << 64) - 1, (1 << 64) - 8, 99_999_999, 100_000_001, len(whole)):
        yield f"header_of_{length}", packed({"w": entry()}, data, length=length), "header would have|bad JSON|outside of the file"
    for cut in range(9, len(whole), 9):
        yield f"cut_{cut}", whole[:cut], "header|outside of the file|bytes than"
    yield "not_json", packed(b"{'w': 1}", data), "bad JSON"
    yield "open", packed(b'{"w": {"dtype": "F32", "shape": [2', data), "bad JSON"
    yield "rest", packed(b"{} {}", data), "bad JSON"
    yield "list", packed(b"[1, 2]", data), "no JSON object"
    yield "number", packed(b"7", data), "no JSON object"
    yield "deep_lists", packed(b'{"__metadata__":' + b"[" * 1_000_000, data), "deep"
    yield "deep_objects", packed(b'{"a":' * 1_000_000, data), "deep"
    yield "many_values", packed(b'{"w": {"x": [' + b"0," * (16 << 20) + b"0]}}", data), "too many"
    yield "surrogate", packed(b'{"\\ud800": 1}', data), "surrogate"
    yield "zero_byte", packed(b'{"\0": 1}', data), "control character"
    yield "twice", packed(b'{"w": ' + json.dumps(entry()).encode() + b', "w": ' + json.dumps(entry()).encode() + b"}", data), "twice"
    yield "twice_inside", packed(b'{"w": {"dtype": "F32", "dtype": "F64", "shape": [2], "data_offsets": [0, 8]}}', data), "twice"
    yield "no_object", packed({"w": [1]}, data), "`w`"
    yield "no_dtype", packed({"w": {"shape": [2], "data_offsets": [0, 8]}}, data), "`w` has no dtype"
    yield "no_shape", packed({"w": {"dtype": "F32", "data_offsets": [0, 8]}}, data), "`w` has no shape"
    yield "no_offsets", packed({"w": {"dtype": "F32", "shape": [2]}}, data), "`w` has no data_offsets"
    yield "one_offset", packed({"w": entry(offsets=(0,))}, data), "`w` has no data_offsets"
    for value in ("-1", "NaN", "1.5", "1e3", '"2"', "null", "true", "[2]", "99999999999999999999", "-0.0", "1e999"):
        text = '{"w": {"dtype": "F32", "shape": [%s], "data_offsets": [0, 8]}}' % value
        yield f"size_{value}", packed(text.encode(), data), "`w` has a size|bad JSON|bytes than"
        text = '{"w": {"dtype": "F32", "shape": [2], "data_offsets": [%s, 8]}}' % value
        yield f"offset_{value}", packed(text.encode(), data), "`w`|bad JSON"
    yield "outside", packed({"w": entry(offsets=(16, 24))}, data), "outside of the file"
    yield "backwards", packed({"w": entry(offsets=(8, 0))}, data), "outside of the file"
    yield "far", packed({"w": entry(offsets=(0, (1 << 63) - 1))}, data), "outside of the file"
    yield "short", packed({"w": entry(shape=(3,))}, data), "bytes than"
    yield "product", packed({"w": entry(shape=(1 << 32, 1 << 32, 2))}, data), "bytes than"
    yield "product_wraps", packed({"w": entry(shape=(1 << 62, 2, 1 << 62, 2))}, data), "bytes than"
    yield "bytes_wrap", packed({"w": entry(shape=((1 << 62) + 2,))}, data), "bytes than"
    yield "zero_product", packed({"w": entry(shape=(0, 1 << 62, 1 << 62))}, data), "bytes than"
    yield "axes", packed({"w": entry(shape=(1,) * 63 + (2,) + (1,))}, data), "axes"
    yield "overlap", packed({"v": entry(), "w": entry(offsets=(4, 12))}, data), "overlap"
    yield "same_place", packed({"v": entry(), "w": entry()}, data), "overlap"
