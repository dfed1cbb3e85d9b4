"""What documents name exists: paths.py ROOT

Links and their anchors; in code marks, paths below a folder of the repository and names of its sources; the folders that the
tables of a folder's page list.
"""

import pathlib
import re
import subprocess
import sys

FENCED = re.compile(r"^```[^\n]*\n.*?^```$", re.MULTILINE | re.DOTALL)
MADE = re.compile(r"^```\w+ file=(\S+)", re.MULTILINE)  # files that the document itself makes
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)")
CODE = re.compile(r"`([^`\n]+)`")
ROW = re.compile(r"^\| (.*?) \|", re.MULTILINE)
SOURCE = re.compile(r"[A-Za-z][\w.-]+\.(cc|h|td|def|py|md|weft|cmake|c)")


def anchors(text):
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def faults(root, document, tracked):
    text = (root / document).read_text(encoding="utf-8")
    here = pathlib.PurePosixPath(document).parent
    prose = FENCED.sub("", text)
    tops = {path.split("/")[0] for path in tracked if "/" in path}
    names = {path.rsplit("/", 1)[-1] for path in tracked if here.as_posix() == "." or path.startswith(f"{here}/")}
    names |= {path for path in tracked if "/" not in path} | set(MADE.findall(text))
    if here.name == "docs":
        names |= {path.rsplit("/", 1)[-1] for path in tracked}

    def exists(path):
        return any((root / base / path).exists() for base in ("", here))

    for path, anchor in LINK.findall(prose):
        target = root / here / path if path else root / document
        if not target.exists():
            yield f"links to {path}"
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield f"links to {path}#{anchor}"
    for code in CODE.findall(prose):
        for word in code.split():
            if "/" in word and word.split("/")[0] in tops and not re.search(r"[A-Z*{]{2}|\*", word) and not exists(word):
                yield f"names {word}"
            elif SOURCE.fullmatch(word) and word not in names:
                yield f"names {word}"
    for table in re.findall(r"^\| (?:folder|part) \|.*\n(?:\|.*\n)+", prose, re.MULTILINE):
        for cell in ROW.findall(table):
            for word in CODE.findall(cell):
                if not exists(word):
                    yield f"lists {word}"


def main():
    root = pathlib.Path(sys.argv[1])
    listing = ["git", "-C", root, "ls-files", "-co", "--exclude-standard"]
    tracked = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines()
    documents = [path for path in tracked if re.fullmatch(r"(docs/[\w-]+|README|[a-z]+/README)\.md", path)]
    found = [f"{document} {fault}" for document in documents for fault in faults(root, document, tracked)]
    folders = {path.split("/")[0] for path in tracked if path.count("/") and not path.startswith(".")}
    for folder in sorted(folders - {"docs", "scripts", "cmake", "editors"}):
        if f"{folder}/README.md" not in tracked:
            found.append(f"{folder}/ has no README.md")
    print("\n".join(found))
    sys.exit(1 if found or len(documents) < 10 else 0)


main()
