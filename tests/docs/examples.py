"""Compiles the examples of documents: examples.py WEFT FILE.md...

Every block fenced as ```weft is a program or some of its declarations. It is formatted, passes `weft check`, its tests pass
and its entry compiles. A block fenced as ```weft error=CODE gives exactly this diagnostic, once.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```weft([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VERSION = "weft 0.1\n\n"


def examples(path):
    """(place, error code or none, program) of every block."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for match in FENCE.finditer(text):
        place = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        code = re.search(r"\berror=([a-z-]+)", match[1])
        program = match[2] if match[2].startswith("weft ") else VERSION + match[2]
        yield place, code[1] if code else None, program


def problem(weft, code, program):
    """What is wrong with an example; nothing if it is as the document says."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "example.weft")
        with open(path, "w", encoding="utf-8") as file:
            file.write(program)

        def run(*arguments):
            return subprocess.run([weft, *arguments, path], capture_output=True, text=True, timeout=300)

        checked = run("check", "--json")
        found = json.loads(checked.stdout)
        if code:
            codes = [diagnostic["code"] for diagnostic in found]
            return None if codes == [code] else f"gives {codes}, not {code}\n{run('check').stderr}"
        if checked.returncode or found:
            return run("check").stderr
        formatted = run("fmt", "--check")
        if formatted.returncode:
            with open(path, encoding="utf-8") as file:
                run("fmt")
                return "is not formatted; `weft fmt` makes\n" + open(path, encoding="utf-8").read()
        if re.search(r"^entry ", program, re.MULTILINE):
            compiled = run("compile", "--emit", "schedule")
            if compiled.returncode:
                return compiled.stderr
        if re.search(r'^test "', program, re.MULTILINE):
            tested = run("test", "-j1")
            if tested.returncode:
                return tested.stdout + tested.stderr
    return None


def main():
    weft, *paths = sys.argv[1:]
    found = [example for path in paths for example in examples(path)]
    if not found:
        raise SystemExit(f"no example in {paths}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = list(pool.map(lambda example: problem(weft, *example[1:]), found))
    wrong = 0
    for (place, _, _), text in zip(found, problems):
        if text is not None:
            wrong += 1
            print(f"{place}: {text}")
    print(f"{len(found)} examples, {wrong} wrong")
    sys.exit(1 if wrong else 0)


main()
