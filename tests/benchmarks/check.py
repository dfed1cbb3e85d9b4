"""The benchmark without its peers: what it makes of recorded runs, its programs, and a run of ours alone.

Usage: check.py WEFT
"""

import html.parser
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import chart_page
import compiling
import contenders
import kernels
import pages
import report
import subjects

RECORDED = pathlib.Path(__file__).parent / "recorded.jsonl"


def same(found, wanted, what):
    if found != wanted:
        sys.exit(f"{what}:\n{found}\ninstead of\n{wanted}")


def recorded_runs():
    """Two runs by hand: a network that lost its lead, a product that was never timed again, attention without a limit."""
    runs = report.history(RECORDED)
    same([(run["run"], len(rows)) for run, rows in runs], [("2026-01-01 10:00", 3), ("2026-01-02 10:00", 2)], "runs")
    found = report.series(runs)
    newest = [rows[-1] for rows in found.values()]
    same([report.line(row) for row in newest], [
        "| small | 1 | 2 | **1.50** (1.40-1.60) | OpenVINO 1.50, ONNX Runtime 1.88 | 50 | 0.40 |",
        "| 8x8x8 | 1 | 0.5 | **0.80** (0.70-0.90) | oneDNN 0.80 | 2 | 0.50 moving |",
        "| 2x16x4 | 2 | 1.234 |  |  |  |  |"], "rows")
    same(report.summary(newest)[2:], ["| network | 1 | 1 | 0.40 | 0.40 (small) | 1.50 | 1.50 (small) |",
                                      "| matrix product | 1 | 1 | 0.50 | 0.50 (8x8x8) | 0.80 | 0.80 (8x8x8) |"], "summary")
    same(report.summary([newest[0], {**newest[0], "name": "large", "share": [0.9, 0.9, 0.9]}])[2:],
         ["| network | 1 | 2 | 0.60 | 0.40 (small) | 1.50 | 1.50 (small) |"], "the geometric mean of 0.4 and 0.9")
    same(report.slower(found), ["slower than before: small, 1 thread, share 0.40 after 0.60"], "what is slower")


class Drawn(html.parser.HTMLParser):
    """Counts the marks of a page and sees that its elements are closed."""

    ALONE = {"meta", "rect", "line", "circle"}

    def __init__(self, text):
        super().__init__()
        self.open, self.count = [], {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in self.ALONE or (tag != "meta" and not self.get_starttag_text().endswith("/>")):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            sys.exit(f"the page closes {tag} where it is not open")


def page():
    runs = report.history(RECORDED)
    machines = [(runs[-1][0], report.series(runs), runs)]
    text = pages.machine_text(*machines[0])
    for wanted in ("## Some processor, AVX2", "2 processors; ONNX Runtime 1, OpenVINO 3, oneDNN 2", "### Networks",
                   "### Attention", "- 1 thread: 100 GFLOP/s; GB/s read from l1 200, l2 100, l3 20, memory 10",
                   "### Compiling (`weft compile`)", "| resnet50 | 12.50 | 1.75 | 0.25 |", "- slower than before: small"):
        if wanted not in text:
            sys.exit(f"the page does not say {wanted}:\n{text}")
    drawn = Drawn(chart_page.page(machines))
    same(drawn.open, [], "elements that are not closed")
    # Bars: R and share of two rows. Dots: a second peer, and a product in the roofline.
    same((drawn.count["rect"], drawn.count["circle"]), (4, 2), "bars and dots")


def pages_are_up_to_date():
    for path, text in pages.texts().items():
        if path.read_text() != text:
            sys.exit(f"{path.relative_to(ROOT)} is not what is in benchmarks/results: benchmarks/run.py --pages")


def results():
    """Results that differ are seen."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def apart(mine, other):
            np.savez(folder / "weft.npz", *mine), np.savez(folder / "onnx.npz", *other)
            return contenders.difference(folder, "onnx")

        x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
        whole = np.arange(4)
        same([apart([x], [x + np.float32(1e-5)]), apart([whole], [whole])], ["", ""], "equal results")
        for mine, other in (([x], [x + 1e-3]), ([x], [x.T]), ([x], [x, x]), ([x], [x * np.nan]), ([whole], [whole + 1])):
            if not apart(mine, other):
                sys.exit(f"{other} passes for {mine}")


def programs(weft):
    """Every subject's program is one of the language; kernels count what their sizes say."""
    product = kernels.linear(3, 5, 7)
    same((product.flops, product.bytes), (2 * 3 * 5 * 7, 4 * (3 * 5 + 5 * 7 + 3 * 7)), "a matrix product")
    layer = kernels.conv(9, 4, 6, 3, 2, 1, 2)
    same((layer.result(), layer.flops), ((5, 5, 6), 2 * 25 * 6 * 2 * 9), "a convolution in two groups")
    found = subjects.everything(seed=1)
    same(len({(subject.group, subject.name) for subject in found}), len(found), "different subjects")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for subject in found:
            if subject.group != "system":  # those are examples, with tests of their own; finding them needs their references
                subprocess.run([weft, "check", *subject.program(folder)], check=True)
        subprocess.run([weft, "check", compiling.write(folder, 2.0)], check=True)


def tiny_run(weft):
    ran = subprocess.run([sys.executable, ROOT / "benchmarks/run.py", "--only", "61x333,64 kernels", "--peers", "",
                          "--threads", "1", "--rounds", "5", "--seconds", "0.2", "--weft", weft], capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{ran.stdout}{ran.stderr}")
    rows = dict(re.findall(r"^\| ([^|]+) \| 1 \| [0-9.e-]+ \|  \|  \|  \| ([0-9.]*)[ a-z]* \|$", ran.stdout, re.MULTILINE))
    same(sorted(rows), ["64 kernels", "layer norm 61x333", "softmax 61x333"], f"rows of\n{ran.stdout}")
    for name, share in rows.items():
        # How much of the limit is a matter of the machine's other work.
        if (name == "64 kernels") != (share == "") or (share and not float(share) > 0):
            sys.exit(f"{name} reaches {share} of the limit")


recorded_runs()
page()
pages_are_up_to_date()
results()
programs(sys.argv[1])
tiny_run(sys.argv[1])
