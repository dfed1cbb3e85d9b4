"""What all passes together make of small models and of MobileNetV2, counted in the printed IR: python whole_programs.py WEFT

Batch norm is folded into the convolution before it, what depends on weights alone is computed when a program is created,
equal kernels are compiled once, and results that live at one time do not share memory.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent.parent
BYTES = {"f32": 4, "f64": 8, "f16": 2, "bf16": 2, "i64": 8, "i32": 4, "i8": 1, "i1": 1}
LAUNCH = re.compile(r"^ *(%\w+)(?::\d+)? = weft\.launch @(\w+)\(([^)]*)\)(.*) : \(.*\) -> (.*)$", re.M)
VIEW = re.compile(r"^ *(%\w+) = tensor\.(?:collapse_shape|expand_shape|cast) (%\w+)", re.M)

CONVOLUTIONS = """weft 0.1
import std.conv: Conv2d
import std.norm: BatchNorm
import std.activation: relu
entry e {
  conv1: Conv2d(3, 16, 3, pad = 1, use_bias = false)
  norm1: BatchNorm(16)
  conv2: Conv2d(16, 16, 3, pad = 1, groups = 16)
  norm2: BatchNorm(16)
  forward(x: f32[2, 3, 9, 9]) -> y: f32[2, 16, 9, 9] { y = norm2(conv2(relu(norm1(conv1(x))))) }
}
"""

WEIGHTS_ALONE = """weft 0.1
entry e {
  param a: f32[32, 24]
  param b: f32[24, 40]
  param g: f32[40]
  forward(x: f32[8, 32]) -> y: f32[8, 40] {
    m[i, j] = sum(k) a[i, k] * b[k, j]
    s[j] = 1 / sqrt(g[j]^2 + 1e-3)
    y[n, j] = s[j] * sum(i) x[n, i] * m[i, j]
  }
}
"""

EQUAL_BLOCKS = """weft 0.1
import std.linear: Linear
import std.activation: relu
model Tower(width: int, depth: int) {
  layer: [Linear(width, width); depth]
  forward(x: float[B, width]) -> y: float[B, width] {
    y = x
    for l in layer { y = relu(l(y)) }
  }
}
entry e {
  tower: Tower(48, 6)
  forward(x: f32[5, 48]) -> y: f32[5, 48] { y = tower(x) }
}
"""

# Three reductions along the same 5000 edges; the greatest column would take 300 * 5000 * 8 steps as written.
EDGES = """weft 0.1
import std.graph: segment_softmax, segment_mean
entry e {
  softmax(x: f32[5000, 8], dst: int[5000] in 0..300) -> y: f32[5000, 8] { y = segment_softmax(x, dst, segments = 300) }
  means(x: f32[5000, 8], dst: int[5000] in 0..300) -> y: f32[300, 8] { y = segment_mean(x, dst, segments = 300) }
}
"""

STEPS = """weft 0.1
entry e {
  last_of(x: f32[100, 64], w: f32[64, 64], v: f32[64, 64]) -> y: f32[64] {
    rec h[t, i] = tanh(x[t, i] + (sum(j) (w[i, j] + v[i, j])) + sum(j) w[i, j] * h[t-1, j]) from h[-1, i < 64] = 0
    y[i] = h[99, i]
  }
  rows(x: f32[100, 64], at: int[100] in 0..1000, old: f32[1000, 64]) -> y: f32[1000, 64] {
    rec s[t, n, d] = (x[t, d] + s[t-1, n, d] if n == at[t] else s[t-1, n, d]) from s[-1] = old
    y = s[99]
  }
}
"""


def compiled(weft, model, *options):
    done = subprocess.run([weft, "compile", model, "--emit", "ir", *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def of_text(weft, text, *options):
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.weft"
        model.write_text(text)
        return compiled(weft, model, *options)


def function(ir, name):
    start = re.search(rf"^  func\.func (?:private )?@{name}\(", ir, re.M).start()
    return ir[start : ir.index("\n  }\n", start)]


def launches(text):
    """(result, kernel, operands, attributes, result types) of each launch."""
    return [(m[1], m[2], re.findall(r"%\w+", m[3]), m[4], m[5]) for m in LAUNCH.finditer(text)]


def kernel(ir, name):
    start = ir.index(f"weft.kernel @{name} ")
    return ir[start : ir.index("\n  }\n", start)]


def check_batch_norm(weft):
    ir = of_text(weft, CONVOLUTIONS)
    forward = launches(function(ir, "forward"))
    # Input to channels-last, two convolutions with all behind them, output back in the declared order.
    sums = [name for _, name, *_ in forward if "weft.reduce sum" in kernel(ir, name)]
    assert len(sums) == 2, f"{len(sums)} kernels sum in forward: {forward}"
    assert len(forward) <= 4, f"{len(forward)} launches in forward"
    for name in {name for _, name, *_ in forward}:
        body = kernel(ir, name)
        assert "arith.divf" not in body and "math.sqrt" not in body, f"{name} still normalises"
        products = len(re.findall(r"arith\.mulf", body))
        assert products <= 1, f"{name} scales beside its sum: {products} products"
    assert "math.sqrt" in ir, "nobody computes the scale"


def check_weights_alone(weft):
    ir = of_text(weft, WEIGHTS_ALONE)
    forward = launches(function(ir, "forward"))
    assert len(forward) == 1, forward
    body = kernel(ir, forward[0][1])
    assert body.count("weft.reduce") == 1 and "math.sqrt" not in body, body
    assert "weft.weight" not in function(ir, "forward"), "forward reads a weight as it is"
    assert launches(function(ir, "prepare")), "nothing is computed when the program is created"


def check_equal_kernels(weft):
    ir = of_text(weft, EQUAL_BLOCKS)
    forward = [name for _, name, *_ in launches(function(ir, "forward"))]
    assert len(forward) == 6, forward
    assert len(set(forward)) == 1, f"equal layers have the kernels {set(forward)}"
    packing = [name for _, name, *_ in launches(function(ir, "prepare"))]
    assert len(packing) == 6 and len(set(packing)) == 1, packing


def check_segments(weft):
    """The edges are listed once for all that is reduced along them, and every reduction walks one segment."""
    for options, lists, walks in [((), 1, True), (("--without", "segment-reductions"), 0, False)]:
        ir = of_text(weft, EDGES, *options)
        for method, reductions in [("softmax", 2), ("means", 1)]:
            names = [name for _, name, *_ in launches(function(ir, method))]
            assert sum(name.startswith("segments") for name in names) == lists, (method, names)
            kernels = "".join(kernel(ir, name) for name in dict.fromkeys(names))
            bounds = re.findall(r"weft\.reduce \w+ \(%\w+\) from \((%\w+)\) to \((%\w+)\)", kernels)
            over_edges = [end for _, end in bounds if end == "%c5000"]
            assert bool(over_edges) != walks and (not walks or len(bounds) == reductions), (method, bounds)


def check_steps(weft):
    """Memory of loops whose states are not all kept, and work of their steps."""
    arena = lambda text: int(re.search(r"weft\.arena = (\d+)", text).group(1))
    saved, whole = of_text(weft, STEPS), of_text(weft, STEPS, *(w for p in ("narrow-histories", "update-rows", "hoist-from-steps") for w in ("--without", p)))  # fmt: skip
    slice_bytes, state_bytes = 64 * 4, 1000 * 64 * 4
    # A history of 100 slices shrinks to two of them, and the sum that no step changes.
    assert arena(function(saved, "last_of")) <= 5 * slice_bytes, arena(function(saved, "last_of"))
    assert arena(function(whole, "last_of")) >= 100 * slice_bytes
    step = kernel(saved, launches(function(saved, "last_of_t_step"))[-1][1])
    assert step.count("weft.reduce") == 1, step
    # 100 states of 1000 rows shrink to one, of which a step computes 64 elements.
    # (The last one is copied to where it is returned.)
    assert arena(function(saved, "rows")) <= 2 * state_bytes + 20 * slice_bytes, arena(function(saved, "rows"))
    assert arena(function(whole, "rows")) >= 100 * state_bytes
    assert "weft.in_place = array<i1: true>" in function(saved, "rows")
    domains = re.findall(r"weft\.equation \([^)]*\) in \(([\d, ]*)\)", "".join(kernel(saved, name) for _, name, *_ in launches(function(saved, "rows_t_step"))))  # fmt: skip
    assert sorted(domains) == ["", "64"], domains


def size_of(type_text):
    shape, element = re.fullmatch(r"tensor<((?:\d+x)*)(\w+)>", type_text).groups()
    count = 1
    for extent in shape.split("x")[:-1]:
        count *= int(extent)
    return count * BYTES[element]


def check_memory(ir, method, least_shared):
    """Replays a method: every byte of an operand is still what its launch wrote."""
    text = function(ir, method)
    arena = int(re.search(r"weft\.arena = (\d+)", text).group(1))
    source = {m[1]: m[2] for m in VIEW.finditer(text)}

    def root(name):
        while name in source:
            name = source[name]
        return name

    holder, placed, total = {}, {}, 0  # bytes of the arena in steps of 64 -> result that lies there
    for result, name, operands, attributes, types in launches(text):
        for operand in map(root, operands):
            for step in placed.get(operand, ()):
                assert holder[step] == operand, f"{method}: {name} reads {operand} at {64 * step}, {holder[step]} lies there"
        offsets = re.search(r"weft\.offset = array<i64: ([^>]*)>", attributes)
        offsets = [int(o) for o in offsets.group(1).split(",")]
        types = re.findall(r"tensor<[^>]*>", types)
        assert len(offsets) == len(types)
        for offset, type_text in zip(offsets, types):
            if offset < 0:
                continue
            assert offset % 64 == 0 and offset + size_of(type_text) <= arena, f"{name}: {offset} in {arena}"
            assert len(types) == 1 or offset not in [o for o in offsets if o >= 0][1:], name
            steps = range(offset // 64, (offset + size_of(type_text) + 63) // 64)
            for step in steps:
                holder[step] = result
            placed[result] = steps
            total += size_of(type_text)
    assert total >= least_shared * arena, f"{method}: {total} bytes of results in an arena of {arena}"


def main():
    weft = sys.argv[1]
    check_batch_norm(weft)
    check_weights_alone(weft)
    check_equal_kernels(weft)
    check_segments(weft)
    check_steps(weft)
    check_memory(of_text(weft, EQUAL_BLOCKS), "forward", 2)
    mobilenet = compiled(weft, ROOT / "examples/mobilenet_v2/mobilenet_v2.weft", "--dim", "B=1")
    kernels, launched = mobilenet.count("weft.kernel @"), len(launches(mobilenet))
    assert 2 * kernels < launched, f"{launched} launches of {kernels} kernels"
    check_memory(mobilenet, "logits", 4)
    # A result in the place of one that is still needed is noticed.
    logits = function(mobilenet, "logits")
    residual = re.search(r"weft\.launch @matmul_add\w*\((%\w+), (%\w+)", logits)
    kept = re.search(rf"{residual[1]} = weft\.launch.*(weft\.offset = array<i64: \d+>)", logits).group(1)
    late = re.search(rf"{residual[2]} = weft\.launch.*", logits).group(0)
    wrong = logits.replace(late, re.sub(r"weft\.offset = array<i64: \d+>", kept, late))
    assert wrong != logits
    try:
        check_memory(mobilenet.replace(logits, wrong), "logits", 4)
    except AssertionError:
        return
    raise AssertionError("two results in one place were not noticed")


main()
