"""What clang-tidy finds in the project's sources: nothing. The checks stand in .clang-tidy.

Usage: tidy.py ROOT RUN_CLANG_TIDY BUILD
"""

import json
import pathlib
import subprocess
import sys

root, run_clang_tidy, build = sys.argv[1:]
commands = json.loads((pathlib.Path(build) / "compile_commands.json").read_text())
tracked = subprocess.run(["git", "-C", root, "ls-files", "*.cc"], capture_output=True, text=True, check=True).stdout.split()
files = sorted({command["file"] for command in commands} & {str(pathlib.Path(root) / name) for name in tracked})
if not files:
    sys.exit("no source of the project stands in compile_commands.json")
run = subprocess.run(
    [run_clang_tidy, "-quiet", "-j", "2", "-p", build, *[f"^{file}$" for file in files]],
    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
)
findings = sorted({line for line in run.stdout.splitlines() if ": error: " in line or ": warning: " in line})
print("\n".join(findings))
print(f"{len(files)} files, {len(findings)} findings")
sys.exit(1 if findings or run.returncode else 0)
