"""`weft profile` writes a page that holds every kernel, whole or not at all: profile.py WEFT"""

import html.parser
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

MODEL = """weft 0.1

entry net {
  param weight: f32[32, 64]
  forward(x: f32[16, 64]) -> y: f32[16] {
    h[n, o] = tanh(sum(i) x[n, i] * weight[o, i])
    y[n] = sum(o) h[15 - n, o]
  }
  copies(x: f32[9]) -> y: f32[9] { y[n] = x[n] * 3 }
}
"""


class Page(html.parser.HTMLParser):
    """Elements are closed, nothing is loaded, and the data is JSON."""

    ALONE = {"meta", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.data, self.ids = [], "", set()
        self.feed(text)
        self.close()
        assert self.open == [], self.open
        self.data = json.loads(self.data)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        assert not {"src", "href"} & set(found), found
        self.ids.add(found.get("id"))
        if tag not in self.ALONE:
            self.open.append((tag, found.get("id")))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop()[0] == tag, tag

    def handle_data(self, data):
        if self.open and self.open[-1] == ("script", "data"):
            self.data += data


def run(weft, folder, *words):
    return subprocess.run([weft, "profile", *words], cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def check_page(weft, folder):
    done = run(weft, folder, "m.weft", "--init", "1", "-o", "out.html")
    assert done.returncode == 0 and done.stdout == "out.html\n", done
    text = (folder / "out.html").read_text()
    page = Page(text)
    assert {"timeline", "graph", "roofline", "table", "summary"} <= page.ids, page.ids
    assert not re.search(r"https?://(?!www\.w3\.org)|@import|url\(", text)
    words = [weft, "explain", "--kernels", "m.weft", "--method", "forward", "--json"]
    (entry,) = json.loads(subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout)
    wanted = entry["methods"][0]
    method = page.data["method"]
    assert len(wanted["kernels"]) == 2 and method["method"] == "forward", method
    for mine, other in zip(method["kernels"], wanted["kernels"], strict=True):
        assert [mine[part] for part in ("name", "flops", "bytes", "lines")] == [other[part] for part in ("name", "flops", "bytes", "lines")]
        assert mine["measured_seconds"] > 0 and mine["limit_seconds"] > 0, mine
    assert abs(sum(kernel["share_of_time"] for kernel in method["kernels"]) - 1) < 1e-6, method
    assert sorted({number for number, _, _ in page.data["timeline"]["slices"]}) == list(range(len(method["launches"])))
    begun = [start for _, start, _ in page.data["timeline"]["slices"]]
    assert begun == sorted(begun) and page.data["timeline"]["seconds"] >= begun[-1] and page.data["median_seconds"] > 0
    (edge,) = [operand for operand in method["launches"][1]["operands"] if operand["kind"] == "kernel"]
    assert edge["from"] == method["launches"][0]["number"] and edge["bytes"] == 16 * 32 * 4, edge


def check_words(weft, folder):
    done = run(weft, folder, "m.weft", "copies", "--init", "1", "--threads", "1")
    assert done.returncode == 0 and done.stdout == "profile.html\n", done
    page = Page((folder / "profile.html").read_text())
    assert page.data["method"]["method"] == "copies" and page.data["limits"][-1]["threads"] == 1, page.data["method"]
    for words, cause in ((["m.weft", "backward", "--init", "1"], "there is no method `backward`"), (["m.weft"], "needs weights"),
                         (["m.weft", "--init", "1", "--nonsense"], "unknown option `--nonsense`"),
                         (["none.weft"], "cannot read"), (["m.weft", "--init", "1", "-o", "none/p.html"], "cannot write")):  # fmt: skip
        done = run(weft, folder, *words)
        assert done.returncode == 1 and cause in done.stderr and done.stdout == "", (words, done)


def check_interruption(weft, folder):
    """Ctrl-C while the program runs leaves the page that was there, and nothing else."""
    before = (folder / "out.html").read_text()
    files = set(folder.iterdir())
    command = [weft, "profile", "m.weft", "--init", "1", "-o", "out.html"]
    process = subprocess.Popen(command, cwd=folder, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1.5)  # it is compiled already, and measured for some seconds
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, process.returncode
    assert (folder / "out.html").read_text() == before and set(folder.iterdir()) == files, set(folder.iterdir()) - files


def main():
    weft = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "m.weft").write_text(MODEL)
        check_page(weft, folder)
        check_words(weft, folder)
        check_interruption(weft, folder)


main()
