"""What compiling costs, in counts: a full cache leaves no kernel to compile, and the work of the front end and the passes
grows with the depth of a network, not with its square.

Usage: compile_work.py WEFT EXAMPLES
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

NETWORK = """weft 0.1

import std.resnet: ResNet

entry deep {{
  net: ResNet(depths = [{depth}, {depth}, {depth}, {depth}], width = 8)
  run(image: f32[1, 3, 64, 64]) -> logit: f32[1, 1000] {{ logit = net(image) }}
}}
"""


def kernels(weft, model, folder):
    """How many kernels were compiled and how many came from the cache."""
    done = subprocess.run([weft, "compile", model, "-o", f"{folder}/program", "--timing"], capture_output=True, text=True, timeout=600,
                          env={**os.environ, "WEFT_CACHE_DIR": f"{folder}/cache"}, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stderr)
    return tuple(map(int, re.search(r"(\d+) compiled, (\d+) from cache", done.stderr).groups()))


def instructions(weft, depth, folder):
    """Of the compiler up to the last pass, by callgrind. It knows no AVX-512, which the target's name keeps out of this."""
    model = pathlib.Path(folder, f"deep{depth}.weft")
    model.write_text(NETWORK.format(depth=depth))
    command = [weft, "compile", model, "--target", "x86-64-v3", "--emit", "ir", "-o", f"{folder}/deep.mlir"]
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command], capture_output=True,
                          text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    count = max(map(int, re.findall(r"Collected : (\d+)", done.stderr)))  # the other ones are of child processes
    print(f"{16 * depth:4} residual blocks' layers: {count / 1e6:.0f} million instructions")
    return count


def main():
    weft, examples = map(os.path.abspath, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        compiled, cached = kernels(weft, f"{examples}/resnet50/resnet50.weft", folder)
        assert compiled and not cached
        other = pathlib.Path(folder, "other_name.weft")
        other.write_bytes(pathlib.Path(examples, "resnet50/resnet50.weft").read_bytes())
        assert kernels(weft, other, folder) == (0, compiled)

        small, middle, large = (instructions(weft, depth, folder) for depth in (1, 2, 4))
        growth = (large - middle) / (middle - small)
        assert growth < 2.3, f"twice as many layers more cost {growth:.2f} times as much more"


main()
