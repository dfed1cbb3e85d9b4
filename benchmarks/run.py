"""Weft beside what a user would pick instead, and beside what the machine reaches.

    .venv/bin/python benchmarks/run.py [--only network,3x3,...] [--threads 1,2] [--varied SEED] [--quick] [--write]
                                       [--tolerance 1e-4]

Every subject is compiled, and its results are compared with every peer's before anything is timed. Then the contenders take
turns: each is a process of its own, pinned, that sleeps while another runs, and one of them does nothing but what the
subject's arithmetic or memory takes at least. What counts is the median of the ratios within a round.

R = time of the fastest peer / ours. Share = time that the limit takes / ours.
"""

import argparse
import datetime
import pathlib
import subprocess
import sys
import tempfile

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="groups, `compile`, or parts of names, with commas between")
    parser.add_argument("--peers", help="names of files of benchmarks/peers, with commas between; else all")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--varied", type=int, metavar="SEED", help="also the networks with other sizes")
    parser.add_argument("--rounds", type=int, default=61)
    parser.add_argument("--seconds", type=float, help="at most, for each row; 60 for networks, with a tolerance too, and systems, else 6")
    parser.add_argument("--quick", action="store_true", help="some of every group in few rounds; two minutes")
    parser.add_argument("--weft", default=str(ROOT / "build/bin/weft"))
    parser.add_argument("--tolerance", help="ours is compiled with this one (weft compile --tolerance); such runs are not written")
    parser.add_argument("--write", action="store_true", help="adds to benchmarks/results and makes the pages again")
    parser.add_argument("--pages", action="store_true", help="only makes the pages again from benchmarks/results")
    parser.add_argument("--install", action="store_true", help="first installs the peers in build/benchmarks/venv")
    chosen = parser.parse_args()
    if chosen.tolerance and chosen.write:
        parser.error("the pages are about programs with no tolerance but their own: leave out --write or --tolerance")
    return chosen


def wanted(subject, chosen):
    from subject import GROUPS
    if chosen.quick and not subject.quick:
        return False
    return any(part == subject.group if part in GROUPS else part.lower() in subject.name.lower() for part in chosen.only.split(","))


def wants_compiling(chosen):
    return not chosen.quick and any(part in ("", "compile") for part in chosen.only.split(","))


def peers_that_are_here(chosen, subjects):
    """The peers of the subjects whose packages are installed; says which are not, and the versions of those that are."""
    import contenders
    names = sorted({name for subject in subjects for name in subject.peers})
    if chosen.peers is not None:
        names = [name for name in names if name in chosen.peers.split(",")]
    elif chosen.quick and "inductor" in names:
        print("TorchInductor is left out: it compiles for longer than --quick may take")
        names.remove("inductor")
    here, versions = [], {}
    for name in names:
        peer = contenders.library(name)
        found = contenders.versions(peer.PACKAGES)
        missing = [package for package, version in found.items() if version is None]
        if missing:
            print(f"{peer.NAME} is left out: {', '.join(missing)} of benchmarks/requirements.txt is not installed")
        else:
            here.append(name)
            versions[peer.NAME] = found[peer.PACKAGES[0]]
    return here, versions


def rows(subject, peers, chosen, limits):
    """Each row of a subject, with what kept peers out of it."""
    import contenders
    with tempfile.TemporaryDirectory(prefix="weft_benchmark_") as name:
        folder = pathlib.Path(name)
        subject.write(folder, peers)
        tolerance = chosen.tolerance or subject.tolerance
        allowed = ["--tolerance", tolerance] if tolerance else []
        subprocess.run([chosen.weft, "compile", *subject.program(folder), *allowed, "--emit", "so", "-o", folder / "subject.so"], check=True)
        for threads in map(int, chosen.threads.split(",")):
            seconds = chosen.seconds or (1.2 if chosen.quick else 60 if subject.group in ("network", "tolerance", "system") else 6)
            yield contenders.measure(subject, folder, [peer for peer in subject.peers if peer in peers], threads, chosen.rounds,
                                     seconds, limits)


def measure(subjects, chosen):
    """What is written down of a run, and the faults in it."""
    import contenders
    import report
    peers, versions = peers_that_are_here(chosen, subjects)
    run = {"run": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S"), "commit": commit(), **machine.facts(),
           "versions": versions, "limits": {}}
    found, faults = [], []
    with tempfile.TemporaryDirectory() as folder:
        limits = machine.limits_program(folder)
        for threads in map(int, chosen.threads.split(",")):
            run["limits"][str(threads)] = machine.limits(limits, threads)
            print(f"{report.threads(threads)}: {run['limits'][str(threads)]}")
        if wants_compiling(chosen):
            import compiling
            run["compile"] = compiling.measure(chosen.weft, pathlib.Path(folder))
            print("\n".join([*compiling.TITLE, compiling.line(run["compile"])]), flush=True)
        if subjects:
            print("\n".join(report.TITLE), flush=True)
        for subject in subjects:
            missing = [package for package, version in contenders.versions(subject.needs).items() if version is None]
            if missing:
                print(f"{subject.name} is left out: its weights need {', '.join(missing)}")
                continue
            try:
                for row, wrong in rows(subject, peers, chosen, limits):
                    found.append({"run": run["run"], **row})
                    print(report.line(row), flush=True)
                    faults += [f"{subject.name}, {report.threads(row['threads'])}: {fault}" for fault in wrong]
            except (contenders.Failed, subprocess.CalledProcessError) as fault:
                faults.append(f"{subject.name}: {fault}")
    return run, found, faults


def commit():
    found = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return found.stdout.strip()


def main():
    chosen = options()
    machine.use_peers(chosen.install)
    import pages
    import report
    import subjects
    if chosen.pages:
        return pages.write()
    found = [subject for subject in subjects.everything(chosen.varied) if wanted(subject, chosen)]
    if not found and not wants_compiling(chosen):
        return f"no subject has {chosen.only} in its name"
    run, rows, faults = measure(found, chosen)
    if rows:
        print("\n" + "\n".join(report.summary(rows)))
    for line in report.slower(report.series(report.history() + [(run, rows)])):
        print(line)
    if chosen.write:
        report.append(run, rows)
        pages.write()
    return "\nwhat failed:\n" + "\n".join(faults) if faults else 0


if __name__ == "__main__":
    sys.exit(main())
