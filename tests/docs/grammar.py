"""The grammar of the reference is the parser's: grammar.py WEFT LANGUAGE.md FILE.weft...

Makes random files from the rules in the ```ebnf block; the compiler must read all of them. What is said of a file beyond its
grammar (names, sizes, what could be read in two ways) does not count. The other way round, the rules must derive the files
that are given, which the compiler reads.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile

TOKEN = re.compile(r'"[^"]+"|[A-Za-z]+|[=|{}\[\]().]')
WORDS = ["sum", "prod", "mean", "max", "min", "logsumexp", "argmax", "first", "any", "all", "count", "filter"]
CONDITIONS = {"any", "all", "count", "filter"}
SYNTAX = {"unexpected-token", "unclosed-bracket", "stray-bracket", "reserved-word", "unknown-declaration", "reduction-body",
          "index-expression", "chained-comparison", "missing-version"}  # fmt: skip
# Said of what has been read; reading goes on behind it.
CALM = {"name-case", "misplaced-else", "misplaced-expect", "misplaced-limits", "found-size-name", "open-reduction", "loose-factor",
        "loose-condition", "loose-not", "rec-index", "reduction-limit", "reduction-where", "unknown-module"}  # fmt: skip
LEXEME = re.compile(r'//[^\n]*|("[^"\n]*"|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|->|~=|[=!<>]=|\+\+|\.\.|\S)')
RESERVED = set("let param state rec from until next for in if else where and or not div true false none".split())
FILES = 400
DEEPEST = 9


def read_rules(text):
    """Name -> alternatives; an alternative is a list of ("text" | "name" | "many" | "maybe" | "group", value)."""
    tokens = TOKEN.findall(re.search(r"^```ebnf\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1])
    at = 0

    def alternatives(closers):
        nonlocal at
        found = [[]]
        while tokens[at] not in closers:
            token = tokens[at]
            at += 1
            if token == "|":
                found.append([])
            elif token[0] == '"':
                found[-1].append(("text", token[1:-1]))
            elif token in "{[(":
                kind, closer = {"{": ("many", "}"), "[": ("maybe", "]"), "(": ("group", ")")}[token]
                found[-1].append((kind, alternatives(closer)))
                at += 1
            else:
                found[-1].append(("name", token))
        return found

    rules = {}
    while at < len(tokens):
        name = tokens[at]
        assert tokens[at + 1] == "=", f"the rule {name} has no `=`"
        at += 2
        rules[name] = alternatives(".")
        at += 1
    return rules


def depths(rules):
    """How many rules lie within each other at least, by rule."""
    least = {"NAME": 0, "NUM": 0, "STRING": 0, "WORD": 0}

    def of(alternative):
        needed = [0]
        for kind, value in alternative:
            if kind == "name":
                needed.append(least.get(value, 1000))
            elif kind == "group":
                needed.append(min(map(of, value)))
        return max(needed)

    for _ in rules:
        for name, choices in rules.items():
            least[name] = min(least.get(name, 1000), 1 + min(map(of, choices)))
    unknown = [name for name in rules if least[name] >= 1000]
    assert not unknown, f"rules without an end: {unknown}"
    return of


class Writer:
    def __init__(self, rules, seed):
        self.rules, self.random, self.depth_of, self.used = rules, random.Random(seed), depths(rules), set()

    def rule(self, name, depth):
        self.used.add(name)
        if name == "NAME":
            return [self.random.choice("abxyz") if self.in_schedule or self.random.random() < 0.8 else "N"]
        if name == "NUM":
            return [self.random.choice(["1", "12", "0.5", "1e-6"])]
        if name == "STRING":
            return ['"text"']
        if name == "directive":
            self.in_schedule += 1
        if name == "reduction":
            # Which body a word takes stands in the text, not in the rules.
            word = self.random.choice(WORDS)
            _, *middle, body = self.rules[name][0]
            body = "condition" if word in CONDITIONS else "product"
            made = [word] + self.sequence(middle, depth) + ["("] + self.rule(body, depth + 1) + [")"]
        else:
            made = self.sequence(self.choose(self.rules[name], depth), depth + 1)
        if name == "directive":
            self.in_schedule -= 1
        if name == "expr":
            made = ["(", *made, ")"] if self.random.random() < 0.2 else made
        return made

    in_schedule = 0

    def choose(self, choices, depth):
        if depth > DEEPEST:
            least = min(map(self.depth_of, choices))
            choices = [choice for choice in choices if self.depth_of(choice) == least]
        return self.random.choice(choices)

    def sequence(self, alternative, depth):
        made = []
        for kind, value in alternative:
            if kind == "text":
                made.append(value)
            elif kind == "name":
                made += self.rule(value, depth)
            elif kind == "group":
                made += self.sequence(self.choose(value, depth), depth)
            else:
                times = self.random.choice([0, 1, 1, 2] if kind == "many" else [0, 1]) if depth <= DEEPEST else 0
                for _ in range(times):
                    made += self.sequence(self.choose(value, depth), depth)
        return made


def derives(rules, text):
    """Whether the rules derive a file."""
    words = [word for word in LEXEME.findall(text) if word]
    known = {}

    def lexical(name, word):
        is_name = re.fullmatch(r"[A-Za-z_]\w*", word) is not None
        return {
            "NAME": is_name and word not in RESERVED,
            "NUM": word[0].isdigit(),
            "STRING": word[0] == '"',
            "WORD": is_name and word not in RESERVED,
        }[name]

    def ends(kind, value, at):
        """Where what begins at `at` can end."""
        if kind == "text" or kind == "name" and value not in rules:
            fits = at < len(words) and (words[at] == value if kind == "text" else lexical(value, words[at]))
            return {at + 1} if fits else set()
        if kind == "name":
            if (value, at) not in known:
                known[value, at] = any_of(rules[value], at)
            return known[value, at]
        if kind == "group":
            return any_of(value, at)
        if kind == "maybe":
            return {at} | any_of(value, at)
        reached, fresh = {at}, {at}
        while fresh:
            fresh = set().union(*(any_of(value, place) for place in fresh)) - reached
            reached |= fresh
        return reached

    def any_of(choices, at):
        reached = set()
        for choice in choices:
            places = {at}
            for kind, value in choice:
                places = set().union(*(ends(kind, value, place) for place in places))
            reached |= places
        return reached

    return len(words) in ends("name", "file", 0)


def text_of(words):
    words = ["0.1" if i == 1 else word for i, word in enumerate(words)]
    return "\n".join(" ".join(words[i : i + 12]) for i in range(0, len(words), 12)) + "\n"


def mistakes(weft, folder, names):
    """The first mistake of every file that has one against its grammar."""
    ran = subprocess.run([weft, "check", "--json", *names], capture_output=True, text=True, timeout=300, cwd=folder)
    assert ran.returncode in (0, 1), f"exit code {ran.returncode} for one of {names}: {ran.stderr}"
    decoder, at, found = json.JSONDecoder(), 0, []
    for name in names:
        diagnostics, at = decoder.raw_decode(ran.stdout, ran.stdout.index("[", at))
        # After another mistake the parser may skip, and what it then finds says nothing.
        said = sorted((d for d in diagnostics if d["code"] not in CALM), key=lambda d: (d["line"], d["column"]))
        if said and said[0]["code"] in SYNTAX:
            found.append((name, said[0]))
    return found


def main():
    weft, document, *paths = map(os.path.abspath, sys.argv[1:])
    with open(document, encoding="utf-8") as file:
        rules = read_rules(file.read())
    used, names = set(), [f"{seed}.weft" for seed in range(FILES)]
    with tempfile.TemporaryDirectory() as folder:
        for seed, name in enumerate(names):
            writer = Writer(rules, seed)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text_of(writer.rule("file", 0)))
            used |= writer.used
        assert not set(rules) - used, f"never used: {set(rules) - used}"
        wrong = mistakes(weft, folder, names)
        for name, mistake in wrong[:3]:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                print(f"{file.read()}\n{mistake}\n")
    print(f"{FILES} files made, {len(wrong)} not read")
    narrow = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            if not derives(rules, file.read()):
                print(f"{path} is no file by these rules")
                narrow += 1
    sys.exit(1 if wrong or narrow or not paths else 0)


main()
