"""Programs that must be refused: python check_rejected.py WEFT FILE...

A file holds cases. Each begins with a line `==== what is tried` and ends with one `---- line:column code` for every
diagnostic that `weft check` must give, no more and no less; lines count from the one after `====`. A case without such
a line must be accepted: the near misses on the right side of a border stand beside those on the wrong one.
"""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checked_files import checked


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


def check(weft, programs):
    """What `weft check` says of each program, as `line:column code`."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / f"case{number}.weft" for number in range(len(programs))]
        for path, program in zip(paths, programs):
            path.write_text("weft 0.1\n" + "\n".join(program) + "\n")
        found = checked(weft, paths)
    return [[f"{d['line'] - 1}:{d['column']} {d['code']}" for d in diagnostics] for diagnostics in found]


def main():
    weft, files = sys.argv[1], [pathlib.Path(name) for name in sys.argv[2:]]
    failures = total = 0
    for path in files:
        cases = cases_of(path)
        results = check(weft, [program for _, _, program, _ in cases])
        for (title, number, _, expected), found in zip(cases, results):
            total += 1
            if found != expected:
                failures += 1
                print(f"{path}:{number}: {title}\n  expected {expected or 'nothing'}\n  found    {found or 'nothing'}")
    print(f"{total} cases, {failures} failures")
    return 1 if failures or not total else 0


if __name__ == "__main__":
    sys.exit(main())
