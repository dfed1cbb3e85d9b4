"""Files stay short, end in a newline, and speak of the project alone.

Usage: files.py ROOT
"""

import pathlib
import re
import subprocess
import sys

MOST_LINES = 700
MADE = {"docs/ops.md", "docs/passes.md", "docs/stdlib.md"}  # by scripts/docs, as long as what they list
CODE = {".cc", ".h", ".c", ".td", ".def", ".py", ".weft", ".mlir", ".cmake", ".sh", ".txt", ".md", ""}
GUARD = re.compile(r"^#ifndef (\S+)$", re.MULTILINE)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# Names that C++ keeps for its compilers and libraries, where they are declared; clang-tidy's check of them is slow.
RESERVED = re.compile(r"#define (?:_[A-Z_]|\w*__)\w*|\b[A-Za-z0-9]\w*__\w*|"
                      r"\b(?:auto|bool|char|class|const|double|enum|float|int|namespace|struct|u?int\d+_t|using)\b[ *&]+"
                      r"(?!__int128\b)(?:_[A-Z]|__)\w+")  # fmt: skip
VAGUE = re.compile(r"(^|[/_])(utils?|helpers?|misc)(\.|/|$)")


def faults(root, path):
    if VAGUE.search(path):
        yield 1, "a file is named after its subject"
    file = root / path
    if file.suffix not in CODE or file.name == "LICENSE" or file.is_symlink():
        return
    text = file.read_text(errors="replace")
    lines = text.splitlines()
    if len(lines) > MOST_LINES and path not in MADE:
        yield len(lines), f"more than {MOST_LINES} lines: split it by what it does"
    if text and not text.endswith("\n"):
        yield len(lines), "no newline at the end"
    if file.suffix == ".h":
        wanted = "WEFT_" + re.sub(r"\W", "_", path).upper() + "_"
        guard = GUARD.search(text)
        if guard and guard.group(1) != wanted:
            yield 1, f"the guard of this header is {wanted}"
    for number, line in enumerate(lines, 1):
        if file.suffix in {".cc", ".h"} and RESERVED.search(line):
            yield number, "a name that C++ reserves"
        if UNFINISHED.search(line) and path != "tests/lint/files.py":
            yield number, "an unfinished mark"
        if line != line.rstrip() and file.suffix not in {".md", ".txt", ".weft"}:
            yield number, "space at the end of the line"


def main():
    root = pathlib.Path(sys.argv[1])
    listed = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True, check=True)
    count = 0
    for path in listed.stdout.splitlines():
        if (root / path).is_file():
            for number, fault in faults(root, path):
                print(f"{path}:{number}: {fault}")
                count += 1
    sys.exit(count > 0)


main()
