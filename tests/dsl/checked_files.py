"""What `weft check` says of many files, by one process: starting it takes longer than reading most of them."""

import json
import subprocess

DECODER = json.JSONDecoder()


def is_error(diagnostic):
    return diagnostic["severity"] == "error"


def checked(weft, paths, cwd=None):
    """The diagnostics of every file. The exit code says whether one of all has an error; if it says another thing, or nothing,
    the files are checked one by one and those that are guilty named."""
    run = subprocess.run([weft, "check", "--json", *paths], capture_output=True, text=True, timeout=600, cwd=cwd, check=False)
    found, at = [], 0
    while run.returncode in (0, 1) and len(found) < len(paths) and "[" in run.stdout[at:]:
        diagnostics, at = DECODER.raw_decode(run.stdout, run.stdout.index("[", at))
        found.append(diagnostics)
    if len(found) == len(paths) and run.returncode == any(is_error(d) for diagnostics in found for d in diagnostics):
        return found
    if len(paths) == 1:
        raise AssertionError(f"{paths[0]}: exit code {run.returncode} with {len(found)} diagnostics: {run.stdout}{run.stderr[-2000:]}")
    return [checked(weft, [path], cwd)[0] for path in paths]
