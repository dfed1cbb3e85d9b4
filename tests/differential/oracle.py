"""What a program computes, by NumPy, and how far a correct compiled program may be from it.

Every value is a pair: the number, computed in 64 bits, and a bound of the error that evaluation in the program's own types may
have, carried through every operation (running error analysis). Sums may be reassociated, so a sum's bound is that of any
order. Where rounding may decide (a comparison of two sums, the floor of one, the argmax of nearly equal ones) the bound is
infinite: that element is not compared. What is exact (copies, ints, conditions) has the bound 0.

Arrays have one axis per index in force, 1 where they do not depend on it, so bodies broadcast.
"""

import numpy as np

import expression as ex

INTS = {"int": np.int64, "i64": np.int64, "i32": np.int32, "i8": np.int8, "u8": np.uint8}
# Twice the unit of rounding: a bound for one operation, with room for the 64-bit arithmetic here.
EPS = {"f16": 2.0**-10, "bf16": 2.0**-7, "f32": 2.0**-23, "f64": 2.0**-51}
LARGEST = {"f16": 65504.0, "bf16": 3.3e38, "f32": 3.4e38, "f64": 1.7e308}
TINY = {"f16": 2.0**-24, "bf16": 2.0**-133, "f32": 2.0**-149, "f64": 2.0**-1074}
NORMAL = {"f16": 2.0**-14, "bf16": 2.0**-126, "f32": 2.0**-126, "f64": 2.0**-1022}
FUNCTION_EPS = 4  # in units of EPS, for exp, log, ...
AXES = 12

erf = np.frompyfunc(__import__("math").erf, 1, 1)


class Value:
    def __init__(self, v, e=0.0):
        self.v, self.e = v, np.asarray(e, dtype=np.float64)


class GeneratorFault(Exception):
    """A program that reads outside where it says that it does not: the generator's mistake."""


def floats(v, e, type, operands=()):
    """A float result rounded to its type: overflow, denormals and values that are not finite settle their error."""
    v = np.asarray(v, dtype=np.float64)
    e = np.asarray(e, dtype=np.float64)
    size = np.abs(v)
    exact = e == 0
    e = np.where(np.isfinite(v) & (size < NORMAL[type]) & (e > 0), e + 4 * TINY[type], e)
    if type != "f64":
        near = np.isfinite(v) & (size + np.where(np.isfinite(e), e, 0) > LARGEST[type] * 0.999)
        e = np.where(near, np.inf, e)
    if not np.isfinite(v).all() or np.isnan(e).any():
        known = np.ones((), bool)
        surely_nan = np.zeros((), bool)
        for o in operands:
            known = known & ((o.e == 0) | (~np.isfinite(o.v) & np.isfinite(o.e)))
            surely_nan = surely_nan | (np.isnan(o.v) & (o.e == 0))
        e = np.where(np.isfinite(v), np.where(np.isnan(e), np.inf, e),
                     np.where(known | surely_nan, 0.0, np.inf) if operands else np.where(exact, 0.0, np.inf))
    return Value(v, e)


def round_to(v, type):
    """Literals and inputs as their type holds them."""
    if type == "f32":
        return np.float64(np.float32(v))
    if type == "f16":
        return np.float64(np.float16(v))
    if type == "bf16":
        bits = np.atleast_1d(np.asarray(v, np.float32)).view(np.uint32).astype(np.uint64)
        bits = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16).astype(np.uint32)
        return np.float64(bits.view(np.float32)).reshape(np.shape(v))
    return np.float64(v)


def at_most(e, limit):
    """Errors of a bounded function; one that is infinite may hide a NaN and stays so."""
    return np.where(np.isfinite(e), np.minimum(e, limit), np.inf)


class Evaluator:
    def __init__(self, values):
        self.values = values  # name -> Value of inputs, weights and results so far
        self.places = {}  # name of an index in force -> its axis
        self.mask = np.ones((1,) * AXES, bool)

    # -- indices

    def along(self, axis, numbers):
        shape = [1] * AXES
        shape[axis] = len(numbers)
        return np.asarray(numbers, np.int64).reshape(shape)

    def bind(self, name, numbers):
        axis = len(self.places)
        self.places[name] = (axis, self.along(axis, numbers))
        return axis

    # -- expressions

    def eval(self, node):
        with np.errstate(all="ignore"):
            return getattr(self, type(node).__name__.lower())(node)

    def literal(self, node):
        if node.type in ex.FLOATS:
            return Value(np.full((1,) * AXES, round_to(node.value, node.type)))
        return Value(np.full((1,) * AXES, node.value, bool if node.type == "bool" else INTS[node.type]))

    def at(self, node):
        return Value(self.places[node.index.name][1])

    def sizeof(self, node):
        return Value(np.full((1,) * AXES, node.axis.size, np.int64))

    def read(self, node):
        stored = self.values[node.tensor.name]
        shape = stored.v.shape
        inside = np.ones((1,) * AXES, bool)
        at, doubt = [], np.zeros((1,) * AXES, bool)
        for subscript, n in zip(node.subscripts, shape):
            if isinstance(subscript, ex.Group):
                position = 0
                for index in subscript.indices:
                    position = position * index.axis.size + self.places[index.name][1]
            else:
                value = self.eval(subscript)
                position, doubt = value.v, doubt | (value.e > 0)
            if node.mode == "clamp":
                position = np.clip(position, 0, max(n - 1, 0))
            elif node.mode == "wrap":
                position = position % max(n, 1)
            elif node.mode == "mirror":
                period = max(2 * (n - 1), 1)
                position = position % period
                position = np.where(position >= n, period - position, position)
            inside = inside & (position >= 0) & (position < n)
            at.append(np.clip(position, 0, max(n - 1, 0)))
        if node.otherwise is None and not (inside | ~self.mask | doubt).all():
            raise GeneratorFault(f"{node.text()} outside")
        if 0 in shape:
            v, e = np.zeros((1,) * AXES, stored.v.dtype), np.zeros((1,) * AXES)
        elif not shape:
            v, e = stored.v.reshape((1,) * AXES), np.asarray(stored.e).reshape((1,) * AXES)
        else:
            at = np.broadcast_arrays(*at)
            v, e = stored.v[tuple(at)], np.broadcast_to(stored.e, shape)[tuple(at)]
        e = np.where(doubt, np.inf, e)
        if node.otherwise is not None:
            saved, self.mask = self.mask, self.mask & ~inside
            other = self.eval(node.otherwise)
            self.mask = saved
            v, e = np.where(inside, v, other.v), np.where(inside, e, other.e)
            e = np.where(doubt, np.inf, e)
        return Value(v, e)

    def cast(self, node):
        x = self.eval(node.value)
        source, target = node.value.type, node.type
        if source in ex.FLOATS and target in ex.FLOATS:
            narrower = EPS[target] > EPS[source] or target == "f16"
            v = np.where(x.e == 0, round_to(x.v, target), x.v)
            return floats(v, np.where(x.e == 0, 0, x.e + (EPS[target] * np.abs(x.v) if narrower else 0)), target, (x,))
        if target in ex.FLOATS:
            v = np.float64(x.v)
            return floats(np.where(x.e == 0, round_to(v, target), v), x.e, target)
        if source in ex.FLOATS:
            info = np.iinfo(INTS[target])
            whole = np.trunc(x.v)
            unsure = (x.e > 0) & ((np.trunc(x.v - x.e) != whole) | (np.trunc(x.v + x.e) != whole))
            safe = np.where(np.isnan(whole), 0, whole)
            low, high = safe <= info.min, safe >= info.max
            v = np.where(low, info.min, np.where(high, info.max, np.where(low | high, 0, safe).astype(np.int64)))
            return Value(v.astype(INTS[target]), np.where(unsure, np.inf, 0))
        return Value(x.v.astype(INTS[target]), x.e)

    def select(self, node):
        c = self.eval(node.condition)
        saved = self.mask
        self.mask = saved & (c.v | (c.e > 0))
        a = self.eval(node.then)
        self.mask = saved & (~c.v | (c.e > 0))
        b = self.eval(node.otherwise)
        self.mask = saved
        return Value(np.where(c.v, a.v, b.v), np.where(c.e > 0, np.inf, np.where(c.v, a.e, b.e)))

    def choice(self, node):
        at = self.eval(node.at)
        saved, result = self.mask, None
        for k, part in enumerate(node.parts):
            self.mask = saved & (at.v == k)
            value = self.eval(part)
            here = at.v == k
            result = value if result is None else Value(np.where(here, value.v, result.v), np.where(here, value.e, result.e))
        self.mask = saved
        return Value(result.v, np.where(at.e > 0, np.inf, result.e))

    def binary(self, node):
        if node.op == "^":
            return self.power(node)
        a, b = self.eval(node.left), self.eval(node.right)
        op, type = node.op, node.left.type
        if op in ("and", "or"):
            v = (a.v & b.v) if op == "and" else (a.v | b.v)
            decides = (lambda x: ~x.v & (x.e == 0)) if op == "and" else (lambda x: x.v & (x.e == 0))
            return Value(v, np.where(decides(a) | decides(b), 0, np.maximum(a.e, b.e)))
        if op in ("==", "!=", "<", "<=", ">", ">="):
            compare = {"==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater,
                       ">=": np.greater_equal}[op]
            e = a.e + b.e
            if type in ex.FLOATS:
                close = (np.abs(a.v - b.v) <= e) | ~np.isfinite(e)
                e = np.where((e > 0) & (close | ((a.v == b.v))), np.inf, 0)
            else:
                e = np.where(e > 0, np.inf, 0)
            return Value(compare(a.v, b.v), e)
        if type in ex.FLOATS:
            return self.float_binary(op, a, b, type)
        e = np.where(a.e + b.e > 0, np.inf, 0)
        if op in ("div", "%"):
            zero = b.v == 0
            safe = np.where(zero, 1, b.v).astype(np.int64)
            v = np.where(zero, 0, np.floor_divide(a.v.astype(np.int64), safe) if op == "div" else a.v % safe)
        else:
            v = {"+": np.add, "-": np.subtract, "*": np.multiply}[op](a.v.astype(np.int64), b.v.astype(np.int64))
        return Value(v.astype(INTS[type]), e)

    def float_binary(self, op, a, b, type):
        eps = EPS[type]
        if op == "+" or op == "-":
            v = a.v + b.v if op == "+" else a.v - b.v
            return floats(v, a.e + b.e + eps * np.abs(v), type, (a, b))
        if op == "*":
            v = a.v * b.v
            e = np.abs(a.v) * b.e + np.abs(b.v) * a.e + a.e * b.e + eps * np.abs(v)
            return floats(v, np.where((v == 0) & (a.e + b.e == 0) & ((a.v == 0) | (b.v == 0)), 0, e + TINY[type]), type,
                          (a, b))
        if op == "/":
            v = a.v / b.v
            room = np.abs(b.v) - b.e
            e = (a.e + np.abs(v) * b.e) / np.where(room > 0, room, 1) + eps * np.abs(v) + TINY[type]
            e = np.where((room <= 0) & (b.e > 0), np.inf, e)
            e = np.where((a.v == 0) & (a.e == 0) & (b.e == 0), 0, e)
            e = np.where(np.isinf(b.v) & np.isfinite(a.v), 0, e)
            return floats(v, e, type, (a, b))
        raise ValueError(op)

    def power(self, node):
        x, n, type = self.eval(node.left), node.right.value, node.left.type
        r = x.v**n
        low = np.maximum(np.abs(x.v) - x.e, 0)
        steepest = np.where(n > 1, (np.abs(x.v) + x.e) ** (n - 1), np.where(low > 0, low, np.inf) ** (n - 1.0))
        err = np.abs(n) * steepest * x.e + FUNCTION_EPS * EPS[type] * np.abs(r) + TINY[type]
        return floats(r, np.where((n < 1) & (low == 0) & (x.e > 0), np.inf, err), type, (x,))

    def call(self, node):
        x = [self.eval(a) for a in node.arguments]
        f, type = node.function, node.arguments[0].type
        if f == "not":
            return Value(~x[0].v, x[0].e)
        if type not in ex.FLOATS:
            v = [a.v.astype(np.int64) for a in x]
            r = {"neg": lambda: -v[0], "abs": lambda: np.abs(v[0]), "sign": lambda: np.sign(v[0]),
                 "minimum": lambda: np.minimum(*v), "maximum": lambda: np.maximum(*v),
                 "clip": lambda: np.minimum(np.maximum(v[0], v[1]), v[2])}[f]()
            return Value(r.astype(INTS[type]), np.where(sum(a.e for a in x) > 0, np.inf, 0))
        return self.float_call(f, x, type)

    def float_call(self, f, x, type):
        a = x[0]
        v, e, ulp = a.v, a.e, FUNCTION_EPS * EPS[type]
        if f == "neg":
            return Value(-v, e)
        if f == "abs":
            return Value(np.abs(v), e)
        if f == "sign":
            return Value(np.sign(v), np.where((np.abs(v) <= e) & (e > 0), np.inf, 0))
        if f in ("minimum", "maximum", "clip"):
            r, err = v, e
            for other, pick in zip(x[1:], [np.minimum] if f == "minimum" else [np.maximum, np.minimum]):
                r, err = pick(r, other.v), np.maximum(err, other.e)
            return floats(r, err, type, tuple(x))
        if f in ("floor", "ceil", "round", "trunc"):
            g = {"floor": np.floor, "ceil": np.ceil, "round": np.rint, "trunc": np.trunc}[f]
            r = g(v)
            return Value(r, np.where((e > 0) & ((g(v - e) != r) | (g(v + e) != r)), np.inf, 0))
        if f == "exp":
            r = np.exp(v)
            return floats(r, np.where(e < 700, r * np.expm1(np.minimum(e, 700)) + ulp * r + TINY[type], np.inf), type, (a,))
        if f == "log":
            r = np.log(v)
            err = np.where(v - e > 0, e / np.where(v - e > 0, v - e, 1), np.where(e > 0, np.inf, 0))
            err = np.where((v + e < 0) | np.isinf(v), 0, err + ulp * np.abs(r) + ulp * 1e-3)
            return floats(r, np.where((v == 0) & (e == 0), 0, err), type, (a,))
        if f == "sqrt":
            r = np.sqrt(v)
            err = np.sqrt(np.maximum(v + e, 0)) - np.sqrt(np.maximum(v - e, 0)) + EPS[type] * r
            err = np.where((v - e < 0) & (v + e >= 0) & (e > 0), np.inf, err)
            return floats(r, np.where(v + e < 0, 0, err), type, (a,))
        if f in ("sin", "cos"):
            r = np.sin(v) if f == "sin" else np.cos(v)
            return floats(r, e + ulp, type, (a,))
        if f == "tan":
            r = np.tan(v)
            return floats(r, np.where(np.abs(v) + e < 1.5, e / np.cos(np.minimum(np.abs(v) + e, 1.5)) ** 2, np.inf) +
                          ulp * np.abs(r) + TINY[type], type, (a,))
        if f == "atan2":
            r = np.arctan2(v, x[1].v)
            distance = np.hypot(v, x[1].v) - e - x[1].e
            err = np.where(distance > 0, (e + x[1].e) / np.where(distance > 0, distance, 1), np.where(e + x[1].e > 0, np.inf, 0))
            # Next to the negative axis half a turn is decided by a sign.
            err = np.where((x[1].v - x[1].e < 0) & (np.abs(v) <= e) & (e > 0), np.inf, err)
            return floats(r, err + ulp * np.abs(r) + TINY[type], type, tuple(x))
        if f == "tanh":
            return floats(np.tanh(v), at_most(e, 2) + ulp * np.abs(np.tanh(v)) + TINY[type], type, (a,))
        if f == "erf":
            r = np.asarray(erf(np.where(np.isnan(v), 0, v)), np.float64)
            r = np.where(np.isnan(v), np.nan, r)
            return floats(r, at_most(1.2 * e, 2) + ulp * np.abs(r) + TINY[type], type, (a,))
        raise ValueError(f)

    # -- reductions

    def reduce(self, node):
        places, mask = dict(self.places), self.mask
        valid, doubt = np.ones((1,) * AXES, bool), np.zeros((1,) * AXES, bool)
        axes, counters = [], []
        for bound in node.bounds:
            lower = self.eval(bound.lower) if bound.lower is not None else Value(np.zeros((1,) * AXES, np.int64))
            upper = self.eval(bound.upper) if bound.upper is not None else Value(
                np.full((1,) * AXES, bound.index.axis.size, np.int64))
            lo, hi = int(lower.v.min()), int(max(upper.v.max(), lower.v.min()))
            axis = self.bind(bound.index.name, np.arange(lo, hi))
            axes.append(axis)
            numbers = self.places[bound.index.name][1]
            counters.append(numbers)
            valid = valid & (numbers >= lower.v) & (numbers < upper.v)
            doubt = doubt | (lower.e > 0) | (upper.e > 0)
        self.mask = self.mask & valid
        if node.where is not None:
            condition = self.eval(node.where)
            doubt = doubt | (condition.e > 0)
            valid = valid & condition.v
            self.mask = self.mask & (condition.v | (condition.e > 0))
        body = self.eval(node.body)
        self.places, self.mask = places, mask
        axes = tuple(axes)
        full = np.broadcast_shapes(body.v.shape, valid.shape, *(c.shape for c in counters))
        v, e, valid = (np.broadcast_to(t, full) for t in (body.v, body.e, valid))
        result = self.combine(node, v, np.where(valid, e, 0), valid, axes, counters)
        if doubt.any():
            result.e = np.where(np.broadcast_to(doubt, full).any(axis=axes, keepdims=True), np.inf, result.e)
        if node.otherwise is not None:
            other = self.eval(node.otherwise)
            some = valid.any(axis=axes, keepdims=True)
            unsure = result.e == np.inf
            result = Value(np.where(some, result.v, other.v), np.where(some | unsure, result.e, other.e))
        return result

    def combine(self, node, v, e, valid, axes, counters):
        word, type = node.word, node.body.type
        n = int(np.prod([v.shape[a] for a in axes]))
        over = dict(axis=axes, keepdims=True)
        any_doubt = np.where((e > 0).any(**over), np.inf, 0)
        if word == "count":
            return Value((v & valid).sum(**over).astype(np.int64), any_doubt)
        if word in ("any", "all"):
            r = (v & valid).any(**over) if word == "any" else (v | ~valid).all(**over)
            decided = (v & valid & (e == 0)).any(**over) if word == "any" else (~v & valid & (e == 0)).any(**over)
            return Value(r, np.where(decided, 0, any_doubt))
        if word in ("argmax", "argmin", "first", "last"):
            return self.choose(node, v, e, valid, axes, counters)
        if type not in ex.FLOATS:
            wide = v.astype(np.int64)
            info = np.iinfo(INTS[type])
            r = {"sum": lambda: np.where(valid, wide, 0).sum(**over), "prod": lambda: np.where(valid, wide, 1).prod(**over),
                 "max": lambda: np.where(valid, wide, info.min).max(initial=info.min, **over),
                 "min": lambda: np.where(valid, wide, info.max).min(initial=info.max, **over)}[word]()
            return Value(r.astype(INTS[type]), any_doubt)
        eps = EPS["f32" if type in ("f16", "bf16") else type]
        final = EPS[type]
        operand = Value(v, e)
        known = np.where(valid, np.where(np.isfinite(v), e == 0, True), True).all(**over)
        if word in ("sum", "mean"):
            x = np.where(valid, v, 0)
            r, size = x.sum(**over), np.abs(x).sum(**over)
            err = e.sum(**over) + eps * (n + 2) * size + final * np.abs(r)
            err = np.where(size == 0, e.sum(**over), err)
            if word == "mean":
                many = np.broadcast_to(valid, v.shape).sum(**over)
                r, err = r / many, err / np.maximum(many, 1) + final * np.abs(r / np.maximum(many, 1)) + TINY[type]
            err = np.where(np.isfinite(r), err, np.where(known | np.isnan(r) & np.isnan(x).any(**over), 0, np.inf))
            finite = np.where(np.isfinite(x), np.abs(x), 0).sum(**over)  # may overflow before it meets an infinity
            err = np.where((finite > LARGEST[type] * 0.5) & ~np.isnan(r), np.inf, err)
            return Value(r, np.where(np.isnan(err), np.inf, err))
        if word == "prod":
            x = np.where(valid, v, 1)
            r, bound = x.prod(**over), (np.abs(x) + e).prod(**over)
            err = bound - np.abs(r) + eps * (n + 2) * bound + final * np.abs(r) + TINY[type]
            wild = np.maximum(np.abs(x), 1).prod(**over) * np.maximum(1 / np.maximum(np.abs(x), 1e-300), 1).prod(**over)
            risky = ~(wild < (1e30 if type != "f16" else 1e4)) & ~((x == 0).any(**over) & np.isfinite(x).all(**over))
            return Value(r, np.where(risky | ~np.isfinite(err), np.inf, err))
        if word in ("max", "min"):
            worst = -np.inf if word == "max" else np.inf
            x = np.where(valid, v, worst)
            r = (x.max if word == "max" else x.min)(initial=worst, **over)
            return floats(r, np.where(np.isnan(r), np.where((np.isnan(x) & (e == 0)).any(**over), 0, np.inf),
                                      e.max(initial=0, **over)), type)
        if word == "logsumexp":
            x = np.where(valid, v, -np.inf)
            peak = x.max(initial=-np.inf, **over)
            shift = np.where(np.isfinite(peak), peak, 0)
            r = np.log(np.exp(x - shift).sum(**over)) + shift
            err = e.max(initial=0, **over) * 2 + eps * (2 * n + 20) * (1 + np.abs(r) + np.abs(shift)) + final * np.abs(r)
            # The peak is subtracted from elements that a fused multiply-add may round differently.
            err = np.where(e.max(initial=0, **over) > 80, np.inf, err)
            return Value(r, np.where(np.isfinite(r), err, np.where(known, 0, np.inf)))
        raise ValueError(word)

    def choose(self, node, v, e, valid, axes, counters):
        """argmax, argmin, first and last, over the last axes in row-major order."""
        word = node.word
        assert axes == tuple(range(axes[0], axes[0] + len(axes)))
        before, inner = v.shape[: axes[0]], v.shape[axes[0] : axes[0] + len(axes)]
        n = int(np.prod(inner))
        flat = lambda t: np.broadcast_to(t, v.shape).reshape(before + (n,))
        x, err, ok = flat(v), flat(e), flat(valid)
        keep = before + (1,) * (AXES - len(before))
        if n == 0:
            kind = np.int64 if word.startswith("arg") else v.dtype
            return Value(np.zeros(keep, kind))
        if word in ("first", "last"):
            at = ok.argmax(-1) if word == "first" else n - 1 - ok[..., ::-1].argmax(-1)
            pick = lambda t: np.take_along_axis(t, at[..., None], -1).reshape(keep)
            return Value(pick(x), pick(err))
        key = x.astype(np.float64) if v.dtype != np.int64 else x
        if v.dtype != np.int64:
            key = np.where(np.isnan(key), np.inf, key)
            # NaN is larger than infinity: in argmax it wins, in argmin it loses to everything.
            rank = np.where(np.isnan(x), 1, 0) if node.body.type in ex.FLOATS else np.zeros(x.shape, int)
        else:
            rank = np.zeros(x.shape, int)
        sign = 1 if word == "argmax" else -1
        best_rank = np.where(ok, sign * rank, -9).max(-1, keepdims=True)
        among = ok & (sign * rank == best_rank)
        lowest = np.iinfo(np.int64).min + 1 if key.dtype == np.int64 else -np.inf
        score = np.where(among, sign * key, lowest)
        at = np.where(among, score == score.max(-1, keepdims=True), False).argmax(-1)
        chosen = np.take_along_axis(score, at[..., None], -1)
        chosen_err = np.take_along_axis(err, at[..., None], -1)
        others = np.arange(n) != at[..., None]
        unsure = among & others & (err + chosen_err > 0) & ~(score + err < chosen - chosen_err)
        unsure = unsure.any(-1) | (~np.isfinite(err) & ok).any(-1)
        # With several indices the word gives one vector each; the generator uses one.
        numbers = np.broadcast_to(counters[0], v.shape).reshape(before + (n,)) if len(axes) == 1 else None
        position = np.take_along_axis(numbers, at[..., None], -1).reshape(keep)
        return Value(position, np.where(unsure, np.inf, 0.0).reshape(keep))


def run_equation(statement, values):
    evaluator = Evaluator(values)
    for index in statement.indices:
        evaluator.bind(index.name, np.arange(index.axis.size))
    shape = tuple(i.axis.size for i in statement.indices)
    result = evaluator.eval(statement.body)
    spread = lambda t: np.broadcast_to(t, shape + (1,) * (AXES - len(shape))).reshape(
        tuple(a.size for a in statement.tensor.axes))
    return Value(spread(result.v), spread(result.e))


def run_statement(statement, values, ops):
    if isinstance(statement, ex.Equation):
        return run_equation(statement, values)
    if isinstance(statement, ex.Concat):
        parts = [values[p.name] for p in statement.parts]
        return Value(np.concatenate([p.v for p in parts], statement.axis),
                     np.concatenate([np.broadcast_to(p.e, p.v.shape) for p in parts], statement.axis))
    return ops[statement.op].evaluate(statement, values)


def run(program, ops):
    """name -> Value of every tensor of the program."""
    values = {n: Value(np.asarray(v, np.float64) if v.dtype.kind == "f" else v) for n, v in program.values.items()}
    for statement in program.statements:
        values[statement.tensor.name] = run_statement(statement, values, ops)
    return values
