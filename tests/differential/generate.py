"""Random programs. generate(seed) gives a program and what the oracle says of each of its tensors."""

import random

import numpy as np

import expression as ex
import oracle
from expression import (At, Axis, Binary, Bound, Call, Cast, Choice, Equation, Index, Literal, Read, Reduce, Rows, Select,
                        SizeOf, Tensor)

SIZES = [1, 1, 2, 3, 3, 4, 5, 7, 8, 8, 9, 11, 13, 16, 17, 19, 23, 31, 32, 33, 37, 64, 65, 67, 97, 128, 131]
SMALL = [1, 2, 3, 3, 4, 5, 7]
MOST_POINTS = 150_000  # of one equation, its reductions included
BATCH = 10  # programs of one file
COMPARISONS = ["<", "<=", ">", ">=", "==", "!="]
ROWS = {}  # ops that are called under indices: name -> Op


def dimensions(seed):
    """D0 and D1 of this run: the same for a batch, so that it can be compiled for just these sizes too."""
    chosen = random.Random(seed // BATCH)
    return [chosen.choice(SIZES), chosen.choice(SIZES)]


def f32(value):
    return Literal(float(value), "f32")


class Op:
    """An op of every file's head; `trees` gives its equations under more indices."""

    def __init__(self, text, arity, whole, result, evaluate, rank=1):
        self.text, self.arity, self.whole, self.result, self.evaluate = text, arity, whole, result, evaluate
        self.rank = rank  # of the first argument


def under(statement, axis, name):
    return statement.indices + [Index(name, axis)]


def prefix(statement, values):
    x = statement.arguments[0]
    n = under(statement, x.axes[-1], "n")
    j = Index("j", x.axes[-1])
    body = Reduce("sum", [Bound(j, None, Binary("+", At(n[-1]), Literal(1, "int")))],
                  Read(x, [At(i) for i in statement.indices] + [At(j)]))
    return oracle.run_equation(Equation(statement.tensor, n, body), values)


def softmax(statement, values):
    x = statement.arguments[0]
    n = under(statement, x.axes[-1], "n")
    at = [At(i) for i in statement.indices]
    j, k = Index("j", x.axes[-1]), Index("k", x.axes[-1])

    def e(index):
        peak = Reduce("max", [Bound(k)], Read(x, at + [At(k)]))
        return Call("exp", [Binary("-", Read(x, at + [At(index)]), peak)])

    return oracle.run_equation(
        Equation(statement.tensor, n, Binary("/", e(n[-1]), Reduce("sum", [Bound(j)], e(j)))), values)


def normalised(statement, values):
    x, g = statement.arguments
    n = under(statement, x.axes[-1], "n")
    at = [At(i) for i in statement.indices]
    j, k = Index("j", x.axes[-1]), Index("k", x.axes[-1])
    mu = Reduce("mean", [Bound(k)], Read(x, at + [At(k)]))
    d = lambda index: Binary("-", Read(x, at + [At(index)]), mu)
    var = Reduce("mean", [Bound(j)], Binary("*", d(j), d(j)))
    body = Binary("*", Binary("/", d(n[-1]), Call("sqrt", [Binary("+", var, f32(0.5))])), Read(g, [At(n[-1])]))
    return oracle.run_equation(Equation(statement.tensor, n, body), values)


def applied(statement, values):
    x, w = statement.arguments
    m = under(statement, w.axes[0], "m")
    j = Index("j", w.axes[1])
    product = Binary("*", Read(x, [At(i) for i in statement.indices] + [At(j)]), Read(w, [At(m[-1]), At(j)]))
    return oracle.run_equation(Equation(statement.tensor, m, Reduce("sum", [Bound(j)], product)), values)


ROWS["prefix"] = Op("op prefix(x: float[N]) -> y: float[N] { y[i] = sum(j <= i) x[j] }", 1, 0,
                    lambda a: a[0].axes[-1:], prefix)
ROWS["softmax"] = Op("""op softmax(x: float[N]) -> y: float[N] {
  peak = max(n) x[n]
  e[n] = exp(x[n] - peak)
  y[n] = e[n] / sum(m) e[m]
}""", 1, 0, lambda a: a[0].axes[-1:], softmax)
ROWS["normalised"] = Op("""op normalised(x: float[N], g: float[N]) -> y: float[N] {
  mu = mean(n) x[n]
  d[n] = x[n] - mu
  var = mean(n) d[n]^2
  y[n] = d[n] / sqrt(var + 0.5) * g[n]
}""", 2, 1, lambda a: a[0].axes[-1:], normalised)
ROWS["applied"] = Op("op applied(x: float[N], w: float[M, N]) -> y: float[M] { y[m] = sum(n) w[m, n] * x[n] }", 2, 1,
                     lambda a: a[1].axes[:1], applied)




def rowwise(statement, values):
    x = statement.arguments[0]
    last = Rows(statement.tensor, "softmax", statement.indices + [Index("r", x.axes[-2])], [x])
    return softmax(last, values)


def rolled(statement, values):
    x = statement.arguments[0]
    n = under(statement, x.axes[-1], "n")
    at = Binary("%", Binary("+", At(n[-1]), Literal(1, "int")), SizeOf(x.axes[-1]))
    return oracle.run_equation(Equation(statement.tensor, n, Read(x, [At(i) for i in statement.indices] + [at])), values)


# An op whose body calls another under an index, and one that joins slices.
ROWS["rowwise"] = Op("op rowwise(x: float[N, M]) -> y: float[N, M] { y[n] = softmax(x[n]) }", 1, 0,
                     lambda a: a[0].axes[-2:], rowwise, 2)
ROWS["rolled"] = Op("op rolled(x: float[N]) -> y: float[N] { y = concat([x[1:], x[:1]]) }", 1, 0,
                    lambda a: a[0].axes[-1:], rolled)


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.program = ex.Program(seed)
        self.program.special = self.random.random() < 0.15
        self.pool = []
        self.values = {}
        self.count = 0
        self.dynamic = [Axis(f"D{k}", size) for k, size in enumerate(dimensions(seed)[: self.random.choice([0, 1, 1, 2])])]
        self.axes = self.dynamic + [self.static(self.size()) for _ in range(self.random.choice([2, 2, 3, 4]))]
        self.points = 1  # of the equation that is being made
        self.float_type = self.random.choices(["f32", "f64"], [12, 1])[0]

    # -- small choices

    def size(self):
        return self.random.choice(SIZES)

    @staticmethod
    def static(size):
        return Axis(str(size), size)

    def some(self, probability):
        return self.random.random() < probability

    def fresh(self, letter):
        self.count += 1
        return f"{letter}{self.count}"

    def index(self, axis):
        return Index(self.fresh("a"), axis)

    def literal(self, type):
        if type == "bool":
            return Literal(self.some(0.5), "bool")
        if type in ex.FLOATS:
            return Literal(self.random.choice([0.0, 1.0, 0.5, -0.25, 2.0, 0.125, -1.5, 0.3, 1.7, -0.7]), type)
        return Literal(self.random.choice([0, 1, 2, 3, 5, 7]), type)

    # -- tensors

    def add(self, name, type, axes, data, weight=False):
        tensor = Tensor(name, type, list(axes))
        self.program.values[name] = data
        self.values[name] = oracle.Value(np.asarray(data, np.float64) if data.dtype.kind == "f" else data)
        (self.program.weights if weight else self.program.inputs).append(tensor)
        self.pool.append(tensor)
        return tensor

    def data(self, type, shape, below):
        if type in ("f32", "f64"):
            values = np.round(self.numbers.uniform(-2, 2, shape) * 128) / 128 if self.some(0.3) else \
                self.numbers.uniform(-2, 2, shape)
            values = np.asarray(values, np.float32 if type == "f32" else np.float64)
            return values
        if type in ("f16", "bf16"):
            return oracle.round_to(self.numbers.uniform(-2, 2, shape), type)
        if type == "bool":
            return np.asarray(self.numbers.integers(0, 2, shape), bool)
        if type == "int":
            return np.asarray(self.numbers.integers(0, below or 10, shape), np.int64)
        high = {"u8": 256, "i32": 2**31 - 1, "i8": 128}[type]
        low = {"u8": 0, "i32": -(2**31), "i8": -128}[type]
        return np.asarray(self.numbers.integers(low, high, shape), oracle.INTS[type])

    def make(self, axes, type="f32", below=None):
        """A new input, or a weight where all sizes are numbers."""
        shape = tuple(a.size for a in axes)
        data = self.data(type, shape, below.size if below else None)
        if type in ("f16", "bf16") or type == "f32" and all(a.static for a in axes) and axes and self.some(0.6):
            return self.add(self.fresh("w"), type, axes, data, weight=True)
        if self.program.special and type in ("f32", "f64") and data.size:
            special = np.array([np.nan, np.inf, -np.inf, 1e-45, -1e-39, -0.0, 0.0, 3e38], np.float32)
            chosen = self.numbers.random(shape) < 0.06
            data = np.where(chosen, self.numbers.choice(special, shape), data).astype(data.dtype)
        tensor = self.add(self.fresh("x"), type, axes, data)
        tensor.below = below.text if below else None
        return tensor

    def find(self, accept):
        """A tensor of the pool, a late one rather than an early one."""
        fitting = [t for t in self.pool if accept(t)]
        if not fitting:
            return None
        return fitting[min(int(self.random.expovariate(0.7)), len(fitting) - 1) * -1 - 1]

    def with_axes(self, axes, type="f32"):
        found = self.find(lambda t: t.type == type and [a.text for a in t.axes] == [a.text for a in axes])
        return found if found and self.some(0.8) else self.make(axes, type)

    def any_float(self, rank=None):
        found = self.find(lambda t: t.type == self.float_type and (rank is None or len(t.axes) in rank))
        if found and self.some(0.92):
            return found
        count = self.random.choice(rank or [1, 2, 2, 3, 3, 4])
        axes = [self.random.choice(self.axes) if self.some(0.8) else self.static(self.random.choice(SMALL))
                for _ in range(count)]
        while np.prod([a.size for a in axes]) > MOST_POINTS // 4:
            axes[self.random.randrange(count)] = self.static(self.random.choice(SMALL))
        return self.make(axes, self.float_type)

    # -- subscripts

    def inside(self, axis, scope):
        """An int that is provably in 0..axis."""
        same = [i for i in scope if i.axis == axis or (i.axis.static and axis.static and i.axis.size <= axis.size)]
        if same and self.some(0.85):
            exact = [i for i in same if i.axis == axis] or same
            index = self.random.choice(exact)
            if self.some(0.08) and index.axis == axis:  # the other way round
                return Binary("-", Binary("-", SizeOf(axis), Literal(1, "int")), At(index))
            return At(index)
        if scope and self.some(0.5):
            return Binary("%", self.integer(scope, 1), SizeOf(axis))
        if axis.static:
            return Literal(self.random.randrange(axis.size), "int")
        return Literal(0, "int")

    def read(self, tensor, scope):
        mode, otherwise = "inside", None
        if tensor.axes and self.some(0.2) and scope:
            mode = self.random.choice(["clamp", "mirror", "wrap", "else", "else"])
        subscripts, free = [], mode != "inside"
        for axis in tensor.axes:
            bare = [i for i in scope if i.axis == axis]
            if free and self.some(0.6):
                index = self.random.choice(bare or scope)
                subscripts.append(self.affine(index))
            else:
                subscripts.append(self.inside(axis, scope))
        if mode == "else":
            mode, otherwise = "inside", self.literal(tensor.type)
            if tensor.type in ex.FLOATS and self.some(0.15):
                otherwise = Literal(-np.inf, tensor.type) if self.program.special else otherwise
        return Read(tensor, subscripts, mode, otherwise)

    def affine(self, index):
        r = self.random
        at = At(index)
        if self.some(0.3):
            at = Binary("*", at, Literal(r.choice([2, 3]), "int"))
        elif self.some(0.15):
            at = Binary("div", at, Literal(r.choice([2, 3]), "int"))
        return Binary(r.choice(["+", "-"]), at, Literal(r.choice([1, 1, 2, 3, 5]), "int"))

    # -- expressions

    def integer(self, scope, depth):
        r = self.random
        ints = [t for t in self.pool if t.type == "int"]
        kind = r.random()
        if depth > 0 and kind < 0.4:
            op = r.choice(["+", "-", "*", "div", "%"])
            left, right = self.integer(scope, depth - 1), self.integer(scope, depth - 1)
            if op in ("div", "%") and self.some(0.8):
                right = Literal(r.choice([1, 2, 3, 4, 7, 8]), "int")
            return Binary(op, left, right)
        if ints and kind < 0.6:
            return self.read(r.choice(ints), scope)
        if scope and kind < 0.9:
            return At(r.choice(scope))
        return self.literal("int")

    def condition(self, scope, depth):
        r = self.random
        kind = r.random()
        bools = [t for t in self.pool if t.type == "bool"]
        if kind < 0.2 and depth > 0:
            op = r.choice(["and", "or"])
            return Binary(op, self.condition(scope, depth - 1), self.condition(scope, depth - 1))
        if kind < 0.25 and depth > 0:
            return Call("not", [self.condition(scope, depth - 1)])
        if bools and kind < 0.45:
            return self.read(r.choice(bools), scope)
        if scope and kind < 0.75:
            return Binary(r.choice(COMPARISONS), self.integer(scope, 0), self.integer(scope, 1))
        return Binary(r.choice(["<", ">", ">="]), self.real(scope, 0), f32(r.choice([0.0, 0.5, -0.3]))
                      if self.float_type == "f32" else Literal(0.25, self.float_type))

    def near(self, scope):
        """A float tensor that the indices in force fit well."""
        texts = {i.axis.text for i in scope}
        fits = lambda t: t.type == self.float_type and all(a.text in texts for a in t.axes)
        if scope and self.some(0.15) and len(self.program.inputs) + len(self.program.weights) < 6:
            axes = self.random.sample([i.axis for i in scope], self.random.randint(1, min(len(scope), 3)))
            if np.prod([a.size for a in axes]) <= MOST_POINTS // 4:
                return self.make(axes, self.float_type)
        return (self.find(fits) if self.some(0.85) else None) or self.any_float()

    def real(self, scope, depth):
        r = self.random
        kind = r.random()
        if depth <= 0 or kind < 0.15:
            if kind < 0.03:
                return Cast(self.float_type, self.integer(scope, 0))
            bare = self.float_type == "f32" and self.some(0.08)  # a literal that meets no f64 is an f32
            return self.literal("f32") if bare else self.read(self.near(scope), scope)
        if kind < 0.55:
            op = r.choice(["+", "-", "*", "*", "+", "/"])
            left, right = self.real(scope, depth - 1), self.real(scope, depth - 1)
            if op == "/" and self.some(0.9):
                right = Binary("+", Call("abs", [right]), self.literal_positive())
            return Binary(op, left, right)
        if kind < 0.75:
            return self.function(scope, depth)
        if kind < 0.87:
            return Select(self.condition(scope, 1), self.real(scope, depth - 1), self.real(scope, depth - 1))
        if kind < 0.9 and self.float_type == "f32":
            short = r.choice(["f16", "bf16"])
            return Cast("f32", Binary(r.choice("+*-"), Cast(short, self.real(scope, depth - 1)),
                                      Cast(short, self.real(scope, 0))))
        if kind < 0.905 and self.float_type == "f32":
            axes = [i.axis for i in scope if i.axis.static][:2]
            return Cast("f32", self.read(self.with_axes(axes, r.choice(["f16", "bf16"])), scope)) if axes else \
                self.real(scope, 0)
        if kind < 0.92 and scope and self.float_type == "f32":
            count = r.choice([2, 3])
            at = Binary("%", self.integer(scope, 0), Literal(count, "int"))
            parts = [self.real(scope, 0) for _ in range(count)] if self.some(0.6) else [
                f32(r.choice([0.25, -1.5, 0.3])) for _ in range(count)]
            return Choice(parts, at)
        if kind < 0.97:
            return self.reduction(scope, depth - 1) or self.real(scope, 0)
        return self.real(scope, 0)

    def literal_positive(self):
        return Literal(self.random.choice([0.5, 1.0, 1.25]), self.float_type)

    def function(self, scope, depth):
        r = self.random
        name = r.choice(["abs", "neg", "exp", "tanh", "sqrt", "sin", "cos", "erf", "log", "floor", "ceil", "round", "sign",
                         "minimum", "maximum", "maximum", "trunc", "clip", "power", "tan", "atan2"])
        x = self.real(scope, depth - 1)
        if self.float_type == "f64" and name in ("exp", "tanh", "sin", "cos", "erf", "log", "tan", "atan2") and self.some(0.5):
            name = "abs"
        if name == "power":
            exponent = r.choice([2, 2, 3, 4, 0.5, -1])
            if exponent < 1:
                x = Binary("+", Call("abs", [x]), self.literal_positive())
            return Binary("^", x, Literal(exponent, "int" if isinstance(exponent, int) else self.float_type))
        if name == "tan":
            x = Call("clip", [x, Literal(-1.25, self.float_type), Literal(1.25, self.float_type)])
        if name == "atan2":
            return Call(name, [x, Binary("+", Call("abs", [self.real(scope, 0)]), self.literal_positive())])
        if name in ("minimum", "maximum"):
            return Call(name, [x, self.real(scope, 0) if self.some(0.5) else self.literal(self.float_type)])
        if name == "clip":
            return Call(name, [x, Literal(-1.0, self.float_type), Literal(1.5, self.float_type)])
        if name in ("sqrt", "log") and self.some(0.85):
            x = Binary("+", Call("abs", [x]), self.literal_positive())
        if name == "exp":
            x = Call("minimum", [x, Literal(3.0, self.float_type)])
        return Call(name, [x])

    def reduction(self, scope, depth, word=None):
        """A reduction of one or two new indices, of a float type; nothing if it would be too much work."""
        r = self.random
        tensor = self.near(scope) if self.some(0.5) else self.any_float()
        taken = {i.axis.text for i in scope}
        open_axes = [a for a in tensor.axes if a.text not in taken] or self.axes
        bounds = []
        for axis in r.sample(open_axes, min(len(open_axes), r.choice([1, 1, 1, 2]))):
            if self.points * axis.size > MOST_POINTS:
                axis = self.static(self.random.choice([1, 2, 3]))
            self.points *= axis.size
            bounds.append(self.bound(axis, scope))
        if self.points > MOST_POINTS:
            return None
        inner = scope + [b.index for b in bounds]
        word = word or r.choice(["sum", "sum", "sum", "mean", "max", "min", "prod", "logsumexp"])
        body = self.real(inner, min(depth, 1))
        if self.some(0.5):
            # What is reduced mentions the indices: a read at them.
            fitting = Read(self.with_axes([b.index.axis for b in bounds], self.float_type), [At(b.index) for b in bounds])
            body = Binary(r.choice("+*"), body, fitting)
        if word == "prod":
            body = Binary("+", Literal(1.0, self.float_type), Binary("*", Literal(0.03125, self.float_type), body))
        where = self.condition(inner, 1) if self.some(0.2) else None
        otherwise = self.literal(self.float_type) if self.some(0.1) and word not in ("logsumexp", "mean") else None
        return Reduce(word, bounds, body, where, otherwise)

    def bound(self, axis, scope):
        r = self.random
        index = self.index(axis)
        same = [i for i in scope if i.axis == axis]
        kind = r.random()
        if same and kind < 0.1:
            outer = At(r.choice(same))
            return Bound(index, None, outer if self.some(0.5) else Binary("+", outer, Literal(1, "int")))
        if same and kind < 0.15:
            return Bound(index, At(r.choice(same)), SizeOf(axis))
        if kind < 0.2:
            upper = Binary("%", self.integer(scope, 0), SizeOf(axis))
            return Bound(index, None if self.some(0.5) else Literal(0, "int"), upper)
        return Bound(index)
