"""Every kind of diagnostic has a page and a test, and its page tells the truth: check_pages.py WEFT

The page docs/diagnostics/CODE.md is a title, one line that says what the diagnostic means, more text, and the sections
"Wrong:" and "Right:". Their blocks are files (```weft: a file without its first line; ```weft file: whole, or
```weft NAME.weft) and commands (```sh) that make files or run the compiler. Checking the first file of the wrong section
(or its command `weft ...`) reports the code and nothing else; that of the right section reports nothing.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "dsl"))
from checked_files import checked  # noqa: E402: what is beside other tests

BLOCK = re.compile(r"^```(\w+) *(\S*)\n(.*?)^```$", re.M | re.S)
COMMAND = re.compile(r"((?:[A-Z_]+=\S+ )*)weft ")
LONGEST_LINE = 400


def codes():
    return re.findall(r'^WEFT_DIAGNOSTIC\(\w+, "([^"]+)"', (ROOT / "dsl/base/diagnostic_kinds.def").read_text(), re.M)


def write_example(section, folder):
    """The first file of an example, and its command or nothing."""
    command = None
    first = "model.weft"
    for number, (language, name, text) in enumerate(BLOCK.findall(section)):
        if language == "sh":
            if COMMAND.match(text):
                command = text
                continue
            subprocess.run(["bash", "-c", text], cwd=folder, check=True)
            continue
        file = name if name.endswith(".weft") else "model.weft"
        if number == 0:
            first = file
        (folder / file).write_text(text if name else "weft 0.1\n\n" + text)
    return folder / first, command


def reported(weft, sections):
    """The codes that checking each example reports, in order."""
    with tempfile.TemporaryDirectory() as scratch:
        found, files = [None] * len(sections), {}
        for number, section in enumerate(sections):
            folder = pathlib.Path(scratch) / str(number)
            folder.mkdir()
            file, command = write_example(section, folder)
            if command is None:
                files[number] = file
                continue
            command = COMMAND.sub(rf"\1{shlex.quote(weft)} ", command, count=1)
            run = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
            found[number] = re.findall(r"^\S+?:\d+:\d+: error: .* \[([a-z0-9-]+)\]$", run.stderr, re.M)
        for number, diagnostics in zip(files, checked(weft, list(files.values()))):
            found[number] = [entry["code"] for entry in diagnostics]
        return found


def sections_of(page):
    """The wrong and the right example."""
    _, _, after = page.partition("\nWrong:\n")
    wrong, _, right = after.partition("\nRight:\n")
    return wrong, right


def problems_of(weft, code, examples):
    page = ROOT / "docs/diagnostics" / f"{code}.md"
    if not list((ROOT / "tests/errors").glob(code.replace("-", "_") + "*.weft")):
        yield f"no test tests/errors/{code.replace('-', '_')}.weft"
    if not page.exists():
        yield f"no page docs/diagnostics/{code}.md"
        return
    text = page.read_text()
    shown = subprocess.run([weft, "explain", code], capture_output=True, text=True, check=False)
    if shown.returncode != 0 or shown.stdout != text:
        yield f"`weft explain {code}` does not print the page"
    lines = text.split("\n")
    if lines[0] != f"# {code}" or lines[1] or not lines[2].endswith(".") or len(lines[2]) > LONGEST_LINE:
        yield "the page does not begin with its title and one line of meaning"
    if not all(sections_of(text)):
        yield "the page lacks a section Wrong: or Right:"
        return
    wrong, right = examples
    if wrong != [code]:
        yield f"the wrong example reports {wrong}"
    if right:
        yield f"the right example reports {right}"


def command_problems(weft):
    def explain(*arguments):
        run = subprocess.run([weft, "explain", *arguments], capture_output=True, text=True, check=False)
        return run.returncode, run.stdout, run.stderr

    code, output, _ = explain()
    listed = [line.split()[0] for line in output.splitlines()]
    if code != 0 or listed != codes() or not all(len(line.split()) > 3 for line in output.splitlines()):
        yield "`weft explain` does not list every code with its meaning"
    if explain("unknwon-name") != (1, "", "error: there is no diagnostic `unknwon-name`; did you mean `unknown-name`?\n"):
        yield "`weft explain` of a misspelt code does not suggest the nearest"
    if explain("zzz")[0] != 1 or explain("[unknown-name]")[0] != 0:
        yield "`weft explain` of nonsense, or of a code in brackets"


def main():
    weft = os.path.abspath(sys.argv[1])
    failures = [("weft explain", problem) for problem in command_problems(weft)]
    known = codes()
    pages = {code: ROOT / "docs/diagnostics" / f"{code}.md" for code in known}
    sections = {code: sections_of(page.read_text()) for code, page in pages.items() if page.exists()}
    found = iter(reported(weft, [section for both in sections.values() for section in both]))
    examples = {code: (next(found), next(found)) for code in sections}
    for code in known:
        failures += [(code, problem) for problem in problems_of(weft, code, examples.get(code))]
    for page in sorted((ROOT / "docs/diagnostics").glob("*.md")):
        if page.stem not in known:
            failures.append((page.name, "is the page of no diagnostic"))
    for name, problem in failures:
        print(f"{name}: {problem}")
    print(f"{len(known)} kinds, {len(failures)} problems")
    return 1 if failures or not known else 0


if __name__ == "__main__":
    sys.exit(main())
