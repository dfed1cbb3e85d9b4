"""The page of the systems: python tests/systems/page.py WEFT write [NAME ...], or check

`write` runs the full cases of the systems and writes their rows into docs/systems.md; rows of systems that are not named
stay. `check` fails unless the page has one row for every example that has a reference, with the lines it has now.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import system
from check import check_case
from program import command, compile_program

PAGE = system.TESTS.parent / "docs/systems.md"
HEAD = """# Systems

Made by `scripts/systems`. Every system is a folder of `examples` with its model file and an independent reference, which
`tests/systems/check.py` compares: small cases by both back ends, the case of the paper's size by `halide`.

Lines are those of the model files without blank ones and comments. The error is the largest of all outputs of the full
cases, as a share of an output's range, or as the reference counts it; near-ties are decisions within rounding, which are
exempt. Time is one run of the first full case on two processors.

| system | paper | lines | reference | error | time, ms | state |
|---|---|---|---|---|---|---|
"""
ROW = re.compile(r"^\| \[.*?\]\(\.\./examples/(\w+)/\w+\.weft\) \|.*?\| (\d+) \|.*$", re.MULTILINE)


def lines(folder):
    """Lines of the model files of a folder that say something."""
    text = "\n".join(path.read_text() for path in sorted(folder.glob("*.weft")))
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("//"))


def milliseconds(path, subject, case, once_s):
    """The median time of a run; that of the one there was if it took long."""
    if once_s > 3:
        return once_s * 1000
    words = command(path, case.method, subject.reference.inputs(case), subject.weights(case))
    done = subprocess.run([*words, "--bench", "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["median_ms"]


def row(weft, name):
    subject = system.System(name)
    reference = subject.reference
    error, time, ties, state = 0.0, "", 0, "passes"
    try:
        for case in subject.cases("full"):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "program"
                compile_program(weft, subject.source, path, entry=case.entry)
                outcome = check_case(path, subject, case, subject.weights(case), subject.wanted(case))
                time = time or f"{milliseconds(path, subject, case, outcome.run_s):.4g}"
            error = max([error, *(verdict.apart for verdict in outcome.verdicts.values())])
            ties += sum(verdict.ties for verdict in outcome.verdicts.values())
            state = "differs" if outcome.failed else state
    except subprocess.CalledProcessError as failure:
        state = "does not compile" if "compile" in failure.cmd else "does not run"
    told = "" if state.startswith("does") else f"{error:.1e}" + (f", {ties} near-ties" if ties else "")
    link = f"[{reference.SYSTEM}](../examples/{name}/{name}.weft)"
    return f"| {link} | {reference.PAPER} | {lines(subject.folder)} | {reference.REFERENCE} | {told} | {time} | {state} |"


def rows():
    """{name: row} of the page as it is."""
    return {match.group(1): match.group(0) for match in ROW.finditer(PAGE.read_text())} if PAGE.exists() else {}


def write(weft, names):
    known = {name: text for name, text in rows().items() if name in system.all_names()}
    for name in names or system.all_names():
        known[name] = row(weft, name)
        print(known[name], flush=True)
        PAGE.write_text(HEAD + "\n".join(known[each] for each in sorted(known)) + "\n")


def check():
    told = {match.group(1): int(match.group(2)) for match in ROW.finditer(PAGE.read_text())}
    true = {name: lines(system.EXAMPLES / name) for name in system.all_names()}
    stale = [name for name in sorted(told.keys() | true.keys()) if told.get(name) != true.get(name)]
    return f"run scripts/systems {' '.join(stale)}: their rows in docs/systems.md are not up to date" if stale else 0


if __name__ == "__main__":
    weft, action, *names = sys.argv[1:]
    sys.exit(check() if action == "check" else write(weft, names))
