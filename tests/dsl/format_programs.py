"""Formats model files in copies: python format_programs.py WEFT FILE...

Every file must parse; formatting must keep every token and comment, change nothing the second time, and undo what a
careless editor does to white space. The files themselves must be formatted already.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

TOKEN = re.compile(r'//[^\n]*|"(?:\\.|[^"\\\n])*"|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\.|[-~=!<>]=|->|\+\+|\S')


def tokens(text):
    return [token.rstrip() for token in TOKEN.findall(text)]


def carelessly_spaced(text):
    """The same tokens: tabs and no indentation, several blank lines."""
    return "\n".join(line.strip() and "\t" + line.strip() + "  " for line in text.splitlines()).replace("\n\n", "\n\n\n\n") + "\n\n"


def main():
    weft, files = sys.argv[1], sys.argv[2:]
    texts = [pathlib.Path(name).read_text() for name in files]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        # Two copies of each, formatted by one process: starting it takes longer than formatting any of them.
        copies = {}
        for number, text in enumerate(texts):
            for kind, variant in (("as_is", text), ("careless", carelessly_spaced(text))):
                path = pathlib.Path(folder) / f"{number}_{kind}.weft"
                path.write_text(variant)
                copies[path] = number
        subprocess.run([weft, "fmt", *copies], check=False, stdout=subprocess.DEVNULL)
        again = subprocess.run([weft, "fmt", "--check", *copies], capture_output=True, text=True, check=False)
        said = again.stdout + again.stderr
        for path, number in copies.items():
            once, text = path.read_text(), texts[number]
            problems = []
            if lines := [line for line in said.splitlines() if str(path) in line]:
                problems.append("formatting twice differs, or it does not parse: " + "\n".join(lines))
            if tokens(once) != tokens(text):
                problems.append("tokens or comments differ")
            if path.stem.endswith("as_is") and once != text:
                problems.append("is not formatted: run `weft fmt` on it")
            for problem in problems:
                print(f"{files[number]}: {problem}")
                failures += 1
        if again.returncode != 0 and not failures:
            print(f"exit code {again.returncode}: {said}")
            failures += 1
    print(f"{len(files)} files, {failures} problems")
    return 1 if failures or not files else 0


if __name__ == "__main__":
    sys.exit(main())
