"""Every pass has its text test, every op and every numbered constraint of the dialect too: python tests/lint/text_tests.py

- A pass `weft-NAME` of passes/STAGE/passes.td: tests/passes/STAGE/NAME.mlir, whose RUN line names it.
- An op of compiler/ir/*.td: it stands in tests/ir/roundtrip.mlir, and for each constraint C1, C2, ... of its description a
  case in tests/ir/OP_verify.mlir expects the error that says so.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent
PASS = re.compile(r"^def \w+ : \w+<\"weft-([\w-]+)\"", re.M)
OP = re.compile(r"^def \w+ : Weft_Op<\"(\w+)\".*?^}", re.M | re.S)


def passes_without_test():
    for table in sorted((ROOT / "passes").glob("*/passes.td")):
        for name in PASS.findall(table.read_text()):
            test = ROOT / "tests/passes" / table.parent.name / f"{name.replace('-', '_')}.mlir"
            if not test.exists():
                yield f"pass {name}: {test.relative_to(ROOT)} is missing"
            elif not re.search(rf"RUN:.*-?weft-{name}\b", test.read_text()):
                yield f"{test.relative_to(ROOT)}: no RUN line with weft-{name}"


def ops_without_test():
    round_trip = (ROOT / "tests/ir/roundtrip.mlir").read_text()
    for table in sorted((ROOT / "compiler/ir").glob("*.td")):
        for match in OP.finditer(table.read_text()):
            op, text = match.group(1), match.group(0)
            if not re.search(rf"CHECK.*weft\.{op}\b", round_trip):
                yield f"weft.{op}: does not stand in tests/ir/roundtrip.mlir"
            test = ROOT / f"tests/ir/{op}_verify.mlir"
            cases = test.read_text() if test.exists() else ""
            for constraint in re.findall(r"^\s*(C\d+)\. ", text, re.M):
                if f"'weft.{op}' op {constraint}:" not in cases:
                    yield f"weft.{op} {constraint}: no case in {test.relative_to(ROOT)}"


def main():
    problems = [*passes_without_test(), *ops_without_test()]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
