"""What `weft show` says of the models people know: show.py WEFT EXAMPLES

Parameters are those of the usual checkpoints. The work is at least that of the convolutions and matrix products, whose
multiply-adds (two operations each) are well known, and little more; of small programs it is counted by hand.
"""

import json
import os
import subprocess
import sys
import tempfile

# (model, parameters, multiply-adds in millions of one image)
KNOWN = [("mobilenet_v2", 3_504_872, 300.774), ("resnet50", 25_557_032, 4089.184), ("vit_b16", 86_567_656, 17563.8)]

# (body of an entry, operations at the smallest sizes)
COUNTED = [
    ("dim N in 3..9  forward(x: f32[N, 4]) -> y: f32[N] { y[n] = sum(i) x[n, i] * x[n, i] }", 3 * 4 * 2),
    ("forward(x: f32[5]) -> y: f32[5] { y[n] = exp(x[n]) + 1 }", 5 * 2),
    ("forward(x: f32[5]) -> y: f32[5] { y[n] = x[n] / 3 if x[n] > 0 else x[n] }", 5 * 2),
    ("forward(x: f32[6]) -> y: f32 { y = max(n) x[n] }", 6),
    ("forward(x: i32[6]) -> y: i32[6] { y[n] = x[n] + 1 }", 0),
    ("param w: float[7, 4]  forward(x: f32[4]) -> y: f32[7] { y[o] = sum(i) w[o, i] * x[i] }", 7 * 4 * 2),
]  # fmt: skip


def show(weft, file, *words):
    done = subprocess.run([weft, "show", file, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def main():
    weft, examples = map(os.path.abspath, sys.argv[1:])
    for model, parameters, millions in KNOWN:
        file = f"{examples}/{model}/{model}.weft"
        (entry,) = json.loads(show(weft, file, "--json"))
        assert entry["parameters"] == parameters, entry["parameters"]
        logits = entry["methods"]["logits"]
        assert logits["flops_at"] == {"B": 1}, logits
        share = logits["flops"] / (2e6 * millions)
        assert 1 <= share < 1.035, (model, logits["flops"], share)
        text = show(weft, file)
        assert f"entry classify: {parameters} parameters, " in text and f", {logits['flops'] * 1e-9:.3g} GFLOP at B = 1\n" in text, text
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/counted.weft"
        for body, count in COUNTED:
            with open(file, "w", encoding="utf-8") as made:
                made.write(f"weft 0.1\n\nentry net {{ {body} }}\n")
            (entry,) = json.loads(show(weft, file, "--json"))
            assert entry["methods"]["forward"]["flops"] == count, (body, entry)


main()
