"""Records what the references of systems compute: python tests/systems/record.py NAME ... [--case small] [--verify]

For references that need PyTorch. Writes examples/NAME/record.json, samples of every output, and says how far the older
record is; --verify only says so. With --case the other cases keep what is recorded.
"""

import argparse
import json
import sys

import system


def recorded(subject, case, shapes):
    """What the record keeps of a case."""
    outputs = subject.outputs_of(subject.reference.expected(case))
    kept = {"outputs": {name: system.to_record(name, value, margin) for name, (value, margin) in outputs.items()}}
    return {"shapes": shapes, **kept} if shapes else kept


def distances(subject, old, new):
    """How far two records of a case are apart, by output."""
    for name, record in new["outputs"].items():
        if name not in old.get("outputs", {}) or old["outputs"][name]["shape"] != record["shape"]:
            yield name, float("inf")
            continue
        was, now = (system.from_record(name, each["outputs"][name]) for each in (old, new))
        yield name, subject.comparison(name).apart(now.values, was.values, was)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=system.all_names(), metavar="NAME")
    parser.add_argument("--case", help="only cases whose names begin so")
    parser.add_argument("--verify", action="store_true")
    arguments = parser.parse_args()
    worst = 0.0
    for name in arguments.names:
        subject = system.System(name)
        if subject.reference.LIVE:
            sys.exit(f"{name}: the test computes this reference, nothing is recorded")
        old = subject.record() if subject.record_path.exists() else {}
        cases = subject.cases(arguments.case) if arguments.case else list(subject.reference.CASES.values())
        shapes = {case.name: subject.reference.shapes(case) for case in cases} if hasattr(subject.reference, "shapes") else {}
        new = {case.name: recorded(subject, case, shapes.get(case.name)) for case in cases}
        for case in new:
            apart = dict(distances(subject, old.get(case, {}), new[case]))
            far = max(apart, key=apart.get)
            worst = max(worst, apart[far])
            print(f"{name} {case}: {len(apart)} outputs, the older record is {apart[far]:.1e} away at {far}")
        if not arguments.verify:
            subject.record_path.write_text(json.dumps({**old, **new}, separators=(",", ":")) + "\n")
    return "the record is another" if arguments.verify and worst > 1e-5 else 0


if __name__ == "__main__":
    sys.exit(main())
