"""The comparison catches faults: python tests/differential/inject.py WEFT [--programs N]

Puts one fault into each of some random programs, of the kinds that passes and back ends can make: a subscript off by one, a
reduction that leaves out its last element, a tail of the domain that is not computed, a guard in the wrong place. What is
compiled is the faulty program, what is expected comes from the right one: every such program must be reported as wrong.
"""

import argparse
import dataclasses
import sys
import tempfile

import expression as ex
import oracle
import statements
from execute import Runner, differs
from expression import At, Binary, Call, Literal, Select, SizeOf
from generate import ROWS


def rebuilt(node, change, done):
    """The tree with `change` applied to the first node that it does not leave alone (by giving None)."""
    if not isinstance(node, (ex.Expr, ex.Bound)) or done:
        return node
    new = change(node)
    if new is not None:
        done.append(new)
        return new
    parts = {}
    for f in dataclasses.fields(node):
        value = getattr(node, f.name)
        if isinstance(value, list):
            parts[f.name] = [rebuilt(v, change, done) for v in value]
        else:
            parts[f.name] = rebuilt(value, change, done)
    return dataclasses.replace(node, **parts)


def shifted_subscript(node):
    """x[i] reads its neighbour; behind the end the last element."""
    if not isinstance(node, ex.Read) or node.otherwise is not None or node.mode != "inside":
        return None
    for k, subscript in enumerate(node.subscripts):
        if isinstance(subscript, At) and node.tensor.axes[k].size > 1:
            last = Binary("-", SizeOf(node.tensor.axes[k]), Literal(1, "int"))
            changed = list(node.subscripts)
            changed[k] = Call("minimum", [Binary("+", subscript, Literal(1, "int")), last])
            return dataclasses.replace(node, subscripts=changed)
    return None


def short_reduction(node):
    if isinstance(node, ex.Reduce) and node.otherwise is None and node.word in ("sum", "max", "min", "count"):
        bound = node.bounds[-1]
        if bound.upper is None and bound.index.axis.size > 1 and bound.index.axis.static:
            less = dataclasses.replace(bound, upper=Literal(bound.index.axis.size - 1, "int"))
            return dataclasses.replace(node, bounds=node.bounds[:-1] + [less])
    return None


def moved_guard(node):
    """x[e] else v, one place too far."""
    if isinstance(node, ex.Read) and (node.otherwise is not None or node.mode != "inside"):
        for k, subscript in enumerate(node.subscripts):
            if isinstance(subscript, Binary):
                changed = list(node.subscripts)
                changed[k] = Binary("+", subscript, Literal(1, "int"))
                return dataclasses.replace(node, subscripts=changed)
    return None


def lost_tail(statement):
    """The last elements of the innermost axis, less than a vector of them, are not computed."""
    if not statement.indices or statement.body.type not in ex.FLOATS:
        return None
    index = statement.indices[-1]
    whole = index.axis.size // 8 * 8 if index.axis.size > 8 else index.axis.size - 1
    if whole == index.axis.size or whole == 0:
        return None
    body = Select(Binary("<", At(index), Literal(whole, "int")), statement.body, Literal(0.0, statement.body.type))
    return dataclasses.replace(statement, body=body)


def on_body(change):
    def apply(statement):
        done = []
        body = rebuilt(statement.body, change, done)
        return dataclasses.replace(statement, body=body) if done else None

    return apply


FAULTS = {"subscript": on_body(shifted_subscript), "reduction": on_body(short_reduction), "guard": on_body(moved_guard),
          "tail": lost_tail}


def faulty(program, expected, kind):
    """The program with a fault that its outputs show; nothing if it has no place for one."""
    for at, statement in enumerate(program.statements):
        wrong = FAULTS[kind](statement) if isinstance(statement, ex.Equation) else None
        if wrong is None:
            continue
        changed = dataclasses.replace(program, statements=program.statements[:at] + [wrong] + program.statements[at + 1 :])
        values = oracle.run(changed, ROWS)
        sure = {t.name: oracle.Value(values[t.name].v) for t in program.outputs}
        for t in program.outputs:
            # Clearly another result, whatever rounding does.
            bound = 4 * (values[t.name].e + expected[t.name].e) + 1e-3
            if differs(sure[t.name].v, oracle.Value(expected[t.name].v, bound), t):
                return changed
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft")
    parser.add_argument("--programs", type=int, default=16, help="faulty ones, as many of each kind")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    batch, kinds, seed = [], {}, arguments.seed * 1_000_000
    kind_of = lambda: list(FAULTS)[len(batch) % len(FAULTS)]
    while len(batch) < arguments.programs:
        seed += 1
        program, expected = statements.generate(seed)
        wrong = faulty(program, expected, kind_of()) if program.statements and not program.special else None
        if wrong is not None:
            kinds[seed] = kind_of()
            batch.append((wrong, expected))
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(arguments.weft, folder, ["--no-cache"])
        verdicts = [v for one in batch for v in runner.check_by("halide", [one])]
        false_alarms = [v for p, _ in batch[:4] for v in runner.check_by("halide", [statements.generate(p.seed)])]
    missed = set(kinds) - {v.seed for v in verdicts if v.kind == "wrong"}
    for verdict in [v for v in verdicts if v.kind != "wrong"] + false_alarms:
        print(verdict)
    for seed in missed:
        print(f"seed {seed}: a wrong {kinds[seed]} was not noticed")
    return 1 if missed or false_alarms or len(verdicts) < len(batch) else 0


if __name__ == "__main__":
    sys.exit(main())
