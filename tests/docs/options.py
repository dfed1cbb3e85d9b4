"""The page of commands names every subcommand and every option: options.py WEFT CLI.md"""

import re
import subprocess
import sys


def help_of(*words):
    return subprocess.run([*words, "--help"], capture_output=True, text=True, check=True).stdout


def main():
    weft, document = sys.argv[1:]
    with open(document, encoding="utf-8") as file:
        text = file.read()
    found = []

    def look(*words):
        said = help_of(weft, *words)
        if words and not re.search(rf"\bweft {' '.join(words)}\b", text):
            found.append(" ".join(words))
        for option in set(re.findall(r"(?:^|,) *(--[a-z-]+)", said, re.MULTILINE)) - {"--help", "--version"}:
            if not re.search(rf"(?<![\w-]){option}(?![\w-])", text):
                found.append(" ".join([*words, option]))
        _, _, subcommands = said.partition("Subcommands:\n")
        for name in re.findall(r"^ {2}([a-z]+)\b", subcommands, re.MULTILINE):
            look(*words, name)

    look()
    for what in found:
        print(f"{document} says nothing of: weft {what}")
    sys.exit(1 if found else 0)


main()
