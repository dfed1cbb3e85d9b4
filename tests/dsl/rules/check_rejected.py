"""Programs that must be refused: python check_rejected.py WEFT FILE...

A file holds cases. Each begins with a line `==== what is tried` and ends with one `---- line:column code` for every
diagnostic that `weft check` must give, no more and no less; lines count from the one after `====`. A case without such
a line must be accepted: the near misses on the right side of a border stand beside those on the wrong one.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor


def cases_of(path):
    """(title, line in the file, program, expected diagnostics) of every case."""
    cases = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("==== "):
            cases.append((line[5:], number, [], []))
        elif line.startswith("---- "):
            cases[-1][3].append(line[5:])
        elif cases:
            cases[-1][2].append(line)
    return cases


def check(weft, program):
    """What `weft check` says of the program, as `line:column code`."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "case.weft"
        path.write_text("weft 0.1\n" + "\n".join(program) + "\n")
        run = subprocess.run([weft, "check", "--json", path], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        return [f"exit code {run.returncode}: {run.stderr.strip()}"]
    found = json.loads(run.stdout)
    if (run.returncode == 1) != any(d["severity"] == "error" for d in found):
        return [f"exit code {run.returncode} with {len(found)} diagnostics"]
    return [f"{d['line'] - 1}:{d['column']} {d['code']}" for d in found]


def main():
    weft, files = sys.argv[1], [pathlib.Path(name) for name in sys.argv[2:]]
    failures = total = 0
    for path in files:
        cases = cases_of(path)
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda case: check(weft, case[2]), cases))
        for (title, number, _, expected), found in zip(cases, results):
            total += 1
            if found != expected:
                failures += 1
                print(f"{path}:{number}: {title}\n  expected {expected or 'nothing'}\n  found    {found or 'nothing'}")
    print(f"{total} cases, {failures} failures")
    return 1 if failures or not total else 0


if __name__ == "__main__":
    sys.exit(main())
