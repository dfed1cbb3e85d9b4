"""How long `weft compile` takes for ResNet-50: from an empty cache, after an edit of one op, and again."""

import os
import statistics
import subprocess
import time

from networks import STANDARD, Network

KINDS = {"cold": "from an empty cache", "edited": "one op edited", "again": "nothing edited"}
ROUNDS = 5
TITLE = ["| | " + " | ".join(f"{kind}, s" for kind in KINDS.values()) + " |", "|---" * (len(KINDS) + 1) + "|"]


def write(folder, factor):
    """ResNet-50 whose results are multiplied by a factor."""
    path, = Network("network", "resnet50", network="resnet50", sizes=STANDARD["resnet50"]).program(folder)
    text, result = path.read_text(), "logit = net(image)"
    assert result in text, text
    path.write_text(text.replace(result, f"score = net(image)\n    logit[b, c] = {factor} * score[b, c]"))
    return path


def measure(weft, folder):
    """Seconds by kind; medians of what needs no empty cache."""

    def seconds(factor):
        path = write(folder, factor)
        start = time.monotonic()
        subprocess.run([weft, "compile", path, "-o", folder / "compiled"], check=True,
                       env={**os.environ, "WEFT_CACHE_DIR": str(folder / "cache")})
        return time.monotonic() - start

    cold = seconds(1.0)
    return {"cold": round(cold, 2), "edited": round(statistics.median(seconds(2.0 + number) for number in range(ROUNDS)), 2),
            "again": round(statistics.median(seconds(1.0) for _ in range(ROUNDS)), 2)}


def line(found):
    return "| resnet50 | " + " | ".join(f"{found[kind]:.2f}" for kind in KINDS) + " |"


def newest(runs):
    """What the last run that has measured it found, or None."""
    return next((run["compile"] for run, _ in reversed(runs) if "compile" in run), None)
