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
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in files:
            text = pathlib.Path(name).read_text()
            for variant in (text, carelessly_spaced(text)):
                path = pathlib.Path(folder) / "program.weft"
                path.write_text(variant)
                subprocess.run([weft, "fmt", path], check=False, stdout=subprocess.DEVNULL)
                once = path.read_text()
                again = subprocess.run([weft, "fmt", "--check", path], capture_output=True, text=True)
                problems = []
                if again.returncode != 0:
                    problems.append("formatting twice differs, or it does not parse: " + again.stdout + again.stderr)
                if tokens(once) != tokens(text):
                    problems.append("tokens or comments differ")
                if variant is text and once != text:
                    problems.append("is not formatted: run `weft fmt` on it")
                for problem in problems:
                    print(f"{name}: {problem}")
                    failures += 1
    print(f"{len(files)} files, {failures} problems")
    return 1 if failures or not files else 0


if __name__ == "__main__":
    sys.exit(main())
