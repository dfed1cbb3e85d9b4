"""Checks whole programs: python check_programs.py WEFT FILE...

Of each `weft check` may only say that it uses what cannot be compiled yet. As a feature comes, its words leave the list.
"""

import json
import re
import subprocess
import sys

NOT_YET = re.compile(r"^`grad` cannot be compiled by this version of Weft$")


def main():
    weft, files = sys.argv[1], sys.argv[2:]
    failures = 0
    for name in files:
        run = subprocess.run([weft, "check", "--json", name], capture_output=True, text=True)
        if run.returncode not in (0, 1):
            print(f"{name}: exit code {run.returncode}\n{run.stderr}")
            failures += 1
            continue
        for found in json.loads(run.stdout):
            if found["code"] == "unsupported-feature" and NOT_YET.match(found["message"]):
                continue
            print(f"{found['file']}:{found['line']}:{found['column']}: {found['message']} [{found['code']}]")
            failures += 1
    print(f"{len(files)} programs, {failures} problems")
    return 1 if failures or not files else 0


if __name__ == "__main__":
    sys.exit(main())
