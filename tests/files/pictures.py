"""Writes .png files of every kind, and .jpg files by the program write_jpeg; and damaged ones."""

import struct
import subprocess
import zlib

import numpy

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _scanlines(samples, depth):
    """Rows of samples [H, W, C], each behind the byte that says it is not filtered."""
    lines = b""
    for row in samples:
        flat = row.ravel()
        if depth == 16:
            line = flat.astype(">u2").tobytes()
        elif depth == 8:
            line = flat.astype(numpy.uint8).tobytes()
        else:
            bits = ((flat[:, None] >> numpy.arange(depth)[::-1]) & 1).astype(numpy.uint8)
            line = numpy.packbits(bits).tobytes()
        lines += b"\0" + line
    return lines


def png(samples, kind, depth=8, palette=None, transparency=None, interlaced=False, size=None):
    """`samples` [H, W, C]; palette [N, 3]; transparency: the content of tRNS; size: what the header claims."""
    height, width = samples.shape[:2]
    if interlaced:
        passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
        data = b"".join(_scanlines(part, depth) for r, c, dr, dc in passes
                        for part in [samples[r::dr, c::dc]] if part.size)
    else:
        data = _scanlines(samples, depth)
    claimed = size or (width, height)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *claimed, depth, kind, 0, 0, int(interlaced)))
    if palette is not None:
        content += chunk(b"PLTE", palette.astype(numpy.uint8).tobytes())
    if transparency is not None:
        content += chunk(b"tRNS", transparency)
    return content + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def jpeg(writer, samples, progressive=False):
    height, width, channels = samples.shape
    words = [writer, str(width), str(height), str(channels), "progressive" if progressive else "plain"]
    return subprocess.run(words, input=samples.tobytes(), stdout=subprocess.PIPE, check=True).stdout


def with_orientation(content, orientation, big=False):
    """The .jpg with an EXIF block that says how it is turned."""
    order = ">" if big else "<"
    tiff = (b"MM" if big else b"II") + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)
    block = b"Exif\0\0" + tiff
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + content[2:]


def smooth(height, width, channels):
    """A picture that .jpg keeps well, with no symmetry."""
    i, j, c = numpy.meshgrid(numpy.arange(height), numpy.arange(width), numpy.arange(channels), indexing="ij")
    return (20 + 150 * i / height + 60 * (j / width) ** 2 + 20 * c * (j / width)).astype(numpy.uint8)


def bad(writer):
    """(name, bytes, what the error must say)."""
    grey = numpy.zeros((4, 4, 1), int)
    whole = png(numpy.arange(48).reshape(4, 4, 3), RGB)
    yield "bomb.png", png(grey, GREY, size=(1 << 19, 1 << 19)), "too large|cut off|size"
    yield "giant.png", png(grey, GREY, size=(1 << 31, 4)), "damaged .png"
    yield "wide.png", png(grey, GREY, size=((1 << 31) - 1, (1 << 31) - 1)), "damaged .png"
    yield "claims.png", png(grey, GREY, size=(2000, 2000)), "damaged .png.*(cut off|data)"
    # It decompresses to all that it claims, which is more than any photograph.
    zeros = zlib.compressobj(9)
    data = b"".join(zeros.compress(bytes(1 << 20)) for _ in range(400)) + zeros.flush()
    yield "zeros.png", (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 20000, 20000, 8, GREY, 0, 0, 0))
                        + chunk(b"IDAT", data) + chunk(b"IEND", b"")), "too large"
    yield "no_rows.png", png(grey, GREY, size=(4, 0)), "damaged .png"
    yield "depth.png", png(grey, RGB, depth=4), "damaged .png"
    yield "no_palette.png", png(grey, PALETTE), "damaged .png"
    yield "crc.png", whole.replace(whole[16:20], b"\0\0\0\5", 1), "damaged .png"
    yield "text.png", (whole[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100 << 20))) + whole[33:-12]), "damaged .png.*cut off"
    for cut in range(4, len(whole), 7):
        yield f"cut_{cut}.png", whole[:cut], "damaged .png|neither"
    picture = jpeg(writer, smooth(40, 40, 3))
    start = picture.index(b"\xff\xc0")

    def claiming(height, width):
        return picture[:start + 5] + struct.pack(">HH", height, width) + picture[start + 9:]

    yield "bomb.jpg", claiming(65500, 65500), "too large|cut off"
    yield "claims.jpg", claiming(4000, 4000), "damaged .jpg"
    yield "no_columns.jpg", claiming(40, 0), "damaged .jpg"
    yield "scans.jpg", _many_scans(writer), "damaged .jpg"
    for cut in range(3, len(picture) - 2, len(picture) // 12):
        yield f"cut_{cut}.jpg", picture[:cut], "damaged .jpg"
    yield "magic.jpg", b"\xff\xd8\xff" + bytes(100), "damaged .jpg"
    yield "text.jpg", b"this is no picture" * 10, "neither"
    yield "nothing.jpg", b"", "neither"
    yield "gif.png", b"GIF89a" + bytes(100), "neither"


def _many_scans(writer):
    """A progressive picture whose last scan is there a thousand times."""
    content = jpeg(writer, smooth(64, 64, 1), progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * 1000 + content[-2:]
