"""`weft compile --emit ir --after NAME` prints every stage, weft-opt reads it back as it is and runs any pass on it.

Usage: emit_ir.py WEFT WEFT_OPT MODEL...
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent
FLAG = {"canonicalize": "-canonicalize"}


def run(*words, text=None):
    done = subprocess.run(words, capture_output=True, text=True, input=text)
    return done.returncode, done.stdout, done.stderr


def emit(weft, model, after):
    code, text, error = run(weft, "compile", model, "--emit", "ir", *(["--after", after] if after else []))
    assert code == 0, f"{model} after {after or 'everything'}: {error}"
    return text


def check_round_trip(weft_opt, text, what):
    code, again, error = run(weft_opt, "-", text=text)
    assert code == 0, f"{what}: {error}"
    assert again.strip() == text.strip(), f"{what}: weft-opt prints something else"


def names_of(weft, model):
    """All names, from the error that lists them; it suggests the nearest."""
    code, text, error = run(weft, "compile", model, "--emit", "ir", "--after", "fold-view")
    assert code == 1 and text == "", error
    assert "there is no pass or stage `fold-view`; did you mean `fold-views`?" in error, error
    names = re.search(r"there are (.*)", error).group(1).split(", ")
    code, _, error = run(weft, "compile", model, "--emit", "ir", "--after", "zzzzzz")
    assert code == 1 and "did you mean" not in error and "fold-views" in error, error
    return names


def main():
    weft, weft_opt, *models = sys.argv[1:]
    small = ROOT / "examples/mlp/mlp.weft"
    names = names_of(weft, small)
    passes = {f"weft-{name}" for table in (ROOT / "passes").glob("*/passes.td")
              for name in re.findall(r"<\"weft-([\w-]+)\"", table.read_text())}
    missing = passes - {f"weft-{name}" for name in names}
    assert not missing, f"`--after` does not know {missing}"
    texts = {name: emit(weft, small, name) for name in names}
    for name, text in texts.items():
        check_round_trip(weft_opt, text, f"mlp after {name}")
        if f"weft-{name}" in passes:
            code, _, error = run(weft_opt, "-", f"-weft-{name}", text=texts["lower"])
            assert code == 0, f"weft-opt -weft-{name}: {error}"
    assert texts["lower"] != texts["inline"] or texts["inline"] != texts["outline"], "stages print the same"
    assert "weft.kernel" in texts["outline-kernels"] and "weft.kernel" not in texts["group-equations"]
    for model in models:
        for after in ("lower", "fusion", ""):
            check_round_trip(weft_opt, emit(weft, model, after), f"{model} after {after}")


main()
