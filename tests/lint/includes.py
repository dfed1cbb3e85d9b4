"""Includes name files from the repository root, and a folder uses only what stands before it.

Usage: includes.py ROOT
"""

import pathlib
import re
import sys

# What the sources of a folder may include, besides their own folder. The longest prefix of a path counts.
DSL = ["dsl/base", "dsl/ast", "dsl/lexer", "dsl/parser", "dsl/format", "dsl/document", "dsl/size", "dsl/program", "dsl/sema", "dsl/module"]
PASSES = ["passes/analysis", "passes/target", "passes/math"]
MAY_USE = {
    "runtime": [],
    "runtime/main": ["runtime"],
    "dsl/base": [],
    "dsl/ast": ["dsl/base"],
    "dsl/lexer": ["dsl/base"],
    "dsl/parser": ["dsl/base", "dsl/ast", "dsl/lexer"],
    "dsl/format": ["dsl/base", "dsl/ast", "dsl/lexer", "dsl/parser"],
    "dsl/document": ["dsl/base", "dsl/ast", "dsl/lexer", "dsl/parser"],
    "dsl/size": [],
    "dsl/program": ["dsl/base", "dsl/size"],
    "dsl/sema": ["dsl/base", "dsl/ast", "dsl/size", "dsl/program"],
    "dsl/module": DSL,
    "compiler/ir": [],
    "compiler/weights": ["runtime"],
    "compiler/cache": ["runtime"],
    "compiler/page": [],
    "compiler/lower": ["dsl/base", "dsl/size", "dsl/program", "compiler/ir"],
    "passes": ["compiler/ir", "passes"],
    "backends": ["compiler/ir", "passes", "runtime", "backends"],
    "backends/schedule": ["dsl/base", "dsl/ast", "dsl/parser", "compiler/ir", *PASSES],
    "compiler/driver": [*DSL, "compiler/ir", "compiler/lower", "compiler/cache", "passes", "backends", "runtime"],
    "compiler/tune": ["dsl/base", "dsl/program", "compiler/ir", "compiler/driver", "compiler/page", "backends", "runtime"],
    "compiler/profile": ["dsl/base", "dsl/program", "compiler/ir", "compiler/cache", "compiler/driver", "compiler/page", "passes/analysis", "backends", "runtime"],
    "compiler/cli": [*DSL, "compiler", "passes", "backends", "runtime"],
    "tests": ["dsl", "compiler", "passes", "backends", "runtime"],
    "examples": ["runtime"],
    "benchmarks": ["runtime"],
}
# Headers of others, by the start of their path, and the only folders that may see them.
OUTSIDE = {
    "Halide": ["backends/halide"],
    "mlir/": ["compiler/ir", "compiler/lower", "compiler/driver", "compiler/profile", "compiler/tune", "compiler/cli", "passes", "backends", "tests"],
    "llvm/": ["compiler/ir", "compiler/cache", "compiler/lower", "compiler/driver", "compiler/tune", "compiler/cli", "passes", "backends", "tests"],
    "nlohmann/": ["runtime", "dsl/base", "compiler/weights", "compiler/cli"],
    "sqlite3.h": ["compiler/tune"],
    "CLI/": ["runtime/main", "compiler/cli"],
    "absl/": ["dsl", "compiler", "passes", "backends", "tests"],
}


def under(path, folder):
    return path == folder or path.startswith(folder + "/")


def rule_of(folder):
    return max((known for known in MAY_USE if under(folder, known)), key=len, default=None)


def faults(root, path):
    folder = path.parent.as_posix()
    owner = rule_of(folder)
    if owner is None:
        yield 1, f"tests/lint/includes.py does not say what {folder}/ may use"
        return
    for number, line in enumerate((root / path).read_text().splitlines(), 1):
        found = re.match(r'#include ([<"])([^>"]+)[>"]', line)
        if not found:
            continue
        quoted, name = found.group(1) == '"', found.group(2)
        for start, folders in OUTSIDE.items():
            if name.startswith(start) and not any(under(folder, allowed) for allowed in folders):
                yield number, f"{name} is for {', '.join(folders)} only"
        top = name.split("/")[0]
        if not quoted or top not in {known.split("/")[0] for known in MAY_USE}:
            continue
        generated = name.endswith(".inc")
        if not generated and not (root / name).is_file():
            yield number, f"{name} is no file of the repository"
        target = pathlib.PurePosixPath(name).parent.as_posix()
        if not under(target, owner) and not any(under(target, allowed) for allowed in MAY_USE[owner]):
            yield number, f"{owner}/ may not use {target}/"


def main():
    root = pathlib.Path(sys.argv[1])
    count = 0
    for top in sorted({known.split("/")[0] for known in MAY_USE}):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in {".cc", ".h", ".c"}:
                for number, fault in faults(root, path.relative_to(root)):
                    print(f"{path.relative_to(root)}:{number}: {fault}")
                    count += 1
    sys.exit(count > 0)


main()
