"""Arithmetic, casts, meetings and reductions of every element type, by both back ends, against NumPy.

Usage: element_types.py WEFT
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

INTS = {"i8": np.int8, "u8": np.uint8, "i32": np.int32, "i64": np.int64, "int": np.int64}
FLOATS = {"f16": np.float16, "bf16": None, "f32": np.float32, "f64": np.float64}


def to_bf16(x):
    """The nearest bf16 numbers, ties to even, as f32."""
    x = np.asarray(x, np.float32)
    bits = x.view(np.uint32).astype(np.uint64)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    return np.where(np.isnan(x), x, rounded)


def numbers(word, rng):
    """Values of a type: every corner, and some between."""
    if word in INTS:
        info = np.iinfo(INTS[word])
        corners = [info.min, info.max, info.min + 1, 0, 1, 2, 3, 7]
        corners += [-1, -2, -3, -7] if info.min < 0 else [128, 200, 255, 254]
        return np.array(corners + list(rng.integers(info.min, info.max, 20)), INTS[word])
    corners = [0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 127, 128, -128, -129, 255, 256, 3e4, -3e4, np.inf, -np.inf, np.nan]
    corners += list(rng.normal(0, 40, 20))
    if word in ("f32", "f64"):
        corners += [2.0**31, -(2.0**31), 2.0**40, 2.0**63, -(2.0**63), 1e30, -1e30]
    return np.array(corners, np.float32 if word == "bf16" else FLOATS[word])


def pairs(values):
    return np.repeat(values, len(values)), np.tile(values, len(values))


def cast_to_int(x, word):
    """Floats truncate and saturate, NaN gives 0; ints wrap."""
    if x.dtype.kind != "f":
        return x.astype(INTS[word])
    info = np.iinfo(INTS[word])
    x = np.nan_to_num(x.astype(np.float64), nan=0.0, posinf=np.inf, neginf=-np.inf)
    lo, hi = float(info.min), float(info.max) + (0 if info.bits < 64 else 0)
    inside = np.where((x > lo) & (x < hi), x, 0)
    whole = np.trunc(inside).astype(INTS[word])
    return np.where(x >= hi, info.max, np.where(x <= lo, info.min, whole)).astype(INTS[word])


def floor_div(a, b):
    """Rounded down, 0 by 0, wrapping."""
    info = np.iinfo(a.dtype)
    pairs = [(int(x), int(y)) for x, y in zip(a, b)]
    exact = [x // y if y else 0 for x, y in pairs]
    return np.array([(q - info.min) % 2**info.bits + info.min for q in exact], a.dtype)


def floor_mod(a, b):
    return np.array([int(x) % int(y) if y else 0 for x, y in zip(a, b)], a.dtype)


def nan_minimum(a, b):
    return np.where(np.isnan(a), a, np.where(np.isnan(b), b, np.minimum(a, b)))


class Program:
    """One method under construction: equations, and what each of its outputs must be."""

    def __init__(self):
        self.inputs, self.equations, self.wanted, self.types = {}, [], {}, {}

    def input(self, name, word, values):
        # A bf16 comes in as f32 and is rounded in the program: .npy has no bf16.
        if word == "bf16":
            self.inputs[f"{name}_wide"] = ("f32", values)
            self.equations.append(f"{name} = bf16({name}_wide)")
            return to_bf16(values)
        self.inputs[name] = (word, values)
        return values

    def output(self, name, word, text, wanted):
        if word == "bf16":
            self.equations.append(f"{name}_narrow: bf16[{wanted.shape[0]}] = {text}")
            word, text = "f32", f"f32({name}_narrow)"
        self.equations.append(f"{name} = {text}")
        self.wanted[name], self.types[name] = wanted, word

    def text(self):
        shape = lambda a: f"[{', '.join(map(str, a.shape))}]" if a.shape else ""
        inputs = ", ".join(f"{n}: {w}{shape(v)}" for n, (w, v) in self.inputs.items())
        outputs = ", ".join(f"{n}: {self.types[n]}{shape(w)}" for n, w in self.wanted.items())
        body = "\n    ".join(self.equations)
        return f"weft 0.1\nentry types {{\n  forward({inputs}) -> {outputs} {{\n    {body}\n  }}\n}}\n"

    def run(self, weft, title):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "model.weft").write_text(self.text())
            words = []
            for name, (_, values) in self.inputs.items():
                np.save(folder / f"{name}.npy", values)
                words += ["--input", f"{name}={folder / name}.npy"]
            for name in self.wanted:
                words += ["--output", f"{name}={folder / name}.npy"]
            wrong = []
            for backend in ("loops", "halide"):
                command = [weft, "run", folder / "model.weft", "--backend", backend, "--no-cache", *words]
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    return [f"{title} on {backend}: exit code {done.returncode}\n{done.stderr[:4000]}{self.text()}"]
                for name, wanted in self.wanted.items():
                    got = np.load(folder / f"{name}.npy")
                    if message := self.difference(got, wanted, name):
                        wrong.append(f"{title} on {backend}: {message}")
            return wrong

    def difference(self, got, wanted, name):
        if got.dtype != wanted.dtype or got.shape != wanted.shape:
            return f"{name} is {got.dtype}{got.shape}, not {wanted.dtype}{wanted.shape}"
        same = (got == wanted) | ((got != got) & (wanted != wanted))
        if same.all():
            return None
        at = int(np.argmin(same))
        line = next(e for e in reversed(self.equations) if e.startswith((f"{name} ", f"{name}_narrow")))
        operands = {n: v[at] for n, (_, v) in self.inputs.items() if v.shape == got.shape}
        return f"`{line}` [{at}]: got {got[at]}, wanted {wanted[at]}, of {operands}; {(~same).sum()} wrong"


def arithmetic(word, rng):
    """Every operator on all pairs of values."""
    program = Program()
    left, right = pairs(numbers(word, rng))
    a, b = program.input("a", word, left), program.input("b", word, right)
    narrow = to_bf16 if word == "bf16" else lambda x: x
    both = lambda name, text, wanted: program.output(name, word, text, narrow(wanted))
    with np.errstate(all="ignore"):
        both("sum", "a + b", a + b)
        both("difference", "a - b", a - b)
        both("product", "a * b", a * b)
        both("negated", "-a", -a)
        both("size", "abs(a)", np.abs(a))
        both("twice", "2 * a", (a.dtype.type(2) * a))
        both("square", "a ^ 2", a * a)
        if word in INTS:
            both("quotient", "a div b", floor_div(a, b))
            both("rest", "a % b", floor_mod(a, b))
            both("third", "a div 3", floor_div(a, np.full_like(a, 3)))
            both("rest3", "a % 3", floor_mod(a, np.full_like(a, 3)))
            both("smaller", "minimum(a, b)", np.minimum(a, b))
            both("larger", "maximum(a, b)", np.maximum(a, b))
            both("signs", "sign(a)", np.sign(a))
        else:
            both("ratio", "a / b", a / b)
            both("smaller", "minimum(a, b)", nan_minimum(a, b))
            both("larger", "maximum(a, b)", -nan_minimum(-a, -b))
            both("down", "floor(a)", np.floor(a))
            both("up", "ceil(a)", np.ceil(a))
            both("near", "round(a)", np.rint(a))
            both("cut", "trunc(a)", np.trunc(a))
            both("half", "a + 0.5", a + a.dtype.type(0.5))
            if word in ("f16", "bf16"):  # rounded after each operation
                both("restored", "(a + b) - a", narrow(a + b) - a)
                both("stepped", "a * b - a", narrow(a * b) - a)
            clipped = np.where(np.isnan(a), a, np.clip(a, -1, 2))
            both("clipped", "clip(a, -1, 2)", clipped)
        for name, sign, test in [
            ("eq", "==", a == b), ("ne", "!=", a != b), ("lt", "<", a < b),
            ("le", "<=", a <= b), ("gt", ">", a > b), ("ge", ">=", a >= b),
        ]:  # fmt: skip
            program.output(name, "bool", f"a {sign} b", test)
        both("chosen", "a if a < b else b", np.where(a < b, a, b))
    return program


def casts(word, rng):
    program = Program()
    a = program.input("a", word, numbers(word, rng))
    with np.errstate(all="ignore"):
        for to in INTS:
            text = f"int(trunc(a))" if to == "int" and word in FLOATS else f"{to}(a)"
            program.output(f"to_{to}", to, text, cast_to_int(a, to))
        for to, dtype in FLOATS.items():
            if to == "bf16":
                program.output("to_bf16", to, "bf16(a)", to_bf16(a))
            else:
                program.output(f"to_{to}", to, f"{to}(a)", a.astype(dtype))
    return program


def meetings(rng):
    """Int meets float; `/` of ints; whole and real literals."""
    program = Program()
    k = program.input("k", "int", np.array([-7, -1, 0, 1, 2, 3, 2**24 + 1, 100], np.int64))
    x = {}
    for word, dtype in FLOATS.items():
        if word != "bf16":
            x[word] = program.input(f"x_{word}", word, rng.normal(0, 3, 8).astype(dtype))
    with np.errstate(all="ignore"):
        for word, values in x.items():
            dtype = values.dtype
            program.output(f"plus_{word}", word, f"k + x_{word}", k.astype(dtype) + values)
            program.output(f"less_{word}", "bool", f"k < x_{word}", k.astype(dtype) < values)
            program.output(f"scaled_{word}", word, f"x_{word} * 0.1", values * dtype.type(0.1))
            program.output(f"chosen_{word}", word, f"x_{word} if k > 0 else 0", np.where(k > 0, values, dtype.type(0)))
        single = k.astype(np.float32)
        program.output("ratio", "f32", "k / 2", single / np.float32(2))
        program.output("ratio_of_two", "f32", "k / (k + 1)", single / (k + 1).astype(np.float32))
        program.output("real", "f32", "k * 0.5", single * np.float32(0.5))
        program.output("mask", "f32", "0 if k == 0 else -inf", np.where(k == 0, np.float32(0), np.float32(-np.inf)))
        program.output("inverse", "f32", "k ^ -1", np.power(single, np.float32(-1)))
        program.output("cube", "int", "k ^ 3", k**3)
        program.output("rooted", "f32", "sqrt(k * k)", np.sqrt((k * k).astype(np.float32)))
        program.output("rounded", "int", "int(round(k / 2))", np.rint(single / 2).astype(np.int64))
        program.output("truth", "int", "1 if k > 1 else 0", (k > 1).astype(np.int64))
    return program


def reductions(word, rng):
    """Narrow types accumulate wider and are rounded once."""
    program = Program()
    if word in INTS:
        info = np.iinfo(INTS[word])
        values = rng.integers(info.min, info.max, (3, 300), dtype=INTS[word], endpoint=True)
        values[1, 7] = info.max
        values[2, 9] = info.min
    else:
        values = rng.normal(100, 30, (3, 300)).astype(np.float32 if word == "bf16" else FLOATS[word])
    a = program.input("a", word, values)
    narrow = to_bf16 if word == "bf16" else lambda x: x.astype(a.dtype)
    wide = np.float64 if word in FLOATS else np.int64
    with np.errstate(all="ignore"):
        for name, axis_text, wanted in [
            ("top", "max(i) a[n, i]", a.max(1)), ("bottom", "min(i) a[n, i]", a.min(1)),
        ]:  # fmt: skip
            program.equations.append(f"{name}_row[n] = {axis_text}")
            program.output(name, word, f"{name}_row", wanted)
        program.equations += ["top_at[n] = argmax(i) a[n, i]", "bottom_at[n] = argmin(i) a[n, i]"]
        program.output("best", "int", "top_at", a.argmax(1).astype(np.int64))
        program.output("worst", "int", "bottom_at", a.argmin(1).astype(np.int64))
        if word in INTS or word in ("f16", "bf16"):
            program.equations.append("sum_row[n] = sum(i) a[n, i]")
            program.output("total", word, "sum_row", narrow(a.astype(wide).sum(1)))
        if word in ("f16", "bf16"):
            program.equations.append("mean_row[n] = mean(i) a[n, i]")
            program.output("average", word, "mean_row", narrow(a.astype(wide).mean(1)))
            thousand = (a.astype(wide) * 10).mean(1)  # the sum is beyond f16
            program.equations.append("large_row[n] = mean(i) a[n, i] * 10" if False else "large[n, i] = a[n, i] * 8")
            program.equations.append("large_row[n] = mean(i) large[n, i]")
            eight = narrow(a.astype(np.float32) * 8)
            program.output("large_mean", word, "large_row", narrow(eight.astype(wide).mean(1)))
    return program


def main():
    weft = sys.argv[1]
    np.seterr(all="ignore")
    wrong = []
    for word in [*INTS, *FLOATS]:
        for make in (arithmetic, casts, reductions):
            rng = np.random.default_rng(7)
            wrong += make(word, rng).run(weft, f"{make.__name__} of {word}")
    wrong += meetings(np.random.default_rng(7)).run(weft, "meetings")
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
