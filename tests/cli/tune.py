"""weft tune: what it finds computes the same, what is wrong is rejected, and nothing is tried twice: tune.py WEFT"""

import html.parser
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import numpy

MODEL = """weft 0.1

entry net {
  param w: float[32, 64]
  forward(x: f32[8, 64]) -> y: f32[8, 32], p: f32[8, 64] {
    y[b, o] = sum(n) x[b, n] * w[o, n]
    p[b, n] = exp(x[b, n]) / sum(m) exp(x[b, m])
  }
}
"""
FINISHED = re.compile(r"^\[(\d+)/(\d+)\] (\S+): .* (\d+) candidates \((\d+) trials now, (\d+) rejected\), (\S+) times", re.M)


class Setting:
    def __init__(self, weft, folder):
        self.weft, self.folder = weft, folder
        (folder / "net.weft").write_text(MODEL)
        draw = numpy.random.Generator(numpy.random.Philox(3))
        numpy.save(folder / "x.npy", draw.standard_normal((8, 64), dtype=numpy.float32))

    def environment(self, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WEFT_")}
        return {**kept, "WEFT_CACHE_DIR": str(self.folder / "cache"), **more}

    def run(self, *words, **environment):
        return subprocess.run([self.weft, *words], cwd=self.folder, env=self.environment(**environment), capture_output=True,
                              text=True, timeout=300)

    def tune_words(self, store, *words):
        return ["tune", "net.weft", "--budget", "1h", "--store", store, "-o", f"{store}.schedule", *words]

    def tune(self, store, *words, **environment):
        """What it says of each kernel: candidates, trials now, rejected, gain."""
        done = self.run(*self.tune_words(store, *words), **environment)
        assert done.returncode == 0, done
        found = FINISHED.findall(done.stderr)
        assert found and all(int(number) == at + 1 and int(of) == len(found) for at, (number, of, *_) in enumerate(found)), done.stderr
        return [(int(candidates), int(now), int(rejected), float(gain)) for _, _, _, candidates, now, rejected, gain in found]

    def trials(self, store):
        with sqlite3.connect(self.folder / store) as database:
            return database.execute("SELECT kernel, incumbent, challenger, is_faster, problem, made FROM trials").fetchall()

    def results(self, *words):
        command = ["run", "net.weft", *words, "--init", "1", "--input", "x=x.npy", "--output", "y=y.npy", "--output", "p=p.npy"]
        done = self.run(*command)
        assert done.returncode == 0, done
        return [numpy.load(self.folder / f"{name}.npy") for name in "yp"], done.stderr

    def schedules(self, *words):
        done = self.run("compile", "net.weft", "--emit", "schedule", *words)
        assert done.returncode == 0, done
        return done.stdout, done.stderr


def check_found(setting):
    """A slow incumbent loses; what is found is used, computes the same, and is found again without a trial."""
    kernels = setting.tune("found", "--candidates", "3", "--report", "found.html", WEFT_TEST_FAULT="incumbent:slow")
    assert len(kernels) == 2 and all(candidates == 3 and now == 4 and gain > 1 for candidates, now, _, gain in kernels), kernels
    trials = setting.trials("found")
    assert len(trials) == 8, trials
    text = (setting.folder / "found.schedule").read_text()
    assert text.count(' for "') >= 2, text
    plain, _ = setting.schedules()
    given, said = setting.schedules("--schedule", "found.schedule")
    assert given != plain and not said, said
    # A tuned block says nothing of how weights lie; what is printed says all that is used.
    loops = re.sub(r"^  pack .*\n", "", given, flags=re.M)
    for block in re.findall(r'^schedule [^{]*? for "\w+" (\{\n.*?^\}\n)', text, re.M | re.S):
        assert block in loops and "  pack " not in block, (block, given)
    assert given in setting.schedules("--schedule", "found.schedule")
    for mine, wanted in zip(setting.results("--schedule", "found.schedule")[0], setting.results()[0]):
        assert numpy.allclose(mine, wanted, rtol=2e-5, atol=2e-5 * numpy.abs(wanted).max())
    again = setting.tune("found", "--candidates", "3", WEFT_TEST_FAULT="incumbent:slow")
    assert [(c, now) for c, now, _, _ in again] == [(3, 0), (3, 0)] and setting.trials("found") == trials, again
    assert (setting.folder / "found.schedule").read_text() == text
    check_page((setting.folder / "found.html").read_text())


def check_page(page):
    open_tags, seen = [], []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append(tag)
            assert not any(name in ("src", "href") for name, _ in attrs), "the page needs other files"
            if tag not in ("meta", "br", "line"):
                open_tags.append(tag)

        def handle_startendtag(self, tag, attrs):
            seen.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag, tag

    Reader().feed(page)
    assert not open_tags and seen.count("polyline") == 2, seen


def check_other_model(setting):
    """Equal kernels of another model under other names are not tried again."""
    other = MODEL.replace("entry net", "entry other").replace("n]", "q]").replace("sum(n)", "sum(q)").replace("y[b, o]", "z[b, o]")
    (setting.folder / "other.weft").write_text(other.replace("-> y:", "-> z:").replace("p[b, n]", "p[b, q]"))
    words = ["tune", "other.weft", "--budget", "1h", "--store", "found", "-o", "other.schedule", "--candidates", "3"]
    done = setting.run(*words, WEFT_TEST_FAULT="incumbent:slow")
    assert done.returncode == 0 and [now for *_, now, _, _ in FINISHED.findall(done.stderr)] == ["0", "0"], done.stderr


def check_faults(setting):
    for fault, problem, environment in (("wrong", "wrong: in result 0 element ", {}), ("segv", "its run was ended by the signal", {}),
                                        ("hang", "its run took more than ", {"WEFT_KERNEL_SECONDS": "1"}),
                                        ("sleep", "its run took more than ", {"WEFT_KERNEL_SECONDS": "1"})):
        kernels = setting.tune(fault, "--candidates", "1", WEFT_TEST_FAULT=f"candidate:{fault}", **environment)
        assert [(c, rejected, gain) for c, _, rejected, gain in kernels] == [(1, 1, 1.0)] * 2, (fault, kernels)
        trials = [trial for trial in setting.trials(fault) if trial[1] != trial[2]]
        assert len(trials) == 2 and all(not faster and said.startswith(problem) for *_, faster, said, _ in trials), (fault, trials)
        assert " for " not in (setting.folder / f"{fault}.schedule").read_text()
        assert setting.schedules("--schedule", f"{fault}.schedule") == setting.schedules()


def check_interrupted(setting, number):
    """Whatever ends it, the trials so far stay, and the next run makes those that are missing, no other."""
    store = f"killed{number}"
    words = [setting.weft, *setting.tune_words(store, "--candidates", "6")]
    with subprocess.Popen(words, cwd=setting.folder, env=setting.environment(), stderr=subprocess.DEVNULL) as child:
        end = time.monotonic() + 120
        while not (setting.folder / store).exists() or (child.poll() is None and len(count(setting, store)) < 3):
            assert time.monotonic() < end
            time.sleep(0.01)
        child.send_signal(number)
        assert child.wait() == -number
    before = setting.trials(store)
    assert 3 <= len(before) < 14, before
    kernels = setting.tune(store, "--candidates", "6")
    after = setting.trials(store)
    assert set(before) <= set(after) and sum(now for _, now, _, _ in kernels) == len(after) - len(before), (before, kernels)
    assert sum(now for _, now, _, _ in setting.tune(store, "--candidates", "6")) == 0


def count(setting, store):
    try:
        return setting.trials(store)
    except sqlite3.OperationalError:
        return []  # the table is being made


def check_stale(setting):
    """A schedule that was found for another kernel is named and left out."""
    (setting.folder / "net.weft").write_text(MODEL.replace("x[b, n] * w", "2 * x[b, n] * w"))
    plain, _ = setting.schedules()
    given, said = setting.schedules("--schedule", "found.schedule")
    assert re.search(r"found\.schedule:\d+:\d+: warning: `forward\.y` is left out: .* \[stale-schedule\]", said), said
    block = re.search(r"schedule forward\.y \{.*?^\}", plain, re.M | re.S)[0]
    assert block in given and given != plain, given
    (setting.folder / "net.weft").write_text(MODEL)


def check_used_alone(setting):
    """What lies beside the model is used without being asked for, and every command says so; never for another target."""
    plain, _ = setting.schedules()
    assert ", tuned" not in plain, plain
    done = setting.run("tune", "net.weft", "--budget", "1h", "--store", "found", "--candidates", "3", WEFT_TEST_FAULT="incumbent:slow")
    assert done.returncode == 0, done
    given, said = setting.schedules()
    assert given == setting.schedules("--schedule", "found.schedule")[0] and not said, (given, said)
    assert len(re.findall(r"^// kernel \w+, tuned$", given, re.M)) == 2, given
    assert setting.schedules("--schedule", "none") == (plain, "")
    for _ in range(2):  # the second time the program is in the cache
        results, said = setting.results()
        assert "note: tuned schedules of 2 kernels, of net.tuned.schedule\n" in said, said
    wanted, said = setting.results("--schedule", "none")
    assert not said, said
    for mine, other in zip(results, wanted):
        assert numpy.allclose(mine, other, rtol=2e-5, atol=2e-5 * numpy.abs(other).max())
    explained = setting.run("explain", "--kernels", "net.weft")
    found = re.findall(r"^net\.tuned\.schedule:\d+:\d+: `([\w.]+)` has this tuned schedule$", explained.stdout, re.M)
    assert sorted(found) == ["forward.p", "forward.y"], explained
    elsewhere, said = setting.schedules("--target", "x86-64-v2")
    assert elsewhere == setting.schedules("--target", "x86-64-v2", "--schedule", "none")[0] and "[stale-schedule]" in said, said
    (setting.folder / "net.weft").write_text(MODEL.replace("x[b, n] * w", "2 * x[b, n] * w"))
    given, said = setting.schedules()
    assert given.count(", tuned") == 1 and "`forward.y` is left out" in said, (given, said)
    for _ in range(2):
        assert "`forward.y` is left out" in setting.results()[1]
    measured = setting.run("explain", "--measure", "--kernels", "net.weft")
    assert measured.stderr.count("[stale-schedule]") == 1, measured
    (setting.folder / "net.weft").write_text(MODEL)
    (setting.folder / "net.tuned.schedule").unlink()


def check_mistakes(setting):
    for words, said in ((["--budget", "10"], "`--budget 10` is no time"), (["--method", "forwards"], "forwards"),
                        (["--store", "net.weft"], "net.weft")):
        done = setting.run("tune", "net.weft", *words)
        assert done.returncode == 1 and said in done.stderr, done


def main():
    weft = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(weft, pathlib.Path(folder))
        check_found(setting)
        check_other_model(setting)
        check_faults(setting)
        for number in (signal.SIGKILL, signal.SIGINT):
            check_interrupted(setting, number)
        check_stale(setting)
        check_used_alone(setting)
        check_mistakes(setting)
    print("ok")


main()
