"""Breaks model files at random and feeds them to the compiler: python mutate_programs.py WEFT [options] FILE...

`weft check` and `weft fmt --check` must answer every mutant with exit code 0 or 1, in bounded time and memory, and say
something readable: no signal, no assertion, no hang. A mutant follows from the seed and its number alone; `--keep`
saves the ones that break the compiler. Several mutants go through one process; when it fails, each is tried alone.
"""

import argparse
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile

TOKEN = re.compile(rb'//[^\n]*|"(?:\\.|[^"\\\n])*"|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\.|[-~=!<>]=|->|\+\+|\S')
NAME = re.compile(rb"[A-Za-z_]\w*$")
NUMBER = re.compile(rb"\d")
FOREIGN_TOKENS = (
    b"( ) [ ] { } , ; : . .. + - * / div % ^ < <= > >= == != = ~= -> ++ ? _ and or not in if else for let rec from until "
    b"next where param state true false none op model entry test expect dim sum max mean argmax filter topk first any all "
    b"clamp concat zip len random grad int float bool f32 u8 0 1 2 1.5 \"text\""
).split()
HUGE = [b"0", b"1", b"255", b"65536", b"1000000", b"2147483648", b"1000000000000", b"9223372036854775807",
        b"9223372036854775808", b"1e308", b"1e309", b"1e-320", b"0.5", b"99999999999999999999999999"]
OPENERS = [(b"(", b")"), (b"[", b"]"), (b"-", b""), (b"not ", b""), (b"x[", b"]"), (b"f(", b")"), (b"sum(i) ", b""),
           (b"1 + ", b""), (b"2 ^ ", b""), (b"x if c else ", b""), (b"x else ", b""), (b"{", b"}"), (b"x.", b""),
           (b"(i, ", b")"), (b"for i in x { ", b" }"), (b"op f(", b")"), (b"..", b""), (b"1 < ", b"")]

CPU_SECONDS = 40  # the longest mutants have 30,000 lines, most of them models to check
ADDRESS_SPACE = 3 << 30
MOST_OUTPUT = 1 << 20  # of one mutant


def pick(rng, text):
    tokens = list(TOKEN.finditer(text))
    return rng.choice(tokens).span() if tokens else (0, 0)


def splice(text, span, new):
    return text[: span[0]] + new + text[span[1] :]


def delete_token(rng, text):
    return splice(text, pick(rng, text), b" ")


def duplicate_token(rng, text):
    span = pick(rng, text)
    token = text[span[0] : span[1]]
    return splice(text, span, token + b" " + token)


def swap_tokens(rng, text):
    a, b = sorted([pick(rng, text), pick(rng, text)])
    if a[1] > b[0]:
        return text
    return text[: a[0]] + text[b[0] : b[1]] + text[a[1] : b[0]] + text[a[0] : a[1]] + text[b[1] :]


def replace_token(rng, text):
    span, other = pick(rng, text), pick(rng, text)
    new = text[other[0] : other[1]] if rng.random() < 0.5 else rng.choice(FOREIGN_TOKENS)
    return splice(text, span, b" " + new + b" ")


def insert_token(rng, text):
    at = pick(rng, text)[0]
    return splice(text, (at, at), rng.choice(FOREIGN_TOKENS) + b" ")


def rename(rng, text):
    names = [m.span() for m in TOKEN.finditer(text) if NAME.match(m.group())]
    if not names:
        return text
    a, b = rng.choice(names), rng.choice(names)
    return splice(text, a, text[b[0] : b[1]])


def change_number(rng, text):
    numbers = [m.span() for m in TOKEN.finditer(text) if NUMBER.match(m.group())]
    return splice(text, rng.choice(numbers), rng.choice(HUGE)) if numbers else text


def change_lines(rng, text):
    lines = text.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.randrange(4)
    if how == 0:
        del lines[i]
    elif how == 1:
        lines.insert(i, lines[j])
    elif how == 2:
        lines[i], lines[j] = lines[j], lines[i]
    else:
        i, j = min(i, j), max(i, j)
        del lines[i : min(j, i + 8)]
    return b"\n".join(lines)


def change_characters(rng, text):
    at = rng.randrange(len(text) + 1)
    return splice(text, (at, at + rng.randrange(2)), rng.choice([b"", bytes([rng.randrange(32, 127)])]))


def change_bytes(rng, text):
    at = rng.randrange(len(text) + 1)
    return splice(text, (at, at + rng.randrange(3)), bytes(rng.randrange(256) for _ in range(rng.randrange(1, 4))))


def truncate(rng, text):
    return text[: rng.randrange(len(text) + 1)]


def nest(rng, text):
    span = pick(rng, text)
    depth = rng.choice([3, 50, 190, 250, 1000, 30000])
    opener, closer = rng.choice(OPENERS)
    closed = depth if rng.random() < 0.7 else rng.randrange(depth)
    return splice(text, span, opener * depth + text[span[0] : span[1]] + closer * closed)


def repeat(rng, text):
    lines = text.split(b"\n")
    i = rng.randrange(len(lines))
    n = rng.randrange(1, 12)
    return b"\n".join(lines[:i] + lines[i : i + n] * rng.choice([2, 10, 3000]) + lines[i + n :])


def lengthen(rng, text):
    span = pick(rng, text)
    return splice(text, span, text[span[0] : span[1]] * rng.choice([10, 1000, 50000]))


def change_encoding(rng, text):
    how = rng.randrange(7)
    if how == 0:
        return text.replace(b"\n", b"\r\n")
    if how == 1:
        return text.replace(b"\n", b"\r")
    if how == 2:
        return text.replace(b" ", b"\t")
    if how == 3:
        return b"\xef\xbb\xbf" + text
    if how == 4:
        return text.decode("utf-8", "replace").encode("utf-16")
    at = rng.randrange(len(text) + 1)
    if how == 5:
        return splice(text, (at, at), rng.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5", b"\xe2\x82", b"\xf0\x9f\x98\x80", "é≤·–“".encode()]))
    return splice(text, (at, at), b"\0")


MUTATIONS = [delete_token, duplicate_token, swap_tokens, replace_token, insert_token, rename, change_number, change_lines,
             change_characters, change_bytes, truncate, nest, repeat, lengthen, change_encoding]
# What keeps most of a file readable goes deeper into the compiler, so it comes more often.
WEIGHTS = [3, 3, 4, 6, 4, 8, 6, 4, 3, 2, 1, 2, 1, 1, 1]


def mutant(seed, number, texts):
    rng = random.Random(f"{seed}:{number}")
    origin, text = rng.choice(texts)
    for mutate in rng.choices(MUTATIONS, WEIGHTS, k=rng.choice([1, 1, 1, 2, 4])):
        text = mutate(rng, text)
    return origin, text


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def problem_of(weft, command, paths):
    """What is wrong with how the compiler answers, or None."""
    run = subprocess.run([weft, *command, *paths], capture_output=True, preexec_fn=limit, timeout=1800, check=False)
    output = (run.stdout + run.stderr).decode("utf-8", "backslashreplace")
    if run.returncode not in (0, 1):
        return f"exit code {run.returncode}: {output[-300:]}"
    if len(output) > MOST_OUTPUT * len(paths):
        return f"{len(output)} bytes of output"
    if "terminate called" in output or "Assertion" in output or "LLVM ERROR" in output:
        return output[-300:]
    if run.returncode == 1 and command[0] == "check" and "error: " not in output:
        return f"exit code 1 without an error: {output[-300:]}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weft")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--keep", type=pathlib.Path, help="folder for the mutants that break the compiler")
    options = parser.parse_args()
    weft = pathlib.Path(options.weft).resolve()
    texts = [(pathlib.Path(file).resolve(), pathlib.Path(file).read_bytes()) for file in options.files]
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        # Every folder of models once more, so that imports beside a mutant are found.
        folders = {}
        for origin, _ in texts:
            if origin.parent not in folders:
                folders[origin.parent] = pathlib.Path(scratch) / str(len(folders))
                shutil.copytree(origin.parent, folders[origin.parent], ignore=lambda folder, names: [n for n in names if not n.endswith(".weft")])
        for start in range(options.first, options.first + options.count, options.batch):
            numbers = range(start, min(start + options.batch, options.first + options.count))
            paths = {}
            for number in numbers:
                origin, text = mutant(options.seed, number, texts)
                paths[number] = folders[origin.parent] / f"mutant_{number}_{origin.name}"
                paths[number].write_bytes(text)
            for command in (["check"], ["fmt", "--check"]):
                if problem_of(weft, command, list(paths.values())) is None:
                    continue
                for number, path in paths.items():
                    problem = problem_of(weft, command, [path])
                    if problem is None:
                        continue
                    failures += 1
                    print(f"mutant {number} of {path.name.split('_', 2)[2]}, weft {' '.join(command)}: {problem}", flush=True)
                    if options.keep:
                        options.keep.mkdir(parents=True, exist_ok=True)
                        shutil.copy(path, options.keep / path.name)
            for path in paths.values():
                path.unlink()
    print(f"{options.count} mutants, {failures} problems")
    return 1 if failures or not options.count else 0


if __name__ == "__main__":
    sys.exit(main())
