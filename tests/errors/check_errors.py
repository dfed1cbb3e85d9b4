"""Compares what the compiler says with what the files here expect: check_errors.py WEFT [--update] [FILE...]

A file ends with comments: commands, each followed by what it prints.

    // $ weft check unknown_name.weft
    // unknown_name.weft:4:10: error: ...

Commands run by bash in a copy of this folder; a file's test fails unless its last command exits with 1 (0 if it printed no
error). `--update` writes what is printed now: read the difference before committing it.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Bytes that are no UTF-8 stand in one of the files.
ENCODING = {"encoding": "utf-8", "errors": "surrogateescape"}


def split(text):
    """The program, and the commands at the end."""
    at = text.find("// $ ")
    if at < 0:
        return text, []
    return text[:at], [line[5:] for line in text[at:].split("\n") if line.startswith("// $ ")]


def answer(command, folder, environment):
    run = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=folder, env=environment, capture_output=True, check=False, **ENCODING)
    output = run.stdout + run.stderr
    has_error = ": error: " in output or '"severity": "error"' in output
    if run.returncode != (1 if has_error else 0):
        output += f"unexpected exit code {run.returncode}\n"
    lines = [f"// $ {command}"] + [("// " + line).rstrip() for line in output.rstrip("\n").split("\n")]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weft")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    files = [pathlib.Path(file).resolve() for file in options.files] or sorted(HERE.glob("*.weft"))
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "errors"
        shutil.copytree(HERE, folder)
        os.symlink(os.path.abspath(options.weft), pathlib.Path(scratch) / "weft")
        environment = {**os.environ, "PATH": scratch + os.pathsep + os.environ["PATH"]}
        for file in files:
            text = file.read_bytes().decode(**ENCODING)
            program, commands = split(text)
            commands = commands or [f"weft check {file.name}"]
            new = program.rstrip("\n") + "\n\n" + "".join(answer(command, folder, environment) for command in commands)
            new = new.replace(str(HERE.parents[1] / "stdlib"), "<stdlib>")
            if new == text:
                continue
            if options.update:
                file.write_bytes(new.encode(**ENCODING))
                print(f"updated {file.name}")
                continue
            failures += 1
            print(f"{file.name}: expected\n{text[len(program):]}got\n{new[len(program.rstrip()) :].lstrip()}")
    print(f"{len(files)} files, {failures} problems")
    return 1 if failures or not files else 0


if __name__ == "__main__":
    sys.exit(main())
