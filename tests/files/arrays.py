"""Writes .npy files of every kind; and damaged ones."""

import io
import struct

import numpy


def npy(array, version=(1, 0)):
    file = io.BytesIO()
    numpy.lib.format.write_array(file, array, version=version)
    return file.getvalue()


def headed(header, data=b"", version=1, length=None):
    """A file with this text as its header."""
    text = header.encode()
    size = struct.pack("<H" if version == 1 else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + data


def described(descr="'<f4'", order="False", shape="(2,)"):
    return "{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n" % (descr, order, shape)


def bad():
    """(name, bytes, what the error must say) where f32[N] is wanted."""
    data = bytes(64)
    whole = npy(numpy.arange(5, dtype=numpy.float32))
    for cut in (0, 3, 6, 7, 8, 9, 10, 20, 60, len(whole) - 20, len(whole) - 1):
        yield f"cut_{cut}", whole[:cut], "neither|cut off|no .npy"
    yield "version_0", headed(described(), data, 0), "unknown version"
    yield "version_4", headed(described(), data, 4), "unknown version"
    yield "long_header", headed(described(), data, 2, 0xFFFFFFFF), "cut off in its header"
    yield "object", headed(described("'|O'"), data), r"`\|O`, which no tensor"
    yield "text", headed(described("'<U4'"), data), "`<U4`, which no tensor"
    yield "complex", headed(described("'<c8'"), data), "`<c8`, which no tensor"
    yield "time", headed(described("'<M8[ns]'"), data), "which no tensor"
    yield "records", headed(described("[('a', '<f4'), ('b', '<i4')]"), data), "records, which no tensor"
    yield "width", headed(described("'<f3'"), data), "which no tensor"
    yield "ints", npy(numpy.arange(3)), "`<i8`, but f32 is needed"
    yield "bools", npy(numpy.array([True, False])), "but f32 is needed"
    yield "huge", headed(described(shape="(%d,)" % (1 << 62)), data), "cut off"
    yield "product", headed(described(shape="(%d, %d)" % (1 << 40, 1 << 40)), data), "cut off"
    yield "overflow", headed(described(shape="(%d,)" % (1 << 64)), data), "header is damaged"
    yield "none", headed(described(shape="(0, %d, %d)" % (1 << 62, 1 << 62)), data), "cut off"
    yield "axes", headed(described(shape="(%s)" % ("1," * 17)), data), "axes"
    yield "many_axes", headed(described(shape="(%s)" % ("1," * 20000)), data, 2), "damaged"
    for name, shape in (("negative", "(-2,)"), ("real", "(2.0,)"), ("nan", "(nan,)"), ("name", "(x,)"), ("call", "(id(2),)"),
                        ("open", "(2"), ("no_tuple", "2"), ("list", "[2]")):
        yield f"shape_{name}", headed(described(shape=shape), data), "header is damaged"
    yield "no_order", headed("{'descr': '<f4', 'shape': (2,)}", data), "header is damaged"
    yield "order", headed(described(order="1"), data), "header is damaged"
    yield "twice", headed("{'shape': (1,), 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", data), "header is damaged"
    yield "more", headed("{'a': 1, 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", data), "header is damaged"
    yield "deep", headed("{" * 60000, data), "header is damaged"
