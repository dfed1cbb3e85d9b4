"""Kernels by themselves: the share of the machine's limit that default schedules reach.

    .venv/bin/python benchmarks/kernels.py [--only TEXT] [--threads 1] [--rounds 5] [--json FILE]

Compiles a small Weft program for each kernel and times it with `--bench`. The limit of a kernel is the longer of two
times, both measured in the same run: its multiplications and additions at the speed of multiply-adds in registers, and
its operands and results, each moved once, at the speed of reading from the cache that holds all of them. Row reductions
and pointwise kernels that call exp or erf are held against the same limit, which leaves those out.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLOAT = 4


def program(net, method, imports):
    lines = "".join(f"import {line}\n" for line in imports)
    return f"weft 0.1\n\n{lines}\nentry kernel {{\n{net}  {method}\n}}\n"


def linear(rows, inputs, outputs):
    source = program(f"  net: Linear({inputs}, {outputs})\n",
                     f"forward(x: f32[{rows}, {inputs}]) -> y: f32[{rows}, {outputs}] {{ y = net(x) }}",
                     ["std.linear: Linear"])
    return source, 2 * rows * inputs * outputs, FLOAT * (rows * inputs + inputs * outputs + rows * outputs)


def conv(size, channels, results, window, stride=1, groups=1):
    pad = (window - 1) // 2
    out = (size + 2 * pad - window) // stride + 1
    source = program(
        f"  net: Conv2d({channels}, {results}, {window}, stride = {stride}, pad = {pad}, groups = {groups})\n",
        # The result in the order that convolutions hand on to each other.
        f"forward(x: f32[{size}, {size}, {channels}]) -> y: f32[{out}, {out}, {results}] {{\n"
        f"    picture[b < 1, c, i, j] = x[i, j, c]\n    z = net(picture)\n    y[i, j, c] = z[0, c, i, j]\n  }}",
        ["std.conv: Conv2d"])
    weights = results * channels // groups * window * window
    return source, 2 * weights * out * out, FLOAT * (size * size * channels + weights + out * out * results)


def rows(kind, count, length):
    if kind == "softmax":
        source = program("", f"forward(x: f32[{count}, {length}]) -> y: f32[{count}, {length}] {{ y[i] = softmax(x[i]) }}",
                         ["std.softmax: softmax"])
    else:
        source = program(f"  net: LayerNorm({length})\n",
                         f"forward(x: f32[{count}, {length}]) -> y: f32[{count}, {length}] {{ y = net(x) }}",
                         ["std.norm: LayerNorm"])
    return source, 0, 2 * FLOAT * count * length


def pointwise(body, inputs, count):
    names = "abc"[:inputs]
    source = program("", f"forward({', '.join(f'{n}: f32[{count}]' for n in names)}) -> y: f32[{count}] {{ y[i] = {body} }}",
                     ["std.activation: gelu"] if "gelu" in body else [])
    return source, 0, FLOAT * (inputs + 1) * count


def attention(heads, length, dim):
    shape = f"f32[{heads}, {length}, {dim}]"
    source = program("", f"forward(q: {shape}, k: {shape}, v: {shape}) -> y: {shape} {{ y[h] = attention(q[h], k[h], v[h]) }}",
                     ["std.attention: attention"])
    return source, 4 * heads * length * length * dim, FLOAT * 4 * heads * length * dim


KERNELS = {
    "gemm 197x768x3072": linear(197, 768, 3072),
    "gemm 197x3072x768": linear(197, 3072, 768),
    "gemm 128x768x768": linear(128, 768, 768),
    "gemm 50x1280x1000": linear(50, 1280, 1000),
    "gemm 131x517x389": linear(131, 517, 389),
    "gemm 1x2048x1000": linear(1, 2048, 1000),
    "conv 1x1 56 64>256": conv(56, 64, 256, 1),
    "conv 1x1 14 1024>256": conv(14, 1024, 256, 1),
    "conv 1x1 7 512>2048": conv(7, 512, 2048, 1),
    "conv 1x1 s2 28 512>1024": conv(28, 512, 1024, 1, 2),
    "conv 1x1 33 75>141": conv(33, 75, 141, 1),
    "conv 3x3 56 64": conv(56, 64, 64, 3),
    "conv 3x3 28 128": conv(28, 128, 128, 3),
    "conv 3x3 14 256": conv(14, 256, 256, 3),
    "conv 3x3 7 512": conv(7, 512, 512, 3),
    "conv 3x3 19 117": conv(19, 117, 117, 3),
    "conv 3x3 s2 56 128": conv(56, 128, 128, 3, 2),
    "conv 7x7 s2 224 3>64": conv(224, 3, 64, 7, 2),
    "conv 3x3 s2 224 3>32": conv(224, 3, 32, 3, 2),
    "depthwise 56 144": conv(56, 144, 144, 3, 1, 144),
    "depthwise 14 576": conv(14, 576, 576, 3, 1, 576),
    "depthwise s2 112 96": conv(112, 96, 96, 3, 2, 96),
    "depthwise 5x5 27 85": conv(27, 85, 85, 5, 1, 85),
    "softmax 2364x197": rows("softmax", 2364, 197),
    "softmax 128x1000": rows("softmax", 128, 1000),
    "layer norm 197x768": rows("layer_norm", 197, 768),
    "layer norm 61x333": rows("layer_norm", 61, 333),
    "pointwise a*b+c 100k": pointwise("a[i] * b[i] + c[i]", 3, 100_003),
    "pointwise relu(a+b) 1M": pointwise("maximum(a[i] + b[i], 0)", 2, 1_000_003),
    "pointwise exp 100k": pointwise("exp(a[i])", 1, 100_003),
    "pointwise gelu 100k": pointwise("gelu(a[i])", 1, 100_003),
    "attention 12x197x64": attention(12, 197, 64),
    "attention 12x128x64": attention(12, 128, 64),
    "attention 8x512x64": attention(8, 512, 64),
    "attention 5x1024x40": attention(5, 1024, 40),
}


def chain(length):
    """A program of many kernels that do next to nothing."""
    body = "".join(f"    x{i + 1} = net[{i}](x{i})\n" for i in range(length))
    return program(f"  net: [Linear(8, 8); {length}]\n",
                   f"forward(x: f32[2, 8]) -> y: f32[2, 8] {{\n    x0 = x\n{body}    y = x{length}\n  }}",
                   ["std.linear: Linear"])


def build(weft, source, folder):
    (folder / "kernel.weft").write_text(source)
    subprocess.run([weft, "compile", folder / "kernel.weft", "-o", folder / "kernel"], check=True)


def bench(folder, threads, rounds):
    times = []
    for _ in range(rounds):
        text = subprocess.run([folder / "kernel", "--bench", "--json", "--init", "1", "--threads", str(threads)], check=True,
                              capture_output=True, text=True,
                              preexec_fn=lambda: machine.take_the_processors(threads)).stdout
        times.append(json.loads(text)["median_ms"])
    return statistics.median(times)


def limit_ms(limits, flops, size, threads):
    level = "l1" if size < 0.75 * limits["l1_bytes"] else "l2" if size < 0.75 * limits["l2_bytes"] else \
        "l3" if size < 8 * limits["l2_bytes"] else "memory"
    speed = limits[level] * (1 if level == "memory" else threads)
    return max(flops / (limits["fma"] * threads), size / speed) * 1e-6, level


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="kernels whose names hold this text")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--weft", default=str(ROOT / "build/bin/weft"))
    parser.add_argument("--json", help="a file for the numbers")
    options = parser.parse_args()
    limits = machine.limits()
    print(f"limits: {json.dumps(limits)}")
    print("| kernel | us | GFLOP/s | GB/s | share of the limit |\n|---|---|---|---|---|")
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for kernel, (source, flops, size) in KERNELS.items():
            if options.only not in kernel:
                continue
            build(options.weft, source, folder)
            ms = bench(folder, options.threads, options.rounds)
            least, level = limit_ms(limits, flops, size, options.threads)
            results.append({"kernel": kernel, "ms": ms, "gflops": flops / ms * 1e-6, "gbps": size / ms * 1e-6,
                            "share": least / ms, "level": level})
            print(f"| {kernel} | {1000 * ms:.1f} | {flops / ms * 1e-6:.1f} | {size / ms * 1e-6:.1f} ({level}) | "
                  f"{least / ms:.2f} |", flush=True)
        if not options.only:
            build(options.weft, chain(64), folder)
            print(f"a kernel's launch: {1e6 * bench(folder, options.threads, options.rounds) / 64:.0f} ns")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"limits": limits, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
