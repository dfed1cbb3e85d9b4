"""What clang-tidy finds in the project's sources: nothing. The checks stand in .clang-tidy.

Usage: tidy.py ROOT CLANG_TIDY BUILD [TARGET ...]

The sources of a target are read as one, since their headers take most of the time; so names in anonymous namespaces are
unique within a target. With targets only these, as `weft_passes_fusion`.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

root, clang_tidy, build, *chosen = sys.argv[1:]
root, build = os.path.abspath(root), os.path.abspath(build)  # clang-tidy passes over what it does not find
folder = pathlib.Path(build) / "tidy"
folder.mkdir(exist_ok=True)
tracked = set(subprocess.run(["git", "-C", root, "ls-files", "*.cc"], capture_output=True, text=True, check=True).stdout.split())


def compile_command(entry):
    """The command of compile_commands.json without launcher, source and output."""
    words = shlex.split(entry["command"])
    while not pathlib.Path(words[0]).name.startswith("clang"):
        words = words[1:]
    left_out = {word for option in ("-o", "-c") for word in words[words.index(option):words.index(option) + 2]}
    return [word for word in words if word not in left_out]


def sources_of(entry):
    """The source of an entry, or those that a unity build makes one of."""
    file = pathlib.Path(entry["file"])
    listed = re.findall(r'^#include "(.*)"$', file.read_text(), re.MULTILINE) if file.parent.name == "Unity" else [file]
    return {os.path.relpath(name, root) for name in listed} & tracked


sources, commands = collections.defaultdict(set), {}
for entry in json.loads((pathlib.Path(build) / "compile_commands.json").read_text()):
    target = re.search(r"CMakeFiles/([\w-]+)\.dir/", entry["output"]).group(1)
    names = sources_of(entry)
    if names and (not chosen or target in chosen):
        sources[target] |= names
        commands[target] = compile_command(entry)
if not sources:
    sys.exit("no source of the project stands in compile_commands.json")

unknown, database = set(chosen) - set(sources), []
if unknown:
    sys.exit(f"no target of the build has sources here: {', '.join(sorted(unknown))}")
for target, names in sources.items():
    one = folder / f"{target}.cc"
    one.write_text("".join(f'#include "{name}"  // NOLINT(bugprone-suspicious-include)\n' for name in sorted(names)))
    database.append({"directory": build, "file": str(one), "arguments": [*commands[target], "-c", str(one)]})
(folder / "compile_commands.json").write_text(json.dumps(database))


def findings_in(target):
    run = subprocess.run(
        [clang_tidy, "-quiet", f"--config-file={root}/.clang-tidy", "-p", str(folder), str(folder / f"{target}.cc")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
    )
    lines = {line for line in run.stdout.splitlines() if ": error: " in line or ": warning: " in line}
    return lines or ({f"{target}: clang-tidy ends with {run.returncode}"} if run.returncode else set())


# The longest first, so that the processors end together.
order = sorted(sources, key=lambda target: -sum((pathlib.Path(root) / name).stat().st_size for name in sources[target]))
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    findings = sorted(set().union(*pool.map(findings_in, order)))
print("\n".join(findings))
print(f"{len(set().union(*sources.values()))} files, {len(findings)} findings")
sys.exit(1 if findings else 0)
