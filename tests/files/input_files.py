"""Inputs of programs: .npy, .png and .jpg of every kind give the right tensor; damaged or hostile ones give an error with
the file and the cause, in bounded memory.

Usage: input_files.py WEFT WRITE_JPEG [MUTATIONS]
"""

import pathlib
import sys
import tempfile
import time

import numpy

import arrays
import bounded
import pictures
from pictures import GREY, GREY_ALPHA, PALETTE, RGB, RGB_ALPHA

MODEL = """weft 0.1

entry see {
  dim N in 0..4096
  dim H in 1..4096
  dim W in 1..4096
  floats(x: f32[N]) -> y: f32[N] { y = x }
  grid(x: f32[H, W]) -> y: f32[H, W] { y = x }
  ints(x: i32[N]) -> y: i32[N] { y = x }
  bytes(x: u8[N]) -> y: u8[N] { y = x }
  bools(x: bool[N]) -> y: bool[N] { y = x }
  grey(x: u8[H, W]) -> y: u8[H, W] { y = x }
  colour(x: u8[H, W, 3]) -> y: u8[H, W, 3] { y = x }
  alpha(x: u8[H, W, 4]) -> y: u8[H, W, 4] { y = x }
  number(x: f32) -> y: f32[1] { y[i < 1] = x }
  whole(x: int in 0..10) -> y: i64[1] { y[i < 1] = i64(x) }
}
"""


class Program:
    def __init__(self, weft, folder):
        self.folder = folder
        model = folder / "model.weft"
        model.write_text(MODEL)
        code, out, err = bounded.run(weft, "compile", "--backend", "loops", model, "-o", folder / "see")
        assert code == 0, err

    def words(self, method, value):
        return [self.folder / "see", method, "--threads", "1", "--input", f"x={value}", "--output",
                f"y={self.folder / 'y.npy'}"]

    def see(self, method, content):
        """What the program gets from a file, and what it notes."""
        file = self.folder / "file"
        file.write_bytes(content)
        code, out, err = bounded.run(*self.words(method, file))
        assert code == 0, (method, err)
        return numpy.load(self.folder / "y.npy"), err

    def equal(self, method, content, expected, within=0):
        found, _ = self.see(method, content)
        assert found.shape == expected.shape, (method, found.shape, expected.shape)
        distance = numpy.abs(found.astype(float) - expected.astype(float)).max(initial=0)
        assert distance <= within, (method, distance, found, expected)


def check_arrays(program):
    floats = numpy.array([0, -1.5, 3e38, numpy.inf, 1e-45], numpy.float32)
    for version in ((1, 0), (2, 0), (3, 0)):
        program.equal("bytes", arrays.npy(numpy.arange(250, dtype=numpy.uint8), version), numpy.arange(250))
    half = numpy.array([1, -0.5, 65504], numpy.float16)
    program.equal("floats", arrays.npy(half), half)
    program.equal("floats", arrays.npy(half.astype(">f2")), half)
    program.equal("floats", arrays.npy(numpy.zeros(0, numpy.float32)), numpy.zeros(0))
    for kind in ("<f4", ">f4"):
        found, note = program.see("floats", arrays.npy(floats.astype(kind)))
        assert (found == floats).all() and not note, (kind, found, note)
    found, note = program.see("floats", arrays.npy(numpy.array([0.1, 2.0])))
    assert (found == numpy.array([0.1, 2.0], numpy.float32)).all() and "rounded from f8 to f32" in note, note
    grid = numpy.arange(35, dtype=numpy.float32).reshape(5, 7)
    for layout in (grid, numpy.asfortranarray(grid), numpy.asfortranarray(grid.astype(">f4"))):
        program.equal("grid", arrays.npy(layout), grid)
    for kind in ("<i8", ">i8", "<i4", ">i4", "<i2", ">i2", "i1", "<u8", ">u8", ">u4", "<u2", "u1"):
        program.equal("ints", arrays.npy(numpy.array([0, 1, 127], kind)), numpy.array([0, 1, 127]))
    program.equal("ints", arrays.npy(numpy.array([-(1 << 31), -1], ">i8")), numpy.array([-(1 << 31), -1]))
    program.equal("bools", arrays.npy(numpy.array([True, False])), numpy.array([True, False]))
    for method, array in (("ints", numpy.array([1 << 31])), ("bytes", numpy.array([-1])), ("bytes", numpy.array([256])),
                          ("ints", numpy.array([1 << 63], numpy.uint64))):
        path = program.folder / "large.npy"
        path.write_bytes(arrays.npy(array))
        bounded.fails(program.words(method, path), path, "does not fit in")


def check_png(program):
    draw = numpy.random.default_rng(1)
    for height, width in ((1, 1), (5, 7), (9, 3), (16, 33)):
        for interlaced in (False, True):
            def png(samples, kind, depth=8, **more):
                return pictures.png(samples, kind, depth, interlaced=interlaced, **more)

            for depth in (1, 2, 4, 8, 16):
                values = draw.integers(0, 1 << depth, (height, width, 1))
                bytes_ = numpy.round(values * 255 / ((1 << depth) - 1)).astype(int)
                within = 1 if depth == 16 else 0
                program.equal("grey", png(values, GREY, depth), bytes_[:, :, 0], within)
                program.equal("colour", png(values, GREY, depth), bytes_.repeat(3, axis=2), within)
                if depth < 16:
                    palette = draw.integers(0, 256, (1 << depth, 3))
                    program.equal("colour", png(values, PALETTE, depth, palette=palette), palette[values[:, :, 0]])
            colour = draw.integers(0, 256, (height, width, 4))
            program.equal("colour", png(colour[:, :, :3], RGB), colour[:, :, :3])
            program.equal("alpha", png(colour, RGB_ALPHA), colour)
            opaque = numpy.concatenate([colour[:, :, :3], numpy.full((height, width, 1), 255)], axis=2)
            program.equal("alpha", png(colour[:, :, :3], RGB), opaque)
            program.equal("grey", png(colour[:, :, :2], GREY_ALPHA), colour[:, :, 0])
            found, note = program.see("colour", png(colour, RGB_ALPHA))
            assert (found == colour[:, :, :3]).all() and ("transparency" in note) == (colour[:, :, 3] != 255).any(), note
            luma = colour[:, :, :3] @ numpy.array([0.299, 0.587, 0.114])
            program.equal("grey", png(colour[:, :, :3], RGB), luma, 1.1)  # rounded down


def check_jpeg(program, writer):
    for height, width in ((1, 1), (8, 8), (37, 50)):
        for progressive in (False, True):
            grey, colour = pictures.smooth(height, width, 1), pictures.smooth(height, width, 3)
            program.equal("grey", pictures.jpeg(writer, grey, progressive), grey[:, :, 0], 4)
            program.equal("colour", pictures.jpeg(writer, grey, progressive), grey.repeat(3, axis=2), 4)
            program.equal("colour", pictures.jpeg(writer, colour, progressive), colour, 6)
            program.equal("grey", pictures.jpeg(writer, colour, progressive), colour @ numpy.array([0.299, 0.587, 0.114]), 6)
            # CMYK as Adobe writes it: 255 is no ink.
            ink = pictures.smooth(height, width, 4)
            expected = ink[:, :, :3] * (ink[:, :, 3:] / 255)
            program.equal("colour", pictures.jpeg(writer, ink, progressive), expected, 8)
    colour = pictures.smooth(20, 31, 3)
    plain = pictures.jpeg(writer, colour)
    turns = {1: colour, 2: colour[:, ::-1], 3: colour[::-1, ::-1], 4: colour[::-1], 5: colour.transpose(1, 0, 2),
             6: colour[::-1].transpose(1, 0, 2), 7: colour[::-1, ::-1].transpose(1, 0, 2), 8: colour[:, ::-1].transpose(1, 0, 2)}
    for orientation, expected in turns.items():
        for big in (False, True):
            program.equal("colour", pictures.with_orientation(plain, orientation, big), expected, 6)
    for damaged in (0, 9, 65535):
        program.equal("colour", pictures.with_orientation(plain, damaged), colour, 6)


def check_numbers(program):
    for method, text, expected in (("number", "-2.5e3", -2500), ("number", "+1", 1), ("whole", "7", 7)):
        code, out, err = bounded.run(*program.words(method, text))
        assert code == 0 and numpy.load(program.folder / "y.npy")[0] == expected, err
    for method, text, pattern in (("number", "seven", "no f32 number"), ("whole", "2.5", "no int number"),
                                  ("whole", "99999999999999999999", "no int number"), ("whole", "10", "must be in 0..10"),
                                  ("grey", "7", "cannot read 7"), ("number", "1e", "no f32 number")):
        bounded.fails(program.words(method, text), text, pattern)


def check_damaged(program, writer, count):
    started = time.monotonic()
    cases = [("floats", f"{name}.npy", content, pattern) for name, content, pattern in arrays.bad()]
    cases += [("colour", name, content, pattern) for name, content, pattern in pictures.bad(writer)]
    cases.append(("floats", "p.png", pictures.png(numpy.zeros((2, 2, 1), int), GREY), "a picture gives u8"))
    for method, name, content, pattern in cases:
        path = program.folder / name
        path.write_bytes(content)
        bounded.fails(program.words(method, path), path, pattern)
        path.unlink()
    bounded.fails(program.words("floats", program.folder), program.folder, "it is no file")
    picture = numpy.arange(12 * 12 * 3).reshape(12, 12, 3) % 251
    sources = [("floats", arrays.npy(numpy.arange(9, dtype=numpy.float32))), ("colour", pictures.png(picture, RGB)),
               ("alpha", pictures.png(picture[:, :, :1] % 4, PALETTE, 2, palette=picture[0, :4], interlaced=True)),
               ("colour", pictures.jpeg(writer, picture.astype(numpy.uint8))),
               ("grey", pictures.with_orientation(pictures.jpeg(writer, picture.astype(numpy.uint8), True), 6))]
    path = program.folder / "mutation"
    for number, (method, content) in enumerate(sources):
        errors = bounded.survives(program.words(method, path), content, path, count // len(sources), seed=number)
        assert count < 100 or errors > 5, (method, errors)
    bounded.report(f"{len(cases)} hostile inputs, {count} mutations", started)


def main():
    weft, writer = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    with tempfile.TemporaryDirectory() as name:
        program = Program(weft, pathlib.Path(name))
        started = time.monotonic()
        check_arrays(program)
        check_png(program)
        check_jpeg(program, writer)
        check_numbers(program)
        bounded.report("tensors, pictures and numbers of all kinds", started)
        check_damaged(program, writer, count)


main()
