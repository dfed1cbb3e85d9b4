"""Runs commands that must neither crash nor take much memory."""

import os
import pathlib
import random
import re
import resource
import subprocess
import tempfile
import time

MEGABYTES = 600  # of resident memory


def run(*words, cwd=None, env=None):
    """(exit code, stdout, stderr); fails if the process died of a signal or took too much memory or time."""
    def limits():
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen([str(w) for w in words], stdout=out, stderr=err, preexec_fn=limits, cwd=cwd, env=env)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    assert child.returncode in (0, 1), (words, child.returncode, texts)
    assert usage.ru_maxrss < MEGABYTES << 10, (words, usage.ru_maxrss, texts)
    return child.returncode, *texts


def fails(words, path, pattern):
    """The command ends with 1 and an error that names the file and its cause."""
    code, out, err = run(*words)
    assert code == 1, (words, code, out, err)
    last = err.strip().splitlines()
    assert last and "error: " in err and pathlib.Path(path).name in err, (words, err)
    assert re.search(pattern, err, re.S), (words, pattern, err[-1000:])


def mutations(content, count, seed):
    """Copies of `content` with a few bytes changed, moved, repeated or cut off."""
    draw = random.Random(f"{seed}")
    for _ in range(count):
        bytes_ = bytearray(content)
        for _ in range(draw.choice((1, 1, 2, 5))):
            at = draw.randrange(len(bytes_) + 1)
            # Headers decide most, and they come first.
            if draw.random() < 0.6:
                at %= 200
            kind = draw.randrange(5)
            if kind == 0:
                bytes_[at:at + 1] = bytes([draw.randrange(256)])
            elif kind == 1:
                bytes_[at:at + 1] = draw.choice((b"\xff", b"\0", b"\x7f", b"9", b"-", b"\xff" * 8, b"\0" * 8))
            elif kind == 2:
                bytes_[at:at] = bytes_[at:at + draw.randrange(1, 20)]
            elif kind == 3:
                del bytes_[at:at + draw.randrange(1, 20)]
            elif len(bytes_) > 1:
                del bytes_[draw.randrange(1, len(bytes_)):]
            if not bytes_:
                bytes_ = bytearray(b"\0")
        yield bytes(bytes_)


def survives(command, content, path, count, seed=1):
    """`command` gets through mutations of the file: a result or an error that names it. Says how many were errors."""
    errors = 0
    for mutation in mutations(content, count, seed):
        path.write_bytes(mutation)
        code, out, err = run(*command)
        if code == 1:
            assert "error: " in err and path.name in err, (command, err)
            errors += 1
    return errors


def report(what, started):
    print(f"{what} ({time.monotonic() - started:.1f} s)", flush=True)
