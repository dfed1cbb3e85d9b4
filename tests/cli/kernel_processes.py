"""Kernels are compiled in processes of their own: what happens to one is said at its line, and nothing of it stays behind.

Usage: kernel_processes.py WEFT
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

MODEL = """weft 0.1

entry net {
  param w: float[32, 64]
  param v: float[16, 32]
  forward(x: f32[8, 64]) -> h: f32[8, 32], y: f32[8, 16], s: f32[8] {
    h[b, o] = sum(n) x[b, n] * w[o, n]
    y[b, o] = sum(n) h[b, n] * v[o, n]
    s[b] = max(n) x[b, n]
  }
}

test "a sum" { expect (sum(i < 4) 2 * i) == 12 }
"""


class Setting:
    def __init__(self, weft, folder):
        self.folder, self.temporary, self.cache = folder, folder / "tmp", folder / "cache"
        self.temporary.mkdir()
        (folder / "net.weft").write_text(MODEL)
        self.words = [weft, "compile", "net.weft", "-o", "net"]
        self.weft = weft

    def environment(self, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WEFT_")}
        return {**kept, "WEFT_CACHE_DIR": str(self.cache), "TMPDIR": str(self.temporary), **more}

    def run(self, *words, **environment):
        return subprocess.run(words or self.words, cwd=self.folder, env=self.environment(**environment), capture_output=True, text=True,
                              timeout=120)

    @contextlib.contextmanager
    def start(self, **environment):
        with subprocess.Popen(self.words, cwd=self.folder, env=self.environment(**environment), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, start_new_session=True) as child:
            try:
                yield child
            finally:
                child.kill()

    def check_nothing_left(self):
        left = [*self.temporary.iterdir(), *self.folder.glob("net"), *self.folder.glob("core*"), *self.cache.glob("*")]
        assert not left, left


def children_of(parent):
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # gone meanwhile
        if int(words[1]) == parent and words[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def wait_for(condition, what):
    end = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.01)
    return found


def processes_of(child, count):
    """The server and its `count` children, once they run."""

    def look():
        for server in children_of(child.pid):
            kernels = children_of(server)
            if len(kernels) >= count:
                return server, kernels
        return None

    return wait_for(look, "no kernel is being compiled")


def gone(process):
    try:
        return "\nState:\tZ" in pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return True


def check_faults(setting):
    for fault, cause, environment in (("segv", "was ended by the signal `Segmentation fault`", {}),
                                      ("fpe", "was ended by the signal `Floating point exception`", {}),
                                      ("abort", "was ended by the signal `Aborted`", {}),
                                      ("exit", "ended with exit code 3", {}),
                                      ("hang", "took more than 1 s", {"WEFT_KERNEL_SECONDS": "1"}),
                                      ("memory", "needed more than 150 MB", {"WEFT_KERNEL_MEGABYTES": "150"})):
        done = setting.run(WEFT_TEST_FAULT=fault, **environment)
        assert done.returncode == 1 and not done.stdout, (fault, done)
        first, line, *rest = done.stderr.splitlines()
        place = re.match(r"net\.weft:([789]):(\d+): error: the compiler failed at the kernel `\w+`, whose compilation (.*) \[kernel-fault\]$", first)
        assert place and place[3] == cause and line == f"    {place[1]} | {MODEL.splitlines()[int(place[1]) - 1]}", (fault, done.stderr)
        assert any(text.startswith("  help: ") and "--backend loops" in text for text in rest), (fault, done.stderr)
        limited = fault in ("hang", "memory")
        assert ("WEFT_KERNEL_SECONDS" in done.stderr) == limited and ("report it" in done.stderr) != limited, (fault, done.stderr)
        setting.check_nothing_left()
    # What Halide does not finish becomes plain loops, and is tried again by the next compiler.
    for limit in ("WEFT_KERNEL_SECONDS", None):
        done = setting.run(WEFT_TEST_FAULT="halide:hang", WEFT_KERNEL_SECONDS="1") if limit else setting.run()
        assert done.returncode == 0 and ("took more than 1 s" in done.stderr) == bool(limit), done
        assert ("is compiled as plain loops, on one thread: its compilation" in done.stderr) == bool(limit), done
    (setting.folder / "net").unlink()
    shutil.rmtree(setting.cache)
    done = setting.run(setting.weft, "test", "net.weft", WEFT_TEST_FAULT="segv")
    assert done.returncode == 1 and "FAIL a sum" in done.stdout and "[kernel-fault]" in done.stdout, done


def check_ended_from_outside(setting):
    """One child, or the process that starts them, killed."""
    with setting.start(WEFT_TEST_FAULT="hang") as child:
        server, kernels = processes_of(child, 1)
        os.kill(kernels[0], signal.SIGKILL)
        said = child.communicate(timeout=30)[0]
    assert child.returncode == 1 and "whose compilation was ended by the signal `Killed` [kernel-fault]" in said, said
    wait_for(lambda: gone(server) and all(map(gone, kernels)), "processes are left")
    with setting.start(WEFT_TEST_FAULT="hang") as child:
        server, kernels = processes_of(child, 1)
        os.kill(server, signal.SIGKILL)
        said = child.communicate(timeout=30)[0]
    assert child.returncode == 1 and said == "error: the process that compiles kernels was ended from outside\n", said
    wait_for(lambda: all(map(gone, kernels)), "kernels are left")
    setting.check_nothing_left()


def check_interrupted(setting):
    """Ctrl-C, which the whole group gets, and signals to the compiler alone: no process outlives it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        for send in (os.kill, os.killpg):
            with setting.start(WEFT_TEST_FAULT="hang") as child:
                server, kernels = processes_of(child, 1)
                send(child.pid, number)
                child.wait(timeout=30)
            assert child.returncode == -number, (child.returncode, number)
            wait_for(lambda: gone(server) and all(map(gone, kernels)), "processes are left")
            setting.check_nothing_left()


def check_at_once(setting):
    """As many at a time as there are processors, and the same program by one."""
    processors = len(os.sched_getaffinity(0))
    with setting.start(WEFT_TEST_FAULT="hang") as child:
        _, kernels = processes_of(child, min(processors, 2))
        assert len(kernels) <= processors, kernels
    programs = []
    for words in ([], ["taskset", "-c", str(min(os.sched_getaffinity(0)))]):
        done = setting.run(*words, *setting.words, "--no-cache")
        assert done.returncode == 0, done
        programs.append((setting.folder / "net").read_bytes())
    assert programs[0] == programs[1]


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # a signal that is ignored stays so in what is started
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(os.path.abspath(sys.argv[1]), pathlib.Path(folder))
        check_faults(setting)
        check_ended_from_outside(setting)
        check_interrupted(setting)
        check_at_once(setting)


main()
