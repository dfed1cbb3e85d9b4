"""The forms of statements that generate.py's expressions are put into, and generate(seed)."""

import numpy as np

import expression as ex
import oracle
from expression import (At, Axis, Binary, Bound, Call, Cast, Concat, Equation, Group, Index, Literal, Read, Reduce, Rows,
                        Select, SizeOf, Tensor)
from generate import MOST_POINTS, ROWS, SMALL, Generator

MOST_DOUBT = 0.3  # the share of a tensor's elements that may be left uncompared


class Statements(Generator):
    def result(self, type, axes):
        return Tensor(self.fresh("t"), type, list(axes))

    def equation(self, indices, body, joined=None):
        axes = []
        at = 0
        for count in joined or [1] * len(indices):
            part = [i.axis for i in indices[at : at + count]]
            at += count
            axes.append(part[0] if count == 1 else self.joined(part))
        statement = Equation(self.result(body.type, axes), indices, body, joined)
        return [statement]

    @staticmethod
    def joined(axes):
        size = int(np.prod([a.size for a in axes]))
        return Axis(str(size), size) if all(a.static for a in axes) else Axis("*".join(f"({a.text})" for a in axes), size)

    def domain(self, rank=None):
        """Indices over some of the program's axes."""
        rank = rank or self.random.choice([1, 1, 2, 2, 2, 3, 3, 4])
        found = self.find(lambda t: len(t.axes) == rank)
        axes = list(found.axes) if found and self.some(0.6) else [self.random.choice(self.axes) for _ in range(rank)]
        if self.some(0.1):
            self.random.shuffle(axes)
        while np.prod([a.size for a in axes]) > MOST_POINTS // 8:
            axes[self.random.randrange(rank)] = self.static(self.random.choice(SMALL))
        indices = [self.index(a) for a in axes]
        self.points = int(np.prod([a.size for a in axes]))
        return indices

    # -- forms

    def pointwise(self):
        indices = self.domain()
        return self.equation(indices, self.real(indices, self.random.choice([1, 2, 2, 3])))

    def conditions(self):
        indices = self.domain()
        return self.equation(indices, self.condition(indices, 2))

    def integers(self):
        """Ints, which later subscripts may use where their range is shown."""
        indices = self.domain()
        return self.equation(indices, self.integer(indices, 2))

    def bytes(self):
        indices = self.domain()
        type = self.random.choice(["u8", "i32", "u8", "i8"])
        x = self.make([i.axis for i in indices], type)
        value = Read(x, [At(i) for i in indices])
        op = self.random.choice(["+", "-", "*", "minimum", "maximum", "div", "%"])
        other = Cast(type, self.integer(indices, 0)) if self.some(0.5) else Literal(self.random.choice([1, 3, 7, 100]), type)
        both = Call(op, [value, other]) if op.isalpha() and op != "div" else Binary(op, value, other)
        if self.some(0.4):
            axis = self.random.choice(indices)
            kept = [i for i in indices if i is not axis]
            word = self.random.choice(["sum", "max", "min", "sum"])
            return self.equation(kept, Reduce(word, [Bound(axis)], both)) if kept else self.equation(indices, both)
        if self.some(0.5):
            return self.equation(indices, Binary("/", Cast("f32", both), Literal(255.0, "f32")))
        return self.equation(indices, both)

    def casts(self):
        indices = self.domain()
        value = self.real(indices, 1)
        target = self.random.choice(["u8", "i32", "int", "i8"])
        if target == "int":
            value = Call(self.random.choice(["floor", "round", "ceil", "trunc"]), [value])
        return self.equation(indices, Cast(target, Binary("*", value, Literal(20.0, value.type))
                                           if target != "int" else value))

    def reduced(self):
        indices = self.domain(self.random.choice([1, 1, 2, 3]))
        body = self.reduction(indices, 2)
        if body is None:
            return []
        return self.equation(indices, self.epilogue(body, indices))

    def epilogue(self, body, indices):
        """A bias, an activation, a residual: what joins the reduction's kernel."""
        r = self.random
        if body.type != self.float_type:
            return body
        if self.some(0.4):
            body = Binary(r.choice("+*"), body, self.read(self.near(indices), indices))
        if self.some(0.3):
            body = Call("maximum", [body, Literal(0.0, body.type)])
        if self.some(0.2):
            body = Binary("+", body, self.real(indices, 1))
        if self.some(0.1) and body.type == "f32":
            body = Call("tanh", [body])
        return body

    def choosing(self):
        """argmax, first, any, count, ...: over a row, with conditions."""
        r = self.random
        indices = self.domain(r.choice([1, 2]))
        axis = r.choice(self.axes)
        if self.points * axis.size > MOST_POINTS:
            return []
        self.points *= axis.size
        bound = self.bound(axis, indices)
        inner = indices + [bound.index]
        word = r.choice(["argmax", "argmin", "first", "last", "any", "all", "count"])
        whole = bound.lower is None and bound.upper is None
        where = self.condition(inner, 1) if self.some(0.3) else None
        otherwise = None
        if word in ("any", "all", "count"):
            body = Binary("<", self.real(inner, 1), self.literal(self.float_type)) if self.some(0.5) else \
                self.condition(inner, 1)
            body = Select(body, Binary(">=", At(bound.index), Literal(0, "int")), Literal(False, "bool")) \
                if self.some(0.1) else body
        else:
            body = self.real(inner, 1)
            if not whole or where is not None or not axis.static and self.some(0.3):
                otherwise = Literal(0, "int") if word.startswith("arg") else self.literal(self.float_type)
        return self.equation(indices, Reduce(word, [bound], body, where, otherwise))

    def contraction(self):
        """sum over shared axes of a product: matrices, batches of them, both transposed or not."""
        r = self.random
        left = self.any_float([2, 3])
        shared = r.sample(left.axes, 1 if len(left.axes) == 2 or self.some(0.8) else 2)
        batch = [a for a in left.axes if a not in shared and self.some(0.25)]
        columns = [r.choice(self.axes) if self.some(0.7) else self.static(r.choice(SMALL))]
        if self.some(0.1):
            columns.append(self.static(r.choice(SMALL)))
        axes = batch + shared + columns
        if self.some(0.5):
            r.shuffle(axes)
        if len({a.text for a in axes}) < len(axes) or len({a.text for a in left.axes}) < len(left.axes):
            return []
        right = self.with_axes(axes, self.float_type)
        named = {}
        for axis in (*left.axes, *axes):
            named.setdefault(axis.text, self.index(axis))
        kept = [named[a.text] for a in left.axes if a not in shared] + [named[a.text] for a in columns
                                                                        if a not in left.axes or a in shared]
        kept = list({i.name: i for i in kept if i.axis not in shared}.values())
        if self.some(0.2):
            r.shuffle(kept)
        bounds = [Bound(named[a.text]) for a in shared]
        self.points = int(np.prod([i.axis.size for i in named.values()]))
        if self.points > MOST_POINTS * 4 or not kept:
            return []
        x = self.read_at(left, named) if self.some(0.85) else Call("maximum", [self.read_at(left, named),
                                                                               Literal(0.0, self.float_type)])
        body = Reduce("sum", bounds, Binary("*", x, self.read_at(right, named)))
        if self.some(0.1):
            body.where = self.condition(kept + [b.index for b in bounds], 0)
        return self.equation(kept, self.epilogue(body, kept))

    @staticmethod
    def read_at(tensor, named):
        return Read(tensor, [At(named[a.text]) for a in tensor.axes])

    def window(self):
        """A convolution or pooling in one or two axes, any layout, stride, dilation, padding, groups."""
        r = self.random
        channels_last, planes = self.some(0.3), r.choice([1, 1, 2, 2])
        extents = [r.choice([a for a in self.axes] + [self.static(r.choice([5, 8, 13, 14]))]) for _ in range(planes)]
        groups, per = r.choice([(1, 1), (1, 3), (1, 8), (2, 2), (3, 1), (1, 16), (4, 1), (17, 1), (2, 5)])
        cin = self.static(groups * per)
        batch = [r.choice([self.static(1), self.static(2), r.choice(self.axes)])] if self.some(0.7) else []
        shape = batch + (extents + [cin] if channels_last else [cin] + extents)
        x = self.with_axes(shape, self.float_type)
        taps = [self.static(r.choice([1, 2, 3, 3, 5])) for _ in extents]
        kernel = r.choice(["conv", "conv", "conv", "max", "mean", "depthwise"])
        steps = [(r.choice([1, 1, 2, 3]), r.choice([1, 1, 2]), r.choice([0, 1, 1, 2, 3])) for _ in extents]
        places = [Axis(f"({e.text} + {2 * p}) div {s} + 1", (e.size + 2 * p) // s + 1) if not e.static else
                  self.static((e.size + 2 * p) // s + 1) for e, (s, _, p) in zip(extents, steps)]
        n = [self.index(a) for a in batch]
        at = [self.index(a) for a in places]
        tap = [self.index(a) for a in taps]
        cout = self.static(groups * r.choice([1, 2, 8])) if kernel == "conv" else cin
        k, c = self.index(cout), self.index(self.static(per))
        mode = r.choice(["else", "else", "clamp", "mirror", "wrap"])
        positions = [Binary("-", Binary("+", Binary("*", At(i), Literal(s, "int")),
                                        Binary("*", At(t), Literal(d, "int"))), Literal(p, "int"))
                     for i, t, (s, d, p) in zip(at, tap, steps)]
        if kernel == "conv":
            # Which of the inputs an output's group takes; written only where there are groups.
            group = Binary("div", At(k), Literal(cout.size // groups, "int"))
            channel = At(c) if groups == 1 else Binary("+", Binary("*", group, Literal(per, "int")), At(c))
        else:
            channel = At(k)
        outside = Literal(-np.inf if kernel == "max" and self.some(0.5) else 0.0, self.float_type)
        tail = positions + [channel] if channels_last else [channel] + positions
        value = Read(x, [At(i) for i in n] + tail, "inside" if mode == "else" else mode, outside if mode == "else" else None)
        bounds = [Bound(t) for t in tap]
        order = n + (at + [k] if channels_last else [k] + at)
        self.points = int(np.prod([i.axis.size for i in order + tap])) * (per if kernel == "conv" else 1)
        if self.points > MOST_POINTS * 4:
            return []
        if kernel == "conv":
            weight = self.make([cout, self.static(per), *taps], self.float_type)
            body = Reduce("sum", [Bound(c), *bounds], Binary("*", value, Read(weight, [At(k), At(c), *map(At, tap)])))
        elif kernel == "depthwise":
            weight = self.make([cin, *taps], self.float_type)
            body = Reduce("sum", bounds, Binary("*", value, Read(weight, [At(k), *map(At, tap)])))
        else:
            body = Reduce(kernel, bounds, value)
        if self.some(0.3) and kernel in ("conv", "depthwise"):  # batch norm behind it
            scale, shift = self.make([cout], self.float_type), self.make([cout], self.float_type)
            body = Binary("+", Binary("*", body, Read(scale, [At(k)])), Read(shift, [At(k)]))
        return self.equation(order, self.epilogue(body, order))

    def regrouped(self):
        """Axes split or joined by (a, b)."""
        r = self.random
        x = self.find(lambda t: len(t.axes) >= 1 and t.type != "bool") or self.any_float()
        splittable = [(k, f) for k, a in enumerate(x.axes) if a.static for f in (2, 3, 4, 7) if a.size % f == 0 and a.size > f]
        if splittable and self.some(0.5):
            k, f = r.choice(splittable)
            outer, inner = self.index(self.static(f)), self.index(self.static(x.axes[k].size // f))
            others = {a: self.index(axis) for a, axis in enumerate(x.axes) if a != k}
            subscripts = [Group([outer, inner]) if a == k else At(others[a]) for a in range(len(x.axes))]
            indices = [*others.values(), outer, inner]
            r.shuffle(indices)
            return self.equation(indices, Read(x, subscripts))
        if len(x.axes) < 2:
            return []
        indices = [self.index(a) for a in x.axes]
        shuffled = list(indices)
        r.shuffle(shuffled)
        at = r.randrange(len(indices) - 1)
        joined = [1] * at + [2] + [1] * (len(indices) - at - 2)
        return self.equation(shuffled, Read(x, [At(i) for i in indices]), joined)

    def moved(self):
        """Transposed, reversed, sliced, shifted: copies, exact."""
        x = self.find(lambda t: len(t.axes) >= 1) or self.any_float()
        indices = [self.index(a) for a in x.axes]
        body = self.read(x, indices)
        if self.some(0.5):
            self.random.shuffle(indices)
        return self.equation(indices, body)

    def gathered(self):
        x = self.any_float([1, 2, 3])
        axis = x.axes[0]
        if self.some(0.5):
            count = self.random.choice(self.axes)
            ids = self.make([count], "int", axis)
            at = Read(ids, [At(i := self.index(count))])
            indices = [i]
        else:
            indices = self.domain(self.random.choice([1, 2]))
            at = Binary("%", self.integer(indices, 1), SizeOf(axis))
            if self.some(0.3):
                at = Call("clip", [self.integer(indices, 1), Literal(0, "int"),
                                   Binary("-", SizeOf(axis), Literal(1, "int"))])
        rest = [self.index(a) for a in x.axes[1:]]
        if np.prod([i.axis.size for i in indices + rest]) > MOST_POINTS:
            return []
        return self.equation(indices + rest, self.epilogue(Read(x, [at, *map(At, rest)]), indices + rest))

    def scattered(self):
        """Sums where an int says so: histograms, segments, embeddings' gradients."""
        r = self.random
        target, count = r.choice(self.axes), r.choice(self.axes)
        ids = self.make([count], "int", target)
        i, e = self.index(target), self.index(count)
        hits = Binary("==", Read(ids, [At(e)]), At(i))
        if self.some(0.4):
            return self.equation([i], Reduce("count", [Bound(e)], hits))
        word = r.choice(["sum", "max", "last", "first"])
        value = self.with_axes([count], self.float_type)
        otherwise = Literal(-1.0, self.float_type) if word in ("first", "last") else None
        return self.equation([i], Reduce(word, [Bound(e)], Read(value, [At(e)]), hits, otherwise))

    def concatenated(self):
        x = self.find(lambda t: len(t.axes) in (1, 2, 3) and t.type in ("f32", "int", "bool", "f64"))
        if not x or not all(a.static or k for k, a in enumerate(x.axes)):
            return []
        axis = self.random.choice([k for k, a in enumerate(x.axes) if a.static] or [None])
        if axis is None:
            return []
        axes = list(x.axes)
        axes[axis] = self.static(self.random.choice(SMALL))
        parts = [x, self.with_axes(axes, x.type)] + ([x] if self.some(0.3) else [])
        if self.some(0.5):
            parts.reverse()
        total = self.static(sum(p.axes[axis].size for p in parts))
        result = self.result(x.type, [total if k == axis else a for k, a in enumerate(x.axes)])
        return [Concat(result, parts, axis)]

    def rows(self):
        name = self.random.choice(list(ROWS))
        op = ROWS[name]
        x = self.find(lambda t: t.type == "f32" and len(t.axes) >= 1 + op.rank)
        if not x or self.float_type != "f32":
            return []
        arguments = [x]
        if name == "normalised":
            arguments.append(self.with_axes([x.axes[-1]]))
        if name == "applied":
            arguments.append(self.with_axes([self.static(self.random.choice(SMALL)), x.axes[-1]]))
        size = int(np.prod([a.size for a in x.axes])) * max(a.axes[0].size for a in arguments)
        if size * x.axes[-1].size > MOST_POINTS * 8:
            return []
        outer = x.axes[: -op.rank]
        indices = [self.index(a) for a in outer]
        return [Rows(self.result("f32", outer + op.result(arguments)), name, indices, arguments, op.whole)]

    def attention(self):
        """Scores, a softmax over them and the weighted values, in several statements."""
        r = self.random
        heads, rows, columns, depth = (r.choice(self.axes + [self.static(r.choice(SMALL))]) for _ in range(4))
        if len({a.text for a in (heads, rows, columns, depth)}) < 4 or self.float_type != "f32":
            return []
        if heads.size * rows.size * columns.size * (depth.size + 2) > MOST_POINTS * 4:
            return []
        q, k, v = self.with_axes([heads, rows, depth]), self.with_axes([heads, columns, depth]), self.make(
            [heads, columns, depth])
        h, i, j, d = (self.index(a) for a in (heads, rows, columns, depth))
        product = Reduce("sum", [Bound(d)], Binary("*", Read(q, list(map(At, (h, i, d)))), Read(k, list(map(At, (h, j, d))))))
        score = self.equation([h, i, j], Binary("*", product, Literal(0.25, "f32")))[0]
        if self.some(0.4):
            score.body = Select(Binary("<=", At(j), At(i)), score.body, Literal(-1e9, "f32"))
        h2, i2, j2 = (self.index(a) for a in (heads, rows, columns))
        at = lambda *indices: [At(x) for x in indices]
        peak = self.equation([h2, i2], Reduce("max", [Bound(j2)], Read(score.tensor, at(h2, i2, j2))))[0]
        h3, i3, j3 = (self.index(a) for a in (heads, rows, columns))
        e = self.equation([h3, i3, j3], Call("exp", [Binary("-", Read(score.tensor, at(h3, i3, j3)),
                                                            Read(peak.tensor, at(h3, i3)))]))[0]
        h4, i4, j4, j5 = self.index(heads), self.index(rows), self.index(columns), self.index(columns)
        p = self.equation([h4, i4, j4], Binary("/", Read(e.tensor, at(h4, i4, j4)),
                                               Reduce("sum", [Bound(j5)], Read(e.tensor, at(h4, i4, j5)))))[0]
        h6, i6, j6, d6 = (self.index(a) for a in (heads, rows, columns, depth))
        order = [i6, h6, d6] if self.some(0.3) else [h6, i6, d6]
        o = self.equation(order, Reduce("sum", [Bound(j6)], Binary("*", Read(p.tensor, at(h6, i6, j6)),
                                                                   Read(v, at(h6, j6, d6)))))[0]
        return [score, peak, e, p, o]

    def causal(self):
        """Sums over what lies before or behind, read by distance."""
        axis = self.random.choice(self.axes)
        x = self.with_axes([axis], self.float_type)
        i, j = self.index(axis), self.index(axis)
        one, distance = Literal(1, "int"), Binary("-", At(i), At(j))
        word = self.random.choice(["sum", "max", "sum"])
        bound, at = self.random.choice([
            (Bound(j, None, Binary("+", At(i), one)), distance),
            (Bound(j, None, At(i)), Binary("-", distance, one)),
            (Bound(j, At(i), SizeOf(axis)), Binary("-", At(j), At(i))),
        ])
        body = Read(x, [at])
        if self.some(0.5):
            body = Binary("*", body, Cast(self.float_type, Binary("%", At(j), Literal(3, "int"))))
        self.points = axis.size**2
        return self.equation([i], Reduce(word, [bound], body)) if self.points <= MOST_POINTS else []

    def whole(self):
        """A scalar of everything."""
        x = self.any_float([1, 2])
        indices = [self.index(a) for a in x.axes]
        word = self.random.choice(["sum", "mean", "max", "logsumexp"])
        body = self.epilogue(Reduce(word, [Bound(i) for i in indices], Read(x, list(map(At, indices)))), [])
        return [Equation(self.result(body.type, []), [], body)]

    FORMS = [("pointwise", 6), ("reduced", 4), ("contraction", 5), ("window", 5), ("choosing", 3), ("regrouped", 2),
             ("moved", 2), ("gathered", 2), ("scattered", 1), ("concatenated", 2), ("rows", 3), ("attention", 1),
             ("whole", 1), ("causal", 1), ("conditions", 1), ("integers", 1), ("bytes", 1), ("casts", 1)]

    def sound(self, result):
        """Whether a later statement can build on it, and enough of it can be compared."""
        if result.v.size == 0 or result.v.size > MOST_POINTS:
            return False
        if np.mean(~np.isfinite(np.broadcast_to(result.e, result.v.shape))) > MOST_DOUBT:
            return False
        if result.v.dtype.kind == "i":
            return np.abs(result.v).max() < 2**31 if result.v.dtype == np.int64 else True
        if result.v.dtype != np.float64:
            return True
        if not self.program.special and not np.isfinite(result.v).all():
            return np.isinf(result.v).mean() < 0.2 and not np.isnan(result.v).any()
        finite = np.where(np.isfinite(result.v), result.v, 0)
        error = np.where(np.isfinite(result.e), result.e, 0)
        return np.abs(finite).max(initial=0) < 1e4 and (error <= 0.02 * (np.abs(finite) + 0.1)).mean() > 0.5 \
            or self.program.special

    def step(self):
        names, weights = zip(*self.FORMS)
        form = self.random.choices(names, weights)[0]
        self.points = 1
        before = len(self.pool), len(self.program.inputs), len(self.program.weights)
        made = []
        for statement in getattr(self, form)():
            try:
                value = oracle.run_statement(statement, self.values, ROWS)
            except MemoryError:
                break
            if not self.sound(value):
                break
            self.values[statement.tensor.name] = value
            self.pool.append(statement.tensor)
            made.append(statement)
        if not made:
            del self.pool[before[0]:], self.program.inputs[before[1]:], self.program.weights[before[2]:]
        self.program.statements += made

    def generate(self):
        length = self.random.choice([1, 2, 3, 3, 4, 5, 6, 8])
        for _ in range(60):
            self.step()
            if len(self.program.statements) >= length:
                break
        results = [s.tensor for s in self.program.statements]
        outputs = [t for t in results[:-1] if self.some(0.15)] + results[-1:]
        used = {name for s in self.program.statements for name in ex.reads(s)}
        outputs += [t for t in results if t.name not in used and t not in outputs and self.some(0.5)]
        self.program.outputs = outputs
        return self.with_sizes(ex.live(self.program))

    def with_sizes(self, program):
        """Run-time sizes must stand alone in some input's shape."""
        text = " ".join([s.text() for s in program.statements] +
                        [a.text for t in program.inputs + program.outputs for a in t.axes] +
                        [t.below or "" for t in program.inputs])
        for axis in self.dynamic:
            if axis.text in text and not any(axis in t.axes for t in program.inputs):
                tensor = Tensor(f"n{axis.text.lower()}", "bool", [axis])
                program.inputs.append(tensor)
                program.values[tensor.name] = np.zeros(axis.size, bool)
        program.inputs.sort(key=lambda t: t.below is not None)  # a range may use the sizes of parameters before it
        return program


def generate(seed):
    """The program of a seed, and name -> oracle.Value of its tensors. A program may be empty."""
    generator = Statements(seed)
    program = generator.generate()
    return program, generator.values
