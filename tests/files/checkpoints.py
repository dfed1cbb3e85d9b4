"""Writes what torch.save writes, in both its forms, without PyTorch; and what it never would."""

import collections
import io
import pickle
import struct
import sys
import types
import zipfile

import numpy

MAGIC = 0x1950A86A20F9469CFC6C
CLASSES = {"float32": "FloatStorage", "float64": "DoubleStorage", "float16": "HalfStorage", "int64": "LongStorage",
           "int32": "IntStorage", "int16": "ShortStorage", "int8": "CharStorage", "uint8": "ByteStorage",
           "bool": "BoolStorage", "bfloat16": "BFloat16Storage"}


def _module(name):
    return sys.modules.setdefault(name, types.ModuleType(name))


# Stand-ins with torch's names, which is all that a pickle says of them.
torch, utils = _module("torch"), _module("torch._utils")
for _name in CLASSES.values():
    setattr(torch, _name, type(_name, (), {"__module__": "torch"}))


def _rebuild_tensor_v2(*_):
    raise NotImplementedError


_rebuild_tensor_v2.__module__, utils._rebuild_tensor_v2 = "torch._utils", _rebuild_tensor_v2


def _rebuild_parameter(*_):
    raise NotImplementedError


_rebuild_parameter.__module__, utils._rebuild_parameter = "torch._utils", _rebuild_parameter


class Storage:
    """Elements, and how many the pickle says there are."""

    def __init__(self, data, kind=None, count=None):
        self.data, self.kind = data, kind or CLASSES[data.dtype.name]
        self.count = len(data) if count is None else count


class View:
    """A tensor: a view of a storage."""

    def __init__(self, storage, offset, shape, strides):
        self.parts = (storage, offset, tuple(shape), tuple(strides), False, collections.OrderedDict())

    def __reduce__(self):
        return _rebuild_tensor_v2, self.parts


class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return _rebuild_parameter, (self.tensor, True, collections.OrderedDict())


def tensor(array):
    """A dense tensor with a storage of its own."""
    strides = [s // array.itemsize for s in numpy.ascontiguousarray(array).strides]
    return View(Storage(numpy.ascontiguousarray(array).ravel()), 0, array.shape, strides)


class _Pickler(pickle.Pickler):
    def __init__(self, file, legacy):
        super().__init__(file, protocol=2)
        self.storages, self.legacy = {}, legacy

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        key = self.storages.setdefault(id(value), (str(len(self.storages)), value))[0]
        parts = ("storage", getattr(torch, value.kind), key, "cpu", value.count)
        return parts + (None,) if self.legacy else parts


def _dump(value, legacy=False):
    file = io.BytesIO()
    pickler = _Pickler(file, legacy)
    pickler.dump(value)
    return file.getvalue(), dict(pickler.storages.values())


def archive(pickled, storages, **options):
    """The zip form around a pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as zipped:
        zipped.writestr("archive/data.pkl", pickled)
        zipped.writestr("archive/byteorder", "little")
        for key, storage in storages.items():
            zipped.writestr(f"archive/data/{key}", storage.data.tobytes())
        zipped.writestr("archive/version", "3\n")
    return file.getvalue()


def save(value, **options):
    return archive(*_dump(value), **options)


def save_legacy(value):
    pickled, storages = _dump(value, legacy=True)
    head = [MAGIC, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}]
    parts = [pickle.dumps(part, protocol=2) for part in head] + [pickled, pickle.dumps(list(storages), protocol=2)]
    return b"".join(parts) + b"".join(struct.pack("<q", len(s.data)) + s.data.tobytes() for s in storages.values())


class Other:
    """Something that is neither tensor nor container nor number."""

    def __reduce__(self):
        return print, ("executed",)


def good():
    """(name, bytes, {tensor: array}) of checkpoints that can be read."""
    base = numpy.arange(24, dtype=numpy.float32)
    shared = Storage(base)
    views = {"dense": View(shared, 0, [2, 3, 4], [12, 4, 1]), "turned": View(shared, 0, [4, 6], [1, 4]),
             "middle": View(shared, 5, [3], [2]), "same": View(shared, 7, [4], [0]), "scalar": View(shared, 9, [], []),
             "empty": View(shared, 24, [0, 5], [5, 1])}
    expected = {"dense": base.reshape(2, 3, 4), "turned": base.reshape(6, 4).T, "middle": base[[5, 7, 9]],
                "same": base[[7] * 4], "scalar": base[9].reshape(()), "empty": base[:0].reshape(0, 5)}
    kinds = {k: numpy.arange(6).astype(k) for k in CLASSES if k != "bfloat16"}
    halves = Storage(numpy.array([0x3F80, 0xC000], dtype=numpy.uint16), kind="BFloat16Storage")
    nested = {"state_dict": collections.OrderedDict(a=Parameter(tensor(base)), b=[tensor(base[:2]), {"c": tensor(base[:1])}]),
              "epoch": 3, "best": 0.5, "name": "net", "flags": (True, None), "large": 1 << 70}
    flat = {"state_dict.a": base, "state_dict.b.0": base[:2], "state_dict.b.1.c": base[:1]}
    for form, write in (("zip", save), ("stream", save_legacy)):
        yield f"views_{form}", write(views), expected
        yield f"types_{form}", write({k: tensor(v) for k, v in kinds.items()}), kinds
        yield f"bfloat16_{form}", write({"h": View(halves, 0, [2], [1])}), {"h": numpy.array([1, -2], numpy.float32)}
        yield f"nested_{form}", write(nested), flat


def bad():
    """(name, bytes, what the error must say)."""
    four = Storage(numpy.arange(4, dtype=numpy.float32))
    cycle = {"t": tensor(numpy.zeros(2, numpy.float32))}
    cycle["again"] = cycle
    deep = tensor(numpy.zeros(1, numpy.float32))
    for _ in range(200):
        deep = [deep]
    # Every level holds the one below many times: what it spells out has no end.
    bomb = tensor(numpy.zeros(1, numpy.float32))
    for level in range(30):
        bomb = {f"{'k' * 100}{i}": bomb for i in range(10)}
    for form, write in (("zip", save), ("stream", save_legacy)):
        yield f"other_{form}", write({"a": Other()}), "print.* is no tensor"
        yield f"array_{form}", write({"a": numpy.zeros(3)}), "`(numpy|_codecs).*is no tensor"
        yield f"negative_stride_{form}", write({"t": View(four, 3, [4], [-1])}), "`t`.*strides are damaged"
        yield f"negative_shape_{form}", write({"t": View(four, 0, [-4], [1])}), "`t`.*damaged"
        yield f"negative_offset_{form}", write({"t": View(four, -1, [4], [1])}), "`t`.*damaged"
        yield f"beyond_{form}", write({"t": View(four, 1, [4], [1])}), "`t`.*needs 5 elements.*has 4"
        yield f"overflow_{form}", write({"t": View(four, 0, [1 << 40, 1 << 40], [1 << 40, 1])}), "`t`.*damaged"
        yield f"spread_{form}", write({"t": View(four, 0, [1 << 40], [0])}), "more than 16 times"
        yield f"two_lengths_{form}", write({"t": View(four, 0, [4], [1, 1])}), "`t`.*length"
        yield f"cycle_{form}", write(cycle), "nested too deep"
        yield f"deep_{form}", write(deep), "nested too deep"
        yield f"bomb_{form}", write(bomb), "too much|more than 16 times"
        yield f"empty_{form}", write({}), "no tensor"
    yield "huge_storage_stream", save_legacy({"t": tensor(numpy.zeros(2, numpy.float32))}).replace(
        struct.pack("<q", 2) + bytes(8), struct.pack("<q", 1 << 61) + bytes(8)), "ends inside storage"
    pickled, storages = _dump({"t": tensor(numpy.zeros(4, numpy.float32))})
    yield "compressed", archive(pickled, storages, compression=zipfile.ZIP_DEFLATED), "compressed"
    big = {"0": Storage(numpy.zeros(1 << 22, numpy.float32))}
    yield "zip_bomb", archive(pickled, big, compression=zipfile.ZIP_DEFLATED), "compressed"
    yield "no_storage", archive(pickled, {}), "`0`, is not in the file"
    yield "no_pickle", archive(pickled, storages).replace(b"data.pkl", b"data.txt"), "no data.pkl"
    yield "big_endian", archive(pickled, storages).replace(b"little", b"bigend"), "big-endian|cannot be read"
    # A long name, used again and again: two bytes of the file stand for a million.
    long = b"\x80\x02X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x00(" + b"h\x00h\x00\x93" * 100000
    yield "long_names", archive(long + b"t.", {}), "too much"
    sizes = b"\x80\x02(" + b"K\x01" * (1 << 20) + b"tq\x00(" + b"ctorch\nSize\nh\x00\x85R" * 20000 + b"t."
    yield "long_sizes", archive(sizes, {}), "too much"
    yield "many_values", archive(b"\x80\x02(" + b"}" * (32 << 20) + b"t.", {}), "too much"
    yield "no_end", archive(b"\x80\x02}", {}), "ends too early"
    yield "marks", archive(b"\x80\x02" + b"(" * 1000000 + b".", {}), "damaged"
