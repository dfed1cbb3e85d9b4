"""Makes a failing program small: fewer outputs and statements, shorter expressions, smaller axes, while it fails the same way."""

import copy
import dataclasses

import numpy as np

import expression as ex
import oracle
from generate import ROWS


def candidates(program, values):
    """Programs that are a step smaller, the largest steps first."""
    for tensor in program.outputs:
        if len(program.outputs) > 1:
            yield dataclasses.replace(program, outputs=[tensor])
    for statement in program.statements:
        if statement.tensor.name not in {t.name for t in program.outputs}:
            yield as_input(program, statement, values)
    for axis in {i.axis for s in program.statements if isinstance(s, ex.Equation) for i in s.indices} | {
            a for t in program.inputs + program.weights for a in t.axes}:
        for size in (1, 2, 3, axis.size // 2, axis.size - 1):
            if 0 < size < axis.size:
                yield resized(program, axis, size)
    for at, statement in enumerate(program.statements):
        if isinstance(statement, ex.Equation):
            for body in smaller(statement.body):
                changed = dataclasses.replace(statement, body=body)
                yield dataclasses.replace(
                    program, statements=program.statements[:at] + [changed] + program.statements[at + 1 :])


def as_input(program, statement, values):
    """The program that is given a statement's result instead of computing it."""
    tensor = statement.tensor
    value = values[tensor.name].v
    kind = np.float64 if tensor.type == "f64" else np.float32 if tensor.type in ex.FLOATS else value.dtype
    return dataclasses.replace(program, statements=[s for s in program.statements if s is not statement],
                               inputs=program.inputs + [tensor],
                               values={**program.values, tensor.name: np.ascontiguousarray(value, kind)})


def smaller(node):
    """Expressions of the node's type with a part taken away, the largest parts first."""
    if not isinstance(node, ex.Expr) or isinstance(node, (ex.Literal, ex.At, ex.SizeOf)):
        return
    fields = [(f.name, getattr(node, f.name)) for f in dataclasses.fields(node)]
    parts = [(n, None, v) for n, v in fields if isinstance(v, ex.Expr)]
    parts += [(n, k, e) for n, v in fields if isinstance(v, list) for k, e in enumerate(v) if isinstance(e, ex.Expr)]
    inner = set() if not isinstance(node, ex.Reduce) else {b.index.name for b in node.bounds}
    for _, _, part in parts:
        if part.type == node.type and not inner and not isinstance(node, ex.Read):
            yield part
    if isinstance(node, ex.Reduce):
        for name in ("where", "otherwise"):
            if getattr(node, name) is not None:
                yield dataclasses.replace(node, **{name: None})
    if node.type in ex.FLOATS and not isinstance(node, ex.Read):
        yield ex.Literal(0.5, node.type)
    for name, k, part in parts:
        for less in smaller(part):
            if k is None:
                yield dataclasses.replace(node, **{name: less})
            else:
                changed = list(getattr(node, name))
                changed[k] = less
                yield dataclasses.replace(node, **{name: changed})


def resized(program, axis, size):
    """The program with the axis `axis` shorter everywhere, inputs cut."""
    new = ex.Axis(str(size) if axis.static else axis.text, size)
    result = dataclasses.replace(program, inputs=[], weights=[], outputs=[], statements=[])
    parts = copy.deepcopy((program.inputs, program.weights, program.outputs, program.statements), AxisMemo(axis, new))
    result.inputs, result.weights, result.outputs, result.statements = parts
    result.values = dict(program.values)
    for tensor in program.inputs + program.weights:
        cut = tuple(slice(0, size) if a == axis else slice(None) for a in tensor.axes)
        result.values[tensor.name] = np.ascontiguousarray(program.values[tensor.name][cut])
        if tensor.below == axis.text:
            result.values[tensor.name] = np.minimum(result.values[tensor.name], size - 1)
    for tensor in result.inputs:
        if tensor.below == axis.text:
            tensor.below = new.text
    return result


class AxisMemo(dict):
    """For deepcopy: every occurrence of one axis becomes another."""

    def __init__(self, old, new):
        super().__init__()
        self.old, self.new = old, new


def copied(axis, memo):
    return memo.new if isinstance(memo, AxisMemo) and axis == memo.old else axis


ex.Axis.__deepcopy__ = copied


def alike(a, b):
    """The same kind of failure; of programs that do not run, the same exit code."""
    return a.kind == b.kind and (a.kind != "run" or a.text.split(":")[0] == b.text.split(":")[0])


def minimize(program, values, verdict, runner):
    """The smallest program found that fails as `verdict` says, and its oracle's values."""

    def fails(candidate):
        try:
            expected = oracle.run(candidate, ROWS)
        except (oracle.GeneratorFault, KeyError, IndexError, ValueError):
            return None
        found = runner.check_by(verdict.backend, [(candidate, expected)])
        return expected if any(alike(v, verdict) for v in found) else None

    progress = True
    while progress:
        progress = False
        for candidate in candidates(program, values):
            candidate = ex.live(candidate)
            expected = fails(candidate)
            if expected is not None:
                program, values, progress = candidate, expected, True
                break
    return program, values
