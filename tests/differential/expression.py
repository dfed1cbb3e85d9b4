"""Programs as trees: what generate.py makes, oracle.py evaluates and `text` writes as Weft.

Types are the language's words: bool, int, u8, i32, f16, bf16, f32, f64.
"""

from dataclasses import dataclass, field
from typing import Optional

FLOATS = ("f16", "bf16", "f32", "f64")


@dataclass(frozen=True)
class Axis:
    """The size of an axis: as the program spells it, and what it is in this run. Axes are equal if spelled so."""

    text: str
    size: int

    @property
    def static(self):
        return self.text.isdigit()


@dataclass(frozen=True)
class Index:
    name: str
    axis: Axis


@dataclass
class Tensor:
    name: str
    type: str
    axes: list
    below: Optional[str] = None  # ints: elements are in 0..below (the text of a size)
    most: float = 0.0  # the largest finite magnitude of this run


class Expr:
    type: str


@dataclass
class Literal(Expr):
    value: object
    type: str

    def text(self):
        if self.type == "bool":
            return "true" if self.value else "false"
        if self.value != self.value or self.value in (float("inf"), float("-inf")):
            return "inf" if self.value > 0 else "-inf"
        return repr(self.value) if self.value >= 0 else f"({self.value!r})"


@dataclass
class At(Expr):
    """The value of an index."""

    index: Index
    type: str = "int"

    def text(self):
        return self.index.name


@dataclass
class SizeOf(Expr):
    axis: Axis
    type: str = "int"

    def text(self):
        return f"({self.axis.text})"


@dataclass
class Group:
    """(a, b, ...) in a subscript."""

    indices: list

    def text(self):
        return "(" + ", ".join(i.name for i in self.indices) + ")"


@dataclass
class Read(Expr):
    tensor: Tensor
    subscripts: list  # of Expr or Group
    mode: str = "inside"  # or clamp, mirror, wrap; `otherwise` makes it total
    otherwise: Optional[Expr] = None

    @property
    def type(self):
        return self.tensor.type

    def text(self):
        name = self.tensor.name if self.mode == "inside" else f"{self.mode}({self.tensor.name})"
        at = ", ".join(s.text() for s in self.subscripts)
        read = f"{name}[{at}]" if self.subscripts else name
        return f"({read} else {self.otherwise.text()})" if self.otherwise is not None else read


@dataclass
class Binary(Expr):
    op: str
    left: Expr
    right: Expr

    @property
    def type(self):
        return "bool" if self.op in ("==", "!=", "<", "<=", ">", ">=", "and", "or") else self.left.type

    def text(self):
        return f"({self.left.text()} {self.op} {self.right.text()})"


@dataclass
class Call(Expr):
    """A function of scalars: exp, abs, minimum, ...; `not` and negation too."""

    function: str
    arguments: list

    @property
    def type(self):
        return self.arguments[0].type

    def text(self):
        inner = ", ".join(a.text() for a in self.arguments)
        if self.function == "neg":
            return f"(-{inner})"
        if self.function == "not":
            return f"(not {inner})"
        return f"{self.function}({inner})"


@dataclass
class Cast(Expr):
    type: str
    value: Expr

    def text(self):
        return f"{self.type}({self.value.text()})"


@dataclass
class Select(Expr):
    condition: Expr
    then: Expr
    otherwise: Expr

    @property
    def type(self):
        return self.then.type

    def text(self):
        return f"({self.then.text()} if {self.condition.text()} else {self.otherwise.text()})"


@dataclass
class Choice(Expr):
    """[a, b, ...][at]: a list subscripted by an int that is known to be inside."""

    parts: list
    at: Expr

    @property
    def type(self):
        return self.parts[0].type

    def text(self):
        return f"[{', '.join(p.text() for p in self.parts)}][{self.at.text()}]"


@dataclass
class Bound:
    """An index of a reduction: 0..axis, or lower..upper given by expressions."""

    index: Index
    lower: Optional[Expr] = None
    upper: Optional[Expr] = None

    def text(self):
        if self.lower is None and self.upper is None:
            return f"{self.index.name} < {self.index.axis.text}"
        if self.lower is None:
            return f"{self.index.name} < {self.upper.text()}"
        return f"{self.index.name} in {self.lower.text()}..{self.upper.text()}"


@dataclass
class Reduce(Expr):
    word: str
    bounds: list
    body: Expr
    where: Optional[Expr] = None
    otherwise: Optional[Expr] = None

    @property
    def type(self):
        if self.word in ("any", "all"):
            return "bool"
        return "int" if self.word in ("count", "argmax", "argmin") else self.body.type

    def text(self):
        where = f" where {self.where.text()}" if self.where is not None else ""
        binders = ", ".join(b.text() for b in self.bounds)
        body = f"{self.word}({binders}{where}) ({self.body.text()})"
        return f"({body} else {self.otherwise.text()})" if self.otherwise is not None else f"({body})"


@dataclass
class Equation:
    """tensor[indices] = body. A group on the left joins axes: `joined` says how many indices each axis has."""

    tensor: Tensor
    indices: list
    body: Expr
    joined: Optional[list] = None

    def text(self):
        if not self.indices:
            return f"{self.tensor.name} = {self.body.text()}"
        heads, at = [], 0
        for count in self.joined or [1] * len(self.indices):
            part = [f"{i.name} < {i.axis.text}" for i in self.indices[at : at + count]]
            heads.append(part[0] if count == 1 else f"({', '.join(part)})")
            at += count
        return f"{self.tensor.name}[{', '.join(heads)}] = {self.body.text()}"


@dataclass
class Concat:
    tensor: Tensor
    parts: list
    axis: int

    def text(self):
        names = ", ".join(p.name for p in self.parts)
        return f"{self.tensor.name} = concat([{names}], axis = {self.axis})"


@dataclass
class Rows:
    """tensor[indices] = op(argument[indices], ...): an op of the file's head, once per value of the indices."""

    tensor: Tensor
    op: str
    indices: list
    arguments: list  # Tensor; those in `whole` are not subscripted
    whole: int = 0

    def text(self):
        heads = ", ".join(f"{i.name} < {i.axis.text}" for i in self.indices)
        at = ", ".join(i.name for i in self.indices)
        rows = [f"{a.name}[{at}]" for a in self.arguments[: len(self.arguments) - self.whole]]
        whole = [a.name for a in self.arguments[len(self.arguments) - self.whole :]]
        return f"{self.tensor.name}[{heads}] = {self.op}({', '.join(rows + whole)})"


@dataclass
class Program:
    seed: int
    special: bool = False  # NaN, infinities and denormals among the inputs
    inputs: list = field(default_factory=list)  # Tensor
    weights: list = field(default_factory=list)
    values: dict = field(default_factory=dict)  # name -> array, of inputs and weights
    statements: list = field(default_factory=list)
    outputs: list = field(default_factory=list)  # Tensor


def reads(node, found=None):
    """The tensors that a statement or an expression mentions, by name."""
    found = {} if found is None else found
    if isinstance(node, Tensor):
        found[node.name] = node
    elif isinstance(node, Read):
        found[node.tensor.name] = node.tensor
        for part in (*node.subscripts, node.otherwise):
            reads(part, found)
    elif isinstance(node, Equation):
        reads(node.body, found)
    elif isinstance(node, Concat):
        for part in node.parts:
            found[part.name] = part
    elif isinstance(node, Rows):
        for part in node.arguments:
            found[part.name] = part
    elif isinstance(node, Binary):
        reads(node.left, found), reads(node.right, found)
    elif isinstance(node, Call):
        for part in node.arguments:
            reads(part, found)
    elif isinstance(node, Cast):
        reads(node.value, found)
    elif isinstance(node, Choice):
        for part in (*node.parts, node.at):
            reads(part, found)
    elif isinstance(node, Select):
        reads(node.condition, found), reads(node.then, found), reads(node.otherwise, found)
    elif isinstance(node, Bound):
        reads(node.lower, found), reads(node.upper, found)
    elif isinstance(node, Reduce):
        for part in (*node.bounds, node.where, node.body, node.otherwise):
            reads(part, found)
    return found


def live(program):
    """The program without what no output needs."""
    needed, kept = {t.name for t in program.outputs}, []
    for statement in reversed(program.statements):
        if statement.tensor.name in needed:
            kept.append(statement)
            needed |= set(reads(statement))
    return Program(program.seed, program.special, [t for t in program.inputs if t.name in needed],
                   [t for t in program.weights if t.name in needed],
                   {n: v for n, v in program.values.items() if n in needed}, kept[::-1], program.outputs)
