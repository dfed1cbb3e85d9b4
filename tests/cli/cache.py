"""The cache of what was compiled: nothing that happens to it or to a compiler leaves something half-written or wrong.

Usage: cache.py WEFT
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

MODEL = """weft 0.1

import std.conv: Conv2d
import std.activation: relu

entry net {
  start: Conv2d(3, 8, size = 3, pad = 1)
  second: Conv2d(8, 12, size = 3, stride = 2)
  third: Conv2d(12, 5, size = 5)
  forward(x: f32[1, 3, 24, 24]) -> y: f32[5] {
    h = third(relu(second(relu(start(x)))))
    y[c] = mean(i, j) h[0, c, i, j]
  }
}
"""


class Setting:
    def __init__(self, weft, folder):
        self.weft, self.folder, self.cache, self.temporary = weft, folder, folder / "cache", folder / "tmp"
        self.temporary.mkdir()
        (folder / "net.weft").write_text(MODEL)
        self.words = [weft, "compile", folder / "net.weft", "-o", folder / "net"]

    def environment(self, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("WEFT_", "XDG_"))}
        return {**kept, "WEFT_CACHE_DIR": str(self.cache), "TMPDIR": str(self.temporary), **more}

    def run(self, *words, code=0, **environment):
        done = subprocess.run(words, capture_output=True, text=True, env=self.environment(**environment))
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def compile(self, **environment):
        """The bytes of the program, made anew."""
        (self.folder / "net").unlink(missing_ok=True)
        self.run(*self.words, **environment)
        return (self.folder / "net").read_bytes()

    def start(self, **environment):
        return subprocess.Popen(self.words, env=self.environment(**environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def entries(self):
        return sorted(self.cache.glob("*.weft-object")) if self.cache.exists() else []

    def clear(self):
        return self.run(self.weft, "cache", "clear")


def check_reuse(setting):
    program = setting.compile()
    entries = setting.entries()
    assert len(entries) >= 5 and not list(setting.temporary.iterdir()), entries
    before = [(e.name, e.read_bytes()) for e in entries]
    assert setting.compile() == program
    assert [(e.name, e.read_bytes()) for e in setting.entries()] == before
    info = setting.run(setting.weft, "cache", "info")
    assert str(setting.cache) in info and f"{len(entries)} files" in info and "of 2048 MB" in info, info

    # Damaged entries are as good as none: they are made again.
    for damage in (lambda b: b[:-1], lambda b: b"", lambda b: b[:31], lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:],
                   lambda b: b + b"\0", lambda b: bytes(len(b))):
        for entry in entries:
            entry.write_bytes(damage(entry.read_bytes()))
        assert setting.compile() == program
        assert [(e.name, e.read_bytes()) for e in setting.entries()] == before
    *kernels, whole = sorted(entries, key=lambda entry: entry.stat().st_size)
    first, second = kernels[:2]
    for entry in (first, whole):
        whole.unlink()  # else the kernels are not asked for
        entry.write_bytes(second.read_bytes())  # whole, but another kernel's
        assert setting.compile() == program
    for entry in (first, whole):
        whole.unlink(missing_ok=True)
        entry.unlink(missing_ok=True)
        entry.mkdir()
        assert setting.compile() == program
        entry.rmdir()
    assert re.match(rf"{len(entries) - 1} files deleted", setting.clear()) and not list(setting.cache.iterdir())
    return program


def check_places(setting, program):
    """Where the cache cannot be, or must be small, programs are compiled all the same."""
    (setting.folder / "file").write_text("")
    for place in ("/proc/weft", "/dev/null", setting.folder / "file" / "below"):
        assert setting.compile(WEFT_CACHE_DIR=str(place)) == program
    locked = setting.folder / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    assert setting.compile(WEFT_CACHE_DIR=str(locked)) == program
    home = setting.folder / "home"
    for environment, place in (({"XDG_CACHE_HOME": str(home / "x"), "HOME": str(home)}, home / "x" / "weft"),
                               ({"HOME": str(home)}, home / ".cache" / "weft")):
        setting.compile(WEFT_CACHE_DIR="", **environment)
        assert list(place.glob("*.weft-object")), place
    without = setting.environment()
    for name in ("HOME", "WEFT_CACHE_DIR"):
        without.pop(name, None)
    done = subprocess.run(setting.words, env=without, capture_output=True, text=True)
    assert done.returncode == 0 and (setting.folder / "net").read_bytes() == program, done.stderr
    done = subprocess.run([setting.weft, "cache", "info"], env=without, capture_output=True, text=True)
    assert done.returncode == 1 and "set WEFT_CACHE_DIR or HOME" in done.stderr, done

    setting.compile(WEFT_CACHE_SIZE="0")
    assert not setting.entries()
    setting.compile()
    (setting.cache / "old.weft-object").write_bytes(bytes(9 << 20))
    os.utime(setting.cache / "old.weft-object", (1, 1))
    left = setting.cache / "killed.weft-object.1.2.tmp"
    left.write_text("")
    os.utime(left, (1, 1))
    count = len(setting.entries())
    max((entry for entry in setting.entries() if entry.name != "old.weft-object"), key=lambda entry: entry.stat().st_size).unlink()
    setting.compile(WEFT_CACHE_SIZE="8")
    assert len(setting.entries()) == count - 1 and not left.exists(), setting.entries()
    setting.clear()


def check_ended(setting, program):
    """A compiler that is ended, or killed, leaves the cache fit for the next; ended, it leaves no other file either."""
    start = time.monotonic()
    setting.compile()
    duration = time.monotonic() - start
    target = setting.folder / "net"
    ended = 0
    for step in range(12):
        setting.clear()
        target.unlink()
        number = (signal.SIGINT, signal.SIGKILL, signal.SIGTERM)[step % 3]
        # What `cc` of a killed compiler leaves is its own.
        place = setting.folder if number == signal.SIGKILL else setting.temporary
        with setting.start(TMPDIR=str(place)) as child:
            time.sleep(duration * (step + 1) / 13)
            child.send_signal(number)
        assert child.returncode in (0, -number), child.returncode
        ended += child.returncode != 0
        assert not target.exists() or target.read_bytes() == program
        if number != signal.SIGKILL:
            assert not list(setting.temporary.iterdir()), list(setting.temporary.iterdir())
            assert not list(setting.folder.glob("*.tmp")) and not list(setting.cache.glob("*.tmp"))
        assert setting.compile() == program
    assert ended > 3, ended


def check_together(setting, program):
    for _ in range(2):
        setting.clear()
        (setting.folder / "net").unlink(missing_ok=True)
        children = [setting.start() for _ in range(3)]
        assert [child.wait() for child in children] == [0, 0, 0]
        assert (setting.folder / "net").read_bytes() == program and not list(setting.cache.glob("*.tmp"))
    assert setting.compile() == program


def check_tools(setting):
    """Without what linking needs the error says what is missing."""
    (setting.folder / "bin").mkdir()
    out = setting.run(*setting.words, "--no-cache", code=1, PATH=str(setting.folder / "bin"))
    assert "linking needs `cc`, which is not on the PATH" in out, out
    cc = setting.folder / "bin" / "cc"
    cc.write_text("#!/bin/sh\necho no such luck >&2\nexit 3\n")
    cc.chmod(0o755)
    out = setting.run(*setting.words, "--no-cache", code=1, PATH=f"{setting.folder / 'bin'}:{os.environ['PATH']}")
    assert "`cc` failed" in out and "no such luck" in out, out
    out = setting.run(*setting.words, "--no-cache", code=1, TMPDIR=str(setting.folder / "nowhere"))
    assert "temporary folder" in out and "TMPDIR" in out, out
    for target, cause in ((setting.folder / "none" / "net", "No such file"), (setting.cache, "directory")):
        out = setting.run(*setting.words[:-1], target, code=1)
        assert f"cannot write {target}" in out and cause in out, out


def main():
    weft = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        setting = Setting(weft, pathlib.Path(name))
        program = check_reuse(setting)
        check_places(setting, program)
        check_ended(setting, program)
        check_together(setting, program)
        check_tools(setting)


main()
