"""What examples/NAME/reference.py is written with: its cases, how outputs are compared, and how it is found.

A reference says:

    SYSTEM = "Real NVP"; PAPER = "Dinh et al., 2017, arXiv:1605.08803"; REFERENCE = "NumPy, written from the paper"
    LIVE = True     expected() needs NumPy alone and is computed by the test; False: record.py computes it and writes record.json
    CASES = {"small": Case(entry="flow", layers=2), "full": Case(...)}
    weights(case)   {name: float32 array}, or instead shapes(case), {name: shape}: then record.json holds them
    inputs(case)    {name: array}
    expected(case)  {output: array}
    COMPARE = {"label": Exact(margin="label.margin", tie=1e-3)}    Range() where nothing is said
    BREAK = "flow.2.bias"    a weight without which the small cases must fail; one in the middle if left out

A case's name begins with `small` (seconds) or `full` (the size of the paper). What else is given to Case the reference reads
as `case.layers`.
"""

import importlib.util
import json
import pathlib
import sys
from dataclasses import dataclass

import numpy as np

TESTS = pathlib.Path(__file__).parent.parent
EXAMPLES = TESTS.parent / "examples"
sys.path.append(str(TESTS / "references"))

import seeds


class Case:
    def __init__(self, entry, method="forward", **more):
        self.name, self.entry, self.method = "", entry, method
        self.__dict__.update(more)


@dataclass(frozen=True)
class Comparison:
    """`margin` names what expected() gives beside the output: how far each place (or all behind a place of the first axes)
    was from another decision. Places nearer than `tie` are exempt and counted, and may be a share of `most`."""

    tolerance: float = 1e-4
    margin: str = ""
    tie: float = 1e-3
    most: float = 0.05

    def apart(self, found, values, wanted):
        """The largest difference, in the unit of the tolerance."""
        with np.errstate(invalid="ignore"):
            off = np.where(found == values, 0.0, np.abs(found.astype(np.float64) - values))
        return float(np.max(np.where(np.isnan(off), np.inf, off), initial=0.0)) / self.unit(wanted)

    def unit(self, wanted):
        return 1.0


class Range(Comparison):
    """As a share of the range of what is expected."""

    word = " of the range"

    def unit(self, wanted):
        return max(wanted.largest - wanted.smallest, 1e-12)


class Relative(Comparison):
    """As a share of the largest magnitude: for a few numbers far from 0."""

    word = " of the largest"

    def unit(self, wanted):
        return max(abs(wanted.largest), abs(wanted.smallest), 1e-12)


class Absolute(Comparison):
    word = ""


@dataclass(frozen=True)
class Exact(Comparison):
    """Every element is the same."""

    tolerance: float = 0.0
    word = ""


@dataclass
class Wanted:
    """What an output should be: at all places, or at those that a record keeps."""

    shape: list
    places: np.ndarray
    values: np.ndarray
    smallest: float
    largest: float
    mean: float | None = None
    margin: np.ndarray | None = None


def from_array(name, value, margin=None):
    value = np.asarray(value)
    finite = value[np.isfinite(value)]
    smallest, largest = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return Wanted(list(value.shape), np.arange(value.size), value.reshape(-1), smallest, largest,
                  margin=None if margin is None else spread(margin, value.shape).reshape(-1))


def from_record(name, record):
    size = int(np.prod(record["shape"]))
    places = seeds.sample_places(name, size, len(record["values"]))
    margin = np.asarray(record["margin"]) if "margin" in record else None
    return Wanted(record["shape"], places, np.asarray(record["values"]), record["min"], record["max"], record["mean"],
                  margin)


def to_record(name, value, margin=None):
    record = seeds.summary(name, value)
    if margin is not None:
        places = seeds.sample_places(name, np.asarray(value).size, len(record["values"]))
        record["margin"] = [float(m) for m in spread(margin, np.shape(value)).reshape(-1)[places]]
    return record


def spread(margin, shape):
    """The margin of every element, from that of its place on the first axes."""
    margin = np.asarray(margin)
    return np.broadcast_to(margin.reshape(margin.shape + (1,) * (len(shape) - margin.ndim)), shape)


@dataclass
class Verdict:
    apart: float
    ties: int
    failed: bool
    text: str


def compare(comparison, found, wanted):
    if list(found.shape) != list(wanted.shape):
        return Verdict(float("inf"), 0, True, f"has shape {list(found.shape)}, not {list(wanted.shape)}")
    at = found.reshape(-1)[wanted.places]
    counts = np.ones(at.shape, bool) if wanted.margin is None else wanted.margin >= comparison.tie
    ties = int(np.sum(~counts))
    apart = comparison.apart(at[counts], wanted.values[counts], wanted)
    if wanted.mean is not None and ties == 0 and comparison.tolerance > 0:
        apart = max(apart, abs(float(found.mean(dtype=np.float64)) - wanted.mean) / comparison.unit(wanted))
    text = f"{apart:.1e}{comparison.word}" + (f", {ties} of {at.size} exempt as near-ties" if ties else "")
    failed = not apart <= comparison.tolerance or ties > comparison.most * at.size
    return Verdict(apart, ties, failed, text)


class System:
    """A system under examples/ and its reference."""

    def __init__(self, name):
        self.name, self.folder = name, EXAMPLES / name
        self.source = self.folder / f"{name}.weft"
        spec = importlib.util.spec_from_file_location(f"reference_{name}", self.folder / "reference.py")
        self.reference = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = self.reference
        spec.loader.exec_module(self.reference)
        for case, value in self.reference.CASES.items():
            value.name = case

    def cases(self, size):
        chosen = [case for name, case in self.reference.CASES.items() if name == size or name.startswith(f"{size}_")]
        if not chosen:
            sys.exit(f"{self.name}: no case is called {size}; there are {', '.join(self.reference.CASES)}")
        return chosen

    @property
    def record_path(self):
        return self.folder / "record.json"

    def record(self):
        if not self.record_path.exists():
            sys.exit(f"{self.name} has no record: run tests/systems/record.py {self.name}")
        return json.loads(self.record_path.read_text())

    def weights(self, case):
        if hasattr(self.reference, "weights"):
            return self.reference.weights(case)
        return seeds.weights(self.record()[case.name]["shapes"])

    def comparison(self, output):
        return getattr(self.reference, "COMPARE", {}).get(output, Range())

    def outputs_of(self, values):
        """{output: (value, margin)} of what expected() gives."""
        margins = {self.comparison(name).margin for name in values} - {""}
        outputs = {name: value for name, value in values.items() if name not in margins}
        return {name: (value, values[margin] if (margin := self.comparison(name).margin) else None)
                for name, value in outputs.items()}

    def wanted(self, case):
        """{output: Wanted}"""
        if self.reference.LIVE:
            return {name: from_array(name, *pair) for name, pair in self.outputs_of(self.reference.expected(case)).items()}
        return {name: from_record(name, value) for name, value in self.record()[case.name]["outputs"].items()}


def all_names():
    return sorted(path.parent.name for path in EXAMPLES.glob("*/reference.py"))
