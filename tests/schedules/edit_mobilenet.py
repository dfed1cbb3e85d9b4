"""A convolution of MobileNetV2 with another tile computes the same: edit_mobilenet.py WEFT"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy

MODEL = pathlib.Path(__file__).parents[2] / "examples/mobilenet_v2/mobilenet_v2.weft"


def main():
    weft = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "WEFT_CACHE_DIR": os.path.join(folder, "cache")}

        def run(*words):
            ran = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=1200)
            assert ran.returncode == 0, ran.stderr
            return ran.stdout

        printed = run(weft, "compile", str(MODEL), "--emit", "schedule")
        # The stem, as the method `logits` has it.
        blocks = re.findall(r"^schedule features\.0\.0\.y\.y[_0-9]* \{\n.*?^\}\n", printed, re.M | re.S)
        edited, count = re.subn(r"(split \w+ by )(\d+)", lambda m: f"{m[1]}{max(1, int(m[2]) // 2)}", blocks[-1])
        assert count and edited != blocks[-1], blocks
        pathlib.Path(folder, "edited.schedule").write_text(printed.replace(blocks[-1], edited))
        image = numpy.random.Generator(numpy.random.Philox(2)).uniform(-2, 2, (1, 3, 224, 224)).astype(numpy.float32)
        numpy.save(os.path.join(folder, "image.npy"), image)
        results = []
        for name, extra in (("default", []), ("edited", ["--schedule", "edited.schedule"])):
            run(weft, "compile", str(MODEL), "-o", name, *extra)
            run(f"./{name}", "logits", "--init", "1", "--input", "image=image.npy", "--output", f"logit={name}.npy")
            results.append(numpy.load(os.path.join(folder, f"{name}.npy")))
        assert numpy.abs(results[0]).max() > 0
        assert numpy.allclose(results[0], results[1], rtol=1e-4, atol=1e-4 * numpy.abs(results[0]).max())
    print("the edited schedule computes the same:\n" + edited)


if __name__ == "__main__":
    main()
